//! How a server of Redis stands.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use redis::{Cmd, Value};
use tokio::time::Instant;

use super::link::Link;
use super::sentinel;
use super::settings::{BadSetting, Find, Settings};
use crate::{Future, Look, Role, Seat, StandStill, Standing};

/// The caller sets the deadline; this one only keeps a question from being open for ever.
const LONGEST: Duration = Duration::from_secs(10);

/// Asks one node how it is: what Redis says of itself, and where there are sentinels, whether the one of this node agrees.
pub(super) struct RedisLook {
    server: Link,
    sentinel: Link,
    find: Find,
    nodes: Arc<[SocketAddr]>,
    node: usize,
}

/// Nobody who only looks stands still.
struct Moving;

impl StandStill for Moving {
    fn pass(&self) -> Future<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

impl RedisLook {
    pub(super) fn new(seat: &Seat) -> Result<Self, BadSetting> {
        let (nodes, node) = (Arc::clone(&seat.nodes), seat.home);
        let link = |address| Link::new(address, Arc::new(Moving));
        let sentinel = link(SocketAddr::new(nodes[node].ip(), sentinel::PORT));
        Ok(Self { server: link(nodes[node]), sentinel, find: Settings::read(&seat.settings)?.find, nodes, node })
    }

    async fn standing(&mut self) -> Option<Standing> {
        let mut command = redis::cmd("INFO");
        command.arg(&["server", "replication", "cluster"]);
        let info = Info(ask_text(&mut self.server, &command).await?);
        let server = Server::read(&info, &self.nodes)?;
        match self.find {
            Find::Home => Some(self.alone(&server)),
            Find::Slots => self.of_cluster(&server).await,
            Find::Sentinel => self.watched(&server).await,
        }
    }

    /// Without anybody who would make another one the primary.
    fn alone(&self, server: &Server) -> Standing {
        let stands_alone = server.is_primary && server.copies == 0 && self.nodes.len() > 1;
        let role = if stands_alone { Role::Alone } else { server.role() };
        let leader = if stands_alone { None } else { server.leader(self.node) };
        Standing { role, term: 0, leader, is_ready: server.is_primary || server.copies_its_primary }
    }

    /// Every primary of a cluster leads for a part of the keys, so they follow nobody in common.
    async fn of_cluster(&mut self, server: &Server) -> Option<Standing> {
        let mut command = redis::cmd("CLUSTER");
        command.arg("INFO");
        let info = Info(ask_text(&mut self.server, &command).await?);
        let serves = info.field("cluster_state")? == "ok" && info.number("cluster_slots_ok")? == 16384;
        let has_copy = if server.is_primary { server.copies > 0 } else { server.copies_its_primary };
        let term = info.number("cluster_current_epoch")?;
        Some(Standing { role: server.role(), term, leader: None, is_ready: serves && has_copy })
    }

    /// Ready is a primary with all its copies, a replica that copies it, and a sentinel that knows them and all others.
    async fn watched(&mut self, server: &Server) -> Option<Standing> {
        let mut command = redis::cmd("SENTINEL");
        command.arg("MASTER").arg(sentinel::NAME);
        let answer = self.sentinel.ask(&command, Instant::now() + LONGEST).await.ok()?;
        let fields: std::collections::BTreeMap<String, String> = redis::from_redis_value(answer).ok()?;
        let number = |name: &str| fields.get(name)?.parse::<u64>().ok();
        let others = self.nodes.len() as u64 - 1;
        let knows_all = number("num-slaves")? == others && number("num-other-sentinels")? == others;
        let agrees = fields.get("flags")? == "master"
            && server
                .leader(self.node)
                .is_some_and(|leader| fields.get("ip").is_some_and(|ip| *ip == self.nodes[leader].ip().to_string()));
        let has_copies = if server.is_primary { server.copies == others } else { server.copies_its_primary };
        let (role, leader, term) = (server.role(), server.leader(self.node), number("config-epoch")?);
        Some(Standing { role, term, leader, is_ready: knows_all && agrees && has_copies })
    }
}

impl Look for RedisLook {
    fn look(&mut self) -> Future<'_, Option<Standing>> {
        Box::pin(self.standing())
    }
}

async fn ask_text(link: &mut Link, command: &Cmd) -> Option<String> {
    match link.ask(command, Instant::now() + LONGEST).await {
        Ok(Value::BulkString(text)) => String::from_utf8(text).ok(),
        Ok(_) | Err(_) => None,
    }
}

/// Lines of `name:value`.
struct Info(String);

impl Info {
    fn field(&self, name: &str) -> Option<&str> {
        self.0.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.field(name)?.parse().ok()
    }
}

/// What a server says of itself.
struct Server {
    is_primary: bool,
    /// Replicas that are up to date with it.
    copies: u64,
    /// Whether this replica is connected to its primary, and has got all.
    copies_its_primary: bool,
    /// The primary of this replica.
    follows: Option<usize>,
}

impl Server {
    fn read(info: &Info, nodes: &[SocketAddr]) -> Option<Self> {
        let host = info.field("master_host");
        Some(Self {
            is_primary: info.field("role")? == "master",
            copies: info.0.lines().filter(|line| line.starts_with("slave") && line.contains("state=online")).count()
                as u64,
            copies_its_primary: info.field("master_link_status") == Some("up"),
            follows: nodes.iter().position(|node| host == Some(&node.ip().to_string())),
        })
    }

    fn role(&self) -> Role {
        if self.is_primary { Role::Leader } else { Role::Follower }
    }

    fn leader(&self, node: usize) -> Option<usize> {
        if self.is_primary { Some(node) } else { self.follows }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRIMARY: &str = "# Replication\r\nrole:master\r\nconnected_slaves:2\r\n\
        slave0:ip=10.0.0.2,port=6379,state=online,offset=14,lag=0\r\n\
        slave1:ip=10.0.0.3,port=6379,state=wait_bgsave,offset=0,lag=0\r\nmaster_failover_state:no-failover\r\n";
    const REPLICA: &str = "role:slave\r\nmaster_host:10.0.0.1\r\nmaster_port:6379\r\nmaster_link_status:up\r\n";

    #[test]
    fn a_server_says_whom_it_copies_and_who_copies_it() {
        let nodes: Vec<SocketAddr> = (1..=3).map(|node| format!("10.0.0.{node}:6379").parse().unwrap()).collect();
        let primary = Server::read(&Info(PRIMARY.into()), &nodes).unwrap();
        assert_eq!((primary.role(), primary.leader(0), primary.copies), (Role::Leader, Some(0), 1));
        let replica = Server::read(&Info(REPLICA.into()), &nodes).unwrap();
        assert_eq!((replica.role(), replica.leader(2), replica.copies_its_primary), (Role::Follower, Some(0), true));
    }
}
