//! The lines that nearly all are: flat, of known fields, without escapes. What this reader does not know it leaves to the
//! slower one, which also says what is wrong.

use std::sync::Arc;

use crate::intern::Names;
use crate::wire::cursor::Cursor;
use crate::{Call, MicroOp, Outcome, ProcessId, Returned, Seen, TimeNs, Value};

/// What a client's line says.
pub(crate) struct Scanned {
    pub(crate) index: Option<u64>,
    pub(crate) time: TimeNs,
    pub(crate) process: ProcessId,
    pub(crate) node: Option<Arc<str>>,
    pub(crate) is_final: bool,
    pub(crate) kind: ScannedKind,
}

pub(crate) enum ScannedKind {
    Invoke(Call),
    /// The call is left out where what came back repeats it.
    Complete(Option<Call>, Outcome),
}

/// Reads one line after the other; keeps the memory that it needs for that.
#[derive(Default)]
pub(crate) struct Scanner {
    ops: Vec<MicroOp>,
    values: Vec<Value>,
}

/// The fields of a line, as they stand there.
#[derive(Default)]
struct Fields<'a> {
    seen: u16,
    index: Option<u64>,
    time: Option<u64>,
    process: Option<u64>,
    kind: Option<&'a str>,
    f: Option<&'a str>,
    key: Option<&'a str>,
    value: Raw<'a>,
    swapped: Option<bool>,
    current: Option<Value>,
    error: Option<&'a str>,
    node: Option<&'a str>,
    is_final: bool,
}

/// A value before it is known what it means.
#[derive(Clone, Copy, Default)]
enum Raw<'a> {
    #[default]
    Missing,
    One(Scalar<'a>),
    /// From its bracket on.
    Array(Cursor<'a>),
}

#[derive(Clone, Copy)]
enum Scalar<'a> {
    Nil,
    Int(i64),
    Text(&'a str),
}

impl From<Scalar<'_>> for Value {
    fn from(scalar: Scalar<'_>) -> Self {
        match scalar {
            Scalar::Nil => Self::Nil,
            Scalar::Int(number) => Self::Int(number),
            Scalar::Text(text) => text.into(),
        }
    }
}

impl<'a> Raw<'a> {
    fn value(self) -> Option<Value> {
        match self {
            Self::Missing => Some(Value::Nil),
            Self::One(scalar) => Some(scalar.into()),
            Self::Array(_) => None,
        }
    }
}

impl Scanner {
    /// `None` where the line is not one of those.
    pub(crate) fn scan(&mut self, line: &[u8], names: &mut Names) -> Option<Scanned> {
        let fields = Fields::of(Cursor::new(line))?;
        let (time, process) = (TimeNs(fields.time?), ProcessId(fields.process?));
        if fields.has_array_for_nothing() {
            return None;
        }
        let kind = match fields.kind? {
            "invoke" => ScannedKind::Invoke(self.call(&fields, names)?),
            "ok" => {
                let (call, returned) = self.answer(&fields, names)?;
                ScannedKind::Complete(call, Outcome::Ok(returned))
            }
            "fail" => ScannedKind::Complete(Some(self.call(&fields, names)?), Outcome::Fail(fields.reason())),
            "info" => ScannedKind::Complete(Some(self.call(&fields, names)?), Outcome::Info(fields.reason())),
            _ => return None,
        };
        let node = fields.node.map(|node| names.node(node));
        Some(Scanned { index: fields.index, time, process, node, is_final: fields.is_final, kind })
    }

    fn call(&mut self, fields: &Fields<'_>, names: &mut Names) -> Option<Call> {
        let f = fields.f?;
        if f == "txn" {
            return Some(Call::Txn { ops: self.micro_ops(fields.value, false, names)? });
        }
        let key = names.key(fields.key.unwrap_or_default());
        Some(match f {
            "read" => Call::Read { key },
            "write" => Call::Write { key, value: fields.value.value()? },
            "cas" => {
                let Raw::Array(mut array) = fields.value else { return None };
                array.expect(b'[')?;
                let from = scalar(&mut array)?.into();
                array.expect(b',')?;
                let to = scalar(&mut array)?.into();
                array.expect(b']')?;
                Call::Cas { key, from, to }
            }
            "append" => Call::Append { key, value: fields.value.value()? },
            "add" => Call::Add { key, value: fields.value.value()? },
            "remove" => Call::Remove { key, value: fields.value.value()? },
            "contains" => Call::Contains { key, value: fields.value.value()? },
            "delete" => Call::Delete { key },
            "enqueue" => Call::Enqueue { key, value: fields.value.value()? },
            "dequeue" => Call::Dequeue { key },
            "drain" => Call::Drain { key },
            "generate" => Call::Generate { key },
            "send" => Call::Send { key, value: fields.value.value()? },
            _ => return None,
        })
    }

    /// The call of an `ok` and what it brought back.
    fn answer(&mut self, fields: &Fields<'_>, names: &mut Names) -> Option<(Option<Call>, Returned)> {
        if fields.f? == "txn" {
            return Some((None, Returned::Txn(self.micro_ops(fields.value, true, names)?)));
        }
        let call = self.call(fields, names)?;
        let returned = match &call {
            Call::Read { .. } | Call::Drain { .. } if matches!(fields.value, Raw::Array(_)) => {
                let Raw::Array(mut array) = fields.value else { return None };
                Returned::List(self.list(&mut array)?)
            }
            Call::Drain { .. } => Returned::List(Vec::new()),
            Call::Read { .. } | Call::Dequeue { .. } | Call::Generate { .. } => Returned::Value(fields.value.value()?),
            Call::Cas { .. } if fields.swapped == Some(false) => {
                Returned::NotSwapped { current: fields.current.clone() }
            }
            Call::Cas { .. } => Returned::Swapped,
            Call::Write { .. }
            | Call::Append { .. }
            | Call::Add { .. }
            | Call::Remove { .. }
            | Call::Delete { .. }
            | Call::Enqueue { .. }
            | Call::Send { .. } => Returned::Done,
            Call::Contains { .. }
            | Call::Increment { .. }
            | Call::OpenSession { .. }
            | Call::KeepAlive { .. }
            | Call::Acquire { .. }
            | Call::Release { .. }
            | Call::Transfer { .. }
            | Call::Poll { .. }
            | Call::Assign { .. }
            | Call::Txn { .. } => return None,
        };
        Some((Some(call), returned))
    }

    fn list(&mut self, array: &mut Cursor<'_>) -> Option<Vec<Value>> {
        self.values.clear();
        array.expect(b'[')?;
        if !array.accept(b']') {
            loop {
                self.values.push(scalar(array)?.into());
                if !array.accept(b',') {
                    break;
                }
            }
            array.expect(b']')?;
        }
        // Collected anew, so that a list takes no more memory than it needs.
        Some(self.values.drain(..).collect())
    }

    fn micro_ops(&mut self, value: Raw<'_>, came_back: bool, names: &mut Names) -> Option<Vec<MicroOp>> {
        let Raw::Array(mut array) = value else { return None };
        self.ops.clear();
        array.expect(b'[')?;
        if !array.accept(b']') {
            loop {
                let op = self.micro_op(&mut array, came_back, names)?;
                self.ops.push(op);
                if !array.accept(b',') {
                    break;
                }
            }
            array.expect(b']')?;
        }
        Some(self.ops.drain(..).collect())
    }

    fn micro_op(&mut self, array: &mut Cursor<'_>, came_back: bool, names: &mut Names) -> Option<MicroOp> {
        array.expect(b'[')?;
        let f = array.text()?;
        array.expect(b',')?;
        let key = names.key(name_of(array)?);
        array.expect(b',')?;
        let op = match f {
            "r" => {
                let seen = match array.peek()? {
                    b'[' => Seen::List(self.list(array)?),
                    _ => Seen::Value(scalar(array)?.into()),
                };
                MicroOp::Read { key, seen: came_back.then_some(seen) }
            }
            "w" => MicroOp::Write { key, value: scalar(array)?.into() },
            "append" => MicroOp::Append { key, value: scalar(array)?.into() },
            _ => return None,
        };
        array.expect(b']')?;
        Some(op)
    }
}

impl<'a> Fields<'a> {
    fn of(mut line: Cursor<'a>) -> Option<Self> {
        let mut fields = Self::default();
        line.expect(b'{')?;
        loop {
            let name = line.text()?;
            line.expect(b':')?;
            fields.field(name, &mut line)?;
            if !line.accept(b',') {
                break;
            }
        }
        line.expect(b'}')?;
        line.is_over().then_some(fields)
    }

    fn field(&mut self, name: &str, line: &mut Cursor<'a>) -> Option<()> {
        let number = match name {
            "index" => {
                self.index = Some(line.unsigned()?);
                0
            }
            "time" => {
                self.time = Some(line.unsigned()?);
                1
            }
            "process" => {
                self.process = Some(line.unsigned()?);
                2
            }
            "type" => {
                self.kind = Some(line.text()?);
                3
            }
            "f" => {
                self.f = Some(line.text()?);
                4
            }
            "key" => {
                self.key = Some(name_of(line)?);
                5
            }
            "value" => {
                self.value = raw(line)?;
                6
            }
            "swapped" => {
                self.swapped = Some(line.flag()?);
                7
            }
            "current" => {
                self.current = Some(scalar(line)?.into());
                8
            }
            "error" => {
                self.error = Some(line.text()?);
                9
            }
            "node" => {
                self.node = Some(line.text()?);
                10
            }
            "final" => {
                self.is_final = line.flag()?;
                11
            }
            _ => return None,
        };
        let is_new = self.seen & (1 << number) == 0;
        self.seen |= 1 << number;
        is_new.then_some(())
    }

    /// Whether nobody will look into the array, so that it could be anything.
    fn has_array_for_nothing(&self) -> bool {
        let is_needed = match self.f {
            Some("cas" | "txn") => true,
            Some("read" | "drain") => self.kind == Some("ok"),
            _ => false,
        };
        matches!(self.value, Raw::Array(_)) && !is_needed
    }

    fn reason(&self) -> String {
        self.error.unwrap_or_default().into()
    }
}

fn raw<'a>(line: &mut Cursor<'a>) -> Option<Raw<'a>> {
    if line.peek()? != b'[' {
        return scalar(line).map(Raw::One);
    }
    let array = *line;
    line.skip_array()?;
    Some(Raw::Array(array))
}

fn scalar<'a>(line: &mut Cursor<'a>) -> Option<Scalar<'a>> {
    match line.peek()? {
        b'"' => line.text().map(Scalar::Text),
        b'n' => line.word(b"null").map(|()| Scalar::Nil),
        _ => line.signed().map(Scalar::Int),
    }
}

/// A key: a text, or a number for the text of its digits.
fn name_of<'a>(line: &mut Cursor<'a>) -> Option<&'a str> {
    if line.peek()? == b'"' { line.text() } else { line.digits() }
}
