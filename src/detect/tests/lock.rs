//! The bugs of the lock service, of the resource that it guards and of their clients.

use rashomon_systems::lock::Bug;
use rashomon_systems::planted::PlantedBug;
use rashomon_systems::raft::Promise;

use super::find;
use crate::swarm::Finding;

/// What some would wait for in vain is seen before they do: that somebody holds what nobody will give back.
const STANDSTILL: [&str; 4] = ["holder-alive", "no-orphan", "permits-counted", "lease-ends"];

/// A bug that breaks nothing but liveness is known by who waits in vain, or would.
pub(super) fn fits(bug: Bug, finding: &Finding) -> bool {
    let breaks = bug.description().breaks;
    if finding.check == "liveness" || STANDSTILL.contains(&finding.kind.as_str()) {
        breaks.contains(&Promise::Liveness)
    } else {
        breaks.iter().any(|promise| *promise != Promise::Liveness)
    }
}

found_within! { Lock
    lk01: LK01 in 40 from 5000002;
    lk02: LK02 in 40 from 5000002;
    lk03: LK03 in 20 from 5000002;
    lk04: LK04 in 30 from 1000003;
    lk05: LK05 in 20 from 1;
    lk06: LK06 in 20 from 1000001;
    lk07: LK07 in 20 from 1;
    lk08: LK08 in 20 from 1000001;
    lk09: LK09 in 40 from 1000004;
    lk10: LK10 in 580 from 6000004;
    lk11: LK11 in 20 from 5000001;
    lk12: LK12 in 20 from 1000001;
    lk13: LK13 in 410 from 2000003;
    lk14: LK14 in 450 from 7000023;
    lk15: LK15 in 20 from 2000001;
    lk16: LK16 in 300 from 7000030;
    lk17: LK17 in 20 from 7000001;
    lk18: LK18 in 20 from 1000003;
    lk19: LK19 in 20 from 5000001;
    lk20: LK20 in 110 from 1000003;
    lk21: LK21 in 20 from 1;
    lk22: LK22 in 20 from 1;
    lk23: LK23 in 20 from 6000001;
    lk24: LK24 in 20 from 1;
    lk25: LK25 in 20 from 7000001;
    lk26: LK26 in 20 from 1;
    lk27: LK27 in 20 from 5000002;
}

#[test]
fn every_planted_bug_has_its_test() {
    for bug in Bug::ALL {
        assert!(TESTED.contains(&bug), "{bug}");
    }
}
