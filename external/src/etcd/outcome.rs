//! What each error of etcd means for the call that met it.
//!
//! The table is [`REFUSALS`]. It goes by the message, which is the same in all of etcd's APIs; the gRPC code is not: the
//! lock API answers with `Unknown` for what the key-value API calls `NotFound`. What the table does not know is `info`.
//! The reasons were read in the source of etcd 3.4.23 and 3.5.1.
//!
//! A request that only reads changes nothing, whatever became of it: there every error is `fail`.

use rashomon_history::Outcome;

/// Why a request brought no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unanswered {
    /// No connection: nothing was sent.
    NotSent(String),
    /// The connection broke after something may have been sent.
    Broken(String),
    /// No answer when the time was up.
    Late,
    /// etcd refused.
    Refused(Refused),
    /// An answer that can't be understood.
    Strange(String),
}

/// What etcd's gateway says with an error.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    /// The status of HTTP, which the gateway makes from the code of gRPC.
    pub status: u16,
    /// The code of gRPC; nothing where the answer is not one of the gateway's.
    pub code: Option<u32>,
    /// What etcd says.
    pub message: String,
}

/// What a refusal says of a request that changes something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Meaning {
    /// It certainly did not happen and never will.
    Fail,
    /// It may have happened, or may still happen.
    Info,
}

/// How the message of a row is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Message {
    /// It is exactly this.
    Is(&'static str),
    /// It begins so.
    Begins(&'static str),
}

/// One row of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// What etcd says.
    pub message: Message,
    /// What that means.
    pub meaning: Meaning,
    /// Why.
    pub why: &'static str,
}

const fn fail(message: &'static str, why: &'static str) -> Refusal {
    Refusal { message: Message::Is(message), meaning: Meaning::Fail, why }
}

const fn info(message: &'static str, why: &'static str) -> Refusal {
    Refusal { message: Message::Is(message), meaning: Meaning::Info, why }
}

const fn info_from(message: &'static str, why: &'static str) -> Refusal {
    Refusal { message: Message::Begins(message), meaning: Meaning::Info, why }
}

/// Every refusal of which more is known than that its outcome is open, and the most frequent of the others.
pub const REFUSALS: &[Refusal] = &[
    fail("etcdserver: too many requests", "said before the request is proposed: too much is committed and not applied"),
    fail("etcdserver: request is too large", "said before the request is proposed"),
    Refusal {
        message: Message::Begins("grpc: received message larger than max"),
        meaning: Meaning::Fail,
        why: "said before the request is looked at",
    },
    fail("etcdserver: not capable", "said before the request is looked at: the cluster's version is not yet known"),
    fail("etcdserver: rpc not supported for learner", "said before the request is looked at"),
    fail("etcdserver: key is not provided", "a mistake in the request, found before it is proposed"),
    fail("etcdserver: duplicate key given in txn request", "a mistake in the request, found before it is proposed"),
    fail("etcdserver: too many operations in txn request", "a mistake in the request, found before it is proposed"),
    fail("etcdserver: requested lease not found", "found when the request was applied, at all members alike"),
    fail("etcdserver: lease already exists", "found when the request was applied, at all members alike"),
    fail("etcdserver: too large lease TTL", "a mistake in the request"),
    fail("etcdserver: corrupt cluster", "the alarm stands in the log: all members refuse what comes after it"),
    fail("etcdserver: mvcc: required revision has been compacted", "found before anything of the request is applied"),
    fail("etcdserver: mvcc: required revision is a future revision", "found before anything of the request is applied"),
    fail(
        "raft proposal dropped",
        "the member's Raft did not take it: no leader is known, or leadership is handed over",
    ),
    fail("mutex: session is expired", "the key of the waiting session is gone (3.5 looks, 3.4 does not)"),
    info("etcdserver: request timed out", "proposed, and not applied in time: it may be in the log, or get there"),
    info_from("etcdserver: request timed out, ", "the same; etcd guesses why"),
    info("etcdserver: leader changed", "the leader that had it is gone: the next one may have it, too"),
    info("etcdserver: no leader", "of streams and lease renewals, which may have reached the leader that was lost"),
    info("etcdserver: not leader", "the member that got it leads no more; renewals are passed on and tried again"),
    info("etcdserver: server stopped", "the member is stopped while the request is on its way"),
    info("etcdserver: request cancelled", "given up by whoever asked, after it was proposed"),
    info(
        "etcdserver: mvcc: database space exceeded",
        "said before the request is proposed, but also after it was applied",
    ),
    info("context deadline exceeded", "given up by the gateway, after it was proposed"),
    info("context canceled", "given up by the gateway, after it was proposed"),
    info("transport is closing", "the gateway lost the server behind it"),
    info_from("connection error", "the gateway lost the server behind it"),
    info("lost watcher waiting for delete", "the lock was asked for; the key of the session may wait or be gone"),
];

impl Refused {
    /// What the table says; [`Meaning::Info`] where it says nothing.
    #[must_use]
    pub fn meaning(&self) -> Meaning {
        let row = REFUSALS.iter().find(|row| match row.message {
            Message::Is(message) => self.message == message,
            Message::Begins(message) => self.message.starts_with(message),
        });
        match (row, self.code) {
            (Some(row), _) => row.meaning,
            // Not from the gateway: who answers with this did not look at the request.
            (None, None) if self.status == 404 => Meaning::Fail,
            (None, _) => Meaning::Info,
        }
    }
}

impl Unanswered {
    /// What became of a request that would have changed something.
    #[must_use]
    pub fn of_change(self) -> Outcome {
        let meaning = match &self {
            Self::NotSent(_) => Meaning::Fail,
            Self::Broken(_) | Self::Late | Self::Strange(_) => Meaning::Info,
            Self::Refused(refused) => refused.meaning(),
        };
        match meaning {
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
            Self::Broken(why) => write!(f, "sent, then: {why}"),
            Self::Late => f.write_str("no answer in time"),
            Self::Refused(Refused { code: Some(code), message, .. }) => write!(f, "{message} (gRPC code {code})"),
            Self::Refused(Refused { status, code: None, message }) => write!(f, "HTTP {status}: {message}"),
            Self::Strange(what) => write!(f, "an answer that can't be understood: {what}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(message: &str, code: Option<u32>) -> Unanswered {
        Unanswered::Refused(Refused { status: if code.is_some() { 503 } else { 404 }, code, message: message.into() })
    }

    #[test]
    fn no_message_stands_in_the_table_twice() {
        for (place, row) in REFUSALS.iter().enumerate() {
            assert!(REFUSALS[..place].iter().all(|other| other.message != row.message), "{row:?}");
        }
    }

    #[test]
    fn what_may_have_happened_is_info_and_never_so_for_a_read() {
        for message in [
            "etcdserver: request timed out",
            "etcdserver: request timed out, possibly due to previous leader failure",
            "etcdserver: leader changed",
            "something that nobody has heard of",
        ] {
            assert!(matches!(refused(message, Some(14)).of_change(), Outcome::Info(_)), "{message}");
            assert!(matches!(refused(message, Some(14)).of_read(), Outcome::Fail(_)), "{message}");
        }
        assert!(matches!(Unanswered::Late.of_change(), Outcome::Info(_)));
        assert!(matches!(Unanswered::Broken("reset".into()).of_change(), Outcome::Info(_)));
        assert!(matches!(Unanswered::Strange("<html>".into()).of_change(), Outcome::Info(_)));
    }

    #[test]
    fn a_certain_refusal_is_fail() {
        // The lock API answers with code 2 (Unknown), the lease API with 5 (NotFound).
        for code in [2, 5] {
            let outcome = refused("etcdserver: requested lease not found", Some(code)).of_change();
            assert!(matches!(outcome, Outcome::Fail(_)), "{outcome:?}");
        }
        assert!(matches!(Unanswered::NotSent("refused".into()).of_change(), Outcome::Fail(_)));
        assert!(matches!(refused("Not Found", None).of_change(), Outcome::Fail(_)));
    }
}
