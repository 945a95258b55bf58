//! A node's own clock: it begins anywhere and may run faster or slower than the world's, but never backwards.

use crate::server::Micros;

/// A million world microseconds are this many of a clock that runs right.
const MILLION: u64 = 1_000_000;

/// A node's own clock, as a line from the world's time to the node's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Clock {
    /// From this moment of the world on the line is straight.
    since: Micros,
    /// What the clock showed then.
    showed: Micros,
    /// Microseconds that it advances in a million microseconds of the world.
    per_million: u64,
}

impl Clock {
    pub(super) fn new(showing: Micros) -> Self {
        Self { since: Micros(0), showed: showing, per_million: MILLION }
    }

    /// What the clock shows at `now`.
    pub(super) fn at(&self, now: Micros) -> Micros {
        self.showed.after(now.since(self.since) * self.per_million / MILLION)
    }

    /// The first moment of the world at which the clock shows `local` or later.
    pub(super) fn when(&self, local: Micros) -> Micros {
        let ahead = u128::from(local.since(self.showed));
        let world = (ahead * u128::from(MILLION)).div_ceil(u128::from(self.per_million));
        self.since.after(u64::try_from(world).unwrap_or(u64::MAX))
    }

    /// It is `ahead_us` further at once.
    pub(super) fn jump(&mut self, now: Micros, ahead_us: u64) {
        *self = Self { since: now, showed: self.at(now).after(ahead_us), ..*self };
    }

    /// From `now` on it runs at its own rate.
    pub(super) fn set_rate(&mut self, now: Micros, rate_ppm: i32) {
        let per_million = u64::try_from(1_000_000 + i64::from(rate_ppm)).unwrap_or(0).max(1);
        *self = Self { since: now, showed: self.at(now), per_million };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_and_what_the_clock_shows_then_lead_to_each_other() {
        let mut clock = Clock::new(Micros(700));
        for (now, ahead_us, rate_ppm) in [(1_000, 0, 0), (5_000, 300, 50_000), (9_000, 0, -100_000), (20_000, 0, 0)] {
            clock.jump(Micros(now), ahead_us);
            clock.set_rate(Micros(now), rate_ppm);
            for later in (0..5_000).step_by(7) {
                let moment = Micros(now + later);
                let when = clock.when(clock.at(moment));
                assert!(when <= moment && clock.at(when) == clock.at(moment), "{clock:?} at {moment:?}");
            }
        }
    }

    #[test]
    fn a_fast_clock_shows_more_time() {
        let mut clock = Clock::new(Micros(0));
        clock.set_rate(Micros(0), 100_000);
        assert_eq!(clock.at(Micros(1_000_000)), Micros(1_100_000));
        clock.jump(Micros(1_000_000), 50);
        clock.set_rate(Micros(1_000_000), 0);
        assert_eq!(clock.at(Micros(1_000_001)), Micros(1_100_051));
    }
}
