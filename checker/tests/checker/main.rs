//! The checker against brute force, and against recorded histories with known verdicts.

mod brute;
mod growing;
mod registers;
mod soundness;
mod source;
