//! Looks for a plan that still fails in the same way.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use crate::plan::Plan;
use crate::swarm::{Finding, Found, look};

/// Effort, in about milliseconds of one core, that one search may take at first before it gives up on further seeds.
const EFFORT: u64 = 2_500;
/// More seeds than this are not tried for a candidate at first.
const MOST_SEEDS: u64 = 48;

/// What is looked for, and how long.
pub(crate) struct Search<'a> {
    target: Finding,
    /// Whether the planted bug is to blame, and must stay so.
    needs_bug: bool,
    stop: &'a AtomicBool,
    deadline: Instant,
    threads: usize,
    /// How many times the usual effort is made.
    patience: u64,
    runs: AtomicU64,
}

impl<'a> Search<'a> {
    /// Looks for runs that fail like `target`, which `plan` does, until `deadline` or until `stop` is set.
    pub(crate) fn new(plan: &Plan, target: Finding, stop: &'a AtomicBool, deadline: Instant, threads: usize) -> Self {
        let mut search =
            Self { target, needs_bug: false, stop, deadline, threads, patience: 1, runs: AtomicU64::new(0) };
        search.needs_bug = plan.bug.is_some() && !search.fails_alike(&Plan { bug: None, ..plan.clone() });
        search
    }

    /// Tries so many times more seeds from now on.
    pub(crate) fn be_more_patient(&mut self, times: u64) {
        self.patience *= times;
    }

    /// Runs so far.
    pub(crate) fn runs(&self) -> u64 {
        self.runs.load(Ordering::Relaxed)
    }

    /// Whether time is up, or the user wants an end.
    pub(crate) fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || Instant::now() >= self.deadline
    }

    /// Whether the plan, just as it is, fails in the same way, and for the same reason: a plan that asks too much, such as to
    /// live with a disk that forgets and no other, fails without the bug as well.
    fn fails(&self, plan: &Plan) -> bool {
        self.fails_alike(plan) && !(self.needs_bug && self.fails_alike(&Plan { bug: None, ..plan.clone() }))
    }

    fn fails_alike(&self, plan: &Plan) -> bool {
        self.runs.fetch_add(1, Ordering::Relaxed);
        match look(plan) {
            Ok(looked) => match looked.found {
                Found::Violation(finding) => finding.is_like(&self.target),
                Found::Nothing | Found::Unknown(_) => false,
            },
            Err(_) => false,
        }
    }

    /// The plan itself or, where it does not fail any more, the same with another seed.
    pub(crate) fn any_seed(&self, plan: &Plan) -> Option<Plan> {
        self.first(1, &|_| plan.clone()).map(|(_, plan)| plan)
    }

    /// The first candidate that fails: each as it is, then each with a second seed, and so on. What comes first does not
    /// depend on the number of threads; only whether the time suffices does.
    pub(crate) fn first(&self, count: usize, candidate: &(dyn Fn(usize) -> Plan + Sync)) -> Option<(usize, Plan)> {
        if count == 0 {
            return None;
        }
        let attempts = count * usize::try_from(self.seeds(count, &candidate(0))).unwrap_or(1);
        let attempt = |number: usize| {
            let mut plan = candidate(number % count);
            let round = (number / count) as u64;
            if round > 0 {
                // Small numbers, for people; all candidates of a round share one.
                plan.seed = if round == plan.seed { 0 } else { round };
            }
            plan
        };
        let next = AtomicUsize::new(0);
        let best = AtomicUsize::new(usize::MAX);
        let work = || loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= attempts || number > best.load(Ordering::Relaxed) || self.is_over() {
                return;
            }
            if self.fails(&attempt(number)) {
                best.fetch_min(number, Ordering::Relaxed);
            }
        };
        std::thread::scope(|scope| (0..self.threads).for_each(|_| drop(scope.spawn(work))));
        let best = best.into_inner();
        (best < attempts).then(|| (best % count, attempt(best)))
    }

    /// How many seeds to try where there are so many candidates like this one.
    fn seeds(&self, count: usize, plan: &Plan) -> u64 {
        let operations = plan.script.as_ref().map_or(0, |script| script.operations.len() + script.final_reads.len());
        // About what a run was seen to take, in tens of microseconds.
        let effort = 100 + operations as u64 + plan.time_limit_ms / 20;
        (self.patience * 100 * EFFORT / (effort * count as u64)).clamp(1, self.patience * MOST_SEEDS)
    }
}
