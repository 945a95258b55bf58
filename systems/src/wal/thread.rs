//! The thread that writes: it takes all writes at hand and makes them durable with one sync.

use std::cell::Cell;
use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Instant;

use super::{FolderDisk, Log, WalError, Writer};
use crate::server::{Write, WriteId};

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
        let thread = Thread { writer: Writer::new(log), queue, report };
        let thread = std::thread::Builder::new().name("wal".into()).spawn(move || thread.run())?;
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

struct Thread<F> {
    writer: Writer<FolderDisk>,
    queue: Receiver<(WriteId, Write)>,
    report: F,
}

impl<F: FnMut(Result<WriteId, WalError>)> Thread<F> {
    fn run(mut self) {
        while let Ok(first) = self.queue.recv() {
            if let Err(error) = self.write_all(first) {
                (self.report)(Err(error));
                return;
            }
        }
    }

    /// Writes `first` and all that is queued behind it.
    fn write_all(&mut self, first: (WriteId, Write)) -> Result<(), WalError> {
        let checkpoint = Cell::new(None);
        let writes = std::iter::once(first).chain(self.queue.try_iter()).inspect(|(id, write)| {
            if let Write::Checkpoint { snapshot, tail } = write {
                checkpoint.set(Some((*id, snapshot.len(), tail.len(), Instant::now())));
            }
        });
        self.writer.write_all(writes, |durable| {
            (self.report)(Ok(durable));
            if let Some((id, snapshot_bytes, tail, began)) = checkpoint.get()
                && id == durable
            {
                tracing::info!(snapshot_bytes, tail, took = ?began.elapsed(), "wrote a checkpoint");
            }
        })
    }
}
