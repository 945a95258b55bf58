//! The contradictions that a register can show.

use super::seen::Seen;

/// Why the operations on a register are not linearizable. Numbers are places in the operations.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegisterClash {
    /// The contradiction.
    pub contradiction: RegisterContradiction,
    /// All operations that are part of it, each once, and those that show that one of unknown outcome happened.
    pub operations: Vec<u32>,
}

/// The contradictions that a register can show. Numbers are places in the operations.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RegisterContradiction {
    /// It saw a value that is neither the initial one nor written by anybody.
    NeverWritten {
        /// The read or compare-and-set.
        observer: u32,
    },
    /// Two compare-and-sets replaced the same value.
    ReplacedTwice {
        /// Who wrote the value; `None` for the initial one.
        producer: Option<u32>,
        /// One of them.
        first: u32,
        /// The other.
        second: u32,
    },
    /// Compare-and-sets that each replace what another one of them wrote, in a circle.
    Circle {
        /// They, each after the one whose value it replaced.
        steps: Vec<u32>,
    },
    /// One operation must come after another one, by the values that they saw, but was over before that began.
    Backwards {
        /// The one that must come first.
        earlier: u32,
        /// The one that must come later.
        later: u32,
        /// The writers of the values from the one to the other, in order, without the initial value's.
        producers: Vec<u32>,
    },
    /// Each of two values (or chains of compare-and-sets) must have been replaced before the other was written.
    Crossing {
        /// An operation of the one that was over before ... (`None`: it begins with the initial value, before all time)
        left_over: Option<u32>,
        /// ... this one of the other began.
        right_begins: u32,
        /// An operation of the other that was over before ...
        right_over: u32,
        /// ... this one of the one began.
        left_begins: u32,
        /// The writers of the values between the two operations of the one, in order.
        left_producers: Vec<u32>,
        /// The writers of the values between the two operations of the other, in order.
        right_producers: Vec<u32>,
    },
}

impl RegisterContradiction {
    fn operations(&self) -> Vec<u32> {
        match self {
            Self::NeverWritten { observer } => vec![*observer],
            Self::ReplacedTwice { producer, first, second } => {
                producer.iter().copied().chain([*first, *second]).collect()
            }
            Self::Circle { steps } => steps.clone(),
            Self::Backwards { earlier, later, producers } => {
                producers.iter().copied().chain([*earlier, *later]).collect()
            }
            Self::Crossing { left_over, right_begins, right_over, left_begins, left_producers, right_producers } => {
                left_producers
                    .iter()
                    .chain(right_producers)
                    .copied()
                    .chain(*left_over)
                    .chain([*right_begins, *right_over, *left_begins])
                    .collect()
            }
        }
    }

    /// The contradiction with all that belongs to it.
    pub(super) fn into_clash(self, seen: &Seen) -> RegisterClash {
        let mut operations = self.operations();
        let mut next = 0;
        while let Some(place) = operations.get(next) {
            operations.extend(seen.needed_by.get(place));
            next += 1;
        }
        operations.sort_unstable();
        operations.dedup();
        RegisterClash { contradiction: self, operations }
    }
}
