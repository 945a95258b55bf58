//! What a participant writes to disk, and how it reads it back.

use std::collections::BTreeMap;

use rashomon_history::Key;
use serde::{Deserialize, Serialize};

use super::super::ledger::Ledger;
use super::super::object::{Effect, Object};
use super::super::outbox::{ForeignLog, decode};
use super::super::{Config, Decision, Isolation, Timestamp, TxnId};
use super::Store;
use crate::server::{NodeId, Recovered};

/// One record of the log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum Record {
    /// A life has begun.
    Life(u64),
    /// The participant will vote yes.
    Prepared { txn: TxnId, promise: Promise },
    /// All have voted yes (three-phase commit).
    PreCommitted { txn: TxnId, at: Timestamp },
    /// The participant has learned the decision.
    Decided { txn: TxnId, decision: Decision },
}

/// What a participant that voted yes needs to keep its word.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(in super::super) struct Promise {
    /// Who asked for the vote.
    pub(in super::super) coordinator: NodeId,
    /// All shards that the transaction changes.
    pub(in super::super) participants: Vec<NodeId>,
    /// What it does here.
    pub(in super::super) effects: Vec<(Key, Effect)>,
    /// Its place in the order of commits, where a pre-commit has told it.
    pub(in super::super) pre_committed: Option<Timestamp>,
}

/// All that a participant needs after a crash.
#[derive(Serialize, Deserialize)]
pub(super) struct State {
    pub life: u64,
    pub store: Store,
    pub prepared: BTreeMap<TxnId, Promise>,
    pub ledger: Ledger,
}

impl State {
    /// How the very first life begins.
    fn new(config: &Config) -> Self {
        let mut store = Store::default();
        let own = config.bank.keys().filter(|key| config.shard_of(key) == config.id);
        let balance = || Object::Register(config.bank.balance.into());
        own.for_each(|key| store.put(&key, Timestamp::default(), balance(), 1));
        Self { life: 0, store, prepared: BTreeMap::new(), ledger: Ledger::default() }
    }

    /// What the disk holds.
    pub(super) fn recover(config: &Config, recovered: &Recovered) -> Result<Self, ForeignLog> {
        let mut state = match &recovered.snapshot {
            Some(snapshot) => decode(snapshot)?,
            None => Self::new(config),
        };
        for record in &recovered.records {
            state.replay(config, decode(record)?);
        }
        Ok(state)
    }

    fn replay(&mut self, config: &Config, record: Record) {
        match record {
            Record::Life(life) => self.life = life,
            Record::Prepared { txn, promise } => {
                self.prepared.insert(txn, promise);
            }
            Record::PreCommitted { txn, at } => {
                if let Some(promise) = self.prepared.get_mut(&txn) {
                    promise.pre_committed = Some(at);
                }
            }
            Record::Decided { txn, decision } => {
                if let (Some(promise), Decision::Commit { at }) = (self.prepared.remove(&txn), decision) {
                    self.store.commit(&promise.effects, at, config);
                }
                self.ledger.note(txn, decision, config.limits.decisions);
            }
        }
    }
}

impl Store {
    /// Applies all that a transaction has done here.
    pub(super) fn commit(&mut self, effects: &[(Key, Effect)], at: Timestamp, config: &Config) {
        let most = match config.isolation {
            Isolation::Snapshot => config.limits.versions,
            Isolation::Serializable | Isolation::ReadCommitted => 1,
        };
        effects.iter().for_each(|(key, effect)| self.apply(key, effect, at, most));
    }
}
