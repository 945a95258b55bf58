//! Data as it stands in a foreign file, before anybody knows what it means: EDN, or JSON in Jepsen's manner.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::Value;

/// One datum. Texts are borrowed from the file where they stand there as they are.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) enum Form<'a> {
    #[default]
    Nil,
    Bool(bool),
    Int(i64),
    /// A number that is no `i64`, as it is written: `1.5`, `1/3`, `99999999999999999999`.
    Number(Cow<'a, str>),
    Text(Cow<'a, str>),
    /// A keyword or a symbol, without the colon.
    Word(&'a str),
    /// A list or a vector.
    List(Vec<Form<'a>>),
    Set(Vec<Form<'a>>),
    Map(Vec<(Form<'a>, Form<'a>)>),
    /// `#tag form`.
    Tagged(&'a str, Box<Form<'a>>),
}

impl<'a> Form<'a> {
    /// Without its tags.
    pub(crate) fn untagged(&self) -> &Self {
        match self {
            Self::Tagged(_, form) => form.untagged(),
            form => form,
        }
    }

    /// The name that a keyword, a symbol or a text has. JSON has texts for keywords, some with their colon.
    pub(crate) fn name(&self) -> Option<&str> {
        match self.untagged() {
            Self::Word(name) => Some(name),
            Self::Text(name) => Some(name.strip_prefix(':').unwrap_or(name)),
            _ => None,
        }
    }

    /// The elements of a list or a vector.
    pub(crate) fn list(&self) -> Option<&[Form<'a>]> {
        match self.untagged() {
            Self::List(forms) => Some(forms),
            _ => None,
        }
    }

    /// What stands under a name in a map.
    pub(crate) fn get(&self, name: &str) -> Option<&Form<'a>> {
        let Self::Map(entries) = self.untagged() else { return None };
        entries.iter().find(|(key, _)| key.name() == Some(name)).map(|(_, form)| form)
    }

    pub(crate) fn is_nil(&self) -> bool {
        *self.untagged() == Self::Nil
    }

    /// A value of an object; `None` of what holds others. Numbers that are no `i64` are texts.
    pub(crate) fn value(&self) -> Option<Value> {
        Some(match self.untagged() {
            Self::Nil => Value::Nil,
            Self::Bool(flag) => if *flag { "true" } else { "false" }.into(),
            Self::Int(number) => Value::Int(*number),
            Self::Number(text) | Self::Text(text) => text.as_ref().into(),
            Self::Word(name) => (*name).into(),
            Self::List(_) | Self::Set(_) | Self::Map(_) | Self::Tagged(..) => return None,
        })
    }
}

/// For people, and for the names of keys that are no scalars: as EDN, without tags.
impl fmt::Display for Form<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = |f: &mut fmt::Formatter<'_>, forms: &[Form<'_>]| {
            forms.iter().enumerate().try_for_each(|(place, form)| write!(f, "{}{form}", space(place)))
        };
        match self {
            Self::Nil => f.write_str("nil"),
            Self::Bool(flag) => flag.fmt(f),
            Self::Int(number) => number.fmt(f),
            Self::Number(text) => f.write_str(text),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Word(name) => write!(f, ":{name}"),
            Self::List(forms) => {
                f.write_str("[")?;
                all(f, forms)?;
                f.write_str("]")
            }
            Self::Set(forms) => {
                f.write_str("#{")?;
                all(f, forms)?;
                f.write_str("}")
            }
            Self::Map(entries) => {
                f.write_str("{")?;
                for (place, (key, form)) in entries.iter().enumerate() {
                    write!(f, "{}{key} {form}", space(place))?;
                }
                f.write_str("}")
            }
            Self::Tagged(_, form) => form.fmt(f),
        }
    }
}

fn space(place: usize) -> &'static str {
    if place == 0 { "" } else { " " }
}

impl<'de: 'a, 'a> Deserialize<'de> for Form<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyForm)
    }
}

struct AnyForm;

impl<'de> Visitor<'de> for AnyForm {
    type Value = Form<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Form<'de>, E> {
        Ok(Form::Nil)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Form<'de>, E> {
        Ok(Form::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Form<'de>, E> {
        Ok(Form::Int(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Form<'de>, E> {
        Ok(i64::try_from(number).map_or_else(|_| Form::Number(number.to_string().into()), Form::Int))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Form<'de>, E> {
        Ok(Form::Number(number.to_string().into()))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Form<'de>, E> {
        Ok(Form::Text(text.into()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Form<'de>, E> {
        Ok(Form::Text(text.to_owned().into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Form<'de>, A::Error> {
        let mut forms = Vec::new();
        while let Some(form) = items.next_element()? {
            forms.push(form);
        }
        Ok(Form::List(forms))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut items: A) -> Result<Form<'de>, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = items.next_entry()? {
            entries.push(entry);
        }
        Ok(Form::Map(entries))
    }
}
