//! What a run must have done for its `valid` to mean something.

use rashomon_history::{Operation, Outcome, TimeNs};
use rashomon_report::statistics::FaultInterval;
use rashomon_report::{Guard, Statistics};

use crate::plan::{Plan, World};

/// Of the calls that the rate asks for, this many of a hundred must be acknowledged: a cluster that is down for most of
/// the run shows nothing.
const LEAST_ACKNOWLEDGED_PERCENT: u64 = 5;
/// And at least so many, whatever the rate.
const LEAST_ACKNOWLEDGED: u64 = 50;
/// Operations that were acknowledged while a fault was biting: fewer say nothing about what the fault does.
const LEAST_DURING_FAULTS: usize = 10;

/// What the runner saw beside the history.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lifecycle {
    /// Whether the run was stopped before its time.
    pub(crate) is_interrupted: bool,
    /// How long the cluster took to answer again after all faults were healed; `None` where it did not.
    pub(crate) settled_after_ms: Option<u64>,
    /// Final reads that were answered, and how many there were to make.
    pub(crate) final_reads: (u64, u64),
    /// Whether broken disks took so many servers that no majority was left, so that nothing could be read at the end.
    pub(crate) majority_lost: bool,
    /// Servers that ended by themselves, each with what is known of it.
    pub(crate) deaths: Vec<String>,
}

/// All guards of a run, in the order in which a person would ask.
pub(crate) fn guards(
    plan: &Plan,
    statistics: &Statistics,
    operations: &[Operation],
    faults: &[FaultInterval],
    lifecycle: &Lifecycle,
) -> Vec<Guard> {
    if plan.world == World::Sim {
        // What a single small run must show is asked of the whole swarm; that the cluster comes back, of its checks.
        return Vec::new();
    }
    let mut guards = vec![not_interrupted(lifecycle), enough_acknowledged(plan, statistics)];
    for kind in &plan.nemesis {
        guards.push(kind_bit(&kind.to_string(), statistics));
    }
    if !plan.nemesis.is_empty() {
        guards.push(asked_during_faults(plan, operations, faults));
    }
    guards.push(no_deaths(lifecycle));
    guards.push(settled(lifecycle));
    guards.push(final_reads_answered(lifecycle));
    guards
}

fn guard(name: &str, held: bool, detail: impl Into<String>) -> Guard {
    Guard { name: name.into(), held, detail: detail.into() }
}

fn not_interrupted(lifecycle: &Lifecycle) -> Guard {
    let detail = if lifecycle.is_interrupted { "it was stopped early" } else { "it ran for its whole time" };
    guard("the run was not interrupted", !lifecycle.is_interrupted, detail)
}

fn enough_acknowledged(plan: &Plan, statistics: &Statistics) -> Guard {
    let asked = u64::from(plan.rate) * plan.time_limit_ms / 1000;
    let least = (asked * LEAST_ACKNOWLEDGED_PERCENT / 100).max(LEAST_ACKNOWLEDGED);
    let acknowledged = statistics.operations.ok - statistics.final_reads.min(statistics.operations.ok);
    guard(
        "enough was acknowledged",
        acknowledged >= least,
        format!("{acknowledged} operations, at least {least} wanted"),
    )
}

fn kind_bit(kind: &str, statistics: &Statistics) -> Guard {
    let counts = statistics.faults.get(kind).copied().unwrap_or_default();
    let held = counts.injected > 0 && counts.bitten == counts.injected && counts.failed == 0;
    guard(&format!("every {kind} was seen to bite"), held, format!("{} of {}", counts.bitten, counts.injected))
}

fn asked_during_faults(plan: &Plan, operations: &[Operation], faults: &[FaultInterval]) -> Guard {
    let bites = |operation: &Operation| {
        let completed = operation.completed.unwrap_or(operation.invoked);
        faults.iter().any(|fault| {
            let end = fault.ended.unwrap_or(TimeNs(u64::MAX));
            fault.bites.as_ref().is_some_and(|(bites, _)| *bites <= completed && operation.invoked <= end)
        })
    };
    if plan.servers() == 1 {
        // There is nobody else who could answer: that clients ask is all that can be asked of them.
        let during = operations.iter().filter(|operation| bites(operation)).count();
        let detail = format!("{during} operations were under way meanwhile, at least {LEAST_DURING_FAULTS} wanted");
        return guard("clients asked while faults were biting", during >= LEAST_DURING_FAULTS, detail);
    }
    let acknowledged = operations.iter().filter(|operation| matches!(operation.outcome, Outcome::Ok(_)));
    let during = acknowledged.filter(|operation| bites(operation)).count();
    let detail = format!("{during} operations were acknowledged meanwhile, at least {LEAST_DURING_FAULTS} wanted");
    guard("clients were answered while faults were biting", during >= LEAST_DURING_FAULTS, detail)
}

fn no_deaths(lifecycle: &Lifecycle) -> Guard {
    let detail = if lifecycle.deaths.is_empty() { "none did".into() } else { lifecycle.deaths.join("; ") };
    guard("no server ended by itself", lifecycle.deaths.is_empty(), detail)
}

fn settled(lifecycle: &Lifecycle) -> Guard {
    let detail = match lifecycle.settled_after_ms {
        Some(ms) => format!("{ms} ms after the last fault was healed all nodes agreed on a leader that answered"),
        None => "it did not in the time given".into(),
    };
    guard("the cluster came back", lifecycle.settled_after_ms.is_some(), detail)
}

fn final_reads_answered(lifecycle: &Lifecycle) -> Guard {
    let (answered, wanted) = lifecycle.final_reads;
    guard("the final reads were answered", answered == wanted && wanted > 0, format!("{answered} of {wanted}"))
}
