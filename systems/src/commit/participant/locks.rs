//! The lock table of a shard: shared and exclusive locks, upgrades, and queues in the order of age.
//!
//! Deadlocks are prevented by wound-wait (Rosenkrantz, Stearns and Lewis, 1978): whoever asks for a lock is told which younger
//! transactions hold it, so that they can be aborted; it then waits for older ones only. Queues are in the order of age
//! as well, so that who waits behind another waits for an older one.

use std::collections::{BTreeMap, BTreeSet};

use rashomon_history::Key;

use super::super::TxnId;

/// What a lock lets its holder do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(in super::super) enum Mode {
    Shared,
    Exclusive,
}

impl Mode {
    fn conflicts(self, other: Self) -> bool {
        self == Self::Exclusive || other == Self::Exclusive
    }
}

#[derive(Default)]
struct Lock {
    holders: Vec<(TxnId, Mode)>,
    /// The oldest first.
    queue: Vec<(TxnId, Mode)>,
}

impl Lock {
    fn holds(&self, txn: TxnId, mode: Mode) -> bool {
        self.holders.iter().any(|(holder, held)| *holder == txn && *held >= mode)
    }

    /// Holders other than `txn` that stand in the way.
    fn conflicts(&self, txn: TxnId, mode: Mode) -> impl Iterator<Item = TxnId> {
        let conflicts = move |(holder, held): &&(TxnId, Mode)| *holder != txn && held.conflicts(mode);
        self.holders.iter().filter(conflicts).map(|(holder, _)| *holder)
    }

    /// Whether no older one waits for what `txn` would stand in the way of. Who holds the lock already passes by.
    fn is_next(&self, txn: TxnId, mode: Mode) -> bool {
        let mut older = self.queue.iter().take_while(|(waiting, _)| *waiting < txn);
        self.holds(txn, Mode::Shared) || older.all(|(_, wanted)| !wanted.conflicts(mode))
    }

    fn grant(&mut self, txn: TxnId, mode: Mode) {
        self.queue.retain(|(waiting, _)| *waiting != txn);
        match self.holders.iter_mut().find(|(holder, _)| *holder == txn) {
            Some((_, held)) => *held = mode.max(*held),
            None => self.holders.push((txn, mode)),
        }
    }

    fn wait(&mut self, txn: TxnId, mode: Mode) {
        match self.queue.binary_search_by_key(&txn, |(waiting, _)| *waiting) {
            Ok(place) => self.queue[place].1 = mode.max(self.queue[place].1),
            Err(place) => self.queue.insert(place, (txn, mode)),
        }
    }

    /// The oldest who waits and need not.
    fn grantable(&self) -> Option<(TxnId, Mode)> {
        let free =
            |(txn, mode): &&(TxnId, Mode)| self.is_next(*txn, *mode) && self.conflicts(*txn, *mode).next().is_none();
        self.queue.iter().find(free).copied()
    }
}

/// All locks of a shard.
#[derive(Default)]
pub(in super::super) struct LockTable {
    locks: BTreeMap<Key, Lock>,
    /// What each transaction holds or waits for.
    by_txn: BTreeMap<TxnId, BTreeSet<Key>>,
    /// TC-23: an upgrade does not look at the other holders.
    careless_upgrades: bool,
}

impl LockTable {
    pub(super) fn new(careless_upgrades: bool) -> Self {
        Self { careless_upgrades, ..Self::default() }
    }

    /// Takes a lock, or puts the transaction into the queue and answers who stands in its way.
    pub(super) fn acquire(&mut self, txn: TxnId, key: &Key, mode: Mode) -> Result<(), Vec<TxnId>> {
        if !self.locks.contains_key(key) {
            self.locks.insert(key.clone(), Lock::default());
        }
        let Some(lock) = self.locks.get_mut(key) else { return Ok(()) };
        if lock.holds(txn, mode) {
            return Ok(());
        }
        let keys = self.by_txn.entry(txn).or_default();
        if !keys.contains(key) {
            keys.insert(key.clone());
        }
        let upgrades = self.careless_upgrades && lock.holds(txn, Mode::Shared);
        let in_the_way: Vec<TxnId> = if upgrades { Vec::new() } else { lock.conflicts(txn, mode).collect() };
        if in_the_way.is_empty() && (upgrades || lock.is_next(txn, mode)) {
            lock.grant(txn, mode);
            return Ok(());
        }
        lock.wait(txn, mode);
        Err(in_the_way)
    }

    /// Takes an exclusive lock that was held before a crash.
    pub(super) fn restore(&mut self, txn: TxnId, key: &Key) {
        self.locks.entry(key.clone()).or_default().grant(txn, Mode::Exclusive);
        self.by_txn.entry(txn).or_default().insert(key.clone());
    }

    /// Gives back all that a transaction holds or waits for. Answers whose turn it is now.
    pub(super) fn release(&mut self, txn: TxnId) -> Vec<TxnId> {
        let mut next = Vec::new();
        for key in self.by_txn.remove(&txn).into_iter().flatten() {
            let Some(lock) = self.locks.get_mut(&key) else { continue };
            lock.holders.retain(|(holder, _)| *holder != txn);
            lock.queue.retain(|(waiting, _)| *waiting != txn);
            while let Some((waiting, mode)) = lock.grantable() {
                lock.grant(waiting, mode);
                next.push(waiting);
            }
            if lock.holders.is_empty() && lock.queue.is_empty() {
                self.locks.remove(&key);
            }
        }
        next
    }

    /// Whether a transaction holds this lock.
    pub(in super::super) fn holds(&self, txn: TxnId, key: &Key, mode: Mode) -> bool {
        self.locks.get(key).is_some_and(|lock| lock.holds(txn, mode))
    }

    /// Who holds this lock exclusively.
    pub(super) fn writer(&self, key: &Key) -> Option<TxnId> {
        let holders = &self.locks.get(key)?.holders;
        holders.iter().find(|(_, mode)| *mode == Mode::Exclusive).map(|(txn, _)| *txn)
    }

    /// Who holds locks or waits for some.
    pub(in super::super) fn users(&self) -> impl Iterator<Item = TxnId> {
        self.by_txn.keys().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Timestamp;
    use super::*;

    fn txn(count: u64) -> TxnId {
        TxnId(Timestamp { epoch: 1, count })
    }

    #[test]
    fn readers_share_and_a_writer_stands_alone() {
        let (mut locks, key) = (LockTable::default(), Key::from("x"));
        assert_eq!(locks.acquire(txn(1), &key, Mode::Shared), Ok(()));
        assert_eq!(locks.acquire(txn(2), &key, Mode::Shared), Ok(()));
        assert_eq!(locks.acquire(txn(3), &key, Mode::Exclusive), Err(vec![txn(1), txn(2)]));
        assert_eq!(locks.release(txn(1)), vec![]);
        assert_eq!(locks.release(txn(2)), vec![txn(3)]);
        assert!(locks.holds(txn(3), &key, Mode::Exclusive));
        assert_eq!(locks.release(txn(3)), vec![]);
        assert!(locks.locks.is_empty() && locks.users().next().is_none());
    }

    #[test]
    fn a_younger_reader_waits_behind_an_older_writer_and_an_older_one_does_not() {
        let (mut locks, key) = (LockTable::default(), Key::from("x"));
        assert_eq!(locks.acquire(txn(3), &key, Mode::Shared), Ok(()));
        assert_eq!(locks.acquire(txn(4), &key, Mode::Exclusive), Err(vec![txn(3)]));
        assert_eq!(locks.acquire(txn(5), &key, Mode::Shared), Err(vec![]));
        assert_eq!(locks.acquire(txn(2), &key, Mode::Shared), Ok(()));
        assert_eq!(locks.release(txn(4)), vec![txn(5)], "the writer has given up");
    }

    #[test]
    fn an_upgrade_waits_for_other_readers_only() {
        let (mut locks, key) = (LockTable::default(), Key::from("x"));
        assert_eq!(locks.acquire(txn(5), &key, Mode::Shared), Ok(()));
        assert_eq!(locks.acquire(txn(1), &key, Mode::Exclusive), Err(vec![txn(5)]));
        assert_eq!(locks.acquire(txn(5), &key, Mode::Exclusive), Ok(()), "it waits for nobody who waits for it");
        let mut locks = LockTable::default();
        assert_eq!(locks.acquire(txn(1), &key, Mode::Shared), Ok(()));
        assert_eq!(locks.acquire(txn(2), &key, Mode::Shared), Ok(()));
        assert_eq!(locks.acquire(txn(2), &key, Mode::Exclusive), Err(vec![txn(1)]));
        assert_eq!(locks.release(txn(1)), vec![txn(2)]);
        assert!(locks.holds(txn(2), &key, Mode::Exclusive));
    }
}
