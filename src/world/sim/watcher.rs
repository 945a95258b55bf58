//! Looks on while a simulated cluster runs: who leads, and what no client can see.

use rashomon_report::Leadership;
use rashomon_systems::server::{Micros, NodeId, Write, WriteId};
use rashomon_systems::sim::Observer;

use super::clients::time;
use super::system::{Inner, OwnSystem, Running, Told};
use super::trace::Trace;
use super::{Check, Violation};
use crate::plan::Plan;

/// Sees every step of every member.
pub(super) struct Watcher<S: OwnSystem> {
    /// Who led from when on, by time.
    pub(super) leaders: Vec<Leadership>,
    /// Who was elected, where somebody wants to know it at once.
    pub(super) elected: Option<NodeId>,
    pub(super) tells_of_elections: bool,
    inner: S::Inner,
    /// The messages, where somebody wants to see them.
    pub(super) trace: Option<Trace>,
    violation: Option<Violation>,
}

impl<S: OwnSystem> Watcher<S> {
    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            leaders: Vec::new(),
            elected: None,
            tells_of_elections: false,
            inner: S::inner(plan),
            trace: None,
            violation: None,
        }
    }

    /// What was found wrong since this was last asked.
    pub(super) fn take_violation(&mut self) -> Option<Violation> {
        self.violation.take()
    }

    /// Long after the last fault and the last request: what must hold then.
    pub(super) fn converged(&mut self, now: Micros, running: &Running<'_, S>) {
        self.inner.converged(running);
        self.take_over(now);
    }

    fn note_leader(&mut self, now: Micros, node: NodeId, server: &S::Server) {
        let Some(member) = S::member(server) else { return };
        if member.is_leader() && self.leaders.last().is_none_or(|last| last.term < member.term()) {
            let leader = Leadership { time_ns: time(now), node: node.to_string(), term: member.term() };
            self.leaders.push(leader);
            self.elected = self.tells_of_elections.then_some(node);
        }
    }

    fn take_over(&mut self, now: Micros) {
        if self.violation.is_none()
            && let Some((kind, text)) = self.inner.violation()
        {
            self.violation = Some(Violation { check: Check::Invariants, kind, text, at: now });
        }
    }
}

impl<S: OwnSystem> Observer<S::Server> for Watcher<S> {
    fn recovered(&mut self, now: Micros, node: NodeId, server: &S::Server) {
        if let Some(trace) = &mut self.trace {
            trace.recovered::<S>(now, node, server);
        }
        self.inner.recovered(now, node, server);
        self.take_over(now);
    }

    fn stepped(&mut self, now: Micros, node: NodeId, server: &S::Server) {
        self.note_leader(now, node, server);
        if let Some(trace) = &mut self.trace {
            trace.stepped::<S>(now, node, server);
        }
        self.inner.stepped(now, node, server);
        self.take_over(now);
    }

    fn sent(&mut self, now: Micros, _number: u64, from: NodeId, to: NodeId, message: &Told<S>) {
        if let Some(trace) = &mut self.trace {
            trace.sent(now, from, to, S::tell(message));
        }
        self.inner.sent(now, from, to, message);
        self.take_over(now);
    }

    fn arrived(&mut self, now: Micros, number: u64, _to: NodeId) {
        if let Some(trace) = &mut self.trace {
            trace.arrived(now, number);
        }
    }

    fn durable(&mut self, node: NodeId, _id: WriteId, write: &Write) {
        self.inner.durable(node, write);
    }

    fn crashed(&mut self, now: Micros, node: NodeId) {
        if let Some(trace) = &mut self.trace {
            trace.crashed(now, node);
        }
        self.inner.crashed(node);
    }

    fn has_noticed(&mut self) -> bool {
        self.elected.is_some()
    }
}
