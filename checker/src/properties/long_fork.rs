//! No two reads see two writes in opposite orders.
//!
//! Every key is written once. A read that saw the write of x and not yet that of y, and one that saw that of y and not yet
//! that of x, can't both read from one order of the writes; parallel snapshot isolation allows it, snapshot isolation does
//! not. Reads of the same keys are compared in linear time: ordered by how much they saw, each must have seen all that the
//! one before it saw. Reads of keys that overlap otherwise are compared by pairs of keys.

use rashomon_history::{Call, Key, MicroOp, Operation, Outcome, Returned, Seen, Value};
use rustc_hash::FxHashMap;

use super::report::{AnomalyKind, PropertyWhy};
use super::run::{Doubt, Halt, Numbers, Run, completed, plain};

const NONE: u32 = u32::MAX;

/// The one write of a key.
#[derive(Clone, Copy)]
struct Written<'a> {
    value: Option<&'a Value>,
    /// The write that did not fail, and one that did.
    write: u32,
    failed: u32,
}

/// What one read saw: the keys, in their order, and which of them were written.
struct Snapshot {
    position: u32,
    /// Places in `keys_read`.
    from: usize,
    to: usize,
    written: u32,
}

struct LongFork<'a> {
    keys: Numbers<&'a Key>,
    written: Vec<Written<'a>>,
    /// The keys of all reads; the lowest bit says whether the read saw the key's write.
    keys_read: Vec<u32>,
    snapshots: Vec<Snapshot>,
    written_twice: Option<&'a Key>,
}

pub(super) fn check(run: &mut Run<'_>) -> Result<Doubt, Halt> {
    const KINDS: [AnomalyKind; 3] = [AnomalyKind::LongFork, AnomalyKind::Unexpected, AnomalyKind::AbortedRead];
    for name in ["write", "write-acknowledged", "read", "early-read", "late-read", "partial-read"] {
        run.count(name, 0);
    }
    for kind in KINDS {
        run.count(kind.name(), 0);
    }
    let mut all = LongFork {
        keys: Numbers::new(),
        written: Vec::new(),
        keys_read: Vec::new(),
        snapshots: Vec::new(),
        written_twice: None,
    };
    for place in 0..run.order.len() {
        run.step()?;
        all.read_writes(run, run.order[place])?;
    }
    if let Some(key) = all.written_twice {
        return Ok(Some(PropertyWhy::undecided(format!("{key} is written more than once"))));
    }
    for place in 0..run.order.len() {
        run.step()?;
        all.read_reads(run, run.order[place])?;
    }
    run.objects(all.keys.len());
    if all.snapshots_overlap(run)? {
        all.compare_pairs(run)?
    } else {
        all.compare_chains(run)?
    }
    let doubt = (run.counted("partial-read") < 2)
        .then(|| PropertyWhy::nothing("fewer than two reads saw some of their keys written and others not yet"));
    Ok(doubt)
}

/// The micro-operations of a transaction, or of a single write or read as one.
enum Txn<'a> {
    Write(&'a Key, &'a Value),
    Reads(Vec<(&'a Key, &'a Value)>),
    /// A read that did not come back.
    Nothing,
}

fn txn(operation: &Operation, position: u32) -> Result<Txn<'_>, Halt> {
    let refused = Err(Halt::NotOfTheProperty(position));
    match &operation.call {
        Call::Write { key, value } => return Ok(Txn::Write(key, value)),
        Call::Txn { ops } => match ops.as_slice() {
            [MicroOp::Write { key, value }] => return Ok(Txn::Write(key, value)),
            ops if ops.iter().all(|op| matches!(op, MicroOp::Read { .. })) => {}
            _ => return refused,
        },
        Call::Read { .. } => {}
        _ => return refused,
    }
    let Outcome::Ok(returned) = &operation.outcome else { return Ok(Txn::Nothing) };
    match (&operation.call, plain(returned)) {
        (Call::Read { key }, Returned::Value(value)) => Ok(Txn::Reads(vec![(key, value)])),
        (Call::Txn { .. }, Returned::Txn(ops)) => {
            let seen = |op| match op {
                &MicroOp::Read { ref key, seen: Some(Seen::Value(ref value)) } => Some((key, value)),
                MicroOp::Read { .. } | MicroOp::Write { .. } | MicroOp::Append { .. } => None,
            };
            ops.iter().map(seen).collect::<Option<_>>().map_or(refused, |reads| Ok(Txn::Reads(reads)))
        }
        _ => refused,
    }
}

impl<'a> LongFork<'a> {
    fn key(&mut self, run: &mut Run<'a>, key: &'a Key) -> Result<usize, Halt> {
        let number = self.keys.number(run, key)?;
        if number == self.written.len() {
            run.push(&mut self.written, Written { value: None, write: NONE, failed: NONE })?;
        }
        Ok(number)
    }

    fn read_writes(&mut self, run: &mut Run<'a>, position: u32) -> Result<(), Halt> {
        let operation = run.operation(position);
        let Txn::Write(key, value) = txn(operation, position)? else { return Ok(()) };
        let number = self.key(run, key)?;
        let written = &mut self.written[number];
        if let Outcome::Fail(_) = operation.outcome {
            written.failed = position;
            return Ok(());
        }
        if written.write != NONE {
            self.written_twice = self.written_twice.or(Some(key));
        }
        (written.write, written.value) = (position, Some(value));
        run.count("write", 1);
        run.count("write-acknowledged", u64::from(matches!(operation.outcome, Outcome::Ok(_))));
        Ok(())
    }

    fn read_reads(&mut self, run: &mut Run<'a>, position: u32) -> Result<(), Halt> {
        let Txn::Reads(reads) = txn(run.operation(position), position)? else { return Ok(()) };
        run.count("read", 1);
        let mut seen = Vec::with_capacity(reads.len());
        for (key, value) in reads {
            let number = self.key(run, key)?;
            if *value != Value::Nil {
                self.check_written(run, key, number, value, position);
            }
            let is_written = *value != Value::Nil;
            seen.push((number as u32) << 1 | u32::from(is_written));
        }
        seen.sort_unstable();
        // A key that is read twice counts as written if one of the reads saw it so.
        seen.dedup_by(|later, earlier| {
            let is_same = *later >> 1 == *earlier >> 1;
            *earlier |= u32::from(is_same) & *later;
            is_same
        });
        let written = seen.iter().filter(|read| **read & 1 == 1).count();
        let name = match written {
            0 => "early-read",
            all if all == seen.len() => "late-read",
            _ => "partial-read",
        };
        run.count(name, 1);
        let from = self.keys_read.len();
        for read in seen {
            run.push(&mut self.keys_read, read)?;
        }
        let to = self.keys_read.len();
        run.push(&mut self.snapshots, Snapshot { position, from, to, written: written as u32 })
    }

    fn check_written(&self, run: &mut Run<'a>, key: &Key, number: usize, value: &Value, position: u32) {
        let written = self.written[number];
        let over = completed(run.operation(position));
        let is_in_time = |write: u32| write != NONE && run.operation(write).invoke_index <= over;
        if written.value == Some(value) && is_in_time(written.write) {
            return;
        }
        let failed = written.failed;
        let is_failed = is_in_time(failed)
            && matches!(txn(run.operation(failed), failed), Ok(Txn::Write(_, tried)) if tried == value);
        if is_failed {
            run.violation(AnomalyKind::AbortedRead, Some(key), &[failed, position], |story| {
                format!("{}, with {value} in {key}; but {}.", story.whole(position), story.whole(failed))
            });
        } else {
            run.violation(AnomalyKind::Unexpected, Some(key), &[position], |story| {
                format!("{}, although nobody had tried to write {value} to {key} by then.", story.whole(position))
            });
        }
    }

    fn reads(&self, snapshot: &Snapshot) -> &[u32] {
        &self.keys_read[snapshot.from..snapshot.to]
    }

    fn reads_keys(&self, snapshot: &Snapshot) -> impl Iterator<Item = u32> + Clone + '_ {
        self.reads(snapshot).iter().map(|read| read >> 1)
    }

    /// Whether two reads share some of their keys and not all.
    fn snapshots_overlap(&mut self, run: &mut Run<'a>) -> Result<bool, Halt> {
        let mut read_by = run.filled(self.keys.len(), NONE)?;
        for (place, snapshot) in self.snapshots.iter().enumerate() {
            run.step()?;
            let mut keys = self.reads_keys(snapshot);
            let Some(first) = keys.clone().next() else { continue };
            let before = read_by[first as usize];
            let is_same = before == NONE || self.reads_keys(&self.snapshots[before as usize]).eq(keys.clone());
            if !is_same || before == NONE && keys.clone().any(|key| read_by[key as usize] != NONE) {
                return Ok(true);
            }
            keys.by_ref().for_each(|key| read_by[key as usize] = place as u32);
        }
        Ok(false)
    }

    /// Compares reads of the same keys, if no others share keys: from the one that saw least to the one that saw most.
    fn compare_chains(&mut self, run: &mut Run<'a>) -> Result<(), Halt> {
        let mut order: Vec<u32> = run.filled(self.snapshots.len(), 0)?;
        order.iter_mut().zip(0..).for_each(|(slot, place)| *slot = place);
        order.sort_by_key(|place| {
            let snapshot = &self.snapshots[*place as usize];
            (self.reads_keys(snapshot).next(), snapshot.written)
        });
        for pair in order.windows(2) {
            run.step()?;
            let [left, right] = [pair[0], pair[1]].map(|place| &self.snapshots[place as usize]);
            let (ours, theirs) = (self.reads(left), self.reads(right));
            if ours.first().map(|read| read >> 1) != theirs.first().map(|read| read >> 1) {
                continue;
            }
            let find = |seen: &[u32], unseen: &[u32]| {
                seen.iter()
                    .zip(unseen)
                    .find(|(seen, unseen)| *seen & 1 == 1 && *unseen & 1 == 0)
                    .map(|(seen, _)| seen >> 1)
            };
            if let (Some(left_only), Some(right_only)) = (find(ours, theirs), find(theirs, ours)) {
                self.tell(run, (left.position, left_only), (right.position, right_only));
            }
        }
        Ok(())
    }

    /// Compares all reads by each two of their keys.
    fn compare_pairs(&mut self, run: &mut Run<'a>) -> Result<(), Halt> {
        // By (written, not written): the first read that saw it so.
        let mut first: FxHashMap<(u32, u32), u32> = FxHashMap::default();
        for snapshot in &self.snapshots {
            let reads = self.reads(snapshot);
            let of = |bit: u32| reads.iter().filter(move |read| **read & 1 == bit).map(|read| read >> 1);
            let mut opposite = None;
            for seen in of(1) {
                for unseen in of(0) {
                    run.step()?;
                    if first.len() == first.capacity() {
                        run.hold(first.len().max(4) * 2 * size_of::<((u32, u32), u32)>())?;
                    }
                    first.entry((seen, unseen)).or_insert(snapshot.position);
                    opposite = opposite.or(first.get(&(unseen, seen)).map(|other| (*other, unseen, seen)));
                }
            }
            if let Some((other, left_only, right_only)) = opposite {
                self.tell(run, (other, left_only), (snapshot.position, right_only));
            }
        }
        Ok(())
    }

    /// Each read with the key whose write it saw and the other one did not.
    fn tell(&self, run: &mut Run<'a>, left: (u32, u32), right: (u32, u32)) {
        let [left_write, right_write] = [left.1, right.1].map(|key| self.written[key as usize].write);
        let mut positions = vec![left.0, right.0];
        positions.extend([left_write, right_write].into_iter().filter(|write| *write != NONE));
        run.violation(AnomalyKind::LongFork, None, &positions, |story| {
            let did = |write: u32| if write == NONE { "one write".to_owned() } else { story.did(write) };
            let (one, other) = (did(left_write), did(right_write));
            format!(
                "{} and saw what {one}, but not what {other}; {} and saw what {other}, but not what {one}.",
                story.whole(left.0),
                story.whole(right.0)
            )
        });
    }
}
