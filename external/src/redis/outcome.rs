//! What an error of Redis says of the command that it answers.
//!
//! A command is `fail` only where it certainly was not carried out, now or later. [`TABLE`] is the whole truth: the client
//! reads it, and docs/EXTERNAL.md shows it.

use std::fmt;

use rashomon_history::Outcome;
use redis::ServerError;

/// What becomes of a call that was answered so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Certainty {
    /// It did not happen, and never will.
    Fail,
    /// Nobody knows.
    Info,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The first word of an error that the server answered with, or in small letters what became of the request otherwise.
    pub error: &'static str,
    /// What it means.
    pub certainty: Certainty,
    /// Why.
    pub reason: &'static str,
}

const fn fail(error: &'static str, reason: &'static str) -> Row {
    Row { error, certainty: Certainty::Fail, reason }
}

const fn info(error: &'static str, reason: &'static str) -> Row {
    Row { error, certainty: Certainty::Info, reason }
}

const NOT_SENT: Row = fail("not sent", "no connection was made, or the kernel took no byte of the request");
const BROKEN: Row = info("connection lost", "the request was sent at least in part: the server may have got all of it");
const TIMEOUT: Row = info("timeout", "the request was sent, and may still be carried out");
const NONSENSE: Row = info("nonsense", "what came back is no answer to what was asked: it may have happened");
const TOO_FEW_COPIES: Row =
    info("too few copies", "the primary wrote it, and WAIT found fewer replicas than were asked for");
const UNKNOWN: Row =
    info("any other error", "an error that this table does not know may come after the command took effect");

/// Every error, by its first word. The refusals of a server come before it carries a command out: Redis 7.0 checks them in
/// `processCommand` and at the head of the command. Our scripts write with their last step, so a script that ends with an
/// error wrote nothing.
pub const TABLE: &[Row] = &[
    NOT_SENT,
    BROKEN,
    TIMEOUT,
    NONSENSE,
    TOO_FEW_COPIES,
    fail(
        "ERR",
        "the command is unknown, or its arguments are wrong, or the value is no number: checked before anything is written",
    ),
    fail("WRONGTYPE", "the key holds another type: checked before anything is written"),
    fail("READONLY", "a replica takes no writes"),
    fail("MOVED", "another node of the cluster has the slot: this one did nothing"),
    fail("ASK", "the slot is on its way to another node, and the key is no longer here: this node did nothing"),
    fail("TRYAGAIN", "the slot is on its way, and the keys are in two places: nothing was done"),
    fail("CLUSTERDOWN", "the node does not serve as it reaches too few others, or nobody has the slot"),
    fail("CROSSSLOT", "the keys are in different slots: nothing was done"),
    fail("LOADING", "the server is still reading its data, and carries no command out"),
    fail("MASTERDOWN", "a replica without its primary that was told not to serve old data"),
    fail("NOREPLICAS", "fewer replicas are connected than min-replicas-to-write: checked before the write"),
    fail("MISCONF", "the server cannot write its data to disk and takes no writes any more: checked before the write"),
    fail("OOM", "the server is at its limit of memory: checked before the write"),
    fail("BUSY", "a script has been running for too long, and nothing else is carried out meanwhile"),
    fail("NOSCRIPT", "the server does not know the script: nothing ran"),
    fail("EXECABORT", "the transaction was dropped before it began"),
    fail("NOAUTH", "the server wants a password first"),
    fail("NOPERM", "this user may not do that"),
    fail("DENIED", "the server takes connections from its own host only (protected mode)"),
    info("UNBLOCKED", "a command that waits was ended because the node became a replica: what it wrote before stays"),
    UNKNOWN,
];

/// Why a request brought no answer.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Unanswered {
    /// Nothing of it left.
    NotSent(String),
    /// It left, at least in part, and the connection broke.
    Broken(String),
    /// It left, and no answer came in time.
    Timeout,
    /// An answer came that makes no sense.
    Nonsense(String),
    /// It was written, but not to as many replicas as were asked for.
    TooFewCopies(String),
    /// The server said no.
    Refused(ServerError),
}

impl Unanswered {
    fn row(&self) -> &'static Row {
        match self {
            Self::NotSent(_) => &NOT_SENT,
            Self::Broken(_) => &BROKEN,
            Self::Timeout => &TIMEOUT,
            Self::Nonsense(_) => &NONSENSE,
            Self::TooFewCopies(_) => &TOO_FEW_COPIES,
            Self::Refused(error) => row_of(error.code()),
        }
    }

    /// Whether the call certainly did not happen.
    pub(super) fn certainty(&self) -> Certainty {
        self.row().certainty
    }
}

fn row_of(code: &str) -> &'static Row {
    // Those in small letters are no errors of a server.
    let known = |row: &&Row| row.error == code && code.starts_with(|letter: char| letter.is_ascii_uppercase());
    TABLE.iter().find(known).unwrap_or(&UNKNOWN)
}

impl From<Unanswered> for Outcome {
    fn from(unanswered: Unanswered) -> Self {
        let reason = unanswered.to_string();
        match unanswered.certainty() {
            Certainty::Fail => Self::Fail(reason),
            Certainty::Info => Self::Info(reason),
        }
    }
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSent(why) => write!(f, "not sent: {why}"),
            Self::Broken(why) => write!(f, "connection lost: {why}"),
            Self::Timeout => f.write_str("timeout"),
            Self::Nonsense(what) => write!(f, "the answer makes no sense: {what}"),
            Self::TooFewCopies(how_many) => f.write_str(how_many),
            Self::Refused(error) => match error.details() {
                Some(details) => write!(f, "{} {details}", error.code()),
                None => f.write_str(error.code()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(line: &str) -> Outcome {
        let Ok(redis::Value::ServerError(error)) = redis::parse_redis_value(format!("-{line}\r\n").as_bytes()) else {
            panic!("{line} is an error")
        };
        Unanswered::Refused(error).into()
    }

    #[test]
    fn a_refusal_is_certain_and_an_unknown_error_is_not() {
        assert_eq!(
            refused("READONLY You can't write against a read only replica."),
            Outcome::Fail("READONLY You can't write against a read only replica.".into())
        );
        assert!(matches!(refused("CLUSTERDOWN Hash slot not served"), Outcome::Fail(_)));
        assert!(matches!(refused("NOREPLICAS Not enough good replicas to write."), Outcome::Fail(_)));
        assert!(matches!(refused("UNBLOCKED force unblock from blocking operation"), Outcome::Info(_)));
        assert!(matches!(refused("FUTURE something new"), Outcome::Info(_)));
        assert!(matches!(refused("timeout"), Outcome::Info(_)), "no server says it is one of ours");
    }

    #[test]
    fn what_left_is_open_and_what_did_not_is_certain() {
        assert!(matches!(Outcome::from(Unanswered::NotSent("refused".into())), Outcome::Fail(_)));
        for open in [
            Unanswered::Broken("reset".into()),
            Unanswered::Timeout,
            Unanswered::Nonsense("7".into()),
            Unanswered::TooFewCopies("written, but copied to 0 of 1 replicas".into()),
        ] {
            assert!(matches!(Outcome::from(open), Outcome::Info(_)));
        }
    }

    #[test]
    fn the_table_stands_in_the_documents() {
        let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/EXTERNAL.md")).unwrap();
        for Row { error, certainty, reason } in TABLE {
            let certainty = match certainty {
                Certainty::Fail => "fail",
                Certainty::Info => "info",
            };
            let row = format!("| `{error}` | {certainty} | {reason} |");
            assert!(page.contains(&row), "docs/EXTERNAL.md lacks {row}");
        }
    }

    #[test]
    fn no_error_stands_twice_in_the_table() {
        for (place, row) in TABLE.iter().enumerate() {
            assert!(TABLE[..place].iter().all(|before| before.error != row.error), "{}", row.error);
            assert!(!row.reason.is_empty());
        }
    }
}
