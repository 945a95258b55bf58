//! Nodes that write and crash again and again, and what their disks bring back.

mod bugs;
mod faults;
mod file;
mod lives;

use bytes::Bytes;
use rashomon_draw::Draw;

use super::{Crash, DiskFaults, SimDisk, SimWal};
use crate::server::{Recovered, Write, WriteId};
use crate::wal::{WalError, WalOptions};

fn append(text: &str) -> Write {
    Write::Append(vec![Bytes::copy_from_slice(text.as_bytes())])
}

/// Small ones, so that a few writes fill several.
fn options(segment_bytes: u64) -> WalOptions {
    WalOptions { segment_bytes, bug: None }
}

/// Writes these, one a batch, durable.
fn write(wal: &mut SimWal, writes: &[Write]) {
    for (id, write) in (1..).zip(writes) {
        wal.begin(vec![(WriteId(id), write.clone())]).unwrap();
        wal.finish();
    }
}

fn texts(recovered: &Recovered) -> Vec<&str> {
    recovered.records.iter().map(|record| std::str::from_utf8(record).unwrap()).collect()
}

/// What a log holds after these writes.
fn after(writes: &[Write]) -> Recovered {
    let mut held = Recovered::default();
    for write in writes {
        match write {
            Write::Append(records) => held.records.extend_from_slice(records),
            Write::Checkpoint { snapshot, tail } => {
                held = Recovered { snapshot: Some(snapshot.clone()), records: tail.clone() };
            }
        }
    }
    held
}
