//! Keys that are worked on for a while and then left for new ones.
//!
//! One key for ever would make a single history too long to look at, and a key a call would never see two clients
//! meet. So a few keys are open at a time, and each is left after some calls.

use rashomon_draw::Draw;
use rashomon_history::Key;

pub(crate) struct Rotation {
    letter: char,
    open: Vec<OpenKey>,
    next_name: u64,
    calls_a_key: u32,
}

struct OpenKey {
    name: u64,
    calls: u32,
}

impl Rotation {
    /// Keys are called by the letter and a number: `r7`.
    pub(crate) fn new(letter: char, open_keys: usize, calls_a_key: u32) -> Self {
        // Staggered, so that the keys are not all left at the same moment.
        let stagger =
            |slot: usize| calls_a_key * u32::try_from(slot).unwrap_or(0) / u32::try_from(open_keys).unwrap_or(1);
        let open = (0..open_keys).map(|slot| OpenKey { name: slot as u64, calls: stagger(slot) }).collect();
        Self { letter, open, next_name: open_keys as u64, calls_a_key }
    }

    /// Draws one of the open keys, and counts the call.
    pub(crate) fn draw(&mut self, draw: &mut Draw) -> Key {
        let slot = draw.below(self.open.len());
        let key = &mut self.open[slot];
        if key.calls >= self.calls_a_key {
            *key = OpenKey { name: self.next_name, calls: 0 };
            self.next_name += 1;
        }
        key.calls += 1;
        named(self.letter, key.name)
    }

    /// Every key drawn from so far, oldest first.
    pub(crate) fn all(&self) -> impl Iterator<Item = Key> + use<> {
        let letter = self.letter;
        (0..self.next_name).map(move |name| named(letter, name))
    }
}

fn named(letter: char, name: u64) -> Key {
    Key::from(format!("{letter}{name}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_key_is_left_after_its_calls_and_a_few_are_open_at_a_time() {
        let mut rotation = Rotation::new('x', 3, 50);
        let mut draw = Draw::from_seed(7);
        let mut calls = BTreeMap::<Key, u32>::new();
        for _ in 0..1000 {
            *calls.entry(rotation.draw(&mut draw)).or_default() += 1;
        }
        assert!(calls.values().all(|&count| count <= 50), "{calls:?}");
        assert!((20..=25).contains(&calls.len()), "{}", calls.len());
        assert_eq!(rotation.all().count(), calls.len());
    }
}
