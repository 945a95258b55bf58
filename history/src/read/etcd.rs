//! Porcupine's etcd logs: what Jepsen's etcd test of old printed, `INFO  jepsen.util - 0 :invoke :cas [3 0]`, with tabs.

use crate::read::Trouble;
use crate::read::input::Input;
use crate::read::pairing::{Clock, Pairing, Place};
use crate::{Call, Outcome, ProcessId, Returned, Value};

/// What stands before every operation.
pub(crate) const MARK: &str = "jepsen.util - ";

/// Reads all lines; also says how many bytes of a torn last line were left out.
pub(crate) fn read(input: &mut Input<'_>) -> Result<(Pairing, usize), Trouble> {
    let mut pairing = Pairing::new(Clock::Lenient);
    let mut number = 0;
    while let Some(line) = input.line()? {
        number += 1;
        if !line.is_whole {
            // A number that was cut is a number too: what has no line break can't be trusted.
            return Ok((pairing, line.bytes.len()));
        }
        let wrong = |reason| Trouble::Line { line: number, reason };
        let text = std::str::from_utf8(line.bytes)
            .map_err(|error| wrong(format!("not UTF-8 ({error}): is this a log of Jepsen?")))?;
        // Between the operations stand other lines of the log.
        if let Some((_, told)) = text.split_once(MARK) {
            operation(told, number, &mut pairing).map_err(wrong)?;
        }
    }
    Ok((pairing, 0))
}

fn operation(told: &str, line: usize, pairing: &mut Pairing) -> Result<(), String> {
    let (process, rest) = word(told);
    let (kind, rest) = word(rest);
    let (f, argument) = word(rest);
    // The nemesis has a name instead of a number.
    let Ok(process) = process.parse().map(ProcessId) else { return Ok(()) };
    let argument = argument.trim();
    let place = Place { line, index: None, time: None };
    let outcome = match (kind, f) {
        (":invoke", _) => {
            let call = call(f, argument, pairing)?;
            return pairing.invoke(&place, process, call).map(|_| ());
        }
        (":ok", ":read") => Outcome::Ok(Returned::Value(value(argument)?)),
        (":ok", ":write") => Outcome::Ok(Returned::Done),
        (":ok", ":cas") => Outcome::Ok(Returned::Swapped),
        // etcd answered that it found another value: that is seen, and is checked.
        (":fail", ":cas") => Outcome::Ok(Returned::NotSwapped { current: None }),
        (":fail", _) => Outcome::Fail(argument.trim_start_matches(':').into()),
        (":info", _) => Outcome::Info(argument.trim_start_matches(':').into()),
        _ => {
            return Err(format!(
                "{kind} {f} is no event; one is :invoke, :ok, :fail or :info of :read, :write or :cas"
            ));
        }
    };
    pairing.complete(&place, process, None, outcome)
}

/// The first word, and what follows it.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    text.split_once(char::is_whitespace).unwrap_or((text, ""))
}

fn call(f: &str, argument: &str, pairing: &mut Pairing) -> Result<Call, String> {
    let key = pairing.names().key("x");
    Ok(match f {
        ":read" => Call::Read { key },
        ":write" => Call::Write { key, value: value(argument)? },
        ":cas" => {
            let pair = argument.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
            let Some((from, to)) = pair.and_then(|pair| pair.split_once(' ')) else {
                return Err(format!("the value of a cas is {argument}; it must be [from to]"));
            };
            Call::Cas { key, from: value(from)?, to: value(to)? }
        }
        _ => return Err(format!("the call is {f}; known are :read, :write and :cas")),
    })
}

fn value(text: &str) -> Result<Value, String> {
    match text.trim() {
        "nil" => Ok(Value::Nil),
        text => text.parse().map(Value::Int).map_err(|_| format!("the value is {text:?}; it must be nil or a number")),
    }
}
