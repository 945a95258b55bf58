//! Who asks the nodes how they are, out of band.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use rashomon_external::{Look, Role, Standing};
use rashomon_systems::server::{NodeId, Status};
use tokio::time::timeout;

use super::real::watching_seat;
use super::{Address, StatusClient};
use crate::plan::Plan;

/// How long a real server has for an answer: some are asked what takes them several.
const REAL_DEADLINE: Duration = Duration::from_secs(1);

/// Asks one node how it is.
pub(crate) enum Looker {
    /// A server of ours.
    Own(StatusClient),
    /// A server of a real system.
    Real { look: Box<dyn Look>, node: String, names: Vec<String> },
}

/// What a node says of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Sight {
    /// Its name.
    pub(crate) node: String,
    /// Grows with every change of leader.
    pub(crate) term: u64,
    /// Whether it leads.
    pub(crate) leads: bool,
    /// Whether it leads because others elected it.
    pub(crate) is_elected: bool,
    /// Whom it follows, itself included: nobody yet, or a node; `None` where it has nobody to follow.
    pub(crate) follows: Option<Option<String>>,
    /// Whether it serves all that it is there for.
    pub(crate) is_ready: bool,
}

impl Looker {
    /// One for every node of the run.
    pub(crate) fn all(plan: &Plan, nodes: &Arc<[Address]>) -> Result<Vec<Self>> {
        let names: Vec<String> = nodes.iter().map(|node| node.name.clone()).collect();
        let looker = |(number, node): (u16, &Address)| match &plan.real {
            Some(real) if number <= plan.servers() => {
                let seat = watching_seat(plan, real, NodeId(number), nodes);
                let look = real.description.protocol.look(&seat).context("watching a node")?;
                Ok(Self::Real { look, node: node.name.clone(), names: names.clone() })
            }
            Some(_) | None => Ok(Self::Own(StatusClient::new(node)?)),
        };
        (1..).zip(nodes.iter()).map(looker).collect()
    }

    /// What the node says of itself; `None` where it does not answer.
    pub(crate) async fn look(&mut self) -> Option<Sight> {
        match self {
            Self::Own(client) => client.status().await.map(Sight::of_own),
            Self::Real { look, node, names } => {
                let standing = timeout(REAL_DEADLINE, look.look()).await.ok()??;
                Some(Sight::of_real(node, &standing, names))
            }
        }
    }
}

impl Sight {
    fn of_own(status: Status) -> Self {
        let follows_nobody = matches!(status.role.as_str(), "resource" | "shard");
        Self {
            leads: matches!(status.role.as_str(), "leader" | "coordinator"),
            is_elected: status.role == "leader",
            term: status.term,
            follows: (!follows_nobody).then_some(status.leader),
            is_ready: true,
            node: status.node,
        }
    }

    fn of_real(node: &str, standing: &Standing, names: &[String]) -> Self {
        let leader = standing.leader.and_then(|leader| names.get(leader).cloned());
        Self {
            node: node.into(),
            term: standing.term,
            leads: standing.role == Role::Leader,
            is_elected: standing.role == Role::Leader,
            follows: match standing.role {
                // One of several leaders, and who follows it, name none.
                Role::Leader | Role::Follower => leader.map(Some),
                Role::Candidate => Some(None),
                Role::Alone => None,
            },
            is_ready: standing.is_ready,
        }
    }
}
