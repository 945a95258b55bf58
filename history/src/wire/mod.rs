//! Events and lines of JSON. One flat object a line; the fields stand in `docs/HISTORY.md`.

#[cfg(test)]
mod agreement;
mod call;
mod cursor;
mod read;
mod scan;
mod write;

pub(crate) use read::read_line;
pub(crate) use scan::{ScannedKind, Scanner};
pub(crate) use write::write_line;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Call, ClientEvent, ClientEventKind, Event, FaultPhase, Key, MicroOp, NemesisEvent, Outcome, ProcessId, Record,
        Returned, Seen, TimeNs, Value,
    };

    fn client(call: Call, kind: ClientEventKind) -> Event {
        Event::Client(ClientEvent {
            index: 4,
            time: TimeNs(12_345),
            process: ProcessId(3),
            node: Some("n1".into()),
            is_final: false,
            call,
            kind,
        })
    }

    fn round_trip(event: &Event) -> String {
        let mut line = Vec::new();
        write_line(event, &mut line);
        let text = String::from_utf8(line).unwrap();
        assert_eq!(&read_line(text.trim_end(), 0).unwrap(), event, "{text}");
        text
    }

    #[test]
    fn a_write_has_jepsens_field_names() {
        let event = client(Call::Write { key: "7".into(), value: 12.into() }, ClientEventKind::Invoke);
        let line = round_trip(&event);
        let expected =
            r#"{"index":4,"time":12345,"process":3,"type":"invoke","f":"write","key":"7","value":12,"node":"n1"}"#;
        assert_eq!(line.trim_end(), expected);
    }

    #[test]
    fn every_call_and_outcome_survives_a_round_trip() {
        let key = Key::from("k \"quoted\"\n");
        let from = Value::Nil;
        let to = Value::from("text");
        let complete = |returned| ClientEventKind::Complete(Outcome::Ok(returned));
        let events = [
            client(Call::Read { key: key.clone() }, ClientEventKind::Invoke),
            client(Call::Read { key: key.clone() }, complete(Returned::Value(Value::Nil))),
            client(Call::Read { key: key.clone() }, complete(Returned::Value(Value::Int(-4)))),
            client(Call::Read { key: key.clone() }, complete(Returned::List(vec![]))),
            client(Call::Read { key: key.clone() }, complete(Returned::List(vec![1.into(), "a".into()]))),
            client(Call::Append { key: key.clone(), value: 1.into() }, complete(Returned::Done)),
            client(
                Call::Add { key: key.clone(), value: 1.into() },
                ClientEventKind::Complete(Outcome::Fail("no".into())),
            ),
            client(Call::Delete { key: key.clone() }, ClientEventKind::Complete(Outcome::Info("timeout".into()))),
        ];
        for event in &events {
            round_trip(event);
        }
        for returned in [
            Returned::Swapped,
            Returned::NotSwapped { current: None },
            Returned::NotSwapped { current: Some(Value::Nil) },
            Returned::NotSwapped { current: Some(5.into()) },
        ] {
            let call = Call::Cas { key: key.clone(), from: from.clone(), to: to.clone() };
            round_trip(&client(call, complete(returned)));
        }
        round_trip(&Event::Nemesis(NemesisEvent {
            index: 0,
            time: TimeNs(0),
            fault: 2,
            f: "partition".into(),
            phase: FaultPhase::Bites,
            detail: "n1 | n2 n3".into(),
        }));
    }

    #[test]
    fn every_call_of_the_other_objects_survives_a_round_trip() {
        let (key, owner) = (Key::from("k"), Value::from("c1"));
        let element = Value::Int(3);
        let read = |seen| MicroOp::Read { key: key.clone(), seen };
        let others = [
            MicroOp::Write { key: key.clone(), value: 1.into() },
            MicroOp::Append { key: key.clone(), value: "a".into() },
        ];
        let record = Record { key: key.clone(), offset: 7, value: element.clone() };
        let versioned = |returned| Returned::Versioned { version: 9, returned: Box::new(returned) };
        let seen = [Seen::Value(Value::Nil), Seen::Value(4.into()), Seen::List(vec![1.into(), 2.into()])];
        let committed = seen.into_iter().map(|seen| read(Some(seen))).chain(others.clone()).collect();
        let asked = [read(None), read(None), read(None)].into_iter().chain(others).collect();
        let answered = [
            (Call::Remove { key: key.clone(), value: element.clone() }, Returned::Flag(true)),
            (Call::Add { key: key.clone(), value: element.clone() }, Returned::Flag(false)),
            (Call::Contains { key: key.clone(), value: element.clone() }, Returned::Flag(true)),
            (Call::Increment { key: key.clone(), by: -2 }, Returned::Done),
            (Call::Increment { key: key.clone(), by: 2 }, Returned::Value(5.into())),
            (Call::Enqueue { key: key.clone(), value: element.clone() }, Returned::Done),
            (Call::Dequeue { key: key.clone() }, Returned::Value(Value::Nil)),
            (Call::Drain { key: key.clone() }, Returned::List(vec![element.clone()])),
            (Call::OpenSession { owner: owner.clone() }, Returned::Done),
            (Call::KeepAlive { owner: owner.clone() }, Returned::Done),
            (Call::Acquire { key: key.clone(), owner: owner.clone(), permits: 1 }, Returned::Token(33)),
            (Call::Release { key: key.clone(), owner, permits: 3 }, Returned::Done),
            (Call::Generate { key: key.clone() }, Returned::Value("id".into())),
            (Call::Transfer { from: key.clone(), to: "b".into(), amount: 10 }, Returned::Done),
            (Call::Read { key: "".into() }, Returned::Map(vec![("a".into(), 1.into()), (key.clone(), 2.into())])),
            (Call::Send { key: key.clone(), value: element }, Returned::Offset(7)),
            (Call::Poll { keys: vec![] }, Returned::Records(vec![record])),
            (Call::Assign { keys: vec![key.clone()] }, Returned::Done),
            (Call::Read { key: key.clone() }, versioned(Returned::Value(3.into()))),
            (Call::Add { key: key.clone(), value: 3.into() }, versioned(Returned::Token(33))),
            (Call::Add { key: key.clone(), value: 3.into() }, versioned(Returned::Done)),
            (Call::Write { key, value: 3.into() }, versioned(Returned::Done)),
            (Call::Txn { ops: asked }, Returned::Txn(committed)),
        ];
        for (call, returned) in answered {
            round_trip(&client(call.clone(), ClientEventKind::Invoke));
            round_trip(&client(call.clone(), ClientEventKind::Complete(Outcome::Info("timeout".into()))));
            round_trip(&client(call, ClientEventKind::Complete(Outcome::Ok(returned))));
        }
    }

    #[test]
    fn a_transaction_is_written_as_jepsen_does() {
        let ops =
            vec![MicroOp::Read { key: "x".into(), seen: None }, MicroOp::Append { key: "y".into(), value: 1.into() }];
        let line = round_trip(&client(Call::Txn { ops }, ClientEventKind::Invoke));
        assert!(line.contains(r#""f":"txn","value":[["r","x",null],["append","y",1]]"#), "{line}");
    }

    #[test]
    fn a_session_is_told_by_its_owner() {
        let line = round_trip(&client(Call::KeepAlive { owner: "s4".into() }, ClientEventKind::Invoke));
        assert!(line.contains(r#""f":"keep-alive","owner":"s4","node":"n1""#), "{line}");
    }

    #[test]
    fn whoever_does_not_name_an_owner_is_it() {
        let line = r#"{"time":1,"process":3,"type":"invoke","f":"acquire","key":"l"}"#;
        let Ok(Event::Client(event)) = read_line(line, 0) else { panic!("a sound line") };
        assert_eq!(event.call, Call::Acquire { key: "l".into(), owner: 3.into(), permits: 1 });
        let line = r#"{"time":1,"process":3,"type":"invoke","f":"open-session"}"#;
        let Ok(Event::Client(event)) = read_line(line, 0) else { panic!("a sound line") };
        assert_eq!(event.call, Call::OpenSession { owner: 3.into() });
    }
}
