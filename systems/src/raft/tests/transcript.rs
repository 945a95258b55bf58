//! Scripted transcripts, after the manner of etcd's raft: a file under `testdata` says what happens (`> ` begins a command)
//! and what must follow from it. `RAFT_REWRITE=1 cargo test` writes down what does follow; read the difference before you
//! keep it.
//!
//! Commands: `cluster N [setting=value...]`, `timeout ID` (its timer goes off), `elect ID`, `pass MS`, `deliver [A->B]`
//! (what is under way now, not what follows), `stabilize [without ID]`, `lose [A->B]`, `write ID VALUE...` (one batch),
//! `read ID`, `transfer ID TO`, `change ID add|promote|remove MEMBER`, `abandon ID REQUEST`, `disk ID slow|fast|sync`, `crash ID [SURVIVING]`, `restart ID`, `log ID`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use super::cluster::{Cluster, Envelope, Out, n};
use super::register::{Answer, write, written};
use crate::raft::record::Record;
use crate::raft::{Body, Change, Config, Entry, Payload, Request, Response};
use crate::server::{Input, NodeId, Output, RequestId, Server, Write};

#[test]
#[expect(clippy::disallowed_methods, reason = "what is done with a transcript is no part of it")]
fn the_transcripts_are_what_happens() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/raft/testdata");
    let files = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect::<Vec<_>>();
    assert!(files.len() >= 8, "transcripts are missing from {}", folder.display());
    for file in files {
        let expected = std::fs::read_to_string(&file).unwrap();
        let actual = replay(&expected);
        if std::env::var_os("RAFT_REWRITE").is_some() {
            std::fs::write(&file, actual).unwrap();
        } else {
            let differs = expected.lines().zip(actual.lines()).position(|(expected, actual)| expected != actual);
            assert_eq!(actual, expected, "{} differs from line {:?} on", file.display(), differs.map(|line| line + 1));
        }
    }
}

/// Runs the commands of a script and writes what follows from each below it.
fn replay(script: &str) -> String {
    let mut stage = Stage::default();
    let mut text = String::new();
    for line in script.lines() {
        if line.starts_with('#') {
            let _ = writeln!(text, "{line}");
        } else if let Some(command) = line.strip_prefix("> ") {
            let _ = writeln!(text, "{line}");
            for line in stage.run(command) {
                let _ = writeln!(text, "  {line}");
            }
            text.push('\n');
        }
    }
    text
}

/// The cluster of a script, and what was last told about each member.
#[derive(Default)]
struct Stage {
    cluster: Option<Cluster>,
    told: BTreeMap<NodeId, String>,
}

impl Stage {
    fn run(&mut self, command: &str) -> Vec<String> {
        let words = command.split_whitespace().collect::<Vec<_>>();
        if let ["cluster", nodes, ref settings @ ..] = words[..] {
            let cluster = Cluster::new(number(nodes), |config| settings.iter().for_each(|word| set(config, word)));
            self.cluster = Some(cluster);
        }
        let cluster = self.cluster.as_mut().expect("a script begins with a cluster");
        cluster.trace = Some(Vec::new());
        let said = act(cluster, &words);
        let outputs = cluster.trace.take().unwrap_or_default();
        let mut lines = outputs.iter().map(|(id, output)| show_output(*id, output)).collect::<Vec<_>>();
        lines.extend(said);
        for host in &cluster.hosts {
            let id = host.config.id;
            let state = host.raft.as_ref().map_or("down".to_owned(), |raft| {
                let status = raft.status();
                let leader = status.leader.map_or(String::new(), |leader| format!(" of {leader}"));
                let role = if raft.is_leader() { "leader".to_owned() } else { format!("{}{leader}", status.role) };
                let (term, last, commit) = (status.term, status.last_index, status.commit_index);
                format!("{role}, term {term}, log to {last}, commit {commit}")
            });
            if self.told.get(&id) != Some(&state) {
                lines.push(format!("{id}: {state}"));
                self.told.insert(id, state);
            }
        }
        lines
    }
}

fn number<T: std::str::FromStr>(word: &str) -> T {
    word.parse().unwrap_or_else(|_| panic!("{word} is no number"))
}

fn set(config: &mut Config, setting: &str) {
    match setting.split_once('=').unwrap_or((setting, "")) {
        ("threshold", value) => config.compaction.threshold_entries = number(value),
        ("trailing", value) => config.compaction.trailing_entries = number(value),
        ("chunk", value) => config.limits.snapshot_chunk_bytes = number(value),
        ("inflight", value) => config.limits.inflight_appends = number(value),
        ("entries", value) => config.limits.append_entries = number(value),
        ("open", value) => config.limits.open_requests = number(value),
        ("bug", value) => config.bug = Some(value.parse().unwrap()),
        ("lease", "") => config.lease_reads = true,
        ("voters", value) => config.initial_voters = (1..=number(value)).map(NodeId).collect(),
        (name, _) => panic!("no setting is called {name}"),
    }
}

/// Whether a message is on the link that is named as `A->B`; on any, where none is named.
fn on_link(words: &[&str]) -> impl Fn(&Envelope) -> bool + use<> {
    let link = words.first().map(|link| {
        let (from, to) = link.split_once("->").unwrap_or_else(|| panic!("{link} is no link"));
        (n(number(from)), n(number(to)))
    });
    move |envelope| link.is_none_or(|(from, to)| envelope.from == from && envelope.to == to)
}

/// Does what a command says; answers what it was asked to show.
fn act(cluster: &mut Cluster, words: &[&str]) -> Vec<String> {
    match *words {
        ["cluster", ..] => {}
        ["timeout", id] => cluster.timeout(number(id)),
        ["elect", id] => cluster.elect(number(id)),
        ["pass", ms] => cluster.pass(number::<u64>(ms) * 1_000),
        ["deliver", ref link @ ..] => {
            let (now, later) = std::mem::take(&mut cluster.network).into_iter().partition(on_link(link));
            cluster.network = now;
            let under_way = cluster.network.len();
            (0..under_way).for_each(|_| cluster.deliver(0));
            cluster.network.splice(0..0, later);
        }
        ["stabilize"] => cluster.stabilize(),
        ["stabilize", "without", id] => cluster.stabilize_without(number(id)),
        ["lose", ref link @ ..] => {
            let lost = on_link(link);
            cluster.network.retain(|envelope| !lost(envelope));
        }
        ["write", id, ref values @ ..] => {
            let id = n(number(id));
            for value in values {
                let request = Request::Command(write(number(value)));
                let input = Input::Request { id: cluster.request_id(), request };
                cluster.input(id, input);
            }
            cluster.flush(id);
        }
        ["read", id] => drop(cluster.read(number(id))),
        ["transfer", id, to] => drop(cluster.request(number(id), Request::TransferLeadership { to: n(number(to)) })),
        ["change", id, how, member] => {
            let member = n(number(member));
            let change = match how {
                "add" => Change::AddLearner(member),
                "promote" => Change::Promote(member),
                "remove" => Change::Remove(member),
                _ => panic!("no change is called {how}"),
            };
            cluster.request(number(id), Request::ChangeMembership(change));
        }
        ["abandon", id, request] => cluster.step(n(number(id)), Input::Abandon { id: RequestId(number(request)) }),
        ["disk", id, "slow"] => cluster.host(n(number(id))).syncs = false,
        ["disk", id, "sync"] => cluster.sync(number(id), 1),
        ["disk", id, "fast"] => {
            cluster.host(n(number(id))).syncs = true;
            cluster.sync(number(id), 0);
        }
        ["crash", id, ref surviving @ ..] => {
            cluster.crash(number(id), surviving.first().map_or(0, |word| number(word)))
        }
        ["restart", id] => cluster.restart(number(id)),
        ["log", id] => return show_log(cluster, number(id)),
        _ => panic!("no command is written {words:?}"),
    }
    Vec::new()
}

fn show_log(cluster: &Cluster, id: u16) -> Vec<String> {
    let log = &cluster.raft(id).log;
    let entries = (log.base().index + 1..=log.last_index()).filter_map(|index| Some((index, log.get(index)?)));
    let base = format!("after {}", log.base());
    std::iter::once(base).chain(entries.map(|(index, entry)| show_entry(index, entry))).collect()
}

fn show_output(id: NodeId, output: &Out) -> String {
    match output {
        Output::Send { to, message } | Output::SendNow { to, message } => {
            format!("{id} -> {to} [{}] {}", message.term, show_body(&message.body))
        }
        Output::Persist { write: Write::Append(records), .. } => format!("{id} writes {}", show_records(records)),
        Output::Persist { write: Write::Checkpoint { snapshot, tail }, .. } => {
            format!("{id} begins anew with a snapshot of {} bytes and {}", snapshot.len(), show_records(tail))
        }
        Output::Reply { id: request, response } | Output::ReplyNow { id: request, response } => {
            format!("{id} answers request {}: {}", request.0, show(response))
        }
    }
}

fn show(response: &Response<Answer>) -> String {
    match response {
        Response::Answer(Answer { value, index }) => format!("{value}, written at {index}"),
        Response::Transferred => "transferred".to_owned(),
        Response::Changed => "changed".to_owned(),
        Response::Refused(refusal) => format!("refused, {refusal:?}"),
        Response::Unknown => "unknown".to_owned(),
    }
}

fn show_records(records: &[bytes::Bytes]) -> String {
    let show = |record: &bytes::Bytes| match postcard::from_bytes(record).unwrap() {
        Record::HardState(state) => {
            let vote = state.vote.map_or("nobody".to_owned(), |vote| vote.to_string());
            format!("term {}, vote for {vote}", state.term)
        }
        Record::Entries { first, entries } => show_entries(first, &entries),
    };
    records.iter().map(show).collect::<Vec<_>>().join("; ")
}

fn show_entries(first: u64, entries: &[Entry]) -> String {
    let entries = (first..).zip(entries).map(|(index, entry)| show_entry(index, entry)).collect::<Vec<_>>();
    format!("[{}]", entries.join(", "))
}

fn show_entry(index: u64, entry: &Entry) -> String {
    match &entry.payload {
        Payload::Noop => format!("{index}@{} no-op", entry.term),
        Payload::Command(command) => format!("{index}@{} write {}", entry.term, written(command)),
        Payload::Configuration(configuration) => format!("{index}@{} {configuration}", entry.term),
    }
}

fn show_body(body: &Body) -> String {
    match body {
        Body::RequestPreVote { last } => format!("request pre-vote, log to {last}"),
        Body::PreVote { ballot, granted } => format!("pre-vote for term {ballot}: {granted}"),
        Body::RequestVote { last, transfer: false } => format!("request vote, log to {last}"),
        Body::RequestVote { last, transfer: true } => format!("request vote for the transfer, log to {last}"),
        Body::Vote { granted } => format!("vote: {granted}"),
        Body::Append { previous, commit, entries } => {
            format!("append after {previous}, commit {commit}: {}", show_entries(previous.index + 1, entries))
        }
        Body::Appended { matched } => format!("appended to {matched}"),
        Body::Conflict { previous_index, hint } => format!("conflict at {previous_index}, hint {hint}"),
        Body::Heartbeat { commit, round } => format!("heartbeat {round}, commit {commit}"),
        Body::HeartbeatReply { round } => format!("heard {round}"),
        Body::Stale => "stale".to_owned(),
        Body::SnapshotChunk { snapshot, offset, chunk } => {
            let end = offset + chunk.len() as u64;
            format!("snapshot to {}, bytes {offset}..{end} of {}", snapshot.position, snapshot.bytes)
        }
        Body::SnapshotWanted { snapshot, offset } => format!("snapshot to {} wanted from {offset}", snapshot.position),
        Body::TimeoutNow => "timeout now".to_owned(),
    }
}
