//! What the servers answer, as HTTP.

use rashomon_history::Value;

use super::bad_request;
use super::bodies::{DoneBody, GrantedBody, OneOrMany, OpenedBody, ReadBody, RenewedBody, WrittenBody};
use crate::api::{ErrorBody, ErrorCode, HttpResponse, RaftRoutes};
use crate::lock::command::{Answer, LockRefusal};
use crate::lock::resource::{Content, ResourceAnswer};
use crate::lock::server::LockResponse;
use crate::raft::Response;

/// Writes a response.
pub(super) fn respond(raft: &RaftRoutes, response: LockResponse) -> HttpResponse {
    match response {
        LockResponse::Raft(Response::Answer(answer)) => respond_answer(answer),
        LockResponse::Raft(Response::Transferred | Response::Changed) => raft.done(),
        LockResponse::Raft(Response::Refused(refusal)) => raft.refused(refusal),
        LockResponse::Raft(Response::Unknown) => raft.unknown(),
        LockResponse::Resource(answer) => respond_resource(answer),
        LockResponse::NotHere { is_resource } => {
            let message = if is_resource {
                "this is the guarded resource: it knows nothing of locks and sessions"
            } else {
                "this is a member of the lock service: the guarded resource is another server"
            };
            error(ErrorCode::NotFound, message)
        }
    }
}

fn error(code: ErrorCode, message: impl Into<String>) -> HttpResponse {
    ErrorBody::new(code, message).into_response()
}

fn respond_answer(answer: Answer) -> HttpResponse {
    match answer {
        Answer::Opened { session, ttl_ms } => HttpResponse::ok(&OpenedBody { session, ttl_ms }),
        Answer::Renewed { ttl_ms } => HttpResponse::ok(&RenewedBody { ok: true, ttl_ms }),
        Answer::Closed | Answer::Released | Answer::Advanced => HttpResponse::ok(&DoneBody { ok: true }),
        Answer::Granted { token } => HttpResponse::ok(&GrantedBody { token }),
        Answer::Lock(view) => HttpResponse::ok(&view),
        Answer::Session(view) => HttpResponse::ok(&view),
        Answer::Waiting { .. } => error(ErrorCode::OutcomeUnknown, "the acquire waits in the queue"),
        Answer::TimedOut => error(
            ErrorCode::TimeoutWaiting,
            "the permits were not free in time; the acquire has left the queue and never happens",
        ),
        Answer::Busy => error(ErrorCode::Busy, "the permits are not free; nothing was acquired"),
        Answer::Refused(refusal) => refused(refusal),
    }
}

fn refused(refusal: LockRefusal) -> HttpResponse {
    let code = match refusal {
        LockRefusal::UnknownSession => ErrorCode::UnknownSession,
        LockRefusal::SessionExpired => ErrorCode::SessionExpired,
        LockRefusal::StaleSequence => ErrorCode::StaleSequence,
        LockRefusal::TooManyAwaited => ErrorCode::TooManyAwaited,
        LockRefusal::TooManySessions { .. } => ErrorCode::TooManySessions,
        LockRefusal::NotHeld { .. } => ErrorCode::NotHeld,
        LockRefusal::TooManyPermits { .. } => ErrorCode::TooManyPermits,
        LockRefusal::OtherSize { .. } => ErrorCode::WrongKind,
        LockRefusal::Malformed => ErrorCode::BadRequest,
    };
    error(code, refusal.to_string())
}

fn respond_resource(answer: ResourceAnswer) -> HttpResponse {
    match answer {
        ResourceAnswer::Read { content, version, token } => {
            let value = match content {
                None => OneOrMany::One(Value::Nil),
                Some(Content::Register(value)) => OneOrMany::One(value),
                Some(Content::Set(elements)) => OneOrMany::Many(elements.into_iter().collect()),
            };
            HttpResponse::ok(&ReadBody { value, version, token })
        }
        ResourceAnswer::Written { version } => HttpResponse::ok(&WrittenBody { version }),
        ResourceAnswer::StaleToken { token, highest } => error(
            ErrorCode::StaleToken,
            format!("token {token} is below {highest}, which was seen before; nothing was changed"),
        ),
        ResourceAnswer::TokenMissing => bad_request("a write needs the fencing token of its lock: ?token=33"),
    }
}
