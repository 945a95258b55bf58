use super::*;
use crate::server::{Write, WriteId};
use crate::wal::WalThread;

#[test]
fn what_was_appended_is_there_again_also_over_segments() {
    let folder = tempfile::tempdir().unwrap();
    let expected: Vec<String> = (0..40).map(|number| format!("record {number}")).collect();
    let (mut log, recovered) = open(folder.path());
    assert_eq!(recovered, Recovered::default());
    for pair in expected.chunks(2) {
        append(&mut log, &[&pair[0], &pair[1]]);
    }
    drop(log);
    assert!(names(folder.path()).len() > 5, "several segments");
    assert_eq!(texts(&recover(folder.path()).unwrap()), expected);
}

#[test]
fn reopening_again_and_again_loses_and_invents_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut expected = Vec::new();
    for life in 0..30 {
        let (mut log, recovered) = open(folder.path());
        assert_eq!(texts(&recovered), expected);
        if life % 7 == 6 {
            let tail = [record("tail")];
            log.checkpoint(format!("life {life}").as_bytes(), &tail).unwrap();
            expected = vec!["tail".to_string()];
        }
        for number in 0..life % 4 {
            expected.push(format!("{life}.{number}"));
            append(&mut log, &[&expected[expected.len() - 1]]);
        }
    }
}

#[test]
fn a_record_larger_than_a_segment_gets_one_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let long = "x".repeat(5000);
    let (mut log, _) = open(folder.path());
    append(&mut log, &["before"]);
    append(&mut log, &[&long]);
    append(&mut log, &["after"]);
    drop(log);
    assert_eq!(texts(&recover(folder.path()).unwrap()), ["before", &long, "after"]);
}

#[test]
fn two_processes_can_not_use_one_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (log, _) = open(folder.path());
    assert!(matches!(recover(folder.path()), Err(WalError::Locked { .. })));
    drop(log);
    assert!(recover(folder.path()).is_ok());
}

#[test]
fn the_thread_reports_writes_in_order_and_they_are_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let (log, _) = open(folder.path());
    let (reports, reported) = std::sync::mpsc::channel();
    let thread = WalThread::spawn(log, move |result| reports.send(result.unwrap()).unwrap()).unwrap();
    for number in 1..=100 {
        thread.submit(WriteId(number), Write::Append(vec![record(&number.to_string())]));
    }
    thread.submit(WriteId(101), Write::Checkpoint { snapshot: record("all"), tail: vec![record("t")] });
    thread.submit(WriteId(102), Write::Append(vec![record("u")]));
    drop(thread);
    let reported: Vec<WriteId> = reported.iter().collect();
    assert!(reported.is_sorted(), "{reported:?}");
    assert_eq!(reported.last(), Some(&WriteId(102)));
    let recovered = recover(folder.path()).unwrap();
    assert_eq!(recovered.snapshot, Some(record("all")));
    assert_eq!(texts(&recovered), ["t", "u"]);
}

#[test]
fn a_full_disk_is_an_error_and_what_was_durable_stays() {
    if !nix::unistd::geteuid().is_root() {
        println!("skipped: mounting a small tmpfs needs root");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let flags = nix::mount::MsFlags::empty();
    if let Err(error) = nix::mount::mount(Some("tmpfs"), folder.path(), Some("tmpfs"), flags, Some("size=256k")) {
        println!("skipped: mounting a small tmpfs: {error}");
        return;
    }
    let data = folder.path().join("wal");
    let (mut log, _) = Log::open(&data, WalOptions { segment_bytes: 64 << 10, bug: None }).unwrap();
    let large = record(&"x".repeat(10_000));
    let mut written = 0;
    let error = loop {
        match log.append([&large]) {
            Ok(()) => written += 1,
            Err(error) => break error,
        }
        assert!(written < 100, "the disk does not fill");
    };
    drop(log);
    let recovered = recover(&data);
    nix::mount::umount(folder.path()).unwrap();
    assert!(error.to_string().contains("No space left on device"), "{error}");
    assert!(error.to_string().contains("make room"), "{error}");
    assert!(written > 0);
    assert_eq!(recovered.unwrap().records.len(), written);
}
