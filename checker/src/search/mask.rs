//! Sets of places for open operations.

/// A set of up to `64 * W` places.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Mask<const W: usize>([u64; W]);

impl<const W: usize> Mask<W> {
    pub(super) const EMPTY: Self = Self([0; W]);

    pub(super) fn has(&self, slot: u16) -> bool {
        self.0[usize::from(slot) / 64] >> (slot % 64) & 1 == 1
    }

    pub(super) fn insert(&mut self, slot: u16) {
        self.0[usize::from(slot) / 64] |= 1 << (slot % 64);
    }

    pub(super) fn remove(&mut self, slot: u16) {
        self.0[usize::from(slot) / 64] &= !(1 << (slot % 64));
    }

    pub(super) fn without(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|word| self.0[word] & !other.0[word]))
    }

    pub(super) fn is_subset(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(own, others)| own & !others == 0)
    }

    /// The places in it, in order.
    pub(super) fn slots(self) -> impl Iterator<Item = u16> {
        let mut words = self.0;
        let mut word = 0;
        std::iter::from_fn(move || {
            while word < W && words[word] == 0 {
                word += 1;
            }
            let bits = words.get_mut(word)?;
            let bit = bits.trailing_zeros();
            *bits &= *bits - 1;
            Some((word * 64) as u16 + bit as u16)
        })
    }

    pub(super) fn mix(&self, hash: u64) -> u64 {
        self.0.iter().fold(hash, |hash, word| mix(hash, *word))
    }
}

/// Folds a word into a hash: the two halves of a product, as in wyhash.
pub(super) fn mix(hash: u64, word: u64) -> u64 {
    let product = u128::from(hash ^ word ^ 0x9e37_79b9_7f4a_7c15) * 0xa076_1d64_78bd_642f;
    (product as u64) ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_of_several_words_come_in_order() {
        let mut mask = Mask::<3>::EMPTY;
        for slot in [191, 0, 63, 64, 130] {
            mask.insert(slot);
        }
        assert_eq!(mask.slots().collect::<Vec<_>>(), [0, 63, 64, 130, 191]);
        mask.remove(64);
        assert!(!mask.has(64));
        assert!(mask.has(130));
        assert!(mask.is_subset(&mask));
        assert!(!mask.is_subset(&Mask::EMPTY));
        assert_eq!(mask.without(&mask), Mask::EMPTY);
    }
}
