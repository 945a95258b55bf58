//! Transactions of reads, writes and appends.
//!
//! etcd's own transactions compare, then read or write, but write nothing that rests on what they read. So all keys are
//! read in one transaction; what comes of that is written in a second one, if no key was written in between. A transaction
//! that only reads needs no second one.

use std::collections::BTreeMap;

use rashomon_history::{Key, MicroOp, Outcome, Returned, Seen, Value};

use super::kv::{Came, Kv, stored};
use super::wire::{Bytes, Compare, Number, PutRequest, RequestOp, Stored, TxnRequest, TxnResponse};

/// What stood under a key when it was read, and what the transaction made of it.
struct Entry {
    revision: Number,
    now: Option<Stored>,
    is_written: bool,
}

impl Kv<'_> {
    pub(super) async fn transact(&self, ops: &[MicroOp]) -> Came<Returned> {
        let mut entries = self.read_all(ops).await?;
        let done = carry_out(ops, &mut entries)?;
        if entries.values().any(|entry| entry.is_written) {
            let (compare, writes) = guards_and_writes(&entries);
            self.guarded(compare, writes).await?;
        }
        Ok(Returned::Txn(done))
    }

    /// What stands under all keys of the transaction, at one moment.
    async fn read_all<'k>(&self, ops: &'k [MicroOp]) -> Came<BTreeMap<&'k Key, Entry>> {
        let mut entries: BTreeMap<&Key, Entry> =
            ops.iter().map(|op| (op.key(), Entry { revision: Number(0), now: None, is_written: false })).collect();
        let read = |key: &Key| RequestOp::RequestRange(self.range(key.as_str().into(), None));
        let txn = TxnRequest { success: entries.keys().map(|key| read(key)).collect(), ..TxnRequest::default() };
        let response: TxnResponse = self.look("kv/txn", &txn).await?;
        if response.responses.len() != entries.len() {
            return Err(Outcome::Fail(format!("{} answers to {} reads", response.responses.len(), entries.len())));
        }
        for (entry, response) in entries.values_mut().zip(response.responses) {
            let Some(found) = response.response_range.and_then(|range| range.kvs.into_iter().next()) else { continue };
            entry.revision = found.mod_revision;
            entry.now = Some(stored(&found)?);
        }
        Ok(entries)
    }
}

/// The transaction on what was read: reads see what stands in front of them.
fn carry_out(ops: &[MicroOp], entries: &mut BTreeMap<&Key, Entry>) -> Came<Vec<MicroOp>> {
    let mut done = Vec::with_capacity(ops.len());
    for op in ops {
        let Some(entry) = entries.get_mut(op.key()) else { continue };
        done.push(match op {
            MicroOp::Read { key, .. } => {
                let seen = match &entry.now {
                    None => Seen::Value(Value::Nil),
                    Some(Stored::One(value)) => Seen::Value(value.clone()),
                    Some(Stored::Many(values)) => Seen::List(values.clone()),
                };
                MicroOp::Read { key: key.clone(), seen: Some(seen) }
            }
            MicroOp::Write { value, .. } => {
                (entry.now, entry.is_written) = (Some(Stored::One(value.clone())), true);
                op.clone()
            }
            MicroOp::Append { key, value } => {
                match entry.now.get_or_insert_with(|| Stored::Many(Vec::new())) {
                    Stored::Many(values) => values.push(value.clone()),
                    Stored::One(_) => return Err(Outcome::Fail(format!("{key} holds no list"))),
                }
                entry.is_written = true;
                op.clone()
            }
        });
    }
    Ok(done)
}

/// Nobody wrote any of the keys since they were read; what was written is put.
fn guards_and_writes(entries: &BTreeMap<&Key, Entry>) -> (Vec<Compare>, Vec<PutRequest>) {
    let name = |key: &Key| Bytes::from(key.as_str());
    let compare = entries.iter().map(|(key, entry)| Compare::mod_revision(name(key), entry.revision)).collect();
    let written = entries.iter().filter(|(_, entry)| entry.is_written);
    let writes = written.filter_map(|(key, entry)| {
        let value = entry.now.as_ref()?.encode();
        Some(PutRequest { key: name(key), value })
    });
    (compare, writes.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key::from(name)
    }

    fn stands(now: Option<Stored>, revision: u64) -> Entry {
        Entry { revision: Number(revision), now, is_written: false }
    }

    #[test]
    fn a_read_sees_what_its_own_transaction_wrote_before_it() {
        let (x, y) = (key("x"), key("y"));
        let read = |key: &Key| MicroOp::Read { key: key.clone(), seen: None };
        let ops = [
            read(&x),
            MicroOp::Append { key: x.clone(), value: 3.into() },
            read(&x),
            MicroOp::Write { key: y.clone(), value: 9.into() },
            read(&y),
        ];
        let list = Stored::Many(vec![1.into(), 2.into()]);
        let mut entries = BTreeMap::from([(&x, stands(Some(list), 7)), (&y, stands(None, 0))]);
        let done = carry_out(&ops, &mut entries).unwrap();
        let seen = |place: usize| match &done[place] {
            MicroOp::Read { seen: Some(seen), .. } => seen.to_string(),
            other => panic!("{other}"),
        };
        assert_eq!((seen(0), seen(2), seen(4)), ("[1, 2]".into(), "[1, 2, 3]".into(), "9".into()));
        let (compare, writes) = guards_and_writes(&entries);
        assert_eq!((compare.len(), writes.len()), (2, 2));
        assert_eq!(writes[0].value.0, b"[1,2,3]");
    }

    #[test]
    fn keys_that_were_only_read_are_guarded_too() {
        let (x, y) = (key("x"), key("y"));
        let ops =
            [MicroOp::Read { key: x.clone(), seen: None }, MicroOp::Write { key: y.clone(), value: Value::Int(1) }];
        let mut entries = BTreeMap::from([(&x, stands(None, 0)), (&y, stands(None, 0))]);
        carry_out(&ops, &mut entries).unwrap();
        let (compare, writes) = guards_and_writes(&entries);
        assert_eq!((compare.len(), writes.len()), (2, 1));
    }
}
