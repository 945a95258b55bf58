//! The anomalies, by the names that Adya and Elle gave them.

use std::fmt;

use serde::{Serialize, Serializer};

/// What kind of anomaly it is. Its name, in JSON as well, is Elle's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum AnomalyKind {
    /// `never-written`: a read saw a value that no transaction ever tried to write.
    NeverWritten,
    /// `duplicate-elements`: a read saw an element twice in a list, though it was appended once.
    DuplicateElements,
    /// `cyclic-versions`: each of some values of a register must come before the others.
    CyclicVersions,
    /// `incompatible-order`: two reads saw the elements of a list in orders of which neither continues the other.
    IncompatibleOrder,
    /// `G1a`, aborted read: a read saw what a transaction wrote that certainly took no effect.
    AbortedRead,
    /// `dirty-update`: a committed append stands in a list after one of a transaction that certainly took no effect.
    DirtyUpdate,
    /// `G1b`, intermediate read: a read saw what its writer replaced within the same transaction.
    IntermediateRead,
    /// `internal`: a read contradicts what its own transaction read or wrote before.
    Internal,
    /// `future-read`: a read saw what its own transaction appended only later.
    FutureRead,
    /// `lost-update`: several transactions read the same version of a key, and each replaced it.
    LostUpdate,
    /// A cycle of dependencies.
    Cycle(CycleClass, Order),
}

/// By which dependencies a cycle goes round.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CycleClass {
    /// `G0`, dirty write: write-write only.
    G0,
    /// `G1c`, circular information flow: write-write and write-read, at least one write-read.
    G1c,
    /// `G-single-item`, read skew: exactly one read-write.
    GSingleItem,
    /// `G-nonadjacent-item`: several read-write, no two of them next to each other.
    GNonadjacentItem,
    /// `G2-item`, write skew: several read-write, two of them next to each other.
    G2Item,
}

/// Which orders besides the dependencies between data a cycle needs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Order {
    /// None.
    Data,
    /// `-process`: that transactions of one process follow each other.
    Process,
    /// `-realtime`: that a transaction was over before another one began.
    Realtime,
}

impl CycleClass {
    /// All of them, the worst first.
    pub const ALL: [Self; 5] = [Self::G0, Self::G1c, Self::GSingleItem, Self::GNonadjacentItem, Self::G2Item];
}

impl Order {
    /// All of them, the weakest first.
    pub const ALL: [Self; 3] = [Self::Data, Self::Process, Self::Realtime];
}

impl AnomalyKind {
    /// Whether every history with this one has, or is as bad as one that has, the other.
    #[must_use]
    pub fn implies(self, other: Self) -> bool {
        match (self, other) {
            (Self::Cycle(class, order), Self::Cycle(wider, more)) => {
                order <= more
                    && match class {
                        CycleClass::G0 => matches!(wider, CycleClass::G0 | CycleClass::G1c),
                        CycleClass::G1c => wider == CycleClass::G1c,
                        CycleClass::GSingleItem | CycleClass::GNonadjacentItem | CycleClass::G2Item => wider >= class,
                    }
            }
            (Self::FutureRead | Self::CyclicVersions, Self::Cycle(class, _)) => class == CycleClass::G1c,
            (Self::LostUpdate, Self::Cycle(class, _)) => class == CycleClass::G2Item,
            (Self::IncompatibleOrder | Self::DirtyUpdate | Self::NeverWritten, Self::AbortedRead) => true,
            (one, another) => one == another,
        }
    }

    /// Whether it is G1 of Adya's: an aborted read, an intermediate read or circular information flow. So are cyclic
    /// versions, which rest on writes that follow reads.
    pub(super) fn is_g1(self) -> bool {
        [Self::AbortedRead, Self::IntermediateRead, Self::Cycle(CycleClass::G1c, Order::Data)]
            .into_iter()
            .any(|part| self.implies(part))
    }

    /// The kind of this name, where there is one.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let single = [
            Self::NeverWritten,
            Self::DuplicateElements,
            Self::CyclicVersions,
            Self::IncompatibleOrder,
            Self::AbortedRead,
            Self::DirtyUpdate,
            Self::IntermediateRead,
            Self::Internal,
            Self::FutureRead,
            Self::LostUpdate,
        ];
        let cycles = CycleClass::ALL.into_iter().flat_map(|class| Order::ALL.map(|order| Self::Cycle(class, order)));
        single.into_iter().chain(cycles).find(|kind| kind.name() == name)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NeverWritten => "never-written",
            Self::DuplicateElements => "duplicate-elements",
            Self::CyclicVersions => "cyclic-versions",
            Self::IncompatibleOrder => "incompatible-order",
            Self::AbortedRead => "G1a",
            Self::DirtyUpdate => "dirty-update",
            Self::IntermediateRead => "G1b",
            Self::Internal => "internal",
            Self::FutureRead => "future-read",
            Self::LostUpdate => "lost-update",
            Self::Cycle(class, order) => cycle_name(class, order),
        }
    }

    /// What it is, for people: "read skew".
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::NeverWritten => "a value that nobody wrote",
            Self::DuplicateElements => "an element twice in a list",
            Self::CyclicVersions => "values that must each come before the others",
            Self::IncompatibleOrder => "reads that saw different orders",
            Self::AbortedRead => "aborted read",
            Self::DirtyUpdate => "update of an aborted transaction's state",
            Self::IntermediateRead => "intermediate read",
            Self::Internal => "a read that contradicts its own transaction",
            Self::FutureRead => "a read of what was written only later",
            Self::LostUpdate => "lost update",
            Self::Cycle(CycleClass::G0, _) => "dirty write",
            Self::Cycle(CycleClass::G1c, _) => "circular information flow",
            Self::Cycle(CycleClass::GSingleItem, _) => "read skew",
            Self::Cycle(CycleClass::GNonadjacentItem, _) => "long fork or another cycle with several reads of the past",
            Self::Cycle(CycleClass::G2Item, _) => "write skew",
        }
    }
}

fn cycle_name(class: CycleClass, order: Order) -> &'static str {
    match (class, order) {
        (CycleClass::G0, Order::Data) => "G0",
        (CycleClass::G0, Order::Process) => "G0-process",
        (CycleClass::G0, Order::Realtime) => "G0-realtime",
        (CycleClass::G1c, Order::Data) => "G1c",
        (CycleClass::G1c, Order::Process) => "G1c-process",
        (CycleClass::G1c, Order::Realtime) => "G1c-realtime",
        (CycleClass::GSingleItem, Order::Data) => "G-single-item",
        (CycleClass::GSingleItem, Order::Process) => "G-single-item-process",
        (CycleClass::GSingleItem, Order::Realtime) => "G-single-item-realtime",
        (CycleClass::GNonadjacentItem, Order::Data) => "G-nonadjacent-item",
        (CycleClass::GNonadjacentItem, Order::Process) => "G-nonadjacent-item-process",
        (CycleClass::GNonadjacentItem, Order::Realtime) => "G-nonadjacent-item-realtime",
        (CycleClass::G2Item, Order::Data) => "G2-item",
        (CycleClass::G2Item, Order::Process) => "G2-item-process",
        (CycleClass::G2Item, Order::Realtime) => "G2-item-realtime",
    }
}

impl fmt::Display for AnomalyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for AnomalyKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
