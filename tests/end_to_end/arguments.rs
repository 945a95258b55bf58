//! Wrong arguments: one clear line, exit code 254, nothing written.

use crate::rashomon::ask;

/// Expects exit code 254, nothing on stdout, and a complaint with all of these words in it.
fn refused(arguments: &[&str], words: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("results");
    let mut arguments = arguments.to_vec();
    let out_text = out.to_str().unwrap();
    if arguments.first() == Some(&"test") {
        arguments.extend(["--out", out_text]);
    }
    let answer = ask(&arguments);
    assert_eq!(answer.code, Some(254), "{arguments:?}: {}", answer.stderr);
    assert_eq!(answer.stdout, "", "{arguments:?}");
    for word in words {
        assert!(answer.stderr.contains(word), "{arguments:?} should say {word:?}: {}", answer.stderr);
    }
    assert!(!out.exists(), "{arguments:?} wrote results");
}

#[test]
fn unknown_names_list_the_known_ones() {
    refused(&["test", "reft"], &["reft", "raft"]);
    refused(&["test", "--workload", "regster"], &["regster", "register, append, set"]);
    refused(&["test", "--nemesis", "partition,meteor"], &["meteor", "partition", "kill", "pause"]);
    refused(&["test", "--nemesis", "kill,power"], &["power", "only to simulated ones", "partition, kill, pause"]);
    refused(&["test", "--bug", "RR-99"], &["RR-99", "RR-01"]);
    refused(&["test", "raft", "--bug", "LK-01"], &["LK-01 is a bug of lock", "rashomon test lock --bug LK-01"]);
    refused(&["test", "commit", "--workload", "register"], &["commit can't serve", "bank"]);
    refused(&["test", "commit", "--protocol", "2pc-raft", "--nodes", "3"], &["at least 4"]);
    refused(&["test", "--world", "moon"], &["moon", "netns"]);
}

#[test]
fn numbers_out_of_range_name_the_range() {
    refused(&["test", "--nodes", "0"], &["0", "1..=9"]);
    refused(&["test", "--nodes", "many"], &["many"]);
    refused(&["test", "--nodes", "1", "--nemesis", "partition"], &["partition needs at least two nodes"]);
    refused(&["test", "--time-limit", "soon"], &["soon", "30s"]);
    refused(&["test", "--time-limit", "10ms"], &["at least 1s"]);
    refused(&["test", "--fault-duration", "28s"], &["28000 ms", "no fault fits", "30000 ms"]);
}

#[test]
fn help_and_version_are_no_errors_and_teach() {
    for arguments in [&["--help"][..], &["test", "--help"], &["check", "--help"], &["node", "raft", "--help"]] {
        let answer = ask(arguments);
        assert_eq!(answer.code, Some(0), "{arguments:?}");
        assert!(answer.stdout.contains("xample") || answer.stdout.contains("Exit codes"), "{}", answer.stdout);
    }
    assert!(ask(&["--version"]).stdout.starts_with("rashomon "));
    assert_eq!(ask(&[]).code, Some(254));
}

#[test]
fn list_names_everything_that_can_be_chosen() {
    let answer = ask(&["list"]);
    assert_eq!(answer.code, Some(0));
    for word in
        ["raft", "register", "append", "set", "partition", "kill", "pause", "RR-01", "RR-02", "RL-11", "LK-01", "TC-01"]
    {
        assert!(answer.stdout.contains(word), "{word}: {}", answer.stdout);
    }
    let bugs = ask(&["list", "bugs"]);
    assert!(bugs.stdout.lines().all(|line| line.len() > 40), "each bug is described: {}", bugs.stdout);
}
