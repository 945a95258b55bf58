//! Which version of an object an operation read or wrote.
//!
//! The versions of an append list are the beginnings of the longest read: a read of n elements saw version n, the n-th
//! element was appended by the write of version n, and an acknowledged append that no read shows made a version later than
//! all of them, or was lost. That needs every read to be such a beginning.
//!
//! The versions of a register are those that the server reports. Where it reports none with an operation, the version is the
//! one reported elsewhere with the same value, if that value was written once and always reported with one version.

use std::fmt;

use rashomon_history::{Call, Key, MicroOp as Op, Operation, Outcome, Returned, Seen, Value};

use super::super::run::{Halt, Numbers, Run, plain};

/// Versions of one object, older ones first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Version {
    Number(u64),
    /// Later than all that were seen, if it was not lost.
    Unseen,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Unseen => f.write_str("unseen"),
        }
    }
}

/// One read or write of one object.
pub(super) enum Access<'a> {
    Read { key: &'a Key, saw: Saw<'a>, version: Option<u64> },
    Write { key: &'a Key, value: &'a Value, version: Option<u64> },
    Append { key: &'a Key, value: &'a Value },
}

#[derive(Clone, Copy)]
pub(super) enum Saw<'a> {
    Value(&'a Value),
    List(&'a [Value]),
}

impl<'a> Access<'a> {
    pub(super) fn key(&self) -> &'a Key {
        match self {
            Self::Read { key, .. } | Self::Write { key, .. } | Self::Append { key, .. } => key,
        }
    }

    pub(super) fn is_write(&self) -> bool {
        match self {
            Self::Read { .. } => false,
            Self::Write { .. } | Self::Append { .. } => true,
        }
    }
}

/// What an operation reads and writes, if it happened. Reads that did not come back are left out.
pub(super) fn accesses(operation: &Operation, position: u32) -> Result<Vec<Access<'_>>, Halt> {
    let (returned, version) = match &operation.outcome {
        Outcome::Ok(Returned::Versioned { version, returned }) => (Some(plain(returned)), Some(*version)),
        Outcome::Ok(returned) => (Some(returned), None),
        Outcome::Fail(_) | Outcome::Info(_) => (None, None),
    };
    let refused = Err(Halt::NotOfTheProperty(position));
    Ok(match (&operation.call, returned) {
        (Call::Read { .. }, None) => Vec::new(),
        (Call::Read { key }, Some(Returned::Value(value))) => {
            vec![Access::Read { key, saw: Saw::Value(value), version }]
        }
        (Call::Read { key }, Some(Returned::List(list))) => vec![Access::Read { key, saw: Saw::List(list), version }],
        (Call::Write { key, value }, _) => vec![Access::Write { key, value, version }],
        (Call::Delete { key }, _) => vec![Access::Write { key, value: &Value::Nil, version }],
        (Call::Append { key, value }, _) => vec![Access::Append { key, value }],
        (Call::Cas { .. }, Some(Returned::NotSwapped { current: None })) => Vec::new(),
        (Call::Cas { key, .. }, Some(Returned::NotSwapped { current: Some(current) })) => {
            vec![Access::Read { key, saw: Saw::Value(current), version }]
        }
        (Call::Cas { key, from, to }, Some(Returned::Swapped)) => {
            vec![Access::Read { key, saw: Saw::Value(from), version: None }, Access::Write { key, value: to, version }]
        }
        (Call::Cas { key, to, .. }, None) => vec![Access::Write { key, value: to, version }],
        (Call::Txn { ops }, returned) => {
            let ops = match returned {
                Some(Returned::Txn(committed)) => committed,
                _ => ops,
            };
            let access = |op| match op {
                &Op::Read { ref key, seen: Some(Seen::Value(ref value)) } => {
                    Some(Access::Read { key, saw: Saw::Value(value), version: None })
                }
                Op::Read { key, seen: Some(Seen::List(list)) } => {
                    Some(Access::Read { key, saw: Saw::List(list), version: None })
                }
                Op::Read { seen: None, .. } => None,
                Op::Write { key, value } => Some(Access::Write { key, value, version: None }),
                Op::Append { key, value } => Some(Access::Append { key, value }),
            };
            ops.iter().filter_map(access).collect()
        }
        _ => return refused,
    })
}

/// One object.
#[derive(Clone, Copy)]
struct Object<'a> {
    key: &'a Key,
    is_list: bool,
    longest: &'a [Value],
    has_order: bool,
    has_versions: bool,
    /// Whether anybody wrote it or saw something there.
    is_used: bool,
}

/// One value of one object.
#[derive(Clone, Copy)]
struct Written {
    /// Writes of it that did not fail.
    times: u32,
    version: Option<Version>,
    is_ambiguous: bool,
}

pub(super) struct Versions<'a> {
    keys: Numbers<&'a Key>,
    objects: Vec<Object<'a>>,
    values: Numbers<(usize, &'a Value)>,
    written: Vec<Written>,
}

impl<'a> Versions<'a> {
    pub(super) fn of(run: &mut Run<'a>) -> Result<Self, Halt> {
        let mut all = Self { keys: Numbers::new(), objects: Vec::new(), values: Numbers::new(), written: Vec::new() };
        for place in 0..run.order.len() {
            let position = run.order[place];
            let operation = run.operation(position);
            if matches!(operation.outcome, Outcome::Fail(_)) {
                continue;
            }
            let is_ok = matches!(operation.outcome, Outcome::Ok(_));
            for access in accesses(operation, position)? {
                run.step()?;
                all.learn(run, &access, is_ok)?;
            }
        }
        all.order_lists(run)?;
        let without = all.objects.iter().filter(|object| !object.is_ordered()).count();
        run.count("objects-without-order", without as u64);
        Ok(all)
    }

    fn learn(&mut self, run: &mut Run<'a>, access: &Access<'a>, is_ok: bool) -> Result<(), Halt> {
        let key = access.key();
        let number = self.keys.number(run, key)?;
        if number == self.objects.len() {
            let object =
                Object { key, is_list: false, longest: &[], has_order: true, has_versions: false, is_used: false };
            run.push(&mut self.objects, object)?;
        }
        let is_empty = matches!(access, Access::Read { saw: Saw::Value(Value::Nil), .. });
        self.objects[number].is_used |= is_ok && !is_empty;
        match *access {
            Access::Read { saw: Saw::List(list), .. } => {
                let object = &mut self.objects[number];
                object.is_list = true;
                if list.len() > object.longest.len() {
                    object.longest = list;
                }
                Ok(())
            }
            Access::Read { saw: Saw::Value(value), version, .. } => self.report(run, number, value, version),
            Access::Append { value, .. } => {
                self.objects[number].is_list = true;
                let written = self.value(run, number, value)?;
                self.written[written].times += 1;
                Ok(())
            }
            Access::Write { value, version, .. } => {
                let written = self.value(run, number, value)?;
                self.written[written].times += 1;
                self.report(run, number, value, version)
            }
        }
    }

    fn value(&mut self, run: &mut Run<'a>, object: usize, value: &'a Value) -> Result<usize, Halt> {
        let number = self.values.number(run, (object, value))?;
        if number == self.written.len() {
            run.push(&mut self.written, Written { times: 0, version: None, is_ambiguous: false })?;
        }
        Ok(number)
    }

    /// The server reported this version with this value.
    fn report(&mut self, run: &mut Run<'a>, object: usize, value: &'a Value, version: Option<u64>) -> Result<(), Halt> {
        let Some(version) = version.map(Version::Number) else { return Ok(()) };
        self.objects[object].has_versions = true;
        let number = self.value(run, object, value)?;
        let written = &mut self.written[number];
        written.is_ambiguous |= written.version.is_some_and(|before| before != version);
        written.version = Some(version);
        Ok(())
    }

    /// Gives the elements of the lists their versions, where all reads are beginnings of the longest one.
    fn order_lists(&mut self, run: &mut Run<'a>) -> Result<(), Halt> {
        for place in 0..run.order.len() {
            let position = run.order[place];
            let operation = run.operation(position);
            if !matches!(operation.outcome, Outcome::Ok(_)) {
                continue;
            }
            for access in accesses(operation, position)? {
                let Some(object) = self.keys.get(access.key()).map(|number| &mut self.objects[number]) else {
                    continue;
                };
                object.has_order &= match access {
                    Access::Read { saw: Saw::List(list), .. } => {
                        for _ in 0..=list.len() / 64 {
                            run.step()?;
                        }
                        object.longest.starts_with(list)
                    }
                    Access::Read { saw: Saw::Value(value), .. } => !object.is_list || *value == Value::Nil,
                    Access::Write { .. } => !object.is_list,
                    Access::Append { .. } => true,
                };
            }
        }
        for number in 0..self.objects.len() {
            let longest = self.objects[number].longest;
            for (place, value) in longest.iter().enumerate() {
                run.step()?;
                let number = self.value(run, number, value)?;
                let written = &mut self.written[number];
                written.is_ambiguous |= written.version.is_some();
                written.version = Some(Version::Number(place as u64 + 1));
            }
        }
        Ok(())
    }

    pub(super) fn objects(&self) -> usize {
        self.objects.len()
    }

    pub(super) fn first_without_order(&self) -> Option<&'a Key> {
        self.objects.iter().find(|object| !object.is_ordered()).map(|object| object.key)
    }

    /// The number of an object whose versions have an order.
    pub(super) fn object(&self, key: &Key) -> Option<usize> {
        self.keys.get(key).filter(|number| self.objects[*number].is_ordered())
    }

    /// The version that the access read or wrote, where it is known.
    pub(super) fn version(&self, object: usize, access: &Access<'a>) -> Option<Version> {
        let of = |value: &'a Value| self.values.get((object, value)).map(|number| self.written[number]);
        match *access {
            Access::Read { saw: Saw::List(list), .. } => Some(Version::Number(list.len() as u64)),
            Access::Read { .. } if self.objects[object].is_list => Some(Version::Number(0)),
            Access::Append { value, .. } => {
                let written = of(value).filter(|written| written.times == 1 && !written.is_ambiguous)?;
                Some(written.version.unwrap_or(Version::Unseen))
            }
            Access::Read { version: Some(version), .. } | Access::Write { version: Some(version), .. } => {
                Some(Version::Number(version))
            }
            Access::Read { saw: Saw::Value(value), .. } | Access::Write { value, .. } => {
                of(value).filter(|written| written.times == 1 && !written.is_ambiguous)?.version
            }
        }
    }
}

impl Object<'_> {
    /// Whether it is known which of two versions is older.
    fn is_ordered(&self) -> bool {
        self.has_order && (self.is_list || self.has_versions || !self.is_used)
    }
}
