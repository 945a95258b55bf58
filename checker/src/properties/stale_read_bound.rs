//! A read sees every write that was acknowledged more than a given time before the read began.
//!
//! Of lists and sets: every element. Of registers: what it saw, or something newer. Which of two values is the newer one is
//! known where the write of the one was over before that of the other began; a write is over when it was acknowledged or
//! when a read that saw its value came back, whichever was first. So a read of v is stale since the moment at which the
//! first write was over that had begun after the write of v was over. A value that nobody wrote is taken for the initial one.
//!
//! Values that are written more than once count as over when the last of these writes is, and so does Nil, which may be the
//! initial value: nothing is reported wrongly, but something may be missed.

use std::time::Duration;

use rashomon_history::{Call, Key, Operation, Outcome, Returned, Value};

use super::membership::{Element, Membership, NONE};
use super::report::{AnomalyKind, PropertyWhy};
use super::run::{Doubt, Halt, Numbers, Run, completed, plain};
use super::story::duration;

/// One value of one register.
#[derive(Clone, Copy)]
struct Written {
    /// How many writes of it did not fail, and the last of them that was over, by completion.
    times: u32,
    write: u32,
    /// The read that saw it whose completion came first.
    first_seen: u32,
    is_nil: bool,
}

/// One write that may have replaced what was there before.
#[derive(Clone, Copy)]
struct Write {
    position: u32,
    value: u32,
    /// Of this write and those that began later: the place of the one that was over first.
    first_over: u32,
}

/// A read of a register.
struct Read {
    position: u32,
    register: u32,
    value: u32,
}

#[derive(Default, Clone)]
struct Register {
    /// By invocation.
    writes: Vec<Write>,
}

struct Bound<'a> {
    delta_ns: u64,
    keys: Numbers<&'a Key>,
    /// Whether each object is a list or a set.
    grows: Vec<bool>,
    registers: Vec<Register>,
    values: Numbers<(usize, &'a Value)>,
    written: Vec<Written>,
    reads: Vec<Read>,
    lists: Membership<'a>,
    staleness_ns: Vec<u64>,
    /// Reads that began late enough after a write to be stale.
    decided: u64,
}

pub(super) fn check(run: &mut Run<'_>, delta: Duration) -> Result<Doubt, Halt> {
    for name in ["write", "acknowledged", "read", "decided", AnomalyKind::Stale.name()] {
        run.count(name, 0);
    }
    let mut all = Bound {
        delta_ns: u64::try_from(delta.as_nanos()).unwrap_or(u64::MAX),
        keys: Numbers::new(),
        grows: Vec::new(),
        registers: Vec::new(),
        values: Numbers::new(),
        written: Vec::new(),
        reads: Vec::new(),
        lists: Membership::new(),
        staleness_ns: Vec::new(),
        decided: 0,
    };
    run.order_by_object()?;
    all.find_objects(run)?;
    for place in 0..run.order.len() {
        run.step()?;
        all.read(run, run.order[place])?;
    }
    run.objects(all.keys.len());
    all.check_registers(run)?;
    all.check_lists(run)?;
    run.latencies("stale", std::mem::take(&mut all.staleness_ns));
    run.count("decided", all.decided);
    let within = duration(all.delta_ns);
    Ok((all.decided == 0)
        .then(|| PropertyWhy::nothing(format!("no read began more than {within} after a write was over"))))
}

impl<'a> Bound<'a> {
    /// Which objects are lists or sets.
    fn find_objects(&mut self, run: &mut Run<'a>) -> Result<(), Halt> {
        for place in 0..run.order.len() {
            run.step()?;
            let operation = run.operation(run.order[place]);
            let Some(key) = operation.call.key() else { return Err(Halt::NotOfTheProperty(run.order[place])) };
            let number = self.keys.number(run, key)?;
            if number == self.grows.len() {
                run.push(&mut self.grows, false)?;
                run.push(&mut self.registers, Register::default())?;
            }
            self.grows[number] |= matches!(operation.call, Call::Append { .. } | Call::Add { .. })
                || matches!(&operation.outcome, Outcome::Ok(returned) if matches!(plain(returned), Returned::List(_)));
        }
        Ok(())
    }

    fn read(&mut self, run: &mut Run<'a>, position: u32) -> Result<(), Halt> {
        let operation = run.operation(position);
        let Some(key) = operation.call.key() else { return Ok(()) };
        let Some(object) = self.keys.get(key) else { return Ok(()) };
        let returned = match &operation.outcome {
            Outcome::Ok(returned) => Some(plain(returned)),
            Outcome::Info(_) => None,
            Outcome::Fail(_) => return Ok(()),
        };
        match (&operation.call, returned) {
            (Call::Read { .. }, None) => Ok(()),
            (Call::Append { value, .. } | Call::Add { value, .. }, returned) => {
                run.count("write", 1);
                run.count("acknowledged", u64::from(returned.is_some()));
                self.lists.put(run, key, value, position)
            }
            (Call::Read { .. }, Some(Returned::List(values))) => {
                run.count("read", 1);
                self.lists.saw_all(run, key, values, position)
            }
            (Call::Read { .. }, Some(Returned::Value(Value::Nil))) if self.grows[object] => {
                run.count("read", 1);
                self.lists.saw_all(run, key, &[], position)
            }
            _ if self.grows[object] => Err(Halt::NotOfTheProperty(position)),
            (Call::Read { .. }, Some(Returned::Value(value))) => self.see(run, object, value, position),
            (Call::Write { value, .. }, _) => self.write(run, object, value, position),
            (Call::Delete { .. }, _) => self.write(run, object, &Value::Nil, position),
            (Call::Cas { to, .. }, None) => self.write(run, object, to, position),
            (Call::Cas { from, to, .. }, Some(Returned::Swapped)) => {
                self.see(run, object, from, position)?;
                self.write(run, object, to, position)
            }
            (Call::Cas { .. }, Some(Returned::NotSwapped { current })) => match current {
                Some(current) => self.see(run, object, current, position),
                None => Ok(()),
            },
            _ => Err(Halt::NotOfTheProperty(position)),
        }
    }

    fn value(&mut self, run: &mut Run<'a>, register: usize, value: &'a Value) -> Result<usize, Halt> {
        let number = self.values.number(run, (register, value))?;
        if number == self.written.len() {
            run.push(
                &mut self.written,
                Written { times: 0, write: NONE, first_seen: NONE, is_nil: *value == Value::Nil },
            )?;
        }
        Ok(number)
    }

    fn write(&mut self, run: &mut Run<'a>, register: usize, value: &'a Value, position: u32) -> Result<(), Halt> {
        run.count("write", 1);
        run.count("acknowledged", u64::from(matches!(run.operation(position).outcome, Outcome::Ok(_))));
        let number = self.value(run, register, value)?;
        let written = &mut self.written[number];
        written.times += 1;
        if written.write == NONE || completed(run.operation(written.write)) < completed(run.operation(position)) {
            written.write = position;
        }
        let first_over = self.registers[register].writes.len() as u32;
        let write = Write { position, value: number as u32, first_over };
        run.push(&mut self.registers[register].writes, write)
    }

    fn see(&mut self, run: &mut Run<'a>, register: usize, value: &'a Value, position: u32) -> Result<(), Halt> {
        run.count("read", 1);
        let number = self.value(run, register, value)?;
        let first_seen = &mut self.written[number].first_seen;
        if *first_seen == NONE || completed(run.operation(position)) < completed(run.operation(*first_seen)) {
            *first_seen = position;
        }
        run.push(&mut self.reads, Read { position, register: register as u32, value: number as u32 })
    }

    /// Who showed first that a write of the value was over: the write itself, or a read.
    fn over_by(&self, run: &Run<'a>, value: u32, write: u32) -> u32 {
        let Written { times, first_seen, is_nil, .. } = self.written[value as usize];
        if times > 1 || is_nil || first_seen == NONE {
            return write;
        }
        let (wrote, saw) = (run.operation(write), run.operation(first_seen));
        // Who saw it before the write began saw the initial value.
        let is_seen_first = wrote.invoke_index <= completed(saw) && completed(saw) < completed(wrote);
        if is_seen_first { first_seen } else { write }
    }

    fn check_registers(&mut self, run: &mut Run<'a>) -> Result<(), Halt> {
        for register in 0..self.registers.len() {
            let over = |place: usize| {
                let Write { position, value, .. } = self.registers[register].writes[place];
                completed(run.operation(self.over_by(run, value, position)))
            };
            let mut first_over = self.registers[register].writes.len().saturating_sub(1);
            let mut firsts = Vec::with_capacity(self.registers[register].writes.len());
            for place in (0..self.registers[register].writes.len()).rev() {
                if over(place) <= over(first_over) {
                    first_over = place;
                }
                firsts.push(first_over as u32);
            }
            for (write, first) in self.registers[register].writes.iter_mut().rev().zip(firsts) {
                write.first_over = first;
            }
        }
        for read in std::mem::take(&mut self.reads) {
            run.step()?;
            self.check_read(run, &read)?;
        }
        Ok(())
    }

    /// Of the writes of a register from a place on, the one that was over first, and who showed it.
    fn first_over(&self, run: &Run<'a>, register: u32, place: usize) -> Option<(u32, u32)> {
        let writes = &self.registers[register as usize].writes;
        let Write { position, value, .. } = writes[writes.get(place)?.first_over as usize];
        Some((position, self.over_by(run, value, position)))
    }

    fn check_read(&mut self, run: &mut Run<'a>, read: &Read) -> Result<(), Halt> {
        let Some((_, first_over)) = self.first_over(run, read.register, 0) else { return Ok(()) };
        if self.lateness_ns(run, first_over, read.position).is_none() {
            return Ok(());
        }
        self.decided += 1;
        let writes = &self.registers[read.register as usize].writes;
        let Written { times, write, .. } = self.written[read.value as usize];
        // The first write that began when the write of what was seen was over; the first of all after the initial value.
        let newer = if times == 0 {
            0
        } else {
            let over = completed(run.operation(self.over_by(run, read.value, write)));
            writes.partition_point(|write| run.operation(write.position).invoke_index <= over)
        };
        let Some((newer, over_by)) = self.first_over(run, read.register, newer) else { return Ok(()) };
        let Some(late_ns) = self.lateness_ns(run, over_by, read.position) else { return Ok(()) };
        run.push(&mut self.staleness_ns, late_ns)?;
        let key = run.operation(read.position).call.key();
        let mut positions = vec![read.position, over_by, newer];
        positions.extend((times > 0).then_some(write));
        run.violation(AnomalyKind::Stale, key, &positions, |story| {
            let older = match times {
                0 => "What it saw was there at first, or nobody wrote it.".to_owned(),
                1.. => format!("What it saw was older: {}.", story.whole(write)),
            };
            let shown = if newer == over_by { String::new() } else { format!(", as {} shows", story.whole(over_by)) };
            let (read, newer) = (story.whole(read.position), story.whole(newer));
            format!("{read}, {} after this was over: {newer}{shown}. {older}", duration(late_ns))
        });
        Ok(())
    }

    /// How long after `over` was over the other operation began, if that is more than the bound.
    fn lateness_ns(&self, run: &Run<'a>, over: u32, began: u32) -> Option<u64> {
        let (over, began) = (run.operation(over), run.operation(began));
        lateness_ns(over, began).filter(|late_ns| *late_ns > self.delta_ns || self.delta_ns == 0)
    }

    fn check_lists(&mut self, run: &mut Run<'a>) -> Result<(), Halt> {
        self.lists.find_misses(run)?;
        for number in 0..self.lists.elements.len() {
            run.step()?;
            let element = &self.lists.elements[number];
            let Element { value, known, missed, .. } = *element;
            let last_read = self.lists.last_read(element);
            if known == NONE || last_read == NONE || self.lateness_ns(run, known, last_read).is_none() {
                continue;
            }
            self.decided += 1;
            let late_ns = (missed != NONE).then(|| self.lateness_ns(run, known, missed)).flatten();
            let Some(late_ns) = late_ns else { continue };
            run.push(&mut self.staleness_ns, late_ns)?;
            let key = run.operation(known).call.key();
            run.violation(AnomalyKind::Stale, key, &[known, missed], |story| {
                let (late, missed) = (duration(late_ns), story.whole(missed));
                format!("{missed}, without {value}, {late} after it was known to be there: {}.", story.whole(known))
            });
        }
        Ok(())
    }
}

/// How long after an operation was over another one began, if it did.
fn lateness_ns(over: &Operation, began: &Operation) -> Option<u64> {
    let is_later = completed(over) < began.invoke_index;
    is_later.then(|| began.invoked.0.saturating_sub(over.completed.unwrap_or(over.invoked).0))
}
