//! Where the checker answers otherwise than Elle, and why.

/// Of generated histories: history, level, the kind that only Elle names, and why.
pub(super) const GENERATED: [(&str, &str, &str, &str); 1] = [(
    "la_incompatible-order_1000_p10",
    "strict-serializable",
    "G-single-item-realtime",
    "process 2 read [2, 1] and another one [1, 2]: Elle takes the latter for the order of the list and says that the \
     former missed 2, which it has. Where reads contradict each other, nothing is inferred from the one that does not fit.",
)];

/// Elle adds the anomaly `empty-transaction-graph` where no transaction depends on another, and answers unknown unless
/// there is something else. Here such a history satisfies the level: whether a run did enough to count is for its guards
/// to say.
const EMPTY_GRAPH: &str = "no transaction depends on another";

/// Nobody wrote the value that was read. Elle makes nothing of that; it is certainly wrong.
const NEVER_WRITTEN: &str = "a read saw a value that nobody wrote";

/// `linearizable-keys?`, `sequential-keys?` and `transaction-order` tell Elle an order of the values that can't be seen in
/// the history. The first was seen to misreport valid histories, so there is no such option here: an order of the values
/// is inferred only from what the level that was asked for promises.
const ASSUMED_ORDER: &str = "Elle was told an order of the values";

/// Elle looked for the order of processes only as a part of real time and reported one cycle a component; the other one
/// is there as well.
const ONE_MORE: &str = "the history has this cycle, too";

/// Of Elle's own cases: the case, what the checker finds, and why.
pub(super) const DIFFERENT: [(&str, &[&str], &str); 27] = [
    (
        "elle.list-append-test/lost-update-test#1",
        &["G-single-item-process", "G2-item", "lost-update"],
        // The process that appended 1 read x without it in its next transaction.
        ONE_MORE,
    ),
    ("elle.list-append-test/future-read-test#1", &["future-read"], EMPTY_GRAPH),
    (
        "elle.list-append-test/G-nonadjacent-test#1",
        &["G-nonadjacent-item", "G-single-item-process"],
        // All were made by process 0, whose last transaction reads x without 1, which it appended first.
        ONE_MORE,
    ),
    ("elle.list-append-test/checker-test/G1a#1", &[], EMPTY_GRAPH),
    ("elle.list-append-test/checker-test/G1a#2", &["G1a"], EMPTY_GRAPH),
    ("elle.list-append-test/checker-test/G1a#3", &[], EMPTY_GRAPH),
    ("elle.list-append-test/checker-test/G1a#4", &["G1a"], EMPTY_GRAPH),
    ("elle.list-append-test/checker-test/dirty update/none#1", &[], EMPTY_GRAPH),
    ("elle.list-append-test/sim-prefix-test#1", &["G-single-item", "G0", "incompatible-order"], ONE_MORE),
    (
        "elle.rw-register-test/lost-update-test#1",
        &["G-single-item-realtime", "G2-item", "lost-update", "never-written"],
        NEVER_WRITTEN,
    ),
    (
        "elle.rw-register-test/checker-test/Read doesn't return what was just been written#1",
        &["never-written"],
        NEVER_WRITTEN,
    ),
    (
        "elle.rw-register-test/checker-test/Read read returns what was just been written#1",
        &["never-written"],
        NEVER_WRITTEN,
    ),
    ("elle.rw-register-test/checker-test/G0#1", &[], EMPTY_GRAPH),
    ("elle.rw-register-test/checker-test/G0#2", &[], ASSUMED_ORDER),
    ("elle.rw-register-test/checker-test/G1a#1", &["G1a"], EMPTY_GRAPH),
    ("elle.rw-register-test/checker-test/G1b#1", &[], EMPTY_GRAPH),
    ("elle.rw-register-test/checker-test/G1b#2", &["G1b"], EMPTY_GRAPH),
    ("elle.rw-register-test/checker-test/G1b#3", &["G1b"], EMPTY_GRAPH),
    ("elle.rw-register-test/checker-test/G-single transaction-order#2", &[], ASSUMED_ORDER),
    ("elle.rw-register-test/checker-test/G2-item transaction-order#2", &[], ASSUMED_ORDER),
    ("elle.rw-register-test/checker-test/G2-item#1", &["never-written"], NEVER_WRITTEN),
    ("elle.rw-register-test/checker-test/G2-item#2", &["never-written"], NEVER_WRITTEN),
    ("elle.rw-register-test/checker-test/internal#1", &["internal", "never-written"], NEVER_WRITTEN),
    ("elle.rw-register-test/checker-test/wfr#1", &["never-written"], NEVER_WRITTEN),
    ("elle.rw-register-test/checker-test/wfr#2", &["G-single-item", "never-written"], NEVER_WRITTEN),
    ("elle.rw-register-test/checker-test/cyclic version order#1", &["G-single-item-realtime"], ASSUMED_ORDER),
    ("elle.rw-register-test/scc-sort-bug-test#1", &["G1c-process", "never-written"], NEVER_WRITTEN),
];
