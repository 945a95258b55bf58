//! Snapshots: cutting the log (section 7), and sending what was cut to followers that need it (figure 13).

use bytes::Bytes;

use crate::raft::log::Log;
use crate::raft::progress::ProgressState;
use crate::raft::record::{EncodedSnapshot, Snapshot};
use crate::raft::{Body, Bug, Raft, Response, Role, SnapshotId, StateMachine};
use crate::server::NodeId;

/// A snapshot that is being received.
pub(super) struct Incoming {
    snapshot: SnapshotId,
    received: Vec<u8>,
}

impl<M: StateMachine> Raft<M> {
    /// Takes a snapshot when enough was applied since the last.
    pub(super) fn compact_when_due(&mut self) {
        let compaction = self.config.compaction;
        let applied_entries = self.applied_index.saturating_sub(self.snapshot_index());
        if applied_entries < compaction.threshold_entries && self.applied_bytes < compaction.threshold_bytes {
            return;
        }
        let label = if self.has(Bug::RS06) { self.applied_index - 1 } else { self.applied_index };
        let Some(mut position) = self.log.position(label) else { return };
        if self.has(Bug::RS11) {
            let Some(begun_at) = self.memory.snapshot_begun_at.replace(position) else { return };
            self.memory.snapshot_begun_at = None;
            position = begun_at;
        }
        let configuration = match self.has(Bug::RS08) {
            true => self.config.initial_configuration(),
            false => self.log.configuration_at(position.index).1.clone(),
        };
        let snapshot = Snapshot { position, configuration, machine: self.machine.snapshot() };
        self.snapshot = Some(EncodedSnapshot::new(&snapshot));
        self.applied_bytes = 0;
        self.log.keep_trailing(position.index, compaction.trailing_entries, compaction.threshold_bytes / 4);
        self.disk.checkpoint_due = true;
    }

    /// The next chunk for a follower that is sent a snapshot, unless one is under way.
    pub(super) fn next_chunk(&mut self, to: NodeId) -> Option<Body> {
        let Role::Leader(leader) = &mut self.role else { return None };
        match &mut leader.progress.get_mut(&to)?.state {
            ProgressState::Snapshot { snapshot, offset, sent_at: sent_at @ None } => {
                *sent_at = Some(self.now);
                let begin = usize::try_from(*offset).ok()?.min(snapshot.bytes.len());
                let end = snapshot.bytes.len().min(begin + self.config.limits.snapshot_chunk_bytes);
                let chunk = snapshot.bytes.slice(begin..end);
                Some(Body::SnapshotChunk { snapshot: snapshot.id, offset: *offset, chunk })
            }
            ProgressState::Snapshot { .. } | ProgressState::Probe { .. } | ProgressState::Replicate { .. } => None,
        }
    }

    /// A follower says which chunk it needs next.
    pub(super) fn on_snapshot_wanted(&mut self, from: NodeId, wanted: SnapshotId, wanted_offset: u64) {
        let Some(progress) = self.heard_progress(from) else { return };
        if let ProgressState::Snapshot { snapshot, offset, sent_at } = &mut progress.state
            && snapshot.id == wanted
            && *offset != wanted_offset
        {
            *offset = wanted_offset;
            *sent_at = None;
        }
    }

    /// InstallSnapshot at a follower.
    pub(super) fn on_snapshot_chunk(&mut self, from: NodeId, snapshot: SnapshotId, offset: u64, chunk: &Bytes) {
        let known = snapshot.position.index <= self.commit_index || self.log.matches(snapshot.position);
        if known && !self.has(Bug::RS01) {
            // Nothing in it is new; only that it is committed may be.
            self.commit_index = self.commit_index.max(snapshot.position.index);
            self.incoming = None;
            return self.send_when_durable(from, Body::Appended { matched: snapshot.position.index });
        }
        let mut incoming = match self.incoming.take() {
            Some(incoming) if incoming.snapshot == snapshot => incoming,
            Some(_) | None => Incoming { snapshot, received: Vec::new() },
        };
        if offset == incoming.received.len() as u64 || self.has(Bug::RS10) {
            incoming.received.extend_from_slice(chunk);
        }
        if incoming.received.len() as u64 >= snapshot.bytes {
            return self.finish_incoming(from, incoming);
        }
        let offset = incoming.received.len() as u64;
        self.incoming = Some(incoming);
        self.send(from, Body::SnapshotWanted { snapshot, offset });
    }

    /// All chunks are here: install, or begin anew where they don't make up what was announced.
    fn finish_incoming(&mut self, from: NodeId, incoming: Incoming) {
        let encoded = EncodedSnapshot::received(incoming.snapshot.position, Bytes::from(incoming.received));
        let position = encoded.id.position;
        if encoded.id != incoming.snapshot && !self.has(Bug::RS10) {
            return self.send(from, Body::SnapshotWanted { snapshot: incoming.snapshot, offset: 0 });
        }
        if let Err(error) = self.install(encoded)
            && !self.has(Bug::RS10)
        {
            return self.contradiction(|| format!("a snapshot of the leader can't be installed: {error}"));
        }
        let matched = if self.has(Bug::RS03) { self.log.last_index() } else { position.index };
        self.send_when_durable(from, Body::Appended { matched });
    }

    /// Puts a snapshot in the place of the state machine and of the whole log.
    fn install(&mut self, encoded: EncodedSnapshot) -> Result<(), String> {
        let snapshot = encoded.decode().map_err(|error| error.to_string())?;
        if !self.has(Bug::RS02) {
            self.machine.restore(&snapshot.machine).map_err(|error| error.to_string())?;
        }
        let position = snapshot.position;
        let suffix = self.has(Bug::RS03).then(|| self.log.slice(position.index + 1, usize::MAX, usize::MAX));
        self.log = Log::after(position, snapshot.configuration);
        self.outbox.take_back_acknowledgements(position.index + 1);
        suffix.into_iter().flatten().for_each(|entry| self.log.push(entry));
        self.follow_configuration();
        self.memory.snapshot_begun_at = None;
        self.commit_index = position.index;
        self.applied_index = position.index;
        self.applied_bytes = 0;
        self.snapshot = Some(encoded);
        self.disk.checkpoint_due = true;
        while let Some((id, _)) = self.requests.close_command_until(position.index) {
            self.outbox.reply(id, Response::Unknown);
        }
        self.refuse_superseded(position.term);
        Ok(())
    }
}
