//! Random runs: loss, repetition, reordering, partitions, pauses of disks, crashes that lose what was not durable. After
//! every action the safety properties of figure 3 are checked, and what clients were told.

use std::collections::{BTreeMap, BTreeSet};

use rashomon_draw::Draw;

use super::cluster::{Cluster, n};
use super::register::{Answer, write, written};
use crate::raft::{Bug, Payload, Position, Raft, Request, Response};
use crate::server::{Input, NodeId, Output, RequestId, Server};

/// What a client waits for.
#[derive(Clone, Copy)]
struct Asked {
    /// The value, where it is a write.
    value: Option<u64>,
    /// The greatest index that any client had seen when this was asked.
    floor: u64,
}

/// An entry, and the term of the leader that committed it.
struct Committed {
    term: u64,
    payload: Payload,
    committed_in: u64,
}

/// What a run has seen, and what it may never see again.
#[derive(Default)]
struct Oracle {
    leaders: BTreeMap<u64, NodeId>,
    committed: BTreeMap<u64, Committed>,
    committed_values: BTreeSet<u64>,
    digests: BTreeMap<u64, u64>,
    /// Commit index, applied index and term of each member in its life.
    progress: BTreeMap<NodeId, (u64, u64, u64)>,
    asked: BTreeMap<RequestId, Asked>,
    answered: BTreeSet<RequestId>,
    refused_values: BTreeSet<u64>,
    floor: u64,
    acknowledged: usize,
    reads: usize,
}

type Checked = Result<(), String>;

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(what()) }
}

impl Oracle {
    fn check(&mut self, cluster: &mut Cluster) -> Checked {
        for (id, response) in std::mem::take(&mut cluster.replies) {
            self.check_reply(id, &response)?;
        }
        for host in &cluster.hosts {
            match &host.raft {
                Some(raft) => self.check_member(raft)?,
                None => drop(self.progress.remove(&host.config.id)),
            }
        }
        Ok(())
    }

    fn check_reply(&mut self, id: RequestId, response: &Response<Answer>) -> Checked {
        let Some(Asked { value, floor }) = self.asked.remove(&id) else {
            return Err(format!("{id:?} was answered twice, or never asked"));
        };
        self.answered.insert(id);
        match (response, value) {
            (Response::Answer(answer), Some(value)) => {
                ensure(answer.value == value, || format!("the write of {value} was answered with {answer:?}"))?;
                ensure(answer.index > floor, || {
                    format!("{answer:?} was written before what was already seen: {floor}")
                })?;
                self.acknowledged += 1;
                self.floor = self.floor.max(answer.index);
            }
            (Response::Answer(answer), None) => {
                ensure(answer.index >= floor, || format!("stale read: {answer:?}, but {floor} was already seen"))?;
                self.reads += 1;
                self.floor = self.floor.max(answer.index);
            }
            (Response::Refused(refusal), Some(value)) => {
                ensure(!self.committed_values.contains(&value), || format!("{value} was applied, but {refusal:?}"))?;
                self.refused_values.insert(value);
            }
            (Response::Refused(_) | Response::Transferred | Response::Unknown, _) => {}
        }
        Ok(())
    }

    fn check_member(&mut self, raft: &Raft<super::register::Register>) -> Checked {
        let id = raft.config.id;
        ensure(raft.halted.is_none(), || format!("{id} fell silent: {:?}", raft.halted))?;
        let (commit, applied, term) = self.progress.get(&id).copied().unwrap_or_default();
        let now = (raft.commit_index, raft.applied_index, raft.term());
        ensure(now.0 >= commit && now.1 >= applied && now.2 >= term, || {
            format!("{id} went back from commit {commit}, applied {applied}, term {term} to {now:?}")
        })?;
        self.progress.insert(id, now);
        self.check_commits(raft, commit)?;
        if applied < now.1 {
            let digest = *self.digests.entry(now.1).or_insert(raft.machine().digest);
            ensure(digest == raft.machine().digest, || format!("{id} applied something else up to {}", now.1))?;
        }
        if raft.is_leader() && *self.leaders.entry(term.max(now.2)).or_insert(id) != id {
            return Err(format!("two leaders in term {}", now.2));
        }
        self.check_leader_completeness(raft)
    }

    /// State machine safety: no two members commit different entries at one index.
    fn check_commits(&mut self, raft: &Raft<super::register::Register>, since: u64) -> Checked {
        for index in since + 1..=raft.commit_index {
            let Some(entry) = raft.log.get(index) else { continue };
            let known = self.committed.entry(index).or_insert_with(|| {
                let committed_in = raft.term();
                Committed { term: entry.term, payload: entry.payload.clone(), committed_in }
            });
            ensure(known.term == entry.term && known.payload == entry.payload, || {
                format!("two entries committed at {index}: of term {} and {entry:?}", known.term)
            })?;
            if let Payload::Command(command) = &entry.payload {
                let value = written(command);
                ensure(!self.refused_values.contains(&value), || format!("{value} was refused, but committed"))?;
                self.committed_values.insert(value);
            }
        }
        Ok(())
    }

    /// Leader completeness: what was committed in an earlier term is in every later leader's log.
    fn check_leader_completeness(&self, raft: &Raft<super::register::Register>) -> Checked {
        if !raft.is_leader() {
            return Ok(());
        }
        // The log only grows in a term, and what is older was checked when it was committed or when the leader began.
        for (&index, &Committed { term, committed_in, .. }) in self.committed.iter().rev().take(50) {
            if committed_in < raft.term() && index > raft.log.base().index {
                ensure(raft.log.matches(Position { term, index }), || {
                    format!("{} leads in term {} without the entry {index}@{term}", raft.config.id, raft.term())
                })?;
            }
        }
        Ok(())
    }

    /// Log matching: two logs that agree at an index agree before it.
    fn check_log_matching(cluster: &Cluster) -> Checked {
        let logs = || cluster.hosts.iter().filter_map(|host| host.raft.as_ref()).map(|raft| &raft.log);
        for (i, a) in logs().enumerate() {
            for b in logs().skip(i + 1) {
                let first = a.base().index.max(b.base().index) + 1;
                let last = a.last_index().min(b.last_index());
                let agree = (first..=last).rev().find(|index| a.term_at(*index) == b.term_at(*index));
                for index in first..=agree.unwrap_or(0) {
                    ensure(a.get(index) == b.get(index), || format!("logs agree at {agree:?} but not at {index}"))?;
                }
            }
        }
        Ok(())
    }
}

/// One random run.
struct Run {
    cluster: Cluster,
    draw: Draw,
    oracle: Oracle,
    /// Messages on these links are lost.
    cut: BTreeSet<(NodeId, NodeId)>,
    next_value: u64,
}

impl Run {
    fn new(seed: u64, nodes: u16, bug: Option<Bug>) -> Self {
        let mut draw = Draw::from_seed(seed);
        let lease_reads = draw.next_u64().is_multiple_of(3);
        let threshold_entries = 3 + draw.next_u64() % 30;
        let trailing_entries = draw.next_u64() % 10;
        let pre_vote = draw.below(4) > 0;
        let check_quorum = lease_reads || draw.below(4) > 0;
        let snapshot_chunk_bytes = [20, 1_000][draw.below(2)];
        let cluster = Cluster::new(nodes, |config| {
            config.seed += seed << 20;
            config.bug = bug;
            config.lease_reads = lease_reads;
            config.pre_vote = pre_vote;
            config.check_quorum = check_quorum;
            config.compaction.threshold_entries = threshold_entries;
            config.compaction.trailing_entries = trailing_entries;
            config.limits.append_entries = 4;
            config.limits.inflight_appends = 4;
            config.limits.snapshot_chunk_bytes = snapshot_chunk_bytes;
            config.limits.open_requests = 40;
        });
        Self { cluster, draw, oracle: Oracle::default(), cut: BTreeSet::new(), next_value: 1 }
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.draw.next_u64() % bound as u64).unwrap()
    }

    fn any_node(&mut self) -> NodeId {
        n(u16::try_from(1 + self.below(self.cluster.hosts.len())).unwrap())
    }

    /// One action of the network, a disk, a client or fate.
    fn act(&mut self) {
        match self.below(1_000) {
            0..=649 => self.network_acts(),
            650..=749 => {
                let (id, writes) = (self.any_node(), 1 + self.below(3));
                self.cluster.sync(id.0, writes);
            }
            750..=899 => self.client_asks(),
            900..=909 => self.client_gives_up(),
            910..=979 => self.time_passes(),
            980..=985 => {
                let id = self.any_node();
                let syncs = self.below(3) > 0;
                self.cluster.host(id).syncs = syncs;
            }
            986..=991 => self.cut_or_heal(),
            992..=993 => self.client_asks_for_transfer(),
            _ => self.crash_or_restart(),
        }
    }

    /// Delivers, repeats or loses a message, sometimes several in one batch.
    fn network_acts(&mut self) {
        if self.cluster.network.is_empty() {
            return self.time_passes();
        }
        // Mostly in order, as on a real network.
        let reach = if self.below(4) == 0 { self.cluster.network.len() } else { self.cluster.network.len().min(4) };
        let index = self.below(reach);
        let envelope = self.cluster.network[index].clone();
        let fate = self.below(100);
        if fate >= 5 {
            self.cluster.network.remove(index);
        }
        if fate < 95 && !self.cut.contains(&(envelope.from, envelope.to)) {
            self.cluster.input(envelope.to, Input::Message { from: envelope.from, message: envelope.message });
            if self.below(4) > 0 {
                self.cluster.flush(envelope.to);
            }
        }
    }

    fn client_asks(&mut self) {
        let leads = |host: &&super::cluster::Host| host.raft.as_ref().is_some_and(Raft::is_leader);
        let leaders = self.cluster.hosts.iter().filter(leads).map(|host| host.config.id).collect::<Vec<_>>();
        let node =
            if leaders.is_empty() || self.below(8) == 0 { self.any_node() } else { leaders[self.below(leaders.len())] };
        if self.below(2) == 0 {
            let value = self.next_value;
            self.next_value += 1;
            self.ask(node, Request::Command(write(value)), Some(value));
        } else {
            self.ask(node, Request::Query(()), None);
        }
    }

    fn client_asks_for_transfer(&mut self) {
        let to = self.any_node();
        for node in self.cluster.ids() {
            self.ask(node, Request::TransferLeadership { to }, None);
        }
    }

    fn ask(&mut self, node: NodeId, request: Request<()>, value: Option<u64>) {
        let id = self.cluster.request_id();
        self.oracle.asked.insert(id, Asked { value, floor: self.oracle.floor });
        self.cluster.input(node, Input::Request { id, request });
        if self.below(4) > 0 {
            self.cluster.flush(node);
        }
    }

    fn client_gives_up(&mut self) {
        let Some(id) = self.oracle.asked.keys().next().copied() else { return };
        for node in self.cluster.ids() {
            self.cluster.input(node, Input::Abandon { id });
        }
    }

    fn time_passes(&mut self) {
        let micros = self.draw.next_u64() % 20_000;
        self.cluster.pass(micros);
        self.tick_due();
    }

    fn tick_due(&mut self) {
        for id in self.cluster.ids() {
            // What a batch left is flushed before the driver waits.
            self.cluster.flush(id);
            let now = self.cluster.now;
            if self.cluster.host(id).raft.as_ref().is_some_and(|raft| raft.deadline() <= now) {
                self.cluster.step(id, Input::Tick);
            }
        }
    }

    fn cut_or_heal(&mut self) {
        self.cut.clear();
        if self.below(3) == 0 {
            return;
        }
        let sides = self.cluster.ids().into_iter().map(|id| (id, self.below(2))).collect::<BTreeMap<_, _>>();
        let one_way = self.below(4) == 0;
        for (a, side_a) in &sides {
            for (b, side_b) in &sides {
                if side_a < side_b || (side_a > side_b && !one_way) {
                    self.cut.insert((*a, *b));
                }
            }
        }
    }

    fn crash_or_restart(&mut self) {
        let id = self.any_node();
        if self.cluster.host(id).raft.is_none() {
            return self.cluster.restart(id.0);
        }
        let surviving = self.below(3);
        self.cluster.crash(id.0, surviving);
    }

    /// The faults stop; from now on all must go well.
    fn heal(&mut self) {
        self.cut.clear();
        for id in self.cluster.ids() {
            if self.cluster.host(id).raft.is_none() {
                self.cluster.restart(id.0);
            }
            self.cluster.host(id).syncs = true;
            self.cluster.sync(id.0, usize::MAX);
        }
    }

    /// Three seconds without faults.
    fn calm(&mut self) -> Checked {
        let until = self.cluster.now.after(3_000_000);
        while self.cluster.now < until {
            self.cluster.stabilize();
            ensure(self.cluster.network.is_empty(), || "the members never stop talking".to_owned())?;
            self.oracle.check(&mut self.cluster)?;
            self.cluster.pass(10_000);
            self.tick_due();
        }
        self.cluster.stabilize();
        self.oracle.check(&mut self.cluster)
    }

    /// After the faults: one leader, an answered write, and all members in the same state.
    fn check_liveness(&mut self) -> Checked {
        self.heal();
        self.calm()?;
        let leaders = self.cluster.ids().into_iter().filter(|id| self.cluster.raft(id.0).is_leader());
        let [leader] = leaders.collect::<Vec<_>>()[..] else { return Err("there is not one leader".to_owned()) };
        let before = self.oracle.acknowledged;
        self.ask(leader, Request::Command(write(u64::MAX)), Some(u64::MAX));
        self.calm()?;
        ensure(self.oracle.acknowledged == before + 1, || "a write is not acknowledged after the faults".to_owned())?;
        let machines = self.cluster.ids().into_iter().map(|id| self.cluster.raft(id.0).machine().clone());
        let machines = machines.collect::<Vec<_>>();
        ensure(machines.iter().all(|machine| *machine == machines[0]), || format!("states differ: {machines:?}"))?;
        let open = self.cluster.hosts.iter().filter_map(|host| host.raft.as_ref()).map(|raft| raft.requests.len());
        ensure(open.sum::<usize>() == 0, || "a request is still open long after the faults".to_owned())
    }
}

/// What a run did, to know that it did something.
#[derive(Debug, Default)]
struct Deeds {
    leaders: usize,
    acknowledged: usize,
    reads: usize,
    snapshots: usize,
}

fn run(seed: u64, nodes: u16, bug: Option<Bug>) -> Result<Deeds, String> {
    let mut run = Run::new(seed, nodes, bug);
    for action in 0..2_500 {
        run.act();
        run.oracle.check(&mut run.cluster).map_err(|error| format!("seed {seed}, action {action}: {error}"))?;
        if action % 100 == 0 {
            Oracle::check_log_matching(&run.cluster)
                .map_err(|error| format!("seed {seed}, action {action}: {error}"))?;
        }
    }
    run.check_liveness().map_err(|error| format!("seed {seed}, afterwards: {error}"))?;
    let snapshots = run.cluster.hosts.iter().filter(|host| host.disk.snapshot.is_some()).count();
    let Oracle { leaders, acknowledged, reads, .. } = run.oracle;
    Ok(Deeds { leaders: leaders.len(), acknowledged, reads, snapshots })
}

/// `RAFT_SEEDS=20000` looks longer.
fn seeds() -> u64 {
    std::env::var("RAFT_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(300)
}

/// Every third run has five members, the others three.
fn run_of(seed: u64, bug: Option<Bug>) -> Result<Deeds, String> {
    run(seed, 3 + 2 * u16::from(seed.is_multiple_of(3)), bug)
}

#[test]
fn random_faults_break_no_promise() {
    let mut deeds = Deeds::default();
    for seed in 0..seeds() {
        let run = run_of(seed, None).unwrap();
        deeds.leaders += run.leaders;
        deeds.acknowledged += run.acknowledged;
        deeds.reads += run.reads;
        deeds.snapshots += run.snapshots;
    }
    eprintln!("{deeds:?}");
    assert!(deeds.leaders > 1_000 && deeds.acknowledged > 10_000 && deeds.reads > 10_000 && deeds.snapshots > 500);
}

/// Planted bugs that these runs bring to light. The others need sessions, disks that forget, changes of membership or real
/// time: the simulation has them all.
const FOUND_HERE: &[Bug] = &[
    Bug::RE01,
    Bug::RE04,
    Bug::RE05,
    Bug::RE07,
    Bug::RE08,
    Bug::RE10,
    Bug::RE12,
    Bug::RE13,
    Bug::RE14,
    Bug::RL01,
    Bug::RL03,
    Bug::RL04,
    Bug::RL05,
    Bug::RL06,
    Bug::RL09,
    Bug::RL11,
    Bug::RL12,
    Bug::RC02,
    Bug::RC03,
    Bug::RC04,
    Bug::RC07,
    Bug::RR01,
    Bug::RR02,
    Bug::RR03,
    Bug::RR04,
    Bug::RR10,
    Bug::RS01,
    Bug::RS02,
    Bug::RS03,
    Bug::RS06,
    Bug::RS10,
    Bug::RS11,
    Bug::RX09,
    Bug::RP03,
    Bug::RP04,
    Bug::RP06,
    Bug::RP07,
];

#[test]
fn planted_bugs_break_a_random_run() {
    for &bug in FOUND_HERE {
        let found = (0..2 * seeds()).find_map(|seed| run_of(seed, Some(bug)).err());
        eprintln!("{bug}: {}", found.as_deref().unwrap_or("not found"));
        assert!(found.is_some(), "{bug} was not found");
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let trace = |seed| {
        let mut run = Run::new(seed, 3, None);
        run.cluster.trace = Some(Vec::new());
        (0..1_000).for_each(|_| run.act());
        run.cluster.trace.unwrap()
    };
    assert!(trace(7).iter().any(|(_, output)| matches!(output, Output::ReplyNow { .. })));
    assert_eq!(trace(7), trace(7));
    assert_ne!(trace(7), trace(8));
}
