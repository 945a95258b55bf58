//! The coordinator's second phase of three.

use super::super::TxnId;
use super::super::coordinator::{Coordinator, Phase};
use crate::server::NodeId;

impl Coordinator {
    /// All have voted yes: now all shall know it.
    pub(in super::super) fn pre_commit(&mut self, txn: TxnId) {
        let at = self.moment();
        let deadline = self.now.after(self.config.timing.vote_us);
        let Some(open) = self.open.get_mut(&txn) else { return };
        open.phase = Phase::PreCommitting { at };
        open.deadline = deadline;
        self.ask_again(txn);
    }

    pub(in super::super) fn on_pre_committed(&mut self, from: NodeId, txn: TxnId) {
        let Some(open) = self.open.get_mut(&txn) else { return };
        let Phase::PreCommitting { at } = open.phase else { return };
        if let Some(part) = open.parts.get_mut(&from) {
            part.is_pre_committed = true;
        }
        if open.parts.values().all(|part| part.is_pre_committed || !part.writes()) {
            self.commit_at(txn, at);
        }
    }
}
