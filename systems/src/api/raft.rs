//! The routes and refusals that all systems on Raft share.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{ErrorBody, ErrorCode, HttpRequest, HttpResponse, Method};
use crate::raft::{Change, Refusal, Request};
use crate::server::NodeId;
use crate::session::{self, SessionId, SessionRefusal};

/// Which command of which session a request is. In a query: `?session=17&sequence=4&awaiting=3`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SessionUse {
    /// The session.
    pub session: SessionId,
    /// The command's number in it. A retry carries the same one.
    pub sequence: u64,
    /// The lowest number whose answer the client still waits for; at most `sequence`.
    pub awaiting: u64,
}

impl SessionUse {
    /// Reads a query, without its question mark.
    ///
    /// # Errors
    /// A sentence for the client.
    pub fn parse(query: &str) -> Result<Option<Self>, String> {
        let (mut session, mut sequence, mut awaiting) = (None, None, None);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, text) = pair.split_once('=').unwrap_or((pair, ""));
            let field = match name {
                "session" => &mut session,
                "sequence" => &mut sequence,
                "awaiting" => &mut awaiting,
                other => {
                    return Err(format!("unknown query field {other:?}; known are session, sequence and awaiting"));
                }
            };
            let value: u64 = text.parse().map_err(|_| format!("{name} is {text:?}; it must be a whole number"))?;
            if field.replace(value).is_some() {
                return Err(format!("{name} stands twice in the query"));
            }
        }
        match (session, sequence) {
            (None, None) if awaiting.is_none() => Ok(None),
            (Some(session), Some(sequence)) => {
                let awaiting = awaiting.unwrap_or(sequence);
                if awaiting > sequence {
                    return Err(format!("awaiting is {awaiting}; it can't be above sequence, which is {sequence}"));
                }
                Ok(Some(Self { session: SessionId(session), sequence, awaiting }))
            }
            _ => Err("session and sequence go together, and awaiting only with them".into()),
        }
    }

    /// Puts it at the end of `query`, without a question mark.
    pub fn write_query(self, query: &mut String) {
        write!(query, "session={}&sequence={}&awaiting={}", self.session.0, self.sequence, self.awaiting)
            .unwrap_or_else(|error| unreachable!("a text takes everything: {error}"));
    }

    /// Wraps a command of the state machine for [`session::Sessions`].
    #[must_use]
    pub fn wrap(used: Option<Self>, command: &[u8]) -> Bytes {
        match used {
            None => session::Command::Once { command },
            Some(used) => session::Command::InSession {
                session: used.session,
                sequence: used.sequence,
                awaiting: used.awaiting,
                command,
            },
        }
        .encode()
    }
}

/// The routes and refusals that all systems on Raft share.
#[derive(Clone, Debug, Default)]
pub struct RaftRoutes {
    /// The refusals that name a leader whose address is known. Most of what followers say: written once.
    not_leader: BTreeMap<NodeId, HttpResponse>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TransferBody {
    to: NodeId,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum MembersBody {
    AddLearner(NodeId),
    Promote(NodeId),
    Remove(NodeId),
}

#[derive(Serialize, Deserialize)]
struct Opened {
    session: SessionId,
}

#[derive(Serialize)]
struct Done {
    ok: bool,
}

impl RaftRoutes {
    /// `client_addresses` says where each member's clients connect, as far as known, for `not-leader`.
    #[must_use]
    pub fn new(client_addresses: BTreeMap<NodeId, String>) -> Self {
        let refusal = |(leader, address)| (leader, not_leader(Some(leader), Some(address)));
        Self { not_leader: client_addresses.into_iter().map(refusal).collect() }
    }

    /// `POST /v1/sessions`.
    #[must_use]
    pub fn open_session<Q>(&self) -> Request<Q> {
        Request::Command(session::Command::Open.encode())
    }

    /// `POST /v1/transfer-leadership` with `{"to":2}`.
    ///
    /// # Errors
    /// The body is not that.
    pub fn transfer<Q>(&self, body: &[u8]) -> Result<Request<Q>, HttpResponse> {
        let body: TransferBody = parse_body(body, r#"{"to":2}"#)?;
        Ok(Request::TransferLeadership { to: body.to })
    }

    /// `POST /v1/members` with `{"add-learner":4}`, `{"promote":4}` or `{"remove":2}`.
    ///
    /// # Errors
    /// The body is none of these.
    pub fn change_members<Q>(&self, body: &[u8]) -> Result<Request<Q>, HttpResponse> {
        let body: MembersBody = parse_body(body, r#"{"add-learner":4}, {"promote":4} or {"remove":2}"#)?;
        Ok(Request::ChangeMembership(match body {
            MembersBody::AddLearner(id) => Change::AddLearner(id),
            MembersBody::Promote(id) => Change::Promote(id),
            MembersBody::Remove(id) => Change::Remove(id),
        }))
    }

    /// Answers `POST /v1/sessions`.
    #[must_use]
    pub fn opened(&self, session: SessionId) -> HttpResponse {
        HttpResponse::ok(&Opened { session })
    }

    /// Answers `POST /v1/transfer-leadership` and `POST /v1/members`.
    #[must_use]
    pub fn done(&self) -> HttpResponse {
        HttpResponse::ok(&Done { ok: true })
    }

    /// Answers what Raft refused.
    #[must_use]
    pub fn refused(&self, refusal: Refusal) -> HttpResponse {
        match refusal {
            Refusal::NotLeader { leader } => {
                let known = leader.and_then(|leader| self.not_leader.get(&leader));
                return known.cloned().unwrap_or_else(|| not_leader(leader, None));
            }
            Refusal::Overloaded => ErrorBody::new(ErrorCode::Overloaded, "too many requests are under way; ask later"),
            Refusal::Transferring => {
                ErrorBody::new(ErrorCode::Transferring, "the leadership is being handed over; ask again soon")
            }
            Refusal::Superseded => {
                ErrorBody::new(ErrorCode::Superseded, "a new leader put another command in the place of this one")
            }
            Refusal::TransferFailed { reason } => ErrorBody::new(ErrorCode::TransferFailed, reason),
            Refusal::ChangeInProgress => ErrorBody::new(
                ErrorCode::ChangeInProgress,
                "another change of the members is not yet committed; ask again soon",
            ),
            Refusal::NotYetCommittedInTerm => ErrorBody::new(
                ErrorCode::LeaderNotReady,
                "the leader was just elected and has not committed anything in its term; ask again soon",
            ),
            Refusal::ChangeImpossible { change, reason } => {
                ErrorBody::new(ErrorCode::ChangeImpossible, format!("can't {change}: {reason}"))
            }
            Refusal::LearnerBehind { learner, missing, heard } => {
                let silent = if heard { "" } else { ", and was not heard lately" };
                let message = format!("{learner} lacks {missing} committed entries{silent}; ask again later");
                ErrorBody::new(ErrorCode::LearnerBehind, message)
            }
        }
        .into_response()
    }

    /// Answers what nobody knows the outcome of.
    #[must_use]
    pub fn unknown(&self) -> HttpResponse {
        let message = "a snapshot of a new leader passed over the place of this command, or this leader was removed from the \
                       cluster; it may have happened or not";
        ErrorBody::new(ErrorCode::OutcomeUnknown, message).into_response()
    }

    /// Answers what the session table refused.
    #[must_use]
    pub fn session_refused(&self, refusal: SessionRefusal) -> HttpResponse {
        let error = match refusal {
            SessionRefusal::UnknownSession => ErrorCode::UnknownSession,
            SessionRefusal::StaleSequence => ErrorCode::StaleSequence,
            SessionRefusal::TooManyAwaited => ErrorCode::TooManyAwaited,
            SessionRefusal::Malformed => ErrorCode::BadRequest,
        };
        ErrorBody::new(error, refusal.to_string()).into_response()
    }
}

fn not_leader(leader: Option<NodeId>, leader_address: Option<String>) -> HttpResponse {
    let message = match leader {
        Some(leader) => format!("only the leader serves; it is {leader}"),
        None => "only the leader serves, and this node knows of none".into(),
    };
    let leader = leader.map(|leader| leader.to_string());
    ErrorBody { leader, leader_address, ..ErrorBody::new(ErrorCode::NotLeader, message) }.into_response()
}

/// How a client asks for a session.
#[must_use]
pub fn open_session() -> HttpRequest {
    HttpRequest { method: Method::Post, path_and_query: "/v1/sessions".into(), body: Bytes::new() }
}

/// The session that was opened, in the body of a success.
#[must_use]
pub fn opened(body: &[u8]) -> Option<SessionId> {
    serde_json::from_slice::<Opened>(body).ok().map(|opened| opened.session)
}

/// The leader, where the response is a refusal that names one.
#[must_use]
pub fn leader_of(response: &HttpResponse) -> Option<NodeId> {
    /// Nothing else of the refusal is read.
    #[derive(Deserialize)]
    struct Named<'a> {
        #[serde(default, borrow)]
        leader: Option<Cow<'a, str>>,
    }
    if response.status != ErrorCode::NotLeader.status() {
        return None;
    }
    serde_json::from_slice::<Named<'_>>(&response.body).ok()?.leader?.parse().ok()
}

/// Reads a body of JSON.
pub(crate) fn parse_body<'a, T: Deserialize<'a>>(body: &'a [u8], example: &str) -> Result<T, HttpResponse> {
    serde_json::from_slice(body).map_err(|error| {
        let message = format!("the body is not like {example}: {error}");
        ErrorBody::new(ErrorCode::BadRequest, message).into_response()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_without_awaiting_waits_for_itself_only() {
        let used = SessionUse::parse("session=17&sequence=4").unwrap().unwrap();
        assert_eq!(used, SessionUse { session: SessionId(17), sequence: 4, awaiting: 4 });
        let mut query = String::new();
        used.write_query(&mut query);
        assert_eq!(SessionUse::parse(&query), Ok(Some(used)));
        assert_eq!(SessionUse::parse(""), Ok(None));
    }

    #[test]
    fn queries_that_make_no_sense_are_refused() {
        for query in [
            "session=1",
            "sequence=1",
            "awaiting=1",
            "session=1&sequence=x",
            "session=1&sequence=1&awaiting=2",
            "session=1&session=1&sequence=1",
            "sesion=1",
        ] {
            assert!(SessionUse::parse(query).is_err(), "{query}");
        }
    }
}
