//! The lock service and the guarded resource over HTTP. `docs/LOCK-API.md` is the same for people.

mod answers;
pub(super) mod bodies;

use rashomon_history::Key;

use super::command::{Action, Command, Query};
use super::resource::{Content, ResourceRequest};
use super::server::{LockRequest, LockResponse};
use super::session::SessionId;
use crate::api::{
    Api, ErrorBody, ErrorCode, HttpRequest, HttpResponse, Method, RaftRoutes, SessionUse, parse_body, percent_decode,
};
use crate::raft::Request;
use bodies::{AcquireBody, OneOrMany, OpenBody, ReleaseBody, WriteBody};

/// The longest lease, and the longest time to wait for a lock.
const LONGEST_MS: u64 = 3_600_000;

/// The routes of the lock service and of the resource.
#[derive(Clone, Debug, Default)]
pub struct LockApi {
    /// What all systems on Raft share.
    pub raft: RaftRoutes,
}

impl Api for LockApi {
    type Request = LockRequest;
    type Response = LockResponse;

    fn route(&self, request: &HttpRequest) -> Result<LockRequest, HttpResponse> {
        let (path, query) = request.path_and_query.split_once('?').unwrap_or((&request.path_and_query, ""));
        if let Some(rest) = path.strip_prefix("/v1/locks/") {
            return lock_request(request, rest, query, false);
        }
        if let Some(rest) = path.strip_prefix("/v1/semaphores/") {
            return lock_request(request, rest, query, true);
        }
        if let Some(rest) = path.strip_prefix("/v1/resources/") {
            return resource_request(request, rest, query);
        }
        if let Some(rest) = path.strip_prefix("/v1/sessions/") {
            return session_request(request, rest);
        }
        match (path, request.method) {
            ("/v1/sessions", Method::Post) => open_session(&request.body),
            ("/v1/transfer-leadership", Method::Post) => self.raft.transfer(&request.body).map(shared),
            ("/v1/members", Method::Post) => self.raft.change_members(&request.body).map(shared),
            ("/v1/sessions" | "/v1/transfer-leadership" | "/v1/members", method) => {
                Err(method_not_allowed(path, method, "POST"))
            }
            _ => Err(not_found(path)),
        }
    }

    fn respond(&self, response: LockResponse) -> HttpResponse {
        answers::respond(&self.raft, response)
    }
}

/// A request that all systems on Raft take.
fn shared(request: Request<Query>) -> LockRequest {
    match request {
        Request::TransferLeadership { to } => LockRequest::TransferLeadership { to },
        Request::ChangeMembership(change) => LockRequest::ChangeMembership(change),
        Request::Query(query) => LockRequest::Query(query),
        Request::Command(_) => unreachable!("no shared route makes a command"),
    }
}

fn open_session(body: &[u8]) -> Result<LockRequest, HttpResponse> {
    let OpenBody { ttl_ms } =
        if body.is_empty() { OpenBody::default() } else { parse_body(body, r#"{"ttl_ms":10000}"#)? };
    if let Some(ttl_ms) = ttl_ms {
        check_time("ttl_ms", ttl_ms)?;
    }
    Ok(LockRequest::Command(Command::Open { ttl_ms }))
}

fn check_time(name: &str, time_ms: u64) -> Result<(), HttpResponse> {
    if time_ms <= LONGEST_MS {
        return Ok(());
    }
    Err(bad_request(format!("{name} is {time_ms}; the most is {LONGEST_MS}, an hour")))
}

/// `rest` is what follows `/v1/sessions/`: the session, and perhaps a slash and an action.
fn session_request(request: &HttpRequest, rest: &str) -> Result<LockRequest, HttpResponse> {
    let path = &request.path_and_query;
    let (number, action) = rest.split_once('/').map_or((rest, None), |(number, action)| (number, Some(action)));
    let number = number.parse().map_err(|_| bad_request(format!("{number:?} is no session; it must be a number")))?;
    let session = SessionId(number);
    match (action, request.method) {
        (None, Method::Get) => Ok(LockRequest::Query(Query::Session { session })),
        (None, Method::Delete) => Ok(LockRequest::Command(Command::Close { session })),
        (Some("keep-alive"), Method::Post) => Ok(LockRequest::Command(Command::KeepAlive { session })),
        (None, method) => Err(method_not_allowed(path, method, "GET or DELETE")),
        (Some("keep-alive"), method) => Err(method_not_allowed(path, method, "POST")),
        (Some(_), _) => Err(not_found(path)),
    }
}

/// `rest` is what follows `/v1/locks/` or `/v1/semaphores/`: the encoded key, and perhaps a slash and an action.
fn lock_request(
    request: &HttpRequest,
    rest: &str,
    query: &str,
    is_semaphore: bool,
) -> Result<LockRequest, HttpResponse> {
    let path = &request.path_and_query;
    let (key, action) = rest.split_once('/').map_or((rest, None), |(key, action)| (key, Some(action)));
    let key = parse_key(key)?;
    match (action, request.method) {
        (None, Method::Get) => Ok(LockRequest::Query(Query::Lock { key })),
        (Some("watch"), Method::Get) => Ok(LockRequest::Watch { key, after: number_in(query, "after")?.unwrap_or(0) }),
        (Some("acquire"), Method::Post) => {
            let body: AcquireBody = parse_body(&request.body, r#"{"permits":1,"wait_ms":1000}"#)?;
            check_time("wait_ms", body.wait_ms)?;
            let of = match (is_semaphore, body.of) {
                (true, Some(of)) if of > 0 => of,
                (true, _) => return Err(bad_request("a semaphore needs `of`, the permits that it has")),
                (false, None) => 1,
                (false, Some(_)) => return Err(bad_request("a lock has one permit; `of` is for /v1/semaphores")),
            };
            check_permits(body.permits)?;
            in_session(query, Action::Acquire { key, permits: body.permits, of, wait_us: body.wait_ms * 1000 })
        }
        (Some("release"), Method::Post) => {
            let ReleaseBody { permits } = if request.body.is_empty() {
                ReleaseBody::default()
            } else {
                parse_body(&request.body, r#"{"permits":1}"#)?
            };
            check_permits(permits)?;
            in_session(query, Action::Release { key, permits })
        }
        (None | Some("watch"), method) => Err(method_not_allowed(path, method, "GET")),
        (Some("acquire" | "release"), method) => Err(method_not_allowed(path, method, "POST")),
        (Some(_), _) => Err(not_found(path)),
    }
}

fn check_permits(permits: u32) -> Result<(), HttpResponse> {
    if permits > 0 { Ok(()) } else { Err(bad_request("permits is 0; it must be at least 1")) }
}

fn in_session(query: &str, action: Action) -> Result<LockRequest, HttpResponse> {
    let used = SessionUse::parse(query).map_err(bad_request)?;
    let SessionUse { session, sequence, awaiting } =
        used.ok_or_else(|| bad_request("a session is needed: ?session=17&sequence=1"))?;
    let session = SessionId(session.0);
    Ok(LockRequest::Command(Command::InSession { session, sequence, awaiting, action }))
}

fn resource_request(request: &HttpRequest, key: &str, query: &str) -> Result<LockRequest, HttpResponse> {
    let key = parse_key(key)?;
    let token = number_in(query, "token")?;
    Ok(LockRequest::Resource(match request.method {
        Method::Get => ResourceRequest::Read { key, token },
        Method::Put => {
            let WriteBody { value } = parse_body(&request.body, r#"{"value":[1,2]}"#)?;
            let content = match value {
                OneOrMany::One(value) => Content::Register(value),
                OneOrMany::Many(elements) => Content::Set(elements.into_iter().collect()),
            };
            ResourceRequest::Write { key, content, token }
        }
        method @ (Method::Post | Method::Delete) => {
            return Err(method_not_allowed(&request.path_and_query, method, "GET or PUT"));
        }
    }))
}

fn parse_key(key: &str) -> Result<Key, HttpResponse> {
    if key.is_empty() {
        return Err(bad_request("the key is empty"));
    }
    Ok(Key::from(&*percent_decode(key).map_err(bad_request)?))
}

/// The only field that the query may have.
fn number_in(query: &str, name: &str) -> Result<Option<u64>, HttpResponse> {
    if query.is_empty() {
        return Ok(None);
    }
    let number = query.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')).and_then(|text| text.parse().ok());
    number.map(Some).ok_or_else(|| bad_request(format!("the query is {query:?}; it must be like {name}=17")))
}

fn bad_request(message: impl Into<String>) -> HttpResponse {
    ErrorBody::new(ErrorCode::BadRequest, message).into_response()
}

fn not_found(path: &str) -> HttpResponse {
    let message = format!(
        "no path {path}; there are /v1/sessions, /v1/sessions/S, /v1/sessions/S/keep-alive, /v1/locks/KEY with /acquire, \
         /release and /watch, the same under /v1/semaphores, /v1/resources/KEY, /v1/members, /v1/status and \
         /v1/transfer-leadership"
    );
    ErrorBody::new(ErrorCode::NotFound, message).into_response()
}

fn method_not_allowed(path: &str, method: Method, allowed: &str) -> HttpResponse {
    let message = format!("{path} takes {allowed}, not {}", method.as_str());
    ErrorBody::new(ErrorCode::MethodNotAllowed, message).into_response()
}

#[cfg(test)]
mod tests;
