//! Histories of transactions that can't be checked.

/// A history of transactions that can't be checked.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransactionError {
    /// A transaction ends before it begins.
    #[error("transaction {position} completed at {completed}, before it was invoked at {invoked}")]
    EndsBeforeItBegins {
        /// Its position.
        position: usize,
        /// When it was invoked.
        invoked: u64,
        /// When it completed.
        completed: u64,
    },
    /// A key is appended to like a list and written like a register.
    #[error("transaction {position} uses {key} as a register and others use it as a list, or the other way round")]
    ListAndRegister {
        /// The position of the transaction that made it clear.
        position: usize,
        /// The key.
        key: String,
    },
    /// An operation is neither a transaction nor a read, a write or an append.
    #[error("operation {position} ({call}) is no transaction, nor a read, a write or an append by itself")]
    NotATransaction {
        /// Its position.
        position: usize,
        /// What was asked.
        call: String,
    },
    /// A micro-operation came before the first transaction.
    #[error("a micro-operation came before the first transaction was begun")]
    NoTransaction,
    /// There are more of them than numbers of 32 bits can tell apart.
    #[error("the history has more than {} transactions, micro-operations or values", Self::TRANSACTIONS_MAX)]
    TooLong,
}

impl TransactionError {
    /// The most transactions that are checked at once.
    pub const TRANSACTIONS_MAX: usize = (u32::MAX / 8) as usize;
}
