//! Every planted bug breaks a promise that is looked at.

use super::super::Bug::{self, *};
use super::super::{Isolation, Protocol};
use super::faults::Fault::{self, *};
use super::random::{complaints, run, settings};
use super::workload::Kind::{self, *};
use super::workload::consistency;

const ALL_FAULTS: &[Fault] = &Fault::ALL;

/// What brings a bug to light.
struct Hunt {
    bug: Bug,
    protocol: Protocol,
    isolation: Isolation,
    kind: Kind,
    faults: &'static [Fault],
}

fn hunt(bug: Bug) -> Hunt {
    use Isolation::{Serializable, Snapshot};
    use Protocol::{ThreePhase, TwoPhase, TwoPhaseRaft};
    let (protocol, isolation, kind, faults): (_, _, _, &'static [Fault]) = match bug {
        TC01 => (TwoPhase, Serializable, Lists, &[Power, Partition]),
        TC02 => (TwoPhase, Serializable, Lists, &[Kill, Partition]),
        TC03 => (TwoPhase, Serializable, Lists, &[Partition, Pause]),
        TC04 => (TwoPhase, Serializable, Lists, &[Partition, Kill]),
        TC05 => (TwoPhase, Serializable, Lists, &[Kill, Messages]),
        TC06 => (TwoPhase, Serializable, Lists, &[Messages, Partition]),
        TC07 => (TwoPhase, Serializable, Lists, &[Kill, Messages]),
        TC08 => (TwoPhaseRaft, Serializable, Lists, ALL_FAULTS),
        TC09 => (TwoPhase, Serializable, Lists, &[Kill, Power]),
        TC15 => (TwoPhase, Serializable, Bank, &[Messages]),
        TC16 => (TwoPhase, Serializable, Lists, &[Messages]),
        TC17 => (TwoPhase, Serializable, Lists, &[Kill]),
        TC20 => (TwoPhase, Serializable, Lists, &[Kill, Pause]),
        TC21 => (TwoPhase, Serializable, Lists, &[Kill, Messages]),
        TC10 => (TwoPhase, Serializable, Lists, &[]),
        TC11 | TC12 | TC23 => (TwoPhase, Serializable, Lists, &[]),
        TC13 => (TwoPhase, Serializable, Lists, &[Messages]),
        TC14 => (TwoPhase, Snapshot, Bank, &[Messages]),
        TC18 | TC19 => (TwoPhase, Snapshot, Lists, &[]),
        TC24 => (TwoPhase, Serializable, Lists, &[]),
        TP03 | TP05 => (ThreePhase, Serializable, Lists, &[Kill]),
    };
    Hunt { bug, protocol, isolation, kind, faults }
}

impl Hunt {
    /// What is wrong with the run of this seed.
    fn complaints(&self, seed: u64) -> Vec<String> {
        let mut config = settings(self.protocol, self.isolation);
        config.bug = Some(self.bug);
        let mut world = run(&config, self.kind, self.faults, seed);
        complaints(&mut world, self.kind, consistency(self.isolation))
    }
}

#[test]
fn every_planted_bug_is_found() {
    let found = |bug| {
        let hunt = hunt(bug);
        (0..200).find_map(|seed| Some((seed, hunt.complaints(seed).into_iter().next()?)))
    };
    let mut missed = Vec::new();
    for bug in Bug::ALL {
        match found(bug) {
            Some((seed, complaint)) => println!("{bug}: seed {seed}: {complaint}"),
            None => missed.push(bug.to_string()),
        }
    }
    assert!(missed.is_empty(), "not found: {}", missed.join(", "));
}
