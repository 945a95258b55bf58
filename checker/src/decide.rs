//! Deciding every object, as far as the budget goes.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::budget::Budget;
use crate::explain::Contradiction;
use crate::fast::FastPath;
use crate::local::{Where, near_contradiction};
use crate::model::Model;
use crate::operation::Entry;
use crate::options::{Algorithm, Options};
use crate::partition::Part;
use crate::prefix::Moment;
use crate::search::{self, Found, Stopped};
use crate::workers::Workers;

/// What is known about one object, and what it took.
pub(crate) struct Decision {
    pub(crate) answer: Answer,
    pub(crate) searched: bool,
    pub(crate) steps: u64,
    pub(crate) configurations: u64,
    pub(crate) peak_memory_bytes: usize,
    /// Why the fast path did not apply, if it was tried.
    pub(crate) no_rule: Option<&'static str>,
}

impl Decision {
    fn without_search(answer: Answer, peak_memory_bytes: usize) -> Self {
        Self { answer, searched: false, steps: 0, configurations: 0, peak_memory_bytes, no_rule: None }
    }

    pub(crate) fn is_decided(&self) -> bool {
        !matches!(self.answer, Answer::Open(_))
    }
}

pub(crate) enum Answer {
    /// Positions in the history, in a legal order.
    Valid(Vec<usize>),
    Invalid(Contradiction),
    Open(Open),
}

#[derive(Clone, Copy)]
pub(crate) enum Open {
    /// Nobody looked, because an earlier object is invalid or the time was over.
    NotLookedAt,
    NoFastPath(&'static str),
    /// The first suspect is the operation whose completion is not part of what was proven. Places.
    Stopped {
        why: Stopped,
        suspects: [u32; 2],
        completed: usize,
    },
}

pub(crate) struct Check<'c, 'a, M: Model> {
    pub(crate) model: &'c M,
    pub(crate) options: &'c Options,
    pub(crate) deadline: Option<Instant>,
    pub(crate) parts: &'c [Part<'a, M::Call, M::Return>],
    pub(crate) workers: &'c Workers,
}

/// Steps that every object gets, round by round: the hard ones can't take the time of the easy ones.
const STEPS_A_ROUND: [u64; 3] = [20_000, 1_000_000, u64::MAX];

/// What a fast path holds an operation, at most: of a million operations with unique values a register took 84 bytes each
/// and a queue 116.
const FAST_BYTES_PER_OPERATION: usize = 120;

/// A fast path can't be stopped. Where there is a deadline and more operations than this, it is first tried on a few of
/// them, to know how long it takes.
const TRIAL_MIN: usize = 200_000;
/// The part of the operations of the first trial: one in so many.
const TRIAL_PART: usize = 16;

impl<M: Model> Check<'_, '_, M> {
    /// Decides every object, as far as the budget goes, or until one is found invalid. Which one that is does not depend
    /// on the threads: it is the first of those that the round finds.
    pub(crate) fn decide_all(&self) -> Vec<Decision> {
        let mut decisions: Vec<Decision> =
            self.parts.iter().map(|_| Decision::without_search(Answer::Open(Open::NotLookedAt), 0)).collect();
        let memory_bytes = self.memory_budget() / self.workers.count().min(self.parts.len().max(1));
        for steps in STEPS_A_ROUND {
            let lowest_invalid = AtomicUsize::new(usize::MAX);
            self.workers.for_each(&mut decisions, |index, decision| {
                if index < lowest_invalid.load(Ordering::Relaxed) && !self.is_late() {
                    self.go_on(&self.parts[index], decision, steps, memory_bytes);
                    if let Answer::Invalid(_) = decision.answer {
                        lowest_invalid.fetch_min(index, Ordering::Relaxed);
                    }
                }
            });
            if lowest_invalid.into_inner() < usize::MAX {
                return decisions;
            }
        }
        if self.workers.count() > 1 {
            self.go_on_alone(&mut decisions);
        }
        decisions
    }

    /// Takes an object up again if it is open for want of steps.
    fn go_on(&self, part: &Part<'_, M::Call, M::Return>, decision: &mut Decision, steps: u64, memory_bytes: usize) {
        match decision.answer {
            Answer::Open(Open::NotLookedAt) => *decision = self.decide(part, steps, memory_bytes),
            Answer::Open(Open::Stopped { why: Stopped::StepsSpent | Stopped::TooConcurrent { .. }, .. }) => {
                self.search_on(part, decision, steps, memory_bytes);
            }
            Answer::Valid(_) | Answer::Invalid(_) | Answer::Open(Open::NoFastPath(_) | Open::Stopped { .. }) => {}
        }
    }

    /// Looks for a contradiction of few operations, then searches with more steps.
    fn search_on(&self, part: &Part<'_, M::Call, M::Return>, decision: &mut Decision, steps: u64, memory_bytes: usize) {
        let Answer::Open(Open::Stopped { suspects, .. }) = decision.answer else { return };
        let place = if steps == u64::MAX { Where::Everywhere } else { Where::BeforeSuspects(suspects) };
        let budget = Budget { deadline: self.deadline, memory_bytes, steps: decision.steps };
        let near = near_contradiction(self.model, &part.partition, place, &budget);
        let steps_before = decision.steps + near.steps;
        if let Some(places) = near.places {
            decision.answer = Answer::Invalid(Contradiction::Fragment(places));
        } else {
            *decision = Decision { no_rule: decision.no_rule, ..self.search(part, steps, memory_bytes) };
        }
        decision.steps += steps_before;
    }

    /// Takes up again the objects for which a thread's share of the memory was too little, one after the other.
    fn go_on_alone(&self, decisions: &mut [Decision]) {
        for (part, decision) in self.parts.iter().zip(decisions) {
            if let Answer::Open(Open::Stopped { why: Stopped::OutOfMemory, .. }) = decision.answer {
                *decision = self.decide(part, u64::MAX, self.memory_budget());
                if let Answer::Invalid(_) = decision.answer {
                    return;
                }
            }
        }
    }

    fn decide(&self, part: &Part<'_, M::Call, M::Return>, steps: u64, memory_bytes: usize) -> Decision {
        let mut no_rule = None;
        if self.options.algorithm != Algorithm::Search {
            let bytes = part.partition.len() * FAST_BYTES_PER_OPERATION;
            match self.by_rule(part, bytes <= memory_bytes) {
                Ok(answer) => return Decision::without_search(answer, bytes),
                Err(why) => no_rule = Some(why),
            }
        }
        Decision { no_rule, ..self.search(part, steps, memory_bytes) }
    }

    /// What the fast path answers; an error where it does not apply and a search is allowed.
    fn by_rule(&self, part: &Part<'_, M::Call, M::Return>, has_memory: bool) -> Result<Answer, &'static str> {
        if !has_memory {
            let (why, suspects) = (Stopped::OutOfMemory, [0; 2]);
            return Ok(Answer::Open(Open::Stopped { why, suspects, completed: 0 }));
        }
        if let Some(deadline) = self.deadline
            && part.partition.len() >= TRIAL_MIN
            && let Some(answer) = self.try_rule(part, deadline)
        {
            return Ok(answer);
        }
        match self.model.fast_path(&part.partition) {
            FastPath::Valid(order) => Ok(Answer::Valid(positions(part, &order))),
            FastPath::Invalid(clash) => Ok(Answer::Invalid(Contradiction::Clash(clash))),
            FastPath::NotApplicable(why) if self.options.algorithm == Algorithm::Fast => {
                Ok(Answer::Open(Open::NoFastPath(why)))
            }
            FastPath::NotApplicable(why) => Err(why),
        }
    }

    /// Tries the fast path on a short beginning of the history. If the whole would take longer than there is time, answers
    /// with the longest beginning that does not.
    fn try_rule(&self, part: &Part<'_, M::Call, M::Return>, deadline: Instant) -> Option<Answer> {
        let partition = &part.partition;
        let mut length = partition.len() / TRIAL_PART;
        let mut proven = None;
        while length < partition.len() {
            let started = Instant::now();
            let moment = Moment::before_invocation(partition, length as u32);
            let prefix = moment.prefix(partition);
            match self.model.fast_path(&prefix) {
                FastPath::NotApplicable(_) => return None,
                FastPath::Invalid(clash) => return Some(Answer::Invalid(Contradiction::Clash(clash))),
                FastPath::Valid(_) => proven = Some(moment),
            }
            // Longer histories take a little more an operation, because they fit no cache.
            let taken = started.elapsed() * 5 / 4;
            let left = deadline.saturating_duration_since(Instant::now());
            if taken.saturating_mul(TRIAL_PART as u32) <= left && length == partition.len() / TRIAL_PART {
                return None;
            }
            let fits = left.as_secs_f64() / taken.max(Duration::from_nanos(1)).as_secs_f64();
            if fits < 2.0 {
                break;
            }
            length = partition.len().min((length as f64 * fits.min(4.0)) as usize);
        }
        let moment = proven?;
        let stuck = moment.next_completion(partition)?;
        let (why, (completed, _)) = (Stopped::Late, moment.completed(partition));
        Some(Answer::Open(Open::Stopped { why, suspects: [stuck; 2], completed }))
    }

    fn search(&self, part: &Part<'_, M::Call, M::Return>, steps: u64, memory_bytes: usize) -> Decision {
        let budget = Budget { deadline: self.deadline, memory_bytes, steps };
        let outcome = search::search(self.model, &part.partition, &budget);
        let answer = match outcome.found {
            Found::Valid(order) => Answer::Valid(positions(part, &order)),
            Found::Invalid { suspects } => Answer::Invalid(Contradiction::Stuck(suspects)),
            Found::Stopped { why, suspects, completed } => Answer::Open(Open::Stopped { why, suspects, completed }),
        };
        Decision {
            answer,
            searched: true,
            steps: outcome.steps,
            configurations: outcome.configurations,
            peak_memory_bytes: outcome.peak_memory_bytes,
            no_rule: None,
        }
    }

    fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    fn memory_budget(&self) -> usize {
        let entries: usize = self.entry_bytes();
        self.options.memory_budget_bytes.map_or(usize::MAX, |bytes| bytes.saturating_sub(entries))
    }

    fn entry_bytes(&self) -> usize {
        self.parts.iter().map(|part| part.partition.len() * size_of::<Entry<'_, M::Call, M::Return>>()).sum()
    }

    pub(crate) fn peak_memory_bytes(&self, decisions: &[Decision]) -> usize {
        let largest = decisions.iter().map(|decision| decision.peak_memory_bytes).max().unwrap_or(0);
        self.entry_bytes() + largest * self.workers.count()
    }
}

fn positions<C, R>(part: &Part<'_, C, R>, places: &[u32]) -> Vec<usize> {
    places.iter().map(|place| part.position(*place)).collect()
}
