//! Numbers of things in a history of transactions.

/// No number.
pub(super) const NONE: u32 = u32::MAX;

/// A transaction: its place in the history.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct TxnId(pub(super) u32);

/// A key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct KeyId(pub(super) u32);

/// A value of one key that somebody wrote, appended or saw. The same value of another key is another element.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct ElementId(pub(super) u32);

/// A list that some reads saw and that is no beginning of the key's spine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct ListId(pub(super) u32);

impl TxnId {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

impl KeyId {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

impl ElementId {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

impl ListId {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}
