use super::*;

/// Two generations' worth of records, and the checkpoint between them.
fn log_before_checkpoint(folder: &Path) {
    let (mut log, _) = open(folder);
    log.checkpoint(b"first", &[record("a")]).unwrap();
    for text in ["b", "c", "d", "e", "f"] {
        append(&mut log, &[text]);
    }
}

fn assert_before_or_after(folder: &Path, context: &str) -> bool {
    let recovered = recover(folder).unwrap_or_else(|error| panic!("{context}: {error}"));
    if recovered.snapshot == Some(record("second")) {
        assert_eq!(texts(&recovered), ["f", "g"], "{context}");
        return true;
    }
    assert_eq!(recovered.snapshot, Some(record("first")), "{context}");
    assert_eq!(texts(&recovered), ["a", "b", "c", "d", "e", "f"], "{context}");
    false
}

#[test]
fn a_checkpoint_stands_for_all_that_was_before() {
    let folder = tempfile::tempdir().unwrap();
    log_before_checkpoint(folder.path());
    let (mut log, _) = open(folder.path());
    log.checkpoint(b"second", &[record("f"), record("g")]).unwrap();
    log.tidy().unwrap();
    append(&mut log, &["h"]);
    drop(log);
    let recovered = recover(folder.path()).unwrap();
    assert_eq!(recovered.snapshot, Some(record("second")));
    assert_eq!(texts(&recovered), ["f", "g", "h"]);
    assert_eq!(names(folder.path()), ["LOCK", "g000003-s000001.log"]);
}

#[test]
fn a_crash_between_any_two_steps_of_a_checkpoint_keeps_the_old_or_the_new() {
    let folder = tempfile::tempdir().unwrap();
    let sound = folder.path().join("sound");
    log_before_checkpoint(&sound);
    let mut seen_new = false;
    for steps in 0.. {
        let copy = folder.path().join(format!("after-{steps}"));
        copy_folder(&sound, &copy);
        let (mut log, _) = open(&copy);
        log.disk.steps_left = Some(steps);
        let result = log.checkpoint(b"second", &[record("f"), record("g")]).and_then(|()| log.tidy());
        drop(log);
        let is_new = assert_before_or_after(&copy, &format!("after {steps} steps"));
        assert!(is_new || !seen_new, "after {steps} steps the old state came back");
        seen_new = is_new;
        let leftover: Vec<String> = names(&copy).into_iter().filter(|name| name.ends_with(".tmp")).collect();
        assert!(leftover.is_empty(), "after {steps} steps and a restart: {leftover:?}");
        if result.is_ok() {
            assert!(steps > 8 && seen_new, "{steps} steps");
            return;
        }
    }
}

#[test]
fn a_crash_between_any_two_steps_of_a_recovery_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let sound = folder.path().join("sound");
    log_before_checkpoint(&sound);
    let (mut log, _) = open(&sound);
    log.checkpoint(b"second", &[record("f"), record("g")]).unwrap();
    drop(log);
    let expected_new = assert_before_or_after(&copy_of(&sound, folder.path(), "expected"), "expected");
    for steps in 0.. {
        let copy = copy_of(&sound, folder.path(), &format!("after-{steps}"));
        let mut disk = crate::wal::FolderDisk::open(&copy).unwrap();
        disk.steps_left = Some(steps);
        let finished = crate::wal::recover::open(disk, SMALL).is_ok();
        assert_eq!(assert_before_or_after(&copy, &format!("after {steps} steps")), expected_new);
        if finished {
            return;
        }
    }
}

fn copy_of(from: &Path, folder: &Path, name: &str) -> std::path::PathBuf {
    let copy = folder.join(name);
    copy_folder(from, &copy);
    copy
}

#[test]
fn a_damaged_snapshot_is_refused_even_where_nothing_follows_it() {
    let folder = tempfile::tempdir().unwrap();
    let sound = folder.path().join("sound");
    let (mut log, _) = open(&sound);
    log.checkpoint(b"the snapshot", &[]).unwrap();
    let end = usize::try_from(log.open.position).unwrap();
    log.tidy().unwrap();
    drop(log);
    let name = "g000002-s000001.log";
    let bytes = fs::read(sound.join(name)).unwrap();
    for position in 0..end {
        let copy = copy_of(&sound, folder.path(), &format!("flip-{position}"));
        let mut flipped = bytes.clone();
        flipped[position] ^= 0x10;
        fs::write(copy.join(name), flipped).unwrap();
        assert!(matches!(recover(&copy), Err(WalError::Corrupt { .. })), "byte {position}");
        fs::write(copy.join(name), &bytes[..position]).unwrap();
        assert!(matches!(recover(&copy), Err(WalError::Corrupt { .. })), "cut at {position}");
    }
    assert_eq!(recover(&sound).unwrap().snapshot, Some(record("the snapshot")));
}
