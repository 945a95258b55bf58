//! Elements of lists and sets: when they were known to be there, and which reads saw or missed them.

use rashomon_history::{Key, Outcome, Value};

use super::run::{Halt, Numbers, Run, completed};

/// No operation.
pub(super) const NONE: u32 = u32::MAX;

/// One element of one object. Numbers are positions of operations, or [`NONE`].
#[derive(Clone, Copy)]
pub(super) struct Element<'a> {
    pub(super) value: &'a Value,
    /// The first operation that tried to put it there and did not fail, and the first that did.
    pub(super) put: u32,
    pub(super) failed: u32,
    /// Who showed first that it was there, by completion: an acknowledged put or a read that saw it.
    pub(super) known: u32,
    /// The read that saw it whose completion came first, and the one whose invocation came last.
    pub(super) first_seen: u32,
    pub(super) last_seen: u32,
    /// When the last read that saw it came back.
    pub(super) seen_over: u64,
    /// A read that shows it more than once.
    pub(super) twice: u32,
    /// The last read, by invocation, that began when it was known and did not see it.
    pub(super) missed: u32,
    /// When the last such read came back; only of elements that a read saw later than that or meanwhile.
    pub(super) missed_over: u64,
    object: u32,
}

/// A read, and what it says of the elements of its object.
struct Look {
    position: u32,
    object: u32,
    shows: Shows,
}

enum Shows {
    /// It saw these of `seen`, and no others.
    All { from: usize, to: usize },
    /// It did not see this element.
    Lacks(u32),
}

/// What is known of the elements of all objects. The operations must come by object, and those of one object by invocation.
pub(super) struct Membership<'a> {
    pub(super) keys: Numbers<&'a Key>,
    pub(super) elements: Vec<Element<'a>>,
    /// The elements of the object at hand.
    numbers: Numbers<&'a Value>,
    /// By invocation.
    looks: Vec<Look>,
    /// The last read of each object, by invocation.
    last_reads: Vec<u32>,
    /// The elements that the reads saw, one read after the other.
    seen: Vec<u32>,
}

impl<'a> Membership<'a> {
    pub(super) fn new() -> Self {
        Self {
            keys: Numbers::new(),
            elements: Vec::new(),
            numbers: Numbers::new(),
            looks: Vec::new(),
            last_reads: Vec::new(),
            seen: Vec::new(),
        }
    }

    fn element(&mut self, run: &mut Run<'a>, object: usize, value: &'a Value) -> Result<usize, Halt> {
        let number = self.numbers.number(run, value)?;
        if number == self.elements.len() {
            let unknown = Element {
                value,
                put: NONE,
                failed: NONE,
                known: NONE,
                first_seen: NONE,
                last_seen: NONE,
                seen_over: 0,
                twice: NONE,
                missed: NONE,
                missed_over: 0,
                object: object as u32,
            };
            run.push(&mut self.elements, unknown)?;
        }
        Ok(number)
    }

    fn object(&mut self, run: &mut Run<'a>, key: &'a Key) -> Result<usize, Halt> {
        let number = self.keys.number(run, key)?;
        if number == self.last_reads.len() {
            run.push(&mut self.last_reads, NONE)?;
            self.numbers.forget();
        }
        Ok(number)
    }

    /// The last read of everything in the element's object, by invocation.
    pub(super) fn last_read(&self, element: &Element<'_>) -> u32 {
        self.last_reads[element.object as usize]
    }

    /// Somebody tried to put an element there.
    pub(super) fn put(&mut self, run: &mut Run<'a>, key: &'a Key, value: &'a Value, position: u32) -> Result<(), Halt> {
        let object = self.object(run, key)?;
        let number = self.element(run, object, value)?;
        let element = &mut self.elements[number];
        let first = match run.operation(position).outcome {
            Outcome::Fail(_) => &mut element.failed,
            Outcome::Ok(_) | Outcome::Info(_) => &mut element.put,
        };
        if *first == NONE {
            *first = position;
        }
        if matches!(run.operation(position).outcome, Outcome::Ok(_)) {
            element.is_known_by(run, position);
        }
        Ok(())
    }

    /// A read saw these elements and no others.
    pub(super) fn saw_all(
        &mut self,
        run: &mut Run<'a>,
        key: &'a Key,
        values: &'a [Value],
        position: u32,
    ) -> Result<(), Halt> {
        let object = self.object(run, key)?;
        self.last_reads[object] = position;
        let from = self.seen.len();
        for value in values {
            run.step()?;
            let number = self.element(run, object, value)?;
            let element = &mut self.elements[number];
            if element.last_seen == position {
                element.twice = position;
            }
            element.is_seen_by(run, position);
            run.push(&mut self.seen, number as u32)?;
        }
        let shows = Shows::All { from, to: self.seen.len() };
        run.push(&mut self.looks, Look { position, object: object as u32, shows })
    }

    /// A read asked for one element.
    pub(super) fn looked_for(
        &mut self,
        run: &mut Run<'a>,
        key: &'a Key,
        value: &'a Value,
        is_there: bool,
        position: u32,
    ) -> Result<(), Halt> {
        let object = self.object(run, key)?;
        let number = self.element(run, object, value)?;
        if is_there {
            self.elements[number].is_seen_by(run, position);
            return Ok(());
        }
        run.push(&mut self.looks, Look { position, object: object as u32, shows: Shows::Lacks(number as u32) })
    }

    /// Finds for each element the last read, by invocation, that should have seen it and did not.
    ///
    /// The reads are gone through from the last to the first. An element stays open as long as all of them saw it, so that
    /// whoever looks at it is paid for by a read that saw it, or closes it.
    pub(super) fn find_misses(&mut self, run: &mut Run<'a>) -> Result<(), Halt> {
        let known: Vec<u32> = self.numbers_where(|element| element.known != NONE);
        let looks: Vec<u32> = (0..self.looks.len() as u32).rev().collect();
        run.hold(size_of_val(looks.as_slice()))?;
        self.close(run, &known, &looks, |run, element, look| {
            if completed(run.operation(element.known)) < run.operation(look).invoke_index {
                element.missed = look;
            }
            true
        })
    }

    /// Finds when the last of the reads was over that should have seen an element and did not, of those elements that were
    /// missed and yet seen by a read that was not over by then.
    pub(super) fn find_last_misses_over(&mut self, run: &mut Run<'a>) -> Result<(), Halt> {
        let missed: Vec<u32> = self.numbers_where(|element| element.missed != NONE && !element.is_lost(run));
        if missed.is_empty() {
            return Ok(());
        }
        let mut looks: Vec<u32> = (0..self.looks.len() as u32).collect();
        run.hold(size_of_val(looks.as_slice()))?;
        looks.sort_by_key(|look| std::cmp::Reverse(completed(run.operation(self.looks[*look as usize].position))));
        self.close(run, &missed, &looks, |run, element, look| {
            let (known, look) = (completed(run.operation(element.known)), run.operation(look));
            let is_late = known < look.invoke_index;
            if is_late {
                element.missed_over = completed(look);
            }
            // A read that began before the element was known says nothing, but one that was over earlier may.
            is_late || completed(look) < known
        })
    }

    fn numbers_where(&self, is_wanted: impl Fn(&Element<'_>) -> bool) -> Vec<u32> {
        (0..self.elements.len() as u32).filter(|number| is_wanted(&self.elements[*number as usize])).collect()
    }

    /// Goes through the reads in an order and tells `miss` of every element that a read did not see, until it says that the
    /// element is done with.
    fn close(
        &mut self,
        run: &mut Run<'a>,
        wanted: &[u32],
        looks: &[u32],
        mut miss: impl FnMut(&Run<'a>, &mut Element<'a>, u32) -> bool,
    ) -> Result<(), Halt> {
        let mut open: Vec<Vec<u32>> = run.filled(self.keys.len(), Vec::new())?;
        let mut is_open = run.filled(self.elements.len(), false)?;
        for number in wanted {
            run.push(&mut open[self.elements[*number as usize].object as usize], *number)?;
            is_open[*number as usize] = true;
        }
        let mut shown_by = run.filled(self.elements.len(), NONE)?;
        for look in looks {
            let Look { position, object, shows } = &self.looks[*look as usize];
            match *shows {
                Shows::Lacks(number) => {
                    run.step()?;
                    if is_open[number as usize] && miss(run, &mut self.elements[number as usize], *position) {
                        is_open[number as usize] = false;
                    }
                }
                Shows::All { from, to } => {
                    for number in &self.seen[from..to] {
                        shown_by[*number as usize] = *position;
                    }
                    for _ in 0..=(to - from) / 64 {
                        run.step()?;
                    }
                    let elements = &mut self.elements;
                    open[*object as usize].retain(|number| {
                        let place = *number as usize;
                        if is_open[place] && shown_by[place] != *position && miss(run, &mut elements[place], *position)
                        {
                            is_open[place] = false;
                        }
                        is_open[place]
                    });
                }
            }
        }
        Ok(())
    }
}

impl Element<'_> {
    fn is_known_by(&mut self, run: &Run<'_>, position: u32) {
        let over = completed(run.operation(position));
        if self.known == NONE || over < completed(run.operation(self.known)) {
            self.known = position;
        }
    }

    fn is_seen_by(&mut self, run: &Run<'_>, position: u32) {
        let over = completed(run.operation(position));
        if self.first_seen == NONE || over < completed(run.operation(self.first_seen)) {
            self.first_seen = position;
        }
        self.last_seen = position;
        self.seen_over = self.seen_over.max(over);
        self.is_known_by(run, position);
    }

    /// Whether it was missed by a read that began after all that saw it were over.
    pub(super) fn is_lost(&self, run: &Run<'_>) -> bool {
        self.missed != NONE && (self.last_seen == NONE || self.seen_over < run.operation(self.missed).invoke_index)
    }

    /// How long after it was known an operation began, in nanoseconds.
    pub(super) fn age_ns(&self, run: &Run<'_>, position: u32) -> u64 {
        let known = run.operation(self.known);
        let known = known.completed.unwrap_or(known.invoked);
        run.operation(position).invoked.0.saturating_sub(known.0)
    }
}
