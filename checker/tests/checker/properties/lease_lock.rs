//! Locks with leases: every anomaly read off its definition, moment by moment and pair by pair.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rashomon_checker::properties::Property;
use rashomon_history::{Call, Operation, Outcome, Returned, Value};

use super::histories::{Tally, check, count, is_ok, operation, sessions, shuffle, verdict};
use crate::source::Source;

const TTL: u64 = 12;
/// Anomalies that are read off their definitions here.
const NAMES: [&str; 7] = [
    "double-hold",
    "too-many-permits",
    "foreign-release",
    "lost-hold",
    "expired-early",
    "revived-session",
    "token-changed",
];

fn random(source: &mut Source) -> Vec<Operation> {
    let mut history = Vec::new();
    let owners = 1 + source.below(3);
    let odd_percent = *source.pick(&[0, 10, 30]);
    for (number, (process, invoked, completed)) in sessions(source, 3, 12).into_iter().enumerate() {
        let key = *source.pick(&["l", "l", "l", "m"]);
        let owner = if source.percent(odd_percent) { source.below(3) } else { process % owners };
        let owner = Value::from(owner as i64);
        let permits = if source.percent(80) { 1 } else { 2 };
        let token = 1 + if source.percent(odd_percent) { source.below(8) } else { number as u64 };
        let (call, returned) = match source.below(8) {
            0 => (Call::OpenSession { owner }, Returned::Done),
            1 => (Call::KeepAlive { owner }, Returned::Done),
            2..5 => (Call::Acquire { key: key.into(), owner, permits }, Returned::Token(token)),
            _ => (Call::Release { key: key.into(), owner, permits }, Returned::Done),
        };
        let outcome = match source.below(100) {
            0..10 => Outcome::Info("timed out".into()),
            10..14 => Outcome::Fail("session-expired: 3 ms ago".into()),
            14..18 => Outcome::Fail("not-held: by you".into()),
            18..20 => Outcome::Fail("timeout-waiting: 3 before you".into()),
            _ => Outcome::Ok(returned),
        };
        history.push(operation(process, call, outcome, invoked, completed));
    }
    shuffle(source, &mut history);
    history
}

fn owner(operation: &Operation) -> &Value {
    match &operation.call {
        Call::OpenSession { owner }
        | Call::KeepAlive { owner }
        | Call::Acquire { owner, .. }
        | Call::Release { owner, .. } => owner,
        other => panic!("{other}"),
    }
}

fn is_acquire(operation: &Operation) -> bool {
    matches!(operation.call, Call::Acquire { .. })
}

fn is_release(operation: &Operation) -> bool {
    matches!(operation.call, Call::Release { .. })
}

fn permits(operation: &Operation) -> i64 {
    match operation.call {
        Call::Acquire { permits, .. } | Call::Release { permits, .. } => permits.into(),
        _ => 0,
    }
}

fn over(operation: &Operation) -> u64 {
    operation.complete_index.unwrap_or(u64::MAX)
}

fn is_before(one: &Operation, other: &Operation) -> bool {
    over(one) < other.invoke_index
}

fn is_refused(operation: &Operation, code: &str) -> bool {
    matches!(&operation.outcome, Outcome::Fail(reason) if reason.starts_with(code))
}

fn token(operation: &Operation) -> Option<u64> {
    match &operation.outcome {
        Outcome::Ok(Returned::Token(token)) => Some(*token),
        _ => None,
    }
}

/// What one owner did with one lock, and what it did with its session.
struct Owner<'a> {
    steps: Vec<&'a Operation>,
    commands: Vec<&'a Operation>,
}

impl Owner<'_> {
    /// The session lives until then at least.
    fn until(&self) -> u64 {
        let ok = self.commands.iter().filter(|command| is_ok(command));
        ok.map(|command| command.invoke_index + TTL).max().unwrap_or(0)
    }

    /// The least that is held when all events up to this one have happened: the most that is acquired after any moment and
    /// not released since, without what releases of unknown outcome may have taken.
    fn least_at(&self, now: u64) -> i64 {
        let mut changes: Vec<(u64, i64)> = Vec::new();
        let mut owed = 0;
        for step in &self.steps {
            if is_acquire(step) && is_ok(step) && over(step) <= now {
                changes.push((over(step), permits(step)));
            }
            if is_release(step) && step.invoke_index <= now {
                match step.outcome {
                    Outcome::Ok(_) => changes.push((step.invoke_index, -permits(step))),
                    Outcome::Info(_) => owed += permits(step),
                    Outcome::Fail(_) => {}
                }
            }
        }
        let since = |start: u64| changes.iter().filter(|(at, _)| *at >= start).map(|(_, by)| by).sum();
        ((0..=now).map(since).max().unwrap_or(0).max(0) - owed).max(0)
    }

    /// Whether an acquire of a lock got another token than the one that began the hold, which was answered before it was
    /// asked and did not end meanwhile.
    fn changes_token(&self) -> bool {
        let acquires = || self.steps.iter().filter(|step| is_acquire(step) && is_ok(step));
        acquires().any(|later| {
            let first = acquires().find(|first| {
                let begins = over(first) == 0 || self.least_at(over(first) - 1) == 0;
                let goes_on = (over(first)..over(later)).all(|now| self.least_at(now) > 0);
                begins && goes_on && is_before(first, later)
            });
            first.is_some_and(|first| token(first) != token(later))
        })
    }

    /// Whether a release that was answered could not have found what it released.
    fn most_before(&self, release: &Operation) -> i64 {
        // As after each release that was answered: what it took can't be taken again.
        let mut events: Vec<(u64, i64)> = Vec::new();
        for step in &self.steps {
            if is_acquire(step) && !matches!(step.outcome, Outcome::Fail(_)) {
                events.push((step.invoke_index, permits(step)));
            }
            if is_release(step) && is_ok(step) {
                events.push((over(step), -permits(step)));
            }
        }
        events.sort_unstable();
        let before = events.into_iter().take_while(|(at, _)| *at < over(release));
        before.fold(0, |most, (_, by)| (most + by).max(0))
    }
}

fn counted(amount: i64, limit: i64) -> i64 {
    if limit == 1 { amount.min(1) } else { amount }
}

/// Which of them there are.
fn anomalies(history: &[Operation], limit: i64) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    let mut locks: BTreeMap<String, BTreeMap<&Value, Owner<'_>>> = BTreeMap::new();
    for step in history.iter().filter(|step| is_acquire(step) || is_release(step)) {
        let lock = locks.entry(step.call.key().map_or_else(String::new, ToString::to_string)).or_default();
        let commands = || history.iter().filter(|other| owner(other) == owner(step)).collect();
        lock.entry(owner(step)).or_insert_with(|| Owner { steps: vec![], commands: commands() }).steps.push(step);
    }
    let end = history.iter().map(over).max().unwrap_or(0) + TTL;
    for owners in locks.values() {
        for now in 0..=end {
            let held = |owner: &Owner<'_>| if now < owner.until() { counted(owner.least_at(now), limit) } else { 0 };
            if owners.values().map(held).sum::<i64>() > limit {
                found.insert(if limit == 1 { "double-hold" } else { "too-many-permits" });
            }
        }
        for owner in owners.values() {
            if limit == 1 && owner.changes_token() {
                found.insert("token-changed");
            }
            for release in owner.steps.iter().filter(|step| is_release(step)) {
                if is_ok(release) && owner.most_before(release) < permits(release) {
                    found.insert("foreign-release");
                }
                let is_held = owner.least_at(release.invoke_index) >= permits(release);
                if is_refused(release, "not-held") && is_held && over(release) < owner.until() {
                    found.insert("lost-hold");
                }
            }
        }
    }
    for refused in history.iter().filter(|operation| is_refused(operation, "session-expired")) {
        let commands: Vec<&Operation> =
            history.iter().filter(|other| owner(other) == owner(refused) && is_ok(other)).collect();
        let last = commands.iter().filter(|other| other.invoke_index < refused.invoke_index);
        let Some(last) = last.max_by_key(|other| other.invoke_index) else { continue };
        if !is_before(last, refused) {
            continue;
        }
        if over(refused) < last.invoke_index + TTL {
            found.insert("expired-early");
        }
        if commands.iter().any(|later| is_before(refused, later)) {
            found.insert("revived-session");
        }
    }
    found
}

#[test]
fn anomalies_of_locks_are_those_of_their_definitions() {
    let mut source = Source::new(41);
    let mut tally = Tally::default();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for round in 0..60_000 {
        let history = random(&mut source);
        let limit = if round % 3 == 0 { 3 } else { 1 };
        let property = Property::LeaseLock { ttl: Duration::from_millis(TTL), permits: limit };
        let report = check(&property, &history);
        let expected = anomalies(&history, limit.into());
        for name in NAMES {
            assert_eq!(count(&report, name) > 0, expected.contains(name), "{name} of {history:#?}\n{report:#?}");
            *seen.entry(name).or_default() += usize::from(expected.contains(name));
        }
        if !expected.is_empty() {
            assert_eq!(verdict(&report), "invalid");
        }
        tally.add(&report);
    }
    eprintln!("{seen:?}");
    assert!(seen.values().all(|times| *times > 300), "{seen:?}");
    tally.assert_at_least(1_000);
}

/// Whether tokens fall or are used twice, and whether they change within a hold: by comparing all pairs.
fn token_anomalies(history: &[Operation]) -> [bool; 2] {
    let mut found = [false; 2];
    for one in history {
        for other in history {
            let (Some(first), Some(second)) = (token(one), token(other)) else { continue };
            if one.call.key() != other.call.key() || std::ptr::eq(one, other) {
                continue;
            }
            found[0] |= is_before(one, other) && second < first;
            found[1] |= owner(one) != owner(other) && first == second;
        }
    }
    found
}

#[test]
fn tokens_are_compared_in_pairs() {
    let mut source = Source::new(43);
    let mut seen = [[0; 2]; 2];
    for _ in 0..60_000 {
        let history = random(&mut source);
        let report = check(&Property::LeaseLock { ttl: Duration::ZERO, permits: 3 }, &history);
        let [falls, is_shared] = token_anomalies(&history);
        assert_eq!(count(&report, "token-fell") > 0, falls, "{history:#?}\n{report:#?}");
        // One owner may also have one token for two of its holds.
        assert!(count(&report, "token-reused") > 0 || !is_shared, "{history:#?}\n{report:#?}");
        seen[0][usize::from(falls)] += 1;
        seen[1][usize::from(is_shared)] += 1;
    }
    assert!(seen.iter().flatten().all(|times| *times > 1000), "{seen:?}");
}
