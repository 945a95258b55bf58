//! What a timeline of holds shows, as the clients of one lock saw it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rashomon_history::{Call, Key, Operation, Outcome, ProcessId, Returned, TimeNs, Value};

use crate::page::timeline::nearest;
use crate::verdict::VerdictFile;

/// Operations that are drawn.
const MOST_OPERATIONS: usize = 64;
const MOST_LANES: usize = 16;

/// One lock and its holders.
pub(super) struct Scene<'a> {
    pub(super) lock: &'a Key,
    /// By the first thing that is shown of them.
    pub(super) lanes: Vec<Lane<'a>>,
    /// When two held the lock at a time, by what is certain, or by what they could believe.
    pub(super) overlaps: Vec<Overlap>,
    /// Operations of this time that were left out.
    pub(super) left_out: usize,
    pub(super) from: TimeNs,
    pub(super) to: TimeNs,
    /// The times of the witness.
    pub(super) focus: Vec<TimeNs>,
    pub(super) ttl: Option<Duration>,
}

/// Whether a fault, told like this, makes the client stand still: `clients 1, 3` are `c1` and `c3`.
pub(super) fn names_client(detail: &str, client: &str) -> bool {
    let mut numbers = detail.split(|letter: char| !letter.is_ascii_digit()).filter(|number| !number.is_empty());
    client.strip_prefix('c').is_some_and(|client| numbers.any(|number| number == client))
}

/// One client.
pub(super) struct Lane<'a> {
    pub(super) name: String,
    pub(super) holds: Vec<Hold<'a>>,
    pub(super) operations: Vec<Shown<'a>>,
}

/// An operation, and its place in the witness, from 1.
pub(super) struct Shown<'a> {
    pub(super) operation: &'a Operation,
    pub(super) witness: Option<usize>,
}

/// A lock in the hands of one client.
#[derive(Clone, Copy)]
pub(super) struct Hold<'a> {
    pub(super) owner: &'a Value,
    pub(super) token: Option<u64>,
    /// From the answer to the acquire.
    pub(super) from: TimeNs,
    /// It was certainly held until then: until it was asked to be released, or to the end of the lease.
    pub(super) until: TimeNs,
    /// The client could believe until then that it holds it: until it let go of it.
    pub(super) let_go: TimeNs,
}

/// Two holds at a time.
pub(super) struct Overlap {
    pub(super) lanes: [usize; 2],
    pub(super) from: TimeNs,
    pub(super) to: TimeNs,
    pub(super) is_certain: bool,
}

impl<'a> Scene<'a> {
    /// The lock that the first anomaly is about, or else the one that was acquired most often. `None` where there are no locks.
    pub(super) fn of(operations: &'a [Operation], verdict: &VerdictFile, ttl: Option<Duration>) -> Option<Self> {
        let witness: BTreeMap<u64, usize> =
            verdict.witness.iter().enumerate().map(|(place, record)| (record.index, place + 1)).collect();
        let lock = lock_of(operations, verdict, &witness)?;
        let clients = Clients::of(operations);
        let owners: BTreeSet<&Value> = acquires_of(operations, lock).filter_map(owner_of).collect();
        let concerns = |operation: &&Operation| match owner_of(operation) {
            Some(owner) => operation.call.key().map_or(owners.contains(owner), |key| key == lock),
            None => operation.call.key().is_some_and(|key| number_of(key) == number_of(lock)),
        };
        let concerned: Vec<&Operation> = operations.iter().filter(concerns).collect();
        let mut focus: Vec<TimeNs> = concerned
            .iter()
            .filter(|operation| witness.contains_key(&operation.invoke_index))
            .flat_map(|operation| [operation.invoked, operation.completed.unwrap_or(operation.invoked)])
            .collect();
        if focus.is_empty() {
            focus.push(concerned[concerned.len() / 2].invoked);
        }
        focus.sort_unstable();
        let near = nearest(&focus, concerned, MOST_OPERATIONS);
        let from = near.shown.iter().map(|operation| operation.invoked).min()?;
        let to = near.shown.iter().map(|operation| operation.completed.unwrap_or(operation.invoked)).max()?;
        let mut lanes: BTreeMap<String, Lane<'a>> = BTreeMap::new();
        let lane = |name: &str| Lane { name: name.to_owned(), holds: Vec::new(), operations: Vec::new() };
        for operation in near.shown {
            let name = clients.name(operation);
            let shown = Shown { operation, witness: witness.get(&operation.invoke_index).copied() };
            lanes.entry(name.clone()).or_insert_with(|| lane(&name)).operations.push(shown);
        }
        for (name, hold) in holds(operations, lock, ttl, &clients) {
            if hold.from <= to && hold.let_go >= from {
                lanes.entry(name.clone()).or_insert_with(|| lane(&name)).holds.push(hold);
            }
        }
        let mut scene = Self {
            lock,
            lanes: lanes.into_values().collect(),
            overlaps: Vec::new(),
            left_out: near.left_out,
            from,
            to,
            focus,
            ttl,
        };
        scene.arrange();
        let is_exclusive = acquires_of(operations, lock).all(|acquire| permits_of(&acquire.call) == 1)
            && verdict.anomalies.first().is_none_or(|anomaly| anomaly.kind != "too-many-permits");
        if is_exclusive {
            scene.find_overlaps();
        }
        Some(scene)
    }

    /// Lanes by the first thing in them; those of the witness stay where there are too many.
    fn arrange(&mut self) {
        for lane in &mut self.lanes {
            lane.operations.sort_by_key(|shown| shown.operation.invoke_index);
        }
        if self.lanes.len() > MOST_LANES {
            self.lanes.sort_by_key(|lane| {
                let is_witness = lane.operations.iter().any(|shown| shown.witness.is_some());
                (!is_witness, std::cmp::Reverse(lane.operations.len()))
            });
            self.left_out += self.lanes.drain(MOST_LANES..).map(|lane| lane.operations.len()).sum::<usize>();
        }
        self.lanes.sort_by_key(|lane| {
            let held = lane.holds.iter().map(|hold| hold.from);
            held.chain(lane.operations.iter().map(|shown| shown.operation.invoked)).min()
        });
    }

    fn find_overlaps(&mut self) {
        for (upper, lane) in self.lanes.iter().enumerate() {
            for (lower, other) in self.lanes.iter().enumerate().skip(upper + 1) {
                for (one, two) in lane.holds.iter().flat_map(|one| other.holds.iter().map(move |two| (one, two))) {
                    let from = one.from.max(two.from);
                    let certain = one.until.min(two.until);
                    let believed = one.let_go.min(two.let_go);
                    let (to, is_certain) = if from < certain { (certain, true) } else { (believed, false) };
                    if from < to {
                        self.overlaps.push(Overlap { lanes: [upper, lower], from, to, is_certain });
                    }
                }
            }
        }
    }
}

/// The session whose command it is.
fn owner_of(operation: &Operation) -> Option<&Value> {
    match &operation.call {
        Call::OpenSession { owner }
        | Call::KeepAlive { owner }
        | Call::Acquire { owner, .. }
        | Call::Release { owner, .. } => Some(owner),
        _ => None,
    }
}

fn permits_of(call: &Call) -> u32 {
    match call {
        Call::Acquire { permits, .. } => *permits,
        _ => 1,
    }
}

fn acquires_of<'a>(operations: &'a [Operation], lock: &Key) -> impl Iterator<Item = &'a Operation> {
    operations
        .iter()
        .filter(move |operation| matches!(operation.call, Call::Acquire { .. }) && operation.call.key() == Some(lock))
}

/// Lock `l3` guards the set `s3`.
fn number_of(key: &Key) -> &str {
    key.as_str().trim_start_matches(|letter: char| !letter.is_ascii_digit())
}

fn lock_of<'a>(operations: &'a [Operation], verdict: &VerdictFile, witness: &BTreeMap<u64, usize>) -> Option<&'a Key> {
    let mut acquired: BTreeMap<&Key, usize> = BTreeMap::new();
    for operation in operations.iter().filter(|operation| matches!(operation.call, Call::Acquire { .. })) {
        *acquired.entry(operation.call.key()?).or_default() += 1;
    }
    let told = verdict.anomalies.first().and_then(|anomaly| anomaly.key.as_deref());
    let shown = operations.iter().filter(|operation| witness.contains_key(&operation.invoke_index));
    let keys = told.map(Key::from).into_iter().chain(shown.filter_map(|operation| operation.call.key().cloned()));
    for key in keys {
        let same = acquired.keys().find(|lock| ***lock == key);
        let guards = || acquired.keys().find(|lock| number_of(lock) == number_of(&key));
        if let Some(lock) = same.or_else(guards) {
            return Some(lock);
        }
    }
    acquired.into_iter().max_by_key(|(_, times)| *times).map(|(lock, _)| lock)
}

/// Which process belongs to which client: to that of the sessions that it used.
struct Clients {
    of_process: BTreeMap<ProcessId, String>,
}

impl Clients {
    fn of(operations: &[Operation]) -> Self {
        let used = operations.iter().filter_map(|operation| Some((operation.process, client_of(owner_of(operation)?))));
        Self { of_process: used.collect() }
    }

    fn name(&self, operation: &Operation) -> String {
        let of_process = || self.of_process.get(&operation.process).cloned();
        let name = owner_of(operation).map(client_of).or_else(of_process);
        name.unwrap_or_else(|| format!("process {}", operation.process))
    }
}

/// The session `c3-7` is the seventh of the client `c3`.
fn client_of(owner: &Value) -> String {
    match owner {
        Value::Text(text) => text.as_str().rsplit_once('-').map_or(text.as_str(), |(client, _)| client).to_owned(),
        Value::Nil | Value::Int(_) => format!("owner {owner}"),
    }
}

/// All holds of a lock, each with its client.
fn holds<'a>(
    operations: &'a [Operation],
    lock: &Key,
    ttl: Option<Duration>,
    clients: &Clients,
) -> Vec<(String, Hold<'a>)> {
    let ttl_ns = ttl.map_or(0, |ttl| u64::try_from(ttl.as_nanos()).unwrap_or(u64::MAX));
    let mut leases: BTreeMap<&Value, TimeNs> = BTreeMap::new();
    let mut by_client: BTreeMap<String, Vec<&Operation>> = BTreeMap::new();
    for operation in operations {
        let Some(owner) = owner_of(operation) else { continue };
        if matches!(operation.outcome, Outcome::Ok(_)) {
            let until = leases.entry(owner).or_default();
            *until = TimeNs(until.0.max(operation.invoked.0.saturating_add(ttl_ns)));
        }
        by_client.entry(clients.name(operation)).or_default().push(operation);
    }
    let end = operations.iter().filter_map(|operation| operation.completed).max().unwrap_or_default();
    let mut holds = Vec::new();
    for (client, steps) in by_client {
        let mut open: Option<(Hold<'a>, u32)> = None;
        let close = |hold: Hold<'a>, at: TimeNs, holds: &mut Vec<(String, Hold<'a>)>| {
            let until = leases.get(hold.owner).copied().unwrap_or_default().min(at).max(hold.from);
            holds.push((client.clone(), Hold { until, let_go: at.max(hold.from), ..hold }));
        };
        for step in steps {
            match (&step.call, &step.outcome) {
                // A client that opens another session has let go of what it held under the last one.
                (Call::OpenSession { .. }, _) => {
                    if let Some((hold, _)) = open.take() {
                        close(hold, step.invoked, &mut holds);
                    }
                }
                (Call::Acquire { key, owner, .. }, Outcome::Ok(returned)) if key == lock => match &mut open {
                    Some((hold, depth)) if hold.owner == owner => *depth += 1,
                    Some(_) | None => {
                        let from = step.completed.unwrap_or(step.invoked);
                        let hold = Hold { owner, token: token_of(returned), from, until: from, let_go: from };
                        open = Some((hold, 1));
                    }
                },
                (Call::Release { key, .. }, _) if key == lock => match open.take() {
                    Some((hold, depth)) if depth > 1 => open = Some((hold, depth - 1)),
                    Some((hold, _)) => close(hold, step.invoked, &mut holds),
                    None => {}
                },
                _ => {}
            }
        }
        if let Some((hold, _)) = open {
            close(hold, end, &mut holds);
        }
    }
    holds
}

pub(super) fn token_of(returned: &Returned) -> Option<u64> {
    match returned {
        Returned::Token(token) => Some(*token),
        Returned::Versioned { returned, .. } => token_of(returned),
        _ => None,
    }
}
