//! Random choices, all drawn from one seed.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A source of choices. The same seed gives the same choices, on every machine.
#[derive(Clone, Debug)]
pub(crate) struct Draw(ChaCha8Rng);

impl Draw {
    pub(crate) fn from_seed(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number below `bound`, which must not be 0: Lemire's multiplication, whose bias is below `bound` / 2^64.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        assert!(bound > 0, "there is no number below 0");
        let wide = u128::from(self.0.next_u64()) * bound as u128;
        usize::try_from(wide >> 64).unwrap_or(0)
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        let wide = u128::from(self.0.next_u64()) * (u128::from(high.saturating_sub(low)) + 1);
        low + u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// True in `percent` of 100 cases.
    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// Fisher and Yates.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            items.swap(end, self.below(end + 1));
        }
    }
}

/// Deals from a shuffled deck, and shuffles again when it is empty: every choice comes before any comes twice.
#[derive(Clone, Debug)]
pub(crate) struct Deck<T> {
    cards: Vec<T>,
    left: Vec<T>,
}

impl<T: Copy + PartialEq> Deck<T> {
    /// `cards` must not be empty.
    pub(crate) fn new(cards: Vec<T>) -> Self {
        assert!(!cards.is_empty(), "a deck has cards");
        Self { cards, left: Vec::new() }
    }

    pub(crate) fn deal(&mut self, draw: &mut Draw) -> T {
        if self.left.is_empty() {
            self.left.clone_from(&self.cards);
            draw.shuffle(&mut self.left);
        }
        self.left.pop().unwrap_or(self.cards[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_stay_in_their_bounds_and_reach_both_ends() {
        let mut draw = Draw::from_seed(1);
        let drawn: Vec<u64> = (0..1000).map(|_| draw.between(3, 6)).collect();
        for expected in 3..=6 {
            assert!(drawn.contains(&expected), "{expected} never came");
        }
        assert!(drawn.iter().all(|number| (3..=6).contains(number)));
    }

    #[test]
    fn a_deck_deals_every_card_before_it_repeats_one() {
        let mut draw = Draw::from_seed(2);
        let mut deck = Deck::new(vec![1, 2, 3, 4]);
        for _ in 0..10 {
            let mut hand: Vec<i32> = (0..4).map(|_| deck.deal(&mut draw)).collect();
            hand.sort_unstable();
            assert_eq!(hand, [1, 2, 3, 4]);
        }
    }
}
