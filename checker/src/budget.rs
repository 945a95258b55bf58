//! How much time and memory a check may take.

use std::time::{Duration, Instant};

use crate::search::Stopped;

/// The limits of one search.
#[derive(Clone, Copy)]
pub(crate) struct Budget {
    pub(crate) deadline: Option<Instant>,
    pub(crate) memory_bytes: usize,
    /// Steps after which to give up, for tries.
    pub(crate) steps: u64,
}

impl Budget {
    pub(crate) fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Whether there is time left, and memory for so many bytes.
    pub(crate) fn look(&self, bytes: usize) -> Result<(), Stopped> {
        if bytes > self.memory_bytes {
            Err(Stopped::OutOfMemory)
        } else if self.is_late() {
            Err(Stopped::Late)
        } else {
            Ok(())
        }
    }
}

/// Says when to look at the clock: about every millisecond, however long a step takes.
pub(crate) struct Pace {
    left: u32,
    interval: u32,
    last: Instant,
}

impl Pace {
    const WANTED: Duration = Duration::from_millis(1);
    const INTERVAL_MAX: u32 = 1024;

    pub(crate) fn new() -> Self {
        Self { left: 1, interval: 1, last: Instant::now() }
    }

    /// Counts one step. Whether the budget is to be looked at now.
    pub(crate) fn tick(&mut self) -> bool {
        self.left -= 1;
        if self.left > 0 {
            return false;
        }
        let now = Instant::now();
        if now - self.last > Self::WANTED {
            self.interval = (self.interval / 2).max(1);
        } else {
            self.interval = (self.interval * 2).min(Self::INTERVAL_MAX);
        }
        self.last = now;
        self.left = self.interval;
        true
    }
}
