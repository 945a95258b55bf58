//! What leaves the member, in the order that durability asks for.

use std::collections::VecDeque;

use crate::raft::{Body, Message, Response};
use crate::server::{NodeId, Output, RequestId, Write, WriteId};

/// Outputs of the current batch.
pub(super) struct Outbox<A> {
    outputs: Vec<Output<Message, Response<A>>>,
    /// What leaves behind the write of the next flush.
    behind_write: Vec<(NodeId, Message)>,
    hard_state: HardStateOnDisk,
}

/// How far the latest term and vote are on their way to the disk.
#[derive(Clone, Copy, PartialEq, Eq)]
enum HardStateOnDisk {
    /// They changed since the last write; no message may leave before the next.
    Changed,
    /// They are part of this write.
    Written(WriteId),
    Durable,
}

impl<A> Default for Outbox<A> {
    fn default() -> Self {
        Self { outputs: Vec::new(), behind_write: Vec::new(), hard_state: HardStateOnDisk::Durable }
    }
}

impl<A> Outbox<A> {
    /// Sends as soon as the term and the vote that the message speaks for are durable.
    pub(super) fn send(&mut self, to: NodeId, message: Message) {
        match self.hard_state {
            HardStateOnDisk::Changed => self.behind_write.push((to, message)),
            HardStateOnDisk::Written(_) => self.outputs.push(Output::Send { to, message }),
            HardStateOnDisk::Durable => self.outputs.push(Output::SendNow { to, message }),
        }
    }

    /// Sends when all that is in memory now is durable. Of several acknowledgements in a row only the last goes.
    pub(super) fn send_when_durable(&mut self, to: NodeId, message: Message) {
        if let Some((last_to, last)) = self.behind_write.last_mut()
            && (*last_to, last.term) == (to, message.term)
            && let (Body::Appended { matched: last }, Body::Appended { matched }) = (&mut last.body, &message.body)
        {
            *last = (*last).max(*matched);
            return;
        }
        self.behind_write.push((to, message));
    }

    /// Sends whatever is not yet durable.
    pub(super) fn send_at_once(&mut self, to: NodeId, message: Message) {
        self.outputs.push(Output::SendNow { to, message });
    }

    /// Writes, and lets nothing out that waits for the disk.
    pub(super) fn write_alone(&mut self, id: WriteId, write: Write) {
        self.outputs.push(Output::Persist { id, write });
    }

    /// What waits for the disk and speaks for an earlier term is not sent: by then another leader may have replaced what it
    /// speaks of, and nobody waits for it.
    pub(super) fn drop_promises_before(&mut self, term: u64) {
        self.behind_write.retain(|(_, message)| message.term >= term);
    }

    /// The entries from `index` on are dropped before they were written: nobody may be told any more that they are durable.
    pub(super) fn take_back_acknowledgements(&mut self, index: u64) {
        let is_true = |message: &Message| !matches!(message.body, Body::Appended { matched } if matched >= index);
        self.behind_write.retain(|(_, message)| is_true(message));
    }

    /// Answers a client. What a client is told rests on what a majority has made durable, never on this disk alone.
    pub(super) fn reply(&mut self, id: RequestId, response: Response<A>) {
        self.outputs.push(Output::ReplyNow { id, response });
    }

    pub(super) fn hold_for_hard_state(&mut self) {
        self.hard_state = HardStateOnDisk::Changed;
    }

    pub(super) fn hard_state_changed(&self) -> bool {
        self.hard_state == HardStateOnDisk::Changed
    }

    /// The write `id` and all before it are durable. Answers whether the latest term and vote have become so with it.
    pub(super) fn on_durable(&mut self, id: WriteId) -> bool {
        let durable = matches!(self.hard_state, HardStateOnDisk::Written(written) if written <= id);
        if durable {
            self.hard_state = HardStateOnDisk::Durable;
        }
        durable
    }

    /// Writes, and lets out what waited for it.
    pub(super) fn persist(&mut self, write: Option<(WriteId, Write)>) {
        if let Some((id, write)) = write {
            if self.hard_state_changed() {
                self.hard_state = HardStateOnDisk::Written(id);
            }
            self.outputs.push(Output::Persist { id, write });
        }
        self.outputs.extend(self.behind_write.drain(..).map(|(to, message)| Output::Send { to, message }));
    }

    pub(super) fn drain_into(&mut self, outputs: &mut Vec<Output<Message, Response<A>>>) {
        outputs.append(&mut self.outputs);
    }
}

/// What the disk was given, and what it has confirmed.
pub(super) struct Disk {
    /// The log was given to the disk up to here.
    pub written: u64,
    /// The snapshot is newer than the one on disk.
    pub checkpoint_due: bool,
    last_id: WriteId,
    /// Writes that are not yet durable, with the last index that each makes durable.
    in_flight: VecDeque<(WriteId, u64)>,
}

impl Disk {
    pub(super) fn new(written: u64) -> Self {
        Self { written, checkpoint_due: false, last_id: WriteId(0), in_flight: VecDeque::new() }
    }

    /// Names a write that makes the log durable up to `last_index`.
    pub(super) fn begin(&mut self, last_index: u64) -> WriteId {
        let id = WriteId(self.last_id.0 + 1);
        self.last_id = id;
        self.written = last_index;
        self.checkpoint_due = false;
        self.in_flight.push_back((id, last_index));
        id
    }

    /// Names a write that makes no more of the log durable.
    pub(super) fn begin_beside(&mut self) -> WriteId {
        let id = WriteId(self.last_id.0 + 1);
        self.last_id = id;
        self.in_flight.push_back((id, self.written));
        id
    }

    /// Whether a write is under way.
    pub(super) fn is_busy(&self) -> bool {
        !self.in_flight.is_empty()
    }

    /// The write `id` and all before it are durable; answers up to which index they made the log durable.
    pub(super) fn finish(&mut self, id: WriteId) -> Option<u64> {
        let mut durable = None;
        while let Some((_, last_index)) = self.in_flight.front().filter(|(write, _)| *write <= id) {
            durable = Some(*last_index);
            self.in_flight.pop_front();
        }
        durable
    }
}
