//! Recorded and generated histories whose verdicts are known.
//!
//! They lie beside the project, in `../shared/data` or where `RASHOMON_DATA` points. Where they are absent the tests say
//! so and do nothing.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rashomon_checker::models::{KeyValue, Register, Scope};
use rashomon_checker::{Algorithm, Checker, Model, Operation, Report, Used, Verdict};
use rashomon_history::{Call, Key, Returned, Value};
use serde_json::Value as Json;

use crate::kv::{Pairing, read_kv};

pub(crate) fn data(folder: &str) -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data");
    let root = std::env::var_os("RASHOMON_DATA").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let folder = root.join(folder);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: there is no {}; set RASHOMON_DATA to where the data is", folder.display());
    None
}

fn check<M: Model>(model: M, algorithm: Algorithm, history: &[Operation<M::Call, M::Return>]) -> (Report, Duration) {
    let started = Instant::now();
    let report = Checker::new(model).algorithm(algorithm).check(history).expect("a sound history");
    (report, started.elapsed())
}

fn verdict(report: &Report) -> &'static str {
    match report.verdict {
        Verdict::Valid { .. } => "valid",
        Verdict::Invalid(_) => "invalid",
        Verdict::Unknown { .. } => "unknown",
    }
}

/// A line of Jepsen's log: `INFO  jepsen.util - 0 :invoke :cas [3 0]`, with tabs after the process.
fn read_etcd(text: &str) -> Vec<Operation<Call, Returned>> {
    let mut pairing = Pairing::new();
    let key = Key::from("x");
    let value = |text: &str| if text == "nil" { Value::Nil } else { Value::Int(text.parse().expect("a number")) };
    for line in text.lines().filter_map(|line| line.strip_prefix("INFO  jepsen.util - ")) {
        let fields: Vec<&str> = line.splitn(4, '\t').collect();
        let [process, kind, f, argument] = fields[..] else { continue };
        let Ok(process) = process.trim().parse() else { continue };
        if kind == ":invoke" {
            pairing.invoke(
                process,
                match f {
                    ":read" => Call::Read { key: key.clone() },
                    ":write" => Call::Write { key: key.clone(), value: value(argument) },
                    ":cas" => {
                        let (from, to) = argument.trim_matches(['[', ']']).split_once(' ').expect("a pair");
                        Call::Cas { key: key.clone(), from: value(from), to: value(to) }
                    }
                    other => panic!("{other}"),
                },
            );
        } else {
            pairing.complete(
                process,
                match (kind, f) {
                    (":ok", ":read") => Some(Returned::Value(value(argument))),
                    (":ok", ":write") => Some(Returned::Done),
                    (":ok", ":cas") => Some(Returned::Swapped),
                    (":fail", ":cas") => Some(Returned::NotSwapped { current: None }),
                    (":fail" | ":info", _) => None,
                    other => panic!("{other:?}"),
                },
            );
        }
    }
    pairing.history
}

/// One operation a line: `{"client":6,"input":{"op":"read"},"output":{"value":1},"call":65637,"return":1013087}`.
fn read_register(text: &str) -> Vec<Operation<Call, Returned>> {
    let read = |line: &str| {
        let line: Json = serde_json::from_str(line).expect("JSON");
        let number = |value: &Json| value.as_i64().expect("a number");
        let (input, output) = (&line["input"], &line["output"]);
        let key = Key::from(input["key"].to_string());
        let call = match input["op"].as_str() {
            Some("read") => Call::Read { key },
            Some("write") => Call::Write { key, value: number(&input["value"]).into() },
            Some("cas") => Call::Cas { key, from: number(&input["from"]).into(), to: number(&input["to"]).into() },
            other => panic!("{other:?}"),
        };
        let returned = match &call {
            _ if output.is_null() => None,
            Call::Read { .. } => Some(Returned::Value(number(&output["value"]).into())),
            Call::Cas { .. } if output["ok"] == true => Some(Returned::Swapped),
            Call::Cas { .. } => Some(Returned::NotSwapped { current: None }),
            _ => Some(Returned::Done),
        };
        let process = number(&line["client"]) as u64;
        let invoked = number(&line["call"]) as u64;
        match returned {
            Some(returned) => Operation::new(process, call, returned, invoked, number(&line["return"]) as u64),
            None => Operation::unknown(process, call, invoked),
        }
    };
    text.lines().map(read).collect()
}

#[test]
fn etcd_and_key_value_histories_have_porcupines_verdicts() {
    let Some(folder) = data("porcupine") else { return };
    let expected = fs::read_to_string(folder.join("expected.tsv")).expect("a readable table");
    let mut checked = 0;
    let mut etcd_time = Duration::ZERO;
    for line in expected.lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let (name, wanted) = (fields[0], fields[2]);
        let file = name.split(' ').next().unwrap_or(name);
        let text = fs::read_to_string(folder.join(file)).expect("a readable history");
        let (report, time) = if file.starts_with("jepsen") {
            let (report, time) = check(Register::default(), Algorithm::Auto, &read_etcd(&text));
            etcd_time += time;
            (report, time)
        } else if name.contains("whole map") {
            check(KeyValue { scope: Scope::Map }, Algorithm::Search, &read_kv(&text))
        } else {
            check(KeyValue::default(), Algorithm::Search, &read_kv(&text))
        };
        assert_eq!(verdict(&report), wanted, "{name}: {report:#?}");
        let witness = report.verdict.witness().map_or(0, |witness| witness.operations.len());
        eprintln!(
            "{name}: {wanted} in {:.2} ms, {:.2} ms in all, {} steps, {} KB, witness of {witness}",
            report.statistics.check_seconds * 1e3,
            time.as_secs_f64() * 1e3,
            report.statistics.steps,
            report.statistics.peak_memory_bytes / 1024
        );
        checked += 1;
    }
    eprintln!("etcd in all: {etcd_time:?}");
    assert!(checked >= 50, "only {checked} histories");
}

#[test]
fn generated_registers_have_the_known_verdicts_by_both_algorithms() {
    let Some(folder) = data("registers") else { return };
    let mut checked = 0;
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    for file in files {
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        let history = read_register(&fs::read_to_string(&file).expect("a readable history"));
        let wanted = if name.starts_with("a_") || name.starts_with("c_") { "valid" } else { "invalid" };
        for algorithm in [Algorithm::Auto, Algorithm::Search] {
            let checker = Checker::new(Register { initial: 0.into() }).algorithm(algorithm);
            let report = checker.time_budget(Duration::from_secs(2)).check(&history).expect("a sound history");
            eprintln!(
                "{name} by {}: {} in {:.2} ms, {} steps, {} configurations, {} KB",
                report.algorithm,
                verdict(&report),
                report.statistics.check_seconds * 1e3,
                report.statistics.steps,
                report.statistics.configurations,
                report.statistics.peak_memory_bytes / 1024
            );
            if algorithm == Algorithm::Auto {
                assert_eq!(verdict(&report), wanted, "{name}: {:#?}", report.verdict);
                assert_eq!(report.algorithm, Used::Fast, "{name}");
            } else {
                assert!([wanted, "unknown"].contains(&verdict(&report)), "{name}: {:#?}", report.verdict);
            }
            if let Some(witness) = report.verdict.witness() {
                eprintln!("    {}", witness.explanation);
                assert!(witness.operations.len() <= 6, "{name}: {witness:#?}");
            }
        }
        checked += 1;
    }
    assert!(checked >= 7, "only {checked} histories");
}
