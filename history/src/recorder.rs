//! Puts the events of all clients into one order, and on disk.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::wire::write_line;
use crate::{
    Call, ClientEvent, ClientEventKind, Event, FaultPhase, HistoryError, NemesisEvent, Outcome, ProcessId, TimeNs,
};

/// Writes a history while it happens. Shared by all clients; the order in which calls take its lock is the order of the
/// history, and the time is read under the same lock, so that index and time never disagree.
///
/// [`Recorder::invoke`] returns when its line was handed to the kernel: the history then survives the death of this process,
/// at any moment. A completion goes with the next invocation, whoever's that is, for half the writes: what is lost with this
/// process is at most what was answered since the last request, and stays open in the history. Waiting for the lock can only
/// widen the interval of an operation, never narrow it, which keeps verdicts true.
#[derive(Debug)]
pub struct Recorder {
    path: PathBuf,
    began: Instant,
    writer: Mutex<Writer>,
}

#[derive(Debug)]
struct Writer {
    file: File,
    next_index: u64,
    latest: TimeNs,
    /// Whole lines that the kernel does not have yet.
    unwritten: Vec<u8>,
}

/// Completions are kept back up to so many bytes.
const MOST_UNWRITTEN: usize = 64 * 1024;

impl Recorder {
    /// Begins a new history; time runs from here. Refuses to write over an existing file.
    ///
    /// # Errors
    /// [`HistoryError::Io`] where the file exists or can't be made.
    pub fn create(path: &Path) -> Result<Self, HistoryError> {
        let file = File::create_new(path).map_err(|cause| HistoryError::Io { path: path.into(), cause })?;
        let writer = Writer { file, next_index: 0, latest: TimeNs(0), unwritten: Vec::with_capacity(MOST_UNWRITTEN) };
        Ok(Self { path: path.into(), began: Instant::now(), writer: Mutex::new(writer) })
    }

    /// The time since the run began.
    #[must_use]
    pub fn now(&self) -> TimeNs {
        TimeNs(u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    /// Writes down that a client is about to ask. The request may be sent when this has returned.
    ///
    /// # Errors
    /// [`HistoryError::Io`] where the line can't be written: then the request must not be sent.
    pub fn invoke(
        &self,
        process: ProcessId,
        node: Option<&str>,
        is_final: bool,
        call: &Call,
    ) -> Result<TimeNs, HistoryError> {
        self.client_event(process, node, is_final, call, ClientEventKind::Invoke)
    }

    /// Writes down what became of the open operation of a process, at the next invocation or [`Recorder::flush`].
    ///
    /// # Errors
    /// [`HistoryError::Io`] where the line can't be written.
    pub fn complete(
        &self,
        process: ProcessId,
        node: Option<&str>,
        is_final: bool,
        call: &Call,
        outcome: Outcome,
    ) -> Result<TimeNs, HistoryError> {
        self.client_event(process, node, is_final, call, ClientEventKind::Complete(outcome))
    }

    /// Writes down what the nemesis did.
    ///
    /// # Errors
    /// [`HistoryError::Io`] where the line can't be written.
    pub fn nemesis(&self, fault: u64, f: &str, phase: FaultPhase, detail: &str) -> Result<TimeNs, HistoryError> {
        self.append(|index, time| {
            Event::Nemesis(NemesisEvent { index, time, fault, f: f.into(), phase, detail: detail.into() })
        })
    }

    /// Hands over what was kept back. To be called when the last operation is over.
    ///
    /// # Errors
    /// [`HistoryError::Io`] where it can't be written.
    pub fn flush(&self) -> Result<(), HistoryError> {
        self.writer().write(&self.path)
    }

    fn client_event(
        &self,
        process: ProcessId,
        node: Option<&str>,
        is_final: bool,
        call: &Call,
        kind: ClientEventKind,
    ) -> Result<TimeNs, HistoryError> {
        self.append(|index, time| {
            Event::Client(ClientEvent {
                index,
                time,
                process,
                node: node.map(Into::into),
                is_final,
                call: call.clone(),
                kind,
            })
        })
    }

    fn append(&self, event: impl FnOnce(u64, TimeNs) -> Event) -> Result<TimeNs, HistoryError> {
        let mut writer = self.writer();
        let time = self.now().max(writer.latest);
        let event = event(writer.next_index, time);
        write_line(&event, &mut writer.unwritten);
        writer.next_index += 1;
        writer.latest = time;
        let may_wait = matches!(&event, Event::Client(event) if matches!(event.kind, ClientEventKind::Complete(_)));
        if !may_wait || writer.unwritten.len() > MOST_UNWRITTEN {
            writer.write(&self.path)?;
        }
        Ok(time)
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writer {
    /// One write for whole lines: a reader never sees half of two, and at most the last one is torn.
    fn write(&mut self, path: &Path) -> Result<(), HistoryError> {
        let written = self.file.write_all(&self.unwritten);
        self.unwritten.clear();
        written.map_err(|cause| HistoryError::Io { path: path.into(), cause })
    }
}

impl Drop for Recorder {
    /// For who did not come to its end; who did has called [`Recorder::flush`] and knows whether it worked.
    fn drop(&mut self) {
        let _ = self.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Returned, read_history};

    #[test]
    fn clients_on_many_threads_get_one_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.jsonl");
        let recorder = Recorder::create(&path).unwrap();
        std::thread::scope(|scope| {
            for process in 0..8 {
                let recorder = &recorder;
                scope.spawn(move || {
                    for value in 0..200 {
                        let call = Call::Write { key: "k".into(), value: value.into() };
                        recorder.invoke(ProcessId(process), Some("n1"), false, &call).unwrap();
                        let outcome = Outcome::Ok(Returned::Done);
                        recorder.complete(ProcessId(process), Some("n1"), false, &call, outcome).unwrap();
                    }
                });
            }
        });
        recorder.flush().unwrap();
        let history = read_history(&path).unwrap();
        assert_eq!(history.operations().len(), 1600);
        for (position, event) in history.events().iter().enumerate() {
            assert_eq!(event.index(), position as u64);
        }
    }

    #[test]
    fn the_line_is_on_disk_when_invoke_returns() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.jsonl");
        let recorder = Recorder::create(&path).unwrap();
        recorder.invoke(ProcessId(0), None, false, &Call::Read { key: "k".into() }).unwrap();
        assert_eq!(read_history(&path).unwrap().operations().len(), 1);
    }

    #[test]
    fn a_completion_is_on_disk_with_the_next_invocation_and_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.jsonl");
        let recorder = Recorder::create(&path).unwrap();
        let call = Call::Read { key: "k".into() };
        recorder.invoke(ProcessId(0), None, false, &call).unwrap();
        recorder.complete(ProcessId(0), None, false, &call, Outcome::Ok(Returned::Done)).unwrap();
        recorder.invoke(ProcessId(1), None, false, &call).unwrap();
        let history = read_history(&path).unwrap();
        let outcomes: Vec<bool> =
            history.operations().iter().map(|operation| matches!(operation.outcome, Outcome::Ok(_))).collect();
        assert_eq!(outcomes, [true, false]);
        recorder.complete(ProcessId(1), None, false, &call, Outcome::Ok(Returned::Done)).unwrap();
        drop(recorder);
        assert_eq!(read_history(&path).unwrap().events().len(), 4);
    }

    #[test]
    fn an_existing_history_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.jsonl");
        std::fs::write(&path, "precious").unwrap();
        assert!(Recorder::create(&path).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
    }
}
