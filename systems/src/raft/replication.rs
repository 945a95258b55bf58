//! Replication: how entries get into the logs (section 5.3), and when they are committed (section 5.4.2) and applied.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use crate::raft::progress::{Progress, ProgressState};
use crate::raft::{Body, Bug, Entry, Local, Payload, Position, Raft, Refusal, Response, Role, Safeguard, StateMachine};
use crate::server::{Micros, NodeId, RequestId};

/// What only a leader has. All of it begins anew with each election (figure 2).
pub(super) struct Leader {
    /// The followers.
    pub progress: BTreeMap<NodeId, Progress>,
    /// The leader's own log is durable up to here.
    pub durable: u64,
    /// When the next heartbeat is due.
    pub heartbeat_at: Micros,
    /// The last round of heartbeats that was sent.
    pub round: u64,
    /// Rounds that no majority has answered yet, and when they were sent.
    pub unconfirmed: VecDeque<(u64, Micros)>,
    /// When the last round was sent that a majority has answered.
    pub lease_from: Option<Micros>,
    /// Another member was asked to stand for election in spite of the lease, so there is none until the next term.
    pub lease_given_up: bool,
}

impl Leader {
    pub(super) fn new(followers: impl Iterator<Item = NodeId>, last_index: u64, now: Micros) -> Self {
        Self {
            progress: followers.map(|id| (id, Progress::new(last_index + 1, now))).collect(),
            durable: 0,
            heartbeat_at: now,
            round: 0,
            unconfirmed: VecDeque::new(),
            lease_from: None,
            lease_given_up: false,
        }
    }

    /// RL-07: goes on with what was known of the followers in an earlier term.
    pub(super) fn take_over(&mut self, earlier: &BTreeMap<NodeId, u64>) {
        for (id, progress) in &mut self.progress {
            progress.matched = earlier.get(id).copied().unwrap_or(0);
        }
    }

    /// How far the member is known to hold the leader's log, durably.
    pub(super) fn matched(&self, id: NodeId) -> u64 {
        self.progress.get(&id).map_or(self.durable, |progress| progress.matched)
    }

    /// The progress of a follower that was just heard from.
    fn heard(&mut self, from: NodeId, now: Micros) -> Option<&mut Progress> {
        let progress = self.progress.get_mut(&from)?;
        progress.heard_at = now;
        Some(progress)
    }

    fn confirmed(&self, id: NodeId) -> u64 {
        self.progress.get(&id).map_or(self.round, |progress| progress.acked_round)
    }
}

impl<M: StateMachine> Raft<M> {
    pub(super) fn append_noop(&mut self) {
        self.log.push(Entry { term: self.hard.term, payload: Payload::Noop });
    }

    /// A client's command at the leader.
    pub(super) fn propose(&mut self, id: RequestId, command: Bytes) {
        let uncommitted = self.log.last_index().saturating_sub(self.commit_index);
        if uncommitted >= self.config.limits.open_requests as u64 {
            return self.outbox.reply(id, Response::Refused(Refusal::Overloaded));
        }
        if (self.has(Bug::RX02) || self.has(Bug::RX03))
            && let Some(answer) = self.machine.remembered(&command)
        {
            return self.outbox.reply(id, Response::Answer(answer));
        }
        self.log.push(Entry { term: self.hard.term, payload: Payload::Command(command) });
        self.requests.open_command(id, self.log.last());
    }

    /// Sends whatever each follower lacks and may be sent now.
    pub(super) fn replicate(&mut self) {
        let Role::Leader(leader) = &self.role else { return };
        for to in leader.progress.keys().copied().collect::<Vec<_>>() {
            while let Some(body) = self.next_append(to).or_else(|| self.next_chunk(to)) {
                self.send(to, body);
            }
        }
    }

    /// The next append for a follower, if it may be sent one.
    fn next_append(&mut self, to: NodeId) -> Option<Body> {
        let probes_empty = self.has(Bug::RL06);
        let Role::Leader(leader) = &mut self.role else { return None };
        let progress = leader.progress.get_mut(&to)?;
        let limits = &self.config.limits;
        match &progress.state {
            ProgressState::Probe { sent_at: None } => {}
            ProgressState::Replicate { inflight } => {
                if progress.next > self.log.last_index() || inflight.len() >= limits.inflight_appends {
                    return None;
                }
            }
            ProgressState::Probe { sent_at: Some(_) } | ProgressState::Snapshot { .. } => return None,
        }
        let Some(previous) = self.log.position(progress.next - 1) else {
            let snapshot = self.snapshot.clone()?;
            progress.state = ProgressState::Snapshot { snapshot, offset: 0, sent_at: None };
            return None;
        };
        let mut entries = self.log.slice(progress.next, limits.append_entries, limits.append_bytes);
        let last = previous.index + entries.len() as u64;
        match &mut progress.state {
            ProgressState::Probe { sent_at } => {
                *sent_at = Some(self.now);
                if probes_empty {
                    entries.clear();
                }
            }
            ProgressState::Replicate { inflight } => {
                if inflight.is_empty() {
                    progress.moved_at = self.now;
                }
                inflight.push_back(last);
                progress.next = last + 1;
            }
            ProgressState::Snapshot { .. } => {}
        }
        Some(Body::Append { previous, commit: self.commit_index, entries })
    }

    /// A round of heartbeats to all followers.
    pub(super) fn broadcast_heartbeat(&mut self) {
        let (repeats, tells_all) = (self.has(Bug::RR05), self.has(Bug::RC02));
        let Role::Leader(leader) = &mut self.role else { return };
        if !repeats || leader.unconfirmed.is_empty() {
            leader.round += 1;
        }
        leader.unconfirmed.push_back((leader.round, self.now));
        leader.heartbeat_at = self.now.after(self.config.timing.heartbeat_us);
        let round = leader.round;
        let held = |progress: &Progress| if tells_all { u64::MAX } else { progress.matched };
        let commits = |(id, progress): (&NodeId, &Progress)| (*id, held(progress).min(self.commit_index));
        for (to, commit) in leader.progress.iter().map(commits).collect::<Vec<_>>() {
            self.send(to, Body::Heartbeat { commit, round });
        }
    }

    pub(super) fn on_heartbeat(&mut self, from: NodeId, commit: u64, round: u64) {
        self.commit_with_leader(commit, self.log.last_index());
        self.send(from, Body::HeartbeatReply { round });
    }

    /// The last round of heartbeats that was sent.
    pub(super) fn last_round(&self) -> u64 {
        if let Role::Leader(leader) = &self.role { leader.round } else { 0 }
    }

    /// The progress of a follower that was just heard from.
    pub(super) fn heard_progress(&mut self, from: NodeId) -> Option<&mut Progress> {
        let Role::Leader(leader) = &mut self.role else { return None };
        leader.heard(from, self.now)
    }

    pub(super) fn on_heartbeat_reply(&mut self, from: NodeId, round: u64) {
        let stalled_since = Micros(self.now.since(Micros(2 * self.config.timing.heartbeat_us)));
        let Role::Leader(leader) = &mut self.role else { return };
        let Some(progress) = leader.heard(from, self.now) else { return };
        progress.acked_round = progress.acked_round.max(round);
        if !progress.stalled_since(stalled_since) {
            return;
        }
        match &mut progress.state {
            ProgressState::Probe { sent_at } | ProgressState::Snapshot { sent_at, .. } => *sent_at = None,
            ProgressState::Replicate { .. } => {
                progress.moved_at = self.now;
                match self.log.position(progress.next - 1) {
                    // A follower that missed something answers this with a conflict.
                    Some(previous) => {
                        let commit = self.commit_index;
                        self.send(from, Body::Append { previous, commit, entries: Vec::new() });
                    }
                    None => progress.probe(),
                }
            }
        }
    }

    pub(super) fn on_appended(&mut self, from: NodeId, matched: u64) {
        let (now, first, last) = (self.now, self.log.base().index + 1, self.log.last_index());
        if let Some(progress) = self.heard_progress(from).filter(|_| matched <= last) {
            progress.appended(matched, first, now);
        }
        if !self.configuration.contains(from) {
            self.dismiss_removed();
        }
    }

    pub(super) fn on_conflict(&mut self, from: NodeId, previous_index: u64, hint: Position) {
        let agree = self.log.last_not_after(hint).index;
        if let Some(progress) = self.heard_progress(from) {
            progress.conflicted(previous_index, agree);
        }
    }

    /// A leader's own log is durable up to `last_index`. A candidate asks for votes only when all that it had written was
    /// durable, so what becomes durable at a leader was written by a leader, and its log only grew since.
    pub(super) fn on_durable(&mut self, last_index: u64) {
        if let Role::Leader(leader) = &mut self.role {
            leader.durable = leader.durable.max(last_index);
        }
    }

    /// A leader commits what a majority holds durably, but only by counting entries of its own term (section 5.4.2).
    pub(super) fn advance_commit(&mut self) {
        let counts_itself_early = self.has(Bug::RC07);
        let Role::Leader(leader) = &mut self.role else { return };
        if counts_itself_early {
            leader.durable = self.log.last_index();
        }
        let mut agreed = self.quorum.agreed(|id| leader.matched(id));
        if self.has(Bug::RL11) {
            agreed = self.log.last_index();
        }
        let own = self.log.term_at(agreed) == Some(self.hard.term) || self.has(Bug::RC01);
        if agreed > self.commit_index && own {
            self.commit_index = agreed;
        }
    }

    /// The last round of heartbeats that a majority has answered; also renews the lease.
    pub(super) fn confirmed_round(&mut self) -> u64 {
        let from_receipt = self.has(Bug::RR06);
        let Role::Leader(leader) = &mut self.role else { return 0 };
        let confirmed = self.quorum.agreed(|id| leader.confirmed(id));
        let rounds = leader.unconfirmed.partition_point(|(round, _)| *round <= confirmed);
        if let Some((_, sent_at)) = leader.unconfirmed.drain(..rounds).next_back() {
            leader.lease_from = Some(if from_receipt { self.now } else { sent_at });
        }
        confirmed
    }

    /// AppendEntries at a follower (figure 2).
    pub(super) fn on_append(&mut self, from: NodeId, previous: Position, commit: u64, entries: Vec<Entry>) {
        let last_new = previous.index + entries.len() as u64;
        if self.has(Bug::RL05) && self.log.term_at(previous.index).is_none() {
            self.drop_conflicting(self.snapshot_index() + 1);
        }
        let Some((previous, entries)) = self.beyond_snapshot(previous, entries) else {
            return self.send_when_durable(from, Body::Appended { matched: self.snapshot_index() });
        };
        if !self.log.matches(previous) && !self.has(Bug::RL01) {
            let hint = self.log.last_not_after(previous);
            return self.send(from, Body::Conflict { previous_index: previous.index, hint });
        }
        self.append_new(previous, entries);
        self.commit_with_leader(commit, last_new);
        let matched = if self.has(Bug::RL06) { self.log.last_index() } else { last_new };
        if self.has(Bug::RD09) {
            return self.send(from, Body::Appended { matched });
        }
        self.send_when_durable(from, Body::Appended { matched });
    }

    /// What of an append lies beyond this member's snapshot. What the snapshot holds is committed, so it is the leader's too.
    fn beyond_snapshot(&self, previous: Position, mut entries: Vec<Entry>) -> Option<(Position, Vec<Entry>)> {
        let snapshot = match &self.snapshot {
            Some(snapshot) if previous.index < snapshot.id.position.index => {
                if self.has(Bug::RL04) {
                    return Some((self.log.last(), entries));
                }
                snapshot.id.position
            }
            Some(_) | None => return Some((previous, entries)),
        };
        let held = usize::try_from(snapshot.index - previous.index).ok().filter(|held| *held <= entries.len())?;
        entries.drain(..held);
        Some((snapshot, entries))
    }

    /// Puts into the log what it lacks. Only an entry that contradicts the leader's is dropped, with all after it; what is
    /// there already stays, so that a message that comes late or twice does no harm (section 5.3).
    fn append_new(&mut self, previous: Position, entries: Vec<Entry>) {
        let first_index = previous.index + 1;
        if self.has(Bug::RL03) {
            self.drop_conflicting(first_index);
        }
        let differs = |(index, entry): (u64, &Entry)| self.log.term_at(index) != Some(entry.term);
        let Some(fresh) = (first_index..).zip(&entries).position(differs) else { return };
        if self.has(Bug::RL02) {
            return self.overwrite(first_index + fresh as u64, entries.into_iter().skip(fresh));
        }
        self.drop_conflicting(first_index + fresh as u64);
        entries.into_iter().skip(fresh).for_each(|entry| self.log.push(entry));
        if self.log.configuration().0 > previous.index {
            self.follow_configuration();
        }
    }

    /// RL-02: puts entries in the place of what stands at `first` and after it, and leaves what stands after those.
    fn overwrite(&mut self, first: u64, entries: impl Iterator<Item = Entry>) {
        self.disk.written = self.disk.written.min(first - 1);
        for (index, entry) in (first..).zip(entries) {
            self.log.put(index, entry);
        }
    }

    /// Drops the entry at `index` and all after it, to make room for the leader's.
    fn drop_conflicting(&mut self, index: u64) {
        if index > self.log.last_index() {
            return;
        }
        if index <= self.commit_index {
            self.contradiction(|| format!("the leader's entry at {index} is not the one that was committed there"));
            self.commit_index = index - 1;
        }
        self.log.truncate_from(index);
        self.outbox.take_back_acknowledgements(index);
        if !self.has(Bug::RM05) {
            self.follow_configuration();
        }
        self.disk.written = self.disk.written.min(index - 1);
    }

    /// A follower's commit index follows the leader's, as far as the logs are known to agree.
    pub(super) fn commit_with_leader(&mut self, commit: u64, agree: u64) {
        if self.has(Bug::RC02) {
            self.commit_index = self.commit_index.max(commit);
        }
        if self.has(Bug::RC03) {
            self.commit_index = commit.min(agree).max(self.log.base().index);
            self.applied_index = self.applied_index.min(self.commit_index);
        }
        self.commit_index = self.commit_index.max(commit.min(agree));
    }

    /// Applies what is committed, in order, and answers the clients that wait for it.
    pub(super) fn apply_committed(&mut self) {
        let mut changed = false;
        let most = if self.has(Bug::RR04) { self.applied_index + 1 } else { u64::MAX };
        while self.applied_index < self.commit_index.min(most) {
            let index = self.applied_index + 1;
            let Some(entry) = self.log.get(index) else { break };
            let applied = Position { term: entry.term, index };
            let mut response = match &entry.payload {
                Payload::Noop => None,
                Payload::Command(command) => {
                    self.applied_bytes += command.len() as u64;
                    if self.has(Bug::RX04) {
                        self.machine.overhear(Local::Clock(self.now));
                    }
                    Some(Response::Answer(self.machine.apply(index, command)))
                }
                Payload::Configuration(_) => {
                    changed = true;
                    Some(Response::Changed)
                }
            };
            self.applied_index = index;
            while let Some((id, proposed)) = self.requests.close_command_until(index) {
                let own = response.take_if(|_| proposed == applied || self.has(Bug::RL12));
                self.outbox.reply(id, own.unwrap_or(Response::Refused(Refusal::Superseded)));
            }
            self.refuse_superseded(applied.term);
        }
        if changed {
            self.settle_configuration();
        }
    }

    /// An entry of `term` is committed. Terms never fall along a log, so no log that holds it can hold an entry of an earlier
    /// term after it, and every later leader's log holds it: what was proposed earlier and is still open will never be
    /// committed.
    pub(super) fn refuse_superseded(&mut self, term: u64) {
        if !self.keeps(Safeguard::SupersededRefusal) {
            return;
        }
        for id in self.requests.close_commands_before(term) {
            self.outbox.reply(id, Response::Refused(Refusal::Superseded));
        }
    }
}
