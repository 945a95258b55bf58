//! The store over HTTP. `docs/KV-API.md` is the same for people.

use rashomon_history::{Key, Value};
use serde::{Deserialize, Serialize};

use super::machine::{Asked, Command, Query};
use super::{Answer, KvRequest, KvResponse, Object};
use crate::api::{
    Api, ErrorBody, ErrorCode, HttpRequest, HttpResponse, Method, RaftRoutes, SessionUse, parse_body, percent_decode,
};
use crate::raft::{Request, Response};
use crate::session::SessionAnswer;

/// The body of a write, an append or an add, as a client writes it.
#[derive(Serialize)]
pub(super) struct ValueOut<'a> {
    pub(super) value: &'a Value,
}

/// The same as a server reads it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ValueBody {
    value: Value,
}

/// The body of a compare-and-set, as a client writes it.
#[derive(Serialize)]
pub(super) struct CasOut<'a> {
    pub(super) from: &'a Value,
    pub(super) to: &'a Value,
}

/// The same as a server reads it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CasBody {
    from: Value,
    to: Value,
}

/// What a read answers.
#[derive(Serialize, Deserialize)]
pub(super) struct ReadBody {
    pub(super) value: OneOrMany,
}

/// A register's value, or the elements of a list or a set.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany {
    One(Value),
    Many(Vec<Value>),
}

/// What a compare-and-set answers.
#[derive(Serialize, Deserialize)]
pub(super) struct SwapBody {
    pub(super) swapped: bool,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(super) current: Option<Value>,
}

/// What every other command answers.
#[derive(Deserialize)]
pub(super) struct DoneBody {
    pub(super) ok: bool,
}

/// A [`DoneBody`].
const DONE: &[u8] = br#"{"ok":true}"#;

/// A [`SwapBody`].
const SWAPPED: &[u8] = br#"{"swapped":true}"#;

/// Tells a field that is `null` from one that is not there.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// The routes of the store.
#[derive(Clone, Debug, Default)]
pub struct KvApi {
    /// What all systems on Raft share.
    pub raft: RaftRoutes,
}

/// What is done to an object, by the end of the path.
#[derive(Clone, Copy)]
enum Action {
    Object,
    Cas,
    Append,
    Add,
}

impl Api for KvApi {
    type Request = KvRequest;
    type Response = KvResponse;

    fn route(&self, request: &HttpRequest) -> Result<KvRequest, HttpResponse> {
        let (path, query) = request.path_and_query.split_once('?').unwrap_or((&request.path_and_query, ""));
        if let Some(rest) = path.strip_prefix("/v1/kv/") {
            return object_request(request, rest, query);
        }
        match (path, request.method) {
            ("/v1/sessions", Method::Post) => Ok(self.raft.open_session()),
            ("/v1/transfer-leadership", Method::Post) => self.raft.transfer(&request.body),
            ("/v1/members", Method::Post) => self.raft.change_members(&request.body),
            ("/v1/sessions" | "/v1/transfer-leadership" | "/v1/members", method) => {
                Err(method_not_allowed(path, method, "POST"))
            }
            _ => Err(not_found(path)),
        }
    }

    fn respond(&self, response: KvResponse) -> HttpResponse {
        match response {
            Response::Answer(SessionAnswer::Answer(answer)) => respond_answer(answer),
            Response::Answer(SessionAnswer::Opened(session)) => self.raft.opened(session),
            Response::Answer(SessionAnswer::Refused(refusal)) => self.raft.session_refused(refusal),
            Response::Transferred | Response::Changed => self.raft.done(),
            Response::Refused(refusal) => self.raft.refused(refusal),
            Response::Unknown => self.raft.unknown(),
        }
    }
}

/// `rest` is what follows `/v1/kv/`: the encoded key, and perhaps a slash and an action.
fn object_request(request: &HttpRequest, rest: &str, query: &str) -> Result<KvRequest, HttpResponse> {
    let (key, action) = match rest.split_once('/') {
        None => (rest, Action::Object),
        Some((key, "cas")) => (key, Action::Cas),
        Some((key, "append")) => (key, Action::Append),
        Some((key, "add")) => (key, Action::Add),
        Some(_) => return Err(not_found(&request.path_and_query)),
    };
    if key.is_empty() {
        return Err(bad_request("the key is empty"));
    }
    let key = Key::from(&*percent_decode(key).map_err(bad_request)?);
    let used = SessionUse::parse(query).map_err(bad_request)?;
    Ok(match asked(request, key, action)? {
        Asked::Query(_) if used.is_some() => return Err(bad_request("a read needs no session")),
        Asked::Query(query) => Request::Query(query),
        Asked::Command(command) => Request::Command(SessionUse::wrap(used, &command.encode())),
    })
}

fn asked(request: &HttpRequest, key: Key, action: Action) -> Result<Asked, HttpResponse> {
    let value = || parse_body::<ValueBody>(&request.body, r#"{"value":1}"#).map(|body| body.value);
    let command = match (action, request.method) {
        (Action::Object, Method::Get) => return Ok(Asked::Query(Query::Read { key })),
        (Action::Object, Method::Put) => Command::Write { key, value: value()? },
        (Action::Object, Method::Delete) => Command::Delete { key },
        (Action::Cas, Method::Post) => {
            let body: CasBody = parse_body(&request.body, r#"{"from":1,"to":2}"#)?;
            Command::Cas { key, from: body.from, to: body.to }
        }
        (Action::Append, Method::Post) => Command::Append { key, value: value()? },
        (Action::Add, Method::Post) => Command::Add { key, value: value()? },
        (Action::Object, method) => {
            return Err(method_not_allowed(&request.path_and_query, method, "GET, PUT or DELETE"));
        }
        (Action::Cas | Action::Append | Action::Add, method) => {
            return Err(method_not_allowed(&request.path_and_query, method, "POST"));
        }
    };
    Ok(Asked::Command(command))
}

fn respond_answer(answer: Answer) -> HttpResponse {
    match answer {
        Answer::Done => HttpResponse::fixed(DONE),
        Answer::Object(object) => HttpResponse::ok(&ReadBody {
            value: match object {
                None => OneOrMany::One(Value::Nil),
                Some(Object::Register(value)) => OneOrMany::One(value),
                Some(Object::List(elements)) => OneOrMany::Many(elements),
                Some(Object::Set(elements)) => OneOrMany::Many(elements.into_iter().collect()),
            },
        }),
        Answer::Swapped => HttpResponse::fixed(SWAPPED),
        Answer::NotSwapped { current } => HttpResponse::ok(&SwapBody { swapped: false, current: Some(current) }),
        Answer::WrongKind { is } => {
            let message = format!("the object is a {is}, which can't do this; nothing was changed");
            ErrorBody::new(ErrorCode::WrongKind, message).into_response()
        }
        Answer::Malformed => bad_request("the command makes no sense; nothing was changed"),
    }
}

fn bad_request(message: impl Into<String>) -> HttpResponse {
    ErrorBody::new(ErrorCode::BadRequest, message).into_response()
}

fn not_found(path: &str) -> HttpResponse {
    let message = format!(
        "no path {path}; there are /v1/kv/KEY, /v1/kv/KEY/cas, /v1/kv/KEY/append, /v1/kv/KEY/add, /v1/sessions, \
         /v1/members, /v1/status and /v1/transfer-leadership"
    );
    ErrorBody::new(ErrorCode::NotFound, message).into_response()
}

fn method_not_allowed(path: &str, method: Method, allowed: &str) -> HttpResponse {
    let message = format!("{path} takes {allowed}, not {}", method.as_str());
    ErrorBody::new(ErrorCode::MethodNotAllowed, message).into_response()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::api::leader_of;
    use crate::kv::{Command, Query};
    use crate::raft::{Change, Refusal};
    use crate::server::NodeId;
    use crate::session::{self, SessionId};

    fn http(method: Method, path_and_query: &str, body: &str) -> HttpRequest {
        HttpRequest { method, path_and_query: path_and_query.into(), body: Bytes::copy_from_slice(body.as_bytes()) }
    }

    fn error_of(result: Result<KvRequest, HttpResponse>) -> (u16, ErrorCode) {
        let response = result.unwrap_err();
        let body: ErrorBody = serde_json::from_slice(&response.body).unwrap();
        (response.status, body.error)
    }

    #[test]
    fn every_path_becomes_its_request() {
        let once = |command: Command| Request::Command(SessionUse::wrap(None, &command.encode()));
        let key = || Key::from("a/b");
        let cases = [
            (Method::Get, "/v1/kv/a%2Fb", "", Request::Query(Query::Read { key: key() })),
            (Method::Put, "/v1/kv/a%2Fb", r#"{"value":1}"#, once(Command::Write { key: key(), value: 1.into() })),
            (Method::Delete, "/v1/kv/a%2Fb", "", once(Command::Delete { key: key() })),
            (
                Method::Post,
                "/v1/kv/a%2Fb/cas",
                r#"{"from":null,"to":"x"}"#,
                once(Command::Cas { key: key(), from: Value::Nil, to: "x".into() }),
            ),
            (
                Method::Post,
                "/v1/kv/a%2Fb/append",
                r#"{"value":1}"#,
                once(Command::Append { key: key(), value: 1.into() }),
            ),
            (Method::Post, "/v1/kv/a%2Fb/add", r#"{"value":1}"#, once(Command::Add { key: key(), value: 1.into() })),
            (Method::Post, "/v1/sessions", "", Request::Command(session::Command::Open.encode())),
            (Method::Post, "/v1/transfer-leadership", r#"{"to":2}"#, Request::TransferLeadership { to: NodeId(2) }),
            (
                Method::Post,
                "/v1/members",
                r#"{"add-learner":4}"#,
                Request::ChangeMembership(Change::AddLearner(NodeId(4))),
            ),
            (Method::Post, "/v1/members", r#"{"promote":4}"#, Request::ChangeMembership(Change::Promote(NodeId(4)))),
            (Method::Post, "/v1/members", r#"{"remove":2}"#, Request::ChangeMembership(Change::Remove(NodeId(2)))),
        ];
        for (method, path, body, expected) in cases {
            assert_eq!(KvApi::default().route(&http(method, path, body)), Ok(expected), "{path}");
        }
    }

    #[test]
    fn a_session_in_the_query_wraps_the_command() {
        let request = http(Method::Delete, "/v1/kv/k?session=3&sequence=2&awaiting=1", "");
        let used = SessionUse { session: SessionId(3), sequence: 2, awaiting: 1 };
        let command = Command::Delete { key: "k".into() }.encode();
        let expected = Request::Command(SessionUse::wrap(Some(used), &command));
        assert_eq!(KvApi::default().route(&request), Ok(expected));
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_code() {
        let cases = [
            (Method::Get, "/", "", 404, ErrorCode::NotFound),
            (Method::Get, "/v1/kv/k/size", "", 404, ErrorCode::NotFound),
            (Method::Get, "/v1/kv/", "", 400, ErrorCode::BadRequest),
            (Method::Get, "/v1/kv/%zz", "", 400, ErrorCode::BadRequest),
            (Method::Get, "/v1/kv/k?session=1&sequence=1", "", 400, ErrorCode::BadRequest),
            (Method::Put, "/v1/kv/k?sequence=1", r#"{"value":1}"#, 400, ErrorCode::BadRequest),
            (Method::Put, "/v1/kv/k", "", 400, ErrorCode::BadRequest),
            (Method::Put, "/v1/kv/k", "{}", 400, ErrorCode::BadRequest),
            (Method::Put, "/v1/kv/k", r#"{"value":1.5}"#, 400, ErrorCode::BadRequest),
            (Method::Put, "/v1/kv/k", r#"{"value":1,"ttl":3}"#, 400, ErrorCode::BadRequest),
            (Method::Post, "/v1/kv/k", r#"{"value":1}"#, 405, ErrorCode::MethodNotAllowed),
            (Method::Get, "/v1/kv/k/cas", "", 405, ErrorCode::MethodNotAllowed),
            (Method::Post, "/v1/members", r#"{"remove":2,"promote":4}"#, 400, ErrorCode::BadRequest),
            (Method::Get, "/v1/sessions", "", 405, ErrorCode::MethodNotAllowed),
        ];
        for (method, path, body, status, code) in cases {
            let refused = error_of(KvApi::default().route(&http(method, path, body)));
            assert_eq!(refused, (status, code), "{} {path} {body}", method.as_str());
        }
    }

    #[test]
    fn a_follower_names_the_leader_and_its_address() {
        let client_addresses = [(NodeId(2), "10.0.0.2:8000".to_string())].into();
        let api = KvApi { raft: RaftRoutes::new(client_addresses) };
        let refused = api.respond(Response::Refused(Refusal::NotLeader { leader: Some(NodeId(2)) }));
        assert_eq!(refused.status, 421);
        assert_eq!(leader_of(&refused), Some(NodeId(2)));
        let body: ErrorBody = serde_json::from_slice(&refused.body).unwrap();
        assert_eq!((body.leader.as_deref(), body.leader_address.as_deref()), (Some("n2"), Some("10.0.0.2:8000")));
    }
}
