use serde::{Deserialize, Serialize};

/// Latencies of a set of operations, exact: half of them, 95 and 99 of 100 took no longer, and the slowest.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Quantiles {
    /// The median.
    pub p50_ns: u64,
    /// 95 of 100 took no longer.
    pub p95_ns: u64,
    /// 99 of 100 took no longer.
    pub p99_ns: u64,
    /// The slowest.
    pub max_ns: u64,
}

impl Quantiles {
    /// Of these latencies, by nearest rank; `None` without any. Sorts them.
    #[must_use]
    pub fn of(latencies_ns: &mut [u64]) -> Option<Self> {
        latencies_ns.sort_unstable();
        let rank = |percent: usize| latencies_ns[(latencies_ns.len() * percent).div_ceil(100).max(1) - 1];
        let max_ns = *latencies_ns.last()?;
        Some(Self { p50_ns: rank(50), p95_ns: rank(95), p99_ns: rank(99), max_ns })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_the_nearest() {
        let mut hundred: Vec<u64> = (1..=100).rev().collect();
        let expected = Quantiles { p50_ns: 50, p95_ns: 95, p99_ns: 99, max_ns: 100 };
        assert_eq!(Quantiles::of(&mut hundred), Some(expected));
        let one = Quantiles { p50_ns: 7, p95_ns: 7, p99_ns: 7, max_ns: 7 };
        assert_eq!(Quantiles::of(&mut [7]), Some(one));
        assert_eq!(Quantiles::of(&mut []), None);
    }
}
