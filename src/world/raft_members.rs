//! Removing and adding members of a Raft cluster, through the API of whoever leads.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use rashomon_nemesis::Node;
use rashomon_systems::api::{ErrorBody, ErrorCode, HttpRequest, HttpResponse, Method};
use rashomon_systems::server::Status;
use tokio::time::{Instant, sleep, timeout_at};

use crate::clients::{Address, StatusClient, connections, send};

/// For one change of the members, elections and the catching up of a learner included.
const CHANGE_DEADLINE: Duration = Duration::from_secs(6);
/// How long to wait before asking again.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(30);

/// Changes the members of a cluster.
pub(crate) struct Members {
    http: reqwest::Client,
    nodes: Arc<[Address]>,
    statuses: Vec<StatusClient>,
}

/// What the leader answered to one request.
enum Answer {
    Changed,
    /// The members are such that there is nothing to change.
    Pointless(String),
    AskAgain(String),
}

impl Members {
    pub(crate) fn new(nodes: &Arc<[Address]>) -> Result<Self> {
        let statuses = nodes.iter().map(StatusClient::new).collect::<Result<_>>()?;
        Ok(Self { http: connections()?, nodes: Arc::clone(nodes), statuses })
    }

    /// Returns when the removal is committed.
    pub(crate) async fn remove(&self, node: Node) -> Result<String> {
        let deadline = Instant::now() + CHANGE_DEADLINE;
        let mut why = "no node leads".to_owned();
        while let Some(leader) = self.leader(deadline).await {
            match self.ask(&leader, "remove", node, deadline).await {
                Answer::Changed => {
                    let left = self.leader(deadline).await.map_or_else(String::new, |leader| show_members(&leader));
                    return Ok(format!("{node} removed by {}{left}", leader.node));
                }
                Answer::Pointless(reason) if !is_member(&leader, node) => return Ok(reason),
                Answer::Pointless(reason) | Answer::AskAgain(reason) => why = reason,
            }
            sleep(ASK_AGAIN_AFTER).await;
        }
        bail!("{node} is not removed after {} s: {why}", CHANGE_DEADLINE.as_secs())
    }

    /// Adds a learner, waits until it has caught up, and promotes it. Returns when that is committed.
    pub(crate) async fn add(&self, node: Node) -> Result<String> {
        let began = Instant::now();
        let deadline = began + CHANGE_DEADLINE;
        let mut why = "no node leads".to_owned();
        while let Some(leader) = self.leader(deadline).await {
            let name = node.to_string();
            let change = if is_member(&leader, node) { "promote" } else { "add-learner" };
            match self.ask(&leader, change, node, deadline).await {
                Answer::Changed if change == "promote" => {
                    let after_ms = began.elapsed().as_millis();
                    return Ok(format!(
                        "{node} added by {}: it had caught up and votes after {after_ms} ms",
                        leader.node
                    ));
                }
                Answer::Pointless(reason) if leader.voters.contains(&name) => return Ok(reason),
                Answer::Changed => continue,
                Answer::Pointless(reason) | Answer::AskAgain(reason) => why = reason,
            }
            sleep(ASK_AGAIN_AFTER).await;
        }
        bail!("{node} does not vote after {} s: {why}", CHANGE_DEADLINE.as_secs())
    }

    /// The leader of the latest term; `None` when the time is up.
    async fn leader(&self, deadline: Instant) -> Option<Status> {
        while Instant::now() < deadline {
            let mut asked = tokio::task::JoinSet::new();
            for status in &self.statuses {
                let status = status.clone();
                asked.spawn(async move { status.status().await });
            }
            let told = asked.join_all().await;
            let leaders = told.into_iter().flatten().filter(|status| status.role == "leader");
            if let Some(leader) = leaders.max_by_key(|status| status.term) {
                return Some(leader);
            }
            sleep(ASK_AGAIN_AFTER).await;
        }
        None
    }

    async fn ask(&self, leader: &Status, change: &str, node: Node, deadline: Instant) -> Answer {
        let Some(address) = self.nodes.iter().find(|address| address.name == leader.node) else {
            return Answer::AskAgain(format!("{} has no address", leader.node));
        };
        let body = format!(r#"{{"{change}":{}}}"#, node.0).into();
        let request = HttpRequest { method: Method::Post, path_and_query: "/v1/members".into(), body };
        let deadline = deadline.min(Instant::now() + CHANGE_DEADLINE / 4);
        match timeout_at(deadline, send(&self.http, address, &request)).await {
            Ok(Ok(response)) => understand(&response),
            Ok(Err(error)) => Answer::AskAgain(format!("{}: {error}", leader.node)),
            Err(_) => Answer::AskAgain(format!("{} did not answer", leader.node)),
        }
    }
}

fn understand(response: &HttpResponse) -> Answer {
    if response.status == 200 {
        return Answer::Changed;
    }
    match serde_json::from_slice::<ErrorBody>(&response.body) {
        Ok(body) if body.error == ErrorCode::ChangeImpossible => Answer::Pointless(body.message),
        Ok(body) => Answer::AskAgain(body.message),
        Err(_) => Answer::AskAgain(format!("the answer makes no sense: {}", response.status)),
    }
}

fn is_member(status: &Status, node: Node) -> bool {
    let name = node.to_string();
    status.voters.contains(&name) || status.learners.contains(&name)
}

fn show_members(leader: &Status) -> String {
    format!("; {} leads, and {} vote", leader.node, leader.voters.join(", "))
}
