//! A cluster in one hand: its network, disks and clock do exactly what a test says.

use std::collections::VecDeque;

use super::register::{Answer, Register, write};
use crate::raft::record::{HardState, Record, encode};
use crate::raft::{Body, Config, Entry, Invariants, Message, Payload, Position, Raft, Request, Response};
use crate::server::{Input, Micros, NodeId, Output, Recovered, RequestId, Server, Write};

pub(in crate::raft) type In = Input<Message, Request<()>>;
pub(in crate::raft) type Out = Output<Message, Response<Answer>>;

pub(in crate::raft) fn n(id: u16) -> NodeId {
    NodeId(id)
}

/// An entry that writes a value of its own.
pub(in crate::raft) fn entry(term: u64, index: u64) -> Entry {
    Entry { term, payload: Payload::Command(write(1_000 * term + index)) }
}

pub(in crate::raft) fn at(term: u64, index: u64) -> Position {
    Position { term, index }
}

/// A message under way.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::raft) struct Envelope {
    pub from: NodeId,
    pub to: NodeId,
    pub message: Message,
}

/// One member with its disk.
pub(in crate::raft) struct Host {
    pub config: Config,
    /// None while it is down.
    pub raft: Option<Raft<Register>>,
    /// What is durable.
    pub disk: Recovered,
    /// Outputs that wait for a write, beginning with that write.
    pub waiting: VecDeque<Out>,
    /// Writes are durable at once; otherwise only when [`Cluster::sync`] says so.
    pub syncs: bool,
}

/// All members, and everything between them.
pub(in crate::raft) struct Cluster {
    pub now: Micros,
    pub hosts: Vec<Host>,
    pub network: Vec<Envelope>,
    pub replies: Vec<(RequestId, Response<Answer>)>,
    /// Every output in the order in which it was carried out, where a test wants to see them.
    pub trace: Option<Vec<(NodeId, Out)>>,
    /// Who looks on, where a test wants that.
    pub invariants: Option<Invariants<Register>>,
    next_request: u64,
}

impl Cluster {
    pub(in crate::raft) fn new(nodes: u16, configure: impl Fn(&mut Config)) -> Self {
        let host = |id| {
            let mut config = Config::new(id, (1..=nodes).map(NodeId));
            config.seed = u64::from(id.0);
            configure(&mut config);
            let raft = Raft::recover(config.clone(), Register::default(), Recovered::default()).unwrap();
            Host { config, raft: Some(raft), disk: Recovered::default(), waiting: VecDeque::new(), syncs: true }
        };
        let hosts = (1..=nodes).map(NodeId).map(host).collect();
        let mut cluster = Self {
            now: Micros(1_000_000),
            hosts,
            network: Vec::new(),
            replies: Vec::new(),
            trace: None,
            invariants: None,
            next_request: 1,
        };
        cluster.ids().into_iter().for_each(|id| cluster.step(id, Input::Tick));
        cluster
    }

    /// A cluster whose members come up with these terms and logs; an entry is given by its term.
    pub(in crate::raft) fn with_logs(logs: &[(u64, &[u64])], configure: impl Fn(&mut Config)) -> Self {
        let mut cluster = Self::new(u16::try_from(logs.len()).unwrap(), configure);
        for (id, (term, terms)) in (1..).zip(logs) {
            let entries = (1..).zip(*terms).map(|(index, &term)| entry(term, index)).collect();
            let records = [
                encode(&Record::HardState(HardState { term: *term, vote: None })),
                encode(&Record::Entries { first: 1, entries }),
            ];
            cluster.host(n(id)).disk.records = records.into();
            cluster.restart(id);
        }
        cluster
    }

    /// A cluster of which member 1 leads in term 1, and whose no-op is committed everywhere.
    pub(in crate::raft) fn led(nodes: u16, configure: impl Fn(&mut Config)) -> Self {
        let mut cluster = Self::new(nodes, configure);
        cluster.elect(1);
        cluster.heartbeat(1);
        assert!(cluster.hosts.iter().all(|host| host.raft.as_ref().is_some_and(|raft| raft.commit_index == 1)));
        cluster
    }

    /// From now on what no client can see is checked.
    pub(in crate::raft) fn check_invariants(&mut self) {
        let mut invariants = Invariants::new(u16::try_from(self.hosts.len()).unwrap(), Register::default());
        for host in &self.hosts {
            invariants.recovered(host.config.id, host.raft.as_ref().unwrap());
        }
        self.invariants = Some(invariants);
    }

    pub(in crate::raft) fn ids(&self) -> Vec<NodeId> {
        self.hosts.iter().map(|host| host.config.id).collect()
    }

    pub(in crate::raft) fn host(&mut self, id: NodeId) -> &mut Host {
        &mut self.hosts[usize::from(id.0) - 1]
    }

    /// A member that is up.
    pub(in crate::raft) fn raft(&self, id: u16) -> &Raft<Register> {
        self.hosts[usize::from(id) - 1].raft.as_ref().unwrap()
    }

    /// Steps without a flush.
    pub(in crate::raft) fn input(&mut self, id: NodeId, input: In) {
        let now = self.now;
        let host = self.host(id);
        let mut outputs = Vec::new();
        if let Some(raft) = &mut host.raft {
            raft.step(now, input, &mut outputs);
        }
        self.take_outputs(id, outputs);
    }

    pub(in crate::raft) fn flush(&mut self, id: NodeId) {
        let now = self.now;
        let host = self.host(id);
        let mut outputs = Vec::new();
        if let Some(raft) = &mut host.raft {
            raft.flush(now, &mut outputs);
        }
        if let (Some(invariants), Some(raft)) = (&mut self.invariants, &self.hosts[usize::from(id.0) - 1].raft) {
            invariants.stepped(id, raft);
        }
        self.take_outputs(id, outputs);
    }

    /// Carries out at once what depends on no write; the rest waits in line.
    fn take_outputs(&mut self, id: NodeId, outputs: Vec<Out>) {
        for output in outputs {
            match output {
                Output::SendNow { .. } | Output::ReplyNow { .. } => self.carry_out_one(id, output),
                Output::Send { .. } | Output::Reply { .. } | Output::Persist { .. } => {
                    self.host(id).waiting.push_back(output);
                    self.carry_out(id, 0);
                }
            }
        }
    }

    pub(in crate::raft) fn step(&mut self, id: NodeId, input: In) {
        self.input(id, input);
        self.flush(id);
    }

    /// Makes the next `writes` writes of a member durable.
    pub(in crate::raft) fn sync(&mut self, id: u16, writes: usize) {
        self.carry_out(n(id), writes);
    }

    /// Carries out what waits no longer; up to `writes` writes become durable.
    fn carry_out(&mut self, id: NodeId, mut writes: usize) {
        let mut durable = None;
        while let Some(output) = self.host(id).waiting.pop_front() {
            if let Output::Persist { id: write, .. } = &output {
                let host = self.host(id);
                if !host.syncs && writes == 0 {
                    host.waiting.push_front(output);
                    break;
                }
                writes = writes.saturating_sub(1);
                durable = Some(*write);
            }
            self.carry_out_one(id, output);
        }
        if let Some(last) = durable {
            self.step(id, Input::Persisted(last));
        }
    }

    fn carry_out_one(&mut self, id: NodeId, output: Out) {
        if let Some(trace) = &mut self.trace {
            trace.push((id, output.clone()));
        }
        if let Some(invariants) = &mut self.invariants {
            match &output {
                Output::Persist { write, .. } => invariants.durable(id, write),
                Output::Send { to, message } | Output::SendNow { to, message } => invariants.sent(id, *to, message),
                Output::Reply { .. } | Output::ReplyNow { .. } => {}
            }
        }
        match output {
            Output::Persist { write, .. } => apply_write(&mut self.host(id).disk, write),
            Output::Send { to, message } | Output::SendNow { to, message } => {
                self.network.push(Envelope { from: id, to, message });
            }
            Output::Reply { id, response } | Output::ReplyNow { id, response } => self.replies.push((id, response)),
        }
    }

    /// The member dies; the first `surviving` of the writes that were under way became durable before.
    pub(in crate::raft) fn crash(&mut self, id: u16, surviving: usize) {
        let host = self.host(n(id));
        host.raft = None;
        let writes = host.waiting.drain(..).filter_map(|output| match output {
            Output::Persist { write, .. } => Some(write),
            Output::Send { .. } | Output::SendNow { .. } | Output::Reply { .. } | Output::ReplyNow { .. } => None,
        });
        writes.take(surviving).for_each(|write| apply_write(&mut host.disk, write));
        if let Some(invariants) = &mut self.invariants {
            invariants.crashed(n(id));
        }
    }

    pub(in crate::raft) fn restart(&mut self, id: u16) {
        let host = &mut self.hosts[usize::from(id) - 1];
        host.config.seed += 1_000;
        let raft = Raft::recover(host.config.clone(), Register::default(), host.disk.clone()).unwrap();
        let raft = host.raft.insert(raft);
        if let Some(invariants) = &mut self.invariants {
            invariants.recovered(n(id), raft);
        }
        self.step(n(id), Input::Tick);
    }

    pub(in crate::raft) fn request(&mut self, id: u16, request: Request<()>) -> RequestId {
        let request_id = self.request_id();
        self.step(n(id), Input::Request { id: request_id, request });
        request_id
    }

    pub(in crate::raft) fn request_id(&mut self) -> RequestId {
        self.next_request += 1;
        RequestId(self.next_request - 1)
    }

    pub(in crate::raft) fn write(&mut self, id: u16, value: u64) -> RequestId {
        self.request(id, Request::Command(write(value)))
    }

    pub(in crate::raft) fn read(&mut self, id: u16) -> RequestId {
        self.request(id, Request::Query(()))
    }

    /// The answer to a request, where there is one.
    pub(in crate::raft) fn reply(&self, id: RequestId) -> Option<&Response<Answer>> {
        self.replies.iter().find(|(replied, _)| *replied == id).map(|(_, response)| response)
    }

    /// The value that a request was answered with.
    pub(in crate::raft) fn value(&self, id: RequestId) -> Option<u64> {
        match self.reply(id) {
            Some(Response::Answer(answer)) => Some(answer.value),
            Some(Response::Transferred | Response::Changed | Response::Refused(_) | Response::Unknown) | None => None,
        }
    }

    /// Hands a member a message that nobody sent, and takes what it sends in turn.
    pub(in crate::raft) fn tell(&mut self, to: u16, from: u16, term: u64, body: Body) -> Vec<Envelope> {
        self.network.clear();
        self.step(n(to), Input::Message { from: n(from), message: Message { term, body } });
        std::mem::take(&mut self.network)
    }

    /// Delivers the message at this place of the network.
    pub(in crate::raft) fn deliver(&mut self, index: usize) {
        let Envelope { from, to, message } = self.network.remove(index);
        self.step(to, Input::Message { from, message });
    }

    /// Delivers, oldest first, until nothing is under way, or members that talk without end have said enough; what `keep`
    /// refuses is lost.
    pub(in crate::raft) fn settle(&mut self, keep: impl Fn(&Envelope) -> bool) {
        for _ in 0..20_000 {
            if self.network.is_empty() {
                return;
            }
            if keep(&self.network[0]) {
                self.deliver(0);
            } else {
                self.network.remove(0);
            }
        }
    }

    /// Delivers all.
    pub(in crate::raft) fn stabilize(&mut self) {
        self.settle(|_| true);
    }

    /// Delivers what does not touch `id`; the rest is lost.
    pub(in crate::raft) fn stabilize_without(&mut self, id: u16) {
        self.settle(|envelope| envelope.from != n(id) && envelope.to != n(id));
    }

    pub(in crate::raft) fn pass(&mut self, micros: u64) {
        self.now = self.now.after(micros);
        assert!(self.now < Micros(600_000_000), "what the test waits for never happens");
    }

    /// Time passes until the member's timer goes off.
    pub(in crate::raft) fn timeout(&mut self, id: u16) {
        let deadline = self.raft(id).deadline();
        self.pass(deadline.since(self.now));
        self.step(n(id), Input::Tick);
    }

    /// The member's election timer goes off when nobody heard a leader lately, and all that follows happens.
    pub(in crate::raft) fn elect(&mut self, id: u16) {
        self.pass(self.raft(id).config.timing.election_min_us);
        self.timeout(id);
        self.stabilize();
        assert!(self.raft(id).is_leader());
    }

    /// The leader's timer goes off, and all that follows happens.
    pub(in crate::raft) fn heartbeat(&mut self, id: u16) {
        self.timeout(id);
        self.stabilize();
    }

    /// The leader's timer goes off, and all that follows happens but for one member.
    pub(in crate::raft) fn heartbeat_without(&mut self, id: u16, without: u16) {
        self.timeout(id);
        self.stabilize_without(without);
    }

    /// The terms of the entries in a member's log, from its base on.
    pub(in crate::raft) fn terms(&self, id: u16) -> Vec<u64> {
        let log = &self.raft(id).log;
        (log.base().index + 1..=log.last_index()).filter_map(|index| log.term_at(index)).collect()
    }
}

fn apply_write(disk: &mut Recovered, write: Write) {
    match write {
        Write::Append(records) => disk.records.extend(records),
        Write::Checkpoint { snapshot, tail } => *disk = Recovered { snapshot: Some(snapshot), records: tail },
    }
}
