//! Raft, as a state machine without I/O.
//!
//! [`Raft`] replicates a [`StateMachine`] over the members of a cluster and implements [`Server`], whose contract says
//! what its driver must do. It follows the paper (Ongaro and Ousterhout, *In Search of an Understandable Consensus
//! Algorithm*, extended version, 2014) and Ongaro's thesis (*Consensus: Bridging Theory and Practice*, 2014); the places
//! are named where they stand in the code.
//!
//! # The way of a command
//!
//! [`Server::step`] takes in what happened and changes the state in memory; [`Server::flush`] draws the conclusions of a
//! whole batch. A command that arrives at the leader is put at the end of its log in `step`. `flush` sends all that is new
//! to the followers, in as few messages as the limits allow, and then hands it to the leader's own disk: both happen at the
//! same time (thesis 10.2.1). A follower puts the entries in its log, writes them and answers when they are durable. When
//! the entry is durable on a majority it is committed, applied and answered, again in `flush`.
//!
//! # What waits for the disk
//!
//! Term and vote are durable before any message of that term leaves. Entries are durable before the append is answered, and
//! before the leader counts itself. An installed snapshot is durable before its last chunk is answered. All of it follows
//! from one rule: what needs durability is kept in the outbox and put behind the write of the same flush. All else, such as
//! a leader's appends and heartbeats and every answer to a client, overtakes the disk.
//!
//! # What a client is told
//!
//! An answer only when the command is committed and applied, or the read confirmed. A refusal only when it is certain that
//! the command was not and never will be applied. A leader that loses its office therefore keeps the commands in its log
//! open until another entry, or they themselves, are committed at their index.
//!
//! # Additions to the paper
//!
//! Pre-votes (thesis 9.6), leaders that step down when they hear no majority (6.2) and members that ignore candidates while
//! they hear a leader (4.2.3) keep a cluster calm. Reads take no entry in the log: they are confirmed by a round of
//! heartbeats that is sent after they arrived (6.4), or by a lease (6.4.1). Leadership can be handed over (3.10). Members can
//! be added, as learners first, and removed, one at a time (chapter 4; `membership.rs` says how and why so).
//!
//! A member that sees its own log contradict a leader's below the commit index, which can only follow from lost disks or a
//! planted bug, falls silent for good instead of answering wrongly; its status says so.

mod api;
mod bug;
mod config;
mod configuration;
mod election;
mod invariants;
mod log;
mod member;
mod membership;
mod message;
mod outbox;
mod progress;
mod quorum;
mod read;
mod record;
mod replication;
mod requests;
mod server;
mod snapshot;
#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "how long to look, and whether to rewrite, is said in the environment")]
mod tests;
mod transfer;

use std::collections::BTreeMap;

use rashomon_draw::Draw;

pub use api::{Local, Refusal, Request, Response, RestoreError, StateMachine};
pub use bug::{Bug, BugDescription, LEFT_OUT, LeftOut, Promise, Safeguard, UnknownBug};
pub use config::{Compaction, Config, ConfigError, Limits, Timing};
pub use configuration::{Change, Configuration};
pub use invariants::{Fact, Invariants, Violation};
pub use log::{Entry, Payload, Position};
pub use member::Member;
pub use message::{Body, Message, SnapshotId};
pub use record::RecoverError;

use log::Log;
use outbox::{Disk, Outbox};
use quorum::Quorum;
use read::Reads;
use record::{EncodedSnapshot, HardState};
use replication::Leader;
use requests::Requests;
use snapshot::Incoming;
use transfer::Transfer;

#[cfg(doc)]
use crate::server::Server;
use crate::server::{Micros, NodeId, Recovered};

/// One member of a Raft cluster.
pub struct Raft<M: StateMachine> {
    config: Config,
    machine: M,
    draw: Draw,
    now: Micros,
    started: bool,

    /// Durable, once the outbox has let it out.
    hard: HardState,
    log: Log,
    snapshot: Option<EncodedSnapshot>,
    /// The newest in the log, committed or not.
    configuration: Configuration,
    quorum: Quorum,

    commit_index: u64,
    applied_index: u64,
    /// Bytes of the commands that were applied since the last snapshot.
    applied_bytes: u64,
    role: Role,
    leader: Option<NodeId>,
    /// When a leader of the current term or an earlier one was last heard.
    heard_at: Option<Micros>,
    election_timeout_us: u64,
    election_at: Micros,

    requests: Requests,
    reads: Reads<M::Query>,
    transfer: Option<Transfer>,
    incoming: Option<Incoming>,
    disk: Disk,
    outbox: Outbox<M::Answer>,
    /// Why the member fell silent.
    halted: Option<String>,
    memory: bug::Memory,
}

/// What a member is in its term.
enum Role {
    Follower,
    PreCandidate(BTreeMap<NodeId, bool>),
    Candidate(BTreeMap<NodeId, bool>),
    Leader(Leader),
}

impl<M: StateMachine> Raft<M> {
    /// A member that goes on from what its disk holds; a new one where that is nothing. `machine` must be as it was before
    /// the first command.
    ///
    /// # Errors
    /// [`RecoverError`] where the settings can't work, or what the disk holds is not what a member of this version wrote.
    pub fn recover(config: Config, mut machine: M, recovered: Recovered) -> Result<Self, RecoverError> {
        config.check()?;
        let recovered = if config.bug == Some(Bug::RM11) { Recovered::default() } else { recovered };
        let record::Replayed { hard_state, snapshot, log } =
            record::replay(recovered, config.initial_configuration(), config.bug)?;
        if let Some((_, snapshot)) = &snapshot {
            machine.restore(&snapshot.machine)?;
        }
        let (applied_index, recovered_index) = (log.base().index, log.last_index());
        let known = if config.bug == Some(Bug::RM07) { applied_index } else { recovered_index };
        let configuration = log.configuration_at(known).1.clone();
        Ok(Self {
            draw: Draw::from_seed(config.seed),
            now: Micros::default(),
            started: false,
            hard: hard_state,
            disk: Disk::new(log.last_index()),
            log,
            snapshot: snapshot.map(|(encoded, _)| encoded),
            quorum: Quorum::of(&configuration, config.bug),
            configuration,
            commit_index: applied_index,
            applied_index,
            applied_bytes: 0,
            role: Role::Follower,
            leader: None,
            heard_at: None,
            election_timeout_us: config.timing.election_max_us,
            election_at: Micros::default(),
            requests: Requests::default(),
            reads: Reads::default(),
            transfer: None,
            incoming: None,
            outbox: Outbox::default(),
            halted: None,
            memory: bug::Memory { recovered_index, term_on_disk: hard_state.term, ..bug::Memory::default() },
            config,
            machine,
        })
    }

    /// The state machine as this member has it.
    pub fn machine(&self) -> &M {
        &self.machine
    }

    /// The current term.
    pub fn term(&self) -> u64 {
        self.hard.term
    }

    /// The leader that this member believes in.
    pub fn leader(&self) -> Option<NodeId> {
        self.leader
    }

    /// Who belongs to the cluster, as far as this member's log tells, committed or not.
    pub fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// Entries up to here are known to be committed.
    pub fn commit_index(&self) -> u64 {
        self.commit_index
    }

    /// Entries up to here were applied to the state machine.
    pub fn applied_index(&self) -> u64 {
        self.applied_index
    }

    /// Entries in the log, committed or not, those in the snapshot included.
    pub fn last_index(&self) -> u64 {
        self.log.last_index()
    }

    /// Whether this member believes that it leads.
    pub fn is_leader(&self) -> bool {
        matches!(self.role, Role::Leader(_))
    }

    /// Whether a bug is planted here.
    fn has(&self, bug: Bug) -> bool {
        self.config.bug == Some(bug)
    }

    /// Whether this part of the right code is in place. Planted bugs switch off what would hide them.
    fn keeps(&self, safeguard: Safeguard) -> bool {
        self.config.bug.is_none_or(|bug| !bug.description().switched_off.contains(&safeguard))
    }

    /// The last index that only the snapshot is needed for.
    fn snapshot_index(&self) -> u64 {
        self.snapshot.as_ref().map_or(0, |snapshot| snapshot.id.position.index)
    }

    fn message(&self, body: Body) -> Message {
        Message { term: self.hard.term, body }
    }

    fn send(&mut self, to: NodeId, body: Body) {
        let message = self.message(body);
        self.outbox.send(to, message);
    }

    fn send_at_once(&mut self, to: NodeId, body: Body) {
        let message = self.message(body);
        self.outbox.send_at_once(to, message);
    }

    fn send_when_durable(&mut self, to: NodeId, body: Body) {
        let message = self.message(body);
        self.outbox.send_when_durable(to, message);
    }

    /// Something is so wrong that every further step could make it worse. With a planted bug the member goes on, as the
    /// buggy program would.
    fn contradiction(&mut self, what: impl FnOnce() -> String) {
        if self.config.bug.is_none() && self.halted.is_none() {
            self.halted = Some(what());
        }
    }
}
