//! `rashomon node lock` and `rashomon node resource`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use anyhow::anyhow;
use clap::Args;
use rashomon_systems::lock::{Bug, LockOptions};
use rashomon_systems::node::Listeners;
use rashomon_systems::node::lock::{LockNodeOptions, ResourceNodeOptions};
use rashomon_systems::server::NodeId;

use super::super::Failure;
use super::{Member, MemberArgs, ended, member, members, own_address, parse_member, parse_node};

const LOCK_EXAMPLE: &str = "\
Three members by hand, each in a terminal of its own:

  PEERS=\"--peer 1=127.0.0.1:7001 --peer 2=127.0.0.1:7002 --peer 3=127.0.0.1:7003\"
  CLIENTS=\"--client 1=127.0.0.1:8001 --client 2=127.0.0.1:8002 --client 3=127.0.0.1:8003\"
  rashomon node lock --id 1 $PEERS $CLIENTS --data /tmp/lock/1
  rashomon node lock --id 2 $PEERS $CLIENTS --data /tmp/lock/2
  rashomon node lock --id 3 $PEERS $CLIENTS --data /tmp/lock/3

Then, in a fourth (a node that does not lead answers 421 and says who does):

  curl -s -X POST localhost:8001/v1/sessions
  curl -s -X POST 'localhost:8001/v1/locks/printer/acquire?session=1&sequence=1' -d '{\"wait_ms\":5000}'
  curl -s localhost:8001/v1/locks/printer
  curl -s -X POST 'localhost:8001/v1/locks/printer/release?session=1&sequence=2'

docs/LOCK-API.md describes every path and every error. RASHOMON_LOG=debug tells more.";

const RESOURCE_EXAMPLE: &str = "\
By hand, with the token 1 of a lock:

  rashomon node resource --id 4 --client 4=127.0.0.1:8004 --data /tmp/lock/4
  curl -s -X PUT 'localhost:8004/v1/resources/page?token=1' -d '{\"value\":\"hello\"}'
  curl -s localhost:8004/v1/resources/page

docs/LOCK-API.md describes every path and every error.";

#[derive(Args)]
#[command(after_help = LOCK_EXAMPLE)]
pub(super) struct LockArgs {
    #[command(flatten)]
    member: MemberArgs,
    /// How long a lease lasts, in milliseconds; the same for every member
    #[arg(long, value_name = "MS", default_value_t = LockOptions::default().ttl_ms)]
    ttl_ms: u64,
    /// Plant a bug; `rashomon list bugs` describes them
    #[arg(long, value_name = "ID", value_parser = Bug::from_str)]
    bug: Option<Bug>,
}

#[derive(Args)]
#[command(after_help = RESOURCE_EXAMPLE)]
pub(super) struct ResourceArgs {
    /// Which node this is, from 1
    #[arg(long, value_name = "N", value_parser = parse_node)]
    id: NodeId,
    /// Where a node listens for clients; those of other nodes are not needed
    #[arg(long = "client", value_name = "N=ADDRESS", required = true, value_parser = parse_member)]
    clients: Vec<Member>,
    /// The folder for the log; nobody else may use it
    #[arg(long, value_name = "FOLDER")]
    data: PathBuf,
    /// Listen for clients here instead
    #[arg(long, value_name = "ADDRESS")]
    listen_clients: Option<SocketAddr>,
    /// The name of the cluster; it stands in the data folder
    #[arg(long, value_name = "NAME", default_value = "raft")]
    cluster: String,
    /// Take every write, whatever its fencing token
    #[arg(long)]
    no_fencing: bool,
    /// Plant a bug; `rashomon list bugs` describes them
    #[arg(long, value_name = "ID", value_parser = Bug::from_str)]
    bug: Option<Bug>,
}

/// Runs a member until it is told to stop.
pub(super) fn run_member(args: LockArgs) -> Result<ExitCode, Failure> {
    let LockArgs { member: of_member, ttl_ms, bug } = args;
    if ttl_ms == 0 {
        return Err(Failure::Input(anyhow!("--ttl-ms must be above 0")));
    }
    let (of_member, listeners) = member(of_member)?;
    let options = LockNodeOptions { member: of_member, ttl_ms, bug };
    ended(listeners.and_then(|listeners| rashomon_systems::node::lock::run_member(&options, listeners)))
}

/// Runs the guarded resource until it is told to stop.
pub(super) fn run_resource(args: ResourceArgs) -> Result<ExitCode, Failure> {
    let ResourceArgs { id, clients, data, listen_clients, cluster, no_fencing, bug } = args;
    let clients = members("--client", &clients).map_err(Failure::Input)?;
    let listen_clients = own_address("--client", id, listen_clients, &clients).map_err(Failure::Input)?;
    // Nobody is its peer: any free port will do.
    let listen_peers = SocketAddr::new(listen_clients.ip(), 0);
    let options = ResourceNodeOptions { cluster, id, data, fencing: !no_fencing, bug };
    let listeners = Listeners::bind(listen_peers, listen_clients);
    ended(listeners.and_then(|listeners| rashomon_systems::node::lock::run_resource(&options, listeners)))
}
