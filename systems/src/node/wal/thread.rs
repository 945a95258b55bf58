//! The thread that writes: it takes all writes at hand and makes them durable with one sync.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Instant;

use bytes::Bytes;

use super::{Log, WalError};
use crate::server::{Write, WriteId};

/// Records beyond this many bytes wait for the next sync.
const BATCH_BYTES: usize = 1 << 20;

/// Writes are handed to it in order; it reports the newest durable one, again and again. After an error it does nothing
/// any more. Dropping it waits until what was handed over is written.
#[derive(Debug)]
pub struct WalThread {
    writes: Option<Sender<(WriteId, Write)>>,
    thread: Option<JoinHandle<()>>,
}

impl WalThread {
    /// Starts the thread. `report` is called on it.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn spawn(log: Log, report: impl FnMut(Result<WriteId, WalError>) + Send + 'static) -> io::Result<Self> {
        let (writes, queue) = channel();
        let writer = Writer { log, queue, report };
        let thread = std::thread::Builder::new().name("wal".into()).spawn(move || writer.run())?;
        Ok(Self { writes: Some(writes), thread: Some(thread) })
    }

    /// Hands over a write.
    pub fn submit(&self, id: WriteId, write: Write) {
        if let Some(writes) = &self.writes {
            // Where the thread is gone it has reported its error already.
            let _ = writes.send((id, write));
        }
    }
}

impl Drop for WalThread {
    fn drop(&mut self) {
        self.writes = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Writer<F> {
    log: Log,
    queue: Receiver<(WriteId, Write)>,
    report: F,
}

impl<F: FnMut(Result<WriteId, WalError>)> Writer<F> {
    fn run(mut self) {
        while let Ok(first) = self.queue.recv() {
            if let Err(error) = self.write_all(first) {
                (self.report)(Err(error));
                return;
            }
        }
    }

    /// Writes `first` and all that is queued behind it, with as few syncs as can be.
    fn write_all(&mut self, first: (WriteId, Write)) -> Result<(), WalError> {
        let mut batch = Batch::default();
        let mut next = Some(first);
        while let Some((id, write)) = next {
            match write {
                Write::Append(records) => {
                    batch.push(id, records);
                    if batch.bytes >= BATCH_BYTES {
                        self.write_batch(&mut batch)?;
                    }
                }
                Write::Checkpoint { snapshot, tail } => {
                    self.write_batch(&mut batch)?;
                    let began = Instant::now();
                    self.log.checkpoint(&snapshot, &tail)?;
                    (self.report)(Ok(id));
                    let took = began.elapsed();
                    tracing::info!(snapshot_bytes = snapshot.len(), tail = tail.len(), ?took, "wrote a checkpoint");
                    self.log.tidy()?;
                }
            }
            next = self.queue.try_recv().ok();
        }
        self.write_batch(&mut batch)
    }

    fn write_batch(&mut self, batch: &mut Batch) -> Result<(), WalError> {
        let Some(last) = batch.last.take() else { return Ok(()) };
        self.log.append(&batch.records)?;
        (self.report)(Ok(last));
        batch.records.clear();
        batch.bytes = 0;
        self.log.seal()
    }
}

#[derive(Default)]
struct Batch {
    records: Vec<Bytes>,
    bytes: usize,
    last: Option<WriteId>,
}

impl Batch {
    fn push(&mut self, id: WriteId, records: Vec<Bytes>) {
        self.bytes += records.iter().map(Bytes::len).sum::<usize>();
        self.records.extend(records);
        self.last = Some(id);
    }
}
