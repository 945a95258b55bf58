//! Locks and semaphores whose holders have leases: mutual exclusion, tokens, and who may release.
//!
//! An owner of locks is a session, opened once. A command of it that was answered `ok` was carried out after it was asked, and
//! renewed its lease: so the session lives at least until the **last such command was asked, plus the lease's time**. What the
//! session acquired it holds from the answer until it asked for the release, or until then. That is the least that is
//! certain, whatever the service's clocks did and whichever answers were lost; what overlaps by this measure was held
//! twice.
//!
//! An acquire by who holds the lock already is one hold more, for which it takes one release more. The cost is n log n.

mod holds;
mod sessions;
mod sweep;
mod tokens;

use rashomon_history::{Call, Key, Outcome, Returned};

use super::membership::NONE;
use super::report::{AnomalyKind, PropertyWhy};
use super::run::{Doubt, Halt, Numbers, Run, plain};
use sessions::Sessions;

const KINDS: [AnomalyKind; 10] = [
    AnomalyKind::DoubleHold,
    AnomalyKind::GrantedWithoutHold,
    AnomalyKind::TooManyPermits,
    AnomalyKind::ForeignRelease,
    AnomalyKind::LostHold,
    AnomalyKind::ExpiredEarly,
    AnomalyKind::RevivedSession,
    AnomalyKind::TokenReused,
    AnomalyKind::TokenFell,
    AnomalyKind::TokenChanged,
];

/// The token of a grant that the record of the service itself contradicts: where it counts from 1 what it grants, and says
/// of the moment of the grant that there was none.
const NO_HOLD: u64 = 0;

/// What the locks of a service promise.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    /// How long a lease lasts, in nanoseconds.
    ttl_ns: u64,
    /// How many may hold a lock at a time.
    permits: u32,
}

/// An acquire or a release.
#[derive(Clone, Copy)]
struct Step<'a> {
    position: u32,
    key: &'a Key,
    /// The numbers of the lock and of its owner.
    lock: usize,
    session: usize,
    permits: u32,
    is_acquire: bool,
    /// `None` where nobody knows whether it happened.
    is_ok: Option<bool>,
    token: Option<u64>,
}

pub(super) fn check(run: &mut Run<'_>, ttl_ns: u64, permits: u32) -> Result<Doubt, Halt> {
    for name in ["acquired", "released", "hold", "session"].into_iter().chain(KINDS.map(AnomalyKind::name)) {
        run.count(name, 0);
    }
    let rules = Rules { ttl_ns, permits };
    let mut sessions = Sessions::of(run, rules)?;
    let mut steps = steps(run, &mut sessions)?;
    // Stable: the steps of one owner stay in the order of their invocations.
    steps.sort_by_key(|step| (step.lock, step.session));
    run.objects(steps.last().map_or(0, |step| step.lock + 1));
    let (mut held, mut lengths_ns) = (Vec::new(), Vec::new());
    for of_lock in steps.chunk_by(|one, other| one.lock == other.lock) {
        for of_owner in of_lock.chunk_by(|one, other| one.session == other.session) {
            holds::find(run, of_owner, sessions.lease(of_owner[0].session), rules, &mut held)?;
        }
        for hold in &held {
            run.push(&mut lengths_ns, hold.to_ns - hold.from_ns)?;
        }
        sweep::check(run, of_lock[0].key, &mut held, &sessions, rules)?;
        tokens::check(run, of_lock)?;
    }
    run.latencies("hold", lengths_ns);
    let doubt = (run.counted("hold") < 2).then(|| {
        PropertyWhy::nothing("fewer than two locks were certainly held for a while; longer leases (--ttl) would help")
    });
    Ok(doubt)
}

/// The acquires and releases that may have happened or were refused, by invocation. Other calls are passed over.
fn steps<'a>(run: &mut Run<'a>, sessions: &mut Sessions<'a>) -> Result<Vec<Step<'a>>, Halt> {
    let mut locks: Numbers<&Key> = Numbers::new();
    let mut steps = Vec::new();
    for place in 0..run.order.len() {
        run.step()?;
        let position = run.order[place];
        let operation = run.operation(position);
        let (key, owner, permits, is_acquire) = match &operation.call {
            Call::Acquire { key, owner, permits } => (key, owner, *permits, true),
            Call::Release { key, owner, permits } => (key, owner, *permits, false),
            _ => continue,
        };
        let (is_ok, token) = match &operation.outcome {
            Outcome::Ok(returned) => (Some(true), token(returned)),
            Outcome::Fail(_) => (Some(false), None),
            Outcome::Info(_) => (None, None),
        };
        let name = if is_acquire { "acquired" } else { "released" };
        run.count(name, u64::from(is_ok == Some(true)));
        if is_acquire && token == Some(NO_HOLD) {
            run.violation(AnomalyKind::GrantedWithoutHold, Some(key), &[position], |story| {
                format!(
                    "{}: the service granted the lock to a session that did not hold it at that very moment, as its own record \
                     shows; its lease was over.",
                    story.whole(position)
                )
            });
        }
        let token = token.filter(|token| *token != NO_HOLD);
        let (lock, session) = (locks.number(run, key)?, sessions.number(run, owner)?);
        run.push(&mut steps, Step { position, key, lock, session, permits, is_acquire, is_ok, token })?;
    }
    Ok(steps)
}

fn token(returned: &Returned) -> Option<u64> {
    match plain(returned) {
        Returned::Token(token) => Some(*token),
        _ => None,
    }
}
