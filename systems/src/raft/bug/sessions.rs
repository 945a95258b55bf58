//! RX: sessions, and what a client is told of a command whose outcome is open.

use super::BugDescription;
use super::Promise::{CertainRefusal, Convergence, ExactlyOnce, Linearizability};

pub(super) const RX01: BugDescription = BugDescription {
    id: "RX-01",
    wrong: "a command that a session sends again is applied again",
    switched_off: &[],
    breaks: &[ExactlyOnce],
    found_by: "sessions that send again; lost answers",
};

pub(super) const RX02: BugDescription = BugDescription {
    id: "RX-02",
    wrong: "only the leader remembers, in its memory, what the commands of sessions were answered",
    switched_off: &[],
    breaks: &[ExactlyOnce],
    found_by: "sessions that send again after the leader was lost",
};

pub(super) const RX03: BugDescription = BugDescription {
    id: "RX-03",
    wrong: "whether a command was applied before is looked up when it is proposed, not when it is applied",
    switched_off: &[],
    breaks: &[ExactlyOnce],
    found_by: "sessions that send again while the first attempt is still under way",
};

pub(super) const RX04: BugDescription = BugDescription {
    id: "RX-04",
    wrong: "a session expires when the replica's own clock says that it was not used for a second",
    switched_off: &[],
    breaks: &[Convergence, ExactlyOnce],
    found_by: "sessions that are used seldom; replicas that lag, clocks that run differently",
};

pub(super) const RX05: BugDescription = BugDescription {
    id: "RX-05",
    wrong: "a command of an expired session opens the session again, without what it remembered",
    switched_off: &[],
    breaks: &[ExactlyOnce],
    found_by: "more clients than sessions may be open, that send again",
};

pub(super) const RX06: BugDescription = BugDescription {
    id: "RX-06",
    wrong: "a session remembers its last command only, and takes one with a lower number for new",
    switched_off: &[],
    breaks: &[ExactlyOnce],
    found_by: "sessions that send again, with attempts that are delayed until the next command is done",
};

pub(super) const RX09: BugDescription = BugDescription {
    id: "RX-09",
    wrong: "a leader that loses its office refuses the commands in its log, some of which are committed later",
    switched_off: &[],
    breaks: &[CertainRefusal, Linearizability],
    found_by: "changes of leader under load",
};
