//! The time that a check may take.

use std::time::Instant;

/// The time is up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Late;

/// Looks at the clock every few thousand steps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watch {
    deadline: Option<Instant>,
    steps: u32,
}

impl Watch {
    const INTERVAL: u32 = 1 << 13;

    pub(super) fn new(deadline: Option<Instant>) -> Self {
        Self { deadline, steps: 0 }
    }

    /// Counts a step of some ten nanoseconds.
    pub(super) fn tick(&mut self) -> Result<(), Late> {
        self.steps += 1;
        if self.steps < Self::INTERVAL {
            return Ok(());
        }
        self.steps = 0;
        self.look()
    }

    /// Half of what is left for the first of several parts, however many come after it; all of it for the last one.
    pub(super) fn share(&self, parts: usize) -> Self {
        let now = Instant::now();
        let part = self.deadline.map(|deadline| {
            let left = deadline.saturating_duration_since(now);
            if parts <= 1 { deadline } else { now + left / 2 }
        });
        Self::new(part)
    }

    /// Looks at the clock now.
    pub(super) fn look(&self) -> Result<(), Late> {
        match self.deadline {
            Some(deadline) if Instant::now() >= deadline => Err(Late),
            Some(_) | None => Ok(()),
        }
    }
}
