//! Sessions: how long they certainly lived.

use rashomon_history::{Call, Operation, Outcome, TimeNs, Value};

use super::super::run::{Halt, Numbers, Run};
use super::{AnomalyKind, NONE, Rules};

/// The sessions of a history, numbered.
pub(super) struct Sessions<'a> {
    numbers: Numbers<&'a Value>,
    leases: Vec<Lease>,
}

/// What is known of the life of a session.
#[derive(Clone, Copy)]
pub(super) struct Lease {
    /// The session certainly lived until then, in nanoseconds.
    pub(super) until_ns: u64,
    /// The last command that was carried out, by invocation: it says so.
    pub(super) renewed: u32,
    /// The first command that was told that the session is over, by completion.
    over: u32,
}

/// What a refusal says of the session: its text begins with the code of the error.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    SessionExpired,
    NotHeld,
    /// Nothing.
    Other,
}

impl Refusal {
    pub(super) fn of(operation: &Operation) -> Self {
        let Outcome::Fail(reason) = &operation.outcome else { return Self::Other };
        match reason.split(':').next().unwrap_or_default().trim() {
            "session-expired" => Self::SessionExpired,
            "not-held" => Self::NotHeld,
            _ => Self::Other,
        }
    }
}

/// The session whose command it is.
fn owner_of(call: &Call) -> Option<&Value> {
    match call {
        Call::OpenSession { owner }
        | Call::KeepAlive { owner }
        | Call::Acquire { owner, .. }
        | Call::Release { owner, .. } => Some(owner),
        _ => None,
    }
}

impl<'a> Sessions<'a> {
    /// Looks at all commands, and tells of sessions that ended early or came back.
    pub(super) fn of(run: &mut Run<'a>, rules: Rules) -> Result<Self, Halt> {
        let mut sessions = Self { numbers: Numbers::new(), leases: Vec::new() };
        for place in 0..run.order.len() {
            run.step()?;
            let position = run.order[place];
            let operation = run.operation(position);
            let Some(owner) = owner_of(&operation.call) else { continue };
            run.count("session", u64::from(matches!(operation.call, Call::OpenSession { .. })));
            let number = sessions.numbers.number(run, owner)?;
            if number == sessions.leases.len() {
                run.push(&mut sessions.leases, Lease { until_ns: 0, renewed: NONE, over: NONE })?;
            }
            sessions.see(run, number, position, rules);
        }
        Ok(sessions)
    }

    fn see(&mut self, run: &mut Run<'a>, number: usize, position: u32, rules: Rules) {
        let operation = run.operation(position);
        let lease = &mut self.leases[number];
        if matches!(operation.outcome, Outcome::Ok(_)) {
            if lease.over != NONE && is_before(run.operation(lease.over), operation) {
                tell_revived(run, lease.over, position);
            }
            lease.renewed = position;
            lease.until_ns = lease.until_ns.max(operation.invoked.0.saturating_add(rules.ttl_ns));
            return;
        }
        let is_over = Refusal::of(operation) == Refusal::SessionExpired;
        // A refusal that overtook the opening says nothing.
        if !is_over || lease.renewed == NONE || !is_before(run.operation(lease.renewed), operation) {
            return;
        }
        if lease.over == NONE || is_sooner_over(operation, run.operation(lease.over)) {
            lease.over = position;
        }
        if operation.completed.is_some_and(|completed| completed.0 < lease.until_ns) {
            tell_early(run, *lease, position);
        }
    }

    pub(super) fn number(&mut self, run: &mut Run<'a>, owner: &'a Value) -> Result<usize, Halt> {
        self.numbers.number(run, owner)
    }

    pub(super) fn lease(&self, number: usize) -> Lease {
        self.leases[number]
    }
}

/// Whether one was over before the other began.
pub(super) fn is_before(one: &Operation, other: &Operation) -> bool {
    one.complete_index.is_some_and(|completed| completed < other.invoke_index)
}

fn is_sooner_over(one: &Operation, other: &Operation) -> bool {
    one.complete_index < other.complete_index
}

fn tell_early(run: &mut Run<'_>, lease: Lease, position: u32) {
    run.violation(AnomalyKind::ExpiredEarly, None, &[lease.renewed, position], |story| {
        format!(
            "{}, which renewed the lease of the session to {} at least; but {}, because the session was over.",
            story.whole(lease.renewed),
            TimeNs(lease.until_ns).exactly(),
            story.whole(position)
        )
    });
}

fn tell_revived(run: &mut Run<'_>, over: u32, position: u32) {
    run.violation(AnomalyKind::RevivedSession, None, &[over, position], |story| {
        format!("{}, because the session was over; but later it was not: {}.", story.whole(over), story.whole(position))
    });
}
