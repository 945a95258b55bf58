//! `rashomon check`: verdicts of recorded histories, and histories that can't be.

use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;

use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use serde_json::Value;
use tempfile::TempDir;

use crate::rashomon::{Answer, ask, rashomon};

const INVOKE_WRITE: &str = r#"{"time":10,"process":0,"type":"invoke","f":"write","key":"x","value":1}"#;
const OK_WRITE: &str = r#"{"time":20,"process":0,"type":"ok","f":"write","key":"x","value":1}"#;
const INVOKE_READ: &str = r#"{"time":30,"process":1,"type":"invoke","f":"read","key":"x"}"#;
const READ_1: &str = r#"{"time":40,"process":1,"type":"ok","f":"read","key":"x","value":1}"#;
const READ_NIL: &str = r#"{"time":40,"process":1,"type":"ok","f":"read","key":"x","value":null}"#;

/// The same story in Jepsen's words.
const EDN_STALE: &str = "\
{:time 10, :process 0, :type :invoke, :f :write, :value 1}
{:time 20, :process 0, :type :ok, :f :write, :value 1}
{:time 25, :process :nemesis, :type :info, :f :start, :value nil}
{:time 30, :process 1, :type :invoke, :f :read, :value nil}
{:time 40, :process 1, :type :ok, :f :read, :value nil}
";

struct Written {
    _folder: TempDir,
    path: PathBuf,
}

fn file(text: &[u8]) -> Written {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.jsonl");
    std::fs::write(&path, text).unwrap();
    Written { _folder: folder, path }
}

fn lines(lines: &[&str]) -> Written {
    file(lines.iter().map(|line| format!("{line}\n")).collect::<String>().as_bytes())
}

fn check(history: &Written, more: &[&str]) -> Answer {
    let mut arguments = vec!["check", history.path.to_str().unwrap()];
    arguments.extend(more);
    ask(&arguments)
}

#[test]
fn a_story_that_holds_is_valid_by_every_algorithm() {
    let history = lines(&[INVOKE_WRITE, OK_WRITE, INVOKE_READ, READ_1]);
    for algorithm in ["auto", "fast", "search"] {
        let answer = check(&history, &["--algorithm", algorithm]);
        assert_eq!(answer.code, Some(0), "{}", answer.stderr);
        assert!(answer.stdout.contains(": valid (2 operations, register"), "{}", answer.stdout);
    }
}

#[test]
fn a_stale_read_is_invalid_and_told_in_words() {
    let history = lines(&[INVOKE_WRITE, OK_WRITE, INVOKE_READ, READ_NIL]);
    for algorithm in ["auto", "search"] {
        let answer = check(&history, &["--algorithm", algorithm]);
        assert_eq!(answer.code, Some(1), "{}", answer.stderr);
        assert!(answer.stdout.contains("invalid"), "{}", answer.stdout);
        assert!(answer.stdout.contains("process 1"), "{}", answer.stdout);
        assert!(answer.stdout.lines().count() >= 4, "both operations are shown: {}", answer.stdout);
    }
}

#[test]
fn json_has_the_agreed_fields() {
    let history = lines(&[INVOKE_WRITE, OK_WRITE, INVOKE_READ, READ_NIL]);
    let answer = check(&history, &["--json"]);
    let object: Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!(object["verdict"], "invalid");
    assert_eq!(object["operations"], 2);
    assert_eq!(object["witness"].as_array().map(Vec::len), Some(2));
    for field in ["file", "algorithm", "check_seconds", "peak_memory_bytes", "reason", "anomalies"] {
        assert!(object.get(field).is_some(), "{field}: {}", answer.stdout);
    }
}

#[test]
fn the_initial_value_can_be_given() {
    let history = lines(&[INVOKE_READ, READ_1]);
    assert_eq!(check(&history, &[]).code, Some(1));
    assert_eq!(check(&history, &["--init", "1"]).code, Some(0));
}

#[test]
fn the_worst_of_several_files_gives_the_exit_code() {
    let good = lines(&[INVOKE_WRITE, OK_WRITE]);
    let bad = lines(&[INVOKE_WRITE, OK_WRITE, INVOKE_READ, READ_NIL]);
    let answer = ask(&["check", good.path.to_str().unwrap(), bad.path.to_str().unwrap()]);
    assert_eq!(answer.code, Some(1));
    assert_eq!(answer.stdout.lines().filter(|line| line.contains("history.jsonl: ")).count(), 2);
}

#[test]
fn a_torn_last_line_is_left_out_and_told() {
    let history = file(format!("{INVOKE_WRITE}\n{OK_WRITE}\n{}", &INVOKE_READ[..20]).as_bytes());
    let answer = check(&history, &[]);
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    assert!(answer.stdout.contains("torn: its 20 bytes"), "{}", answer.stdout);
}

#[test]
fn what_cant_be_a_history_names_file_line_and_reason() {
    let backwards = OK_WRITE.replace("20", "5");
    let cases: [(Written, &str); 9] = [
        (lines(&[]), "history.jsonl: the history is empty"),
        (lines(&["nonsense"]), "history.jsonl: no history: it begins with \"nonsense"),
        (file(b"\x00\x01\x02\xff\n"), "history.jsonl: binary data"),
        (lines(&[INVOKE_WRITE, "{}"]), "history.jsonl:2: not an event"),
        (lines(&[INVOKE_WRITE, "nonsense"]), "history.jsonl:2: not JSON"),
        (
            lines(&[&EDN_STALE[..70], "{:process 0"]),
            "history.jsonl:2: the brackets or quotes of this event are never closed",
        ),
        (lines(&[OK_WRITE]), "history.jsonl:1: process 0 completes an operation that it never invoked"),
        (lines(&[INVOKE_WRITE, INVOKE_WRITE]), "history.jsonl:2: process 0 has two open operations"),
        (lines(&[INVOKE_WRITE, &backwards]), "history.jsonl:2: time goes backwards"),
    ];
    for (history, complaint) in cases {
        let before = std::fs::read(&history.path).unwrap();
        let answer = check(&history, &[]);
        assert_eq!(answer.code, Some(254), "{complaint}: {}", answer.stdout);
        assert!(answer.stderr.contains(complaint), "{complaint}: {}", answer.stderr);
        assert_eq!(answer.stderr.lines().count(), 1, "{}", answer.stderr);
        assert_eq!(std::fs::read(&history.path).unwrap(), before, "nothing is written over");
    }
}

#[test]
fn a_missing_file_is_bad_input() {
    let answer = ask(&["check", "/nonexistent/history.jsonl"]);
    assert_eq!(answer.code, Some(254));
    assert!(answer.stderr.contains("/nonexistent/history.jsonl: No such file"), "{}", answer.stderr);
}

#[test]
fn a_history_of_another_model_is_bad_input() {
    let history = lines(&[&INVOKE_WRITE.replace("write", "append"), &OK_WRITE.replace("write", "append")]);
    assert_eq!(check(&history, &[]).code, Some(0), "the model follows from the calls");
    let answer = check(&history, &["--model", "set"]);
    assert_eq!(answer.code, Some(254), "{}", answer.stdout);
    assert!(answer.stderr.contains("--model"), "{}", answer.stderr);
}

#[test]
fn jepsens_histories_are_checked() {
    for (text, wanted) in [
        (EDN_STALE.to_owned(), 1),
        (format!("[{EDN_STALE}]"), 1),
        (EDN_STALE.replace("{:time", "#jepsen.history.Op{:time"), 1),
        (EDN_STALE.replace(":ok, :f :read, :value nil", ":ok, :f :read, :value 1"), 0),
    ] {
        let answer = check(&file(text.as_bytes()), &[]);
        assert_eq!(answer.code, Some(wanted), "{text}{}{}", answer.stdout, answer.stderr);
        assert!(answer.stdout.contains("(2 operations, register"), "{}", answer.stdout);
    }
}

#[test]
fn logs_of_etcd_are_checked() {
    let log = "INFO  jepsen.util - 0\t:invoke\t:write\t1\nINFO  jepsen.util - 0\t:ok\t:write\t1\n\
        INFO  jepsen.util - 1\t:invoke\t:cas\t[1 2]\nINFO  jepsen.util - 1\t:fail\t:cas\t[1 2]\n";
    let answer = check(&file(log.as_bytes()), &[]);
    assert_eq!(answer.code, Some(1), "it held 1, and nobody else wrote: {}{}", answer.stdout, answer.stderr);
    assert_eq!(check(&file(log.replace("[1 2]", "[3 2]").as_bytes()), &[]).code, Some(0));
}

#[test]
fn packed_histories_are_checked_and_cut_ones_told() {
    let text = [INVOKE_WRITE, OK_WRITE, INVOKE_READ, READ_NIL].map(|line| format!("{line}\n")).concat();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    let gzip = encoder.finish().unwrap();
    let zstd = compress_to_vec(text.as_bytes(), CompressionLevel::Fastest);
    for packed in [&gzip, &zstd] {
        let answer = check(&file(packed), &[]);
        assert_eq!(answer.code, Some(1), "{}{}", answer.stdout, answer.stderr);
    }
    let answer = check(&file(&gzip[..gzip.len() - 4]), &["--json"]);
    let object: Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!((&object["is_cut"], &object["operations"]), (&Value::Bool(true), &2.into()), "{}", answer.stderr);
    let answer = check(&file(&gzip[..gzip.len() - 4]), &["--format", "edn"]);
    assert_eq!(answer.code, Some(254), "{}", answer.stdout);
}

#[test]
fn the_standard_input_is_a_history_too() {
    let text = [INVOKE_WRITE, OK_WRITE, INVOKE_READ, READ_NIL].map(|line| format!("{line}\n")).concat();
    for (text, code) in [(text.as_str(), 1), (EDN_STALE, 1), ("hello", 254), ("", 254)] {
        let mut child = rashomon(&["check", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let answer = Answer::from(child.wait_with_output().unwrap());
        assert_eq!(answer.code, Some(code), "{text}: {}{}", answer.stdout, answer.stderr);
        if code == 254 {
            assert!(answer.stderr.contains("standard input: "), "{}", answer.stderr);
        }
    }
}

#[test]
fn the_format_and_the_meaning_of_values_can_be_named() {
    let history = file(EDN_STALE.as_bytes());
    assert_eq!(check(&history, &["--format", "edn"]).code, Some(1));
    let answer = check(&history, &["--format", "jsonl"]);
    assert_eq!(answer.code, Some(254));
    assert!(answer.stderr.contains("history.jsonl:1: not JSON"), "{}", answer.stderr);
    let answer = check(&history, &["--independent-keys", "yes"]);
    assert!(answer.stderr.contains("history.jsonl:1: the value is 1, but"), "{}", answer.stderr);
    assert_eq!(check(&history, &["--format", "csv"]).code, Some(254));
}
