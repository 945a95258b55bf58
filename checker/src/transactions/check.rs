//! From a history of transactions to a verdict.

use std::time::{Duration, Instant};

use super::component::Component;
use super::consistency::Consistency;
use super::direct::find_direct;
use super::explain::Explainer;
use super::facts::Facts;
use super::findings::{Finding, Findings};
use super::graph::components::Components;
use super::graph::components::components;
use super::graph::lists::add_lists;
use super::graph::orders::{add_processes, add_realtime};
use super::graph::registers::Registers;
use super::graph::timed::Timed;
use super::graph::{Edges, Graph};
use super::history::{KeyKind, TransactionHistory, TransactionOutcome};
use super::ids::NONE;
use super::kind::{AnomalyKind, Order};
use super::report::{
    TransactionProven, TransactionReport, TransactionStatistics, TransactionVerdict, TransactionWhy, Unsearched,
};
use super::search::search;
use super::versions::Versions;
use super::watch::{Late, Watch};
use super::within::find_within;
use super::words::Words;
use crate::narrator::Narrator;

/// How to check transactions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TransactionOptions {
    /// The level that the history must satisfy.
    pub consistency: Consistency,
    /// Wall time until there must be an answer; `None` for no limit.
    pub time_budget: Option<Duration>,
    /// Memory that the check may take, in bytes, without the history itself; `None` for no limit.
    pub memory_budget_bytes: Option<usize>,
    /// Whether what a transaction writes to a register comes later, in the order of that register's values, than what it
    /// read from it before. So it is from read committed on.
    pub writes_follow_reads: bool,
}

impl Default for TransactionOptions {
    fn default() -> Self {
        Self {
            consistency: Consistency::default(),
            time_budget: None,
            memory_budget_bytes: None,
            writes_follow_reads: true,
        }
    }
}

/// Checks a history of transactions.
#[must_use]
pub fn check(history: &TransactionHistory, options: &TransactionOptions) -> TransactionReport {
    check_told(history, options, None)
}

pub(super) fn check_told(
    history: &TransactionHistory,
    options: &TransactionOptions,
    narrator: Option<&dyn Narrator>,
) -> TransactionReport {
    let started = Instant::now();
    let deadline = options.time_budget.and_then(|budget| started.checked_add(budget));
    let check = Check {
        history,
        options,
        watch: Watch::new(deadline),
        findings: Findings::default(),
        statistics: TransactionStatistics {
            transactions: history.len(),
            keys: history.keys.len(),
            ..Default::default()
        },
        stopped: None,
        has_cycles: false,
        unsearched: Unsearched { components: 0, transactions: 0, kinds: Vec::new() },
    };
    check.run(started, narrator)
}

struct Check<'a> {
    history: &'a TransactionHistory,
    options: &'a TransactionOptions,
    watch: Watch,
    findings: Findings,
    statistics: TransactionStatistics,
    /// What ran out, and what was known then.
    stopped: Option<(TransactionWhy, TransactionProven)>,
    /// Whether the dependencies have a cycle of whatever kind.
    has_cycles: bool,
    unsearched: Unsearched,
}

impl Check<'_> {
    fn run(mut self, started: Instant, narrator: Option<&dyn Narrator>) -> TransactionReport {
        let history = self.history;
        let facts = Facts::new(history);
        let versions = Versions::new(history, &facts);
        find_direct(history, &facts, &versions, &mut self.findings);
        find_within(history, &facts, &versions, &mut self.findings);
        let outcomes = |wanted| history.transactions.iter().filter(move |one| one.outcome == wanted).count();
        self.statistics.committed = outcomes(TransactionOutcome::Committed);
        self.statistics.unknown = outcomes(TransactionOutcome::Unknown);
        self.statistics.unknown_seen =
            history.ids().filter(|id| facts.takes_effect(*id)).count() - self.statistics.committed;
        let mut registers = None;
        if let Err(Late) = self.find_cycles(&facts, &versions, &mut registers) {
            self.stop(TransactionWhy::TimeBudget, TransactionProven::EveryReadAlone);
        }
        if let Some(element) = facts.ambiguous {
            let key = history.name(history.elements[element.index()].key).to_string();
            let value = history.value(element).to_string();
            self.stop(TransactionWhy::ValueNotUnique { key, value }, TransactionProven::CertainDependencies);
        }
        let verdict = self.verdict();
        self.statistics.check_seconds = started.elapsed().as_secs_f64();
        let words = Words { history, narrator };
        let (facts, versions, registers) = (&facts, &versions, registers.as_ref());
        let explainer = Explainer { history, facts, versions, registers, words };
        let consistency = self.options.consistency;
        let anomalies = self.findings.told().map(|finding| explainer.tell(finding, consistency)).collect();
        self.statistics.explain_seconds = started.elapsed().as_secs_f64() - self.statistics.check_seconds;
        let (ruled_out, also_ruled_out) = Consistency::ruled_out(&self.findings.kinds());
        TransactionReport {
            verdict,
            consistency,
            anomalies,
            counts: self.findings.counts(),
            ruled_out,
            also_ruled_out,
            unsearched: (self.unsearched.components > 0).then_some(self.unsearched),
            statistics: self.statistics,
        }
    }

    /// Remembers the first thing that ran out.
    fn stop(&mut self, why: TransactionWhy, proven: TransactionProven) {
        self.stopped.get_or_insert((why, proven));
    }

    fn verdict(&self) -> TransactionVerdict {
        let consistency = self.options.consistency;
        let is_broken = self.findings.kinds().into_iter().any(|kind| consistency.forbids(kind));
        let forbids_all = Order::ALL
            .into_iter()
            .filter(|order| *order <= consistency.order())
            .all(|order| consistency.forbids(AnomalyKind::Cycle(super::kind::CycleClass::G2Item, order)));
        if is_broken || (self.has_cycles && forbids_all) {
            return TransactionVerdict::Invalid;
        }
        match &self.stopped {
            Some((why, proven)) => TransactionVerdict::Unknown { why: why.clone(), proven: *proven },
            None if self.unsearched.kinds.iter().any(|kind| consistency.forbids(*kind)) => {
                TransactionVerdict::Unknown {
                    why: TransactionWhy::TimeBudget,
                    proven: TransactionProven::EveryReadAlone,
                }
            }
            None => TransactionVerdict::Valid,
        }
    }

    fn find_cycles(
        &mut self,
        facts: &Facts,
        versions: &Versions,
        registers: &mut Option<Registers>,
    ) -> Result<(), Late> {
        let history = self.history;
        let order = self.options.consistency.order();
        let needed = Facts::memory_bytes(history) + Versions::memory_bytes(history) + graph_bytes(history, order);
        if self.options.memory_budget_bytes.is_some_and(|budget| needed > budget) {
            self.statistics.peak_memory_bytes = Facts::memory_bytes(history) + Versions::memory_bytes(history);
            let why = TransactionWhy::MemoryBudget { needed_bytes: needed };
            self.stop(why, TransactionProven::EveryReadAlone);
            return Ok(());
        }
        self.statistics.peak_memory_bytes = needed;
        self.watch.look()?;
        let mut edges = Edges::new(history.len());
        add_lists(history, facts, versions, &mut edges, &mut self.watch)?;
        let registers = registers.insert(Registers::new(history, facts, &mut self.watch)?);
        registers.add(facts, self.options.writes_follow_reads, &mut edges, &mut self.watch)?;
        if self.options.writes_follow_reads {
            for elements in registers.cyclic_versions(history.elements.len()) {
                let key = history.elements[elements[0].index()].key;
                self.findings.add(Finding::CyclicVersions { key, elements });
            }
        }
        match order {
            Order::Data => {}
            Order::Process => add_processes(history, facts, &mut edges),
            Order::Realtime => {
                if self.options.writes_follow_reads {
                    Timed { history, facts, registers }.add(&mut edges, &mut self.watch)?;
                }
                add_realtime(history, facts, &mut edges);
            }
        }
        self.watch.look()?;
        self.statistics.edges = edges.len();
        let graph = edges.pack();
        self.watch.look()?;
        let found = components(&graph, &mut self.watch)?;
        self.search_components(&graph, &found, order)
    }

    fn search_components(&mut self, graph: &Graph, found: &Components, order: Order) -> Result<(), Late> {
        let mut cyclic = found.cyclic();
        cyclic.sort_by_key(Vec::len);
        self.statistics.components = cyclic.len();
        self.has_cycles = !cyclic.is_empty();
        let mut local = vec![NONE; if cyclic.is_empty() { 0 } else { graph.nodes() }];
        for (place, nodes) in cyclic.iter().enumerate() {
            let component = Component::new(self.history, graph, nodes, order, &mut local);
            let members = component.members.len();
            self.statistics.largest_component = self.statistics.largest_component.max(members);
            let mut watch = self.watch.share(cyclic.len() - place);
            let searched = search(&component, &mut watch);
            for cycle in searched.cycles {
                self.findings.add(Finding::Cycle(cycle));
            }
            if !searched.unsearched.is_empty() {
                self.unsearched.components += 1;
                self.unsearched.transactions += members;
                self.unsearched.kinds.extend(searched.unsearched);
                self.unsearched.kinds.sort_unstable();
                self.unsearched.kinds.dedup();
            }
        }
        Ok(())
    }
}

/// About how much memory the dependency graph takes at most.
fn graph_bytes(history: &TransactionHistory, order: Order) -> usize {
    let (transactions, steps) = (history.len(), history.all_steps());
    let has_registers = history.keys.iter().any(|key| key.kind == KeyKind::Register);
    let ordered = match order {
        Order::Data => 0,
        Order::Process => transactions,
        Order::Realtime => transactions * 3,
    };
    let timed = if order == Order::Realtime && has_registers { steps } else { 0 };
    let points = if order == Order::Realtime { transactions } else { 0 } + timed;
    let registers = if has_registers { history.elements.len() * 8 + steps * 12 } else { 0 };
    let edges = steps * 2 + ordered + timed * 2;
    registers + edges * (Edges::BYTES_EACH + 5) + (transactions + points) * (Components::BYTES_EACH + 8)
}
