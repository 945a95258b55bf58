//! Which writes share a sync. The same for the real thread and for the simulation.

use bytes::Bytes;

use super::{Disk, Log, WalError};
use crate::raft::Bug;
use crate::server::{Write, WriteId};

/// Records beyond this many bytes wait for the next sync.
const BATCH_BYTES: usize = 1 << 20;

/// Takes writes in order and carries them out with as few syncs as can be.
#[derive(Debug)]
pub(crate) struct Writer<D: Disk> {
    log: Log<D>,
    records: Vec<Bytes>,
    bytes: usize,
    /// The last write of `records`.
    last: Option<WriteId>,
}

impl<D: Disk> Writer<D> {
    pub(crate) fn new(log: Log<D>) -> Self {
        Self { log, records: Vec::new(), bytes: 0, last: None }
    }

    /// Carries out all writes at hand: appends together, a checkpoint alone. `report` hears of the newest durable write as
    /// soon as there is one; what nobody waits for is done after that.
    pub(crate) fn write_all(
        &mut self,
        writes: impl IntoIterator<Item = (WriteId, Write)>,
        mut report: impl FnMut(WriteId),
    ) -> Result<(), WalError> {
        for (id, write) in writes {
            match write {
                Write::Append(records) => {
                    self.push(id, records);
                    if self.bytes >= BATCH_BYTES {
                        self.write_records(&mut report)?;
                    }
                }
                Write::Checkpoint { snapshot, tail } => {
                    self.write_records(&mut report)?;
                    self.log.checkpoint(&snapshot, &tail)?;
                    report(id);
                    self.log.tidy()?;
                }
            }
        }
        self.write_records(&mut report)
    }

    fn push(&mut self, id: WriteId, records: Vec<Bytes>) {
        self.bytes += records.iter().map(Bytes::len).sum::<usize>();
        self.records.extend(records);
        self.last = Some(id);
    }

    fn write_records(&mut self, report: &mut impl FnMut(WriteId)) -> Result<(), WalError> {
        let Some(last) = self.last.take() else { return Ok(()) };
        let result = self.log.append(&self.records);
        self.records.clear();
        self.bytes = 0;
        match result {
            Err(_) if self.log.options.has(Bug::RD11) => return Ok(()),
            Err(_) if self.log.options.has(Bug::RC06) => {}
            result => result?,
        }
        report(last);
        self.log.seal()
    }
}
