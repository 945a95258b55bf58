//! Transactions from seeds: clients in a closed loop, one to four micro-operations each, over ten active keys that are
//! replaced after 32 writes, as Elle's generator does by default.

use rashomon_checker::transactions::{Transaction, TransactionOutcome};
use rashomon_history::{Key, MicroOp, Seen, Value};

use crate::generate::Source;

/// What to generate.
#[derive(Clone, Copy)]
pub(crate) struct Recipe {
    pub(crate) transactions: usize,
    pub(crate) is_list: bool,
    /// Transactions of unknown outcome, in percent; half of them take effect.
    pub(crate) unknown_percent: u64,
    /// Of ten thousand reads, how many see what had been replaced long before.
    pub(crate) stale_of_10_000: u64,
    /// Whether one read near the end sees that.
    pub(crate) has_stale_read: bool,
}

const CLIENTS: u64 = 20;
const KEYS: usize = 10;
const WRITES_MAX: usize = 32;

/// A key that is in use: all that was written to it, and when each write was over.
struct Active {
    name: Key,
    written: Vec<(Value, u64)>,
}

struct Generator {
    recipe: Recipe,
    source: Source,
    active: Vec<Active>,
    names: usize,
    next_value: i64,
}

pub(crate) type Generated = Vec<(Transaction, Vec<MicroOp>)>;

/// The history of transactions, by invocation.
pub(crate) fn generate(recipe: Recipe) -> Generated {
    let mut generator = Generator { recipe, source: Source(1), active: Vec::new(), names: 0, next_value: 0 };
    for _ in 0..KEYS {
        let key = generator.fresh();
        generator.active.push(key);
    }
    let mut free: Vec<u64> = (0..CLIENTS).map(|_| generator.source.below(1_000)).collect();
    let mut processes: Vec<u64> = (0..CLIENTS).collect();
    let mut transactions = Vec::with_capacity(recipe.transactions);
    for position in 0..recipe.transactions {
        let client = (0..CLIENTS as usize).min_by_key(|client| free[*client]).unwrap_or(0);
        let invoked = free[client];
        let completed = invoked + 2 + generator.source.below(2_000);
        free[client] = completed + 1;
        let is_unknown = generator.source.below(100) < recipe.unknown_percent;
        let is_last_stale = recipe.has_stale_read && position == recipe.transactions / 100 * 99;
        let outcome = if is_unknown { TransactionOutcome::Unknown } else { TransactionOutcome::Committed };
        let process = processes[client];
        let transaction = Transaction { process, outcome, invoked, completed, position };
        if is_unknown {
            processes[client] += CLIENTS;
        }
        let happens = !is_unknown || generator.source.below(2) == 0;
        transactions.push((transaction, generator.micro_ops(&transaction, happens, is_last_stale)));
    }
    transactions
}

impl Generator {
    fn fresh(&mut self) -> Active {
        self.names += 1;
        Active { name: Key::from(format!("k{}", self.names)), written: Vec::new() }
    }

    /// Every transaction takes effect at its invocation, so that the order of the invocations is a legal one.
    fn micro_ops(&mut self, transaction: &Transaction, happens: bool, is_stale: bool) -> Vec<MicroOp> {
        let mut micro_ops = Vec::new();
        for _ in 0..1 + self.source.below(4) {
            // Each key is drawn half as often as the next one.
            let index = (1 + self.source.below((1 << KEYS) - 1)).ilog2() as usize;
            if self.active[index].written.len() >= WRITES_MAX {
                self.active[index] = self.fresh();
            }
            let name = self.active[index].name.clone();
            if is_stale || self.source.below(2) == 0 {
                let is_stale = is_stale || self.source.below(10_000) < self.recipe.stale_of_10_000;
                micro_ops
                    .push(MicroOp::Read { key: name, seen: Some(self.seen(index, transaction.invoked, is_stale)) });
            } else {
                self.next_value += 1;
                let value = Value::from(self.next_value);
                if happens {
                    self.active[index].written.push((value.clone(), transaction.completed));
                }
                micro_ops.push(if self.recipe.is_list {
                    MicroOp::Append { key: name, value }
                } else {
                    MicroOp::Write { key: name, value }
                });
            }
        }
        micro_ops
    }

    fn seen(&self, index: usize, now: u64, is_stale: bool) -> Seen {
        let mut written = &self.active[index].written[..];
        if is_stale && let Some(place) = written.iter().rposition(|(_, completed)| *completed < now) {
            written = &written[..place];
        }
        if self.recipe.is_list {
            Seen::List(written.iter().map(|(value, _)| value.clone()).collect())
        } else {
            Seen::Value(written.last().map_or(Value::Nil, |(value, _)| value.clone()))
        }
    }
}
