//! The checker against brute force, and against recorded histories with known verdicts.

mod brute;
mod budgets;
mod counters;
mod growing;
mod histories;
mod key_value;
mod lock_stories;
mod locks;
mod properties;
mod queues;
mod recorded;
mod registers;
mod sets;
mod soundness;
mod source;
mod threads;
mod transactions;
mod versions;
