//! What a search answers.

/// What a search came to, and what it took.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Outcome {
    pub(crate) found: Found,
    pub(crate) steps: u64,
    pub(crate) configurations: u64,
    pub(crate) peak_memory_bytes: usize,
}

impl Outcome {
    pub(crate) fn is_invalid(&self) -> bool {
        matches!(self.found, Found::Invalid { .. })
    }
}

/// Numbers are places in the partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Found {
    /// A legal order.
    Valid(Vec<u32>),
    /// There is none. The search came no further than to the completion of the one operation, or left behind what the
    /// other one needed.
    Invalid { suspects: [u32; 2] },
    /// The search was stopped. All that came back before this operation did has a legal order.
    /// The first suspect is that operation.
    Stopped { why: Stopped, suspects: [u32; 2], completed: usize },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stopped {
    Late,
    OutOfMemory,
    StepsSpent,
    TooConcurrent { open: usize },
}
