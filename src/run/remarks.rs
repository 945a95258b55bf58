//! What a reader must know to take a verdict rightly. No remark changes a verdict.

use std::collections::BTreeSet;

use rashomon_checker::transactions::{AnomalyKind, Consistency};
use rashomon_history::TimeNs;
use rashomon_nemesis::{Action, DiskTrouble, Fault, Node};
use rashomon_report::describe::duration;
use rashomon_report::statistics::FaultInterval;
use rashomon_report::{Anomaly, Remark, Statistics};
use rashomon_systems::commit::Protocol;

use crate::plan::{CommitSettings, Plan, System, World};
use crate::run::Lifecycle;
use crate::run::judge::Evidence;

/// All remarks on a run. Of a planted bug nobody is told that it is none.
pub(super) fn remarks(
    anomalies: &[Anomaly],
    faults: &[FaultInterval],
    statistics: &Statistics,
    evidence: &Evidence<'_>,
) -> Vec<Remark> {
    let Evidence { plan, lifecycle, violated, .. } = *evidence;
    if plan.system != System::Commit || plan.bug.is_some() {
        return Vec::new();
    }
    let settings = plan.commit_settings();
    let remarks = [
        more_than_promised(settings, anomalies),
        three_phase_limit(plan, settings, anomalies, faults, violated),
        blocked(plan, settings, anomalies, faults, statistics, lifecycle),
    ];
    remarks.into_iter().flatten().collect()
}

/// Transactions were held against more than the isolation promises, and nothing was found but what it lets happen.
fn more_than_promised(settings: CommitSettings, anomalies: &[Anomaly]) -> Option<Remark> {
    let (promised, demanded) = (settings.promised(), settings.demanded());
    if promised.implies(demanded) || !anomalies.iter().all(|anomaly| lets_happen(promised, &anomaly.kind)) {
        return None;
    }
    let first = &anomalies.first()?.kind;
    let meaning =
        AnomalyKind::named(first).map(AnomalyKind::meaning).filter(|meaning| first.replace('-', " ") != *meaning);
    let meaning = meaning.map_or(String::new(), |meaning| format!(" ({meaning})"));
    let text = format!(
        "The transactions were held against {demanded}, as --consistency asked. --isolation {} promises {promised} and no \
         more, and {promised} lets {first} happen{meaning}. So this is what the level costs, and no mistake of the system.",
        settings.isolation,
    );
    Some(Remark {
        title: "more was asked for than the isolation promises".into(),
        text,
        source: Some(
            "Adya, Weak Consistency, 1999; Berenson and others, A Critique of ANSI SQL Isolation Levels, 1995".into(),
        ),
    })
}

/// Whether a level allows what was found. Long forks are found by a check of their own as well.
fn lets_happen(level: Consistency, found: &str) -> bool {
    match AnomalyKind::named(found) {
        Some(kind) => !level.forbids(kind),
        None => found == "long-fork" && !level.implies(Consistency::SnapshotIsolation),
    }
}

/// Three-phase commit came to different decisions while messages were late.
fn three_phase_limit(
    plan: &Plan,
    settings: CommitSettings,
    anomalies: &[Anomaly],
    faults: &[FaultInterval],
    violated: Option<TimeNs>,
) -> Option<Remark> {
    if settings.protocol != Protocol::ThreePhase || !anomalies.iter().any(breaks_agreement) {
        return None;
    }
    let what_was_late = what_was_late(plan, faults, violated)?;
    let text = format!(
        "Expected: three-phase commit keeps agreement (AC1) only while messages come in time and nothing fails but processes \
         that die. {what_was_late} It can't tell that from death, and it never waits: who knows that all voted yes (the \
         coordinator, and a shard that was told: pre-committed) commits when nothing more is heard, and a shard that voted and was \
         not told (prepared) aborts when its time is up. On two sides of a cut both happen. The protocol is carried out as \
         written and the run stays invalid; with --protocol 2pc or 2pc-raft shards wait instead, and keep agreement under the \
         same faults."
    );
    Some(Remark {
        title: "a known limit of three-phase commit".into(),
        text,
        source: Some(
            "Skeen, Nonblocking Commit Protocols, SIGMOD 1981; Bernstein, Hadzilacos and Goodman 1987, section 7.5; no protocol \
             that never waits survives partitions: Skeen and Stonebraker, A Formal Model of Crash Recovery, 1983"
                .into(),
        ),
    })
}

/// Whether two nodes decided differently (AC1). One that changed its mind (AC2) does so under no protocol.
fn breaks_agreement(anomaly: &Anomaly) -> bool {
    let nodes = || anomaly.operations.iter().map(|operation| &operation.node);
    match anomaly.kind.as_str() {
        "agreement" => true,
        "disagreement" => nodes().any(|node| Some(node) != nodes().next()),
        _ => false,
    }
}

/// What kept messages from arriving in time, in a sentence; nothing where all came in time.
fn what_was_late(plan: &Plan, faults: &[FaultInterval], violated: Option<TimeNs>) -> Option<String> {
    let is_earlier = |fault: &&FaultInterval| violated.is_none_or(|violated| fault.began <= violated);
    let bit = faults.iter().filter(|fault| fault.bites.is_some()).filter(is_earlier);
    let late: Vec<&FaultInterval> =
        bit.filter(|fault| plan.schedule.fault(fault.number).is_some_and(is_untimely)).collect();
    let network = plan.simulation.as_ref().map(|simulation| simulation.network);
    let is_lossy = network.is_some_and(|network| network.loss_ppm > 0 || network.straggler_ppm > 0);
    match (late.last(), violated) {
        (Some(last), Some(_)) => Some(format!(
            "Here they did not: fault #{} ({}) was the last before the violation that held messages up.",
            last.number, last.detail
        )),
        (Some(_), None) => {
            let kinds: BTreeSet<&str> = late.iter().map(|fault| fault.kind.as_str()).collect();
            let kinds: Vec<&str> = kinds.into_iter().collect();
            Some(format!("Here faults held them up ({}).", kinds.join(", ")))
        }
        (None, _) => is_lossy.then(|| "Here the simulated network lost some or held them up.".into()),
    }
}

/// Plain two-phase commit decided nothing while its coordinator was gone.
fn blocked(
    plan: &Plan,
    settings: CommitSettings,
    anomalies: &[Anomaly],
    faults: &[FaultInterval],
    statistics: &Statistics,
    lifecycle: &Lifecycle,
) -> Option<Remark> {
    if settings.protocol != Protocol::TwoPhase || !anomalies.is_empty() {
        return None;
    }
    let (fault, window, after_ns) = faults
        .iter()
        .filter(|fault| fault.bites.is_some() && takes_coordinator(plan, fault.number))
        .filter_map(|fault| {
            let seen = statistics.availability.iter().find(|seen| seen.fault == fault.number)?;
            let (window, ended) = (seen.longest_without_ok?, fault.ended?);
            let lasted = window.to_ns >= ended && window.length_ns() * 2 >= ended.0 - fault.began.0;
            lasted.then_some((fault, window, seen.ok_after_ns?))
        })
        .max_by_key(|(_, window, _)| window.length_ns())?;
    let (answered, wanted) = lifecycle.final_reads;
    let resolved = match plan.world {
        _ if lifecycle.settled_after_ms.is_none() || answered < wanted => "",
        World::Sim => {
            " What was in doubt was decided then: at the end no node waited for a decision, and no lock was held."
        }
        World::Netns | World::Hosts => " What was in doubt was decided then: at the end no node waited for a decision.",
    };
    let text = format!(
        "For {}, from {} on, nothing was committed: fault #{} ({}) took the coordinator, and with plain two-phase commit nobody \
         else can decide. Shards that have voted yes can only wait, with their locks. Waiting breaks no promise, so it counts as \
         unavailability and not as a violation. {} after the fault was over transactions were committed again.{resolved} With \
         --protocol 2pc-raft another coordinator takes over.",
        duration(window.length_ns()),
        window.from_ns,
        fault.number,
        fault.detail,
        duration(after_ns),
    );
    Some(Remark {
        title: "two-phase commit blocks while its coordinator is down".into(),
        text,
        source: Some("Bernstein, Hadzilacos and Goodman 1987, section 7.4".into()),
    })
}

/// Whether the fault takes the node that coordinates: the first.
fn takes_coordinator(plan: &Plan, number: u64) -> bool {
    let coordinator = Node(1);
    let Some(fault) = plan.schedule.fault(number) else { return false };
    match fault.resolve(Some(coordinator), plan.nodes) {
        Action::Kill(nodes) | Action::Pause(nodes) | Action::PowerOff(nodes) => nodes.contains(&coordinator),
        Action::Cut(_)
        | Action::Packets(..)
        | Action::Disks(..)
        | Action::Clocks(..)
        | Action::Remove(_)
        | Action::PauseClients(_) => false,
    }
}

/// Whether it makes what lives look dead.
fn is_untimely(fault: &Fault) -> bool {
    match fault {
        Fault::Partition(_) | Fault::Pause(_) | Fault::Packet(_) | Fault::Clock(_) => true,
        Fault::Disk(disk) => match disk.trouble {
            DiskTrouble::SlowSync { .. } => true,
            DiskTrouble::SyncError | DiskTrouble::Full | DiskTrouble::BitFlip => false,
        },
        Fault::Kill(_) | Fault::Power(_) | Fault::Membership(_) | Fault::Client(_) => false,
    }
}
