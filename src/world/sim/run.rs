//! One simulated run, top-down.

use std::collections::BTreeSet;

use rashomon_history::{Call, Outcome};
use rashomon_systems::raft::Member;
use rashomon_systems::server::{Micros, NodeId};
use rashomon_systems::sim::{Cluster, Happening};
use rashomon_systems::wal::WalOptions;
use rashomon_workloads::{Asker, Generator};

use super::clients::{Shared, SimClient, Wish, client_of};
use super::hands::Nemesis;
use super::operator::Operator;
use super::settle::PROBE_TOKEN;
use super::system::{Answered, OwnSystem};
use super::trace::Trace;
use super::transfers::Transfers;
use super::watcher::Watcher;
use super::{Check, Simulated, Violation};
use crate::plan::Plan;
use crate::run::Lifecycle;

/// From the start of the servers to a leader that all of them know.
const READY_DEADLINE_US: u64 = 15_000_000;
/// How often a condition is looked at while it is waited for.
pub(super) const LOOK_EVERY_US: u64 = 10_000;
/// Where a final read was not answered, it is made again after this time.
const FINAL_READ_PAUSE_US: u64 = 5_000;

/// Who is woken. Clients have their own numbers, from 0.
pub(super) const WAKE_NEMESIS: u64 = u64::MAX;
pub(super) const WAKE_OPERATOR: u64 = u64::MAX - 1;
pub(super) const WAKE_TRANSFERS: u64 = u64::MAX - 2;

/// What clients do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// They ask nothing new.
    Quiet,
    /// They ask as the workload says, until then.
    Drive { until: Micros },
    /// Those from this one on make the final reads.
    FinalReads { first_reader: usize },
}

/// One run.
pub(super) struct Run<'a, S: OwnSystem> {
    pub(super) plan: &'a Plan,
    pub(super) cluster: Cluster<S::Build, Watcher<S>>,
    pub(super) nemesis: Nemesis,
    pub(super) operator: Operator,
    pub(super) transfers: Transfers,
    pub(super) shared: Shared<S>,
    pub(super) lifecycle: Lifecycle,
    pub(super) violation: Option<Violation>,
    generator: Box<dyn Generator>,
    pub(super) clients: Vec<SimClient<S>>,
    clients_began: Micros,
    phase: Phase,
    /// What each reader reads at the end.
    final_reads: Vec<Vec<Call>>,
    /// How many of them it has made.
    final_reads_made: Vec<usize>,
    /// The answer to the last probe, see [`super::settle`].
    pub(super) probe_answered: bool,
    /// Those who are cut off already when the liveness phase begins.
    pub(super) outsiders: BTreeSet<NodeId>,
}

impl<'a, S: OwnSystem> Run<'a, S> {
    pub(super) fn new(plan: &'a Plan) -> Self {
        let simulation = plan.simulation.clone().unwrap_or_default();
        let wal_options = WalOptions { bug: plan.raft_bug(), ..WalOptions::simulated() };
        let (network, disk) = (simulation.network, simulation.disk);
        let cluster =
            Cluster::new(S::build(plan), Watcher::new(plan), plan.nodes, network, disk, wal_options, plan.seed);
        let mut shared = Shared::new(plan);
        let client = |number| match &plan.script {
            Some(script) => SimClient::scripted(plan, script, number, &mut shared),
            None => SimClient::new(plan, number, &mut shared),
        };
        let count = plan.script.as_ref().map_or(plan.clients.into(), |script| script.clients.len() as u64);
        let clients = (0..count).map(client).collect();
        Self {
            cluster,
            nemesis: Nemesis::new(plan),
            operator: Operator::new(plan),
            transfers: Transfers::new(plan),
            shared,
            lifecycle: Lifecycle::default(),
            violation: None,
            generator: plan.workload.generator(plan.seed),
            clients,
            clients_began: Micros(0),
            phase: Phase::Quiet,
            final_reads: Vec::new(),
            final_reads_made: Vec::new(),
            probe_answered: false,
            outsiders: BTreeSet::new(),
            plan,
        }
    }

    /// Writes down every message.
    pub(super) fn traced(mut self) -> Self {
        self.cluster.observer_mut().trace = Some(Trace::new(self.plan.nodes));
        self
    }

    pub(super) fn carry_out(mut self) -> Simulated {
        if self.set_up() {
            self.drive();
            self.settle();
            for is_last in [false, true] {
                self.quieten();
                self.make_final_reads(is_last);
            }
            self.converge();
        }
        self.finish()
    }

    pub(super) fn now(&self) -> Micros {
        self.cluster.now()
    }

    /// Whether clients ask and faults come.
    pub(super) fn is_driving(&self) -> bool {
        matches!(self.phase, Phase::Drive { .. })
    }

    pub(super) fn is_over(&self) -> bool {
        self.violation.is_some()
    }

    pub(super) fn violate(&mut self, check: Check, kind: &str, text: String) {
        let at = self.now();
        self.violation.get_or_insert(Violation { check, kind: kind.to_owned(), text, at });
    }

    fn set_up(&mut self) -> bool {
        for node in self.cluster.nodes() {
            self.cluster.start(node);
        }
        let ready = self.go_on_until(READY_DEADLINE_US, |run| run.settled_leader(&run.cluster.up()).is_some());
        if !ready {
            self.violate(Check::Liveness, "no-leader", "no leader was elected though nothing was broken".into());
        }
        ready
    }

    /// Clients ask while the nemesis follows its schedule.
    fn drive(&mut self) {
        let began = self.now();
        self.clients_began = began;
        let until = began.after(self.plan.time_limit_ms * 1000);
        self.phase = Phase::Drive { until };
        for number in 0..self.clients.len() {
            self.clients[number].count_from(began);
            self.set_alarm(number);
        }
        self.begin_schedule();
        self.begin_operating();
        self.begin_transfers();
        self.go_on(until);
        self.phase = Phase::Quiet;
        self.end_faults();
        self.leave_worst_majority();
        // Each client finishes its last operation.
        let patience_us = self.plan.operation_deadline_ms * 1000;
        self.go_on_until(patience_us, |run| run.clients.iter().all(SimClient::is_idle));
    }

    /// One client a member that runs reads what the workload wants read at the end.
    fn make_final_reads(&mut self, is_last: bool) {
        if self.is_over() || self.lifecycle.majority_lost {
            return;
        }
        let first_reader = self.clients.len();
        self.final_reads.clear();
        self.final_reads_made.clear();
        for (home, reads) in self.plan_final_reads(is_last) {
            let number = u64::try_from(self.clients.len()).unwrap_or(u64::MAX);
            let mut reader = SimClient::reader(self.plan, number, home, &mut self.shared);
            reader.next_call = self.now();
            self.clients.push(reader);
            self.final_reads.push(reads);
            self.final_reads_made.push(0);
        }
        self.phase = Phase::FinalReads { first_reader };
        (first_reader..self.clients.len()).for_each(|number| self.set_alarm(number));
        let wanted: usize = self.final_reads.iter().map(Vec::len).sum();
        let deadline_us = self.liveness_bound_us() + wanted as u64 * 100_000;
        self.go_on_until(deadline_us, |run| run.final_reads_made.iter().sum::<usize>() == wanted);
        self.phase = Phase::Quiet;
        let made: usize = self.final_reads_made.iter().sum();
        let (made_before, wanted_before) = self.lifecycle.final_reads;
        self.lifecycle.final_reads = (made_before + made as u64, wanted_before + wanted as u64);
        if made < wanted && !self.is_over() {
            let text = format!("of {wanted} final reads only {made} were answered");
            self.violate(Check::Liveness, "no-answer", text);
        }
    }

    /// What is read at each member that runs.
    fn plan_final_reads(&self, is_last: bool) -> Vec<(NodeId, Vec<Call>)> {
        let is_due = |read: &Call| self.plan.is_read_last(read) == is_last;
        let reads_at = |home: NodeId| -> Vec<Call> {
            let mut reads = match &self.plan.script {
                None => self.generator.final_reads(),
                Some(script) => {
                    let here = script.final_reads.iter().filter(|read| read.node == home.0);
                    here.map(|read| read.call.clone()).collect()
                }
            };
            reads.retain(is_due);
            reads
        };
        let members = self.wanted_nodes();
        let homes = self.plan.homes().into_iter().filter(|home| members.contains(home));
        let reads = homes.map(|home| (home, reads_at(home)));
        reads.filter(|(_, reads)| !reads.is_empty()).collect()
    }

    fn finish(mut self) -> Simulated {
        let trace = self.cluster.observer_mut().trace.take();
        let (history, processes) = (self.shared.recording.history(), &self.shared.processes);
        Simulated {
            lamport: trace.map(|trace| trace.draw(history, processes, self.violation.as_ref())),
            lasted: self.cluster.now(),
            leaders: self.cluster.observer().leaders.clone(),
            clients_began: self.clients_began,
            final_reads: self.generator.final_reads(),
            recording: self.shared.recording,
            processes: self.shared.processes,
            lifecycle: self.lifecycle,
            faults: self.nemesis.summary(),
            violation: self.violation,
        }
    }

    /// Lets the world go on until a moment.
    pub(super) fn go_on(&mut self, until: Micros) {
        while !self.is_over() {
            match self.cluster.next(until) {
                Some(happening) => self.take(happening),
                None => return,
            }
        }
    }

    /// Lets the world go on until a condition holds, or for so long. Says whether it holds.
    pub(super) fn go_on_until(&mut self, longest_us: u64, holds: impl Fn(&Self) -> bool) -> bool {
        let give_up = self.now().after(longest_us);
        while !self.is_over() {
            if holds(self) {
                return true;
            }
            if self.now() >= give_up {
                return false;
            }
            self.go_on(self.now().after(LOOK_EVERY_US).min(give_up));
        }
        false
    }

    fn take(&mut self, happening: Happening<Answered<S>>) {
        match happening {
            Happening::Wake(WAKE_NEMESIS) => self.follow_schedule(),
            Happening::Wake(WAKE_OPERATOR) => self.operate(),
            Happening::Wake(WAKE_TRANSFERS) => self.make_moves(),
            Happening::Wake(number) => self.woken(usize::try_from(number).unwrap_or(usize::MAX)),
            Happening::Answered { token, result } => match self.clients.get_mut(client_of(token)) {
                Some(client) if client.stands_still => client.waiting.push((token, result)),
                Some(client) => {
                    let wishes = client.answered(self.cluster.now(), token, result, &mut self.shared);
                    self.fulfil(client_of(token), wishes);
                }
                None if token == PROBE_TOKEN => {
                    self.probe_answered |= result.is_ok_and(|response| S::is_answer(&response))
                }
                None => {}
            },
            Happening::Noticed => self.hear_of_election(),
            Happening::Storm => {
                let text = "the servers keep each other busy with hundreds of thousands of messages, for nothing";
                self.violate(Check::Liveness, "message-storm", text.into());
            }
            Happening::Ended { node, reason } => self.server_ended(node, &reason),
        }
        self.look_on();
    }

    /// Takes over what the observer found wrong.
    pub(super) fn look_on(&mut self) {
        if let Some(violation) = self.cluster.observer_mut().take_violation() {
            self.violation.get_or_insert(violation);
        }
    }

    fn woken(&mut self, number: usize) {
        let now = self.now();
        let Some(client) = self.clients.get_mut(number).filter(|client| !client.stands_still) else { return };
        if client.wake_at.take_if(|at| *at <= now).is_none() {
            return;
        }
        if client.due() > now {
            return self.set_alarm(number);
        }
        if !client.is_idle() {
            let wishes = client.time(now, &mut self.shared);
            return self.fulfil(number, wishes);
        }
        let asker = Asker { client: number, role: client.role };
        let (call, is_final) = match self.phase {
            Phase::Drive { until } if now < until && client.is_scripted => {
                let Some(call) = client.take_scripted() else { return };
                (call, false)
            }
            Phase::Drive { until } if now < until => (self.generator.next_call(asker), false),
            Phase::FinalReads { first_reader } if number >= first_reader => {
                let reader = number - first_reader;
                let Some(call) = self.final_reads[reader].get(self.final_reads_made[reader]) else { return };
                (call.clone(), true)
            }
            Phase::Quiet | Phase::Drive { .. } | Phase::FinalReads { .. } => return,
        };
        let wishes = self.clients[number].begin(now, call, is_final, &mut self.shared);
        self.fulfil(number, wishes);
    }

    pub(super) fn set_alarm(&mut self, number: usize) {
        let client = &mut self.clients[number];
        let due = client.due();
        if client.wake_at.is_none_or(|at| at > due) {
            client.wake_at = Some(due);
            self.cluster.wake(due, number as u64);
        }
    }

    pub(super) fn fulfil(&mut self, number: usize, wishes: Vec<Wish<S>>) {
        for wish in wishes {
            match wish {
                Wish::Ask { node, token, request } => self.cluster.ask(node, token, request),
                Wish::Abandon { node, token } => self.cluster.abandon(node, token),
                Wish::Over { call, outcome } => self.operation_over(number, &call, &outcome),
            }
        }
        self.set_alarm(number);
    }

    fn operation_over(&mut self, number: usize, call: &Call, outcome: &Outcome) {
        let now = self.now();
        match self.phase {
            Phase::FinalReads { first_reader } if number >= first_reader => {
                let is_answered = matches!(outcome, Outcome::Ok(_));
                self.final_reads_made[number - first_reader] += usize::from(is_answered);
                let pause_us = if is_answered { 0 } else { FINAL_READ_PAUSE_US };
                self.clients[number].next_call = now.after(pause_us);
            }
            Phase::Quiet | Phase::Drive { .. } | Phase::FinalReads { .. } => {
                self.generator.observe(number, call, outcome);
            }
        }
    }

    /// The server of a node as a member of a Raft cluster, where it runs and is one.
    pub(super) fn member(&self, node: NodeId) -> Option<&dyn Member> {
        S::member(self.cluster.server(node)?)
    }
}
