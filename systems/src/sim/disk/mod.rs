//! A disk that a simulated crash treats as badly as real ones do.
//!
//! The log of `crate::wal` runs on it unchanged. What the log does to its folder is a sequence of steps. The steps of a
//! batch are **in flight** until the simulation says that their time is over; a crash before that finds a random first part
//! of them done. Of what was done, a crash of the process ([`Crash::Process`]) takes nothing: it is in the system's page
//! cache. A power loss ([`Crash::Power`]) spares only what was synced. Every other sector of 512 bytes, every length of a
//! file and every creation, renaming and removal may be there or not, in any order; only what was written to the same sector
//! later is never there without what came before. "All File Systems Are Not Created Equal" (Pillai and others, OSDI 2014)
//! found that applications must expect all of that.
//!
//! A sync that fails fails once, and takes the dirty state from its pages: readers see their bytes, the next sync succeeds,
//! and a power loss may still take them. "Can Applications Recover from fsync Failures?" (Rebello and others, ATC 2020) has
//! the measurements.

mod file;
mod folder;
mod hands;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::rc::Rc;

use rashomon_draw::Draw;

use crate::server::{Recovered, Write, WriteId};
use crate::wal::{Log, WalError, WalOptions, Writer};
use folder::Folder;
use hands::SimFolder;

/// What a segment takes in the simulation: small ones, so that a short run sees many.
pub const SEGMENT_BYTES: u64 = 64 << 10;

/// How a node ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Crash {
    /// The process dies, the machine goes on.
    Process,
    /// The machine dies, and with it whatever was not synced, in whole or in part.
    Power,
}

/// What is wrong with a disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DiskFaults {
    /// The next sync of a file fails.
    pub sync_error: bool,
    /// There is no room for a new segment.
    pub full: bool,
}

/// A batch of writes that is being carried out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InFlight {
    /// The last write of the batch: it is durable when the batch is finished. Only bug RD-11 leaves it at an earlier one.
    pub durable: WriteId,
    /// Syncs that this takes, of files and of the folder.
    pub syncs: u32,
    /// Bytes that are written for it.
    pub bytes: u64,
}

/// The disk of one node. Survives the lives of the node.
#[derive(Debug, Default)]
pub struct SimDisk {
    folder: Rc<RefCell<Folder>>,
}

impl SimDisk {
    /// An empty disk.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins a new life of the node: opens its log, or begins one. A life before this one that did not crash ended
    /// gracefully: all it began is done.
    ///
    /// # Errors
    /// [`WalError`] where the disk is full, a sync fails, or bytes were damaged after they had been durable.
    pub fn open(&self, options: WalOptions) -> Result<(SimWal, Recovered), WalError> {
        let opened = self.begin_open(options);
        self.folder.borrow_mut().finish_all();
        opened
    }

    /// Opens the log, and leaves in flight what that takes.
    fn begin_open(&self, options: WalOptions) -> Result<(SimWal, Recovered), WalError> {
        let life = self.folder.borrow_mut().begin_life();
        let (log, recovered) = Log::open_on(SimFolder::new(Rc::clone(&self.folder), life), options)?;
        let wal = SimWal { writer: Writer::new(log), folder: Rc::clone(&self.folder), durable: WriteId(0) };
        Ok((wal, recovered))
    }

    /// Ends the life of the node. Its [`SimWal`] is of no use any more.
    pub fn crash(&self, crash: Crash, draw: &mut Draw) {
        self.folder.borrow_mut().crash(crash, draw);
    }

    /// What is wrong from now on.
    pub fn set_faults(&self, faults: DiskFaults) {
        self.folder.borrow_mut().faults = faults;
    }

    /// Flips a bit of a durable byte, and says where; `None` where nothing durable can be flipped. Spares what the last sync
    /// of each file wrote: a last frame that rots can't be told from one that a power loss tore, as the log admits.
    pub fn flip_bit(&self, draw: &mut Draw) -> Option<String> {
        self.folder.borrow_mut().flip_bit(draw)
    }
}

/// The log of one life of a node.
#[derive(Debug)]
pub struct SimWal {
    writer: Writer<SimFolder>,
    folder: Rc<RefCell<Folder>>,
    /// The last write that is durable when what was begun is finished.
    durable: WriteId,
}

impl SimWal {
    /// Takes these writes as the thread of a real node would: appends share a frame and a sync, a checkpoint
    /// stands alone. They are in flight until [`SimWal::finish`].
    ///
    /// # Errors
    /// [`WalError`] where the disk is full or a sync fails. The node can't go on then; what was done before is done.
    pub fn begin(&mut self, writes: Vec<(WriteId, Write)>) -> Result<InFlight, WalError> {
        self.folder.borrow_mut().begin_batch();
        let result = self.writer.write_all(writes, |id| {
            self.durable = id;
            self.folder.borrow_mut().mark_reported();
        });
        let mut folder = self.folder.borrow_mut();
        if let Err(error) = result {
            folder.finish_all();
            return Err(error);
        }
        let (syncs, bytes) = folder.reported_cost();
        Ok(InFlight { durable: self.durable, syncs, bytes })
    }

    /// The batch in flight is done. What nobody waits for, such as a seal or the removal of old segments, goes on, and is
    /// done before the next batch begins.
    pub fn finish(&mut self) {
        self.folder.borrow_mut().finish_reported();
    }
}
