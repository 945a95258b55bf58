use std::collections::BTreeMap;

use rashomon_history::{Outcome, Returned};

use super::*;
use crate::Role;

/// Asks as client 0 until a call of this kind comes; all others are acknowledged.
fn until(generator: &mut LockGenerator, f: &str) -> Call {
    for _ in 0..10_000 {
        let call = next(generator);
        if call.f() == f {
            return call;
        }
        generator.observe(0, &call, &Outcome::Ok(Returned::Done));
    }
    panic!("never asked for {f}");
}

fn next(generator: &mut LockGenerator) -> Call {
    generator.next_call(Asker { client: 0, role: Role::Mixed })
}

fn owner_of(call: &Call) -> Option<&Value> {
    match call {
        Call::OpenSession { owner }
        | Call::KeepAlive { owner }
        | Call::Acquire { owner, .. }
        | Call::Release { owner, .. } => Some(owner),
        _ => None,
    }
}

#[test]
fn a_client_works_only_under_a_lock_of_its_own_session() {
    for generator in [LockGenerator::locks, LockGenerator::fenced_locks, LockGenerator::guarded_sets] {
        let mut generator = generator(4);
        let mut held: BTreeMap<usize, BTreeMap<Key, u32>> = BTreeMap::new();
        let mut sessions: BTreeMap<usize, Value> = BTreeMap::new();
        let (mut adds, mut deepest, mut most_locks) = (0, 0, 0);
        for place in 0..20_000 {
            let client = place % 3;
            let call = generator.next_call(Asker { client, role: Role::Reader });
            let locks = held.entry(client).or_default();
            match &call {
                Call::OpenSession { owner } => {
                    assert!(sessions.values().all(|other| other != owner), "{owner} is opened twice");
                    sessions.insert(client, owner.clone());
                    locks.clear();
                }
                Call::Acquire { key, owner, .. } => {
                    assert_eq!(Some(owner), sessions.get(&client));
                    let depth = locks.entry(key.clone()).or_default();
                    *depth += 1;
                    deepest = deepest.max(*depth);
                    most_locks = most_locks.max(locks.len());
                }
                Call::Release { key, owner, .. } => {
                    assert_eq!(Some(owner), sessions.get(&client));
                    let depth = locks.get_mut(key).expect("a lock that is held");
                    *depth -= 1;
                    locks.retain(|_, depth| *depth > 0);
                }
                Call::Add { key, .. } | Call::Read { key } => {
                    assert!(locks.keys().any(|lock| guarded_by(lock) == *key), "{key} under {locks:?}");
                    adds += 1;
                }
                Call::KeepAlive { owner } => assert_eq!(Some(owner), sessions.get(&client)),
                other => panic!("{other}"),
            }
            generator.observe(client, &call, &Outcome::Ok(Returned::Done));
        }
        assert!(adds > 3000, "{adds}");
        assert_eq!(deepest > 1, generator.habits.most_holds > 1);
        assert_eq!(most_locks, 1 + usize::from(generator.habits.holds_another));
    }
}

#[test]
fn who_lost_its_session_opens_another() {
    for (f, outcome) in [
        ("acquire", Outcome::Fail("session-expired: 12 ms ago".into())),
        ("release", Outcome::Fail("unknown-session: c0-1".into())),
        ("keep-alive", Outcome::Info("timed out".into())),
        ("open-session", Outcome::Fail("connection refused".into())),
        ("release", Outcome::Info("timed out".into())),
    ] {
        let mut generator = LockGenerator::guarded_sets(8);
        let call = until(&mut generator, f);
        generator.observe(0, &call, &outcome);
        let again = next(&mut generator);
        assert!(matches!(again, Call::OpenSession { .. }), "{again} after {f} that was {outcome:?}");
        assert_ne!(owner_of(&call), owner_of(&again));
    }
}

#[test]
fn a_refusal_that_says_nothing_of_the_session_is_tried_again() {
    let mut generator = LockGenerator::guarded_sets(8);
    let call = until(&mut generator, "release");
    generator.observe(0, &call, &Outcome::Fail("connection refused".into()));
    let again = until(&mut generator, "release");
    assert_eq!(call, again);
}

#[test]
fn who_does_not_know_whether_it_holds_releases_or_begins_anew() {
    let (mut released, mut anew) = (0, 0);
    for seed in 0..200 {
        let mut generator = LockGenerator::guarded_sets(seed);
        let call = until(&mut generator, "acquire");
        generator.observe(0, &call, &Outcome::Info("timed out".into()));
        match next(&mut generator) {
            Call::Release { owner, .. } => {
                assert_eq!(Some(&owner), owner_of(&call));
                released += 1;
            }
            Call::OpenSession { .. } => anew += 1,
            Call::KeepAlive { .. } => {}
            other => panic!("{other}"),
        }
    }
    assert!(released > 50 && anew > 50, "{released} {anew}");
}

#[test]
fn nothing_more_is_written_under_a_hold_whose_last_write_is_unknown() {
    for outcome in [Outcome::Info("timed out".into()), Outcome::Fail("lease-over: of c0-1".into())] {
        for seed in 0..100 {
            let mut generator = LockGenerator::guarded_sets(seed);
            let call = until(&mut generator, "add");
            generator.observe(0, &call, &outcome);
            let after = loop {
                let call = next(&mut generator);
                if !matches!(call, Call::KeepAlive { .. }) {
                    break call;
                }
                generator.observe(0, &call, &Outcome::Ok(Returned::Done));
            };
            assert!(matches!(after, Call::Release { .. } | Call::OpenSession { .. }), "{after}");
        }
    }
}
