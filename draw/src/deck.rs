//! Choices that all come.

use crate::Draw;

/// Deals from a shuffled deck, and shuffles again when it is empty: every choice comes before any comes twice.
#[derive(Clone, Debug)]
pub struct Deck<T> {
    cards: Vec<T>,
    left: Vec<T>,
}

impl<T: Copy> Deck<T> {
    /// A deck of these cards.
    ///
    /// # Panics
    /// A deck has at least one card.
    #[must_use]
    pub fn new(cards: Vec<T>) -> Self {
        assert!(!cards.is_empty(), "a deck has cards");
        Self { cards, left: Vec::new() }
    }

    /// The next card.
    pub fn deal(&mut self, draw: &mut Draw) -> T {
        if self.left.is_empty() {
            self.left.clone_from(&self.cards);
            draw.shuffle(&mut self.left);
        }
        self.left.pop().unwrap_or(self.cards[0])
    }
}
