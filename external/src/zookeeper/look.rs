//! How a server stands, as it says itself: the four-letter word `srvr`, which the servers have to allow.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::{Future, Look, Role, Standing};

pub(super) struct Looker {
    nodes: Arc<[SocketAddr]>,
    node: usize,
}

impl Looker {
    pub(super) fn new(nodes: Arc<[SocketAddr]>, node: usize) -> Self {
        Self { nodes, node }
    }

    async fn standing(&self) -> Option<Standing> {
        let mut stream = TcpStream::connect(self.nodes[self.node]).await.ok()?;
        stream.write_all(b"srvr").await.ok()?;
        let mut said = String::new();
        stream.read_to_string(&mut said).await.ok()?;
        standing_of(&said, self.node)
    }
}

impl Look for Looker {
    fn look(&mut self) -> Future<'_, Option<Standing>> {
        Box::pin(self.standing())
    }
}

/// A follower does not say whom it follows. The epoch is the upper half of the number of the last transaction.
fn standing_of(said: &str, node: usize) -> Option<Standing> {
    let value = |name: &str| said.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    if said.contains("not currently serving requests") {
        return Some(Standing { role: Role::Candidate, term: 0, leader: None, is_ready: false });
    }
    let role = match value("Mode")? {
        "leader" => Role::Leader,
        "standalone" => Role::Alone,
        _ => Role::Follower,
    };
    let transaction = u64::from_str_radix(value("Zxid")?.trim_start_matches("0x"), 16).ok()?;
    let leader = match role {
        Role::Leader | Role::Alone => Some(node),
        Role::Follower | Role::Candidate => None,
    };
    Some(Standing { role, term: transaction >> 32, leader, is_ready: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_of_itself_is_understood() {
        let said = |mode: &str| format!("Zookeeper version: 3.8.0\nOutstanding: 0\nZxid: 0x30000000a\nMode: {mode}\n");
        let standing = |mode: &str| standing_of(&said(mode), 1).unwrap();
        assert_eq!((standing("leader").role, standing("leader").leader), (Role::Leader, Some(1)));
        assert_eq!((standing("follower").role, standing("follower").term), (Role::Follower, 3));
        assert_eq!(standing("standalone").role, Role::Alone);
        let looking = standing_of("This ZooKeeper instance is not currently serving requests\n", 0).unwrap();
        assert_eq!((looking.role, looking.is_ready), (Role::Candidate, false));
        assert_eq!(standing_of("srvr is not executed because it is not in the whitelist.\n", 0), None);
    }
}
