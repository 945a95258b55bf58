//! One client of a lock service.

use rashomon_draw::Draw;
use rashomon_history::{Call, Key, Outcome, Value};

use super::{Habits, Step};

/// Of the calls of a client that waits for nothing.
const KEEP_ALIVE_PERCENT: u32 = 10;
/// A client begins anew, whatever it holds.
const DIES_PERCENT: u32 = 3;
const AGAIN_PERCENT: u32 = 25;
/// Of the acquires of a client that holds a lock.
const ANOTHER_PERCENT: u32 = 50;
/// After an acquire of which nobody knows, one releases it; the others leave it to the lease.
const RELEASES_UNKNOWN_PERCENT: u32 = 50;

/// What a client knows of where it stands.
pub(super) struct LockClient {
    number: usize,
    sessions: u64,
    standing: Standing,
}

enum Standing {
    /// Without a session that it could rely on.
    Out,
    /// With a session, and no lock.
    Free {
        owner: Value,
    },
    Holds(Hold),
}

struct Hold {
    owner: Value,
    lock: Key,
    /// Of each acquire.
    permits: u32,
    /// How often it was acquired and not released.
    depth: u32,
    /// Another lock that was acquired meanwhile. Nothing is done under it.
    beside: Option<Key>,
    work_left: u64,
    /// Whether it was certainly acquired.
    is_certain: bool,
}

/// What a refusal says of the session and the hold.
enum Refusal {
    SessionOver,
    NotHeld,
    /// Nothing of either: the call may be made again.
    Other,
}

impl Refusal {
    fn of(reason: &str) -> Self {
        let code = reason.split(':').next().unwrap_or_default();
        match code.trim() {
            "session-expired" | "unknown-session" => Self::SessionOver,
            "not-held" | "stale-token" | "lease-over" => Self::NotHeld,
            _ => Self::Other,
        }
    }
}

impl LockClient {
    pub(super) fn new(number: usize) -> Self {
        Self { number, sessions: 0, standing: Standing::Out }
    }

    pub(super) fn step(&mut self, habits: &Habits, draw: &mut Draw) -> Step {
        if draw.chance(DIES_PERCENT) {
            self.standing = Standing::Out;
        }
        match &mut self.standing {
            Standing::Out => {
                self.sessions += 1;
                Step::Open { owner: format!("c{}-{}", self.number, self.sessions).as_str().into() }
            }
            Standing::Free { owner } if draw.chance(KEEP_ALIVE_PERCENT) => Step::KeepAlive { owner: owner.clone() },
            Standing::Free { owner } => {
                let permits = u32::try_from(draw.between(1, habits.most_permits.into())).unwrap_or(1);
                Step::Acquire { owner: owner.clone(), permits }
            }
            Standing::Holds(hold) => hold.step(habits, draw),
        }
    }

    pub(super) fn observe(&mut self, call: &Call, outcome: &Outcome, habits: &Habits, draw: &mut Draw) {
        let standing = std::mem::replace(&mut self.standing, Standing::Out);
        self.standing = match (call, outcome) {
            (Call::OpenSession { owner }, Outcome::Ok(_)) => Standing::Free { owner: owner.clone() },
            (Call::KeepAlive { .. }, Outcome::Ok(_)) => standing,
            (Call::OpenSession { .. } | Call::KeepAlive { .. }, Outcome::Info(_)) => Standing::Out,
            (Call::Acquire { key, owner, permits }, outcome) => {
                standing.acquired((key, owner, *permits), outcome, habits, draw)
            }
            (Call::Release { key, .. }, Outcome::Ok(_)) => standing.released(key),
            (Call::Release { .. }, Outcome::Info(_)) => Standing::Out,
            (_, Outcome::Fail(reason)) => standing.refused(call, &Refusal::of(reason)),
            // Whatever is still under way may overtake what would be written next: nothing more under this hold.
            (Call::Add { .. }, Outcome::Info(_)) => standing.without_work(),
            (_, Outcome::Ok(_) | Outcome::Info(_)) => standing,
        };
    }
}

impl Hold {
    fn step(&mut self, habits: &Habits, draw: &mut Draw) -> Step {
        let (owner, lock) = (self.owner.clone(), self.lock.clone());
        if draw.chance(KEEP_ALIVE_PERCENT) {
            return Step::KeepAlive { owner };
        }
        if self.is_certain && self.depth < habits.most_holds && draw.chance(AGAIN_PERCENT) {
            let another = habits.holds_another && self.beside.is_none() && draw.chance(ANOTHER_PERCENT);
            return if another { Step::AcquireAnother { owner } } else { Step::AcquireAgain { owner, lock } };
        }
        if self.work_left == 0 {
            let lock = self.beside.clone().unwrap_or(lock);
            return Step::Release { owner, lock, permits: self.permits };
        }
        self.work_left -= 1;
        if draw.chance(habits.reads_percent) { Step::Read { lock } } else { Step::Add { lock } }
    }
}

impl Standing {
    /// After an acquire.
    fn acquired(
        self,
        (key, owner, permits): (&Key, &Value, u32),
        outcome: &Outcome,
        habits: &Habits,
        draw: &mut Draw,
    ) -> Self {
        let is_certain = match outcome {
            Outcome::Ok(_) => true,
            Outcome::Fail(reason) => return self.refused_acquire(&Refusal::of(reason)),
            Outcome::Info(_) if draw.chance(RELEASES_UNKNOWN_PERCENT) => false,
            Outcome::Info(_) => return Self::Out,
        };
        match self {
            Self::Holds(hold) => {
                let is_another = *key != hold.lock;
                Self::Holds(Hold {
                    depth: hold.depth + u32::from(!is_another),
                    beside: if is_another { Some(key.clone()) } else { hold.beside },
                    work_left: if is_certain { hold.work_left } else { 0 },
                    is_certain: hold.is_certain && is_certain,
                    ..hold
                })
            }
            Self::Out | Self::Free { .. } => Self::Holds(Hold {
                owner: owner.clone(),
                lock: key.clone(),
                permits,
                depth: 1,
                beside: None,
                work_left: if is_certain { draw.between(u64::from(habits.most_work > 0), habits.most_work) } else { 0 },
                is_certain,
            }),
        }
    }

    fn refused_acquire(self, refusal: &Refusal) -> Self {
        match refusal {
            Refusal::SessionOver => Self::Out,
            Refusal::NotHeld | Refusal::Other => self,
        }
    }

    fn released(self, key: &Key) -> Self {
        match self {
            Self::Holds(hold) if hold.beside.as_ref() == Some(key) => {
                Self::Holds(Hold { beside: None, work_left: 0, ..hold })
            }
            Self::Holds(hold) if hold.depth > 1 => Self::Holds(Hold { depth: hold.depth - 1, work_left: 0, ..hold }),
            Self::Holds(hold) => Self::Free { owner: hold.owner },
            Self::Out | Self::Free { .. } => self,
        }
    }

    fn refused(self, call: &Call, refusal: &Refusal) -> Self {
        match (refusal, self) {
            (Refusal::SessionOver, _) => Self::Out,
            // The acquire of which nobody knew may still come true: under this session it would be there for ever.
            (Refusal::NotHeld, Self::Holds(hold)) if matches!(call, Call::Release { .. }) && hold.is_certain => {
                Self::Free { owner: hold.owner }
            }
            (Refusal::NotHeld, Self::Holds(_)) if matches!(call, Call::Release { .. }) => Self::Out,
            // A client that lost its lock without noticing releases it, which must be refused.
            (Refusal::NotHeld, standing) => standing.without_work(),
            (Refusal::Other, standing) => standing,
        }
    }

    fn without_work(self) -> Self {
        match self {
            Self::Holds(hold) => Self::Holds(Hold { work_left: 0, ..hold }),
            Self::Out | Self::Free { .. } => self,
        }
    }
}
