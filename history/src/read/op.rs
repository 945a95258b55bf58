//! One operation map of Jepsen, in EDN or JSON.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use crate::TimeNs;
use crate::read::edn::{Edn, Trouble};
use crate::read::form::Form;

/// The fields that are known; others are passed over.
#[derive(Default, Debug)]
pub(crate) struct Op<'a> {
    pub(crate) index: Option<u64>,
    pub(crate) time: Option<TimeNs>,
    pub(crate) process: Form<'a>,
    pub(crate) kind: Form<'a>,
    pub(crate) f: Form<'a>,
    pub(crate) key: Option<Form<'a>>,
    pub(crate) value: Form<'a>,
    pub(crate) error: Form<'a>,
    pub(crate) node: Form<'a>,
    pub(crate) is_final: bool,
}

impl<'a> Op<'a> {
    fn set(&mut self, name: &str, form: Form<'a>) {
        match name {
            "index" => self.index = unsigned(&form),
            "time" => self.time = unsigned(&form).map(TimeNs),
            "process" => self.process = form,
            "type" => self.kind = form,
            "f" => self.f = form,
            "key" => self.key = Some(form),
            "value" => self.value = form,
            "error" | "exception" if self.error.is_nil() => self.error = form,
            "node" => self.node = form,
            "final" | "final?" => self.is_final = form == Form::Bool(true),
            _ => {}
        }
    }
}

/// What is negative counts as 0: only its order matters.
fn unsigned(form: &Form<'_>) -> Option<u64> {
    match form.untagged() {
        Form::Int(number) => Some(u64::try_from(*number).unwrap_or(0)),
        _ => None,
    }
}

/// How operation maps are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Syntax {
    Edn,
    Json,
}

/// Where an operation stands in the bytes.
pub(crate) struct Span {
    pub(crate) from: usize,
    pub(crate) to: usize,
}

/// Cuts operations from bytes: one after the other, or all in one vector.
#[derive(Clone)]
pub(crate) struct Ops {
    syntax: Syntax,
    around: Around,
}

/// What stands around the operations.
#[derive(Clone, Copy, PartialEq)]
enum Around {
    /// It was not looked at yet.
    Unseen,
    Nothing,
    Brackets {
        close: u8,
    },
    /// The vector is closed.
    Closed,
}

impl Ops {
    pub(crate) fn new(syntax: Syntax) -> Self {
        Self { syntax, around: Around::Unseen }
    }

    /// Whether a vector was opened and not closed.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.around, Around::Brackets { .. })
    }

    /// The next operation and its place; no operation where there was only what stands around them. `is_all` says that no
    /// bytes can follow.
    pub(crate) fn next<'a>(&mut self, bytes: &'a [u8], is_all: bool) -> Result<(Option<Op<'a>>, Span), Trouble> {
        let mut edn = Edn::new(bytes, is_all);
        let byte = edn.peek()?;
        let from = edn.at();
        self.around = match (byte, self.around) {
            (None, _) => return Ok((None, Span { from, to: from })),
            (Some(_), Around::Closed) => return edn.wrong("the history was over with the bracket before this"),
            (Some(b'['), Around::Unseen) => Around::Brackets { close: b']' },
            (Some(b'('), Around::Unseen) => Around::Brackets { close: b')' },
            (Some(byte), Around::Brackets { close }) if byte == close => Around::Closed,
            (Some(_), around) => {
                let op = match self.syntax {
                    Syntax::Edn => edn_op(&mut edn)?,
                    Syntax::Json => json_op(&mut edn, bytes)?,
                };
                if around == Around::Unseen {
                    self.around = Around::Nothing;
                }
                return Ok((Some(op), Span { from, to: edn.at() }));
            }
        };
        Ok((None, Span { from, to: from + 1 }))
    }
}

fn edn_op<'a>(edn: &mut Edn<'a>) -> Result<Op<'a>, Trouble> {
    edn.tags()?;
    let mut op = Op::default();
    edn.entries(|edn, name| {
        let form = edn.form()?;
        if let Some(name) = name.name() {
            op.set(name, form);
        }
        Ok(())
    })?;
    Ok(op)
}

fn json_op<'a>(edn: &mut Edn<'a>, bytes: &'a [u8]) -> Result<Op<'a>, Trouble> {
    let from = edn.at();
    let mut objects = serde_json::Deserializer::from_slice(&bytes[from..]).into_iter::<Op<'a>>();
    match objects.next() {
        Some(Ok(op)) => {
            edn.skip(objects.byte_offset());
            Ok(op)
        }
        Some(Err(error)) if error.is_eof() => Err(Trouble::Torn),
        Some(Err(error)) => edn.wrong(format!("not an event in JSON: {error}")),
        None => Err(Trouble::Torn),
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Op<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Op<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object such as {\"process\":0,\"type\":\"invoke\",\"f\":\"read\"}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Op<'de>, A::Error> {
        let mut op = Op::default();
        while let Some(name) = fields.next_key::<Cow<'_, str>>()? {
            op.set(name.trim_start_matches(':'), fields.next_value()?);
        }
        Ok(op)
    }
}
