//! A write-ahead log: segments of checksummed frames, and checkpoints.
//!
//! ```text
//! LOCK                    held while a process uses the folder
//! g000002-s000001.log     generation 2: the checkpoint that began it, its tail, then what was appended
//! g000002-s000002.log     what was appended after that
//! ```
//!
//! **Frames.** What is made durable by one sync is one frame, so after a crash it is there in whole or not at all. A frame
//! carries its number, and its checksum is salted with a number of its own segment: neither old bytes nor a client's value
//! that looks like a frame can pass for one.
//!
//! **Seals.** When a frame is durable a short seal is written behind it, and reaches the disk with the next frame. So
//! recovery can tell two things apart that other logs mix up: a frame that a crash tore, which nobody was told about and
//! which is cut off; and a frame that was durable and rotted since, which has a seal or a frame behind it and is refused.
//! (After a power loss the seal of the very last frame may be missing; then a rotten last frame looks torn.)
//! "Protocol-Aware Recovery for Consensus-Based Storage" (Alagappan and others, FAST 2018, section 3) has the idea.
//!
//! **Opening.** What a reader sees need not be on the disk: the process may have died between a write and its sync, or
//! because a sync failed, after which the system never tries those bytes again. So opening writes and syncs once more what it
//! brings back of the last segment, and syncs the names, before anyone builds on them.
//!
//! **Checkpoints.** The first segment of a new generation, with the snapshot in it, is written beside the old generation
//! under a temporary name. Its rename is the moment from which it counts; older generations are removed afterwards.

mod batch;
mod disk;
mod error;
#[allow(clippy::disallowed_types, reason = "the real hands")]
mod folder;
mod frame;
mod log;
mod recover;
mod segment;
#[allow(clippy::disallowed_types, reason = "the real hands")]
mod thread;

pub(crate) use batch::Writer;
pub use disk::Disk;
pub use error::WalError;
pub(crate) use error::disk_advice;
pub use folder::FolderDisk;
pub use log::{Log, WalOptions};
pub use thread::WalThread;

#[cfg(test)]
mod tests;
