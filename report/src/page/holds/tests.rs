use super::*;
use crate::page::tests::{page_of, visible};
use crate::tests::{MS, Story, stale_read};
use crate::verdict::{Anomaly, OperationRecord, VerdictFile};
use rashomon_history::History;
use serde_json::json;
use std::time::Duration;

const TTL: Option<Duration> = Some(Duration::from_millis(100));

/// `c0` holds the lock from 12 ms on, and is still in good faith when its lease ends at 110 ms; `c1` holds it from 120 ms on.
fn history() -> History {
    let mut story = Story::default();
    let mut does = |process: u64, from: u64, to: u64, call: serde_json::Value, came_back: serde_json::Value| {
        story.does(process, from * MS, to * MS, &call, &came_back);
    };
    let acquire = |owner: &str| json!({"f": "acquire", "key": "l1", "owner": owner});
    let release = |owner: &str| json!({"f": "release", "key": "l1", "owner": owner});
    let add = |value: u64| json!({"f": "add", "key": "s1", "value": value});
    does(0, 1, 2, json!({"f": "open-session", "owner": "c0-1"}), json!({"type": "ok"}));
    does(1, 1, 3, json!({"f": "open-session", "owner": "c1-1"}), json!({"type": "ok"}));
    does(0, 10, 12, acquire("c0-1"), json!({"type": "ok", "token": 5}));
    does(1, 90, 120, acquire("c1-1"), json!({"type": "ok", "token": 6}));
    does(1, 125, 130, add(1), json!({"type": "ok", "version": 1, "token": 6}));
    does(0, 140, 145, add(2), json!({"type": "fail", "error": "stale-token: 5 after 6"}));
    does(0, 150, 155, release("c0-1"), json!({"type": "fail", "error": "session-expired: 40 ms ago"}));
    does(1, 160, 165, release("c1-1"), json!({"type": "ok"}));
    does(2, 170, 175, json!({"f": "acquire", "key": "l2", "owner": "c2-1"}), json!({"type": "ok", "token": 7}));
    story.history()
}

/// A verdict about this lock, with these operations as its witness.
fn verdict(key: &str, history: &History, witness: &[usize]) -> VerdictFile {
    let operations = history.operations();
    let witness: Vec<OperationRecord> = witness.iter().map(|place| (&operations[*place]).into()).collect();
    let (file, _) = stale_read();
    let anomaly = Anomaly { kind: "double-hold".into(), key: Some(key.into()), ..file.anomalies[0].clone() };
    VerdictFile { anomalies: vec![anomaly], witness, ..file }
}

#[test]
fn a_hold_lasts_until_its_lease_is_over_and_is_believed_for_longer() {
    let history = history();
    let file = verdict("s1", &history, &[4]);
    let scene = Scene::of(history.operations(), &file, TTL).unwrap();
    assert_eq!(scene.lock.as_str(), "l1");
    let names: Vec<&str> = scene.lanes.iter().map(|lane| lane.name.as_str()).collect();
    assert_eq!(names, ["c0", "c1"]);
    let hold = scene.lanes[0].holds[0];
    assert_eq!((hold.from.0, hold.until.0, hold.let_go.0), (12 * MS, 110 * MS, 150 * MS));
    let hold = scene.lanes[1].holds[0];
    assert_eq!((hold.from.0, hold.until.0, hold.let_go.0), (120 * MS, 160 * MS, 160 * MS));
    let overlap = &scene.overlaps[0];
    assert_eq!((overlap.from.0, overlap.to.0, overlap.is_certain), (120 * MS, 150 * MS, false));
}

#[test]
fn a_client_that_stands_still_is_known_by_its_number() {
    assert!(scene::names_client("clients 1, 12", "c12") && scene::names_client("client 3", "c3"));
    assert!(!scene::names_client("clients 1, 12", "c2") && !scene::names_client("client 3", "process 3"));
}

#[test]
fn two_that_hold_the_lock_at_a_time_are_marked() {
    let history = history();
    let file = verdict("l1", &history, &[2, 3]);
    let scene = Scene::of(history.operations(), &file, Some(Duration::from_millis(500))).unwrap();
    let overlap = &scene.overlaps[0];
    assert_eq!((overlap.from.0, overlap.to.0, overlap.is_certain), (120 * MS, 150 * MS, true));
    let witness: Vec<usize> =
        scene.lanes.iter().flat_map(|lane| &lane.operations).filter_map(|shown| shown.witness).collect();
    assert_eq!(witness, [1, 2]);
}

#[test]
fn a_page_of_locks_tells_who_held_what_and_others_do_not() {
    let history = history();
    let page = page_of(&verdict("l1", &history, &[2, 3]), &history, TTL);
    let text = visible(&page);
    for told in ["Who held l1, and when", "token 5", "token 6", "A lease lasts 100.00 ms", "two could believe"] {
        assert!(text.contains(told), "{told} in {text}");
    }
    assert!(page.contains("href=\"#operation-2\""));
    let (file, registers) = stale_read();
    assert!(!visible(&page_of(&file, &registers, None)).contains("Who held"));
}
