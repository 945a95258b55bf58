//! What is known of the records of all logs: who sent them, where they stand, who polled them.

use rashomon_history::{Call, Key, Outcome, Record, Returned, Value};

use super::super::report::AnomalyKind;
use super::super::run::{Halt, Numbers, Run, completed, plain};

pub(super) const NONE: u32 = u32::MAX;

/// One log.
#[derive(Clone, Copy)]
struct Log<'a> {
    key: &'a Key,
    /// The highest offset that was polled, and who came to it.
    end: u64,
    polled: u32,
}

/// One value of one log.
#[derive(Clone, Copy)]
struct Entry<'a> {
    log: u32,
    value: &'a Value,
    /// Sends that did not fail, and those that were acknowledged.
    sends: u32,
    acknowledged: u32,
    send: u32,
    failed: u32,
    /// Offsets at which it stands, and those of them that were polled.
    offsets: u32,
    offsets_polled: u32,
    /// Who told of the first offset and of the last.
    first: (u64, u32),
    last: (u64, u32),
    /// The poll that saw it whose completion came first.
    polled: u32,
}

/// One offset of one log.
#[derive(Clone, Copy)]
struct Slot {
    log: u32,
    offset: u64,
    /// The value that was first told to stand there, and by whom.
    entry: u32,
    by: u32,
    /// Whether that value was polled there.
    is_polled: bool,
    has_conflict: bool,
}

pub(super) struct Records<'a> {
    keys: Numbers<&'a Key>,
    logs: Vec<Log<'a>>,
    values: Numbers<(u32, &'a Value)>,
    entries: Vec<Entry<'a>>,
    offsets: Numbers<(u32, u64)>,
    slots: Vec<Slot>,
    /// Further values of a slot, and whether they were polled there.
    conflicts: Numbers<(u32, u32)>,
    conflicts_polled: Vec<bool>,
}

impl<'a> Records<'a> {
    pub(super) fn new() -> Self {
        Self {
            keys: Numbers::new(),
            logs: Vec::new(),
            values: Numbers::new(),
            entries: Vec::new(),
            offsets: Numbers::new(),
            slots: Vec::new(),
            conflicts: Numbers::new(),
            conflicts_polled: Vec::new(),
        }
    }

    pub(super) fn logs(&self) -> usize {
        self.logs.len()
    }

    /// The log and the offset of a slot.
    pub(super) fn place(&self, slot: u32) -> (u32, u64) {
        let Slot { log, offset, .. } = self.slots[slot as usize];
        (log, offset)
    }

    /// Who told of a slot first.
    pub(super) fn told_by(&self, slot: u32) -> u32 {
        self.slots[slot as usize].by
    }

    pub(super) fn key(&self, log: u32) -> &'a Key {
        self.logs[log as usize].key
    }

    fn log(&mut self, run: &mut Run<'a>, key: &'a Key) -> Result<u32, Halt> {
        let number = self.keys.number(run, key)?;
        if number == self.logs.len() {
            run.push(&mut self.logs, Log { key, end: 0, polled: NONE })?;
        }
        Ok(number as u32)
    }

    fn entry(&mut self, run: &mut Run<'a>, log: u32, value: &'a Value) -> Result<usize, Halt> {
        let number = self.values.number(run, (log, value))?;
        if number == self.entries.len() {
            let entry = Entry {
                log,
                value,
                sends: 0,
                acknowledged: 0,
                send: NONE,
                failed: NONE,
                offsets: 0,
                offsets_polled: 0,
                first: (0, NONE),
                last: (0, NONE),
                polled: NONE,
            };
            run.push(&mut self.entries, entry)?;
        }
        Ok(number)
    }

    pub(super) fn send(
        &mut self,
        run: &mut Run<'a>,
        key: &'a Key,
        value: &'a Value,
        offset: Option<u64>,
        position: u32,
    ) -> Result<usize, Halt> {
        let log = self.log(run, key)?;
        let number = self.entry(run, log, value)?;
        let entry = &mut self.entries[number];
        let outcome = &run.operation(position).outcome;
        if let Outcome::Fail(_) = outcome {
            if entry.failed == NONE {
                entry.failed = position;
            }
            return Ok(log as usize);
        }
        if entry.send == NONE {
            entry.send = position;
        }
        entry.sends += 1;
        run.count("attempt", 1);
        if let Outcome::Ok(_) = outcome {
            entry.acknowledged += 1;
            run.count("acknowledged", 1);
        }
        if let Some(offset) = offset {
            self.stands(run, log, offset, number, position, false)?;
        }
        Ok(log as usize)
    }

    /// The slot of a record that a poll brought.
    pub(super) fn poll(&mut self, run: &mut Run<'a>, record: &'a Record, position: u32) -> Result<u32, Halt> {
        let log = self.log(run, &record.key)?;
        let number = self.entry(run, log, &record.value)?;
        let polled = &mut self.entries[number].polled;
        if *polled == NONE || completed(run.operation(position)) < completed(run.operation(*polled)) {
            *polled = position;
        }
        let Log { end, polled, .. } = &mut self.logs[log as usize];
        if *polled == NONE || record.offset > *end {
            (*end, *polled) = (record.offset, position);
        }
        self.stands(run, log, record.offset, number, position, true)
    }

    /// Somebody says that a value stands at an offset.
    fn stands(
        &mut self,
        run: &mut Run<'a>,
        log: u32,
        offset: u64,
        number: usize,
        position: u32,
        is_poll: bool,
    ) -> Result<u32, Halt> {
        let slot = self.offsets.number(run, (log, offset))?;
        if slot == self.slots.len() {
            let new = Slot { log, offset, entry: number as u32, by: position, is_polled: is_poll, has_conflict: false };
            run.push(&mut self.slots, new)?;
            self.entries[number].stands_at(offset, position, is_poll);
        } else if self.slots[slot].entry == number as u32 {
            let is_polled = &mut self.slots[slot].is_polled;
            let is_first_poll = is_poll && !std::mem::replace(is_polled, *is_polled || is_poll);
            self.entries[number].offsets_polled += u32::from(is_first_poll);
        } else {
            self.conflict(run, slot, number, position, is_poll)?;
        }
        Ok(slot as u32)
    }

    /// Another value stands at an offset already.
    fn conflict(
        &mut self,
        run: &mut Run<'a>,
        slot: usize,
        number: usize,
        position: u32,
        is_poll: bool,
    ) -> Result<(), Halt> {
        let Slot { offset, entry, by, has_conflict, .. } = self.slots[slot];
        let conflict = self.conflicts.number(run, (slot as u32, number as u32))?;
        if conflict == self.conflicts_polled.len() {
            run.push(&mut self.conflicts_polled, is_poll)?;
            self.entries[number].stands_at(offset, position, is_poll);
        } else if is_poll && !std::mem::replace(&mut self.conflicts_polled[conflict], true) {
            self.entries[number].offsets_polled += 1;
        }
        self.slots[slot].has_conflict = true;
        if !has_conflict {
            let [one, other] = [entry as usize, number].map(|number| self.entries[number].value);
            let key = self.logs[self.slots[slot].log as usize].key;
            run.violation(AnomalyKind::InconsistentOffset, Some(key), &[by, position], |story| {
                let (told, told_otherwise) = (story.whole(by), story.whole(position));
                format!("{told}, with {one} at offset {offset}; but {told_otherwise}, with {other} at offset {offset}.")
            });
        }
        Ok(())
    }

    /// Values that stand at more offsets than they were sent to, or that nobody sent.
    pub(super) fn check_values(&self, run: &mut Run<'a>) -> Result<(), Halt> {
        for entry in &self.entries {
            run.step()?;
            let Entry { value, sends, send, failed, offsets, first, last, polled, .. } = *entry;
            let key = Some(self.logs[entry.log as usize].key);
            if sends > 0 && offsets > sends {
                run.violation(AnomalyKind::Duplicated, key, &[send, first.1, last.1], |story| {
                    format!(
                        "{value} stands at {offsets} offsets but was sent {sends} times at most: at {}, {}; and at {}, {}.",
                        first.0,
                        story.whole(first.1),
                        last.0,
                        story.whole(last.1)
                    )
                });
            }
            if polled == NONE {
                continue;
            }
            let over = completed(run.operation(polled));
            let is_in_time = |send: u32| send != NONE && run.operation(send).invoke_index <= over;
            if is_in_time(send) {
                continue;
            }
            if is_in_time(failed) {
                run.violation(AnomalyKind::AbortedRead, key, &[failed, polled], |story| {
                    format!("{}, with {value} in it; but {}.", story.whole(polled), story.whole(failed))
                });
            } else {
                run.violation(AnomalyKind::Unexpected, key, &[polled], |story| {
                    format!("{}, although nobody had tried to send {value} by then.", story.whole(polled))
                });
            }
        }
        Ok(())
    }

    /// Acknowledged records that no poll brought.
    pub(super) fn check_lost(&self, run: &mut Run<'a>) -> Result<(), Halt> {
        for place in 0..run.order.len() {
            run.step()?;
            let position = run.order[place];
            let operation = run.operation(position);
            let (Call::Send { key, value }, Outcome::Ok(returned)) = (&operation.call, &operation.outcome) else {
                continue;
            };
            let Some(log) = self.keys.get(key).map(|log| log as u32) else { continue };
            let Some(number) = self.values.get((log, value)) else { continue };
            let entry = &self.entries[number];
            if entry.offsets_polled > 0 {
                run.count("acknowledged-polled", 1);
            }
            let offset = match plain(returned) {
                Returned::Offset(offset) => Some(*offset),
                _ => None,
            };
            let is_polled = offset.is_some_and(|offset| self.is_polled(log, offset, number));
            if is_polled || entry.offsets_polled >= entry.acknowledged {
                continue;
            }
            let Log { end, polled, .. } = self.logs[log as usize];
            if offset.is_some_and(|offset| polled != NONE && offset < end) {
                run.violation(AnomalyKind::Lost, Some(key), &[position, polled], |story| {
                    let (sent, came) = (story.whole(position), story.whole(polled));
                    format!("{sent}; no poll brought it, although one came to offset {end}: {came}.")
                });
            } else {
                run.remark(AnomalyKind::Unseen, Some(key), &[position], |story| {
                    format!("{}; no poll came to it.", story.whole(position))
                });
            }
        }
        Ok(())
    }

    /// Whether a poll brought the value from the offset.
    fn is_polled(&self, log: u32, offset: u64, number: usize) -> bool {
        let Some(slot) = self.offsets.get((log, offset)) else { return false };
        if self.slots[slot].entry == number as u32 {
            return self.slots[slot].is_polled;
        }
        let conflict = self.conflicts.get((slot as u32, number as u32));
        conflict.is_some_and(|conflict| self.conflicts_polled[conflict])
    }

    /// The slots by log and offset, and the place of each among them.
    pub(super) fn ranks(&self, run: &mut Run<'a>) -> Result<Ranks, Halt> {
        let mut slots: Vec<u32> = run.filled(self.slots.len(), 0)?;
        slots.iter_mut().zip(0..).for_each(|(slot, number)| *slot = number);
        slots.sort_unstable_by_key(|slot| self.place(*slot));
        let mut rank_of = run.filled(self.slots.len(), 0)?;
        for (rank, slot) in slots.iter().enumerate() {
            rank_of[*slot as usize] = rank as u32;
        }
        Ok(Ranks { slots, rank_of })
    }
}

impl Entry<'_> {
    fn stands_at(&mut self, offset: u64, by: u32, is_poll: bool) {
        if self.offsets == 0 {
            self.first = (offset, by);
        }
        self.last = (offset, by);
        self.offsets += 1;
        self.offsets_polled += u32::from(is_poll);
    }
}

/// The order of all known records.
pub(super) struct Ranks {
    pub(super) slots: Vec<u32>,
    pub(super) rank_of: Vec<u32>,
}
