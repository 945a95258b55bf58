//! Every path, and what makes no sense.

use bytes::Bytes;

use super::*;
use crate::lock::command::{Answer, LockRefusal, LockView};
use crate::lock::resource::ResourceAnswer;
use crate::raft::{Change, Refusal, Response};
use crate::server::NodeId;

fn http(method: Method, path_and_query: &str, body: &str) -> HttpRequest {
    HttpRequest { method, path_and_query: path_and_query.into(), body: Bytes::copy_from_slice(body.as_bytes()) }
}

fn error_of(response: &HttpResponse) -> (u16, ErrorCode) {
    let body: ErrorBody = serde_json::from_slice(&response.body).unwrap();
    (response.status, body.error)
}

#[test]
fn every_path_becomes_its_request() {
    let key = || Key::from("a/b");
    let session = SessionId(7);
    let in_session = |action| LockRequest::Command(Command::InSession { session, sequence: 2, awaiting: 1, action });
    let used = "?session=7&sequence=2&awaiting=1";
    let acquire = |permits, of, wait_us| in_session(Action::Acquire { key: key(), permits, of, wait_us });
    let register = |value| Content::Register(value);
    let write = |content, token| LockRequest::Resource(ResourceRequest::Write { key: key(), content, token });
    let cases = [
        (Method::Post, "/v1/sessions".into(), "", LockRequest::Command(Command::Open { ttl_ms: None })),
        (
            Method::Post,
            "/v1/sessions".into(),
            r#"{"ttl_ms":9}"#,
            LockRequest::Command(Command::Open { ttl_ms: Some(9) }),
        ),
        (Method::Get, "/v1/sessions/7".into(), "", LockRequest::Query(Query::Session { session })),
        (Method::Delete, "/v1/sessions/7".into(), "", LockRequest::Command(Command::Close { session })),
        (Method::Post, "/v1/sessions/7/keep-alive".into(), "", LockRequest::Command(Command::KeepAlive { session })),
        (Method::Get, "/v1/locks/a%2Fb".into(), "", LockRequest::Query(Query::Lock { key: key() })),
        (Method::Get, "/v1/locks/a%2Fb/watch?after=5".into(), "", LockRequest::Watch { key: key(), after: 5 }),
        (Method::Get, "/v1/semaphores/a%2Fb/watch".into(), "", LockRequest::Watch { key: key(), after: 0 }),
        (Method::Post, format!("/v1/locks/a%2Fb/acquire{used}"), "{}", acquire(1, 1, 0)),
        (Method::Post, format!("/v1/locks/a%2Fb/acquire{used}"), r#"{"wait_ms":20}"#, acquire(1, 1, 20_000)),
        (Method::Post, format!("/v1/semaphores/a%2Fb/acquire{used}"), r#"{"permits":2,"of":3}"#, acquire(2, 3, 0)),
        (
            Method::Post,
            format!("/v1/locks/a%2Fb/release{used}"),
            "",
            in_session(Action::Release { key: key(), permits: 1 }),
        ),
        (
            Method::Get,
            "/v1/resources/a%2Fb?token=4".into(),
            "",
            LockRequest::Resource(ResourceRequest::Read { key: key(), token: Some(4) }),
        ),
        (Method::Put, "/v1/resources/a%2Fb".into(), r#"{"value":1}"#, write(register(1.into()), None)),
        (
            Method::Put,
            "/v1/resources/a%2Fb?token=4".into(),
            r#"{"value":[2,1]}"#,
            write(Content::Set([1.into(), 2.into()].into()), Some(4)),
        ),
        (
            Method::Post,
            "/v1/transfer-leadership".into(),
            r#"{"to":2}"#,
            LockRequest::TransferLeadership { to: NodeId(2) },
        ),
        (
            Method::Post,
            "/v1/members".into(),
            r#"{"remove":2}"#,
            LockRequest::ChangeMembership(Change::Remove(NodeId(2))),
        ),
    ];
    for (method, path, body, expected) in cases {
        assert_eq!(LockApi::default().route(&http(method, &path, body)), Ok(expected), "{path} {body}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_with_its_code() {
    let used = "?session=1&sequence=1";
    let cases = [
        (Method::Get, "/".to_owned(), "", 404, ErrorCode::NotFound),
        (Method::Get, "/v1/locks/k/size".into(), "", 404, ErrorCode::NotFound),
        (Method::Get, "/v1/locks/".into(), "", 400, ErrorCode::BadRequest),
        (Method::Get, "/v1/locks/%zz".into(), "", 400, ErrorCode::BadRequest),
        (Method::Post, "/v1/locks/k/acquire".into(), "{}", 400, ErrorCode::BadRequest),
        (Method::Post, format!("/v1/locks/k/acquire{used}"), "", 400, ErrorCode::BadRequest),
        (Method::Post, format!("/v1/locks/k/acquire{used}"), r#"{"permits":0}"#, 400, ErrorCode::BadRequest),
        (Method::Post, format!("/v1/locks/k/acquire{used}"), r#"{"of":3}"#, 400, ErrorCode::BadRequest),
        (Method::Post, format!("/v1/locks/k/acquire{used}"), r#"{"wait":3}"#, 400, ErrorCode::BadRequest),
        (Method::Post, format!("/v1/locks/k/acquire{used}"), r#"{"wait_ms":9999999}"#, 400, ErrorCode::BadRequest),
        (Method::Post, format!("/v1/semaphores/k/acquire{used}"), "{}", 400, ErrorCode::BadRequest),
        (Method::Get, "/v1/locks/k/watch?before=3".into(), "", 400, ErrorCode::BadRequest),
        (Method::Put, "/v1/locks/k".into(), "", 405, ErrorCode::MethodNotAllowed),
        (Method::Get, "/v1/locks/k/acquire".into(), "", 405, ErrorCode::MethodNotAllowed),
        (Method::Get, "/v1/sessions".into(), "", 405, ErrorCode::MethodNotAllowed),
        (Method::Get, "/v1/sessions/x".into(), "", 400, ErrorCode::BadRequest),
        (Method::Put, "/v1/sessions/1".into(), "", 405, ErrorCode::MethodNotAllowed),
        (Method::Put, "/v1/resources/k".into(), "{", 400, ErrorCode::BadRequest),
        (Method::Put, "/v1/resources/k?token=x".into(), r#"{"value":1}"#, 400, ErrorCode::BadRequest),
        (Method::Delete, "/v1/resources/k".into(), "", 405, ErrorCode::MethodNotAllowed),
    ];
    for (method, path, body, status, code) in cases {
        let refused = LockApi::default().route(&http(method, &path, body)).unwrap_err();
        assert_eq!(error_of(&refused), (status, code), "{} {path} {body}", method.as_str());
    }
}

#[test]
fn every_answer_has_its_status_and_its_body() {
    let api = LockApi::default();
    let text = |answer| {
        let response = api.respond(LockResponse::Raft(Response::Answer(answer)));
        (response.status, String::from_utf8(response.body.to_vec()).unwrap())
    };
    assert_eq!(text(Answer::Opened { session: SessionId(3), ttl_ms: 9 }), (200, r#"{"session":3,"ttl_ms":9}"#.into()));
    assert_eq!(text(Answer::Granted { token: 33 }), (200, r#"{"token":33}"#.into()));
    assert_eq!(text(Answer::Released), (200, r#"{"ok":true}"#.into()));
    let empty = r#"{"version":0,"of":0,"holders":[],"queue":[]}"#;
    assert_eq!(text(Answer::Lock(LockView::default())), (200, empty.into()));

    let refused = |answer| error_of(&api.respond(LockResponse::Raft(Response::Answer(answer))));
    assert_eq!(refused(Answer::TimedOut), (409, ErrorCode::TimeoutWaiting));
    assert_eq!(refused(Answer::Busy), (409, ErrorCode::Busy));
    let cases = [
        (LockRefusal::UnknownSession, 410, ErrorCode::UnknownSession),
        (LockRefusal::SessionExpired, 410, ErrorCode::SessionExpired),
        (LockRefusal::StaleSequence, 409, ErrorCode::StaleSequence),
        (LockRefusal::TooManyAwaited, 429, ErrorCode::TooManyAwaited),
        (LockRefusal::TooManySessions { most: 4 }, 429, ErrorCode::TooManySessions),
        (LockRefusal::NotHeld { held: 0 }, 409, ErrorCode::NotHeld),
        (LockRefusal::TooManyPermits { most: 3 }, 409, ErrorCode::TooManyPermits),
        (LockRefusal::OtherSize { of: 3 }, 409, ErrorCode::WrongKind),
        (LockRefusal::Malformed, 400, ErrorCode::BadRequest),
    ];
    for (refusal, status, code) in cases {
        assert_eq!(refused(Answer::Refused(refusal)), (status, code));
    }
    let stale = api.respond(LockResponse::Resource(ResourceAnswer::StaleToken { token: 3, highest: 4 }));
    assert_eq!(error_of(&stale), (409, ErrorCode::StaleToken));
    let not_here = api.respond(LockResponse::NotHere { is_resource: true });
    assert_eq!(error_of(&not_here), (404, ErrorCode::NotFound));
    let follower = api.respond(LockResponse::Raft(Response::Refused(Refusal::NotLeader { leader: None })));
    assert_eq!(error_of(&follower), (421, ErrorCode::NotLeader));
}
