//! The walk through the configurations, depth first.

use std::ops::Range;

use super::compile::{Class, ClassId, Compiled, Event, OpId};
use super::cursor::Cursor;
use super::mask::Mask;
use super::memo::{Configuration, Memo};
use super::prospects::Prospects;
use super::states::{StateId, States};
use super::unknowns::TakenSets;
use crate::budget::{Budget, Pace};
use crate::model::Model;
use crate::operation::Partition;

/// What a search came to, and what it took.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Outcome {
    pub(crate) found: Found,
    pub(crate) steps: u64,
    pub(crate) configurations: u64,
    pub(crate) peak_memory_bytes: usize,
}

/// Numbers are places in the partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Found {
    /// A legal order.
    Valid(Vec<u32>),
    /// There is none. The search came no further than to the completion of the one operation, or left behind what the
    /// other one needed.
    Invalid { suspects: [u32; 2] },
    /// The search was stopped. All that came back before this operation did has a legal order.
    /// The first suspect is that operation.
    Stopped { why: Stopped, suspects: [u32; 2], completed: usize },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stopped {
    Late,
    OutOfMemory,
    StepsSpent,
    TooConcurrent { open: usize },
}

/// Searches a legal order of the operations on one object.
pub(crate) fn search<M: Model>(model: &M, partition: &Partition<'_, M::Call, M::Return>, budget: &Budget) -> Outcome {
    let history = Compiled::new(model, partition);
    match history.open_max {
        0..=64 => Walk::<M, 1>::new(model, &history, budget).run(),
        65..=256 => Walk::<M, 4>::new(model, &history, budget).run(),
        257..=1024 => Walk::<M, 16>::new(model, &history, budget).run(),
        open => Outcome {
            found: Found::Stopped {
                why: Stopped::TooConcurrent { open },
                suspects: [history.known[0].place; 2],
                completed: 0,
            },
            steps: 0,
            configurations: 0,
            peak_memory_bytes: 0,
        },
    }
}

/// One configuration on the way from the beginning to where the walk is.
struct Frame<const W: usize> {
    at: Configuration<W>,
    /// Where its ripe operations are.
    ripe: Range<usize>,
    /// Operations taken before.
    path_len: usize,
    /// Where its choices begin.
    choices_start: usize,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Take the operation whose completion comes next, if that is legal.
    Next,
    /// Find out what else can be taken.
    Expand,
    /// Take that, one after the other.
    Choose,
}

/// What becomes of an operation that was not taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Prospect {
    /// It is not legal and never will be.
    None,
    /// It is legal, and nothing would make it legal again.
    Ripe,
    /// Something may make it legal, or that is not known.
    Open,
}

/// A step that can be taken.
#[derive(Clone, Copy)]
enum Choice {
    Known { id: OpId, next: StateId },
    Unknown { class: ClassId, next: StateId },
}

struct Walk<'a, 'c, M: Model, const W: usize> {
    history: &'a Compiled<'c, M::Call, M::Return>,
    budget: &'a Budget,
    states: States<'a, M>,
    unknowns: TakenSets,
    memo: Memo<W>,
    prospects: Prospects,
    cursor: Cursor<W>,
    frames: Vec<Frame<W>>,
    choices: Vec<Choice>,
    path: Vec<u32>,
    ripe: Vec<OpId>,
    /// Classes of unknown outcome, to try.
    unknown_classes: Vec<ClassId>,
    furthest: u32,
    /// The operation without prospects furthest in the history, and the event where that was seen.
    suspect: (u32, OpId),
    pace: Pace,
    model_pace: Pace,
    stop: Option<Stopped>,
    steps: u64,
    peak_memory_bytes: usize,
}

impl<'a, 'c, M: Model, const W: usize> Walk<'a, 'c, M, W> {
    fn new(model: &'a M, history: &'a Compiled<'c, M::Call, M::Return>, budget: &'a Budget) -> Self {
        let classes = history.classes.len();
        let has_unknown = |class: &ClassId| !history.unknown[*class as usize].is_empty();
        Self {
            history,
            budget,
            states: States::new(model, classes),
            unknowns: TakenSets::new(),
            memo: Memo::new(),
            prospects: Prospects::new(model, history),
            cursor: Cursor::new(history.open_max, classes),
            frames: Vec::new(),
            choices: Vec::new(),
            path: Vec::with_capacity(history.known.len()),
            ripe: Vec::new(),
            suspect: (0, 0),
            unknown_classes: (0..classes as ClassId).filter(has_unknown).collect(),
            furthest: 0,
            pace: Pace::new(),
            model_pace: Pace::new(),
            stop: None,
            steps: 0,
            peak_memory_bytes: 0,
        }
    }

    fn run(mut self) -> Outcome {
        let found = self.walk();
        self.look_at_memory();
        Outcome {
            found,
            steps: self.steps,
            configurations: self.memo.configurations,
            peak_memory_bytes: self.peak_memory_bytes,
        }
    }

    fn walk(&mut self) -> Found {
        let start = Configuration {
            event: 0,
            state: States::<M>::INITIAL,
            unknown: TakenSets::EMPTY,
            taken: Mask::EMPTY,
            taken_pure: Mask::EMPTY,
        };
        if self.enter(start, true, None, 0..0) {
            return self.valid();
        }
        loop {
            if let Some(why) = self.stop {
                let completed = self.completed_before(self.furthest);
                return Found::Stopped { why, suspects: self.suspects(), completed };
            }
            let Some(frame) = self.frames.last_mut() else { break };
            self.steps += 1;
            let (at, ripe) = (frame.at, frame.ripe.clone());
            let stage = frame.stage;
            frame.stage = if stage == Stage::Next { Stage::Expand } else { Stage::Choose };
            self.path.truncate(frame.path_len);
            self.ripe.truncate(frame.ripe.end);
            self.cursor.back_to(at.event, self.history);
            let choice = match stage {
                Stage::Next => self.next_completing(&at),
                Stage::Expand => {
                    self.expand(&at);
                    None
                }
                Stage::Choose => {
                    if self.choices.len() > frame.choices_start {
                        self.choices.pop()
                    } else {
                        self.frames.pop();
                        None
                    }
                }
            };
            if let Some(choice) = choice
                && self.take(at, ripe, choice)
            {
                return self.valid();
            }
            self.tick();
        }
        Found::Invalid { suspects: self.suspects() }
    }

    fn suspects(&self) -> [u32; 2] {
        [self.completing(self.furthest), self.suspect.1].map(|id| self.history.known[id as usize].place)
    }

    /// The operation whose completion comes next, if it can be taken now.
    fn next_completing(&mut self, at: &Configuration<W>) -> Option<Choice> {
        let id = self.completing(at.event);
        let operation = &self.history.known[id as usize];
        if operation.is_pure {
            return None;
        }
        self.step(at.state, operation.class).map(|next| Choice::Known { id, next })
    }

    /// Puts all else that can be taken on the stack of choices, the best last: what makes the operation legal whose
    /// completion comes next, then what completes first, then operations of unknown outcome.
    fn expand(&mut self, at: &Configuration<W>) {
        let wanted = self.history.known[self.completing(at.event) as usize].class;
        let start = self.choices.len();
        for index in 0..self.unknown_classes.len() {
            if self.stop.is_some() {
                return;
            }
            let class = self.unknown_classes[index];
            let invoked = self.cursor.invoked_unknown(class) as usize;
            if invoked > 0
                && invoked > self.unknowns.count(at.unknown, class)
                && let Some(next) = self.step(at.state, class)
                && next != at.state
            {
                self.choices.push(Choice::Unknown { class, next });
            }
        }
        let known = self.choices.len();
        for slot in self.cursor.open.without(&at.taken).slots() {
            let id = self.cursor.operation(slot);
            let operation = &self.history.known[id as usize];
            if self.completing(at.event) != id
                && let Some(next) = self.step(at.state, operation.class)
            {
                self.choices.push(Choice::Known { id, next });
            }
        }
        self.choices[known..].sort_unstable_by_key(|choice| match choice {
            Choice::Known { id, .. } => std::cmp::Reverse(*id),
            Choice::Unknown { .. } => std::cmp::Reverse(0),
        });
        let mut enabling = Vec::new();
        let mut place = start;
        for index in start..self.choices.len() {
            let choice = self.choices[index];
            let (Choice::Known { next, .. } | Choice::Unknown { next, .. }) = choice;
            if self.step(next, wanted).is_some() {
                enabling.push(choice);
            } else {
                self.choices[place] = choice;
                place += 1;
            }
        }
        self.choices.truncate(place);
        self.choices.append(&mut enabling);
    }

    /// Takes the step. Whether that is the end of the history.
    fn take(&mut self, at: Configuration<W>, ripe: Range<usize>, choice: Choice) -> bool {
        let mut new = at;
        let last = match choice {
            Choice::Known { id, next } => {
                let operation = &self.history.known[id as usize];
                new.taken.insert(operation.slot);
                self.path.push(operation.place);
                new.state = next;
                Some(id)
            }
            Choice::Unknown { class, next } => {
                let taken_before = self.unknowns.count(at.unknown, class);
                self.path.push(self.history.unknown[class as usize][taken_before]);
                new.unknown = self.unknowns.with(at.unknown, class);
                new.state = next;
                None
            }
        };
        self.enter(new, new.state != at.state, last, ripe)
    }

    /// Passes all that can be passed, taking pure operations on the way, and goes on from there unless that was searched
    /// before. Whether that is the end of the history.
    ///
    /// `last` is the operation that was taken, if it came back, and `ripe_before` the ripe operations before.
    fn enter(
        &mut self,
        mut at: Configuration<W>,
        is_new_state: bool,
        last: Option<OpId>,
        ripe_before: Range<usize>,
    ) -> bool {
        if is_new_state {
            for slot in self.cursor.open_pure.without(&at.taken_pure).slots() {
                self.take_pure(&mut at, self.cursor.operation(slot));
            }
        }
        loop {
            let Some(event) = self.history.events.get(at.event as usize) else { return true };
            match *event {
                Event::Invoke(id) => {
                    if self.history.known[id as usize].is_pure {
                        self.take_pure(&mut at, id);
                    }
                }
                Event::Complete(id) => {
                    let operation = &self.history.known[id as usize];
                    let taken = if operation.is_pure { &mut at.taken_pure } else { &mut at.taken };
                    if !taken.has(operation.slot) {
                        break;
                    }
                    taken.remove(operation.slot);
                }
                Event::InvokeUnknown(_) => {}
            }
            self.cursor.forward(self.history);
            at.event = self.cursor.event();
        }
        self.furthest = self.furthest.max(at.event);
        let ripe_start = self.ripe.len();
        if self.has_prospects(&at, last, ripe_before) && self.memo.insert(&at, &self.unknowns) {
            let (path_len, choices_start, ripe) = (self.path.len(), self.choices.len(), ripe_start..self.ripe.len());
            self.frames.push(Frame { at, ripe, path_len, choices_start, stage: Stage::Next });
        }
        false
    }

    /// Whether every operation can still become legal, as far as that is easy to know.
    ///
    /// An operation to come whose helpers are all past is *ripe*: it is legal now, and must stay so until it is taken. The
    /// ripe operations of the configuration before, and those that became ripe by `last`, are put on their stack.
    fn has_prospects(&mut self, at: &Configuration<W>, last: Option<OpId>, ripe_before: Range<usize>) -> bool {
        for slot in self.cursor.open_pure.without(&at.taken_pure).slots() {
            if self.prospect(at, self.cursor.operation(slot)) == Prospect::None {
                return false;
            }
        }
        for slot in self.cursor.open.without(&at.taken).slots() {
            if self.prospect(at, self.cursor.operation(slot)) == Prospect::None {
                return false;
            }
        }
        for index in ripe_before {
            if !self.keep_ripe(at, self.ripe[index]) {
                return false;
            }
        }
        let Some(last) = last else { return true };
        // Operations are numbered by completion: those before the next one to complete were all taken.
        let next = self.completing(at.event);
        let first = self.prospects.observers(last).partition_point(|observer| *observer < next);
        for index in first..self.prospects.observers(last).len() {
            if !self.keep_ripe(at, self.prospects.observers(last)[index]) {
                return false;
            }
        }
        true
    }

    /// Puts the operation on the stack of ripe ones if it is to come and ripe. Whether it has prospects.
    fn keep_ripe(&mut self, at: &Configuration<W>, id: OpId) -> bool {
        if self.prospects.invoked_at[id as usize] < at.event {
            return true;
        }
        match self.prospect(at, id) {
            Prospect::None => return false,
            Prospect::Ripe => self.ripe.push(id),
            Prospect::Open => {}
        }
        true
    }

    fn prospect(&mut self, at: &Configuration<W>, id: OpId) -> Prospect {
        let class = self.history.known[id as usize].class;
        if !self.prospects.is_tracked(class) {
            return Prospect::Open;
        }
        let next = self.completing(at.event);
        let is_left = |helper: &OpId| {
            let invoked_at = self.prospects.invoked_at[*helper as usize];
            let is_to_come = invoked_at >= at.event && invoked_at < self.prospects.completed_at[id as usize];
            let is_open =
                || *helper >= next && invoked_at < at.event && !at.taken.has(self.history.known[*helper as usize].slot);
            *helper != id && (is_to_come || is_open())
        };
        let is_unknown_left =
            |helper: &ClassId| self.history.unknown[*helper as usize].len() > self.unknowns.count(at.unknown, *helper);
        if self.prospects.helpers(class).iter().any(is_left)
            || self.prospects.unknown_helpers(class).iter().any(is_unknown_left)
        {
            Prospect::Open
        } else if self.step(at.state, class).is_some() {
            Prospect::Ripe
        } else {
            if at.event >= self.suspect.0 {
                self.suspect = (at.event, id);
            }
            Prospect::None
        }
    }

    fn take_pure(&mut self, at: &mut Configuration<W>, id: OpId) {
        let operation = &self.history.known[id as usize];
        if self.step(at.state, operation.class).is_some() {
            at.taken_pure.insert(operation.slot);
            self.path.push(operation.place);
        }
    }

    fn step(&mut self, state: StateId, class: ClassId) -> Option<StateId> {
        if self.stop.is_some() {
            return None;
        }
        let model_steps = self.states.model_steps;
        let next = self.states.step(state, class, &self.history.classes[class as usize]);
        // A step of the model may take any time; one that is remembered takes none.
        let is_due = if self.states.model_steps == model_steps { self.pace.tick() } else { self.model_pace.tick() };
        if is_due && self.stop.is_none() {
            self.stop = self.must_stop();
        }
        next
    }

    /// The operation that the event completes. Configurations stand at completions only.
    fn completing(&self, event: u32) -> OpId {
        match self.history.events[event as usize] {
            Event::Complete(id) | Event::Invoke(id) => id,
            Event::InvokeUnknown(_) => 0,
        }
    }

    fn completed_before(&self, event: u32) -> usize {
        self.history.events[..event as usize].iter().filter(|event| matches!(event, Event::Complete(_))).count()
    }

    fn tick(&mut self) {
        if self.pace.tick() && self.stop.is_none() {
            self.stop = self.must_stop();
        }
    }

    fn must_stop(&mut self) -> Option<Stopped> {
        if self.steps >= self.budget.steps {
            Some(Stopped::StepsSpent)
        } else if self.look_at_memory() + self.memo.growth_bytes() > self.budget.memory_bytes {
            Some(Stopped::OutOfMemory)
        } else if self.budget.is_late() {
            Some(Stopped::Late)
        } else {
            None
        }
    }

    /// Bytes held.
    fn look_at_memory(&mut self) -> usize {
        let history = self.history.events.capacity() * size_of::<Event>()
            + self.history.known.capacity() * size_of::<super::compile::Known>()
            + self.history.classes.capacity() * (size_of::<Class<'_, M::Call, M::Return>>() + size_of::<Vec<u32>>());
        let walk = self.frames.capacity() * size_of::<Frame<W>>()
            + self.choices.capacity() * size_of::<Choice>()
            + (self.path.capacity() + self.ripe.capacity()) * size_of::<u32>();
        let bytes =
            history + walk + self.memo.bytes() + self.prospects.bytes() + self.states.bytes() + self.unknowns.bytes();
        self.peak_memory_bytes = self.peak_memory_bytes.max(bytes);
        bytes
    }

    fn valid(&mut self) -> Found {
        Found::Valid(std::mem::take(&mut self.path))
    }
}
