use std::time::Duration;

use rashomon_history::{History, TimeNs};

use super::{ReportInput, render};
use crate::cycle::{Cycle, CycleEdge};
use crate::lamport::{Lamport, Lane, Message};
use crate::tests::{MS, Story, remark, stale_read};
use crate::verdict::{OperationRecord, Verdict, VerdictFile};
use crate::{Leadership, Statistics};

fn page(file: &VerdictFile, history: &History) -> String {
    page_of(file, history, None)
}

/// A page of locks whose leases last so long.
pub(super) fn page_of(file: &VerdictFile, history: &History, lease_ttl: Option<Duration>) -> String {
    let links = [("log of n1".to_string(), "nodes/n1/node.log".to_string())];
    let plan = [("seed", "7".to_string()), ("nodes", "n1 n2 n3".to_string())];
    let title = "raft register";
    render(&ReportInput { title, verdict: file, history, plan: &plan, links: &links, lamport: None, lease_ttl })
}

/// The text of the page as a reader without a style sheet has it: no scripts, no tags.
pub(super) fn visible(page: &str) -> String {
    let mut text = String::new();
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        text.push_str(&rest[..start]);
        let end = ["script", "style"].iter().find(|name| rest[start + 1..].starts_with(**name));
        let closing = end.map_or(">".to_string(), |name| format!("</{name}>"));
        rest = rest[start..].split_once(&closing).map_or("", |(_, after)| after);
    }
    text + rest
}

#[test]
fn an_invalid_run_shows_why_with_its_witness_and_how_to_run_it_again() {
    let (file, history) = stale_read();
    let page = page(&file, &history);
    let text = visible(&page);
    for expected in [
        "✕ invalid",
        "Process 1 read 1 although 2 had been acknowledged before it asked.",
        "stale-read of key x",
        "2 operations that can’t be one story",
        "write x = 2: ok",
        "Process 1 asked n2 at 0.030 s and was answered at 0.040 s, 10.00 ms later.",
        "#0 partition: n2 | n1 n3",
        "yes, after 1.00 ms: 12 packets dropped",
        "enough operations were acknowledged 3 of 1",
        "rashomon test raft --workload register --seed 7",
        "term 2",
        "log of n1",
        "n1 n2 n3",
    ] {
        assert!(text.contains(expected), "{expected:?} is not in:\n{text}");
    }
    assert!(page.contains("href=\"nodes/n1/node.log\""));
}

#[test]
fn the_evidence_comes_first_when_invalid_and_the_guards_else() {
    let (mut file, history) = stale_read();
    let order = |page: &str| page.find("id=\"evidence\"").unwrap() < page.find("id=\"guards\"").unwrap();
    assert!(order(&page(&file, &history)));
    file.verdict = Verdict::Valid;
    file.witness.clear();
    file.anomalies.clear();
    let page = page(&file, &history);
    assert!(!order(&page));
    assert!(visible(&page).contains("The clients when fault #0 (partition) began"));
}

#[test]
fn witness_bars_are_numbered_and_lead_to_their_sentences() {
    let (file, history) = stale_read();
    let page = page(&file, &history);
    assert_eq!(page.matches("class=\"op ok witness\"").count(), 2);
    for number in 1..=2 {
        assert!(page.contains(&format!("<a href=\"#operation-{number}\">")));
        assert!(page.contains(&format!("<li id=\"operation-{number}\"")));
    }
    // The write before is context: drawn, not numbered.
    assert_eq!(page.matches("class=\"op ok\"").count(), 1);
}

#[test]
fn the_page_needs_no_network() {
    let (file, history) = stale_read();
    let page = page(&file, &history);
    for fetching in ["src=", "<link", "@import", "url(http", "url(//", "<iframe", "<img"] {
        assert!(!page.contains(fetching), "{fetching}");
    }
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn nothing_in_a_history_becomes_markup_or_script() {
    const EVIL: &str = "</script><script>alert(1)</script>\"'><img onerror=x> &amp; \u{2028}";
    let mut story = Story::default();
    let quoted = serde_json::to_string(EVIL).unwrap();
    story.ok(0, EVIL, MS, 2 * MS, "write", EVIL, &quoted);
    story.info(1, EVIL, 3 * MS, 9 * MS, "write", EVIL, &quoted, EVIL);
    story.fault(2 * MS, 0, EVIL, "begin", EVIL);
    story.fault(3 * MS, 0, EVIL, "bites", EVIL);
    story.fault(4 * MS, 1, EVIL, "failed", EVIL);
    let history = story.history();
    let leaders = [Leadership { time_ns: TimeNs(MS), node: EVIL.into(), term: 1 }];
    let (mut file, _) = stale_read();
    file.anomalies.push(file.anomalies[0].clone());
    let mut json = serde_json::to_value(&file).unwrap();
    replace_texts(&mut json, EVIL);
    file = serde_json::from_value(json).unwrap();
    file.statistics = Statistics::of(&history, &leaders);
    let links = [(EVIL.to_string(), EVIL.to_string())];
    let plan = [("seed", EVIL.to_string())];
    let page = render(&ReportInput {
        title: EVIL,
        verdict: &file,
        history: &history,
        plan: &plan,
        links: &links,
        lamport: None,
        lease_ttl: None,
    });
    let (clean, history) = stale_read();
    let clean = self::page(&clean, &history);
    for element in ["<script", "</script", "<img", "<style", "</style"] {
        assert_eq!(page.matches(element).count(), clean.matches(element).count(), "{element}");
    }
    assert!(!page.contains("\"'><img"), "an attribute was ended early");
    assert!(plots_data(&page)["faults"][0]["label"].as_str().unwrap().contains("</script>"));
}

/// Puts a text in place of every text that is not one of a few fixed words.
fn replace_texts(json: &mut serde_json::Value, with: &str) {
    match json {
        serde_json::Value::String(text) => {
            if !["valid", "invalid", "unknown", "ok", "fail", "info"].contains(&text.as_str()) {
                *text = with.into();
            }
        }
        serde_json::Value::Array(list) => list.iter_mut().for_each(|item| replace_texts(item, with)),
        serde_json::Value::Object(map) => map.values_mut().for_each(|item| replace_texts(item, with)),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
}

/// What the script of the page reads.
fn plots_data(page: &str) -> serde_json::Value {
    let (_, rest) = page.split_once("id=\"plots-data\">").unwrap();
    let (json, _) = rest.split_once("</script>").unwrap();
    serde_json::from_str(json).unwrap()
}

#[test]
fn the_plots_hold_what_the_history_holds() {
    let (file, history) = stale_read();
    let data = plots_data(&page(&file, &history));
    // Buckets of 10 ms; the run ends in the middle of the last.
    assert_eq!(data["ok"], serde_json::json!([100.0, 0.0, 100.0, 0.0, 200.0]));
    assert_eq!(data["max"][0], 1.0);
    assert_eq!(data["max"][1], serde_json::Value::Null);
    assert_eq!(data["faults"][0]["from"], 0.005);
    assert_eq!(data["faults"][0]["to"], 0.045);
}

#[test]
fn a_run_without_answers_and_a_run_without_times_have_a_page() {
    let mut story = Story::default();
    story.open(0, "n1", 0, "read", "x");
    let history = story.history();
    let (mut file, _) = stale_read();
    file.verdict = Verdict::Unknown;
    file.witness.clear();
    file.anomalies.clear();
    file.guards[0].held = false;
    file.statistics = Statistics::of(&history, &[]);
    let text = visible(&page(&file, &history));
    assert!(text.contains("? unknown") && text.contains("No faults were injected."), "{text}");
    assert!(text.contains("read x: unknown (still open when the history ends)"), "{text}");
}

#[test]
fn long_values_are_cut_and_say_so() {
    let mut story = Story::default();
    let long = "z".repeat(200_000);
    story.ok(0, "n1", MS, 2 * MS, "write", "x", &long);
    story.ok(1, "n1", 3 * MS, 4 * MS, "write", &long, "1");
    story.fault(MS, 0, "pause", "begin", &long);
    let history = story.history();
    let (mut file, _) = stale_read();
    file.witness = history.operations().iter().map(OperationRecord::from).collect();
    file.anomalies[0].key = Some(long);
    let page = page(&file, &history);
    assert!(page.len() < 200_000, "{} bytes", page.len());
    assert!(visible(&page).contains("characters left out"));
}

#[test]
fn a_cycle_is_drawn_with_its_reasons() {
    let (mut file, history) = stale_read();
    let edge = |from, to, kind: &str, why: &str| CycleEdge {
        from,
        to,
        kind: kind.into(),
        key: (kind == "rw").then(|| "x<y".into()),
        why: why.into(),
    };
    let transactions = file.witness.clone();
    let edges = vec![edge(0, 1, "realtime", "T1 was over"), edge(1, 0, "rw", "T2 did not see 2")];
    file.anomalies[0].cycle = Some(Cycle { transactions: transactions.clone(), edges: edges.clone() });
    let whole = page(&file, &history);
    let text = visible(&whole);
    for expected in
        ["T1 before T2: realtime", "T2 before T1: rw x&lt;y", "T2 did not see 2", "T1, process 0 on n1, 0.010 s"]
    {
        assert!(text.contains(expected), "{expected:?} is not in:\n{text}");
    }
    assert_eq!(whole.matches("marker-end").count(), 2);

    file.anomalies[0].cycle = Some(Cycle { transactions: transactions[..1].to_vec(), edges });
    assert!(!page(&file, &history).contains("marker-end"), "an edge leads nowhere");
}

#[test]
fn a_long_cycle_shows_its_ends() {
    let (mut file, history) = stale_read();
    let transactions = vec![file.witness[0].clone(); 5000];
    let edge = |from: usize| CycleEdge { from, to: (from + 1) % 5000, kind: "ww".into(), key: None, why: "so".into() };
    file.anomalies[0].cycle = Some(Cycle { transactions, edges: (0..5000).map(edge).collect() });
    let text = visible(&page(&file, &history));
    assert!(text.contains("4988 more transactions"), "{text}");
    assert!(text.contains("T1 before T2") && text.contains("T5000 before T1"), "{text}");
}

#[test]
fn the_messages_have_a_section_where_they_are_known() {
    let (file, history) = stale_read();
    assert!(!page(&file, &history).contains("id=\"messages\""));
    let lane = |name: &str| Lane { name: name.into(), note: String::new() };
    let message = Message {
        from: 0,
        sent: TimeNs(MS),
        to: 1,
        received: Some(TimeNs(2 * MS)),
        kind: "append".into(),
        label: "append 3..5".into(),
        detail: "term 2".into(),
    };
    let lamport = Lamport { lanes: vec![lane("n1"), lane("n2")], messages: vec![message], ..Lamport::default() };
    let input = ReportInput {
        title: "t",
        verdict: &file,
        history: &history,
        plan: &[],
        links: &[],
        lamport: Some(&lamport),
        lease_ttl: None,
    };
    let page = render(&input);
    assert!(page.contains("href=\"#messages\"") && page.contains("id=\"messages\""));
    let text = visible(&page);
    assert!(text.contains("append 3..5") && text.contains("n1 to n2: sent 0.0010 s"), "{text}");
    assert!(page.find("id=\"messages\"").unwrap() < page.find("id=\"over-time\"").unwrap());
}

#[test]
fn a_remark_stands_with_the_verdict_before_what_went_wrong() {
    let (mut file, history) = stale_read();
    file.remarks.push(remark());
    let text = visible(&page(&file, &history));
    let place = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part} is missing: {text}"));
    assert!(place("a known limit") < place("It never waits.") && place("It never waits.") < place("Skeen 1981"));
    assert!(place("Skeen 1981") < place("3 of 1"));
}
