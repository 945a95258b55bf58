//! The walk through the configurations, depth first.

use super::compile::{ClassId, Compiled, Event, OpId};
use super::cursor::Cursor;
use super::mask::Mask;
use super::memo::{Configuration, Memo};
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
    /// There is none: this operation can't be placed when all that came back before it was.
    Invalid { stuck_at: u32 },
    /// The search was stopped. All that came back before this operation did has a legal order.
    Stopped { why: Stopped, stuck_at: u32, completed: usize },
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
                stuck_at: history.known[0].place,
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
    cursor: Cursor<W>,
    frames: Vec<Frame<W>>,
    choices: Vec<Choice>,
    path: Vec<u32>,
    /// Classes of unknown outcome, to try.
    unknown_classes: Vec<ClassId>,
    furthest: u32,
    pace: Pace,
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
            cursor: Cursor::new(history.open_max, classes),
            frames: Vec::new(),
            choices: Vec::new(),
            path: Vec::with_capacity(history.known.len()),
            unknown_classes: (0..classes as ClassId).filter(has_unknown).collect(),
            furthest: 0,
            pace: Pace::new(),
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
        if self.enter(start, true) {
            return self.valid();
        }
        while let Some(frame) = self.frames.last_mut() {
            self.steps += 1;
            let at = frame.at;
            let stage = frame.stage;
            frame.stage = if stage == Stage::Next { Stage::Expand } else { Stage::Choose };
            self.path.truncate(frame.path_len);
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
                && self.take(at, choice)
            {
                return self.valid();
            }
            self.tick();
            if let Some(why) = self.stop {
                let completed = self.completed_before(self.furthest);
                return Found::Stopped { why, stuck_at: self.place_of_completion(self.furthest), completed };
            }
        }
        Found::Invalid { stuck_at: self.place_of_completion(self.furthest) }
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
    fn take(&mut self, at: Configuration<W>, choice: Choice) -> bool {
        let mut new = at;
        match choice {
            Choice::Known { id, next } => {
                let operation = &self.history.known[id as usize];
                new.taken.insert(operation.slot);
                self.path.push(operation.place);
                new.state = next;
            }
            Choice::Unknown { class, next } => {
                let taken_before = self.unknowns.count(at.unknown, class);
                self.path.push(self.history.unknown[class as usize][taken_before]);
                new.unknown = self.unknowns.with(at.unknown, class);
                new.state = next;
            }
        }
        self.enter(new, new.state != at.state)
    }

    /// Passes all that can be passed, taking pure operations on the way, and goes on from there unless that was searched
    /// before. Whether that is the end of the history.
    fn enter(&mut self, mut at: Configuration<W>, is_new_state: bool) -> bool {
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
        if self.memo.insert(&at, &self.unknowns) {
            let (path_len, choices_start) = (self.path.len(), self.choices.len());
            self.frames.push(Frame { at, path_len, choices_start, stage: Stage::Next });
        }
        false
    }

    fn take_pure(&mut self, at: &mut Configuration<W>, id: OpId) {
        let operation = &self.history.known[id as usize];
        if self.step(at.state, operation.class).is_some() {
            at.taken_pure.insert(operation.slot);
            self.path.push(operation.place);
        }
    }

    fn step(&mut self, state: StateId, class: ClassId) -> Option<StateId> {
        self.tick();
        self.states.step(state, class, self.history.classes[class as usize])
    }

    /// The operation that the event completes. Configurations stand at completions only.
    fn completing(&self, event: u32) -> OpId {
        match self.history.events[event as usize] {
            Event::Complete(id) | Event::Invoke(id) => id,
            Event::InvokeUnknown(_) => 0,
        }
    }

    fn place_of_completion(&self, event: u32) -> u32 {
        self.history.known[self.completing(event) as usize].place
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
        } else if self.look_at_memory() > self.budget.memory_bytes {
            Some(Stopped::OutOfMemory)
        } else if self.budget.is_late() {
            Some(Stopped::Late)
        } else {
            None
        }
    }

    /// Bytes held, with those that the next growth needs.
    fn look_at_memory(&mut self) -> usize {
        let history = self.history.events.capacity() * size_of::<Event>()
            + self.history.known.capacity() * size_of::<super::compile::Known>()
            + self.history.classes.capacity() * (size_of::<(&M::Call, Option<&M::Return>)>() + size_of::<Vec<u32>>());
        let walk = self.frames.capacity() * size_of::<Frame<W>>()
            + self.choices.capacity() * size_of::<Choice>()
            + self.path.capacity() * size_of::<u32>();
        let bytes = history + walk + self.memo.bytes() + self.states.bytes() + self.unknowns.bytes();
        self.peak_memory_bytes = self.peak_memory_bytes.max(bytes);
        bytes
    }

    fn valid(&mut self) -> Found {
        Found::Valid(std::mem::take(&mut self.path))
    }
}
