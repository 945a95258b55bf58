//! The runs that samples are made of, each with a verdict.

use std::time::Duration;

use rashomon_history::{Call, History, HistoryError, Operation, Outcome, Returned, TimeNs};
use rashomon_report::lamport::Lamport;
use rashomon_report::{
    Anomaly, CheckerReport, Guard, Leadership, OperationRecord, SCHEMA_VERSION, Statistics, Verdict, VerdictFile,
};

use crate::run::{MS, SECOND, Shape, make_up};
use crate::{locks, messages};

pub(crate) struct Sample {
    pub(crate) name: &'static str,
    pub(crate) verdict: VerdictFile,
    pub(crate) history: History,
    pub(crate) plan: Vec<(&'static str, String)>,
    pub(crate) links: Vec<(String, String)>,
    pub(crate) lamport: Option<Lamport>,
    pub(crate) lease_ttl: Option<Duration>,
}

const USUAL: Shape = Shape {
    clients: 10,
    length_ns: 30 * SECOND,
    faults: 10,
    keys: 3,
    rest_ns: 28 * MS,
    down: false,
    value_chars: 0,
    stale: false,
};

/// All samples, in a fixed order.
pub(crate) fn all() -> Result<Vec<Sample>, HistoryError> {
    Ok(vec![
        Sample::of("valid", &USUAL)?,
        Sample::of("stale-read", &Shape { stale: true, ..USUAL })?,
        Sample::of("messages", &Shape { stale: true, clients: 2, length_ns: 2 * SECOND, faults: 1, ..USUAL })?
            .with(messages::make_up(14, 3)),
        Sample::of("many-messages", &Shape { stale: true, ..USUAL })?.with(messages::make_up(46, 5)),
        Sample::of_locks()?,
        Sample::of("one-process", &Shape { clients: 1, faults: 0, length_ns: 2 * SECOND, ..USUAL })?,
        Sample::of("nothing-ok", &Shape { down: true, length_ns: 5 * SECOND, faults: 2, ..USUAL })?,
        Sample::of(
            "long-values",
            &Shape { value_chars: 3000, stale: true, length_ns: 6 * SECOND, faults: 2, ..USUAL },
        )?,
        Sample::of("many", &Shape { clients: 60, rest_ns: MS, length_ns: 60 * SECOND, faults: 30, ..USUAL })?,
    ])
}

impl Sample {
    fn of(name: &'static str, shape: &Shape) -> Result<Self, HistoryError> {
        let history = make_up(shape)?;
        let operations = history.operations();
        let witness = if shape.stale { stale_read(operations) } else { Vec::new() };
        let statistics = Statistics::of(&history, &leaders(shape));
        let verdict = verdict(&statistics, witness);
        Ok(Self { name, verdict, history, plan: plan(shape), links: links(), lamport: None, lease_ttl: None })
    }

    /// Two adds that a client wrote over, whose lease was over when it did.
    fn of_locks() -> Result<Self, HistoryError> {
        let history = locks::make_up()?;
        let lost = history.operations().iter().filter(|operation| match &operation.call {
            Call::Add { value, .. } => *value == 12.into(),
            _ => operation.is_final,
        });
        let witness: Vec<OperationRecord> = lost.map(Into::into).collect();
        let explanation =
            "Process 2 added 12 to s3 and was told so; but process 3 read [10, 11, 13] from s3 at the end.";
        let anomaly = Anomaly {
            kind: "lost".into(),
            key: Some("s3".into()),
            explanation: explanation.into(),
            operations: witness.clone(),
            cycle: None,
        };
        let file = verdict(&Statistics::of(&history, &[]), Vec::new());
        let verdict = VerdictFile {
            verdict: Verdict::Invalid,
            reason: explanation.into(),
            witness,
            anomalies: vec![anomaly],
            ..file
        };
        let lease_ttl = Some(Duration::from_secs(1));
        Ok(Self { name: "locks", verdict, history, plan: plan(&USUAL), links: links(), lamport: None, lease_ttl })
    }

    fn with(self, lamport: Lamport) -> Self {
        Self { lamport: Some(lamport), ..self }
    }
}

/// The read that returns what was overwritten before it began, with the two operations that prove it.
fn stale_read(operations: &[Operation]) -> Vec<OperationRecord> {
    for read in operations {
        let Outcome::Ok(Returned::Value(seen)) = &read.outcome else { continue };
        let same_key = || {
            operations
                .iter()
                .filter(|other| other.call.key() == read.call.key() && matches!(other.outcome, Outcome::Ok(_)))
        };
        let wrote = same_key().find(|other| match &other.call {
            Call::Write { value, .. } | Call::Cas { to: value, .. } => value == seen,
            _ => false,
        });
        let overwrote = wrote.and_then(|wrote| {
            same_key().find(|other| {
                !matches!(other.call, Call::Read { .. })
                    && Some(other.invoked) > wrote.completed
                    && other.completed < Some(read.invoked)
            })
        });
        if let (Some(wrote), Some(overwrote)) = (wrote, overwrote) {
            return vec![wrote.into(), overwrote.into(), read.into()];
        }
    }
    Vec::new()
}

fn verdict(statistics: &Statistics, witness: Vec<OperationRecord>) -> VerdictFile {
    let enough = statistics.operations.ok >= 20;
    let guards = guards(statistics, enough);
    let verdict = match (witness.is_empty(), guards.iter().all(|guard| guard.held)) {
        (false, _) => Verdict::Invalid,
        (true, true) => Verdict::Valid,
        (true, false) => Verdict::Unknown,
    };
    let reason = match verdict {
        Verdict::Valid => "The operations on every key have an order that explains all answers.".to_string(),
        Verdict::Invalid => format!(
            "Process {} read a value that had been overwritten, and the overwriting was acknowledged before it asked.",
            witness[2].process
        ),
        Verdict::Unknown => {
            let first = guards.iter().find(|guard| !guard.held);
            first
                .map(|guard| format!("The run did too little: “{}” did not hold ({}).", guard.name, guard.detail))
                .unwrap_or_default()
        }
    };
    let anomalies = if witness.is_empty() { Vec::new() } else { anomalies(&reason, &witness) };
    VerdictFile {
        schema_version: SCHEMA_VERSION,
        rashomon_version: env!("CARGO_PKG_VERSION").into(),
        verdict,
        reason,
        remarks: Vec::new(),
        began: Some("2026-11-21T10:00:00Z".into()),
        command: "rashomon test raft --workload register --nemesis partition,kill,pause --world netns --nodes 5 --clients 10 \
                  --time-limit 30s --seed 42"
            .into(),
        checkers: vec![CheckerReport {
            name: "cas-register".into(),
            verdict: if witness.is_empty() { Verdict::Valid } else { Verdict::Invalid },
            algorithm: "unique-values".into(),
            seconds: 0.084,
            operations: statistics.operations.total,
            peak_memory_bytes: Some(12 << 20),
            reason: if witness.is_empty() { String::new() } else { "one of the keys has no order".into() },
        }],
        witness,
        anomalies,
        guards,
        statistics: statistics.clone(),
    }
}

fn anomalies(reason: &str, witness: &[OperationRecord]) -> Vec<Anomaly> {
    let key = witness[2].text.split([' ', ':']).nth(1).map(Into::into);
    let anomaly = Anomaly {
        kind: "stale-read".into(),
        key,
        explanation: reason.into(),
        operations: witness.to_vec(),
        cycle: None,
    };
    let explanation = "The value that was read was not current at any time at which the read was under way.".into();
    let second =
        Anomaly { kind: "not-linearizable".into(), explanation, operations: witness[1..].to_vec(), ..anomaly.clone() };
    vec![anomaly, second]
}

fn guards(statistics: &Statistics, enough: bool) -> Vec<Guard> {
    let injected: u64 = statistics.faults.values().map(|faults| faults.injected).sum();
    let bitten: u64 = statistics.faults.values().map(|faults| faults.bitten).sum();
    let guard = |name: &str, held, detail: String| Guard { name: name.into(), held, detail };
    vec![
        guard("enough operations were acknowledged", enough, format!("{} of at least 20", statistics.operations.ok)),
        guard("most faults were seen to bite", bitten * 10 >= injected * 8, format!("{bitten} of {injected}")),
        guard("operations ran while a fault did", injected > 0, format!("during {bitten} of {injected} faults")),
        guard("the final reads were answered", enough, "from 5 of 5 nodes".into()),
    ]
}

fn leaders(shape: &Shape) -> Vec<Leadership> {
    let changes = shape.faults / 2 + 1;
    let apart = shape.length_ns / changes;
    (0..changes)
        .map(|change| Leadership {
            time_ns: TimeNs(change * apart + 120 * MS),
            node: format!("n{}", 1 + change * 3 % 5),
            term: change + 1 + change / 3,
        })
        .collect()
}

fn plan(shape: &Shape) -> Vec<(&'static str, String)> {
    vec![
        ("system", "raft".into()),
        ("workload", "register".into()),
        ("world", "netns".into()),
        ("nodes", "n1 n2 n3 n4 n5".into()),
        ("clients", shape.clients.to_string()),
        ("rate", "unlimited".into()),
        ("time limit", TimeNs(shape.length_ns).to_string()),
        ("faults", "partition, kill, pause".into()),
        ("seed", "42".into()),
        ("planted bug", if shape.stale { "RR-01".into() } else { "none".into() }),
    ]
}

fn links() -> Vec<(String, String)> {
    let files = ["history.jsonl", "plan.json", "verdict.json"].map(|file| (file.to_string(), file.to_string()));
    let logs = (1..=5).map(|node| (format!("log of n{node}"), format!("nodes/n{node}/node.log")));
    files.into_iter().chain(logs).collect()
}
