//! A history of transactions, packed.

use std::hash::{BuildHasher, Hash, Hasher};

use hashbrown::HashTable;
use rashomon_history::{Key, Value};
use rustc_hash::{FxBuildHasher, FxHashMap, FxHasher};

use super::error::TransactionError;
use super::ids::{ElementId, KeyId, ListId, NONE, TxnId};

/// One transaction, without its micro-operations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Transaction {
    /// Who asked. Transactions of one process follow each other.
    pub process: u64,
    /// What became of it.
    pub outcome: TransactionOutcome,
    /// When it was invoked. Times are in any unit that grows; positions in a log serve as well.
    pub invoked: u64,
    /// When it came back. Without meaning where the outcome is unknown. A transaction that completes at the moment at
    /// which another one is invoked is concurrent with it.
    pub completed: u64,
    /// Its position in what was recorded, by which a report names it.
    pub position: usize,
}

/// What became of a transaction.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TransactionOutcome {
    /// It took effect between its invocation and its completion, and what it read is known.
    Committed,
    /// It certainly took no effect and never will.
    Aborted,
    /// Nobody knows: it may have taken effect, may still do so, or never.
    Unknown,
}

/// Transactions over lists and registers, each with its micro-operations in their order.
///
/// Keys and values are kept once. A read of a list takes twelve bytes, whatever its length, as long as it is a beginning
/// of another read of that key or continues one. So a million transactions take about a hundred megabytes.
///
/// ```
/// use rashomon_checker::transactions::{Transaction, TransactionHistory, TransactionOutcome};
/// use rashomon_history::Key;
///
/// let x = Key::from("x");
/// let mut history = TransactionHistory::new();
/// let committed = TransactionOutcome::Committed;
/// history.begin(Transaction { process: 0, outcome: committed, invoked: 0, completed: 5, position: 0 })?;
/// history.read_list(&x, &[])?;
/// history.append(&x, &1.into())?;
/// history.begin(Transaction { process: 1, outcome: committed, invoked: 7, completed: 9, position: 1 })?;
/// history.read_list(&x, &[1.into()])?;
/// assert_eq!(history.len(), 2);
/// # Ok::<(), rashomon_checker::transactions::TransactionError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct TransactionHistory {
    pub(super) transactions: Vec<Transaction>,
    /// Where the steps of each transaction begin.
    first_step: Vec<u32>,
    steps: Vec<Step>,
    pub(super) keys: Vec<KeyEntry>,
    key_ids: FxHashMap<Key, KeyId>,
    pub(super) elements: Vec<Element>,
    element_ids: HashTable<ElementId>,
    /// Lists that are no beginning of their key's spine, one after the other.
    list_elements: Vec<ElementId>,
    pub(super) lists: Vec<List>,
    list_ids: HashTable<ListId>,
}

/// What is known of a key.
#[derive(Clone, Debug)]
pub(super) struct KeyEntry {
    pub(super) name: Key,
    pub(super) kind: KeyKind,
    /// Of a list: the longest list of different elements seen so far, of those that continue the first one seen.
    pub(super) spine: Vec<ElementId>,
}

/// What a key holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum KeyKind {
    /// Nothing was written, and only nothing was read.
    Unused,
    /// A list, which is appended to.
    List,
    /// A register, which is written.
    Register,
}

/// A value of a key.
#[derive(Clone, Debug)]
pub(super) struct Element {
    pub(super) key: KeyId,
    pub(super) value: Value,
    /// Its place on the key's spine, or [`NONE`].
    spine_place: u32,
}

/// A list that is no beginning of its key's spine.
#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    pub(super) key: KeyId,
    begin: u32,
    end: u32,
}

/// One micro-operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// Put the element at the end of its list.
    Append(ElementId),
    /// Made the element its register's value.
    Write(ElementId),
    /// Saw that the key holds nothing.
    ReadNothing(KeyId),
    /// Saw the first elements of the key's spine, at least one.
    ReadSpine { key: KeyId, length: u32 },
    /// Saw another list.
    ReadList(ListId),
    /// Saw the element in its register.
    ReadValue(ElementId),
    /// Asked, and nobody knows what it saw.
    ReadUnknown(KeyId),
}

impl TransactionHistory {
    /// An empty history.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many transactions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.transactions.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.transactions.is_empty()
    }

    /// Bytes that it takes.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let spines: usize = self.keys.iter().map(|key| key.spine.capacity() * size_of::<ElementId>()).sum();
        self.transactions.capacity() * size_of::<Transaction>()
            + self.first_step.capacity() * size_of::<u32>()
            + self.steps.capacity() * size_of::<Step>()
            + self.keys.capacity() * (size_of::<KeyEntry>() + size_of::<(Key, KeyId)>() * 2)
            + spines
            + self.elements.capacity() * size_of::<Element>()
            + self.element_ids.allocation_size()
            + self.list_elements.capacity() * size_of::<ElementId>()
            + self.lists.capacity() * size_of::<List>()
            + self.list_ids.allocation_size()
    }

    /// Begins the next transaction. What is read, written and appended from here on belongs to it.
    ///
    /// # Errors
    ///
    /// If it ends before it begins, or there are too many.
    pub fn begin(&mut self, transaction: Transaction) -> Result<(), TransactionError> {
        let Transaction { outcome, invoked, completed, position, .. } = transaction;
        if outcome != TransactionOutcome::Unknown && completed < invoked {
            return Err(TransactionError::EndsBeforeItBegins { position, invoked, completed });
        }
        if self.transactions.len() >= TransactionError::TRANSACTIONS_MAX {
            return Err(TransactionError::TooLong);
        }
        self.transactions.push(transaction);
        self.first_step.push(self.steps.len() as u32);
        Ok(())
    }

    /// Appends a value to a list.
    ///
    /// # Errors
    ///
    /// If the key is a register, or the history too long.
    pub fn append(&mut self, key: &Key, value: &Value) -> Result<(), TransactionError> {
        let key = self.key(key, KeyKind::List)?;
        let element = self.element(key, value)?;
        self.push(Step::Append(element))
    }

    /// Writes a value to a register.
    ///
    /// # Errors
    ///
    /// If the key is a list, or the history too long.
    pub fn write(&mut self, key: &Key, value: &Value) -> Result<(), TransactionError> {
        let key = self.key(key, KeyKind::Register)?;
        let element = self.element(key, value)?;
        self.push(Step::Write(element))
    }

    /// Reads a list.
    ///
    /// # Errors
    ///
    /// If the key is a register, or the history too long.
    pub fn read_list(&mut self, key: &Key, seen: &[Value]) -> Result<(), TransactionError> {
        if seen.is_empty() {
            return self.read_nothing(key);
        }
        let key = self.key(key, KeyKind::List)?;
        if !self.has_committed() {
            return self.push(Step::ReadUnknown(key));
        }
        let step = match self.read_spine(key, seen)? {
            Some(length) => Step::ReadSpine { key, length },
            None => Step::ReadList(self.list(key, seen)?),
        };
        self.push(step)
    }

    /// Reads a register.
    ///
    /// # Errors
    ///
    /// If the key is a list, or the history too long.
    pub fn read_value(&mut self, key: &Key, seen: &Value) -> Result<(), TransactionError> {
        if *seen == Value::Nil {
            return self.read_nothing(key);
        }
        let key = self.key(key, KeyKind::Register)?;
        if !self.has_committed() {
            return self.push(Step::ReadUnknown(key));
        }
        let element = self.element(key, seen)?;
        self.push(Step::ReadValue(element))
    }

    /// Reads a key that holds nothing yet: a register that is nil, or an empty list.
    ///
    /// # Errors
    ///
    /// If the history is too long.
    pub fn read_nothing(&mut self, key: &Key) -> Result<(), TransactionError> {
        let key = self.key(key, KeyKind::Unused)?;
        let is_known = self.has_committed();
        self.push(if is_known { Step::ReadNothing(key) } else { Step::ReadUnknown(key) })
    }

    /// Reads a key without hearing what it holds.
    ///
    /// # Errors
    ///
    /// If the history is too long.
    pub fn read_unknown(&mut self, key: &Key) -> Result<(), TransactionError> {
        let key = self.key(key, KeyKind::Unused)?;
        self.push(Step::ReadUnknown(key))
    }

    fn has_committed(&self) -> bool {
        self.transactions.last().is_some_and(|last| last.outcome == TransactionOutcome::Committed)
    }

    fn push(&mut self, step: Step) -> Result<(), TransactionError> {
        if self.transactions.is_empty() {
            return Err(TransactionError::NoTransaction);
        }
        if self.steps.len() >= NONE as usize - 1 {
            return Err(TransactionError::TooLong);
        }
        self.steps.push(step);
        Ok(())
    }

    fn key(&mut self, name: &Key, kind: KeyKind) -> Result<KeyId, TransactionError> {
        let id = match self.key_ids.get(name) {
            Some(id) => *id,
            None => {
                let id = KeyId(self.keys.len() as u32);
                self.keys.push(KeyEntry { name: name.clone(), kind, spine: Vec::new() });
                self.key_ids.insert(name.clone(), id);
                id
            }
        };
        let known = &mut self.keys[id.index()].kind;
        match (*known, kind) {
            (KeyKind::Unused, _) => *known = kind,
            (_, KeyKind::Unused) | (KeyKind::List, KeyKind::List) | (KeyKind::Register, KeyKind::Register) => {}
            (KeyKind::List, KeyKind::Register) | (KeyKind::Register, KeyKind::List) => {
                let position = self.transactions.last().map_or(0, |last| last.position);
                return Err(TransactionError::ListAndRegister { position, key: name.to_string() });
            }
        }
        Ok(id)
    }

    fn element(&mut self, key: KeyId, value: &Value) -> Result<ElementId, TransactionError> {
        let hash = hash_of(key, value);
        let elements = &self.elements;
        let is_it = |id: &ElementId| elements[id.index()].key == key && elements[id.index()].value == *value;
        if let Some(id) = self.element_ids.find(hash, is_it) {
            return Ok(*id);
        }
        if self.elements.len() >= NONE as usize - 1 {
            return Err(TransactionError::TooLong);
        }
        let id = ElementId(self.elements.len() as u32);
        self.elements.push(Element { key, value: value.clone(), spine_place: NONE });
        let elements = &self.elements;
        let rehash = |id: &ElementId| hash_of(elements[id.index()].key, &elements[id.index()].value);
        self.element_ids.insert_unique(hash, id, rehash);
        Ok(id)
    }

    /// The length of the list, if it is a beginning of the spine or continues it with new elements.
    fn read_spine(&mut self, key: KeyId, seen: &[Value]) -> Result<Option<u32>, TransactionError> {
        let spine = &self.keys[key.index()].spine;
        let length = spine.len();
        if !spine.iter().zip(seen).all(|(id, value)| self.elements[id.index()].value == *value) {
            return Ok(None);
        }
        for (index, value) in seen.iter().enumerate().skip(length) {
            let id = self.element(key, value)?;
            if self.elements[id.index()].spine_place != NONE {
                // An element twice: the spine stays as it was.
                let spine = &mut self.keys[key.index()].spine;
                for id in spine.drain(length..) {
                    self.elements[id.index()].spine_place = NONE;
                }
                return Ok(None);
            }
            self.elements[id.index()].spine_place = index as u32;
            self.keys[key.index()].spine.push(id);
        }
        Ok(Some(seen.len() as u32))
    }

    fn list(&mut self, key: KeyId, seen: &[Value]) -> Result<ListId, TransactionError> {
        let begin = self.list_elements.len();
        for value in seen {
            let element = self.element(key, value)?;
            self.list_elements.push(element);
        }
        if self.list_elements.len() >= NONE as usize {
            return Err(TransactionError::TooLong);
        }
        let (elements, lists) = (&self.list_elements, &self.lists);
        let slice = |list: &List| &elements[list.begin as usize..list.end as usize];
        let hash = FxBuildHasher.hash_one(&elements[begin..]);
        let is_it = |id: &ListId| lists[id.index()].key == key && *slice(&lists[id.index()]) == elements[begin..];
        if let Some(id) = self.list_ids.find(hash, is_it) {
            let id = *id;
            self.list_elements.truncate(begin);
            return Ok(id);
        }
        let id = ListId(self.lists.len() as u32);
        self.lists.push(List { key, begin: begin as u32, end: self.list_elements.len() as u32 });
        let (elements, lists) = (&self.list_elements, &self.lists);
        let rehash = |id: &ListId| {
            let list = &lists[id.index()];
            FxBuildHasher.hash_one(&elements[list.begin as usize..list.end as usize])
        };
        self.list_ids.insert_unique(hash, id, rehash);
        Ok(id)
    }
}

fn hash_of(key: KeyId, value: &Value) -> u64 {
    let mut hasher = FxHasher::default();
    key.hash(&mut hasher);
    value.hash(&mut hasher);
    hasher.finish()
}

impl TransactionHistory {
    pub(super) fn ids(&self) -> impl Iterator<Item = TxnId> + use<> {
        (0..self.transactions.len() as u32).map(TxnId)
    }

    pub(super) fn transaction(&self, id: TxnId) -> &Transaction {
        &self.transactions[id.index()]
    }

    pub(super) fn steps(&self, id: TxnId) -> &[Step] {
        let end = self.first_step.get(id.index() + 1).map_or(self.steps.len(), |end| *end as usize);
        &self.steps[self.first_step[id.index()] as usize..end]
    }

    pub(super) fn all_steps(&self) -> usize {
        self.steps.len()
    }

    pub(super) fn value(&self, element: ElementId) -> &Value {
        &self.elements[element.index()].value
    }

    /// The element that stands for nil written to the key, if somebody tried that.
    pub(super) fn nil(&self, key: KeyId) -> Option<ElementId> {
        let is_it = |id: &ElementId| self.elements[id.index()].key == key && *self.value(*id) == Value::Nil;
        self.element_ids.find(hash_of(key, &Value::Nil), is_it).copied()
    }

    /// The element's place on its key's spine, or [`NONE`].
    pub(super) fn spine_place(&self, element: ElementId) -> u32 {
        self.elements[element.index()].spine_place
    }

    pub(super) fn name(&self, key: KeyId) -> &Key {
        &self.keys[key.index()].name
    }

    pub(super) fn key_of(&self, step: Step) -> KeyId {
        match step {
            Step::Append(element) | Step::Write(element) | Step::ReadValue(element) => {
                self.elements[element.index()].key
            }
            Step::ReadNothing(key) | Step::ReadSpine { key, .. } | Step::ReadUnknown(key) => key,
            Step::ReadList(list) => self.lists[list.index()].key,
        }
    }

    pub(super) fn list_seen(&self, list: ListId) -> &[ElementId] {
        let list = &self.lists[list.index()];
        &self.list_elements[list.begin as usize..list.end as usize]
    }

    /// What the micro-operation saw: the elements of a list, or one of a register; `None` where it is no read or nobody
    /// knows.
    pub(super) fn seen(&self, step: &Step) -> Option<&[ElementId]> {
        match step {
            Step::ReadNothing(_) => Some(&[]),
            Step::ReadSpine { key, length } => Some(&self.keys[key.index()].spine[..*length as usize]),
            Step::ReadList(list) => Some(self.list_seen(*list)),
            Step::ReadValue(_) | Step::Append(_) | Step::Write(_) | Step::ReadUnknown(_) => None,
        }
    }
}
