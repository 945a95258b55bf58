//! The walk through the configurations, depth first.

use std::ops::Range;

use super::choices::Choice;
use super::compile::{ClassId, Compiled, Event, OpId};
use super::cursor::Cursor;
use super::mask::Mask;
use super::memo::{Configuration, Memo};
use super::outcome::{Found, Outcome, Stopped};
use super::prospects::Prospects;
use super::states::States;
use super::unknowns::TakenSets;
use crate::budget::{Budget, Pace};
use crate::model::Model;

/// One configuration on the way from the beginning to where the walk is.
pub(super) struct Frame<const W: usize> {
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

pub(super) struct Walk<'a, 'c, M: Model, const W: usize> {
    pub(super) history: &'a Compiled<'c, M::Call, M::Return>,
    pub(super) budget: &'a Budget,
    pub(super) states: States<'a, M>,
    pub(super) unknowns: TakenSets,
    pub(super) memo: Memo<W>,
    pub(super) prospects: Prospects,
    pub(super) cursor: Cursor<W>,
    pub(super) frames: Vec<Frame<W>>,
    pub(super) choices: Vec<Choice>,
    pub(super) path: Vec<u32>,
    pub(super) ripe: Vec<OpId>,
    /// Classes of unknown outcome, to try.
    pub(super) unknown_classes: Vec<ClassId>,
    pub(super) furthest: u32,
    /// The operation without prospects furthest in the history, and the event where that was seen.
    pub(super) suspect: (u32, OpId),
    pub(super) pace: Pace,
    pub(super) model_pace: Pace,
    pub(super) stop: Option<Stopped>,
    pub(super) steps: u64,
    pub(super) peak_memory_bytes: usize,
}

impl<'a, 'c, M: Model, const W: usize> Walk<'a, 'c, M, W> {
    pub(super) fn new(
        model: &'a M,
        history: &'a Compiled<'c, M::Call, M::Return>,
        prospects: Prospects,
        budget: &'a Budget,
    ) -> Self {
        let classes = history.classes.len();
        let has_unknown = |class: &ClassId| !history.unknown[*class as usize].is_empty();
        Self {
            history,
            budget,
            states: States::new(model, classes),
            unknowns: TakenSets::new(),
            memo: Memo::new(),
            prospects,
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

    pub(super) fn run(mut self) -> Outcome {
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

    fn take_pure(&mut self, at: &mut Configuration<W>, id: OpId) {
        let operation = &self.history.known[id as usize];
        if self.step(at.state, operation.class).is_some() {
            at.taken_pure.insert(operation.slot);
            self.path.push(operation.place);
        }
    }

    /// The operation that the event completes. Configurations stand at completions only.
    pub(super) fn completing(&self, event: u32) -> OpId {
        match self.history.events[event as usize] {
            Event::Complete(id) | Event::Invoke(id) => id,
            Event::InvokeUnknown(_) => 0,
        }
    }

    fn completed_before(&self, event: u32) -> usize {
        self.history.events[..event as usize].iter().filter(|event| matches!(event, Event::Complete(_))).count()
    }

    fn valid(&mut self) -> Found {
        Found::Valid(std::mem::take(&mut self.path))
    }
}
