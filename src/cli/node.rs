//! `rashomon node`: one server of an own system.

mod commit;
mod lock;
mod processes;

use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use anyhow::{Context, anyhow};
use clap::{Args, Subcommand};
use rashomon_systems::node::{Listeners, NodeError, raft};
use rashomon_systems::raft::{Bug, Compaction, Timing};
use rashomon_systems::server::NodeId;
use tracing_subscriber::EnvFilter;

use super::Failure;

const RAFT_EXAMPLE: &str = "\
Three by hand, each in a terminal of its own:

  PEERS=\"--peer 1=127.0.0.1:7001 --peer 2=127.0.0.1:7002 --peer 3=127.0.0.1:7003\"
  CLIENTS=\"--client 1=127.0.0.1:8001 --client 2=127.0.0.1:8002 --client 3=127.0.0.1:8003\"
  rashomon node raft --id 1 $PEERS $CLIENTS --data /tmp/raft/1
  rashomon node raft --id 2 $PEERS $CLIENTS --data /tmp/raft/2
  rashomon node raft --id 3 $PEERS $CLIENTS --data /tmp/raft/3

Then, in a fourth (a node that does not lead answers 421 and says who does):

  curl -s localhost:8001/v1/status
  curl -s -X PUT localhost:8001/v1/kv/greeting -d '{\"value\":\"hello\"}'
  curl -s localhost:8001/v1/kv/greeting

A fourth joins, where all four were started with its address in PEERS and the first three with --voters 1,2,3:

  rashomon node raft --id 4 --join $PEERS $CLIENTS --data /tmp/raft/4
  curl -s -X POST localhost:8001/v1/members -d '{\"add-learner\":4}'
  curl -s -X POST localhost:8001/v1/members -d '{\"promote\":4}'

docs/KV-API.md describes every path and every error. RASHOMON_LOG=debug tells more.";

#[derive(Args)]
pub(crate) struct NodeArgs {
    #[command(subcommand)]
    system: NodeSystem,
}

#[derive(Subcommand)]
enum NodeSystem {
    /// A member of a Raft cluster that keeps registers, lists and sets, over HTTP and JSON
    Raft(RaftArgs),
    /// A member of a Raft cluster that keeps locks, semaphores and sessions, over HTTP and JSON
    Lock(lock::LockArgs),
    /// A coordinator or a shard of a cluster that runs transactions over shards, over HTTP and JSON
    Commit(commit::CommitArgs),
    /// The resource that locks guard: sets and registers that take fencing tokens, over HTTP and JSON
    Resource(lock::ResourceArgs),
    /// The processes of one node of a real system (used by the sandbox)
    #[command(hide = true)]
    Processes(processes::ProcessesArgs),
}

#[derive(Args)]
#[command(after_help = RAFT_EXAMPLE)]
struct RaftArgs {
    #[command(flatten)]
    member: MemberArgs,
    /// Plant a bug; `rashomon list bugs` describes them
    #[arg(long, value_name = "ID", value_parser = Bug::from_str)]
    bug: Option<Bug>,
}

/// What every member of a Raft cluster is told.
#[derive(Args)]
struct MemberArgs {
    /// Which member this is, from 1
    #[arg(long, value_name = "N", value_parser = parse_node)]
    id: NodeId,
    /// Where a member listens for its peers; once for every member, this one and those that may be added later included
    #[arg(long = "peer", value_name = "N=ADDRESS", required = true, value_parser = parse_member)]
    peers: Vec<Member>,
    /// Where a member listens for clients; this one's is needed, the others' let a follower say where the leader is
    #[arg(long = "client", value_name = "N=ADDRESS", required = true, value_parser = parse_member)]
    clients: Vec<Member>,
    /// Who votes at the beginning, the same for every node; the others wait to be added [default: all peers]
    #[arg(long, value_name = "N,...", value_delimiter = ',', value_parser = parse_node)]
    voters: Option<Vec<NodeId>>,
    /// Wait to be added to a cluster that runs: shorthand for --voters with all peers but this one
    #[arg(long, conflicts_with = "voters")]
    join: bool,
    /// The folder for the log; nobody else may use it
    #[arg(long, value_name = "FOLDER")]
    data: PathBuf,
    /// Listen for peers here instead, for example on 0.0.0.0
    #[arg(long, value_name = "ADDRESS")]
    listen_peers: Option<SocketAddr>,
    /// Listen for clients here instead
    #[arg(long, value_name = "ADDRESS")]
    listen_clients: Option<SocketAddr>,
    /// The cluster's name; members of different clusters refuse each other
    #[arg(long, value_name = "NAME", default_value = "raft")]
    cluster: String,
    /// Milliseconds between the heartbeats of a leader
    #[arg(long, value_name = "MS", default_value_t = Timing::default().heartbeat_us / 1000)]
    heartbeat_ms: u64,
    /// The shortest election timeout, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = Timing::default().election_min_us / 1000)]
    election_min_ms: u64,
    /// The longest election timeout, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = Timing::default().election_max_us / 1000)]
    election_max_ms: u64,
    /// Take a snapshot after so many entries of the log
    #[arg(long, value_name = "N", default_value_t = Compaction::default().threshold_entries)]
    snapshot_entries: u64,
    /// Keep so many entries before the snapshot for followers that lag a little
    #[arg(long, value_name = "N", default_value_t = Compaction::default().trailing_entries)]
    trailing_entries: u64,
    /// Let the leader answer reads by its lease: faster, and right only while no clock runs much too fast
    #[arg(long)]
    lease_reads: bool,
    /// Where election timeouts come from [default: the system's randomness]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

#[derive(Clone, Copy)]
struct Member {
    id: NodeId,
    address: SocketAddr,
}

fn parse_node(text: &str) -> Result<NodeId, String> {
    match text.strip_prefix('n').unwrap_or(text).parse() {
        Ok(0) | Err(_) => Err("members are numbered from 1".into()),
        Ok(number) => Ok(NodeId(number)),
    }
}

fn parse_member(text: &str) -> Result<Member, String> {
    let (id, address) = text.split_once('=').ok_or("it must look like 1=127.0.0.1:7001")?;
    let address = address.parse().map_err(|_| format!("{address:?} must look like 127.0.0.1:7001"))?;
    Ok(Member { id: parse_node(id)?, address })
}

/// Runs one server until it is told to stop.
pub(crate) fn run(args: NodeArgs) -> Result<ExitCode, Failure> {
    let filter = EnvFilter::try_from_env("RASHOMON_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .with_target(false)
        .init();
    match args.system {
        NodeSystem::Raft(args) => {
            let (options, listeners) = member(args.member)?;
            let options = raft::RaftNodeOptions { bug: args.bug, ..options };
            ended(listeners.and_then(|listeners| raft::run(&options, listeners)))
        }
        NodeSystem::Lock(args) => lock::run_member(args),
        NodeSystem::Commit(args) => commit::run(args),
        NodeSystem::Resource(args) => lock::run_resource(args),
        NodeSystem::Processes(args) => processes::run(&args),
    }
}

/// What the arguments say about a member, and its ports, if they could be taken.
fn member(args: MemberArgs) -> Result<(raft::RaftNodeOptions, Result<Listeners, NodeError>), Failure> {
    let peers = members("--peer", &args.peers).map_err(Failure::Input)?;
    let clients = members("--client", &args.clients).map_err(Failure::Input)?;
    let listen_peers = own_address("--peer", args.id, args.listen_peers, &peers).map_err(Failure::Input)?;
    let listen_clients = own_address("--client", args.id, args.listen_clients, &clients).map_err(Failure::Input)?;
    let initial_voters = initial_voters(&args, &peers).map_err(Failure::Input)?;
    let options = raft::RaftNodeOptions {
        initial_voters: Some(initial_voters),
        cluster: args.cluster,
        client_addresses: clients.iter().map(|(&id, address)| (id, address.to_string())).collect(),
        timing: Timing {
            heartbeat_us: args.heartbeat_ms.saturating_mul(1000),
            election_min_us: args.election_min_ms.saturating_mul(1000),
            election_max_us: args.election_max_ms.saturating_mul(1000),
            // Five parts in six, as in the default settings.
            lease_us: args.election_min_ms.saturating_mul(1000) / 6 * 5,
        },
        compaction: Compaction {
            threshold_entries: args.snapshot_entries,
            trailing_entries: args.trailing_entries,
            ..Compaction::default()
        },
        lease_reads: args.lease_reads,
        seed: args.seed,
        ..raft::RaftNodeOptions::new(args.id, peers, args.data)
    };
    Ok((options, Listeners::bind(listen_peers, listen_clients)))
}

/// How a node ended.
fn ended(result: Result<(), NodeError>) -> Result<ExitCode, Failure> {
    match result {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error @ (NodeError::Settings(_) | NodeError::CommitSettings(_))) => Err(Failure::Input(error.into())),
        Err(error) => Err(Failure::Internal(error.into())),
    }
}

/// Who votes at the beginning.
fn initial_voters(args: &MemberArgs, peers: &BTreeMap<NodeId, SocketAddr>) -> anyhow::Result<BTreeSet<NodeId>> {
    let all = || peers.keys().copied();
    match &args.voters {
        Some(voters) => match voters.iter().find(|voter| !peers.contains_key(voter)) {
            Some(stranger) => Err(anyhow!("--voters names {stranger}, but --peer {}=ADDRESS is missing", stranger.0)),
            None => Ok(voters.iter().copied().collect()),
        },
        None if args.join => Ok(all().filter(|id| *id != args.id).collect()),
        None => Ok(all().collect()),
    }
}

fn members(option: &str, members: &[Member]) -> anyhow::Result<BTreeMap<NodeId, SocketAddr>> {
    let mut by_id = BTreeMap::new();
    for member in members {
        if by_id.insert(member.id, member.address).is_some() {
            return Err(anyhow!("{option} gives two addresses for {}", member.id));
        }
    }
    Ok(by_id)
}

fn own_address(
    option: &str,
    id: NodeId,
    listen: Option<SocketAddr>,
    members: &BTreeMap<NodeId, SocketAddr>,
) -> anyhow::Result<SocketAddr> {
    let own = members.get(&id).with_context(|| format!("{option} {}=ADDRESS is missing for --id {}", id.0, id.0))?;
    Ok(listen.unwrap_or(*own))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        raft: RaftArgs,
    }

    fn voters(more: &[&str]) -> Result<Vec<u16>, String> {
        let peers = ["--peer=1=127.0.0.1:7001", "--peer=2=127.0.0.1:7002", "--peer=3=127.0.0.1:7003"];
        let line = [&["raft", "--id=3", "--data=d", "--client=3=127.0.0.1:8003"], &peers[..], more].concat();
        let args = Line::try_parse_from(line).map_err(|error| error.to_string())?.raft.member;
        let peers = members("--peer", &args.peers).unwrap();
        let voters = initial_voters(&args, &peers).map_err(|error| error.to_string())?;
        Ok(voters.into_iter().map(|voter| voter.0).collect())
    }

    #[test]
    fn all_peers_vote_unless_told_otherwise() {
        assert_eq!(voters(&[]), Ok(vec![1, 2, 3]));
        assert_eq!(voters(&["--voters=1,2"]), Ok(vec![1, 2]));
        assert_eq!(voters(&["--join"]), Ok(vec![1, 2]));
        assert_eq!(voters(&["--voters=1,4"]), Err("--voters names n4, but --peer 4=ADDRESS is missing".into()));
        assert!(voters(&["--join", "--voters=1"]).is_err());
    }
}
