//! A test a bug: the swarm finds it within its budget of runs, and by a check that fits what it breaks.

use rashomon_systems::planted::PlantedBug;

use crate::plan::System;
use crate::swarm::{Finding, Fixed, Found, draw, look};

/// Each with a test of its own, which looks at the seed that is known to show it first.
macro_rules! found_within {
    ($system:ident $($name:ident: $bug:ident in $runs:literal from $seed:literal;)+) => {
        const TESTED: &[Bug] = &[$(Bug::$bug),+];

        $(#[test]
        fn $name() {
            find(PlantedBug::$system(Bug::$bug), $seed, $runs);
        })+
    };
}

mod commit;
mod lock;
mod raft;

/// Whether this is what the bug can be expected to do.
fn fits(bug: PlantedBug, finding: &Finding) -> bool {
    match bug {
        PlantedBug::Raft(bug) => raft::fits(bug, finding),
        PlantedBug::Lock(bug) => lock::fits(bug, finding),
        PlantedBug::Commit(bug) => commit::fits(bug, finding),
    }
}

/// Looks at the run of a seed that is known to show the bug, as long as the swarm draws as it does, and then at those from the
/// first seed on.
fn find(bug: PlantedBug, known_seed: u64, runs: u64) {
    let fixed = Fixed::nothing_but(System::of(bug), Some(bug));
    let mut others = Vec::new();
    for seed in std::iter::once(known_seed).chain(1..=runs) {
        let looked = look(&draw(&fixed, seed).unwrap()).unwrap();
        match looked.found {
            Found::Violation(finding) if fits(bug, &finding) => return,
            Found::Violation(finding) => others.push(format!("seed {seed}: {}: {}", finding.check, finding.kind)),
            Found::Nothing | Found::Unknown(_) => {}
        }
    }
    panic!("{bug} was not found by what it breaks in {runs} runs, but: {others:?}");
}
