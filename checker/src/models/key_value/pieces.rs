//! Which writes and appends a read of a text may owe its legality to, without knowing where the pieces of the text end.
//!
//! What was written or appended is part of the text that was read. So are its last few bytes, and of these a read can
//! name all that are in its text.

use rashomon_history::Key;

use crate::model::{Observed, effect_of};

/// Bytes at the end of a piece that tell it from others.
const TELLING: usize = 8;

/// Texts longer than this are not looked into: they have as many parts as bytes.
const LONG_BYTES: usize = 1 << 16;

/// The effect of putting a piece at a key. An empty one is all that a missing text owes itself to, and may be what made
/// room for another.
pub(super) fn effect(key: &Key, piece: &str) -> u64 {
    let bytes = piece.as_bytes();
    part(key_seed(key), &bytes[bytes.len().saturating_sub(TELLING)..])
}

/// The effects that a read of the text may owe itself to.
pub(super) fn observed(key: &Key, text: &str) -> Observed {
    if text.len() > LONG_BYTES {
        return Observed::Anything;
    }
    let seed = key_seed(key);
    let parts = (1..=TELLING).flat_map(|length| text.as_bytes().windows(length));
    let mut effects: Vec<u64> = parts.map(|bytes| part(seed, bytes)).chain([part(seed, b"")]).collect();
    effects.sort_unstable();
    effects.dedup();
    Observed::Effects(effects)
}

fn key_seed(key: &Key) -> u64 {
    effect_of(key)
}

fn part(seed: u64, bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word[..bytes.len()].copy_from_slice(bytes);
    effect_of((seed, u64::from_le_bytes(word), bytes.len()))
}
