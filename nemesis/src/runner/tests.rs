//! The nemesis with hands that write down what they were asked for. What real hands do is tested where they are.

use std::collections::BTreeSet;
use std::sync::Mutex;

use rashomon_history::{Call, History, ProcessId, read_history};

use super::*;
use crate::{Choice, Cut, Direction, Fault, Grudge, Partition, ScheduledFault, Shape, StepKind, Target, list_nodes};

#[derive(Default)]
struct Diary {
    lines: Mutex<Vec<String>>,
    fails_at: Option<&'static str>,
}

impl Diary {
    fn note(&self, line: String) -> Result<String, HandsError> {
        let fails = self.fails_at.is_some_and(|start| line.starts_with(start));
        self.lines.lock().unwrap().push(line.clone());
        if fails { Err(format!("can't {line}").into()) } else { Ok(line) }
    }

    fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }
}

impl Hands for Diary {
    fn cut(&self, grudge: &Grudge) -> Result<String, HandsError> {
        self.note(format!("cut {grudge}"))
    }
    fn kill(&self, nodes: &BTreeSet<Node>) -> Result<String, HandsError> {
        self.note(format!("kill {}", list_nodes(nodes)))
    }
    fn start(&self, nodes: &BTreeSet<Node>) -> Result<String, HandsError> {
        self.note(format!("start {}", list_nodes(nodes)))
    }
    fn pause(&self, nodes: &BTreeSet<Node>) -> Result<String, HandsError> {
        self.note(format!("pause {}", list_nodes(nodes)))
    }
    fn resume(&self, nodes: &BTreeSet<Node>) -> Result<String, HandsError> {
        self.note(format!("resume {}", list_nodes(nodes)))
    }
    fn remove_member(&self, node: Node) -> Result<String, HandsError> {
        self.note(format!("remove {node}"))
    }
    fn add_member(&self, node: Node) -> Result<String, HandsError> {
        let cut = self.lines().iter().rev().find(|line| line.starts_with("cut")).is_some_and(|line| line.contains('|'));
        if cut { Err("no leader answers".into()) } else { self.note(format!("add {node}")) }
    }
}

fn target(numbers: &[u16]) -> Target {
    Target { choice: Choice::One, nodes: numbers.iter().map(|number| Node(*number)).collect() }
}

fn isolate(number: u16) -> Fault {
    let grudge = Grudge::around(&BTreeSet::from([Node(number)]), 3, Direction::Both);
    Fault::Partition(Partition { shape: Shape::OneNode, cut: Cut::Grudge(grudge) })
}

fn schedule(entries: Vec<(u64, u64, Fault)>) -> Schedule {
    let entries = entries.into_iter();
    Schedule {
        entries: entries.map(|(at_ms, duration_ms, fault)| ScheduledFault { at_ms, duration_ms, fault }).collect(),
    }
}

struct Told {
    diary: Vec<String>,
    history: History,
    result: Result<Summary, NemesisError>,
}

async fn follow(schedule: Schedule, hands: Diary, stop_after_ms: u64) -> Told {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.jsonl");
    let hands = Arc::new(hands);
    let recorder = Arc::new(Recorder::create(&path).unwrap());
    recorder.invoke(ProcessId(0), None, false, &Call::Read { key: "k".into() }).unwrap();
    let nemesis = Nemesis::new(schedule, 3, Arc::clone(&hands) as Arc<dyn Hands>, recorder);
    let current = nemesis.current();
    let stop = tokio::time::sleep(Duration::from_millis(stop_after_ms));
    let result = nemesis.run(|| async { Some(Node(3)) }, stop).await;
    assert!(current.borrow().is_empty() || result.is_err(), "{} is still active", *current.borrow());
    Told { diary: hands.lines(), history: read_history(&path).unwrap(), result }
}

fn phases(history: &History) -> Vec<(u64, &str, FaultPhase)> {
    history.nemesis().map(|event| (event.fault, event.f.as_str(), event.phase)).collect()
}

#[tokio::test(start_paused = true)]
async fn faults_begin_bite_and_end_in_order() {
    let leader = Fault::Kill(Target { choice: Choice::Leader, nodes: BTreeSet::from([Node(1)]) });
    let plan = schedule(vec![(10, 20, isolate(1)), (50, 20, leader), (90, 20, Fault::Pause(target(&[2])))]);
    let told = follow(plan, Diary::default(), 60_000).await;
    let expected = ["cut n1 | n2 n3", "cut nobody is cut off", "kill n3", "start n3", "pause n2", "resume n2"];
    assert_eq!(told.diary, expected);
    let kinds = [(0, "partition"), (1, "kill"), (2, "pause")];
    let expected: Vec<_> = kinds
        .into_iter()
        .flat_map(|(n, kind)| [FaultPhase::Begin, FaultPhase::Bites, FaultPhase::End].map(|phase| (n, kind, phase)))
        .collect();
    assert_eq!(phases(&told.history), expected);
    let details: Vec<_> = told.history.nemesis().map(|event| event.detail.as_str()).collect();
    assert_eq!(details[3], "the leader; n3 leads");
    assert_eq!(told.result.unwrap().to_string(), "partition 1 of 1, kill 1 of 1, pause 1 of 1");
}

#[tokio::test(start_paused = true)]
async fn overlapping_faults_end_only_what_no_other_wants() {
    let plan = schedule(vec![
        (10, 100, Fault::Pause(target(&[1, 2]))),
        (20, 20, Fault::Kill(target(&[2]))),
        (30, 100, isolate(1)),
        (60, 20, isolate(2)),
    ]);
    let told = follow(plan, Diary::default(), 60_000).await;
    let expected = [
        "pause n1, n2",
        "kill n2",
        "cut n1 | n2 n3",
        "start n2",
        "pause n2",
        "cut n1 | n2 | n3",
        "cut n1 | n2 n3",
        "resume n1, n2",
        "cut nobody is cut off",
    ];
    assert_eq!(told.diary, expected);
}

#[tokio::test(start_paused = true)]
async fn when_it_is_stopped_it_heals_everything_at_once() {
    let plan = schedule(vec![
        (10, 90_000, isolate(1)),
        (20, 90_000, Fault::Kill(target(&[2]))),
        (30, 90_000, Fault::Pause(target(&[3]))),
        (500, 100, isolate(3)),
    ]);
    let told = follow(plan, Diary::default(), 100).await;
    assert_eq!(told.diary[3..], ["cut nobody is cut off", "start n2", "resume n3"]);
    assert!(told.history.events().last().unwrap().time().as_secs_f64() < 5.0);
    assert_eq!(told.result.unwrap().to_string(), "partition 1 of 1, kill 1 of 1, pause 1 of 1");
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_does_not_bite_is_told_and_undone() {
    let plan = schedule(vec![(10, 10, Fault::Kill(target(&[1]))), (30, 10, isolate(1))]);
    let told = follow(plan, Diary { fails_at: Some("kill"), ..Diary::default() }, 60_000).await;
    assert_eq!(told.diary, ["kill n1", "start n1", "cut n1 | n2 n3", "cut nobody is cut off"]);
    let failed: Vec<_> = told.history.nemesis().filter(|event| event.phase == FaultPhase::Failed).collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].detail, "can't kill n1");
    assert_eq!(told.result.unwrap().kinds[&FaultKind::Kill], KindSummary { injected: 1, bitten: 0, failed: 1 });
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_can_not_be_ended_is_an_error() {
    let plan = schedule(vec![(10, 10, Fault::Pause(target(&[1]))), (30, 10, isolate(1))]);
    let told = follow(plan, Diary { fails_at: Some("resume"), ..Diary::default() }, 60_000).await;
    assert_eq!(told.result.unwrap_err().to_string(), "fault 0 (pause) can't be ended: can't resume n1");
}

#[tokio::test(start_paused = true)]
async fn a_member_that_can_not_be_added_yet_is_added_when_all_faults_are_over() {
    let plan = schedule(vec![(10, 20, Fault::Membership(target(&[3]))), (20, 40, isolate(1))]);
    let told = follow(plan, Diary::default(), 60_000).await;
    assert_eq!(told.diary, ["remove n3", "cut n1 | n2 n3", "cut nobody is cut off", "add n3"]);
    let of_member: Vec<_> = phases(&told.history).into_iter().filter(|(fault, ..)| *fault == 0).collect();
    let expected = [FaultPhase::Begin, FaultPhase::Bites, FaultPhase::Bites, FaultPhase::End];
    assert_eq!(of_member, expected.map(|phase| (0, "membership", phase)));
    let details: Vec<_> = told.history.nemesis().map(|event| event.detail.as_str()).collect();
    assert_eq!(details[4], "it lasts longer: no leader answers");
    assert_eq!(told.result.unwrap().to_string(), "partition 1 of 1, membership 1 of 1");
}

#[tokio::test(start_paused = true)]
async fn what_only_a_simulation_can_do_fails_and_is_told() {
    let plan = schedule(vec![(10, 20, Fault::Power(target(&[3])))]);
    let told = follow(plan, Diary::default(), 60_000).await;
    assert_eq!(told.diary, ["start n3"]);
    let details: Vec<_> = told.history.nemesis().map(|event| event.detail.as_str()).collect();
    assert_eq!(details, ["one node (n3)", "only a simulation can do that: power off n3", "start n3"]);
}

#[test]
fn what_ends_when_another_begins_ends_first() {
    let plan = schedule(vec![(10, 20, isolate(1)), (30, 0, isolate(2))]);
    let steps: Vec<_> = plan.timeline().iter().map(|step| (step.at_ms, step.kind, step.fault)).collect();
    let expected = [(10, StepKind::Begin, 0), (30, StepKind::End, 0), (30, StepKind::Begin, 1), (31, StepKind::End, 1)];
    assert_eq!(steps, expected);
}
