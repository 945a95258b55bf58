//! The one source of random choices of Rashomon: what a generator asks, which fault a schedule holds, how long a message
//! of the simulation takes, when a server loses patience.
//!
//! The same seed gives the same choices, on every machine and in every build: the numbers are those of ChaCha with 8 rounds
//! (Bernstein 2008), everything made of them is whole-number arithmetic. So a run can be told by its seed alone.
//!
//! Whoever draws for a purpose of its own takes a stream of its own, [`Draw::stream`]: then one draw more in one place moves
//! nothing elsewhere, and a run stays recognisable while it is shrunk.
//!
//! ```
//! use rashomon_draw::Draw;
//!
//! let mut network = Draw::stream(7, "network");
//! let lost = network.per_mille(20);
//! let delay_us = network.between(50, 400);
//! assert_eq!((lost, delay_us), {
//!     let mut again = Draw::stream(7, "network");
//!     (again.per_mille(20), again.between(50, 400))
//! });
//! ```

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod deck;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

pub use deck::Deck;

/// A stream of choices.
#[derive(Clone, Debug)]
pub struct Draw(ChaCha8Rng);

impl Draw {
    /// The stream of a seed that has no label.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// The stream of a seed that is called `label`. Streams of different labels have nothing to do with each other: the seed is
    /// ChaCha's key, and the label's 64-bit FNV-1a hash its nonce.
    #[must_use]
    pub fn stream(seed: u64, label: &str) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(fnv_1a(label.as_bytes()));
        Self(generator)
    }

    /// Any number.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `bound`, each as likely as the next: Lemire's multiplication, whose bias is below `bound` / 2^64.
    ///
    /// # Panics
    /// There is no number below 0.
    #[inline]
    pub fn below(&mut self, bound: usize) -> usize {
        assert!(bound > 0, "there is no number below 0");
        self.scaled(bound as u128) as usize
    }

    /// A number from `low` to `high`, both included; `low` where `high` is less.
    #[inline]
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.scaled(u128::from(high.saturating_sub(low)) + 1)
    }

    /// A number below `bound`, which is at most 2^64.
    #[inline]
    fn scaled(&mut self, bound: u128) -> u64 {
        ((u128::from(self.next_u64()) * bound) >> 64) as u64
    }

    /// True in `percent` of 100 cases.
    #[inline]
    pub fn chance(&mut self, percent: u32) -> bool {
        self.scaled(100) < u64::from(percent)
    }

    /// True in `count` of 1,000 cases.
    #[inline]
    pub fn per_mille(&mut self, count: u32) -> bool {
        self.scaled(1000) < u64::from(count)
    }

    /// A time until something that may happen at any moment: short ones are many, and there is no longest, though none is
    /// longer than 45 times `mean`. The exponential distribution to within 1% of its mean, made without a logarithm, which is
    /// not the same on every machine.
    #[inline]
    pub fn exponential(&mut self, mean: u64) -> u64 {
        const ONE: u64 = 1 << 32;
        const LN_2: u64 = 2_977_044_472;
        /// Of the parabola between two powers of 2 that has the logarithm's mean.
        const BEND: u64 = 1_476_737_552;
        // The logarithm to the base 2, without its sign, of a number drawn from 0 to 1: its leading zeros and a fraction. All
        // in units of 2^-32.
        let drawn = self.next_u64() | 1;
        let zeros = u64::from(drawn.leading_zeros());
        let mantissa = (drawn << zeros << 1) >> 32;
        let line = ONE - mantissa;
        let fraction = line - ((line * ((BEND * mantissa) >> 32)) >> 32);
        let time = (u128::from(zeros * ONE + fraction) * u128::from(LN_2)) >> 32;
        u64::try_from((u128::from(mean) * time) >> 32).unwrap_or(u64::MAX)
    }

    /// One of these, each as likely as the next.
    ///
    /// # Panics
    /// There is nothing in an empty list.
    #[inline]
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// Brings the items into any order, each as likely as the next (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            items.swap(end, self.below(end + 1));
        }
    }
}

/// The 64-bit hash of Fowler, Noll and Vo, variant 1a.
fn fnv_1a(bytes: &[u8]) -> u64 {
    const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    bytes.iter().fold(OFFSET_BASIS, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests;
