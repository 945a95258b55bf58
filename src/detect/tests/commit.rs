//! The bugs of atomic commitment and of isolation.

use rashomon_systems::commit::{Bug, CommitPromise};
use rashomon_systems::planted::PlantedBug;

use super::find;
use crate::swarm::Finding;

/// A bug that breaks nothing but termination is not known by a wrong decision, and one that breaks safety only is not known by
/// transactions that nobody decides.
pub(super) fn fits(bug: Bug, finding: &Finding) -> bool {
    let breaks = bug.description().breaks;
    match finding.check.as_str() {
        "liveness" => breaks.contains(&CommitPromise::Termination),
        _ => breaks.iter().any(|promise| *promise != CommitPromise::Termination),
    }
}

found_within! { Commit
    tc01: TC01 in 100 from 2;
    tc02: TC02 in 20 from 1;
    tc03: TC03 in 20 from 1;
    tc04: TC04 in 20 from 3000001;
    tc05: TC05 in 70 from 2000002;
    tc06: TC06 in 110 from 4000002;
    tc07: TC07 in 70 from 4000001;
    tc08: TC08 in 70 from 2000001;
    tc09: TC09 in 20 from 2000001;
    tc10: TC10 in 20 from 1;
    tc11: TC11 in 20 from 1;
    tc12: TC12 in 20 from 1000001;
    tc13: TC13 in 20 from 1;
    tc14: TC14 in 20 from 3000001;
    tc15: TC15 in 20 from 1;
    tc16: TC16 in 1350 from 6000168;
    tc17: TC17 in 20 from 1;
    tc18: TC18 in 20 from 9000002;
    tc19: TC19 in 30 from 9000002;
    tc20: TC20 in 20 from 1000001;
    tc21: TC21 in 30 from 1;
    tc23: TC23 in 50 from 4000001;
    tc24: TC24 in 40 from 1;
    tp03: TP03 in 80 from 1;
    tp05: TP05 in 200 from 8000006;
}

#[test]
fn every_planted_bug_has_its_test() {
    for bug in Bug::ALL {
        assert!(TESTED.contains(&bug), "{bug}");
    }
}
