//! Pages stay small and quick however long a run was.

use std::path::Path;
use std::time::{Duration, Instant};

use rashomon_history::{History, parse_history};
use rashomon_report::{ReportInput, SCHEMA_VERSION, Statistics, Verdict, VerdictFile, render};

const OPERATIONS: u64 = 200_000;
const CLIENTS: u64 = 50;

/// Clients that write unique values to few keys, each operation 2 ms long, and a fault every second.
fn history() -> History {
    let mut text = String::new();
    for turn in 0..OPERATIONS / CLIENTS {
        for (kind, shift) in [("invoke", 0), ("ok", 2_000_000)] {
            let time = turn * 3_000_000 + shift;
            for process in 0..CLIENTS {
                let (key, value) = (process % 4, turn * CLIENTS + process);
                text += &format!(
                    "{{\"time\":{time},\"process\":{process},\"type\":\"{kind}\",\"f\":\"write\",\"key\":\"{key}\",\
                     \"value\":{value},\"node\":\"n{key}\"}}\n"
                );
            }
        }
        let (time, fault) = (turn * 3_000_000 + 2_000_000, turn / 2);
        let phase = if turn % 2 == 0 { "begin" } else { "end" };
        text += &format!(
            "{{\"time\":{time},\"process\":\"nemesis\",\"type\":\"info\",\"f\":\"partition\",\"fault\":{fault},\
             \"phase\":\"{phase}\",\"detail\":\"n1 | n2 n3\"}}\n"
        );
    }
    parse_history(Path::new("large"), text.as_bytes()).expect("a sound history")
}

#[test]
fn a_long_run_has_a_small_page_in_little_time() {
    let history = history();
    let operations = history.operations();
    let witness = [1000, 100_000, 199_000].map(|position| (&operations[position]).into()).to_vec();
    let began = Instant::now();
    let verdict = VerdictFile {
        schema_version: SCHEMA_VERSION,
        rashomon_version: "0.1.0".into(),
        verdict: Verdict::Invalid,
        reason: String::new(),
        remarks: Vec::new(),
        began: None,
        command: String::new(),
        checkers: Vec::new(),
        witness,
        anomalies: Vec::new(),
        guards: Vec::new(),
        statistics: Statistics::of(&history, &[]),
    };
    let page = render(&ReportInput {
        title: "large",
        verdict: &verdict,
        history: &history,
        plan: &[],
        links: &[],
        lamport: None,
        lease_ttl: None,
    });
    let took = began.elapsed();
    assert!(page.contains("200,000"));
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
    // Unoptimized builds and busy machines get more.
    let most = if cfg!(debug_assertions) { Duration::from_secs(20) } else { Duration::from_secs(2) };
    assert!(took < most, "{took:?}");
    println!("{} bytes in {took:?}", page.len());
}
