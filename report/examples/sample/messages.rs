//! Makes up the messages of a short run: a leader, two followers, two clients, and a crash.

use rashomon_history::TimeNs;
use rashomon_report::OutcomeKind;
use rashomon_report::lamport::{Lamport, Lane, Mark, MarkKind, Message, Span, SpanKind};

const CLIENTS: usize = 2;
const US: u64 = 1000;

/// A diagram of about so many rounds, each a write that is replicated, and from the middle on another leader.
pub(crate) fn make_up(rounds: u64, nodes: usize) -> Lamport {
    let mut diagram = Diagram { lamport: Lamport { lanes: lanes(nodes), ..Lamport::default() }, nodes, leader: 0 };
    let middle = rounds / 2;
    for round in 0..rounds {
        let at = 30_000 + round * 5_300 + if round > middle { 640_000 } else { 0 };
        if round == middle {
            diagram.change_leader(at);
        } else {
            diagram.write(round, at);
        }
    }
    diagram.lamport
}

fn lanes(nodes: usize) -> Vec<Lane> {
    let clients = (0..CLIENTS).map(|client| (format!("client {client}"), format!("asks n{}", client + 1)));
    let nodes = (1..=nodes).map(|node| (format!("n{node}"), "Raft".into()));
    clients.chain(nodes).map(|(name, note)| Lane { name, note }).collect()
}

struct Diagram {
    lamport: Lamport,
    nodes: usize,
    leader: usize,
}

impl Diagram {
    fn send(&mut self, from: usize, sent_us: u64, to: usize, took_us: Option<u64>, kind: &str, label: String) {
        let detail = format!("term {}, message {}", 1 + self.leader, self.lamport.messages.len());
        let received = took_us.map(|took| TimeNs((sent_us + took) * US));
        let sent = TimeNs(sent_us * US);
        self.lamport.messages.push(Message { from, sent, to, received, kind: kind.into(), label, detail });
    }

    fn mark(&mut self, lane: Option<usize>, at_us: u64, kind: MarkKind, label: &str) {
        let at = TimeNs(at_us * US);
        self.lamport.marks.push(Mark { lane, at, kind, label: label.into(), detail: String::new() });
    }

    fn span(&mut self, lane: usize, from_us: u64, to_us: Option<u64>, kind: SpanKind, label: String) {
        let (from, to) = (TimeNs(from_us * US), to_us.map(|to| TimeNs(to * US)));
        self.lamport.spans.push(Span { lane, from, to, kind, label, detail: String::new() });
    }

    fn others(&self) -> impl Iterator<Item = usize> + use<> {
        let leader = self.leader;
        (0..self.nodes).filter(move |node| *node != leader)
    }

    fn write(&mut self, round: u64, at: u64) {
        let client = (round % 2) as usize;
        let leader = CLIENTS + self.leader;
        let outcome = if round % 7 == 3 { OutcomeKind::Info } else { OutcomeKind::Ok };
        let label = format!("write r{} = {round}", round % 3);
        self.span(client, at, Some(at + 4_800), SpanKind::Operation(outcome), label.clone());
        self.send(client, at, leader, Some(310), "request", label);
        for follower in self.others() {
            let lane = CLIENTS + follower;
            let is_down = self.leader > 0 && follower == 0;
            let lost = is_down || (round + follower as u64) % 9 == 4;
            let took = 700 + 190 * follower as u64 + round * 37 % 500;
            self.send(leader, at + 420, lane, (!lost).then_some(took), "append", format!("append {round}"));
            if !lost {
                self.send(lane, at + 900 + took, leader, Some(480), "append answer", format!("has {round}"));
            }
        }
        self.mark(Some(leader), at + 2_600, MarkKind::Commit, &format!("commit {round}"));
        if outcome == OutcomeKind::Ok {
            self.send(leader, at + 2_700, client, Some(2_100), "response", "ok".into());
        }
    }

    fn change_leader(&mut self, at: u64) {
        let old = CLIENTS + self.leader;
        self.mark(None, at - 500, MarkKind::Fault, "kill: the leader; n1 leads");
        self.mark(Some(old), at, MarkKind::Crash, "killed");
        self.span(old, 30_000, Some(at), SpanKind::Leads, "leads term 1".into());
        self.span(old, at, Some(at + 900_000), SpanKind::Down, "down".into());
        self.mark(Some(old), at + 900_000, MarkKind::Start, "started");
        self.leader = 1;
        let new = CLIENTS + self.leader;
        for voter in self.others() {
            let took = (CLIENTS + voter != old).then_some(600);
            self.send(new, at + 610_000, CLIENTS + voter, took, "request vote", "vote? t2".into());
            if took.is_some() {
                self.send(CLIENTS + voter, at + 611_500, new, Some(500), "vote", "yes".into());
            }
        }
        self.mark(Some(new), at + 612_300, MarkKind::Role, "leads in term 2");
        self.span(new, at + 612_300, None, SpanKind::Leads, String::new());
        self.mark(Some(0), at + 920_000, MarkKind::Violation, "read r1: 3 is stale");
    }
}
