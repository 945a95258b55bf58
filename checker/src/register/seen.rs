//! Who produced which value, who saw it, and which operations of unknown outcome must have happened.

use std::hash::Hash;

use rustc_hash::FxHashMap;

use super::blocks::NONE;
use super::{RegisterAnswer, RegisterContradiction, RegisterOperation, RegisterStep};

/// The number of a value: 0 is the initial one, the others are numbered by the invocation of their producers.
pub(super) type ValueId = u32;

pub(super) const INITIAL: ValueId = 0;

pub(super) struct Seen {
    /// The operation that wrote each value; [`NONE`] for the initial one.
    pub(super) producer: Vec<u32>,
    /// The compare-and-set that replaced each value, or [`NONE`].
    pub(super) replaced_by: Vec<u32>,
    /// The value that each operation produces or, of one that produces none, sees.
    pub(super) value: Vec<ValueId>,
    /// The value that a compare-and-set must find or may not find; elsewhere without meaning.
    pub(super) from: Vec<ValueId>,
    /// Operations that happened: those that came back, and those whose value was seen.
    pub(super) happened: Vec<bool>,
    /// Who saw the value of an operation of unknown outcome that happened.
    pub(super) needed_by: FxHashMap<u32, u32>,
}

impl Seen {
    pub(super) fn new<V: Copy + Eq + Hash>(
        operations: &[RegisterOperation<V>],
        initial: V,
    ) -> Result<Self, RegisterAnswer> {
        let mut ids = FxHashMap::default();
        ids.insert(initial, INITIAL);
        let mut producer = vec![NONE];
        for (place, operation) in operations.iter().enumerate() {
            let (RegisterStep::Write(value) | RegisterStep::Cas(_, value)) = operation.step else { continue };
            if ids.insert(value, producer.len() as ValueId).is_some() {
                return Err(RegisterAnswer::NotApplicable("a value is written more than once"));
            }
            producer.push(place as u32);
        }
        let id_of = |value: &V| ids.get(value).copied().unwrap_or(NONE);
        let mut value = Vec::with_capacity(operations.len());
        let mut from = Vec::with_capacity(operations.len());
        for operation in operations {
            let (own, old) = match &operation.step {
                RegisterStep::Read(seen) => (id_of(seen), NONE),
                RegisterStep::Write(new) => (id_of(new), NONE),
                RegisterStep::Cas(old, new) => (id_of(new), id_of(old)),
                RegisterStep::Refused(old) => (NONE, id_of(old)),
            };
            value.push(own);
            from.push(old);
        }
        let mut seen = Self {
            replaced_by: vec![NONE; producer.len()],
            producer,
            value,
            from,
            happened: Vec::new(),
            needed_by: FxHashMap::default(),
        };
        seen.decide_what_happened(operations)?;
        Ok(seen)
    }

    /// The least set of operations that contains those that came back, and the producer of all that one of it saw. (The
    /// greatest one would be wrong: two compare-and-sets of unknown outcome can see each other.)
    fn decide_what_happened<V>(&mut self, operations: &[RegisterOperation<V>]) -> Result<(), RegisterAnswer> {
        self.happened = operations.iter().map(|operation| operation.is_known).collect();
        for start in 0..operations.len() {
            if !operations[start].is_known {
                continue;
            }
            let mut place = start;
            loop {
                let needed = match operations[place].step {
                    RegisterStep::Read(_) => self.value[place],
                    RegisterStep::Cas(..) => self.from[place],
                    RegisterStep::Write(_) | RegisterStep::Refused(_) => break,
                };
                if needed == NONE {
                    return Err(self.invalid(RegisterContradiction::NeverWritten { observer: place as u32 }));
                }
                if matches!(operations[place].step, RegisterStep::Cas(..)) {
                    self.replace(needed, place as u32)?;
                }
                let producer = self.producer[needed as usize];
                if producer == NONE || self.happened[producer as usize] {
                    break;
                }
                self.happened[producer as usize] = true;
                self.needed_by.insert(producer, place as u32);
                place = producer as usize;
            }
        }
        Ok(())
    }

    fn invalid(&self, contradiction: RegisterContradiction) -> RegisterAnswer {
        RegisterAnswer::Invalid(contradiction.into_clash(self))
    }

    fn replace(&mut self, value: ValueId, by: u32) -> Result<(), RegisterAnswer> {
        let first = std::mem::replace(&mut self.replaced_by[value as usize], by);
        if first == NONE {
            Ok(())
        } else {
            let producer = Some(self.producer[value as usize]).filter(|producer| *producer != NONE);
            Err(self.invalid(RegisterContradiction::ReplacedTwice { producer, first, second: by }))
        }
    }
}
