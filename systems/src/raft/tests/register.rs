//! A register: the smallest state machine that can show a stale read or a lost write.

use bytes::Bytes;

use crate::raft::{RestoreError, StateMachine};

/// Holds one number and where in the log it was written.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(in crate::raft) struct Register {
    pub answer: Answer,
    /// Depends on every command ever applied and its index, so that two registers that differ anywhere differ here.
    pub digest: u64,
    /// Padding of snapshots, to make them longer than a chunk.
    pub padding: usize,
}

/// The register's value, and the index of the command that wrote it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(in crate::raft) struct Answer {
    pub value: u64,
    pub index: u64,
}

/// The command that writes `value`.
pub(in crate::raft) fn write(value: u64) -> Bytes {
    Bytes::copy_from_slice(&value.to_be_bytes())
}

/// The value that a command writes.
pub(in crate::raft) fn written(command: &[u8]) -> u64 {
    command.iter().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

impl StateMachine for Register {
    type Query = ();
    type Answer = Answer;

    fn apply(&mut self, index: u64, command: &[u8]) -> Answer {
        self.answer = Answer { value: written(command), index };
        self.digest = [index, self.answer.value]
            .into_iter()
            .fold(self.digest, |digest, word| (digest ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29));
        self.answer
    }

    fn query(&self, (): &()) -> Answer {
        self.answer
    }

    fn snapshot(&self) -> Bytes {
        let words = [self.answer.value, self.answer.index, self.digest];
        words.iter().flat_map(|word| word.to_be_bytes()).chain(std::iter::repeat_n(0, self.padding)).collect()
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), RestoreError> {
        let Some((words, padding)) = snapshot.split_at_checked(24) else {
            return Err(RestoreError { reason: format!("{} bytes are too few", snapshot.len()) });
        };
        self.answer = Answer { value: written(&words[..8]), index: written(&words[8..16]) };
        self.digest = written(&words[16..]);
        self.padding = padding.len();
        Ok(())
    }
}
