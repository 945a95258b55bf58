//! Locks: each client opens a session, acquires, works under the lock, releases, and begins anew.
//!
//! Lock `l3` guards the set `s3`: who holds the lock reads the whole set and writes it back with one element more, so that
//! two who hold it at once lose an element. A client that no longer knows where it stands - a session that is over, an
//! answer that never came - goes on under a new session, and leaves what it may hold to the lease. So does one that "dies"
//! while it holds the lock, now and then. In one workload a client also acquires its lock again, and another beside it, so
//! that with its session several locks end at once.

mod client;

use rashomon_draw::Draw;
use rashomon_history::{Call, Key, Outcome, Value};

use crate::rotation::Rotation;
use crate::{Asker, Generator};
use client::LockClient;

/// The permits of every semaphore, `p0`, `p1`, ...
pub const SEMAPHORE_PERMITS: u32 = 3;

/// Acquires of one lock before it is left for another: each may put several elements into the set, which is read and
/// written as a whole.
const ACQUIRES_A_LOCK: u32 = 60;
/// Fewer locks, more contention: how many are in use at a time is drawn.
const MOST_LOCKS: u64 = 3;

/// What is done with the locks.
#[derive(Clone, Copy)]
struct Habits {
    letter: char,
    /// How often an owner holds a lock at a time.
    most_holds: u32,
    /// Whether an owner now and then holds another lock beside the one under which it works.
    holds_another: bool,
    /// How many permits are asked for at a time.
    most_permits: u32,
    /// How often the set is written and read under one hold.
    most_work: u64,
    /// Of the work under a lock.
    reads_percent: u32,
}

impl Habits {
    const LOCK: Self =
        Self { letter: 'l', most_holds: 1, holds_another: false, most_permits: 1, most_work: 2, reads_percent: 10 };
    const FENCED_LOCK: Self = Self { most_holds: 3, holds_another: true, most_work: 6, ..Self::LOCK };
    const LOCK_SET: Self = Self { most_work: 4, reads_percent: 25, ..Self::LOCK };
    /// What several may hold at once guards no set.
    const SEMAPHORE: Self = Self { letter: 'p', most_permits: 2, most_work: 0, ..Self::LOCK };
}

pub(crate) struct LockGenerator {
    draw: Draw,
    habits: Habits,
    locks: Rotation,
    clients: Vec<LockClient>,
    next_element: i64,
}

impl LockGenerator {
    pub(crate) fn locks(seed: u64) -> Self {
        Self::new(seed, Habits::LOCK)
    }

    pub(crate) fn fenced_locks(seed: u64) -> Self {
        Self::new(seed, Habits::FENCED_LOCK)
    }

    pub(crate) fn guarded_sets(seed: u64) -> Self {
        Self::new(seed, Habits::LOCK_SET)
    }

    pub(crate) fn semaphores(seed: u64) -> Self {
        Self::new(seed, Habits::SEMAPHORE)
    }

    fn new(seed: u64, habits: Habits) -> Self {
        let mut draw = Draw::stream(seed, "calls");
        let open_locks = usize::try_from(draw.between(1, MOST_LOCKS)).unwrap_or(1);
        let locks = Rotation::new(habits.letter, open_locks, ACQUIRES_A_LOCK);
        Self { draw, habits, locks, clients: Vec::new(), next_element: 1 }
    }

    fn client(&mut self, number: usize) -> &mut LockClient {
        let known = self.clients.len();
        self.clients.extend((known..=number).map(LockClient::new));
        &mut self.clients[number]
    }

    fn fresh_element(&mut self) -> Value {
        let element = self.next_element;
        self.next_element += 1;
        Value::Int(element)
    }
}

/// The set that a lock guards.
fn guarded_by(lock: &Key) -> Key {
    let number = lock.as_str().trim_start_matches(|letter: char| !letter.is_ascii_digit());
    Key::from(format!("s{number}"))
}

/// What a client does next.
enum Step {
    Open {
        owner: Value,
    },
    KeepAlive {
        owner: Value,
    },
    Acquire {
        owner: Value,
        permits: u32,
    },
    AcquireAgain {
        owner: Value,
        lock: Key,
    },
    /// Whichever lock comes, beside the one that is held; that one again, where it comes.
    AcquireAnother {
        owner: Value,
    },
    Add {
        lock: Key,
    },
    Read {
        lock: Key,
    },
    Release {
        owner: Value,
        lock: Key,
        permits: u32,
    },
}

impl Generator for LockGenerator {
    fn next_call(&mut self, asker: Asker) -> Call {
        self.client(asker.client);
        match self.clients[asker.client].step(&self.habits, &mut self.draw) {
            Step::Open { owner } => Call::OpenSession { owner },
            Step::KeepAlive { owner } => Call::KeepAlive { owner },
            Step::Acquire { owner, permits } => Call::Acquire { key: self.locks.draw(&mut self.draw), owner, permits },
            Step::AcquireAnother { owner } => Call::Acquire { key: self.locks.draw(&mut self.draw), owner, permits: 1 },
            Step::AcquireAgain { owner, lock } => Call::Acquire { key: lock, owner, permits: 1 },
            Step::Add { lock } => Call::Add { key: guarded_by(&lock), value: self.fresh_element() },
            Step::Read { lock } => Call::Read { key: guarded_by(&lock) },
            Step::Release { owner, lock, permits } => Call::Release { key: lock, owner, permits },
        }
    }

    fn observe(&mut self, client: usize, call: &Call, outcome: &Outcome) {
        self.client(client);
        self.clients[client].observe(call, outcome, &self.habits, &mut self.draw);
    }

    fn final_reads(&self) -> Vec<Call> {
        let mut sets: Vec<Key> = self.locks.all().map(|lock| guarded_by(&lock)).collect();
        if self.habits.most_work == 0 {
            sets.truncate(1);
        }
        sets.into_iter().map(|key| Call::Read { key }).collect()
    }
}

#[cfg(test)]
mod tests;
