use super::*;
use crate::wal::frame;

const RECORDS: [&str; 5] = ["zero", "one", "two", "three", "four"];

/// A log of several segments, each record a frame, all of them acknowledged.
fn small_log(folder: &Path) {
    let (mut log, _) = open(folder);
    for text in RECORDS {
        append(&mut log, &[text]);
    }
    drop(log);
    let segments = names(folder).iter().filter(|name| name.contains("-s")).count();
    assert!(segments >= 3, "{segments} segments");
}

fn last_segment(folder: &Path) -> std::path::PathBuf {
    folder.join(names(folder).into_iter().rfind(|name| name.contains("-s")).unwrap())
}

#[test]
fn a_flipped_bit_anywhere_loses_no_acknowledged_record() {
    let folder = tempfile::tempdir().unwrap();
    small_log(&folder.path().join("sound"));
    let sound = folder.path().join("sound");
    let (mut refused, mut harmless) = (0, 0);
    for name in names(&sound).into_iter().filter(|name| name.contains("-s")) {
        let bytes = fs::read(sound.join(&name)).unwrap();
        for position in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[position] ^= 1 << (position % 8);
            let copy = folder.path().join("copy");
            copy_folder(&sound, &copy);
            fs::write(copy.join(&name), flipped).unwrap();
            match recover(&copy) {
                Ok(recovered) => {
                    assert_eq!(texts(&recovered), RECORDS, "{name} byte {position}");
                    harmless += 1;
                }
                Err(WalError::Corrupt { path, .. }) => {
                    assert_eq!(path, copy.join(&name), "byte {position}");
                    refused += 1;
                }
                Err(other) => panic!("{name} byte {position}: {other}"),
            }
            fs::remove_dir_all(&copy).unwrap();
        }
    }
    assert!(refused > 250, "{refused} refused, {harmless} harmless");
    assert!(harmless > 0, "flips behind the end of the log harm nobody");
}

#[test]
fn a_crash_at_any_byte_of_the_last_frame_cuts_it_off_whole() {
    let folder = tempfile::tempdir().unwrap();
    let sound = folder.path().join("sound");
    small_log(&sound);
    let segment = last_segment(&sound);
    let before = fs::read(&segment).unwrap();
    let (mut log, _) = open(&sound);
    log.append([&record("last"), &record("more")]).unwrap();
    drop(log);
    let after = fs::read(last_segment(&sound)).unwrap();
    assert_eq!(segment, last_segment(&sound), "the frame must be in the same segment");
    let start = (0..after.len()).find(|&position| before[position] != after[position]).unwrap();
    let end = after.iter().rposition(|&byte| byte != 0).unwrap() + 1;
    for written in start..=end {
        let copy = folder.path().join("copy");
        copy_folder(&sound, &copy);
        let mut torn = before.clone();
        torn[..written].copy_from_slice(&after[..written]);
        fs::write(last_segment(&copy), &torn).unwrap();
        let (mut log, recovered) = open(&copy);
        let whole = torn == after;
        let mut expected = RECORDS.to_vec();
        if whole {
            expected.extend(["last", "more"]);
        }
        assert_eq!(texts(&recovered), expected, "{written} bytes");
        append(&mut log, &["new"]);
        drop(log);
        expected.push("new");
        assert_eq!(texts(&recover(&copy).unwrap()), expected, "{written} bytes, then one more record");
        fs::remove_dir_all(&copy).unwrap();
    }
}

#[test]
fn sectors_of_the_last_frame_may_reach_the_disk_in_any_order() {
    let folder = tempfile::tempdir().unwrap();
    let (mut log, _) = Log::open(folder.path(), WalOptions { segment_bytes: 8192, bug: None }).unwrap();
    append(&mut log, &["kept"]);
    let start = usize::try_from(log.open.position).unwrap();
    log.append([&record(&"x".repeat(3000))]).unwrap();
    drop(log);
    let segment = last_segment(folder.path());
    let mut bytes = fs::read(&segment).unwrap();
    bytes[start..1024].fill(0);
    fs::write(&segment, &bytes).unwrap();
    assert_eq!(texts(&recover(folder.path()).unwrap()), ["kept"]);
    assert!(fs::read(&segment).unwrap()[start..].iter().all(|&byte| byte == 0), "the torn part is zero again");
}

#[test]
fn a_seal_that_did_not_reach_the_disk_with_the_frame_behind_it_is_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let (mut log, _) = Log::open(folder.path(), WalOptions { segment_bytes: 8192, bug: None }).unwrap();
    append(&mut log, &["one"]);
    let start = usize::try_from(log.open.position).unwrap();
    append(&mut log, &["two"]);
    drop(log);
    let segment = last_segment(folder.path());
    let sound = fs::read(&segment).unwrap();
    let mut bytes = sound.clone();
    bytes[start - frame::HEADER_BYTES..start].fill(0);
    fs::write(&segment, &bytes).unwrap();
    assert_eq!(texts(&recover(folder.path()).unwrap()), ["one", "two"]);
    assert_eq!(fs::read(&segment).unwrap(), sound);
}

#[test]
fn a_value_that_looks_like_a_frame_is_no_frame() {
    let folder = tempfile::tempdir().unwrap();
    let (mut log, _) = Log::open(folder.path(), WalOptions { segment_bytes: 8192, bug: None }).unwrap();
    append(&mut log, &["kept"]);
    let start = usize::try_from(log.open.position).unwrap();
    let mut evil = Vec::new();
    frame::begin(&mut evil);
    frame::finish(&mut evil, 0, 3);
    log.append([&Bytes::from(evil), &record("rest")]).unwrap();
    drop(log);
    let segment = last_segment(folder.path());
    let mut bytes = fs::read(&segment).unwrap();
    bytes[start + 1] ^= 1;
    fs::write(&segment, &bytes).unwrap();
    assert_eq!(texts(&recover(folder.path()).unwrap()), ["kept"]);
}

#[test]
fn a_missing_segment_is_refused() {
    for missing in ["g000001-s000001.log", "g000001-s000002.log"] {
        let folder = tempfile::tempdir().unwrap();
        small_log(folder.path());
        fs::remove_file(folder.path().join(missing)).unwrap();
        let error = recover(folder.path()).unwrap_err();
        assert!(error.to_string().contains(missing), "{error}");
    }
}

#[test]
fn segments_that_changed_places_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    small_log(folder.path());
    let path = |name: &str| folder.path().join(name);
    fs::rename(path("g000001-s000001.log"), path("swap")).unwrap();
    fs::rename(path("g000001-s000002.log"), path("g000001-s000001.log")).unwrap();
    fs::rename(path("swap"), path("g000001-s000002.log")).unwrap();
    assert!(matches!(recover(folder.path()), Err(WalError::Corrupt { .. })));
}

#[test]
fn an_error_names_the_file_the_place_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    small_log(folder.path());
    let segment = folder.path().join("g000001-s000001.log");
    let mut bytes = fs::read(&segment).unwrap();
    bytes[44] ^= 1;
    fs::write(&segment, bytes).unwrap();
    let message = recover(folder.path()).unwrap_err().to_string();
    for part in ["g000001-s000001.log at byte 44", "damaged frame", "Restore its data folder"] {
        assert!(message.contains(part), "{message}");
    }
}
