//! How servers of ours are started on the hosts of a sandbox.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;

use rashomon_nemesis::Node;
use rashomon_systems::server::NodeId;

use crate::plan::Plan;
use crate::world::netns::{NodeCommand, Sandbox};

const PEER_PORT: u16 = 7000;
const CLIENT_PORT: u16 = 8000;

/// The command of the server of this node.
pub(super) fn server_command(plan: &Plan, node: Node, nodes: &[Node], data: &Path) -> NodeCommand {
    let mut args = vec![OsString::from("node")];
    args.extend(plan.server_args(NodeId(node.0)));
    args.extend(["--id".into(), node.0.to_string().into()]);
    let peers = plan.peers_of(NodeId(node.0));
    for &other in nodes {
        if peers.contains(&NodeId(other.0)) {
            args.extend(["--peer".into(), format!("{}={}", other.0, peer_address(other)).into()]);
        }
        if peers.contains(&NodeId(other.0)) || other == node {
            args.extend(["--client".into(), format!("{}={}", other.0, client_address(other)).into()]);
        }
    }
    args.extend(["--data".into(), data.into()]);
    NodeCommand { program: "/proc/self/exe".into(), args, ..NodeCommand::default() }
}

fn peer_address(node: Node) -> SocketAddr {
    (Sandbox::address(node), PEER_PORT).into()
}

/// Where clients reach it.
pub(super) fn client_address(node: Node) -> SocketAddr {
    (Sandbox::address(node), CLIENT_PORT).into()
}
