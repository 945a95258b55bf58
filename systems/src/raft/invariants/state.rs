//! Whether the members' states are what the committed commands make of them.

use super::ledger::Ledger;
use crate::raft::{Payload, StateMachine};
use crate::server::NodeId;

/// Entries between two comparisons.
const INTERVAL: u64 = 256;

/// A state machine beside those of the members, which is given every committed command once.
///
/// Comparing states costs as much as a snapshot, so it is done once in a while, with one member after the other. The
/// reference waits where it was last compared until the member whose turn it is has passed that place.
pub(super) struct Reference<M> {
    machine: M,
    applied_index: u64,
    turn: NodeId,
}

impl<M: StateMachine> Reference<M> {
    pub(super) fn new(machine: M) -> Self {
        Self { machine, applied_index: 0, turn: NodeId(1) }
    }

    /// Whether it is time to compare the state of this member. One that is down must not hold up the others.
    pub(super) fn is_due(&self, node: NodeId, applied_index: u64) -> bool {
        let patience = if node == self.turn { INTERVAL } else { 4 * INTERVAL };
        applied_index >= self.applied_index + patience
    }

    /// Whether the machine is as it must be after `applied_index`; also true where that can't be told.
    pub(super) fn agrees(&mut self, ledger: &Ledger, machine: &M, applied_index: u64) -> bool {
        self.advance(ledger, applied_index);
        self.applied_index != applied_index || self.machine.snapshot() == machine.snapshot()
    }

    pub(super) fn next_turn(&mut self, after: NodeId, nodes: usize) {
        let nodes = u16::try_from(nodes).unwrap_or(u16::MAX);
        self.turn = NodeId(after.0 % nodes + 1);
    }

    fn advance(&mut self, ledger: &Ledger, until: u64) {
        while self.applied_index < until {
            let index = self.applied_index + 1;
            match ledger.committed(index) {
                None => return,
                Some(Payload::Command(command)) => drop(self.machine.apply(index, command)),
                Some(Payload::Noop | Payload::Configuration(_)) => {}
            }
            self.applied_index = index;
        }
    }
}
