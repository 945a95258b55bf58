use rashomon_history::{Operation, TimeNs};

use super::{OutcomeCounts, Quantiles};
use crate::verdict::OutcomeKind;

/// Rate and latency over time, in buckets of the same width.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Series {
    /// The width of a bucket: 1, 2 or 5 times a power of ten.
    pub width_ns: u64,
    /// The buckets; the first begins with the run.
    pub buckets: Vec<Bucket>,
}

/// What completed in one bucket.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Bucket {
    /// Completions by outcome.
    pub operations: OutcomeCounts,
    /// Latency of the acknowledged ones.
    pub latency: Option<Quantiles>,
}

impl Series {
    /// Of these operations, up to `end`, in at most `most_buckets` buckets (at least one), none shorter than 10 ms.
    /// Operations count where they completed.
    #[must_use]
    pub fn of(operations: &[Operation], end: TimeNs, most_buckets: u64) -> Self {
        let width_ns = width_ns(end.0, most_buckets.max(1));
        let length = usize::try_from(end.0 / width_ns + 1).unwrap_or(usize::MAX);
        let mut buckets = vec![Bucket::default(); length];
        let mut latencies: Vec<Vec<u64>> = vec![Vec::new(); length];
        for operation in operations {
            let Some(completed) = operation.completed else { continue };
            let position = usize::try_from(completed.0 / width_ns).unwrap_or(usize::MAX).min(length - 1);
            let outcome = OutcomeKind::from(&operation.outcome);
            buckets[position].operations.add(outcome);
            if outcome == OutcomeKind::Ok {
                latencies[position].push(completed.0 - operation.invoked.0);
            }
        }
        for (bucket, latencies) in buckets.iter_mut().zip(&mut latencies) {
            bucket.latency = Quantiles::of(latencies);
        }
        Self { width_ns, buckets }
    }
}

/// The narrowest width of 1, 2 or 5 times a power of ten that makes no more than so many buckets.
fn width_ns(end_ns: u64, most_buckets: u64) -> u64 {
    const NARROWEST_NS: u64 = 10_000_000;
    let mut power = NARROWEST_NS;
    loop {
        for width in [power, power.saturating_mul(2), power.saturating_mul(5)] {
            if end_ns / width < most_buckets {
                return width;
            }
        }
        power = power.saturating_mul(10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{MS, Story};

    #[test]
    fn widths_are_round_and_buckets_few() {
        assert_eq!(width_ns(30_000 * MS, 200), 200 * MS);
        assert_eq!(width_ns(0, 200), 10 * MS);
        for end_ns in [1, 999 * MS, 3_600_000 * MS, u64::MAX] {
            assert!(end_ns / width_ns(end_ns, 200) < 200, "{end_ns}");
        }
    }

    #[test]
    fn operations_count_where_they_completed() {
        let mut story = Story::default();
        story.ok(0, "n1", 0, 15 * MS, "read", "x", "null");
        story.ok(0, "n1", 16 * MS, 17 * MS, "read", "x", "null");
        story.info(1, "n1", MS, 25 * MS, "read", "x", "", "timeout");
        let operations = story.history().into_operations();
        let series = Series::of(&operations, TimeNs(25 * MS), 200);
        let ok: Vec<u64> = series.buckets.iter().map(|bucket| bucket.operations.ok).collect();
        assert_eq!(ok, [0, 2, 0]);
        assert_eq!(series.buckets[1].latency.unwrap().max_ns, 15 * MS);
        assert_eq!(series.buckets[2].operations.info, 1);
        assert_eq!(series.buckets[2].latency, None);
    }
}
