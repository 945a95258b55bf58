//! How the client asks over HTTP, and what a success means.

use std::fmt::Write;

use bytes::Bytes;
use rashomon_history::{Key, Value};
use serde::{Deserialize, Serialize};

use super::Used;
use super::operation::Stage;
use crate::api::{HttpRequest, HttpResponse, Method, TransportError, Unanswered, percent_encode, read_reply};
use crate::lock::command::LockView;
use crate::lock::routes::bodies::{
    AcquireBody, DoneBody, GrantedBody, OneOrMany, OpenBody, OpenedBody, ReadBody, ReleaseBody, RenewedBody, WriteBody,
    WrittenBody,
};
use crate::lock::session::SessionId;

/// What a success brings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Reply {
    Opened { session: SessionId, ttl_ms: u64 },
    Granted { token: u64 },
    Done,
    Checked { is_held: bool },
    Content { elements: Vec<Value> },
    Written { version: u64 },
}

/// How this is asked. A retry is the very same request.
pub(super) fn request(stage: &Stage) -> HttpRequest {
    match stage {
        Stage::Open => http(Method::Post, "/v1/sessions".into(), json(&OpenBody { ttl_ms: None })),
        Stage::KeepAlive { session } => {
            http(Method::Post, format!("/v1/sessions/{}/keep-alive", session.0), Bytes::new())
        }
        Stage::Acquire { used, key, permits, of, wait_ms } => {
            let of_more = Some(*of).filter(|of| *of > 1);
            let body = AcquireBody { permits: *permits, of: of_more, wait_ms: *wait_ms };
            http(Method::Post, lock_path(key, *of, "acquire", *used), json(&body))
        }
        Stage::Release { used, key, permits, of } => {
            http(Method::Post, lock_path(key, *of, "release", *used), json(&ReleaseBody { permits: *permits }))
        }
        Stage::CheckToRelease { key, .. } => {
            let mut path = String::from("/v1/locks/");
            percent_encode(key.as_str(), &mut path);
            http(Method::Get, path, Bytes::new())
        }
        Stage::Read { key } => http(Method::Get, resource_path(key, None), Bytes::new()),
        Stage::ReadToAdd { key, token } => http(Method::Get, resource_path(key, Some(*token)), Bytes::new()),
        Stage::WriteToAdd { key, token, elements } => {
            let body = WriteBody { value: OneOrMany::Many(elements.clone()) };
            http(Method::Put, resource_path(key, Some(*token)), json(&body))
        }
    }
}

fn http(method: Method, path_and_query: String, body: Bytes) -> HttpRequest {
    HttpRequest { method, path_and_query, body }
}

fn json(body: &impl Serialize) -> Bytes {
    serde_json::to_vec(body).expect("structs of numbers and texts become JSON in memory").into()
}

fn lock_path(key: &Key, of: u32, action: &str, used: Used) -> String {
    let mut path = String::from(if of > 1 { "/v1/semaphores/" } else { "/v1/locks/" });
    percent_encode(key.as_str(), &mut path);
    let Used { session, sequence } = used;
    write!(path, "/{action}?session={}&sequence={sequence}", session.0)
        .unwrap_or_else(|error| unreachable!("a text takes everything: {error}"));
    path
}

fn resource_path(key: &Key, token: Option<u64>) -> String {
    let mut path = String::from("/v1/resources/");
    percent_encode(key.as_str(), &mut path);
    if let Some(token) = token {
        write!(path, "?token={token}").unwrap_or_else(|error| unreachable!("a text takes everything: {error}"));
    }
    path
}

/// What an attempt brought back.
pub(super) fn reply(stage: &Stage, result: &Result<HttpResponse, TransportError>) -> Result<Reply, Unanswered> {
    read_reply(result, |body| match stage {
        Stage::Open => parse(body).map(|OpenedBody { session, ttl_ms }| Reply::Opened { session, ttl_ms }),
        Stage::KeepAlive { .. } => parse(body).filter(|body: &RenewedBody| body.ok).map(|_| Reply::Done),
        Stage::Acquire { .. } => parse(body).map(|GrantedBody { token }| Reply::Granted { token }),
        Stage::Release { .. } => parse(body).filter(|body: &DoneBody| body.ok).map(|_| Reply::Done),
        Stage::CheckToRelease { used, .. } => parse(body).map(|view: LockView| Reply::Checked {
            is_held: view.holders.iter().any(|holder| holder.session == used.session),
        }),
        Stage::Read { .. } | Stage::ReadToAdd { .. } => parse(body).and_then(|body: ReadBody| content(body.value)),
        Stage::WriteToAdd { .. } => parse(body).map(|WrittenBody { version }| Reply::Written { version }),
    })
}

/// The elements of a set; none where nothing was ever written.
fn content(value: OneOrMany) -> Option<Reply> {
    match value {
        OneOrMany::Many(elements) => Some(Reply::Content { elements }),
        OneOrMany::One(Value::Nil) => Some(Reply::Content { elements: Vec::new() }),
        OneOrMany::One(Value::Int(_) | Value::Text(_)) => None,
    }
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Option<T> {
    serde_json::from_slice(body).ok()
}
