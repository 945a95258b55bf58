//! Random runs, calm and with faults.

use super::oracle::Seen;
use super::world::{Setting, World};
use crate::lock::Bug;

/// How many seeds to look at: `LOCK_SEEDS`, or a few.
fn seeds(usual: u64) -> u64 {
    std::env::var("LOCK_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(usual)
}

fn run(setting: Setting, people: u64) -> (Option<String>, Seen) {
    let mut world = World::new(setting, people);
    let broken = world.run();
    (broken, world.oracle.seen)
}

fn all_sound(settings: impl Iterator<Item = Setting>) -> Seen {
    let mut all = Seen::default();
    for setting in settings {
        let (broken, seen) = run(setting, 3 + setting.seed % 4);
        assert_eq!(broken, None, "{setting:?}");
        all.add(seen);
    }
    println!("{all:?}");
    all
}

#[test]
fn a_calm_service_keeps_its_promises_and_everyone_gets_the_lock() {
    let seen = all_sound((0..seeds(20)).map(Setting::calm));
    assert!(seen.acquired > 500 && seen.added > 500 && seen.released > 300 && seen.timed_out > 0, "{seen:?}");
    assert_eq!((seen.expired, seen.stale, seen.lease_over, seen.open), (0, 0, 0, 0));
}

#[test]
fn with_fencing_no_fault_breaks_a_promise() {
    let faulty = |seed| {
        let (permits, ttl_ms) = (if seed % 5 == 4 { 3 } else { 1 }, if seed % 3 == 0 { 400 } else { 1_000 });
        Setting { faults: true, careful: seed % 2 == 0, permits, ttl_ms, lasts_us: 8_000_000, ..Setting::calm(seed) }
    };
    let seen = all_sound((0..seeds(300)).map(faulty));
    assert!(seen.acquired > 1_000 && seen.added > 2_000 && seen.expired > 10 && seen.stale > 5, "{seen:?}");
}

#[test]
fn without_fencing_a_client_that_stands_still_loses_what_others_wrote() {
    let naive = |seed| Setting {
        faults: true,
        bug: Some(Bug::LK01),
        lasts_us: 8_000_000,
        careful: false,
        fencing: false,
        ..Setting::calm(seed)
    };
    let broken = (0..60).filter_map(|seed| run(naive(seed), 4).0).collect::<Vec<_>>();
    assert!(broken.len() > 2 && broken.iter().all(|text| text.contains("and is gone")), "{broken:?}");
}

/// A run that may show the bug: without fencing where only what the resource holds can tell.
fn fit_for(bug: Bug, seed: u64) -> Setting {
    let unfenced = [Bug::LK01, Bug::LK14, Bug::LK16].contains(&bug);
    let is_naive = [Bug::LK01, Bug::LK09, Bug::LK10].contains(&bug);
    let (fencing, careful) = (!unfenced, !is_naive && (unfenced || seed.is_multiple_of(2)));
    Setting {
        faults: true,
        fencing,
        careful,
        resource_fails: fencing,
        ttl_ms: if seed % 2 == 1 { 400 } else { 1_000 },
        permits: if bug == Bug::LK25 { 3 } else { 1 },
        lasts_us: 8_000_000,
        ..Setting::calm(seed)
    }
}

#[test]
fn without_fencing_a_careful_client_is_safe_as_long_as_its_writes_are_not_held_up() {
    let seen = all_sound((0..seeds(100)).map(|seed| fit_for(Bug::LK14, seed)));
    assert!(seen.added > 1_000 && seen.lease_over > 10, "{seen:?}");
}

#[test]
fn every_planted_bug_is_found() {
    for bug in Bug::ALL {
        let most = seeds(150);
        let broken = |seed| run(Setting { bug: Some(bug), ..fit_for(bug, seed) }, 3 + seed % 4).0;
        let found = (0..most).find_map(|seed| Some((seed, broken(seed)?)));
        println!("{bug} {found:?}");
        assert!(found.is_some(), "{bug} was not found in {most} runs");
    }
}
