//! The messages of a simulated run, and what happened at the servers, for the diagram in the report.

use rashomon_history::{FaultPhase, History, Outcome};
use rashomon_report::OutcomeKind;
use rashomon_report::lamport::{Lamport, Lane, Mark, MarkKind, Message as Arrow, Span, SpanKind};
use rashomon_systems::raft::{Body, Message};
use rashomon_systems::server::{Micros, NodeId, Server, Status};

use super::Violation;
use super::clients::time;
use super::system::OwnSystem;

/// What is written down while a run goes on.
pub(super) struct Trace {
    nodes: Vec<Seen>,
    /// By number; once more for each time that a message arrives again.
    sent: Vec<Arrow>,
    doubles: Vec<Arrow>,
    marks: Vec<(NodeId, Mark)>,
    spans: Vec<(NodeId, Span)>,
}

/// What was last seen of a node.
#[derive(Clone, Default)]
struct Seen {
    term: u64,
    commit_index: u64,
    leads_since: Option<Micros>,
    down_since: Option<Micros>,
}

impl Trace {
    pub(super) fn new(nodes: u16) -> Self {
        let nodes = vec![Seen::default(); nodes.into()];
        Self { nodes, sent: Vec::new(), doubles: Vec::new(), marks: Vec::new(), spans: Vec::new() }
    }

    fn mark(&mut self, node: NodeId, at: Micros, kind: MarkKind, label: String, detail: String) {
        self.marks.push((node, Mark { lane: None, at: time(at), kind, label, detail }));
    }

    fn seen(&mut self, node: NodeId) -> &mut Seen {
        &mut self.nodes[usize::from(node.0) - 1]
    }

    pub(super) fn recovered<S: OwnSystem>(&mut self, now: Micros, node: NodeId, server: &S::Server) {
        let (term, commit_index) = S::member(server).map_or((0, 0), |member| (member.term(), member.commit_index()));
        *self.seen(node) = Seen { down_since: self.seen(node).down_since, term, commit_index, ..Seen::default() };
        if let Some(since) = self.seen(node).down_since.take() {
            self.spans.push((node, span(since, Some(now), SpanKind::Down, "down")));
            self.mark(node, now, MarkKind::Start, "starts".into(), server.status().to_string());
        }
    }

    pub(super) fn stepped<S: OwnSystem>(&mut self, now: Micros, node: NodeId, server: &S::Server) {
        let Some(member) = S::member(server) else { return };
        let seen = self.seen(node);
        let (leads, term, commit_index) = (member.is_leader(), member.term(), member.commit_index());
        let led = seen.leads_since.take_if(|_| !leads || seen.term != term).map(|since| (since, seen.term));
        if leads && seen.leads_since.is_none() {
            seen.leads_since = Some(now);
        }
        let began = seen.leads_since == Some(now);
        let grown = commit_index > seen.commit_index;
        (seen.term, seen.commit_index) = (term, commit_index);
        let status = if grown || began { member.status() } else { Status::default() };
        if let Some((since, term)) = led {
            self.spans.push((node, span(since, Some(now), SpanKind::Leads, &format!("leads in term {term}"))));
        }
        if began {
            self.mark(node, now, MarkKind::Role, format!("leader of term {term}"), status.to_string());
        }
        if grown {
            self.mark(node, now, MarkKind::Commit, format!("commits {commit_index}"), status.to_string());
        }
    }

    pub(super) fn crashed(&mut self, now: Micros, node: NodeId) {
        let seen = self.seen(node);
        seen.down_since = Some(now);
        let led = seen.leads_since.take().map(|since| (since, seen.term));
        if let Some((since, term)) = led {
            self.spans.push((node, span(since, Some(now), SpanKind::Leads, &format!("leads in term {term}"))));
        }
        self.mark(node, now, MarkKind::Crash, "ends".into(), String::new());
    }

    /// `told` is the message in a word, in a few, and all of it.
    pub(super) fn sent(&mut self, now: Micros, from: NodeId, to: NodeId, told: (&'static str, String, String)) {
        let (kind, label, detail) = told;
        self.sent.push(Arrow {
            from: usize::from(from.0),
            sent: time(now),
            to: usize::from(to.0),
            received: None,
            kind: kind.into(),
            label,
            detail: format!("{from} to {to}, {detail}"),
        });
    }

    pub(super) fn arrived(&mut self, now: Micros, number: u64) {
        let place = usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX);
        match self.sent.get_mut(place) {
            Some(arrow) if arrow.received.is_none() => arrow.received = Some(time(now)),
            Some(arrow) => self.doubles.push(Arrow { received: Some(time(now)), ..arrow.clone() }),
            None => {}
        }
    }

    /// The diagram: clients first, then the nodes.
    pub(super) fn draw(self, history: &History, processes: &[u64], violation: Option<&Violation>) -> Lamport {
        let (client_lanes, lane_of) = client_lanes(history, processes);
        let first_node = client_lanes.len();
        let node_lane = |node: usize| first_node + node - 1;
        let node_lanes = (1..=self.nodes.len()).map(|node| Lane { name: format!("n{node}"), note: String::new() });
        let mut lamport = Lamport { lanes: client_lanes.into_iter().chain(node_lanes).collect(), ..Lamport::default() };

        let arrows = self.sent.into_iter().chain(self.doubles);
        lamport.messages =
            arrows.map(|arrow| Arrow { from: node_lane(arrow.from), to: node_lane(arrow.to), ..arrow }).collect();
        for (node, span) in self.spans {
            lamport.spans.push(Span { lane: node_lane(node.0.into()), ..span });
        }
        for (place, seen) in self.nodes.iter().enumerate() {
            let lane = first_node + place;
            if let Some(since) = seen.leads_since {
                let leads = span(since, None, SpanKind::Leads, &format!("leads in term {}", seen.term));
                lamport.spans.push(Span { lane, ..leads });
            }
            if let Some(since) = seen.down_since {
                lamport.spans.push(Span { lane, ..span(since, None, SpanKind::Down, "down") });
            }
        }
        for (node, mark) in self.marks {
            lamport.marks.push(Mark { lane: Some(node_lane(node.0.into())), ..mark });
        }
        lamport.spans.extend(operation_spans(history, lane_of));
        lamport.marks.extend(fault_marks(history));
        if let Some(violation) = violation {
            let (at, label) = (time(violation.at), violation.kind.clone());
            let detail = violation.text.clone();
            lamport.marks.push(Mark { lane: None, at, kind: MarkKind::Violation, label, detail });
        }
        lamport
    }
}

fn span(from: Micros, to: Option<Micros>, kind: SpanKind, label: &str) -> Span {
    Span { lane: 0, from: time(from), to: to.map(time), kind, label: label.into(), detail: String::new() }
}

/// A lane for each client that asked anything, and where the client of a process stands.
fn client_lanes<'a>(history: &History, processes: &'a [u64]) -> (Vec<Lane>, impl Fn(u64) -> usize + use<'a>) {
    let client_of = |process: u64| usize::try_from(process).ok().and_then(|process| processes.get(process)).copied();
    let mut clients: Vec<u64> = Vec::new();
    let mut lanes = Vec::new();
    for operation in history.operations() {
        let client = client_of(operation.process.0).unwrap_or(operation.process.0);
        if !clients.contains(&client) {
            clients.push(client);
            let note = operation.node.as_ref().map_or_else(String::new, |node| format!("asks {node}"));
            lanes.push(Lane { name: format!("client {client}"), note });
        }
    }
    let lane_of = move |process: u64| {
        let client = client_of(process).unwrap_or(process);
        clients.iter().position(|other| *other == client).unwrap_or(0)
    };
    (lanes, lane_of)
}

fn operation_spans(history: &History, lane_of: impl Fn(u64) -> usize) -> Vec<Span> {
    let span = |operation: &rashomon_history::Operation| {
        let (kind, outcome) = match &operation.outcome {
            Outcome::Ok(returned) => (OutcomeKind::Ok, format!("{returned}")),
            Outcome::Fail(reason) => (OutcomeKind::Fail, reason.clone()),
            Outcome::Info(reason) => (OutcomeKind::Info, reason.clone()),
        };
        Span {
            lane: lane_of(operation.process.0),
            from: operation.invoked,
            to: operation.completed,
            kind: SpanKind::Operation(kind),
            label: operation.call.to_string(),
            detail: format!("{}: {outcome}", operation.call),
        }
    };
    history.operations().iter().map(span).collect()
}

fn fault_marks(history: &History) -> Vec<Mark> {
    let ends = history.nemesis().filter_map(|event| {
        let label = match event.phase {
            FaultPhase::Begin => format!("{}: {}", event.f, event.detail),
            FaultPhase::End => format!("{} ends", event.f),
            FaultPhase::Bites | FaultPhase::Failed => return None,
        };
        let (at, detail) = (event.time, event.detail.clone());
        Some(Mark { lane: None, at, kind: MarkKind::Fault, label, detail })
    });
    ends.collect()
}

/// What a message of Raft is in a word, in a few, and all of it.
pub(super) fn tell_raft(message: &Message) -> (&'static str, String, String) {
    let (kind, label) = told(&message.body);
    (kind, label, format!("term {}: {:?}", message.term, message.body))
}

fn told(body: &Body) -> (&'static str, String) {
    let yes = |granted: &bool| if *granted { "yes" } else { "no" };
    match body {
        Body::RequestPreVote { last } => ("pre-vote", format!("pre-vote? log to {last}")),
        Body::PreVote { ballot, granted } => ("pre-vote", format!("pre-vote {ballot}: {}", yes(granted))),
        Body::RequestVote { last, .. } => ("vote", format!("vote? log to {last}")),
        Body::Vote { granted } => ("vote", format!("vote: {}", yes(granted))),
        Body::Append { previous, commit, entries } => {
            let label = match entries.len() as u64 {
                0 => format!("append after {previous}?"),
                1 => format!("append {}", previous.index + 1),
                more => format!("append {}..{}", previous.index + 1, previous.index + more),
            };
            ("append", format!("{label}, commit {commit}"))
        }
        Body::Appended { matched } => ("appended", format!("appended to {matched}")),
        Body::Conflict { previous_index, .. } => ("appended", format!("conflict at {previous_index}")),
        Body::Heartbeat { commit, round } => ("heartbeat", format!("heartbeat {round}, commit {commit}")),
        Body::HeartbeatReply { round } => ("heartbeat", format!("heartbeat {round} heard")),
        Body::Stale => ("stale", "stale".into()),
        Body::SnapshotChunk { snapshot, offset, .. } => {
            ("snapshot", format!("snapshot {} from {offset}", snapshot.position))
        }
        Body::SnapshotWanted { snapshot, offset } => {
            ("snapshot", format!("snapshot {} wanted from {offset}", snapshot.position))
        }
        Body::TimeoutNow => ("transfer", "stand for election".into()),
    }
}
