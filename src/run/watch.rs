//! Watches who leads, out of band: for the faults that aim at the leader, for the report, and to know when the cluster
//! answers.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rashomon_history::Recorder;
use rashomon_report::Leadership;
use rashomon_systems::server::Status;
use tokio::task::JoinHandle;

use crate::clients::StatusClient;

const POLL_EVERY: Duration = Duration::from_millis(50);

/// What the watch has seen so far.
#[derive(Default)]
struct Seen {
    leaders: Vec<Leadership>,
    latest: Vec<Option<Status>>,
}

/// Asks every node for its status, again and again, until it is dropped.
pub(crate) struct Watch {
    seen: Arc<Mutex<Seen>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Watch {
    pub(crate) fn start(clients: Vec<StatusClient>, recorder: &Arc<Recorder>) -> Self {
        let seen = Arc::new(Mutex::new(Seen { leaders: Vec::new(), latest: vec![None; clients.len()] }));
        let tasks = clients
            .into_iter()
            .enumerate()
            .map(|(number, client)| tokio::spawn(poll(number, client, Arc::clone(&seen), Arc::clone(recorder))))
            .collect();
        Self { seen, tasks }
    }

    /// The leader of the highest term among the nodes that answered last time they were asked.
    pub(crate) fn leader(&self) -> Option<String> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let leads = |status: &&Status| matches!(status.role.as_str(), "leader" | "coordinator");
        let leaders = seen.latest.iter().flatten().filter(leads);
        leaders.max_by_key(|status| status.term).map(|status| status.node.clone())
    }

    /// Whether every node answers, and all that follow anybody agree on one leader.
    pub(crate) fn is_settled(&self) -> bool {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let follows = |status: &&Status| !matches!(status.role.as_str(), "resource" | "shard");
        let leaders = seen.latest.iter().flatten().filter(follows).map(|status| status.leader.as_ref());
        let leaders: BTreeSet<Option<&String>> = leaders.collect();
        seen.latest.iter().all(Option::is_some) && leaders.len() == 1 && leaders.iter().all(Option::is_some)
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

async fn poll(number: usize, client: StatusClient, seen: Arc<Mutex<Seen>>, recorder: Arc<Recorder>) {
    loop {
        let status = client.status().await;
        {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(status) = &status
                && status.role == "leader"
                && seen.leaders.last().is_none_or(|last| status.term > last.term)
            {
                let leader = Leadership { time_ns: recorder.now(), node: status.node.clone(), term: status.term };
                seen.leaders.push(leader);
            }
            seen.latest[number] = status;
        }
        tokio::time::sleep(POLL_EVERY).await;
    }
}
