//! Consistency levels of transactions, and which anomalies they forbid.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::kind::{AnomalyKind, CycleClass, Order};

/// What a system promises about its transactions. Names are Adya's and those of later papers, as Elle uses them; where a
/// level has several names it is known by its everyday one (`read-committed` is Adya's PL-2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[non_exhaustive]
pub enum Consistency {
    /// Adya's PL-1: writes of different transactions do not interleave.
    ReadUncommitted,
    /// Adya's PL-2: only final writes of committed transactions are read.
    ReadCommitted,
    /// PL-1 within each process's order.
    StrongSessionReadUncommitted,
    /// PL-2 within each process's order.
    StrongSessionReadCommitted,
    /// PL-1 in real time.
    StrongReadUncommitted,
    /// PL-2 in real time.
    StrongReadCommitted,
    /// Adya's PL-CS.
    CursorStability,
    /// Adya's PL-2L.
    MonotonicView,
    /// Adya's PL-MSR.
    MonotonicSnapshotRead,
    /// Bailis: once a transaction sees one write of another, it sees all of them.
    MonotonicAtomicView,
    /// Cerone: all writes of a transaction become visible at once.
    ReadAtomic,
    /// Cerone: read atomic, and visibility is transitive.
    Causal,
    /// Cerone: all transactions become visible in one order.
    Prefix,
    /// Cerone: read atomic without lost updates.
    UpdateAtomic,
    /// Cerone: causal without lost updates.
    ParallelSnapshotIsolation,
    /// Adya's PL-2+.
    ConsistentView,
    /// Adya's PL-FCV.
    ForwardConsistentView,
    /// Adya's PL-2.99: serializable but for predicates.
    RepeatableRead,
    /// Adya's PL-3U.
    UpdateSerializable,
    /// Reads from a snapshot, and of two that write the same key one fails.
    SnapshotIsolation,
    /// Snapshots contain what the same process committed before.
    StrongSessionSnapshotIsolation,
    /// Snapshots contain all that was committed before.
    StrongSnapshotIsolation,
    /// As if one transaction ran after the other, in some order.
    Serializable,
    /// ... in an order that keeps that of every process.
    StrongSessionSerializable,
    /// ... in an order that keeps real time.
    #[default]
    StrictSerializable,
}

use Consistency as C;

impl Consistency {
    /// All levels, weaker ones before those that imply them.
    pub const ALL: [Self; 25] = [
        C::ReadUncommitted,
        C::ReadCommitted,
        C::StrongSessionReadUncommitted,
        C::StrongSessionReadCommitted,
        C::StrongReadUncommitted,
        C::StrongReadCommitted,
        C::CursorStability,
        C::MonotonicView,
        C::MonotonicSnapshotRead,
        C::MonotonicAtomicView,
        C::ReadAtomic,
        C::Causal,
        C::Prefix,
        C::UpdateAtomic,
        C::ParallelSnapshotIsolation,
        C::ConsistentView,
        C::ForwardConsistentView,
        C::RepeatableRead,
        C::UpdateSerializable,
        C::SnapshotIsolation,
        C::StrongSessionSnapshotIsolation,
        C::StrongSnapshotIsolation,
        C::Serializable,
        C::StrongSessionSerializable,
        C::StrictSerializable,
    ];

    /// Its name: `strict-serializable`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            C::ReadUncommitted => "read-uncommitted",
            C::ReadCommitted => "read-committed",
            C::StrongSessionReadUncommitted => "strong-session-read-uncommitted",
            C::StrongSessionReadCommitted => "strong-session-read-committed",
            C::StrongReadUncommitted => "strong-read-uncommitted",
            C::StrongReadCommitted => "strong-read-committed",
            C::CursorStability => "cursor-stability",
            C::MonotonicView => "monotonic-view",
            C::MonotonicSnapshotRead => "monotonic-snapshot-read",
            C::MonotonicAtomicView => "monotonic-atomic-view",
            C::ReadAtomic => "read-atomic",
            C::Causal => "causal-cerone",
            C::Prefix => "prefix",
            C::UpdateAtomic => "update-atomic",
            C::ParallelSnapshotIsolation => "parallel-snapshot-isolation",
            C::ConsistentView => "consistent-view",
            C::ForwardConsistentView => "forward-consistent-view",
            C::RepeatableRead => "repeatable-read",
            C::UpdateSerializable => "update-serializable",
            C::SnapshotIsolation => "snapshot-isolation",
            C::StrongSessionSnapshotIsolation => "strong-session-snapshot-isolation",
            C::StrongSnapshotIsolation => "strong-snapshot-isolation",
            C::Serializable => "serializable",
            C::StrongSessionSerializable => "strong-session-serializable",
            C::StrictSerializable => "strict-serializable",
        }
    }

    /// The levels next below: whatever satisfies this one satisfies them.
    #[must_use]
    pub fn implies_directly(self) -> &'static [Self] {
        match self {
            C::ReadUncommitted => &[],
            C::ReadCommitted | C::StrongSessionReadUncommitted => &[C::ReadUncommitted],
            C::StrongSessionReadCommitted => &[C::ReadCommitted, C::StrongSessionReadUncommitted],
            C::StrongReadUncommitted => &[C::StrongSessionReadUncommitted],
            C::StrongReadCommitted => &[C::StrongSessionReadCommitted, C::StrongReadUncommitted],
            C::CursorStability | C::MonotonicView | C::MonotonicSnapshotRead | C::MonotonicAtomicView => {
                &[C::ReadCommitted]
            }
            C::ReadAtomic => &[C::MonotonicAtomicView],
            C::Causal | C::UpdateAtomic => &[C::ReadAtomic],
            C::Prefix => &[C::Causal],
            C::ParallelSnapshotIsolation => &[C::Causal, C::UpdateAtomic],
            C::ConsistentView => &[C::CursorStability, C::MonotonicView],
            C::ForwardConsistentView => &[C::ConsistentView],
            C::RepeatableRead => &[C::CursorStability, C::MonotonicAtomicView],
            C::UpdateSerializable => &[C::ForwardConsistentView],
            C::SnapshotIsolation => &[
                C::ForwardConsistentView,
                C::MonotonicAtomicView,
                C::MonotonicSnapshotRead,
                C::ParallelSnapshotIsolation,
                C::Prefix,
            ],
            C::StrongSessionSnapshotIsolation => &[C::SnapshotIsolation, C::StrongSessionReadCommitted],
            C::StrongSnapshotIsolation => &[C::StrongSessionSnapshotIsolation, C::StrongReadCommitted],
            C::Serializable => &[C::RepeatableRead, C::UpdateSerializable, C::SnapshotIsolation],
            C::StrongSessionSerializable => &[C::Serializable, C::StrongSessionSnapshotIsolation],
            C::StrictSerializable => &[C::StrongSessionSerializable, C::StrongSnapshotIsolation],
        }
    }

    /// Whether whatever satisfies this level satisfies the other one; every level implies itself.
    #[must_use]
    pub fn implies(self, other: Self) -> bool {
        self == other || self.implies_directly().iter().any(|weaker| weaker.implies(other))
    }

    /// Whether a history with such an anomaly breaks this level.
    #[must_use]
    pub fn forbids(self, kind: AnomalyKind) -> bool {
        self.forbids_itself(kind) || self.implies_directly().iter().any(|weaker| weaker.forbids(kind))
    }

    /// The strongest order that counts for this level.
    #[must_use]
    pub fn order(self) -> Order {
        let forbids = |order| CycleClass::ALL.into_iter().any(|class| self.forbids(AnomalyKind::Cycle(class, order)));
        Order::ALL.into_iter().rev().find(|order| forbids(*order)).unwrap_or(Order::Data)
    }

    /// What it forbids and no level below does.
    fn forbids_itself(self, kind: AnomalyKind) -> bool {
        use AnomalyKind as A;
        let cycle = |class, order| kind.implies(A::Cycle(class, order));
        match self {
            C::ReadUncommitted => {
                matches!(kind, A::NeverWritten | A::DuplicateElements) || cycle(CycleClass::G0, Order::Data)
            }
            C::ReadCommitted => kind.is_g1(),
            C::StrongSessionReadUncommitted => cycle(CycleClass::G0, Order::Process),
            C::StrongSessionReadCommitted => cycle(CycleClass::G1c, Order::Process),
            C::StrongReadUncommitted => cycle(CycleClass::G0, Order::Realtime),
            C::StrongReadCommitted => cycle(CycleClass::G1c, Order::Realtime),
            C::CursorStability | C::UpdateAtomic => kind == A::LostUpdate,
            C::MonotonicView | C::MonotonicSnapshotRead | C::MonotonicAtomicView => false,
            C::ReadAtomic => kind == A::Internal,
            C::Causal | C::Prefix | C::ParallelSnapshotIsolation => false,
            C::ConsistentView => cycle(CycleClass::GSingleItem, Order::Data),
            C::ForwardConsistentView | C::UpdateSerializable => false,
            C::RepeatableRead | C::Serializable => cycle(CycleClass::G2Item, Order::Data),
            C::SnapshotIsolation => cycle(CycleClass::GNonadjacentItem, Order::Data),
            C::StrongSessionSnapshotIsolation => cycle(CycleClass::GNonadjacentItem, Order::Process),
            C::StrongSnapshotIsolation => cycle(CycleClass::GNonadjacentItem, Order::Realtime),
            C::StrongSessionSerializable => cycle(CycleClass::G2Item, Order::Process),
            C::StrictSerializable => cycle(CycleClass::G2Item, Order::Realtime),
        }
    }

    /// The levels that a history with these anomalies breaks: the weakest ones, and all others.
    #[must_use]
    pub fn ruled_out(kinds: &[AnomalyKind]) -> (Vec<Self>, Vec<Self>) {
        let is_broken = |level: &Self| kinds.iter().any(|kind| level.forbids(*kind));
        let broken: Vec<Self> = Self::ALL.into_iter().filter(is_broken).collect();
        let is_weakest = |level: &Self| !broken.iter().any(|other| other != level && level.implies(*other));
        broken.iter().partition(|level| is_weakest(level))
    }
}

impl fmt::Display for Consistency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Consistency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Consistency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A name that is no consistency level's.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{name:?} is no consistency level; there are {}", Consistency::ALL.map(Consistency::name).join(", "))]
pub struct UnknownConsistency {
    /// What was asked for.
    pub name: String,
}

impl FromStr for Consistency {
    type Err = UnknownConsistency;

    /// Takes the everyday names, Adya's (`PL-2`) and `strong-serializable`.
    fn from_str(name: &str) -> Result<Self, UnknownConsistency> {
        let level = match name {
            "PL-1" => Some(C::ReadUncommitted),
            "PL-2" => Some(C::ReadCommitted),
            "PL-CS" => Some(C::CursorStability),
            "PL-2L" => Some(C::MonotonicView),
            "PL-MSR" => Some(C::MonotonicSnapshotRead),
            "PL-2+" => Some(C::ConsistentView),
            "PL-FCV" => Some(C::ForwardConsistentView),
            "PL-2.99" => Some(C::RepeatableRead),
            "PL-3U" => Some(C::UpdateSerializable),
            "PL-SI" => Some(C::SnapshotIsolation),
            "PL-3" | "conflict-serializable" => Some(C::Serializable),
            "PL-SS" | "strong-serializable" => Some(C::StrictSerializable),
            _ => Self::ALL.into_iter().find(|level| level.name() == name),
        };
        level.ok_or_else(|| UnknownConsistency { name: name.into() })
    }
}
