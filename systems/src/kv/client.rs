//! The client's side, without a socket: a call becomes a request, a response becomes an outcome.

use bytes::Bytes;
use rashomon_history::{Call, Outcome, Returned};
use serde::{Deserialize, Serialize};

use super::routes::{CasOut, DoneBody, OneOrMany, ReadBody, SwapBody, ValueOut};
use crate::api::{
    HttpRequest, HttpResponse, Method, SessionUse, TransportError, Unanswered, percent_encode, read_reply,
};

/// Room for all of a path but the key.
const PATH_BYTES: usize = 64;

/// How this call is asked. `used` makes a retry safe: send the very same request again. A read needs no session, and takes
/// none. `None` of a call that the store does not know.
#[must_use]
pub fn request(call: &Call, used: Option<SessionUse>) -> Option<HttpRequest> {
    let key = call.key()?.as_str();
    let mut path_and_query = String::with_capacity(PATH_BYTES + key.len());
    path_and_query.push_str("/v1/kv/");
    percent_encode(key, &mut path_and_query);
    let value = |value| json(&ValueOut { value });
    let (method, action, body) = match call {
        Call::Read { .. } => return Some(HttpRequest { method: Method::Get, path_and_query, body: Bytes::new() }),
        Call::Write { value: written, .. } => (Method::Put, "", value(written)),
        Call::Cas { from, to, .. } => (Method::Post, "/cas", json(&CasOut { from, to })),
        Call::Append { value: element, .. } => (Method::Post, "/append", value(element)),
        Call::Add { value: element, .. } => (Method::Post, "/add", value(element)),
        Call::Delete { .. } => (Method::Delete, "", Bytes::new()),
        _ => return None,
    };
    path_and_query.push_str(action);
    if let Some(used) = used {
        path_and_query.push('?');
        used.write_query(&mut path_and_query);
    }
    Some(HttpRequest { method, path_and_query, body })
}

fn json(body: &impl Serialize) -> Bytes {
    serde_json::to_vec(body).expect("structs of numbers and texts become JSON in memory").into()
}

/// What one attempt at this call brought back.
///
/// # Errors
/// Whatever is no answer.
pub fn reply(call: &Call, result: &Result<HttpResponse, TransportError>) -> Result<Returned, Unanswered> {
    read_reply(result, |body| returned(call, body))
}

/// What became of one attempt at this call. `fail` only where it certainly did not happen and never will.
#[must_use]
pub fn outcome(call: &Call, result: &Result<HttpResponse, TransportError>) -> Outcome {
    reply(call, result).map_or_else(Outcome::from, Outcome::Ok)
}

/// What became of a command of a session after one more attempt at it. It happened at most once, so one `ok` decides; it
/// certainly did not happen only if no attempt did.
#[must_use]
pub fn merge_attempts(earlier: Outcome, later: Outcome) -> Outcome {
    match (earlier, later) {
        (ok @ Outcome::Ok(_), _) | (_, ok @ Outcome::Ok(_)) => ok,
        (Outcome::Fail(_), fail @ Outcome::Fail(_)) => fail,
        (Outcome::Info(first), Outcome::Fail(then) | Outcome::Info(then))
        | (Outcome::Fail(first), Outcome::Info(then)) => Outcome::Info(format!("{first}; then {then}")),
    }
}

fn returned(call: &Call, body: &[u8]) -> Option<Returned> {
    match call {
        Call::Read { .. } => Some(match parse::<ReadBody>(body)?.value {
            OneOrMany::One(value) => Returned::Value(value),
            OneOrMany::Many(values) => Returned::List(values),
        }),
        Call::Cas { .. } => {
            let body: SwapBody = parse(body)?;
            Some(if body.swapped { Returned::Swapped } else { Returned::NotSwapped { current: body.current } })
        }
        _ => parse::<DoneBody>(body)?.ok.then_some(Returned::Done),
    }
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Option<T> {
    serde_json::from_slice(body).ok()
}

#[cfg(test)]
mod tests {
    use rashomon_history::Value;

    use super::*;
    use crate::api::{Api, ErrorBody, ErrorCode};
    use crate::kv::{Answer, KvApi, Object, ObjectKind, session_kv};
    use crate::raft::{Refusal, Request, Response, StateMachine};
    use crate::session::{SessionAnswer, SessionId, SessionOptions, SessionRefusal};

    fn calls() -> Vec<Call> {
        let key = || "a/b".into();
        vec![
            Call::Read { key: key() },
            Call::Write { key: key(), value: 1.into() },
            Call::Cas { key: key(), from: 1.into(), to: "two".into() },
            Call::Cas { key: key(), from: 1.into(), to: 3.into() },
            Call::Delete { key: key() },
            Call::Cas { key: key(), from: 1.into(), to: 3.into() },
            Call::Append { key: key(), value: Value::Nil },
            Call::Read { key: key() },
            Call::Delete { key: key() },
            Call::Add { key: key(), value: 5.into() },
            Call::Append { key: key(), value: 1.into() },
            Call::Read { key: key() },
        ]
    }

    /// Client, routes and state machine joined without Raft.
    fn run(calls: &[Call], used: impl Fn(u64) -> Option<SessionUse>) -> Vec<Outcome> {
        let (api, mut machine) = (KvApi::default(), session_kv(SessionOptions::default()));
        machine.apply(1, &crate::session::Command::Open.encode());
        let mut outcomes = Vec::new();
        for (index, call) in (2..).zip(calls) {
            let answer = match api.route(&request(call, used(index)).unwrap()).unwrap() {
                Request::Command(command) => machine.apply(index, &command),
                Request::Query(query) => machine.query(&query),
                Request::TransferLeadership { .. } | Request::ChangeMembership(_) => {
                    unreachable!("no call does that")
                }
            };
            outcomes.push(outcome(call, &Ok(api.respond(Response::Answer(answer)))));
        }
        outcomes
    }

    #[test]
    fn every_call_comes_back_with_its_outcome() {
        let not_swapped = |current| Outcome::Ok(Returned::NotSwapped { current: Some(current) });
        let expected = [
            Outcome::Ok(Returned::Value(Value::Nil)),
            Outcome::Ok(Returned::Done),
            Outcome::Ok(Returned::Swapped),
            not_swapped("two".into()),
            Outcome::Ok(Returned::Done),
            not_swapped(Value::Nil),
            Outcome::Ok(Returned::Done),
            Outcome::Ok(Returned::List(vec![Value::Nil])),
            Outcome::Ok(Returned::Done),
            Outcome::Ok(Returned::Done),
            Outcome::Fail("wrong-kind: the object is a set, which can't do this; nothing was changed".into()),
            Outcome::Ok(Returned::List(vec![5.into()])),
        ];
        assert_eq!(run(&calls(), |_| None), expected);
        let used = |index| Some(SessionUse { session: SessionId(1), sequence: index, awaiting: index });
        assert_eq!(run(&calls(), used), expected);
    }

    #[test]
    fn only_what_certainly_did_not_happen_is_fail() {
        let api = KvApi::default();
        let write = Call::Write { key: "k".into(), value: 1.into() };
        let certain = [
            api.respond(Response::Refused(Refusal::NotLeader { leader: None })),
            api.respond(Response::Refused(Refusal::Overloaded)),
            api.respond(Response::Refused(Refusal::Transferring)),
            api.respond(Response::Refused(Refusal::Superseded)),
            api.respond(Response::Answer(SessionAnswer::Refused(SessionRefusal::UnknownSession))),
            api.respond(Response::Answer(SessionAnswer::Answer(Answer::WrongKind { is: ObjectKind::List }))),
            ErrorBody::new(ErrorCode::TooLarge, "").into_response(),
        ];
        for response in certain {
            assert!(matches!(outcome(&write, &Ok(response.clone())), Outcome::Fail(_)), "{response:?}");
        }
        let page = |status, body: &'static str| HttpResponse { status, body: Bytes::from_static(body.as_bytes()) };
        let unknown = [
            api.respond(Response::Unknown),
            ErrorBody::new(ErrorCode::OutcomeUnknown, "").into_response(),
            page(502, "<html>"),
            page(200, ""),
            page(200, "{}"),
            page(200, r#"{"ok":false}"#),
            page(204, r#"{"ok":true}"#),
            page(500, r#"{"error":"not-leader","message":""}"#),
            page(421, r#"{"error":"new-code","message":""}"#),
        ];
        for response in unknown {
            assert!(matches!(outcome(&write, &Ok(response.clone())), Outcome::Info(_)), "{response:?}");
        }
    }

    #[test]
    fn a_lost_connection_is_certain_only_before_anything_was_sent() {
        let write = Call::Write { key: "k".into(), value: 1.into() };
        assert!(matches!(outcome(&write, &Err(TransportError::NotSent("refused".into()))), Outcome::Fail(_)));
        assert!(matches!(outcome(&write, &Err(TransportError::Broken("reset".into()))), Outcome::Info(_)));
        assert!(matches!(outcome(&write, &Err(TransportError::Timeout)), Outcome::Info(_)));
    }

    #[test]
    fn a_read_of_an_object_of_any_kind_is_understood() {
        let read = Call::Read { key: "k".into() };
        let answer = |object| {
            let answer = SessionAnswer::Answer(Answer::Object(Some(object)));
            outcome(&read, &Ok(KvApi::default().respond(Response::Answer(answer))))
        };
        assert_eq!(answer(Object::Register("x".into())), Outcome::Ok(Returned::Value("x".into())));
        assert_eq!(answer(Object::List(vec![])), Outcome::Ok(Returned::List(vec![])));
        assert_eq!(answer(Object::Set([1.into()].into())), Outcome::Ok(Returned::List(vec![1.into()])));
    }

    #[test]
    fn a_refused_retry_leaves_open_what_the_first_attempt_did() {
        let (fail, info) = (|| Outcome::Fail("f".into()), || Outcome::Info("i".into()));
        let ok = || Outcome::Ok(Returned::Done);
        assert_eq!(merge_attempts(info(), ok()), ok());
        assert_eq!(merge_attempts(fail(), ok()), ok());
        assert_eq!(merge_attempts(fail(), fail()), fail());
        assert!(matches!(merge_attempts(info(), fail()), Outcome::Info(_)));
        assert!(matches!(merge_attempts(fail(), info()), Outcome::Info(_)));
    }
}
