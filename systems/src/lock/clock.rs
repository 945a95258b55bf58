//! How much time an entry of the log stands for.

use crate::server::Micros;

/// While sessions exist, a leader proposes an entry at least so many times within a lease.
const ADVANCES: u64 = 40;
/// One entry stands for at most this part of a lease: a clock that jumps ahead takes no more from a lease.
const LONGEST_PART: u64 = 25;

/// A leader's measure of the time since the last entry that it proposed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LogClock {
    interval_us: u64,
    longest_us: u64,
    /// The term in which this member leads, and what its clock showed when it proposed last.
    leads: Option<(u64, Micros)>,
}

impl LogClock {
    /// For leases that last `ttl_us` or longer.
    #[must_use]
    pub fn new(ttl_us: u64) -> Self {
        Self { interval_us: (ttl_us / ADVANCES).max(1), longest_us: (ttl_us / LONGEST_PART).max(1), leads: None }
    }

    /// A planted bug: an entry stands for as much time as the clock says, however far it jumped.
    #[must_use]
    pub fn trusting(self) -> Self {
        Self { longest_us: u64::MAX, ..self }
    }

    /// What the member is now: the term in which it leads, if it does. Time of a leadership counts from its beginning.
    /// Answers whether one has just begun.
    pub fn look(&mut self, now: Micros, term: Option<u64>) -> bool {
        let begins = term.is_some() && term != self.leads.map(|(term, _)| term);
        if begins || term.is_none() {
            self.leads = term.map(|term| (term, now));
        }
        begins
    }

    /// The time for which an entry stands that is proposed now. It is counted once.
    pub fn stamp(&mut self, now: Micros) -> u64 {
        let Some((_, last)) = &mut self.leads else { return 0 };
        let elapsed_us = now.since(*last);
        *last = now;
        elapsed_us.min(self.longest_us)
    }

    /// When the next entry is due; never where this member does not lead.
    #[must_use]
    pub fn due(&self) -> Micros {
        self.leads.map_or(Micros(u64::MAX), |(_, last)| last.after(self.interval_us))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_counts_once_and_only_while_a_member_leads() {
        let mut clock = LogClock::new(1_000_000);
        assert_eq!(clock.stamp(Micros(5_000)), 0, "it does not lead");
        assert!(clock.look(Micros(10_000), Some(3)));
        assert!(!clock.look(Micros(11_000), Some(3)));
        assert_eq!((clock.stamp(Micros(12_000)), clock.stamp(Micros(12_000))), (2_000, 0));
        assert_eq!(clock.due(), Micros(37_000));
        assert!(clock.look(Micros(500_000), Some(4)), "another leader may have counted what was between");
        assert_eq!(clock.stamp(Micros(500_000)), 0);
        clock.look(Micros(600_000), None);
        assert_eq!((clock.stamp(Micros(700_000)), clock.due()), (0, Micros(u64::MAX)));
    }

    #[test]
    fn a_clock_that_jumps_ahead_takes_little_from_a_lease() {
        let mut clock = LogClock::new(1_000_000);
        clock.look(Micros(0), Some(1));
        assert_eq!(clock.stamp(Micros(10_000_000)), 40_000);
        assert_eq!(clock.trusting().stamp(Micros(20_000_000)), 10_000_000);
    }
}
