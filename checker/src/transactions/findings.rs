//! Anomalies that were found, before they are told.

use super::ids::{ElementId, KeyId, TxnId};
use super::kind::AnomalyKind;
use super::report::AnomalyCount;
use super::search::FoundCycle;

/// One micro-operation: its transaction, and its place in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub(super) id: TxnId,
    pub(super) step: usize,
}

/// One anomaly.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Finding {
    NeverWritten {
        read: Place,
        element: ElementId,
    },
    DuplicateElements {
        read: Place,
        element: ElementId,
    },
    CyclicVersions {
        key: KeyId,
        elements: Vec<ElementId>,
    },
    IncompatibleOrder {
        key: KeyId,
        read: Place,
        longest: Place,
    },
    /// One transaction appended `first` before `second`, and a list has `second` without `first` before it.
    AppendedOtherwise {
        id: TxnId,
        first: ElementId,
        second: ElementId,
    },
    AbortedRead {
        read: Place,
        element: ElementId,
        writer: TxnId,
    },
    DirtyUpdate {
        key: KeyId,
        aborted: (TxnId, ElementId),
        committed: (TxnId, ElementId),
    },
    IntermediateRead {
        read: Place,
        element: ElementId,
        writer: TxnId,
    },
    Internal {
        read: Place,
        expected: Expected,
    },
    FutureRead {
        read: Place,
        element: ElementId,
    },
    LostUpdate {
        key: KeyId,
        read: Place,
        transactions: Vec<TxnId>,
    },
    Cycle(FoundCycle),
}

/// What a read should have seen after what its own transaction did before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Expected {
    /// What the read at this place of the transaction saw, and then these own elements.
    After { earlier: usize, own: Vec<ElementId> },
    /// Anything, and then these own elements.
    EndsWith { own: Vec<ElementId> },
    /// What the transaction itself wrote.
    Written { own: ElementId },
}

impl Finding {
    pub(super) fn kind(&self) -> AnomalyKind {
        match self {
            Self::NeverWritten { .. } => AnomalyKind::NeverWritten,
            Self::DuplicateElements { .. } => AnomalyKind::DuplicateElements,
            Self::CyclicVersions { .. } => AnomalyKind::CyclicVersions,
            Self::IncompatibleOrder { .. } | Self::AppendedOtherwise { .. } => AnomalyKind::IncompatibleOrder,
            Self::AbortedRead { .. } => AnomalyKind::AbortedRead,
            Self::DirtyUpdate { .. } => AnomalyKind::DirtyUpdate,
            Self::IntermediateRead { .. } => AnomalyKind::IntermediateRead,
            Self::Internal { .. } => AnomalyKind::Internal,
            Self::FutureRead { .. } => AnomalyKind::FutureRead,
            Self::LostUpdate { .. } => AnomalyKind::LostUpdate,
            Self::Cycle(cycle) => cycle.kind,
        }
    }
}

/// What was found: all of it counted, and of each kind the clearest or first few kept.
#[derive(Default)]
pub(super) struct Findings {
    kinds: Vec<(AnomalyKind, usize, Vec<Finding>)>,
}

impl Findings {
    /// How many of a kind are told.
    const TOLD_MAX: usize = 8;

    pub(super) fn add(&mut self, finding: Finding) {
        let kind = finding.kind();
        let index = match self.kinds.binary_search_by_key(&kind, |(kind, ..)| *kind) {
            Ok(index) => index,
            Err(index) => {
                self.kinds.insert(index, (kind, 0, Vec::new()));
                index
            }
        };
        let (_, count, kept) = &mut self.kinds[index];
        *count += 1;
        if kept.len() < Self::TOLD_MAX {
            kept.push(finding);
        } else if let Finding::Cycle(cycle) = &finding {
            // A shorter one is clearer than the last of the longest that were kept.
            let length = |finding: &Finding| match finding {
                Finding::Cycle(cycle) => cycle.steps.len(),
                Finding::NeverWritten { .. }
                | Finding::DuplicateElements { .. }
                | Finding::CyclicVersions { .. }
                | Finding::IncompatibleOrder { .. }
                | Finding::AppendedOtherwise { .. }
                | Finding::AbortedRead { .. }
                | Finding::DirtyUpdate { .. }
                | Finding::IntermediateRead { .. }
                | Finding::Internal { .. }
                | Finding::FutureRead { .. }
                | Finding::LostUpdate { .. } => 0,
            };
            if let Some(longest) = kept.iter_mut().rev().max_by_key(|kept| length(kept))
                && length(longest) > cycle.steps.len()
            {
                *longest = finding;
            }
        }
    }

    pub(super) fn kinds(&self) -> Vec<AnomalyKind> {
        self.kinds.iter().map(|(kind, ..)| *kind).collect()
    }

    pub(super) fn counts(&self) -> Vec<AnomalyCount> {
        self.kinds.iter().map(|(kind, count, _)| AnomalyCount { kind: *kind, count: *count }).collect()
    }

    pub(super) fn told(&self) -> impl Iterator<Item = &Finding> {
        self.kinds.iter().flat_map(|(_, _, kept)| kept)
    }
}
