use rashomon_history::TimeNs;

use super::draw::diagram;
use super::layout::{Layout, MOST_MESSAGES};
use crate::lamport::{Lamport, Lane, Mark, MarkKind, Message, Span, SpanKind};
use crate::verdict::OutcomeKind;

const US: u64 = 1_000;

fn lanes(count: usize) -> Vec<Lane> {
    (0..count).map(|lane| Lane { name: format!("n{lane}"), note: "Raft".into() }).collect()
}

fn message(from: usize, sent_us: u64, to: usize, took_us: Option<u64>, kind: &str) -> Message {
    Message {
        from,
        sent: TimeNs(sent_us * US),
        to,
        received: took_us.map(|took| TimeNs((sent_us + took) * US)),
        kind: kind.into(),
        label: format!("{kind} {sent_us}"),
        detail: format!("all of {kind} {sent_us}"),
    }
}

fn mark(lane: Option<usize>, at_us: u64, kind: MarkKind, label: &str) -> Mark {
    Mark { lane, at: TimeNs(at_us * US), kind, label: label.into(), detail: String::new() }
}

fn span(lane: usize, from_us: u64, to_us: Option<u64>, kind: SpanKind, label: &str) -> Span {
    let (from, to) = (TimeNs(from_us * US), to_us.map(|to| TimeNs(to * US)));
    Span { lane, from, to, kind, label: label.into(), detail: String::new() }
}

/// A write of a client that one of two followers does not hear of.
fn small() -> Lamport {
    Lamport {
        lanes: lanes(4),
        messages: vec![
            message(0, 100, 1, Some(300), "request"),
            message(1, 400, 2, Some(500), "append"),
            message(1, 400, 3, None, "append"),
            message(2, 900, 1, Some(400), "answer"),
        ],
        spans: vec![
            span(0, 100, Some(2000), SpanKind::Operation(OutcomeKind::Info), "write x = 1"),
            span(3, 50, None, SpanKind::Down, "down"),
        ],
        marks: vec![
            mark(Some(1), 1300, MarkKind::Commit, "commit 7"),
            mark(None, 50, MarkKind::Fault, "kill: one node (n3)"),
        ],
    }
}

/// Everybody talks to everybody at once.
fn crowded(messages: u64, nodes: usize) -> Lamport {
    let one = |number: u64| {
        let from = number as usize % nodes;
        let to = (from + 1 + number as usize * 7 % (nodes - 1)) % nodes;
        let took = (!number.is_multiple_of(5)).then_some(200 + number * 131 % 900);
        message(from, number / 3 * 100, to, took, ["append", "answer", "heartbeat", "vote"][number as usize % 4])
    };
    let marks = (0..messages / 8).map(|number| {
        let lane = (!number.is_multiple_of(3)).then_some(number as usize % nodes);
        mark(lane, number * 250, MarkKind::Fault, "something that takes several words to say")
    });
    Lamport { lanes: lanes(nodes), messages: (0..messages).map(one).collect(), marks: marks.collect(), spans: vec![] }
}

fn drawn(lamport: &Lamport) -> String {
    diagram(lamport).expect("there is something to draw").into_string()
}

#[test]
fn every_message_is_an_arrow_with_its_story_and_a_lost_one_ends_in_a_cross() {
    let svg = drawn(&small());
    assert_eq!(svg.matches("class=\"arrow\"").count(), 4 + 4, "four messages, three kinds and `lost` in the key");
    assert_eq!(svg.matches("class=\"cross\"").count(), 1 + 1);
    for expected in [
        "append 400\nall of append 400\nn1 to n2: sent 0.0004 s, came 0.0009 s, 0.50 ms later",
        "append 400\nall of append 400\nn1 to n3: sent 0.0004 s, lost",
        "write x = 1\n0.0001 s to 0.0020 s",
        "down\n0.0001 s to the end",
        ">commit 7</text>",
        ">kill: one node (n3)</text>",
        "request 1<",
        "append 2<",
        "fault</span>",
        "info</span>",
        "The order is exact",
    ] {
        assert!(svg.contains(expected), "{expected:?} is not in:\n{svg}");
    }
    assert!(!svg.contains("had no room") && !svg.contains("left out"), "{svg}");
}

#[test]
fn no_label_lies_over_another_or_outside_however_crowded_it_is() {
    for (messages, nodes) in [(10, 3), (60, 4), (200, 5), (400, 8)] {
        let lamport = crowded(messages, nodes);
        let layout = Layout::of(&lamport).unwrap();
        let of_marks = layout.marks.iter().filter_map(|mark| mark.label.as_ref());
        let of_messages = layout.messages.iter().filter_map(|message| message.label.as_ref());
        let places: Vec<_> = of_marks.chain(of_messages).map(|label| label.place).collect();
        for (number, place) in places.iter().enumerate() {
            assert!(place.x >= 0.0 && place.x + place.width <= layout.width, "{place:?}");
            assert!(place.y >= 0.0 && place.y + place.height <= layout.height() + 20.0, "{place:?}");
            for other in &places[..number] {
                let apart = place.x + place.width <= other.x
                    || other.x + other.width <= place.x
                    || place.y + place.height <= other.y
                    || other.y + other.height <= place.y;
                assert!(apart, "{messages} messages: {place:?} and {other:?}");
            }
        }
        let all = layout.marks.len() + layout.messages.len();
        assert_eq!(places.len() + layout.unlabelled, all);
        assert!(places.len() * 2 > all, "{messages} messages: only {} of {all} labels", places.len());
        assert!(layout.height() < 12_000.0, "{messages} messages are {} px high", layout.height());
    }
}

#[test]
fn what_came_first_stands_higher() {
    let lamport = crowded(300, 5);
    let layout = Layout::of(&lamport).unwrap();
    let mut ends: Vec<(TimeNs, f64)> = layout
        .messages
        .iter()
        .flat_map(|placed| {
            let arrow = layout.arrow(placed.thing);
            let received = placed.thing.received.map(|received| (received, arrow.to.1));
            [Some((placed.thing.sent, arrow.from.1)), received]
        })
        .flatten()
        .collect();
    ends.sort_by_key(|(time, _)| *time);
    for pair in ends.windows(2) {
        assert!(pair[0].0 == pair[1].0 || pair[1].1 - pair[0].1 > 5.0, "{pair:?}");
    }
}

#[test]
fn of_too_many_messages_the_last_are_drawn_and_the_rest_is_counted() {
    let lamport = crowded(5000, 5);
    let layout = Layout::of(&lamport).unwrap();
    assert_eq!((layout.messages.len(), layout.left_out), (MOST_MESSAGES, 5000 - MOST_MESSAGES));
    assert!(layout.marks.iter().all(|mark| mark.thing.at >= layout.messages[0].thing.sent));
    let svg = drawn(&lamport);
    assert!(svg.contains("4,600 messages before these are left out"));
    assert!(svg.len() < 600_000, "{} bytes", svg.len());
}

#[test]
fn what_names_no_lane_and_what_stays_at_home_is_not_drawn() {
    assert!(diagram(&Lamport::default()).is_none());
    assert!(diagram(&Lamport { lanes: lanes(3), ..Lamport::default() }).is_none());
    let mut lamport = small();
    let clean = drawn(&lamport);
    lamport.messages.extend([message(9, 500, 1, Some(1), "ghost"), message(1, 500, 1, Some(1), "ghost")]);
    lamport.spans.push(span(9, 1, None, SpanKind::Leads, "ghost"));
    lamport.marks.push(mark(Some(9), 600, MarkKind::Role, "ghost"));
    assert_eq!(drawn(&lamport), clean);
}

#[test]
fn nothing_that_was_sent_becomes_markup() {
    const EVIL: &str = "</script></svg><img onerror=x>\"'";
    let mut lamport = small();
    for message in &mut lamport.messages {
        (message.kind, message.label, message.detail) = (EVIL.into(), EVIL.into(), EVIL.into());
    }
    lamport.lanes[0] = Lane { name: EVIL.into(), note: EVIL.into() };
    lamport.marks[0].label = EVIL.into();
    let svg = drawn(&lamport);
    assert!(!svg.contains("<img") && !svg.contains("</script"), "{svg}");
}
