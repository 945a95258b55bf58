//! From a history to a verdict.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};

use crate::budget::Budget;
use crate::explain::{self, Contradiction};
use crate::fast::FastPath;
use crate::local::{Where, near_contradiction};
use crate::model::Model;
use crate::narrator::Narrator;
use crate::operation::{CheckError, Entry, Operation};
use crate::options::{Algorithm, Options};
use crate::partition::{Part, partition};
use crate::report::{Linearization, Proven, ProvenPrefix, Report, Statistics, Used, Verdict, Why};
use crate::search::{self, Found, Stopped};

/// Checks histories against a model, inside a budget.
///
/// ```
/// use rashomon_checker::{Checker, Model, Operation};
///
/// /// A counter: `Some(n)` adds n, `None` reads.
/// struct Counter;
///
/// impl Model for Counter {
///     type Call = Option<i64>;
///     type Return = i64;
///     type State = i64;
///
///     fn init(&self) -> i64 {
///         0
///     }
///
///     fn step(&self, state: &i64, call: &Option<i64>, returned: Option<&i64>) -> Option<i64> {
///         let new = state + call.unwrap_or(0);
///         returned.is_none_or(|seen| *seen == new).then_some(new)
///     }
/// }
///
/// let history = [
///     Operation::new(0, Some(5), 5, 0, 10), // process 0 adds 5 from time 0 to 10, and is told 5
///     Operation::new(1, None, 0, 3, 4),     // process 1 reads 0 meanwhile
///     Operation::unknown(2, Some(1), 11),   // process 2 never hears of its 1
///     Operation::new(1, None, 6, 12, 13),   // but process 1 sees it
/// ];
/// let report = Checker::new(Counter).check(&history)?;
/// assert!(report.verdict.is_valid());
/// # Ok::<(), rashomon_checker::CheckError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Checker<M> {
    model: M,
    options: Options,
}

impl<M: Model> Checker<M> {
    /// A checker without limits, on one thread, that takes a fast path where there is one.
    pub fn new(model: M) -> Self {
        Self { model, options: Options::default() }
    }

    /// All options at once.
    #[must_use]
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Wall time until there must be an answer.
    #[must_use]
    pub fn time_budget(mut self, budget: Duration) -> Self {
        self.options.time_budget = Some(budget);
        self
    }

    /// Memory that the check may take, without the history itself.
    #[must_use]
    pub fn memory_budget(mut self, bytes: usize) -> Self {
        self.options.memory_budget_bytes = Some(bytes);
        self
    }

    /// Which algorithm to use.
    #[must_use]
    pub fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.options.algorithm = algorithm;
        self
    }

    /// Threads that check objects at the same time; at least one.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.options.threads = threads;
        self
    }

    /// Checks a history, in any order of its operations.
    ///
    /// # Errors
    ///
    /// If an operation ends before it begins, or there are too many of them.
    pub fn check(&self, history: &[Operation<M::Call, M::Return>]) -> Result<Report, CheckError> {
        let mut entries = Vec::with_capacity(history.len());
        for (position, operation) in history.iter().enumerate() {
            let entry = Entry::new(position, operation);
            if entry.completed < entry.invoked {
                let (invoked, completed) = (entry.invoked, entry.completed);
                return Err(CheckError::EndsBeforeItBegins { position, invoked, completed });
            }
            entries.push(entry);
        }
        check_entries(&self.model, entries, history.len(), &self.options, &Plain { history })
    }
}

/// Tells of operations what stands in them.
struct Plain<'a, C, R> {
    history: &'a [Operation<C, R>],
}

impl<C: Sync, R: Sync> Narrator for Plain<'_, C, R> {
    fn who(&self, position: usize) -> String {
        format!("process {}", self.history[position].process)
    }

    fn invoked(&self, position: usize) -> String {
        self.history[position].invoked.to_string()
    }

    fn completed(&self, position: usize) -> String {
        let operation = &self.history[position];
        if operation.returned.is_some() { operation.completed.to_string() } else { "never".into() }
    }
}

/// Checks operations wherever they come from. `operations` is how many the history had before any were left out.
pub(crate) fn check_entries<'a, M: Model>(
    model: &M,
    entries: Vec<Entry<'a, M::Call, M::Return>>,
    operations: usize,
    options: &Options,
    narrator: &'a dyn Narrator,
) -> Result<Report, CheckError> {
    let started = Instant::now();
    if entries.len() > (u32::MAX / 4) as usize {
        return Err(CheckError::TooLong { operations: entries.len() });
    }
    let parts = partition(model, entries, narrator);
    let check = Check { model, options, deadline: options.time_budget.map(|budget| started + budget), parts: &parts };
    let mut decisions = check.decide_all();
    let check_time = started.elapsed();
    let invalid = decisions.iter().position(|decision| matches!(decision.answer, Answer::Invalid(_)));
    let verdict = match invalid {
        Some(index) => {
            let part = &parts[index];
            let Answer::Invalid(found) = &decisions[index].answer else { unreachable!("found above") };
            let deadline = explain::deadline(started, check_time, options.time_budget);
            Verdict::Invalid(explain::witness(model, part, found, deadline))
        }
        None => check.verdict(&mut decisions),
    };
    let statistics = Statistics {
        operations,
        objects: parts.len(),
        steps: decisions.iter().map(|decision| decision.steps).sum(),
        configurations: decisions.iter().map(|decision| decision.configurations).sum(),
        peak_memory_bytes: check.peak_memory_bytes(&decisions),
        check_seconds: check_time.as_secs_f64(),
        explain_seconds: (started.elapsed() - check_time).as_secs_f64(),
    };
    Ok(Report { verdict, algorithm: used(&decisions, options.algorithm), statistics })
}

fn used(decisions: &[Decision], algorithm: Algorithm) -> Used {
    let any = |searched| decisions.iter().any(|decision| decision.is_decided() && decision.searched == searched);
    match (any(false), any(true), algorithm) {
        (true, true, _) => Used::FastAndSearch,
        (true, false, _) | (false, false, Algorithm::Auto | Algorithm::Fast) => Used::Fast,
        (false, true, _) | (false, false, Algorithm::Search) => Used::Search,
    }
}

/// What is known about one object, and what it took.
struct Decision {
    answer: Answer,
    searched: bool,
    steps: u64,
    configurations: u64,
    peak_memory_bytes: usize,
}

impl Decision {
    fn open(why: Open) -> Self {
        Self { answer: Answer::Open(why), searched: false, steps: 0, configurations: 0, peak_memory_bytes: 0 }
    }

    fn is_decided(&self) -> bool {
        !matches!(self.answer, Answer::Open(_))
    }
}

/// Numbers are places in the part.
enum Answer {
    Valid(Vec<u32>),
    Invalid(Contradiction),
    Open(Open),
}

#[derive(Clone, Copy)]
enum Open {
    /// Nobody looked, because an earlier object is invalid or the time was over.
    NotLookedAt,
    NoFastPath(&'static str),
    Stopped {
        why: Stopped,
        suspects: [u32; 2],
        completed: usize,
    },
}

struct Check<'c, 'a, M: Model> {
    model: &'c M,
    options: &'c Options,
    deadline: Option<Instant>,
    parts: &'c [Part<'a, M::Call, M::Return>],
}

/// Steps that every object gets, round by round: the hard ones can't take the time of the easy ones.
const STEPS_A_ROUND: [u64; 3] = [20_000, 1_000_000, u64::MAX];

impl<M: Model> Check<'_, '_, M> {
    /// Decides every object, as far as the budget goes, or until one is found invalid. Which one that is does not depend
    /// on the threads: it is the first of those that the round finds.
    fn decide_all(&self) -> Vec<Decision> {
        let threads = self.options.threads.max(1).min(self.parts.len().max(1));
        let pool = (threads > 1).then(|| rayon::ThreadPoolBuilder::new().num_threads(threads).build());
        let mut decisions: Vec<Decision> = self.parts.iter().map(|_| Decision::open(Open::NotLookedAt)).collect();
        for steps in STEPS_A_ROUND {
            let lowest_invalid = AtomicUsize::new(usize::MAX);
            let go_on = |(index, (part, decision)): (usize, (_, &mut Decision))| {
                if index < lowest_invalid.load(Ordering::Relaxed) && !self.is_late() {
                    self.go_on(part, decision, steps, self.memory_budget() / threads);
                    if let Answer::Invalid(_) = decision.answer {
                        lowest_invalid.fetch_min(index, Ordering::Relaxed);
                    }
                }
            };
            match &pool {
                Some(Ok(pool)) => {
                    pool.install(|| self.parts.par_iter().zip(&mut decisions).enumerate().for_each(go_on));
                }
                Some(Err(_)) | None => self.parts.iter().zip(&mut decisions).enumerate().for_each(go_on),
            }
            if lowest_invalid.into_inner() < usize::MAX {
                return decisions;
            }
        }
        if threads > 1 {
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
            *decision = self.search(part, steps, memory_bytes);
        }
        decision.steps += steps_before;
    }

    /// Takes up again the objects for which a thread's share of the memory was too little, one after the other.
    fn go_on_alone(&self, decisions: &mut [Decision]) {
        for (part, decision) in self.parts.iter().zip(decisions) {
            if let Answer::Open(Open::Stopped { why: Stopped::OutOfMemory, .. }) = decision.answer {
                *decision = self.search(part, u64::MAX, self.memory_budget());
                if let Answer::Invalid(_) = decision.answer {
                    return;
                }
            }
        }
    }

    fn decide(&self, part: &Part<'_, M::Call, M::Return>, steps: u64, memory_bytes: usize) -> Decision {
        if self.options.algorithm != Algorithm::Search {
            let answer = match self.model.fast_path(&part.partition) {
                FastPath::Valid(order) => Some(Answer::Valid(order)),
                FastPath::Invalid(clash) => Some(Answer::Invalid(Contradiction::Clash(clash))),
                FastPath::NotApplicable(why) => {
                    (self.options.algorithm == Algorithm::Fast).then_some(Answer::Open(Open::NoFastPath(why)))
                }
            };
            if let Some(answer) = answer {
                let peak_memory_bytes = part.partition.len() * FAST_BYTES_PER_OPERATION;
                return Decision { answer, searched: false, steps: 0, configurations: 0, peak_memory_bytes };
            }
        }
        self.search(part, steps, memory_bytes)
    }

    fn search(&self, part: &Part<'_, M::Call, M::Return>, steps: u64, memory_bytes: usize) -> Decision {
        let outcome =
            search::search(self.model, &part.partition, &Budget { deadline: self.deadline, memory_bytes, steps });
        let answer = match outcome.found {
            Found::Valid(order) => Answer::Valid(order),
            Found::Invalid { suspects } => Answer::Invalid(Contradiction::Stuck(suspects)),
            Found::Stopped { why, suspects, completed } => Answer::Open(Open::Stopped { why, suspects, completed }),
        };
        Decision {
            answer,
            searched: true,
            steps: outcome.steps,
            configurations: outcome.configurations,
            peak_memory_bytes: outcome.peak_memory_bytes,
        }
    }

    /// The verdict, where no object is invalid.
    fn verdict(&self, decisions: &mut [Decision]) -> Verdict {
        let open = decisions.iter().zip(self.parts).find_map(|(decision, part)| match decision.answer {
            Answer::Open(open) => Some((open, part)),
            Answer::Valid(_) | Answer::Invalid(_) => None,
        });
        let Some((first_open, part)) = open else {
            let mut order = Vec::with_capacity(self.parts.len());
            for (part, decision) in self.parts.iter().zip(decisions) {
                let Answer::Valid(places) = &mut decision.answer else { continue };
                let positions = std::mem::take(places).into_iter().map(|place| part.position(place)).collect();
                order.push(Linearization { object: part.object.to_string(), order: positions });
            }
            return Verdict::Valid { order };
        };
        let is_valid = |(decision, _): &(&Decision, _)| matches!(decision.answer, Answer::Valid(_));
        let valid = || decisions.iter().zip(self.parts).filter(is_valid);
        let mut proven = Proven {
            objects_valid: valid().count(),
            objects: self.parts.len(),
            operations_valid: valid().map(|(_, part)| part.partition.len()).sum(),
            prefix: None,
        };
        let why = match first_open {
            Open::NotLookedAt => Why::TimeBudget,
            Open::NoFastPath(reason) => Why::NoFastPath { reason },
            Open::Stopped { why, suspects: [stuck_at, _], completed } => {
                let until = part.position(stuck_at);
                proven.prefix = Some(ProvenPrefix { object: part.object.to_string(), operations: completed, until });
                match why {
                    Stopped::Late | Stopped::StepsSpent => Why::TimeBudget,
                    Stopped::OutOfMemory => Why::MemoryBudget,
                    Stopped::TooConcurrent { open } => Why::TooConcurrent { open },
                }
            }
        };
        Verdict::Unknown { why, proven }
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

    fn peak_memory_bytes(&self, decisions: &[Decision]) -> usize {
        let largest = decisions.iter().map(|decision| decision.peak_memory_bytes).max().unwrap_or(0);
        self.entry_bytes() + largest * self.options.threads.max(1)
    }
}

/// What a fast path holds an operation, roughly.
const FAST_BYTES_PER_OPERATION: usize = 120;
