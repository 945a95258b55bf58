//! Handing leadership over (thesis 3.10).

use crate::raft::{Body, Bug, Raft, Refusal, Response, Role, StateMachine};
use crate::server::{Micros, NodeId, RequestId};

/// A leadership that is being handed over. Outlives the old leader's office, until the new leader is known.
pub(super) struct Transfer {
    id: RequestId,
    to: NodeId,
    /// When it has failed.
    pub deadline: Micros,
    /// The new leader was told to stand for election.
    told: bool,
}

impl<M: StateMachine> Raft<M> {
    /// A client asks the leader to hand over. Until that has worked or failed, the leader takes no commands.
    pub(super) fn transfer_leadership(&mut self, id: RequestId, to: NodeId) {
        if to == self.config.id {
            return self.outbox.reply(id, Response::Transferred);
        }
        if !self.configuration.is_voter(to) {
            let reason = format!("{to} is no voter of the cluster");
            return self.outbox.reply(id, Response::Refused(Refusal::TransferFailed { reason }));
        }
        self.requests.open(id);
        let deadline = self.now.after(self.config.timing.election_max_us);
        self.transfer = Some(Transfer { id, to, deadline, told: false });
    }

    /// Tells the chosen member to stand for election as soon as it holds the whole log.
    pub(super) fn advance_transfer(&mut self) {
        let keeps_lease = self.has(Bug::RR09);
        let (Role::Leader(leader), Some(transfer)) = (&mut self.role, &mut self.transfer) else { return };
        let to = transfer.to;
        let ready = leader.progress.get(&to).is_some_and(|progress| progress.matched == self.log.last_index());
        if ready && !transfer.told {
            transfer.told = true;
            // From now on a vote may be granted although this leader was just heard from.
            leader.lease_given_up = !keeps_lease;
            self.send(to, Body::TimeoutNow);
        }
    }

    pub(super) fn check_transfer_deadline(&mut self) {
        if self.transfer.as_ref().is_some_and(|transfer| transfer.deadline <= self.now) {
            self.fail_transfer("no new leader was heard of in time");
        }
    }

    /// It is known who leads now.
    pub(super) fn settle_transfer(&mut self, leader: NodeId) {
        match &self.transfer {
            Some(transfer) if transfer.to == leader => self.end_transfer(Response::Transferred),
            Some(_) => self.fail_transfer(&format!("{leader} was elected instead")),
            None => {}
        }
    }

    pub(super) fn fail_transfer(&mut self, reason: &str) {
        self.end_transfer(Response::Refused(Refusal::TransferFailed { reason: reason.to_owned() }));
    }

    fn end_transfer(&mut self, response: Response<M::Answer>) {
        if let Some(transfer) = self.transfer.take()
            && self.requests.close(transfer.id)
        {
            self.outbox.reply(transfer.id, response);
        }
    }
}
