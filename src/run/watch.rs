//! Watches who leads, out of band: for the faults that aim at the leader, for the report, and to know when the cluster
//! answers.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rashomon_history::Recorder;
use rashomon_report::Leadership;
use tokio::task::JoinHandle;

use crate::clients::{Looker, Sight};

const POLL_EVERY: Duration = Duration::from_millis(50);

/// What the watch has seen so far.
#[derive(Default)]
struct Seen {
    leaders: Vec<Leadership>,
    latest: Vec<Option<Sight>>,
}

/// Asks every node for its status, again and again, until it is dropped.
pub(crate) struct Watch {
    seen: Arc<Mutex<Seen>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Watch {
    pub(crate) fn start(lookers: Vec<Looker>, recorder: &Arc<Recorder>) -> Self {
        let seen = Arc::new(Mutex::new(Seen { leaders: Vec::new(), latest: vec![None; lookers.len()] }));
        let tasks = lookers
            .into_iter()
            .enumerate()
            .map(|(number, looker)| tokio::spawn(poll(number, looker, Arc::clone(&seen), Arc::clone(recorder))))
            .collect();
        Self { seen, tasks }
    }

    /// The leader of the highest term among the nodes that answered last time they were asked.
    pub(crate) fn leader(&self) -> Option<String> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let leaders = seen.latest.iter().flatten().filter(|sight| sight.leads);
        leaders.max_by_key(|sight| sight.term).map(|sight| sight.node.clone())
    }

    /// Whether every node answers.
    pub(crate) fn all_answer(&self) -> bool {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).latest.iter().all(Option::is_some)
    }

    /// Whether every node answers and is ready, and all that follow anybody agree on one leader.
    pub(crate) fn is_settled(&self) -> bool {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let leaders: BTreeSet<Option<&String>> =
            seen.latest.iter().flatten().filter_map(|sight| Some(sight.follows.as_ref()?.as_ref())).collect();
        let is_ready = |sight: &Option<Sight>| sight.as_ref().is_some_and(|sight| sight.is_ready);
        seen.latest.iter().all(is_ready) && leaders.len() <= 1 && leaders.iter().all(Option::is_some)
    }

    /// Which nodes are not ready, and why, for people.
    pub(crate) fn not_ready(&self) -> String {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let tell = |(number, sight): (usize, &Option<Sight>)| match sight {
            None => Some(format!("n{} does not answer", number + 1)),
            Some(sight) if !sight.is_ready => Some(format!("{} is not ready", sight.node)),
            Some(Sight { node, follows: Some(None), .. }) => Some(format!("{node} knows no leader")),
            Some(Sight { node, follows: Some(Some(leader)), .. }) => Some(format!("{node} follows {leader}")),
            Some(Sight { follows: None, .. }) => None,
        };
        seen.latest.iter().enumerate().filter_map(tell).collect::<Vec<_>>().join(", ")
    }

    /// Who was seen to lead from when on, by time.
    pub(crate) fn leaders(&self) -> Vec<Leadership> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).leaders.clone()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn poll(number: usize, mut looker: Looker, seen: Arc<Mutex<Seen>>, recorder: Arc<Recorder>) {
    loop {
        let sight = looker.look().await;
        {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(sight) = &sight
                && sight.is_elected
                && seen.leaders.last().is_none_or(|last| sight.term > last.term)
            {
                let leader = Leadership { time_ns: recorder.now(), node: sight.node.clone(), term: sight.term };
                seen.leaders.push(leader);
            }
            seen.latest[number] = sight;
        }
        tokio::time::sleep(POLL_EVERY).await;
    }
}
