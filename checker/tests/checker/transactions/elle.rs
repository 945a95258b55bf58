//! Elle's verdicts on generated histories and on those of its own tests.

use std::collections::BTreeSet;
use std::fs;

use rashomon_checker::transactions::{
    AnomalyKind, Consistency, CycleClass, Order, TransactionOptions, TransactionReport, TransactionVerdict, check,
};
use serde_json::Value as Json;

use super::differences::{DIFFERENT, GENERATED};
use super::jepsen;
use crate::recorded::data;

fn names(list: &Json) -> BTreeSet<&str> {
    list.as_array().into_iter().flatten().map(|name| name.as_str().expect("a name")).collect()
}

fn kinds(report: &TransactionReport, counts: impl Fn(AnomalyKind) -> bool) -> BTreeSet<&'static str> {
    report.counts.iter().map(|count| count.kind).filter(|kind| counts(*kind)).map(AnomalyKind::name).collect()
}

#[test]
fn generated_transactions_have_elles_verdicts() {
    let Some(folder) = data("elle") else { return };
    let expected = fs::read_to_string(folder.join("expected.json")).expect("a readable file");
    let expected: Json = serde_json::from_str(&expected).expect("JSON");
    let mut checked = 0;
    for (name, file) in expected.as_object().expect("an object") {
        let text = fs::read_to_string(folder.join(format!("{name}.jsonl"))).expect("a readable history");
        let events: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let history = jepsen::history(&events);
        for (level, wanted) in file["models"].as_object().expect("an object") {
            let consistency: Consistency = level.parse().expect("a level");
            let report = check(&history, &TransactionOptions { consistency, ..TransactionOptions::default() });
            assert_eq!(wanted["valid"], report.verdict == TransactionVerdict::Valid, "{name} {level}: {report:#?}");
            let found = kinds(&report, |kind| consistency.forbids(kind));
            let mut also = names(&wanted["anomaly_types"]);
            for (_, _, kind, _) in GENERATED.iter().filter(|(of, at, ..)| of == name && at == level) {
                assert!(also.remove(kind), "{name} {level}: Elle does not find {kind}");
            }
            assert_eq!(found, also, "{name} {level}: {report:#?}");
            if report.verdict == TransactionVerdict::Invalid {
                let ruled_out: BTreeSet<&str> = report.ruled_out.iter().map(|level| level.name()).collect();
                assert_eq!(ruled_out, names(&wanted["not"]), "{name} {level}");
            }
            checked += 1;
        }
    }
    assert!(checked >= 45, "only {checked} checks");
}

/// What one of Elle's cases looks at.
struct Asked {
    consistency: Consistency,
    /// Kinds that count.
    counts: Box<dyn Fn(AnomalyKind) -> bool>,
}

fn asked(case: &Json) -> Asked {
    let name = case["name"].as_str().expect("a name");
    let one = |kind: AnomalyKind| Box::new(move |found: AnomalyKind| found == kind);
    if case["kind"] == "sub-check" {
        let counts: Box<dyn Fn(AnomalyKind) -> bool> = if name.contains("g1a-cases") {
            one(AnomalyKind::AbortedRead)
        } else if name.contains("g1b-cases") {
            one(AnomalyKind::IntermediateRead)
        } else {
            Box::new(|found| matches!(found, AnomalyKind::Internal | AnomalyKind::FutureRead))
        };
        return Asked { consistency: Consistency::Serializable, counts };
    }
    if let Some(requested) = case["requested_anomalies"][0].as_str() {
        let cycle = |class| AnomalyKind::Cycle(class, Order::Data);
        let parts = match requested {
            "G0" => vec![cycle(CycleClass::G0)],
            "G1" => vec![AnomalyKind::AbortedRead, AnomalyKind::IntermediateRead, cycle(CycleClass::G1c)],
            "G-single" => vec![cycle(CycleClass::GSingleItem)],
            "G2" => vec![cycle(CycleClass::G2Item)],
            "internal" => vec![AnomalyKind::Internal],
            "dirty-update" => vec![AnomalyKind::DirtyUpdate],
            other => panic!("{other}"),
        };
        let is_unsound = |found| matches!(found, AnomalyKind::NeverWritten);
        let counts =
            Box::new(move |found: AnomalyKind| is_unsound(found) || parts.iter().any(|part| found.implies(*part)));
        return Asked { consistency: Consistency::Serializable, counts };
    }
    let levels: Vec<Consistency> = match &case["model"] {
        Json::Array(levels) => {
            levels.iter().map(|level| level.as_str().expect("a name").parse().expect("a level")).collect()
        }
        _ => vec![Consistency::default()],
    };
    Asked { consistency: levels[0], counts: Box::new(move |found| levels.iter().any(|level| level.forbids(found))) }
}

#[test]
fn elles_own_cases_have_its_verdicts_or_a_reason_why_not() {
    let Some(folder) = data("elle") else { return };
    let text = fs::read_to_string(folder.join("conformance.jsonl")).expect("a readable file");
    let (mut same, mut different, mut wrong) = (0, 0, Vec::new());
    for line in text.lines() {
        let case: Json = serde_json::from_str(line).expect("JSON");
        let name = case["name"].as_str().expect("a name");
        let argument = DIFFERENT.iter().find(|(of, ..)| *of == name);
        if case["checker"] == "closed-predicate" {
            // Predicate reads are none of our micro-operations.
            different += 1;
            continue;
        }
        let history = jepsen::history(case["history"].as_array().expect("events"));
        let Asked { consistency, counts } = asked(&case);
        let writes_follow_reads = case["opts"]["wfr-keys?"] != false;
        let options = TransactionOptions { consistency, writes_follow_reads, ..TransactionOptions::default() };
        let report = check(&history, &options);
        let mut found = kinds(&report, &counts);
        if case["kind"] == "sub-check" && found.remove("future-read") {
            found.insert("internal");
        }
        let is_same = case["valid"] == found.is_empty() && found == names(&case["anomaly_types"]);
        match argument {
            None if is_same => same += 1,
            Some((_, ours, _)) if !is_same && found == ours.iter().copied().collect() => different += 1,
            _ => wrong.push(format!("(\"{name}\", &{found:?}, ), // {} {}", case["valid"], case["anomaly_types"])),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!((same + different, DIFFERENT.len() + 10), (114, different));
}
