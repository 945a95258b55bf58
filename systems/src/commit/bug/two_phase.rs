//! TC: votes, decisions, recovery.

use super::CommitBugDescription;
use super::CommitPromise::{Agreement, ClientAgreement, Durability, Isolation, Stability, Termination, Validity};

pub(super) const TC01: CommitBugDescription = CommitBugDescription {
    id: "TC-01",
    wrong: "the coordinator tells its decision before it is durable: after a crash it says that the transaction was aborted",
    breaks: &[Agreement, Stability, ClientAgreement],
    found_by: "killing the coordinator just after a commit, with messages lost or participants cut off; 2pc",
};

pub(super) const TC02: CommitBugDescription = CommitBugDescription {
    id: "TC-02",
    wrong: "a participant votes yes without writing that down, and has forgotten it after a crash",
    breaks: &[Durability],
    found_by: "killing participants between vote and decision",
};

pub(super) const TC03: CommitBugDescription = CommitBugDescription {
    id: "TC-03",
    wrong: "a participant that voted yes and hears nothing for a while aborts",
    breaks: &[Agreement, Durability],
    found_by: "a coordinator that is killed, paused or cut off after the votes",
};

pub(super) const TC04: CommitBugDescription = CommitBugDescription {
    id: "TC-04",
    wrong: "votes that do not come in time count as yes",
    breaks: &[Validity, Durability],
    found_by: "participants that are killed or cut off before they vote",
};

pub(super) const TC05: CommitBugDescription = CommitBugDescription {
    id: "TC-05",
    wrong: "the vote that comes last decides",
    breaks: &[Validity, Durability],
    found_by: "a participant that was killed while another had run its steps already",
};

pub(super) const TC06: CommitBugDescription = CommitBugDescription {
    id: "TC-06",
    wrong: "the coordinator forgets a commit at the first acknowledgement, and then says that it was aborted",
    breaks: &[Agreement, Durability],
    found_by: "lost messages and crashed participants while a commit is told",
};

pub(super) const TC07: CommitBugDescription = CommitBugDescription {
    id: "TC-07",
    wrong: "a coordinator that knows nothing of a transaction says that it was committed, though it wrote nothing down when it began",
    breaks: &[Agreement, Validity, Durability],
    found_by: "killing the coordinator between votes and decision",
};

pub(super) const TC08: CommitBugDescription = CommitBugDescription {
    id: "TC-08",
    wrong: "a member that is asked aborts what it does not know without asking the log, while another one may commit it",
    breaks: &[Agreement, Durability],
    found_by: "members of the group that are cut off, paused or slow, and lost messages; 2pc-raft",
};

pub(super) const TC09: CommitBugDescription = CommitBugDescription {
    id: "TC-09",
    wrong: "a coordinator that comes back neither tells its commits again nor answers for transactions of its earlier lives",
    breaks: &[Termination],
    found_by: "killing the coordinator between decision and acknowledgements",
};

pub(super) const TC15: CommitBugDescription = CommitBugDescription {
    id: "TC-15",
    wrong: "a commit that is told twice is applied twice",
    breaks: &[Durability, Isolation],
    found_by: "lost acknowledgements, repeated messages; the bank, or appends",
};

pub(super) const TC16: CommitBugDescription = CommitBugDescription {
    id: "TC-16",
    wrong: "a shard runs and prepares again what was decided long ago",
    breaks: &[Stability, Durability, Isolation],
    found_by: "repeated messages that are long delayed",
};

pub(super) const TC17: CommitBugDescription = CommitBugDescription {
    id: "TC-17",
    wrong: "a coordinator that comes back names transactions as in its first life",
    breaks: &[Agreement, Isolation],
    found_by: "killing the coordinator; 2pc and 3pc",
};

pub(super) const TC20: CommitBugDescription = CommitBugDescription {
    id: "TC-20",
    wrong: "the client takes a lost connection or a timeout for an abort",
    breaks: &[ClientAgreement],
    found_by: "killing or pausing the coordinator while transactions are under way",
};

pub(super) const TC21: CommitBugDescription = CommitBugDescription {
    id: "TC-21",
    wrong: "a participant that comes back aborts what it had voted yes on, though it is told to commit, and acknowledges",
    breaks: &[Agreement, Durability],
    found_by: "killing participants between vote and decision",
};
