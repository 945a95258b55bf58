//! Any bytes, read in every format: no panic, errors that say where, and the two readers of JSON lines agree.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use rashomon_history::{Format, History, HistoryError, IndependentKeys, ReadOptions};

fuzz_target!(|bytes: &[u8]| {
    let formats = Format::ALL.map(Some);
    for format in formats.into_iter().chain([None]) {
        for keys in [IndependentKeys::Auto, IndependentKeys::Always] {
            let _ = read(format, keys, bytes);
        }
    }
    let fast = read(Some(Format::Jsonl), IndependentKeys::Auto, bytes);
    let slow = read(Some(Format::Jsonl), IndependentKeys::Auto, &with_unknown_fields(bytes));
    match (&fast, &slow) {
        (Ok(fast), Ok(slow)) => assert_eq!(fast.operations(), slow.operations()),
        (Err(_), Err(_)) => {}
        _ => panic!("the fast reader says {fast:?}, the slow one {slow:?}"),
    }
});

fn read(format: Option<Format>, keys: IndependentKeys, bytes: &[u8]) -> Result<History, HistoryError> {
    let read = ReadOptions { format, keys }.read_from(Path::new("history"), bytes);
    match &read {
        Ok(history) => sound(history),
        Err(error) => {
            let text = error.to_string();
            assert!(text.starts_with("history:"), "{text}");
            if let HistoryError::Line { line, .. } = error {
                assert!(*line >= 1, "{text}");
            }
        }
    }
    read
}

/// What everybody who gets a history relies on.
fn sound(history: &History) {
    assert!(!history.operations().is_empty());
    for operation in history.operations() {
        if let (Some(time), Some(index)) = (operation.completed, operation.complete_index) {
            assert!(time >= operation.invoked && index >= operation.invoke_index);
        }
    }
    assert!(history.operations().is_sorted_by_key(|operation| operation.invoke_index));
}

/// The same lines with a field that nobody knows, which the fast reader leaves to the slow one.
fn with_unknown_fields(bytes: &[u8]) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = bytes.split(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
    for line in &mut lines {
        if let Some(brace) = line.iter().position(|byte| !byte.is_ascii_whitespace()).filter(|&at| line[at] == b'{') {
            line.splice(brace + 1..brace + 1, *b"\"unknown\":0,");
        }
    }
    lines.join(&b'\n')
}
