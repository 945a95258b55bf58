//! What Jepsen's nemesis tells.

use rashomon_history::FaultPhase::{Begin, End};

use crate::read;

#[test]
fn faults_begin_when_they_are_asked_for_and_end_when_their_end_is_done() {
    let mut text = String::from("{:process 0 :type :invoke :f :read}\n");
    for (f, value) in [
        ("start-partition", "[:isolated {\"n1\" #{\"n2\"}}]"),
        ("kill", ":all"),
        ("start", "nil"),
        ("start", "nil"),
        ("bump-clock", "{\"n1\" 5}"),
        ("check-offsets", "nil"),
        ("reset-clock", "nil"),
        ("stop-partition", "nil"),
        ("stop", "nil"),
    ] {
        let line = format!("{{:process :nemesis, :type :info, :f :{f}, :value {value}}}\n");
        text += &line;
        text += &line;
    }
    let history = read(&text);
    let told: Vec<_> = history.nemesis().map(|event| (event.f.as_str(), event.fault, event.phase)).collect();
    assert_eq!(
        told,
        [
            ("partition", 0, Begin),
            ("kill", 1, Begin),
            ("kill", 1, End),
            ("nemesis", 2, Begin),
            ("clock", 3, Begin),
            ("clock", 3, End),
            ("partition", 0, End),
            ("nemesis", 2, End),
        ]
    );
    let details: Vec<_> = history.nemesis().map(|event| event.detail.as_str()).collect();
    assert_eq!(details[0], "[:isolated {\"n1\" #{\"n2\"}}]");
    let positions: Vec<_> = history.nemesis().map(|event| event.index).collect();
    assert!(positions.is_sorted() && positions[0] == 1, "{positions:?}");
}
