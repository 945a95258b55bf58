use rashomon_history::History;

use super::*;
use crate::tests::{MS, Story, stale_read};

/// One call is acknowledged under a fault, one is not, and one comes after it.
fn story() -> History {
    let mut story = Story::default();
    story.ok(0, "n1", 0, 2 * MS, "read", "x", "null");
    story.fault(10 * MS, 1, "kill", "begin", "n1");
    story.ok(0, "n1", 20 * MS, 25 * MS, "read", "x", "null");
    story.fail(0, "n1", 30 * MS, 31 * MS, "read", "x", "", "refused");
    story.fault(40 * MS, 1, "kill", "end", "n1");
    story.ok(0, "n1", 41 * MS, 90 * MS, "read", "x", "null");
    story.history()
}

fn with<T>(see: impl FnOnce(&[Compared<'_>]) -> T) -> T {
    let (mut verdict, stale) = stale_read();
    let history = story();
    let mut quiet = verdict.clone();
    (quiet.verdict, quiet.statistics) = (crate::Verdict::Valid, crate::Statistics::of(&history, &[]));
    quiet.anomalies.clear();
    verdict.command = "<script>alert(1)</script>".into();
    let run = |name: &str, verdict, history| Compared {
        name: name.into(),
        what: "register under kill".into(),
        verdict,
        history,
        link: Some(format!("{name}/report.html")),
    };
    see(&[run("etcd", &quiet, &history), run("zookeeper+reads=plain", &verdict, &stale)])
}

#[test]
fn figures_tell_what_faults_did_to_those_who_asked() {
    with(|runs| {
        let figures = Figures::of(&runs[0]);
        assert_eq!((figures.under_faults, figures.without_faults), ((1, 2), (2, 2)));
        assert_eq!(figures.recovery, Recovery::Slowest(50 * MS));
        assert_eq!(figures.anomalies_text(), "none");
        assert!(Figures::of(&runs[1]).anomalies.values().sum::<u64>() > 0);
    });
}

#[test]
fn the_table_has_a_row_a_run_and_lines_up() {
    let text = with(comparison_table);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("run ") && lines[0].ends_with("recovery"), "{text}");
    assert!(lines[1].starts_with("etcd ") && lines[1].contains("valid") && lines[1].contains("50.0 %"), "{text}");
    assert!(lines[2].starts_with("zookeeper+reads=plain  invalid"), "{text}");
    assert_eq!(lines[1].find("valid"), lines[2].find("invalid"), "{text}");
    assert!(text.contains("anomalies: none"), "{text}");
}

#[test]
fn the_page_needs_nothing_else_and_runs_nothing() {
    let page = with(|runs| comparison_page("register under kill", runs));
    assert!(page.contains("href=\"etcd/report.html\"") && page.matches("<svg").count() == 2);
    assert!(!page.contains("<script") && page.contains("&lt;script&gt;"));
    assert!(!page.contains("http://") && !page.contains("https://"));
}
