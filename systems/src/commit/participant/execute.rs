//! A transaction's steps, up to its vote.

use std::collections::BTreeMap;

use rashomon_history::Key;

use super::super::object::Effect;
use super::super::{AbortReason, Bug, CommitMessage, Isolation, Object, Op, Stamp, TxnId};
use super::locks::Mode;
use super::{Active, Participant};
use crate::server::NodeId;

/// What came of one step.
enum Progress {
    Done,
    Waits,
    Fails(AbortReason),
}

impl Participant {
    pub(super) fn on_execute(&mut self, from: NodeId, txn: TxnId, ops: Vec<Op>) {
        if let Some(active) = self.active.get_mut(&txn) {
            active.coordinator = from;
            self.timers.set(txn, self.now.after(self.config.timing.idle_us));
            return self.tell_executed(txn);
        }
        let is_over = self.ledger.get(txn).is_some() || self.ledger.may_have_forgotten(txn);
        if self.prepared.contains_key(&txn) || is_over && !self.config.has(Bug::TC16) {
            return;
        }
        self.stamps += 1;
        let stamp = Stamp { life: self.life, count: self.stamps };
        let active = Active { coordinator: from, stamp, ops, next: 0, reads: Vec::new(), effects: BTreeMap::new() };
        self.active.insert(txn, active);
        self.timers.set(txn, self.now.after(self.config.timing.idle_us));
        self.ready.push(txn);
    }

    /// Goes on with all transactions whose turn it is.
    pub(super) fn run_ready(&mut self) {
        while let Some(txn) = self.ready.pop() {
            let Some(mut active) = self.active.remove(&txn) else { continue };
            let progress = self.run(txn, &mut active);
            self.active.insert(txn, active);
            match progress {
                Progress::Done => self.tell_executed(txn),
                Progress::Waits => {}
                Progress::Fails(reason) => self.refuse(txn, reason),
            }
        }
    }

    fn run(&mut self, txn: TxnId, active: &mut Active) -> Progress {
        while let Some(op) = active.ops.get(active.next).cloned() {
            let effect = active.effects.get(op.key());
            let progress = if op.writes() {
                self.write(txn, &op, effect).map(|effect| {
                    if let Some(effect) = effect {
                        active.effects.insert(op.key().clone(), effect);
                    }
                })
            } else {
                self.read(txn, op.key(), effect, !active.writes()).map(|object| active.reads.push(object))
            };
            match progress {
                Ok(()) => active.next += 1,
                Err(progress) => return progress,
            }
        }
        Progress::Done
    }

    /// The effect of all that the transaction did to the key, this step included.
    fn write(&mut self, txn: TxnId, op: &Op, earlier: Option<&Effect>) -> Result<Option<Effect>, Progress> {
        let key = op.key();
        let unlocked = self.config.has(Bug::TC11);
        if !unlocked && !self.lock(txn, key, Mode::Exclusive) {
            return Err(Progress::Waits);
        }
        let is_snapshot = self.config.isolation == Isolation::Snapshot;
        let changed = is_snapshot && self.store.changed_at(key) > txn.0;
        if changed && !unlocked && !self.config.has(Bug::TC19) {
            return Err(Progress::Fails(AbortReason::Conflict));
        }
        let before = seen(self.store.latest(key), earlier);
        let effect = Effect::then(earlier.cloned(), op, before.as_ref()).map_err(Progress::Fails)?;
        if unlocked {
            let mut after = self.store.latest(key).cloned();
            after = effect.map(|effect| effect.apply(after));
            return Ok(after.map(Effect::Replace));
        }
        Ok(effect)
    }

    fn read(
        &mut self,
        txn: TxnId,
        key: &Key,
        own: Option<&Effect>,
        only_reads: bool,
    ) -> Result<Option<Object>, Progress> {
        let committed = match self.config.isolation {
            Isolation::Serializable => {
                let bare = self.config.has(Bug::TC11)
                    || self.config.has(Bug::TC12)
                    || self.config.has(Bug::TC13)
                    || self.config.has(Bug::TC14) && only_reads;
                if !bare && !self.lock(txn, key, Mode::Shared) {
                    return Err(Progress::Waits);
                }
                self.store.latest(key)
            }
            Isolation::Snapshot => {
                if self.waits_for_writer(txn, key) {
                    return Err(Progress::Waits);
                }
                self.store.as_of(key, txn.0).map_err(Progress::Fails)?
            }
            Isolation::ReadCommitted => self.store.latest(key),
        };
        let dirty = if self.config.has(Bug::TC13) { self.prepared_effect(key) } else { None };
        Ok(seen(seen(committed, dirty).as_ref(), own))
    }

    /// Whether a transaction that has voted yes changes this key: it may come to be committed before this one's snapshot was
    /// taken. One that has not yet voted will be committed later.
    fn waits_for_writer(&mut self, txn: TxnId, key: &Key) -> bool {
        let writer = self.locks.writer(key).filter(|writer| *writer != txn);
        let waits = writer.is_some_and(|writer| self.prepared.contains_key(&writer)) && !self.config.has(Bug::TC14);
        if waits {
            self.readers.entry(key.clone()).or_default().push(txn);
        }
        waits
    }

    fn prepared_effect(&self, key: &Key) -> Option<&Effect> {
        let effects = self.prepared.values().flat_map(|prepared| &prepared.promise.effects);
        effects.filter(|(changed, _)| changed == key).map(|(_, effect)| effect).next_back()
    }

    /// Takes a lock, from younger transactions too where they have not voted. Answers whether it is there.
    fn lock(&mut self, txn: TxnId, key: &Key, mode: Mode) -> bool {
        let Err(in_the_way) = self.locks.acquire(txn, key, mode) else { return true };
        if self.config.has(Bug::TC24) {
            return false;
        }
        for younger in in_the_way.into_iter().filter(|other| *other > txn) {
            self.refuse(younger, AbortReason::Wounded);
        }
        self.locks.holds(txn, key, mode)
    }

    /// Drops a transaction that has not voted, and tells its coordinator.
    pub(super) fn refuse(&mut self, txn: TxnId, reason: AbortReason) {
        if let Some(active) = self.drop_active(txn) {
            self.outbox.send_at_once(active.coordinator, CommitMessage::Refused { txn, reason });
        }
    }

    pub(super) fn drop_active(&mut self, txn: TxnId) -> Option<Active> {
        let active = self.active.remove(&txn)?;
        self.timers.clear(txn);
        let next = self.locks.release(txn);
        self.ready.extend(next);
        Some(active)
    }

    fn tell_executed(&mut self, txn: TxnId) {
        let Some(active) = self.active.get(&txn).filter(|active| active.is_done()) else { return };
        let message = CommitMessage::Executed { txn, stamp: active.stamp, reads: active.reads.clone() };
        self.outbox.send_at_once(active.coordinator, message);
    }
}

/// What a transaction sees that has done this to what is committed.
fn seen(committed: Option<&Object>, own: Option<&Effect>) -> Option<Object> {
    match own {
        Some(effect) => Some(effect.apply(committed.cloned())),
        None => committed.cloned(),
    }
}
