//! The words of a Rashomon run, and how they are kept on disk.
//!
//! A run is told by its [`Event`]s: every client writes down what it is about to ask ([`Call`]) *before* it asks, and
//! what came back ([`Outcome`]) when it came back. [`Recorder`] puts the events of all clients into one order and on
//! disk. [`read_history`] reads them back, also from a run that was killed, and pairs them to [`Operation`]s.
//!
//! The format is JSON lines with Jepsen's field names; `docs/HISTORY.md` describes every field.

mod call;
mod error;
mod event;
mod history;
mod intern;
mod outcome;
mod read;
mod recorder;
mod recording;
mod value;
mod wire;

pub use call::{Call, Key, MicroOp, Seen};
pub use error::HistoryError;
pub use event::{ClientEvent, ClientEventKind, Event, FaultPhase, NemesisEvent, ProcessId, TimeNs};
pub use history::{EventRef, History, Operation};
pub use outcome::{Outcome, Record, Returned};
pub use read::{Format, IndependentKeys, ReadOptions, parse_history, read_history};
pub use recorder::Recorder;
pub use recording::{OpenOperation, Recording};
pub use value::{Text, Value};
