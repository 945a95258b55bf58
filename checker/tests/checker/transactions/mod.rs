//! Transactions: against Elle's verdicts, and against brute force.

mod brute;
mod differences;
mod elle;
mod jepsen;
mod levels;
mod limits;
mod random;
mod told;
