//! What the harness has to know of a system in whichever world it runs.

use std::ffi::OsString;
use std::time::Duration;

use rashomon_history::{Call, Returned, Value};
use rashomon_systems::client::{Client, ClientMachine, ClientOptions};
use rashomon_systems::commit::client::DECISIONS;
use rashomon_systems::commit::{self, CommitClient, CommitClientOptions};
use rashomon_systems::lock::{LockClient, LockClientOptions};
use rashomon_systems::server::NodeId;
use rashomon_workloads::{COPY, Role, SEMAPHORE_PERMITS, Workload};

use crate::plan::{CommitSettings, LockSettings, Plan, System};

impl Plan {
    /// The nodes with which clients stay, in turn, and that are asked for the final reads.
    pub(crate) fn homes(&self) -> Vec<NodeId> {
        match self.system {
            System::Raft | System::Lock => self.members().collect(),
            // All of them know decisions; a shard says who coordinates.
            System::Commit => (1..=self.nodes).map(NodeId).collect(),
            System::Real => (1..=self.servers()).map(NodeId).collect(),
        }
    }

    /// The nodes on which the system itself runs, the first ones; those of real systems have one more where locks guard a
    /// store.
    pub(crate) fn servers(&self) -> u16 {
        match self.system {
            System::Real if self.lock.is_some() => self.nodes - 1,
            System::Raft | System::Lock | System::Commit | System::Real => self.nodes,
        }
    }

    /// The members of the Raft cluster, if there is one.
    pub(crate) fn members(&self) -> impl Iterator<Item = NodeId> + use<> {
        let members = match self.system {
            System::Raft => self.nodes,
            System::Lock => self.nodes - 1,
            System::Commit | System::Real => 0,
        };
        (1..=members).map(NodeId)
    }

    /// The fewest nodes with which the system works at all.
    pub(crate) fn fewest_nodes(&self) -> u16 {
        match self.system {
            System::Raft => 1,
            // A member and the resource.
            System::Lock => 2,
            System::Commit => self.commit_settings().coordinators() + 1,
            // With the store that locks guard.
            System::Real => {
                let servers = self.real.as_ref().map_or(1, |real| real.description.fewest_nodes);
                servers + self.nodes - self.servers()
            }
        }
    }

    /// The nodes that a smaller cluster could do without, each by itself: none where there are no more than are needed.
    pub(crate) fn expendable_nodes(&self) -> Vec<NodeId> {
        let first = match self.system {
            System::Raft | System::Lock | System::Real => 1,
            System::Commit => self.commit_settings().coordinators() + 1,
        };
        let last = if self.system == System::Lock { self.nodes - 1 } else { self.nodes };
        if self.nodes > self.fewest_nodes() { (first..=last).map(NodeId).collect() } else { Vec::new() }
    }

    /// Those who talk to this node as their peer, the node itself included; nobody where it has none.
    pub(crate) fn peers_of(&self, node: NodeId) -> Vec<NodeId> {
        match self.system {
            System::Lock if node.0 == self.nodes => Vec::new(),
            System::Raft | System::Lock => self.members().collect(),
            System::Commit => (1..=self.nodes).map(NodeId).collect(),
            System::Real => Vec::new(),
        }
    }

    /// The home of the client with this number.
    pub(crate) fn home_of(&self, client: usize) -> NodeId {
        let homes = self.homes();
        homes[client % homes.len()]
    }

    /// What the client with this number is there for.
    pub(crate) fn role_of(&self, client: usize) -> Role {
        match self.system {
            System::Raft => Role::of(client, self.clients.into(), self.homes().len()),
            System::Real if [Workload::KEY_VALUE, Workload::OBJECTS].iter().any(|of| of.contains(&self.workload)) => {
                Role::of(client, self.clients.into(), self.homes().len())
            }
            System::Lock | System::Commit | System::Real => Role::Mixed,
        }
    }

    /// A client of an own system that stays with this node.
    pub(crate) fn client(&self, home: NodeId) -> Box<dyn ClientMachine> {
        match self.system {
            System::Raft => Box::new(Client::new(ClientOptions { home, nodes: self.nodes, sessions: self.sessions })),
            System::Lock => Box::new(LockClient::new(self.lock_client(home))),
            System::Commit => {
                let commit::Config { coordinators, bank, bug, .. } = self.commit_config(home);
                Box::new(CommitClient::new(CommitClientOptions { home, coordinators, bank, bug }))
            }
            System::Real => unreachable!("clients of real systems speak the protocol of the system"),
        }
    }

    fn lock_client(&self, home: NodeId) -> LockClientOptions {
        let LockSettings { ttl_ms, fencing, careful, tries } = self.lock_settings();
        let permits = if self.workload == Workload::Semaphore { SEMAPHORE_PERMITS } else { 1 };
        let (members, resource) = (self.nodes - 1, NodeId(self.nodes));
        LockClientOptions { home, members, resource, ttl_ms, permits, tries, careful, fencing, bug: self.lock_bug() }
    }

    /// A client without sessions, for reads that are made again until they are answered.
    pub(crate) fn reader(&self, home: NodeId) -> Box<dyn ClientMachine> {
        Self { sessions: false, ..self.clone() }.client(home)
    }

    /// What tells whether a node has still something to come to an end with; nothing where that makes no difference.
    pub(crate) fn what_is_open(&self) -> Option<Call> {
        match self.system {
            System::Raft | System::Lock | System::Real => None,
            System::Commit => Some(Call::Read { key: DECISIONS.into() }),
        }
    }

    /// Whether a final read waits until all other final reads are over: it tells what is under way, and they are that, too.
    pub(crate) fn is_read_last(&self, read: &Call) -> bool {
        [self.what_is_open(), self.copy_read()].iter().flatten().any(|last| last == read)
    }

    /// Whether the system can be asked this at the end: only our own shards know what was decided.
    pub(crate) fn can_be_read(&self, read: &Call) -> bool {
        self.system != System::Real || !matches!(read, Call::Read { key } if key.as_str() == DECISIONS)
    }

    /// What makes a node tell at the end all that it holds itself; nothing where it can't, or where what it holds is locks.
    pub(crate) fn copy_read(&self) -> Option<Call> {
        let has_copies = self.real.as_ref().is_some_and(|real| real.description.copies) && self.lock.is_none();
        has_copies.then(|| Call::Read { key: COPY.into() })
    }

    /// Whether the answer to [`Plan::what_is_open`] is that nothing is.
    pub(crate) fn is_nothing_open(answer: &Returned) -> bool {
        let is_prepared = |value: &Value| matches!(value, Value::Text(text) if &**text == "prepared");
        matches!(answer, Returned::Map(entries) if !entries.iter().any(|(_, value)| is_prepared(value)))
    }

    /// How long the servers may take from their start to a leader that all of them know, and from the end of the faults to one
    /// that answers.
    pub(crate) fn ready_deadline(&self) -> Duration {
        Duration::from_secs(self.real.as_ref().map_or(15, |real| real.description.ready_s))
    }

    /// What is answered only when the system works, and that no workload asks for.
    pub(crate) fn probe(&self) -> Call {
        match self.system {
            System::Raft => Call::Read { key: "rashomon-probe".into() },
            System::Lock => Call::OpenSession { owner: "rashomon-probe".into() },
            System::Commit => Call::Read { key: "".into() },
            System::Real if self.lock.is_some() => Call::OpenSession { owner: "rashomon-probe".into() },
            // What the clients will be asked next, of the kind that the workload has stored there.
            System::Real => {
                let mut reads = self.workload.generator(self.seed).final_reads().into_iter();
                match reads.find(|read| self.can_be_read(read)) {
                    // What a question takes out of a queue is missing in the history.
                    Some(Call::Drain { .. }) => Call::Drain { key: "rashomon-probe".into() },
                    Some(read) => read,
                    None => Call::Read { key: "rashomon-probe".into() },
                }
            }
        }
    }

    /// The arguments of `rashomon node` that depend on the system, for our own server of this node.
    pub(crate) fn server_args(&self, node: NodeId) -> Vec<OsString> {
        let mut args: Vec<OsString> = Vec::new();
        match self.system {
            System::Raft => {
                args.push("raft".into());
                args.extend(["--snapshot-entries".into(), self.snapshot_entries.to_string().into()]);
                args.extend(["--trailing-entries".into(), (self.snapshot_entries / 10).to_string().into()]);
                if self.lease_reads {
                    args.push("--lease-reads".into());
                }
            }
            // Of a real system no other node is a server of ours.
            System::Lock | System::Real if node.0 == self.nodes => {
                args.push("resource".into());
                if !self.lock_settings().fencing {
                    args.push("--no-fencing".into());
                }
            }
            System::Commit => {
                let CommitSettings { protocol, isolation, .. } = self.commit_settings();
                args.push("commit".into());
                args.extend(["--protocol".into(), protocol.to_string().into()]);
                args.extend(["--isolation".into(), isolation.to_string().into()]);
            }
            System::Real => unreachable!("the servers of real systems are started as their descriptions say"),
            System::Lock => {
                args.push("lock".into());
                args.extend(["--ttl-ms".into(), self.lock_settings().ttl_ms.to_string().into()]);
                args.extend(["--snapshot-entries".into(), self.snapshot_entries.to_string().into()]);
                args.extend(["--trailing-entries".into(), (self.snapshot_entries / 10).to_string().into()]);
            }
        }
        if let Some(bug) = self.bug {
            args.extend(["--bug".into(), bug.to_string().into()]);
        }
        args
    }
}
