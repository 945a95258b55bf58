//! A coordinator that is a group: each member is a member of a Raft cluster, and who leads coordinates.
//!
//! What is decided stands in the group's log, and the first decision on a transaction there is the decision. A leader
//! proposes to commit only what it has begun itself and all have voted yes on. A participant that hears nothing asks every
//! member; a leader that does not know the transaction proposes to abort it, and answers with what the log says. So a new
//! leader finishes what was committed before, and aborts the rest, and no participant waits while a majority of the group is up
//! (the idea: Gray and Lamport, *Consensus on Transaction Commit*, 2006; the layout: Corbett et al., *Spanner*, 2012).

use std::collections::{BTreeMap, BTreeSet};

use super::coordinator::{Coordinator, Want};
use super::decisions::{Answer, Command, Decisions};
use super::ledger::Ledger;
use super::outbox::encode;
use super::{Bug, CommitMessage, Config, Decision, Fact, Isolation, Message, Op, Refusal, Request, Response, TxnId};
use crate::raft::{self, Raft, RecoverError};
use crate::server::{Input, Micros, NodeId, Output, Recovered, RequestId, Server, Status};

type RaftOutput = Output<raft::Message, raft::Response<Answer>>;

/// What waits for the log.
enum Waiting {
    /// A commit that this member has proposed.
    Commit(TxnId),
    /// A participant that wants to know.
    Resolve { txn: TxnId, asker: NodeId },
    /// A transaction that may begin as soon as it is sure that this member leads.
    Begin { request: RequestId, ops: Vec<Op> },
    /// The end of a transaction.
    End(TxnId),
}

/// A member of a group that coordinates. See the [module](self).
pub(super) struct Replicated {
    core: Coordinator,
    raft: Raft<Decisions>,
    /// By the name under which Raft was asked.
    waiting: BTreeMap<RequestId, Waiting>,
    last_request: u64,
    /// Transactions whose end is on its way to the log.
    ending: BTreeSet<TxnId>,
    /// Commits of the log that this leader has looked at.
    seen_commits: u64,
    leads: bool,
    raft_outputs: Vec<RaftOutput>,
    core_outputs: Vec<Output<Message, Response>>,
}

impl Replicated {
    /// A member that goes on from what its disk holds.
    ///
    /// # Errors
    /// [`RecoverError`] where that is not what a member of this version wrote.
    pub(super) fn recover(config: Config, recovered: Recovered) -> Result<Self, RecoverError> {
        let raft_config = raft::Config {
            timing: config.raft_timing,
            seed: config.seed,
            compaction: raft::Compaction {
                threshold_entries: config.limits.records as u64,
                trailing_entries: config.limits.records as u64 / 4,
                ..raft::Compaction::default()
            },
            ..raft::Config::new(config.id, config.coordinators.iter().copied())
        };
        let raft = Raft::recover(raft_config, Decisions::new(config.limits.decisions), recovered)?;
        Ok(Self {
            core: Coordinator::new(config, 0, Ledger::default()),
            raft,
            waiting: BTreeMap::new(),
            last_request: 0,
            ending: BTreeSet::new(),
            seen_commits: 0,
            leads: false,
            raft_outputs: Vec::new(),
            core_outputs: Vec::new(),
        })
    }

    pub(super) fn step(
        &mut self,
        now: Micros,
        input: Input<Message, Request>,
        outputs: &mut Vec<Output<Message, Response>>,
    ) {
        self.core.now = now;
        self.core.facts.step();
        match input {
            Input::Tick => {
                if self.raft.deadline() <= now {
                    self.raft.step(now, Input::Tick, &mut self.raft_outputs);
                }
                self.core.tick();
            }
            Input::Message { from, message: Message::Raft(message) } => {
                self.raft.step(now, Input::Message { from, message }, &mut self.raft_outputs);
            }
            Input::Message { from, message: Message::Commit(message) } => self.receive(from, message),
            Input::Request { id, request: Request::Txn(ops) } => self.begin(id, ops),
            Input::Request { id, request: Request::Decisions } => {
                self.core.outbox.reply_at_once(id, Response::Decisions(self.decisions()));
            }
            Input::Abandon { .. } => {}
            Input::Persisted(id) => self.raft.step(now, Input::Persisted(id), &mut self.raft_outputs),
        }
        self.settle(outputs);
    }

    pub(super) fn flush(&mut self, now: Micros, outputs: &mut Vec<Output<Message, Response>>) {
        self.core.now = now;
        self.raft.flush(now, &mut self.raft_outputs);
        self.settle(outputs);
        // What was proposed meanwhile goes out with this batch.
        self.raft.flush(now, &mut self.raft_outputs);
        self.settle(outputs);
        self.core.facts.flush();
    }

    /// Takes what Raft has answered, follows its elections, and lets out what both want done.
    fn settle(&mut self, outputs: &mut Vec<Output<Message, Response>>) {
        self.follow_elections();
        while !self.raft_outputs.is_empty() || !self.core.wants.is_empty() {
            for output in std::mem::take(&mut self.raft_outputs) {
                self.take(output, outputs);
            }
            for want in std::mem::take(&mut self.core.wants) {
                self.propose(want);
            }
        }
        self.core.outbox.flush(usize::MAX, bytes::Bytes::new, &mut self.core_outputs);
        // Nothing here rests on this member's own disk.
        outputs.extend(self.core_outputs.drain(..).map(|output| match output {
            Output::Send { to, message } => Output::SendNow { to, message },
            Output::Reply { id, response } => Output::ReplyNow { id, response },
            other @ (Output::Persist { .. } | Output::SendNow { .. } | Output::ReplyNow { .. }) => other,
        }));
    }

    fn take(&mut self, output: RaftOutput, outputs: &mut Vec<Output<Message, Response>>) {
        match output {
            Output::Persist { id, write } => outputs.push(Output::Persist { id, write }),
            Output::Send { to, message } => outputs.push(Output::Send { to, message: Message::Raft(message) }),
            Output::SendNow { to, message } => outputs.push(Output::SendNow { to, message: Message::Raft(message) }),
            Output::Reply { id, response } | Output::ReplyNow { id, response } => {
                if let Some(waiting) = self.waiting.remove(&id) {
                    self.answered(waiting, response);
                }
            }
        }
    }

    fn follow_elections(&mut self) {
        let leads = self.raft.is_leader();
        if self.leads && (!leads || self.core.epoch() != self.raft.term()) {
            self.core.resign();
        }
        if leads && (!self.leads || self.core.epoch() != self.raft.term()) {
            self.core.lead(self.raft.term());
            self.seen_commits = 0;
        }
        self.leads = leads;
        if !leads || self.seen_commits == self.raft.machine().commits {
            return;
        }
        self.seen_commits = self.raft.machine().commits;
        for (txn, commit) in &self.raft.machine().unended {
            if !self.core.is_finishing(*txn) && !self.ending.contains(txn) {
                self.core.finish(*txn, commit.at, commit.participants.iter().copied());
            }
        }
    }

    fn begin(&mut self, request: RequestId, ops: Vec<Op>) {
        if !self.raft.is_leader() {
            let coordinator = self.raft.leader();
            let response = Response::Refused(Refusal::NotCoordinator { coordinator });
            return self.core.outbox.reply_at_once(request, response);
        }
        match self.core.config.isolation {
            // A snapshot must hold all that was committed before, so the leader makes sure that it is not deposed. Locks do
            // the same for the other levels.
            Isolation::Snapshot => self.ask(Waiting::Begin { request, ops }, raft::Request::Query(())),
            Isolation::Serializable | Isolation::ReadCommitted => self.core.begin(request, ops),
        }
    }

    fn receive(&mut self, from: NodeId, message: CommitMessage) {
        let CommitMessage::Inquire { txn } = message else { return self.core.receive(from, message) };
        match self.raft.machine().get(txn) {
            Some(decision) => self.core.outbox.send(from, CommitMessage::Decide { txn, decision }),
            None if self.core.config.has(Bug::TC08) => {
                let decision = Decision::Abort;
                self.core.outbox.send(from, CommitMessage::Decide { txn, decision });
            }
            None if self.raft.is_leader() => self.core.receive(from, message),
            None => {}
        }
    }

    fn propose(&mut self, want: Want) {
        let (waiting, command) = match want {
            Want::Commit { txn, at, participants } => (Waiting::Commit(txn), Command::Commit { txn, at, participants }),
            Want::Resolve { txn, asker } => (Waiting::Resolve { txn, asker }, Command::Abort { txn }),
            Want::End { txn } => {
                self.ending.insert(txn);
                (Waiting::End(txn), Command::End { txn })
            }
        };
        self.ask(waiting, raft::Request::Command(encode(&command)));
    }

    fn ask(&mut self, waiting: Waiting, request: raft::Request<()>) {
        self.last_request += 1;
        let id = RequestId(self.last_request);
        self.waiting.insert(id, waiting);
        self.raft.step(self.core.now, Input::Request { id, request }, &mut self.raft_outputs);
    }

    fn answered(&mut self, waiting: Waiting, response: raft::Response<Answer>) {
        match (waiting, response) {
            (Waiting::Commit(txn), raft::Response::Answer(Some(decision))) => self.core.decided(txn, decision),
            // Nobody but this leader proposes to commit it, and that certainly did not happen.
            (Waiting::Commit(txn), raft::Response::Refused(_)) => self.core.decided(txn, Decision::Abort),
            (Waiting::Commit(txn), _) => self.core.lose(txn),
            (Waiting::Resolve { txn, asker }, raft::Response::Answer(Some(decision))) => {
                self.core.outbox.send(asker, CommitMessage::Decide { txn, decision });
            }
            (Waiting::Begin { request, ops }, raft::Response::Answer(_)) if self.raft.is_leader() => {
                self.core.begin(request, ops);
            }
            (Waiting::Begin { request, .. }, _) => {
                let coordinator = self.raft.leader();
                let response = Response::Refused(Refusal::NotCoordinator { coordinator });
                self.core.outbox.reply_at_once(request, response);
            }
            // Where it was not ended, it is told once more with the next commit, or by the next leader.
            (Waiting::End(txn), _) => {
                self.ending.remove(&txn);
            }
            // Who asks will ask again.
            (Waiting::Resolve { .. }, _) => {}
        }
    }

    pub(super) fn deadline(&self) -> Micros {
        self.raft.deadline().min(self.core.timers.next())
    }

    fn decisions(&self) -> Vec<(TxnId, &'static str)> {
        self.raft.machine().ledger.iter().map(|(txn, decision)| (txn, decision.name())).collect()
    }

    pub(super) fn facts(&self) -> &[Fact] {
        self.core.facts.all()
    }

    pub(super) fn raft(&self) -> &Raft<Decisions> {
        &self.raft
    }

    pub(super) fn status(&self) -> Status {
        self.raft.status()
    }
}
