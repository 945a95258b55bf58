//! Transactions over HTTP. `docs/COMMIT-API.md` is the same for people.

use std::collections::BTreeMap;

use rashomon_history::{Key, Value};
use serde::{Deserialize, Serialize};

use super::{Object, Op, Refusal, Request, Response};
use crate::api::{Api, ErrorBody, ErrorCode, HttpRequest, HttpResponse, Method, RaftRoutes, parse_body};
use crate::raft;
use crate::server::NodeId;

const EXAMPLE: &str = r#"{"ops":[["r","x",null],["w","y",1],["append","l",2],["add","a1",-5]]}"#;

/// The body of a transaction.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TxnBody {
    pub(super) ops: Vec<StepBody>,
}

/// `["r", key, null]`, `["w", key, value]`, `["append", key, element]` or `["add", key, number]`.
#[derive(Serialize, Deserialize)]
pub(super) struct StepBody(pub(super) String, pub(super) Key, pub(super) Value);

/// What a committed transaction answers.
#[derive(Serialize, Deserialize)]
pub(super) struct CommittedBody {
    /// The name that it got.
    pub(super) transaction: String,
    /// What its reads saw, in the order of the steps.
    pub(super) reads: Vec<OneOrMany>,
}

/// A register's value, or the elements of a list.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany {
    One(Value),
    Many(Vec<Value>),
}

/// What a node has decided: `commit`, `abort` or `prepared`, by the names of the transactions.
#[derive(Serialize, Deserialize)]
pub(super) struct DecisionsBody {
    pub(super) decisions: BTreeMap<String, String>,
}

/// The routes of a commitment cluster.
#[derive(Clone, Debug, Default)]
pub struct CommitApi {
    raft: RaftRoutes,
}

impl CommitApi {
    /// `client_addresses` says where each node's clients connect, as far as known.
    #[must_use]
    pub fn new(client_addresses: BTreeMap<NodeId, String>) -> Self {
        Self { raft: RaftRoutes::new(client_addresses) }
    }
}

impl Api for CommitApi {
    type Request = Request;
    type Response = Response;

    fn route(&self, request: &HttpRequest) -> Result<Request, HttpResponse> {
        match (request.path_and_query.as_str(), request.method) {
            ("/v1/transactions", Method::Post) => txn(&request.body),
            ("/v1/decisions", Method::Get) => Ok(Request::Decisions),
            (path @ "/v1/transactions", method) => Err(method_not_allowed(path, method, "POST")),
            (path @ "/v1/decisions", method) => Err(method_not_allowed(path, method, "GET")),
            (path, _) => {
                let message = format!("no path {path}; there are /v1/transactions, /v1/decisions and /v1/status");
                Err(ErrorBody::new(ErrorCode::NotFound, message).into_response())
            }
        }
    }

    fn respond(&self, response: Response) -> HttpResponse {
        match response {
            Response::Committed { txn, reads } => {
                let reads = reads.into_iter().map(OneOrMany::from).collect();
                HttpResponse::ok(&CommittedBody { transaction: txn.to_string(), reads })
            }
            Response::Aborted { txn, reason } => {
                ErrorBody::new(ErrorCode::Aborted, format!("{reason} (transaction {txn})")).into_response()
            }
            Response::Refused(Refusal::NotCoordinator { coordinator }) => {
                self.raft.refused(raft::Refusal::NotLeader { leader: coordinator })
            }
            Response::Refused(Refusal::Overloaded) => self.raft.refused(raft::Refusal::Overloaded),
            Response::Refused(Refusal::TooLarge { most_ops }) => {
                let message = format!("a transaction has at most {most_ops} steps; it was not begun");
                ErrorBody::new(ErrorCode::TxnTooLarge, message).into_response()
            }
            Response::Unknown => {
                let message = "this coordinator lost its office before it learned the decision; it may be a commit";
                ErrorBody::new(ErrorCode::OutcomeUnknown, message).into_response()
            }
            Response::Decisions(decisions) => {
                let named = |(txn, decision): (super::TxnId, &str)| (txn.to_string(), decision.to_owned());
                HttpResponse::ok(&DecisionsBody { decisions: decisions.into_iter().map(named).collect() })
            }
        }
    }
}

fn txn(body: &[u8]) -> Result<Request, HttpResponse> {
    let body: TxnBody = parse_body(body, EXAMPLE)?;
    let steps: Result<Vec<Op>, String> = body.ops.into_iter().map(step).collect();
    let steps = steps.and_then(|steps| if steps.is_empty() { Err("ops is empty".to_owned()) } else { Ok(steps) });
    steps.map(Request::Txn).map_err(bad_request)
}

fn step(StepBody(what, key, value): StepBody) -> Result<Op, String> {
    if key.as_str().is_empty() {
        return Err("a key is empty".into());
    }
    match (what.as_str(), value) {
        ("r", Value::Nil) => Ok(Op::Read { key }),
        ("r", _) => Err(format!("the read of {key} says what it saw; it must say null")),
        ("w", value) => Ok(Op::Write { key, value }),
        ("append", value) => Ok(Op::Append { key, value }),
        ("add", Value::Int(by)) => Ok(Op::Add { key, by }),
        ("add", _) => Err(format!("what is added to {key} is no whole number")),
        (other, _) => Err(format!("{other:?} is no step; known are \"r\", \"w\", \"append\" and \"add\"")),
    }
}

impl From<Option<Object>> for OneOrMany {
    fn from(object: Option<Object>) -> Self {
        match object {
            None => Self::One(Value::Nil),
            Some(Object::Register(value)) => Self::One(value),
            Some(Object::List(elements)) => Self::Many(elements.0.to_vec()),
        }
    }
}

fn bad_request(message: impl Into<String>) -> HttpResponse {
    ErrorBody::new(ErrorCode::BadRequest, message).into_response()
}

fn method_not_allowed(path: &str, method: Method, allowed: &str) -> HttpResponse {
    let message = format!("{path} takes {allowed}, not {}", method.as_str());
    ErrorBody::new(ErrorCode::MethodNotAllowed, message).into_response()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn route(method: Method, path: &str, body: &str) -> Result<Request, ErrorCode> {
        let body = Bytes::copy_from_slice(body.as_bytes());
        let request = HttpRequest { method, path_and_query: path.into(), body };
        CommitApi::default().route(&request).map_err(|response| {
            let body: ErrorBody = serde_json::from_slice(&response.body).unwrap();
            assert_eq!(response.status, body.error.status());
            body.error
        })
    }

    #[test]
    fn a_body_becomes_the_steps_of_a_transaction() {
        let ops = vec![
            Op::Read { key: "x".into() },
            Op::Write { key: "y".into(), value: 1.into() },
            Op::Append { key: "l".into(), value: 2.into() },
            Op::Add { key: "a1".into(), by: -5 },
        ];
        assert_eq!(route(Method::Post, "/v1/transactions", EXAMPLE), Ok(Request::Txn(ops)));
        assert_eq!(route(Method::Get, "/v1/decisions", ""), Ok(Request::Decisions));
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_code() {
        let bodies = [
            "",
            "{}",
            r#"{"ops":[]}"#,
            r#"{"ops":[["r","x"]]}"#,
            r#"{"ops":[["r","x",1]]}"#,
            r#"{"ops":[["r","",null]]}"#,
            r#"{"ops":[["zap","x",1]]}"#,
            r#"{"ops":[["add","x","1"]]}"#,
            r#"{"ops":[["w","x",1.5]]}"#,
            r#"{"ops":[["w","x",1]],"timeout":3}"#,
            r#"{"ops":[["w","x",1]"#,
        ];
        for body in bodies {
            assert_eq!(route(Method::Post, "/v1/transactions", body), Err(ErrorCode::BadRequest), "{body}");
        }
        assert_eq!(route(Method::Get, "/v1/transactions", ""), Err(ErrorCode::MethodNotAllowed));
        assert_eq!(route(Method::Put, "/v1/decisions", ""), Err(ErrorCode::MethodNotAllowed));
        assert_eq!(route(Method::Get, "/v1/kv/x", ""), Err(ErrorCode::NotFound));
    }

    #[test]
    fn a_shard_names_the_coordinator() {
        let refused = Response::Refused(Refusal::NotCoordinator { coordinator: Some(NodeId(1)) });
        let api = CommitApi::new([(NodeId(1), "10.0.0.1:8000".to_owned())].into());
        assert_eq!(crate::api::leader_of(&api.respond(refused)), Some(NodeId(1)));
    }
}
