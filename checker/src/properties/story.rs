//! Who did what when, in words.

use rashomon_history::{Operation, Outcome};

use crate::models::{Recorded, words};
use crate::narrator::Narrator;
use crate::witness::WitnessOperation;

/// Tells of the operations of a recorded history by their positions.
#[derive(Clone, Copy)]
pub(super) struct Story<'a> {
    pub(super) operations: &'a [Operation],
}

impl Story<'_> {
    /// "process 3 (n2) read 7 from x"
    pub(super) fn did(self, position: u32) -> String {
        let operation = &self.operations[position as usize];
        let who = Recorded { operations: self.operations }.who(position as usize);
        format!("{who} {}", words::tell(&operation.call, words::returned(operation)))
    }

    /// "1.204 s"
    pub(super) fn begun(self, position: u32) -> String {
        Recorded { operations: self.operations }.invoked(position as usize)
    }

    /// "1.210 s", or "never"
    pub(super) fn over(self, position: u32) -> String {
        Recorded { operations: self.operations }.completed(position as usize)
    }

    /// "process 3 (n2) read 7 from x, from 1.204 s to 1.210 s"
    pub(super) fn whole(self, position: u32) -> String {
        let did = format!("{}, from {}", self.did(position), self.begun(position));
        match self.operations[position as usize].outcome {
            Outcome::Ok(_) => format!("{did} to {}", self.over(position)),
            Outcome::Fail(_) => format!("{did} to {}, and failed", self.over(position)),
            Outcome::Info(_) => format!("{did} on, and never heard of it"),
        }
    }

    pub(super) fn operation(self, position: u32) -> WitnessOperation {
        WitnessOperation { position: position as usize, text: self.whole(position) }
    }
}

/// A duration for people: `1.204 s`, `35 ms`, `0.012 ms`.
pub(super) fn duration(nanoseconds: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "for people; 2^53 ns are 104 days")]
    let milliseconds = nanoseconds as f64 / 1e6;
    match nanoseconds {
        0..1_000_000 => format!("{milliseconds:.3} ms"),
        1_000_000..1_000_000_000 => format!("{milliseconds:.0} ms"),
        1_000_000_000.. => format!("{:.3} s", milliseconds / 1e3),
    }
}
