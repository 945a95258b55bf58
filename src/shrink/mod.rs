//! From a failing simulated run to the smallest plan that fails in the same way.
//!
//! The recorded run becomes a script: every operation with its client and its time. Then whatever is not needed for the
//! failure is left out: keys, clients, faults, operations, final reads, nodes, disturbances of the network, time. A smaller
//! run is another run, since every message takes a latency of its own; where it does not fail with its seed any more, others
//! are tried. Runs take about a millisecond, so there is time for thousands.

mod calls;
mod calm;
mod ddmin;
mod leave_out;
mod record;
mod search;
mod times;

use std::fmt;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::plan::Plan;
use crate::swarm::{Finding, Found, look};
use search::Search;

/// A run that is not small yet gets more seeds so many times.
const PATIENCE: u32 = 3;
/// And so many times more each time.
const MORE_PATIENT: u64 = 5;

/// How to shrink.
pub(crate) struct ShrinkOptions<'a> {
    /// When to be content with what is there.
    pub(crate) budget: Duration,
    /// Threads that run.
    pub(crate) threads: usize,
    /// The user wants an end; the best so far is kept.
    pub(crate) stop: &'a AtomicBool,
}

/// What came of it.
pub(crate) struct Shrunk {
    /// The plan that fails in the same way.
    pub(crate) plan: Plan,
    /// What both runs show.
    pub(crate) finding: Finding,
    /// How large the run was.
    pub(crate) from: Size,
    /// How large it is now.
    pub(crate) to: Size,
    /// Runs that it took.
    pub(crate) runs: u64,
}

/// How large a run is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Size {
    /// Those who ask, the readers at the end included.
    pub(crate) clients: usize,
    /// What they ask, the reads at the end included.
    pub(crate) operations: usize,
    /// Faults of the schedule.
    pub(crate) faults: usize,
    /// Servers.
    pub(crate) nodes: u16,
    /// How long clients ask and faults come.
    pub(crate) time_ms: u64,
}

impl Size {
    /// Small enough for a person.
    fn is_small(self) -> bool {
        self.clients <= 3 && self.operations <= 8 && self.faults <= 3
    }

    /// The size of a scripted plan.
    fn of(plan: &Plan) -> Self {
        let (mut clients, mut operations) = (0, 0);
        if let Some(script) = &plan.script {
            let mut readers: Vec<u16> = script.final_reads.iter().map(|read| read.node).collect();
            readers.dedup();
            clients = script.clients.len() + readers.len();
            operations = script.operations.len() + script.final_reads.len();
        }
        let (faults, nodes, time_ms) = (plan.schedule.entries.len(), plan.nodes, plan.time_limit_ms);
        Self { clients, operations, faults, nodes, time_ms }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { clients, operations, faults, nodes, time_ms } = self;
        let count = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        let (clients, operations) = (count(*clients, "client"), count(*operations, "operation"));
        let (faults, nodes) = (count(*faults, "fault"), count((*nodes).into(), "node"));
        write!(f, "{clients}, {operations}, {faults}, {nodes}, {time_ms} ms")
    }
}

/// Shrinks the failure of a simulated plan. `progress` hears of each smaller plan.
///
/// # Errors
/// The plan does not fail, or the model of its workload can't check such a history.
pub(crate) fn shrink(plan: &Plan, options: &ShrinkOptions<'_>, mut progress: impl FnMut(Size, u64)) -> Result<Shrunk> {
    let deadline = Instant::now() + options.budget;
    let looked = look(plan)?;
    let finding = match &looked.found {
        Found::Violation(finding) => finding.clone(),
        Found::Nothing => bail!("the run is valid: there is nothing to shrink"),
        Found::Unknown(reason) => bail!("the check of the run gave no answer, so nothing tells what to keep: {reason}"),
    };
    let mut search = Search::new(plan, finding.clone(), options.stop, deadline, options.threads);
    let recorded = record::script_of(plan, &looked.simulated)?;
    let from = Size::of(&recorded);
    let Some(mut plan) = search.any_seed(&recorded) else {
        bail!("its operations one by one do not show the failure again, with {} seeds", search.runs());
    };
    let mut patience = PATIENCE;
    loop {
        let before = Size::of(&plan);
        for step in STEPS {
            step(&mut plan, &search);
            progress(Size::of(&plan), search.runs());
        }
        if search.is_over() {
            break;
        }
        if Size::of(&plan) == before {
            if before.is_small() || patience == 0 {
                break;
            }
            // What fails with one seed in a thousand is worth more tries.
            search.be_more_patient(MORE_PATIENT);
            patience -= 1;
        }
    }
    Ok(Shrunk { to: Size::of(&plan), plan, finding, from, runs: search.runs() })
}

/// Each leaves a plan that fails, and is hardly ever larger in anything.
const STEPS: [fn(&mut Plan, &Search<'_>); 20] = [
    leave_out::what_comes_after,
    calm::calm,
    calm::snapshots_soon,
    calm::small_messages,
    calm::more_often,
    times::scale,
    leave_out::keys,
    leave_out::final_reads,
    leave_out::clients,
    leave_out::faults,
    leave_out::operations,
    leave_out::steps,
    record::times_as_they_were,
    leave_out::all_but_two_operations,
    leave_out::readers,
    leave_out::joined_clients,
    record::times_as_they_were,
    leave_out::nodes,
    times::gaps,
    calm::no_snapshots,
];

#[cfg(test)]
mod tests {
    use rashomon_history::Call;
    use rashomon_workloads::Workload;

    use super::*;
    use crate::plan::System;
    use crate::script::{FinalRead, Script, ScriptedClient, ScriptedOperation};
    use crate::swarm::{Fixed, draw};

    /// Runs of a second.
    fn small_runs() -> Fixed {
        Fixed { nodes: Some(3), time_limit_ms: Some(1_000), ..Fixed::nothing_but(System::Raft, None) }
    }

    /// A read of a client at a millisecond.
    pub(super) fn call(client: u16, at_ms: u64) -> ScriptedOperation {
        ScriptedOperation { client, at_us: at_ms * 1000, call: Call::Read { key: "a".into() } }
    }

    /// Three nodes, clients with these homes, their reads, and final reads of these nodes.
    pub(super) fn plan(homes: &[u16], calls: &[(u16, u64)], readers: &[u16]) -> Plan {
        let fixed = Fixed { workload: Some(Workload::Register), nemesis: Some(Vec::new()), ..small_runs() };
        let script = Script {
            clients: homes.iter().map(|&home| ScriptedClient { home, patience_ms: 200 }).collect(),
            operations: calls.iter().map(|&(client, at_ms)| call(client, at_ms)).collect(),
            final_reads: readers.iter().map(|&node| FinalRead { node, call: Call::Read { key: "a".into() } }).collect(),
        };
        Plan { script: Some(script), ..draw(&fixed, 1).unwrap() }
    }

    #[test]
    fn the_size_counts_readers_and_final_reads() {
        let size = Size::of(&plan(&[1, 2], &[(0, 5)], &[1, 1, 3]));
        assert_eq!(size.to_string(), "4 clients, 4 operations, 0 faults, 3 nodes, 1000 ms");
    }

    #[test]
    fn a_recorded_run_asks_the_same_again_as_a_script() {
        let mut compared = 0;
        for seed in 1..4 {
            let drawn = draw(&small_runs(), seed).unwrap();
            let first = look(&drawn).unwrap().simulated;
            let script = record::script_of(&drawn, &first).unwrap();
            let second = look(&script).unwrap().simulated;
            let asked = |simulated: &crate::world::sim::Simulated| {
                let operations = simulated.recording.history().operations();
                let asked = operations.iter().filter(|operation| !operation.is_final);
                asked.map(|operation| (operation.invoked, operation.call.clone())).collect::<Vec<_>>()
            };
            assert_eq!(asked(&first), asked(&second), "seed {seed}");
            compared += asked(&first).len();
        }
        assert!(compared > 100, "only {compared} operations were compared");
    }
}
