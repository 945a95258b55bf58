//! How a member is, as it says itself: `maintenance/status`, and the list of members for who is who.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::time::{Duration, Instant};

use super::gateway::Gateway;
use super::wire::{Header, Number};
use crate::client::{Future, Look, Role, Standing};

/// A member that does not answer for that long is asked again on another connection; the caller sets nearer deadlines.
const LONGEST: Duration = Duration::from_secs(5);

pub(super) struct Looker {
    gateway: Gateway,
    nodes: Arc<[SocketAddr]>,
    /// Which member is which node, as far as it was told.
    members: BTreeMap<u64, usize>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Status {
    header: Header,
    leader: Number,
    #[serde(rename = "raftTerm")]
    raft_term: Number,
    #[serde(rename = "isLearner")]
    is_learner: bool,
}

#[derive(Serialize)]
struct MemberListRequest {
    /// From 3.5 on: what the member knows is enough, and told without a leader.
    linearizable: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct MemberList {
    members: Vec<Member>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Member {
    #[serde(rename = "ID")]
    id: Number,
    #[serde(rename = "clientURLs")]
    client_urls: Vec<String>,
}

#[derive(Serialize)]
struct Nothing {}

impl Looker {
    pub(super) fn new(nodes: Arc<[SocketAddr]>, node: usize) -> Result<Self, reqwest::Error> {
        Ok(Self { gateway: Gateway::new(nodes[node])?, nodes, members: BTreeMap::new() })
    }

    async fn standing(&mut self) -> Option<Standing> {
        let until = Instant::now() + LONGEST;
        let status: Status = self.gateway.ask("maintenance/status", &Nothing {}, until).await.ok()?;
        if !self.members.contains_key(&status.leader.0) {
            self.learn_members(until).await;
        }
        let has_leader = status.leader.0 != 0;
        let role = match () {
            () if !has_leader => Role::Candidate,
            () if status.leader == status.header.member_id => Role::Leader,
            () => Role::Follower,
        };
        Some(Standing {
            role,
            term: status.raft_term.0,
            leader: self.members.get(&status.leader.0).copied(),
            is_ready: has_leader && !status.is_learner,
        })
    }

    /// Members tell their addresses to the cluster when they first join it.
    async fn learn_members(&mut self, until: Instant) {
        let question = MemberListRequest { linearizable: false };
        let Ok(list) = self.gateway.ask::<_, MemberList>("cluster/member/list", &question, until).await else { return };
        for member in list.members {
            let is_at = |address: &SocketAddr| {
                let address = address.to_string();
                member.client_urls.iter().any(|url| url.split("://").nth(1) == Some(address.as_str()))
            };
            if let Some(node) = self.nodes.iter().position(is_at) {
                self.members.insert(member.id.0, node);
            }
        }
    }
}

impl Look for Looker {
    fn look(&mut self) -> Future<'_, Option<Standing>> {
        Box::pin(self.standing())
    }
}
