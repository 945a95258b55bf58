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
    let faulty = |seed| Setting { faults: true, careful: seed % 2 == 0, lasts_us: 8_000_000, ..Setting::calm(seed) };
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
