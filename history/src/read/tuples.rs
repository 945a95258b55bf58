//! Finds out what the values of Jepsen's operations mean: a register's value, or a key and its value.

use crate::Key;
use crate::read::IndependentKeys;
use crate::read::form::Form;
use crate::read::op::Op;

/// How the values of a history are to be read.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    /// Whether every value is `[key value]`.
    pub(crate) has_keys: bool,
    /// The one object where no key is told.
    pub(crate) nameless: Key,
}

impl Reading {
    pub(crate) fn of(sample: &[Op<'_>], keys: IndependentKeys) -> Self {
        let has_keys = match keys {
            IndependentKeys::Always => true,
            IndependentKeys::Never => false,
            IndependentKeys::Auto => are_keyed(sample),
        };
        // Reads of a bank are of all accounts, which is the read without a key.
        let is_bank = sample.iter().any(|op| op.f.name() == Some("transfer"));
        Self { has_keys, nameless: Key::from(if is_bank { "" } else { "x" }) }
    }
}

/// What one operation says about the values of all.
#[derive(PartialEq)]
enum Evidence {
    Keyed,
    Plain,
    Open,
}

/// Whether all that tells says that values are `[key value]`, and something does.
fn are_keyed(sample: &[Op<'_>]) -> bool {
    let clients = || sample.iter().filter(|op| matches!(op.process.untagged(), Form::Int(_)) && op.key.is_none());
    clients().any(|op| evidence(op) == Evidence::Keyed) && clients().all(|op| evidence(op) != Evidence::Plain)
}

fn evidence(op: &Op<'_>) -> Evidence {
    if is_tuple(&op.value) {
        return Evidence::Keyed;
    }
    if op.kind.name() != Some("invoke") {
        return Evidence::Open;
    }
    let pair = match op.value.list() {
        Some([key, value]) if !key.is_nil() && key.value().is_some() => Some(value),
        _ => None,
    };
    match (op.f.name(), pair) {
        // `[1 2]` is from and to, `[1 [2 3]]` a key before them.
        (Some("cas"), Some(value)) if value.list().is_none() => Evidence::Plain,
        (Some("assign" | "subscribe" | "poll" | "send" | "transfer"), _) => Evidence::Open,
        (_, Some(_)) => Evidence::Keyed,
        (_, None) => Evidence::Plain,
    }
}

/// Whether the value is tagged as a key and its value.
pub(crate) fn is_tuple(form: &Form<'_>) -> bool {
    match form {
        Form::Tagged(tag, inner) => {
            let tag = tag.rsplit(['.', '/']).next().unwrap_or_default();
            tag.eq_ignore_ascii_case("tuple") || tag == "MapEntry" || is_tuple(inner)
        }
        _ => false,
    }
}
