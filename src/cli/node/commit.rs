//! `rashomon node commit`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use anyhow::anyhow;
use clap::Args;
use rashomon_systems::commit::{Bug, CommitTiming, Isolation, Protocol};
use rashomon_systems::node::Listeners;
use rashomon_systems::node::commit::CommitNodeOptions;
use rashomon_systems::raft::Timing;
use rashomon_systems::server::NodeId;

use super::super::Failure;
use super::{Member, ended, members, own_address, parse_member, parse_node};

const COMMIT_EXAMPLE: &str = "\
A coordinator and two shards by hand, each in a terminal of its own:

  PEERS=\"--peer 1=127.0.0.1:7001 --peer 2=127.0.0.1:7002 --peer 3=127.0.0.1:7003\"
  CLIENTS=\"--client 1=127.0.0.1:8001 --client 2=127.0.0.1:8002 --client 3=127.0.0.1:8003\"
  rashomon node commit --id 1 $PEERS $CLIENTS --data /tmp/commit/1
  rashomon node commit --id 2 $PEERS $CLIENTS --data /tmp/commit/2
  rashomon node commit --id 3 $PEERS $CLIENTS --data /tmp/commit/3

Then, in a fourth (a shard answers 421 and says who coordinates):

  curl -s localhost:8001/v1/transactions -d '{\"ops\":[[\"add\",\"a1\",-30],[\"add\",\"a2\",30]]}'
  curl -s localhost:8001/v1/transactions -d '{\"ops\":[[\"r\",\"a1\",null],[\"r\",\"a2\",null]]}'
  curl -s localhost:8002/v1/decisions

With --protocol 2pc-raft servers 1 to 3 are the group that coordinates, and the shards begin with 4.
docs/COMMIT-API.md describes every path and every error. RASHOMON_LOG=debug tells more.";

#[derive(Args)]
#[command(after_help = COMMIT_EXAMPLE)]
pub(super) struct CommitArgs {
    /// Which server this is, from 1
    #[arg(long, value_name = "N", value_parser = parse_node)]
    id: NodeId,
    /// Where a server listens for its peers; once for every server, this one included
    #[arg(long = "peer", value_name = "N=ADDRESS", required = true, value_parser = parse_member)]
    peers: Vec<Member>,
    /// Where a server listens for clients; this one's is needed, the others' let a shard say where the coordinator is
    #[arg(long = "client", value_name = "N=ADDRESS", required = true, value_parser = parse_member)]
    clients: Vec<Member>,
    /// The folder for the log; nobody else may use it
    #[arg(long, value_name = "FOLDER")]
    data: PathBuf,
    /// Listen for peers here instead, for example on 0.0.0.0
    #[arg(long, value_name = "ADDRESS")]
    listen_peers: Option<SocketAddr>,
    /// Listen for clients here instead
    #[arg(long, value_name = "ADDRESS")]
    listen_clients: Option<SocketAddr>,
    /// The cluster's name; servers of different clusters refuse each other
    #[arg(long, value_name = "NAME", default_value = "commit")]
    cluster: String,
    /// How the shards come to agree: 2pc, 3pc or 2pc-raft; the same for every server
    #[arg(long, value_name = "NAME", default_value_t, value_parser = Protocol::from_str)]
    protocol: Protocol,
    /// What concurrent transactions may see of each other: serializable, snapshot or read-committed; the same for every server
    #[arg(long, value_name = "LEVEL", default_value_t, value_parser = Isolation::from_str)]
    isolation: Isolation,
    /// Abort a transaction whose steps take longer, in milliseconds: bounds the wait for locks
    #[arg(long, value_name = "MS", default_value_t = CommitTiming::default().execute_us / 1000)]
    execute_ms: u64,
    /// Abort a transaction whose votes take longer, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = CommitTiming::default().vote_us / 1000)]
    vote_ms: u64,
    /// Let a shard that voted yes and hears nothing ask after so many milliseconds
    #[arg(long, value_name = "MS", default_value_t = CommitTiming::default().inquire_us / 1000)]
    inquire_ms: u64,
    /// 2pc-raft: milliseconds between the heartbeats of a leader
    #[arg(long, value_name = "MS", default_value_t = Timing::default().heartbeat_us / 1000)]
    heartbeat_ms: u64,
    /// 2pc-raft: the shortest election timeout, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = Timing::default().election_min_us / 1000)]
    election_min_ms: u64,
    /// 2pc-raft: the longest election timeout, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = Timing::default().election_max_us / 1000)]
    election_max_ms: u64,
    /// Plant a bug; `rashomon list bugs` describes them
    #[arg(long, value_name = "ID", value_parser = Bug::from_str)]
    bug: Option<Bug>,
    /// Where timeouts come from [default: the system's randomness]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

/// Runs a server until it is told to stop.
pub(super) fn run(args: CommitArgs) -> Result<ExitCode, Failure> {
    let peers = members("--peer", &args.peers).map_err(Failure::Input)?;
    without_gaps(&peers).map_err(Failure::Input)?;
    let clients = members("--client", &args.clients).map_err(Failure::Input)?;
    let listen_peers = own_address("--peer", args.id, args.listen_peers, &peers).map_err(Failure::Input)?;
    let listen_clients = own_address("--client", args.id, args.listen_clients, &clients).map_err(Failure::Input)?;
    let micros = |millis: u64| millis.saturating_mul(1000);
    let options = CommitNodeOptions {
        cluster: args.cluster,
        client_addresses: clients.iter().map(|(&id, address)| (id, address.to_string())).collect(),
        protocol: args.protocol,
        isolation: args.isolation,
        timing: CommitTiming {
            execute_us: micros(args.execute_ms),
            vote_us: micros(args.vote_ms),
            inquire_us: micros(args.inquire_ms),
            // A shard must not drop what its coordinator still waits for.
            idle_us: micros(args.execute_ms).saturating_add(micros(args.vote_ms)).saturating_mul(2),
            ..CommitTiming::default()
        },
        raft_timing: Timing {
            heartbeat_us: micros(args.heartbeat_ms),
            election_min_us: micros(args.election_min_ms),
            election_max_us: micros(args.election_max_ms),
            lease_us: micros(args.election_min_ms) / 6 * 5,
        },
        bug: args.bug,
        seed: args.seed,
        ..CommitNodeOptions::new(args.id, peers, args.data)
    };
    let listeners = Listeners::bind(listen_peers, listen_clients);
    ended(listeners.and_then(|listeners| rashomon_systems::node::commit::run(&options, listeners)))
}

/// Who coordinates and which shard keeps a key follow from the numbers, so none may be missing.
fn without_gaps(peers: &BTreeMap<NodeId, SocketAddr>) -> anyhow::Result<()> {
    match (1..).zip(peers.keys()).find(|(number, id)| *number != id.0) {
        Some((number, _)) => Err(anyhow!("--peer {number}=ADDRESS is missing: servers are numbered without gaps")),
        None => Ok(()),
    }
}
