//! Three-phase commit (Skeen, *Nonblocking Commit Protocols*, SIGMOD 1981), with the termination protocol of Bernstein,
//! Hadzilacos and Goodman (*Concurrency Control and Recovery in Database Systems*, 1987, section 7.5).
//!
//! When all have voted yes, all are told so before anyone commits: nobody commits while another may not know that all voted
//! yes. So those that are left when others crash can decide without them.
//!
//! # Its weakness
//!
//! All of that rests on telling the dead from the slow. A partition, a machine that stands still or a lost message looks like
//! a crash, and then both sides go on: who was told that all voted yes commits, and who was not aborts. That breaks
//! agreement (AC1). It is not a mistake in this code; no protocol that never waits can do better (Skeen and Stonebraker, 1983).

mod coordinator;
mod participant;

pub(super) use participant::Termination;
