//! When a client asks next.

use rashomon_draw::Draw;

/// The gaps between the calls of one client: uniform from nothing to twice the mean, so that clients do not march in
/// step.
pub struct Pace {
    draw: Draw,
    mean_gap_us: u64,
}

impl Pace {
    /// The pace of one of `clients` clients that together make `rate` calls a second; a rate of 0 knows no gaps.
    #[must_use]
    pub fn new(seed: u64, client: u64, clients: u64, rate: u64) -> Self {
        let mean_gap_us = (clients * 1_000_000).checked_div(rate).unwrap_or(0);
        Self { draw: Draw::stream(seed, &format!("pace of client {client}")), mean_gap_us }
    }

    /// Microseconds from one call to the next.
    pub fn next_gap_us(&mut self) -> u64 {
        self.draw.between(0, 2 * self.mean_gap_us)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_clients_keep_the_rate_together() {
        let total_us: u64 = (0..10)
            .map(|client| {
                let mut pace = Pace::new(1, client, 10, 500);
                (0..100).map(|_| pace.next_gap_us()).sum::<u64>()
            })
            .sum();
        let mean_us = total_us / 1000;
        assert!(
            (19_000..21_000).contains(&mean_us),
            "500 calls a second of 10 clients are 20 ms apart, not {mean_us} us"
        );
    }

    #[test]
    fn no_rate_means_no_gap() {
        assert_eq!(Pace::new(1, 0, 10, 0).next_gap_us(), 0);
    }
}
