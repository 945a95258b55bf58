//! gzip and zstd, told by their first bytes; and files that were cut off.

use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use rashomon_history::{History, HistoryError, parse_history};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

fn history(lines: usize) -> String {
    let mut text = String::new();
    for number in 0..lines / 2 {
        for (offset, kind) in [(0, "invoke"), (1, "ok")] {
            text += &format!(
                "{{\"time\":{},\"process\":{},\"type\":\"{kind}\",\"f\":\"write\",\"key\":\"k{}\",\"value\":{number}}}\n",
                2 * number + offset,
                number % 7,
                number * 7919 % 1000
            );
        }
    }
    text
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).expect("memory");
    encoder.finish().expect("memory")
}

fn zstd(text: &str) -> Vec<u8> {
    compress_to_vec(text.as_bytes(), CompressionLevel::Fastest)
}

fn parse(bytes: &[u8]) -> Result<History, HistoryError> {
    parse_history(Path::new("h"), bytes)
}

const PACKINGS: [fn(&str) -> Vec<u8>; 2] = [gzip, zstd];

#[test]
fn packed_histories_are_read_whatever_they_are_called() {
    let text = history(20_000);
    for pack in PACKINGS {
        let history = parse(&pack(&text)).unwrap();
        assert_eq!(history.operations().len(), 10_000);
        assert!(!history.is_cut());
    }
}

#[test]
fn several_members_or_frames_are_one_history() {
    let text = history(2000);
    let half = text[..text.len() / 2].rfind('\n').unwrap() + 1;
    for pack in PACKINGS {
        let mut packed = pack(&text[..half]);
        packed.extend(pack(&text[half..]));
        assert_eq!(parse(&packed).unwrap().operations().len(), 1000);
    }
    let mut packed = vec![0x51, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, b'a', b'b', b'c'];
    packed.extend(zstd(&text));
    assert_eq!(parse(&packed).unwrap().operations().len(), 1000);
}

#[test]
fn of_our_own_lines_what_was_written_before_a_crash_is_read() {
    // Long enough for several blocks of zstd.
    let text = history(20_000);
    for pack in PACKINGS {
        let packed = pack(&text);
        let mut most = 0;
        for eighth in 3..8 {
            let history = parse(&packed[..packed.len() * eighth / 8]).unwrap();
            assert!(history.is_cut());
            assert!(history.events().len() < 20_000 && history.events().len() >= most);
            most = history.events().len();
        }
        assert!(most > 5_000, "{most}");
    }
}

#[test]
fn other_formats_are_refused_where_they_are_cut() {
    let edn = "{:process 0 :type :invoke :f :read}\n".to_owned()
        + &"{:process :nemesis :type :info :f :nothing}\n".repeat(100_000);
    for pack in PACKINGS {
        let packed = pack(&edn);
        assert!(parse(&packed).is_ok());
        let error = parse(&packed[..packed.len() - 9]).unwrap_err().to_string();
        assert!(error.starts_with("h: the packed file is cut off"), "{error}");
    }
}

#[test]
fn what_is_broken_is_not_called_cut() {
    let text = history(20_000);
    for pack in PACKINGS {
        let mut packed = pack(&text);
        let middle = packed.len() / 2;
        for byte in &mut packed[middle..middle + 64] {
            *byte ^= 0x55;
        }
        let error = parse(&packed).expect_err("it is broken").to_string();
        assert!(!error.contains("cut off"), "{error}");
    }
}

#[test]
fn content_that_does_not_fit_its_checksum_is_refused() {
    for (pack, of_the_checksum) in [(PACKINGS[0], 8), (PACKINGS[1], 1)] {
        let mut packed = pack(&history(200));
        let place = packed.len() - of_the_checksum;
        packed[place] ^= 1;
        assert!(parse(&packed).unwrap_err().to_string().contains("checksum"));
    }
}

#[test]
fn a_packing_of_nothing_is_an_empty_history() {
    for pack in PACKINGS {
        assert!(parse(&pack("")).unwrap_err().to_string().contains("the history is empty"));
    }
    for magic in [&b"\x1f\x8b"[..], b"\x28\xb5\x2f\xfd"] {
        let error = parse(magic).unwrap_err().to_string();
        assert!(error.contains("cut off"), "{error}");
    }
}
