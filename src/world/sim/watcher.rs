//! Looks on while a simulated cluster runs: who leads, and what no client can see.

use rashomon_report::Leadership;
use rashomon_systems::kv::{SessionKv, session_kv};
use rashomon_systems::raft::{Invariants, Message};
use rashomon_systems::server::{Micros, NodeId, Write, WriteId};
use rashomon_systems::session::SessionOptions;
use rashomon_systems::sim::Observer;

use super::clients::time;
use super::servers::Member;
use super::trace::Trace;
use super::{Check, Violation};

/// Sees every step of every member.
pub(super) struct Watcher {
    /// Who led from when on, by time.
    pub(super) leaders: Vec<Leadership>,
    invariants: Invariants<SessionKv>,
    /// The messages, where somebody wants to see them.
    pub(super) trace: Option<Trace>,
    violation: Option<Violation>,
}

impl Watcher {
    pub(super) fn new(nodes: u16, max_sessions: usize) -> Self {
        let reference = session_kv(SessionOptions { max_sessions, bug: None });
        Self { leaders: Vec::new(), invariants: Invariants::new(nodes, reference), trace: None, violation: None }
    }

    /// What was found wrong since this was last asked.
    pub(super) fn take_violation(&mut self) -> Option<Violation> {
        self.violation.take()
    }

    /// Long after the last fault and the last request: these members must be in the same state.
    pub(super) fn converged<'a>(&mut self, now: Micros, members: impl Iterator<Item = (NodeId, &'a Member)>) {
        self.invariants.converged(members);
        self.take_over(now);
    }

    fn note_leader(&mut self, now: Micros, node: NodeId, member: &Member) {
        if member.is_leader() && self.leaders.last().is_none_or(|last| last.term < member.term()) {
            let leader = Leadership { time_ns: time(now), node: node.to_string(), term: member.term() };
            self.leaders.push(leader);
        }
    }

    fn take_over(&mut self, now: Micros) {
        if let Some(broken) = self.invariants.violation()
            && self.violation.is_none()
        {
            let (kind, text) = (broken.name().to_owned(), broken.to_string());
            self.violation = Some(Violation { check: Check::Invariants, kind, text, at: now });
        }
    }
}

impl Observer<Member> for Watcher {
    fn recovered(&mut self, now: Micros, node: NodeId, member: &Member) {
        if let Some(trace) = &mut self.trace {
            trace.recovered(now, node, member);
        }
        self.invariants.recovered(node, member);
        self.take_over(now);
    }

    fn stepped(&mut self, now: Micros, node: NodeId, member: &Member) {
        self.note_leader(now, node, member);
        if let Some(trace) = &mut self.trace {
            trace.stepped(now, node, member);
        }
        self.invariants.stepped(node, member);
        self.take_over(now);
    }

    fn sent(&mut self, now: Micros, _number: u64, from: NodeId, to: NodeId, message: &Message) {
        if let Some(trace) = &mut self.trace {
            trace.sent(now, from, to, message);
        }
        self.invariants.sent(from, to, message);
        self.take_over(now);
    }

    fn arrived(&mut self, now: Micros, number: u64, _to: NodeId) {
        if let Some(trace) = &mut self.trace {
            trace.arrived(now, number);
        }
    }

    fn durable(&mut self, node: NodeId, _id: WriteId, write: &Write) {
        self.invariants.durable(node, write);
    }

    fn crashed(&mut self, now: Micros, node: NodeId) {
        if let Some(trace) = &mut self.trace {
            trace.crashed(now, node);
        }
        self.invariants.crashed(node);
    }
}
