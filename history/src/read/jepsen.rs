//! What Jepsen's operations mean. Strict with what counts for a verdict, lenient where Jepsen is: completions with `fail`
//! and `info` may carry any value, times and positions may be left out.

use crate::read::form::Form;
use crate::read::jepsen_nemesis::NemesisStory;
use crate::read::jepsen_words::{call, returned, word};
use crate::read::op::Op;
use crate::read::pairing::{Clock, Pairing, Place};
use crate::read::tuples::{Reading, is_tuple};
use crate::{Call, Key, Outcome, ProcessId};

/// Puts operations into a history, one after the other.
pub(crate) struct Importer {
    reading: Reading,
    pairing: Pairing,
    nemesis: NemesisStory,
}

/// Invocation or completion, as Jepsen writes it.
enum Kind {
    Invoke,
    Ok,
    Fail,
    Info,
}

impl Importer {
    pub(crate) fn new(reading: Reading) -> Self {
        Self { reading, pairing: Pairing::new(Clock::Lenient), nemesis: NemesisStory::default() }
    }

    pub(crate) fn finish(self) -> Pairing {
        self.pairing
    }

    pub(crate) fn op(&mut self, line: usize, op: &Op<'_>) -> Result<(), String> {
        let place = Place { line, index: op.index, time: op.time };
        let process = match op.process.untagged() {
            Form::Int(number) => ProcessId(
                u64::try_from(*number).map_err(|_| format!("the process is {number}; it must not be negative"))?,
            ),
            form if form.name() == Some("nemesis") => {
                return match self.nemesis.event(op) {
                    Some(event) => self.pairing.nemesis(&place, event),
                    None => Ok(()),
                };
            }
            form => return Err(format!("the process is {form}; it must be a number or :nemesis")),
        };
        match kind(op)? {
            Kind::Invoke => self.invoke(&place, process, op),
            Kind::Ok => self.ok(&place, process, op),
            Kind::Fail => self.pairing.complete(&place, process, None, Outcome::Fail(reason(op))),
            Kind::Info => self.pairing.complete(&place, process, None, Outcome::Info(reason(op))),
        }
    }

    fn invoke(&mut self, place: &Place, process: ProcessId, op: &Op<'_>) -> Result<(), String> {
        let (key, value) = self.split(op)?;
        let key = key.unwrap_or_else(|| self.reading.nameless.clone());
        let call = call(&op.f, key, value, process, self.pairing.names())?;
        let node = op.node.name().map(|node| self.pairing.names().node(node));
        let operation = self.pairing.invoke(place, process, call)?;
        operation.is_final = op.is_final;
        operation.node = node;
        Ok(())
    }

    fn ok(&mut self, place: &Place, process: ProcessId, op: &Op<'_>) -> Result<(), String> {
        let Some(asked) = self.pairing.open_call(process).cloned() else {
            return self.pairing.complete(place, process, None, Outcome::Fail(String::new()));
        };
        if word(&op.f).is_some_and(|f| f != asked.f()) {
            return Err(format!("process {process} completes {}, but it invoked `{asked}`", op.f));
        }
        let (key, value) = self.split(op)?;
        let returned = returned(&asked, value, self.pairing.names())?;
        let repeated = match &asked {
            Call::Read { .. }
            | Call::Delete { .. }
            | Call::Dequeue { .. }
            | Call::Drain { .. }
            | Call::Generate { .. } => key.map(|key| with_key(&asked, key)),
            // Their completions carry what came back instead of what was asked.
            Call::Contains { .. }
            | Call::OpenSession { .. }
            | Call::KeepAlive { .. }
            | Call::Acquire { .. }
            | Call::Release { .. }
            | Call::Send { .. }
            | Call::Poll { .. }
            | Call::Assign { .. }
            | Call::Txn { .. } => None,
            Call::Write { .. }
            | Call::Cas { .. }
            | Call::Append { .. }
            | Call::Add { .. }
            | Call::Remove { .. }
            | Call::Increment { .. }
            | Call::Enqueue { .. }
            | Call::Transfer { .. }
                if value.is_nil() =>
            {
                None
            }
            Call::Write { .. }
            | Call::Cas { .. }
            | Call::Append { .. }
            | Call::Add { .. }
            | Call::Remove { .. }
            | Call::Increment { .. }
            | Call::Enqueue { .. }
            | Call::Transfer { .. } => {
                let key = key.unwrap_or_else(|| self.reading.nameless.clone());
                Some(call(&op.f, key, value, process, self.pairing.names())?)
            }
        };
        self.pairing.complete(place, process, repeated.as_ref(), Outcome::Ok(returned))
    }

    /// The key of the operation, where it tells one, and its value.
    fn split<'o, 'a>(&mut self, op: &'o Op<'a>) -> Result<(Option<Key>, &'o Form<'a>), String> {
        if let Some(key) = &op.key {
            return Ok((Some(self.pairing.names().key(&key_name(key))), &op.value));
        }
        if op.value.is_nil() || !(self.reading.has_keys || is_tuple(&op.value)) {
            return Ok((None, &op.value));
        }
        let (key, value) = match (op.value.list(), op.value.get("key"), op.value.get("value")) {
            (Some([key, value]), ..) => (key, value),
            (_, Some(key), Some(value)) => (key, value),
            _ => {
                return Err(format!(
                    "the value is {}, but this history has independent keys: its values are [key value]; \
                     say if they are not",
                    op.value
                ));
            }
        };
        Ok((Some(self.pairing.names().key(&key_name(key))), value))
    }
}

fn with_key(call: &Call, key: Key) -> Call {
    match call {
        Call::Delete { .. } => Call::Delete { key },
        Call::Dequeue { .. } => Call::Dequeue { key },
        Call::Drain { .. } => Call::Drain { key },
        Call::Generate { .. } => Call::Generate { key },
        _ => Call::Read { key },
    }
}

/// The name of an object.
pub(crate) fn key_name(form: &Form<'_>) -> String {
    match form.untagged() {
        Form::Nil => String::new(),
        Form::Text(text) => text.as_ref().into(),
        Form::Word(name) => (*name).into(),
        form => form.to_string(),
    }
}

fn kind(op: &Op<'_>) -> Result<Kind, String> {
    Ok(match op.kind.name() {
        Some("invoke") => Kind::Invoke,
        Some("ok") => Kind::Ok,
        Some("fail") => Kind::Fail,
        Some("info") => Kind::Info,
        _ => return Err(format!("the type is {}; it must be :invoke, :ok, :fail or :info", op.kind)),
    })
}

fn reason(op: &Op<'_>) -> String {
    match op.error.untagged() {
        Form::Nil => String::new(),
        Form::Text(text) => text.as_ref().into(),
        Form::Word(name) => (*name).into(),
        form => form.to_string(),
    }
}
