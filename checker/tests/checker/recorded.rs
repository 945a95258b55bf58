//! Recorded and generated histories whose verdicts are known.
//!
//! They lie beside the project, in `../shared/data` or where `RASHOMON_DATA` points. Where they are absent the tests say
//! so and do nothing.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rashomon_checker::models::{HistoryModel, KeyValue, Register, Scope, check_history};
use rashomon_checker::{Algorithm, Options, Report, Used, Verdict};
use rashomon_history::{Operation, read_history};

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

fn check<M: HistoryModel>(model: &M, algorithm: Algorithm, history: &[Operation]) -> (Report, Duration) {
    let started = Instant::now();
    let options = Options { algorithm, time_budget: Some(Duration::from_secs(10)), ..Options::default() };
    let report = check_history(model, history, &options).expect("a sound history");
    (report, started.elapsed())
}

fn verdict(report: &Report) -> &'static str {
    match report.verdict {
        Verdict::Valid { .. } => "valid",
        Verdict::Invalid(_) => "invalid",
        Verdict::Unknown { .. } => "unknown",
    }
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
        let history = read_history(&folder.join(file)).expect("a readable history").into_operations();
        let (report, time) = if file.starts_with("jepsen") {
            let (report, time) = check(&Register::default(), Algorithm::Auto, &history);
            etcd_time += time;
            (report, time)
        } else if name.contains("whole map") {
            check(&KeyValue { scope: Scope::Map }, Algorithm::Search, &history)
        } else {
            check(&KeyValue::default(), Algorithm::Search, &history)
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
        let history = read_history(&file).expect("a readable history").into_operations();
        let wanted = if name.starts_with("a_") || name.starts_with("c_") { "valid" } else { "invalid" };
        for algorithm in [Algorithm::Auto, Algorithm::Search] {
            let (report, _) = check(&Register { initial: 0.into() }, algorithm, &history);
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
