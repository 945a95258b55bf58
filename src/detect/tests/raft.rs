//! The bugs of Raft, of the sessions above it and of the log below it.

use rashomon_systems::planted::PlantedBug;
use rashomon_systems::raft::{Bug, Promise};

use super::find;
use crate::swarm::Finding;

/// A bug that breaks nothing but liveness is not known by a wrong answer, and one that breaks safety only is not known by a
/// cluster that stands still.
pub(super) fn fits(bug: Bug, finding: &Finding) -> bool {
    let breaks = bug.description().breaks;
    match finding.check.as_str() {
        "liveness" => breaks.contains(&Promise::Liveness) || breaks.contains(&Promise::Convergence),
        _ => breaks.iter().any(|promise| *promise != Promise::Liveness),
    }
}

found_within! { Raft
    rc01: RC01 in 20 from 1;
    rc02: RC02 in 20 from 1;
    rc03: RC03 in 20 from 1;
    rc04: RC04 in 20 from 1;
    rc05: RC05 in 20 from 1000007;
    rc06: RC06 in 20 from 2;
    rc07: RC07 in 20 from 1;
    rd01: RD01 in 20 from 2000001;
    rd02: RD02 in 20 from 1;
    rd03: RD03 in 80 from 2000002;
    rd04: RD04 in 30 from 2000002;
    rd05: RD05 in 40 from 1000010;
    rd06: RD06 in 40 from 1000010;
    rd07: RD07 in 160 from 13;
    rd08: RD08 in 230 from 1000002;
    rd09: RD09 in 20 from 1;
    rd10: RD10 in 40 from 2;
    rd11: RD11 in 20 from 2;
    re01: RE01 in 20 from 1;
    re02: RE02 in 20 from 1;
    re03: RE03 in 30 from 2000002;
    re04: RE04 in 20 from 1;
    re05: RE05 in 50 from 1000011;
    re06: RE06 in 180 from 1000024;
    re07: RE07 in 20 from 1000001;
    re08: RE08 in 60 from 1000001;
    re09: RE09 in 510 from 2000007;
    re10: RE10 in 20 from 1000002;
    re11: RE11 in 320 from 2;
    re12: RE12 in 20 from 1;
    re13: RE13 in 30 from 1000001;
    re14: RE14 in 20 from 1;
    rl01: RL01 in 20 from 1;
    rl02: RL02 in 20 from 2;
    rl03: RL03 in 20 from 1;
    rl04: RL04 in 30 from 3;
    rl05: RL05 in 20 from 1;
    rl06: RL06 in 20 from 1;
    rl07: RL07 in 3000 from 1674;
    rl09: RL09 in 20 from 1;
    rl10: RL10 in 80 from 12;
    rl11: RL11 in 20 from 1;
    rl12: RL12 in 30 from 5;
    rm01: RM01 in 60 from 11;
    rm02: RM02 in 100 from 9;
    rm03: RM03 in 40 from 9;
    rm05: RM05 in 300 from 41;
    rm06: RM06 in 30 from 2000006;
    rm07: RM07 in 40 from 2000007;
    rm08: RM08 in 60 from 9;
    rm09: RM09 in 970 from 2000135;
    rm10: RM10 in 40 from 9;
    rm11: RM11 in 20 from 1;
    rm12: RM12 in 170 from 11;
    rp01: RP01 in 20 from 1;
    rp03: RP03 in 30 from 1;
    rp04: RP04 in 30 from 1000001;
    rp05: RP05 in 20 from 2000002;
    rp06: RP06 in 20 from 2;
    rp07: RP07 in 1930 from 1000150;
    rr01: RR01 in 20 from 1;
    rr02: RR02 in 20 from 1;
    rr03: RR03 in 20 from 1000002;
    rr04: RR04 in 20 from 1000002;
    rr05: RR05 in 1400 from 1000016;
    rr06: RR06 in 3700 from 2000276;
    rr07: RR07 in 810 from 173;
    rr09: RR09 in 1520 from 1000150;
    rr10: RR10 in 20 from 1;
    rs01: RS01 in 100 from 1;
    rs02: RS02 in 20 from 1;
    rs03: RS03 in 140 from 1;
    rs04: RS04 in 20 from 1;
    rs05: RS05 in 20 from 1000001;
    rs06: RS06 in 20 from 1000001;
    rs07: RS07 in 50 from 2;
    rs08: RS08 in 40 from 9;
    rs09: RS09 in 20 from 2000001;
    rs10: RS10 in 50 from 2;
    rs11: RS11 in 350 from 2000064;
    rx01: RX01 in 40 from 2;
    rx02: RX02 in 40 from 1000002;
    rx03: RX03 in 100 from 1000002;
    rx04: RX04 in 50 from 3;
    rx05: RX05 in 30 from 1000007;
    rx06: RX06 in 340 from 110;
    rx09: RX09 in 20 from 1;
}

#[test]
fn every_planted_bug_has_its_test() {
    for bug in Bug::ALL {
        assert!(TESTED.contains(&bug), "{bug}");
    }
}
