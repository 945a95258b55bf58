//! Changes of the members in random runs, and what must hold with them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Checked, Oracle, Run, ensure};
use crate::raft::tests::cluster::Cluster;
use crate::raft::tests::register::write;
use crate::raft::{Change, Configuration, Payload, Raft, Request};
use crate::server::NodeId;

impl Run {
    /// Mostly what makes sense to whoever leads; now and then two at once, or nonsense.
    pub(super) fn client_asks_for_change(&mut self) {
        for _ in 0..1 + self.below(5) / 4 {
            let node = self.a_leader_mostly();
            let Some(raft) = &self.cluster.host(node).raft else { continue };
            let configuration = raft.configuration.clone();
            let learner = configuration.learners().first().copied();
            let any = self.any_node();
            let change = match learner {
                Some(learner) if self.below(4) > 0 => Change::Promote(learner),
                Some(_) | None if !configuration.contains(any) => Change::AddLearner(any),
                Some(_) | None => Change::Remove(any),
            };
            self.ask(node, Request::ChangeMembership(change), None);
        }
    }

    /// Some that the cluster can do without fail for good: of no configuration that may still count is a majority among them.
    /// The others must go on.
    pub(super) fn check_that_a_minority_can_be_spared(&mut self) -> Checked {
        let needed = self.oracle.configurations_that_count(&self.cluster);
        let spared = self.cluster.ids().into_iter().filter(|_| self.below(2) == 0).collect::<BTreeSet<_>>();
        let has_majority = |configuration: &Configuration| {
            let voters = configuration.voters();
            let up = voters.iter().filter(|voter| !spared.contains(voter)).count();
            up > voters.len() / 2
        };
        if spared.is_empty() || !needed.iter().all(has_majority) {
            return Ok(());
        }
        for id in &spared {
            self.cluster.crash(id.0, 0);
        }
        self.calm()?;
        self.check_one_leader_answers(|| format!("without {spared:?}"))?;
        for id in &spared {
            self.cluster.restart(id.0);
        }
        Ok(())
    }

    /// One leader, which acknowledges a write.
    pub(super) fn check_one_leader_answers(&mut self, when: impl Fn() -> String) -> Result<NodeId, String> {
        let leads = |raft: &Raft<_>| raft.is_leader().then_some(raft.config.id);
        let leaders = self.cluster.hosts.iter().filter_map(|host| host.raft.as_ref().and_then(leads));
        let [leader] = leaders.collect::<Vec<_>>()[..] else {
            return Err(format!("there is not one leader {}", when()));
        };
        let before = self.oracle.acknowledged;
        let value = u64::MAX - self.next_value;
        self.next_value += 1;
        self.ask(leader, Request::Command(write(value)), Some(value));
        self.calm()?;
        let acknowledged = self.oracle.acknowledged == before + 1;
        ensure(acknowledged, || format!("a write is not acknowledged {}", when()))?;
        Ok(leader)
    }
}

impl Oracle {
    /// The last configuration that is known to be committed, and those that may be committed after it.
    fn configurations_that_count(&self, cluster: &Cluster) -> Vec<Configuration> {
        let payload = |index| cluster.invariants.as_ref().and_then(|invariants| invariants.committed(index));
        let committed = (1..=self.committed_index).rev().find_map(|index| match payload(index)? {
            Payload::Configuration(configuration) => Some((index, configuration.clone())),
            Payload::Noop | Payload::Command(_) => None,
        });
        let first = || (0, cluster.hosts[0].config.initial_configuration());
        let (committed_at, committed) = committed.unwrap_or_else(first);
        let logs = cluster.hosts.iter().filter_map(|host| host.raft.as_ref()).map(|raft| raft.log.configuration());
        let open = logs.filter(|(since, _)| *since > committed_at).map(|(_, configuration)| configuration.clone());
        open.chain([committed]).collect()
    }

    /// A learner that becomes a voter held nearly all that was committed before (thesis 4.2.1).
    pub(super) fn check_promotions(&mut self, cluster: &Cluster) -> Checked {
        let rafts = cluster.hosts.iter().filter_map(|host| host.raft.as_ref()).collect::<Vec<_>>();
        let last_indices = rafts.iter().map(|raft| (raft.config.id, raft.log.last_index())).collect::<BTreeMap<_, _>>();
        for raft in rafts.iter().filter(|raft| raft.is_leader()) {
            let (since, configuration) = raft.log.configuration();
            if raft.log.term_at(since) != Some(raft.term()) || !self.promotions_seen.insert((raft.term(), since)) {
                continue;
            }
            let before = raft.log.configuration_at(since - 1).1;
            let commit = self.commits.get(&raft.config.id).copied().unwrap_or_default();
            for new in configuration.voters().iter().filter(|voter| before.is_learner(**voter)) {
                let Some(last_index) = last_indices.get(new) else { continue };
                ensure(last_index + raft.config.limits.append_entries as u64 >= commit, || {
                    format!("{new}, whose log ends at {last_index}, votes, and {commit} is committed")
                })?;
                self.promotions += 1;
            }
        }
        self.commits = rafts.iter().map(|raft| (raft.config.id, raft.commit_index)).collect();
        Ok(())
    }
}
