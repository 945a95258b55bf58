//! What each error of ZooKeeper means for the call that met it.
//!
//! The table is [`ERRORS`]. What it does not know is `info`. Most refusals are decided by the leader when it prepares the
//! transaction, and stand in the log as an error: they are certain. The reasons were read in the source of ZooKeeper 3.8.
//!
//! A request that only reads changes nothing, whatever became of it: there every error is `fail`.

use rashomon_history::Outcome;

/// Why a request brought no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unanswered {
    /// No connection, or no session: nothing was sent.
    NotSent(String),
    /// The session was found to be over before anything was sent.
    Expired,
    /// The connection broke after the request may have been sent: what is called a loss of connection.
    Lost(String),
    /// No answer when the time was up.
    Late,
    /// The server refused with this code.
    Refused(i32),
    /// An answer that can't be understood.
    Strange,
}

/// What a refusal says of a request that changes something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Meaning {
    /// It certainly did not happen and never will.
    Fail,
    /// It may have happened, or may still happen.
    Info,
}

/// One row of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row {
    /// What the server says.
    pub code: i32,
    /// What that is called.
    pub name: &'static str,
    /// What it means.
    pub meaning: Meaning,
    /// Why.
    pub why: &'static str,
}

const fn fail(code: i32, name: &'static str, why: &'static str) -> Row {
    Row { code, name, meaning: Meaning::Fail, why }
}

const fn info(code: i32, name: &'static str, why: &'static str) -> Row {
    Row { code, name, meaning: Meaning::Info, why }
}

/// There is no such node.
pub const NO_NODE: i32 = -101;
/// The node has another version.
pub const BAD_VERSION: i32 = -103;
/// There is such a node.
pub const NODE_EXISTS: i32 = -110;
/// The session is over.
pub const SESSION_EXPIRED: i32 = -112;

/// Every error that a server of ZooKeeper 3.8 answers with.
pub const ERRORS: &[Row] = &[
    info(-1, "SystemError", "the server failed, at whatever point"),
    info(-2, "RuntimeInconsistency", "the server failed, at whatever point"),
    info(-3, "DataInconsistency", "the server failed, at whatever point"),
    info(-4, "ConnectionLoss", "the server lost its way to the leader, which may have the request"),
    fail(-5, "MarshallingError", "the request could not be read"),
    fail(-6, "Unimplemented", "there is no such request"),
    info(-7, "OperationTimeout", "proposed, and not applied in time"),
    fail(-8, "BadArguments", "a mistake in the request, found before it is proposed"),
    fail(-13, "NewConfigNoQuorum", "of changes of members, before they are proposed"),
    fail(-14, "ReconfigInProgress", "of changes of members, before they are proposed"),
    fail(NO_NODE, "NoNode", "found by the leader as it prepared the transaction"),
    fail(-102, "NoAuth", "found by the leader as it prepared the transaction"),
    fail(BAD_VERSION, "BadVersion", "found by the leader as it prepared the transaction"),
    fail(-108, "NoChildrenForEphemerals", "found by the leader as it prepared the transaction"),
    fail(NODE_EXISTS, "NodeExists", "found by the leader as it prepared the transaction"),
    fail(-111, "NotEmpty", "found by the leader as it prepared the transaction"),
    fail(SESSION_EXPIRED, "SessionExpired", "found by the leader as it prepared the transaction"),
    fail(-114, "InvalidACL", "found by the leader as it prepared the transaction"),
    fail(-115, "AuthFailed", "found before the request is proposed"),
    fail(-118, "SessionMoved", "found by the leader as it prepared the transaction: another server has the session"),
    fail(-119, "NotReadOnly", "the server has no leader and serves reads alone"),
    fail(-120, "EphemeralOnLocalSession", "found before the request is proposed"),
    info(-122, "RequestTimeout", "proposed, and not applied in time"),
    fail(-125, "QuotaExceeded", "found by the leader as it prepared the transaction"),
    fail(-127, "ThrottledOp", "dropped from the queue before it is prepared"),
];

fn row(code: i32) -> Option<&'static Row> {
    ERRORS.iter().find(|row| row.code == code)
}

impl Unanswered {
    /// Whether the server refused for that reason.
    #[must_use]
    pub fn is(&self, code: i32) -> bool {
        *self == Self::Refused(code)
    }

    /// Whether a change may have happened.
    #[must_use]
    pub fn meaning(&self) -> Meaning {
        match self {
            Self::NotSent(_) | Self::Expired => Meaning::Fail,
            Self::Lost(_) | Self::Late | Self::Strange => Meaning::Info,
            Self::Refused(code) => row(*code).map_or(Meaning::Info, |row| row.meaning),
        }
    }

    /// What became of a request that would have changed something.
    #[must_use]
    pub fn of_change(self) -> Outcome {
        match self.meaning() {
            Meaning::Fail => Outcome::Fail(self.to_string()),
            Meaning::Info => Outcome::Info(self.to_string()),
        }
    }

    /// What became of a request that only reads: nothing changed.
    #[must_use]
    pub fn of_read(self) -> Outcome {
        Outcome::Fail(self.to_string())
    }
}

impl std::fmt::Display for Unanswered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotSent(why) => write!(f, "not sent: {why}"),
            Self::Expired => f.write_str("not sent: the session has expired"),
            Self::Lost(why) => write!(f, "sent, then the connection was lost: {why}"),
            Self::Late => f.write_str("no answer in time"),
            Self::Refused(code) => match row(*code) {
                Some(row) => write!(f, "{} ({code})", row.name),
                None => write!(f, "error {code}"),
            },
            Self::Strange => f.write_str("an answer that can't be understood"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_stands_in_the_table_twice() {
        for (place, row) in ERRORS.iter().enumerate() {
            assert!(ERRORS[..place].iter().all(|other| other.code != row.code && other.name != row.name), "{row:?}");
        }
    }

    #[test]
    fn what_may_have_happened_is_info_and_never_so_for_a_read() {
        for open in [
            Unanswered::Late,
            Unanswered::Lost("reset".into()),
            Unanswered::Strange,
            Unanswered::Refused(-4),
            Unanswered::Refused(-999),
        ] {
            assert!(matches!(open.clone().of_change(), Outcome::Info(_)), "{open}");
            assert!(matches!(open.of_read(), Outcome::Fail(_)));
        }
    }

    #[test]
    fn a_certain_refusal_is_fail_and_says_its_name() {
        for certain in [Unanswered::NotSent("refused".into()), Unanswered::Expired, Unanswered::Refused(-103)] {
            assert!(matches!(certain.of_change(), Outcome::Fail(_)));
        }
        assert_eq!(Unanswered::Refused(BAD_VERSION).to_string(), "BadVersion (-103)");
    }
}
