//! A model of a user's own, as porcupine's key-value histories need it: get, put, and append to a text.

use rashomon_checker::{Model, ObjectKey, Observed, effect_of};

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Kv {
    Get(u64),
    Put(u64, String),
    Append(u64, String),
}

/// Every key on its own.
#[derive(Clone, Copy)]
pub(crate) struct ByKey;

impl Model for ByKey {
    type Call = Kv;
    /// What a get saw; empty for the others.
    type Return = String;
    type State = String;

    fn init(&self) -> String {
        String::new()
    }

    fn step(&self, state: &String, call: &Kv, returned: Option<&String>) -> Option<String> {
        match call {
            Kv::Get(_) => returned.is_none_or(|seen| seen == state).then(|| state.clone()),
            Kv::Put(_, value) => Some(value.clone()),
            Kv::Append(_, value) => Some(format!("{state}{value}")),
        }
    }

    fn object<'c>(&self, call: &'c Kv) -> ObjectKey<'c> {
        let (Kv::Get(key) | Kv::Put(key, _) | Kv::Append(key, _)) = call;
        ObjectKey::Number(*key)
    }

    fn is_pure(&self, call: &Kv, _: Option<&String>) -> bool {
        matches!(call, Kv::Get(_))
    }

    fn effect(&self, call: &Kv) -> u64 {
        effect(call)
    }

    fn observes(&self, call: &Kv, returned: Option<&String>) -> Observed {
        observes(call, returned)
    }

    fn state_heap_bytes(&self, state: &String) -> usize {
        state.capacity()
    }
}

/// The whole map as one object.
#[derive(Clone, Copy)]
pub(crate) struct WholeMap;

impl Model for WholeMap {
    type Call = Kv;
    type Return = String;
    type State = Vec<String>;

    fn init(&self) -> Vec<String> {
        Vec::new()
    }

    fn step(&self, state: &Vec<String>, call: &Kv, returned: Option<&String>) -> Option<Vec<String>> {
        let (Kv::Get(key) | Kv::Put(key, _) | Kv::Append(key, _)) = call;
        let key = usize::try_from(*key).ok()?;
        let old = state.get(key).map_or("", String::as_str);
        let new = match call {
            Kv::Get(_) => return returned.is_none_or(|seen| seen == old).then(|| state.clone()),
            Kv::Put(_, value) => value.clone(),
            Kv::Append(_, value) => format!("{old}{value}"),
        };
        let mut state = state.clone();
        state.resize(state.len().max(key + 1), String::new());
        state[key] = new;
        Some(state)
    }

    fn is_pure(&self, call: &Kv, _: Option<&String>) -> bool {
        matches!(call, Kv::Get(_))
    }

    fn effect(&self, call: &Kv) -> u64 {
        effect(call)
    }

    fn observes(&self, call: &Kv, returned: Option<&String>) -> Observed {
        observes(call, returned)
    }

    fn state_heap_bytes(&self, state: &Vec<String>) -> usize {
        state.iter().map(|text| text.capacity() + size_of::<String>()).sum()
    }
}

/// The histories put pieces like `x 9 0 y`. A put of several pieces counts as its last one.
fn effect(call: &Kv) -> u64 {
    match call {
        Kv::Get(key) => effect_of((key, None::<&str>)),
        Kv::Put(key, value) | Kv::Append(key, value) => effect_of((key, pieces(value).last())),
    }
}

/// A get owes what it saw to the pieces in it. One that saw nothing owes that to nothing, or to a put of nothing.
fn observes(call: &Kv, returned: Option<&String>) -> Observed {
    match (call, returned) {
        (Kv::Get(key), Some(seen)) => {
            let seen = pieces(seen).map(|piece| effect_of((key, Some(piece))));
            Observed::Effects(seen.chain([effect_of((key, None::<&str>))]).collect())
        }
        (Kv::Get(_), None) | (Kv::Put(..) | Kv::Append(..), _) => Observed::NOTHING,
    }
}

fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive('y')
}
