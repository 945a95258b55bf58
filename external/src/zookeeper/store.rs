//! The calls of the workloads that store something.
//!
//! A register, a list and a counter are a node each, with the value as JSON. A list and a counter are changed as ZooKeeper
//! wants it: read, and written back if the version is still the same. An element of a set is a child of its node, and so is a
//! value of a queue, with a number that grows.

use rashomon_history::{Call, Key, Outcome, Returned, Value};
use serde::de::DeserializeOwned;

use super::outcome::{BAD_VERSION, NO_NODE, NODE_EXISTS, Unanswered};
use super::request::Kind;
use super::settings::Reads;
use super::tree::{Node, Tree};

/// Written by who wants to be sure of the state of a majority.
const BARRIER: &str = "/rashomon-barrier";
/// The reason of a change that found another version than it had read.
const LOST_RACE: &str = "lost-race: somebody else changed it meanwhile, so nothing was changed";

/// A call that did not come to a good end: what is known of it.
pub(super) type Came<T> = Result<T, Outcome>;

/// Calls of one client, each made once.
#[derive(Clone, Copy)]
pub(super) struct Store<'a> {
    pub(super) tree: Tree<'a>,
    pub(super) reads: Reads,
}

fn path(key: &Key) -> String {
    format!("/{key}")
}

fn json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// What a node holds. Who reads what can't be understood has changed nothing yet.
fn parsed<T: DeserializeOwned>(node: &Node) -> Came<T> {
    serde_json::from_slice(&node.data)
        .map_err(|error| Outcome::Fail(format!("what is there was written by somebody else: {error}")))
}

impl Store<'_> {
    pub(super) async fn call(&self, call: &Call) -> Came<Returned> {
        match call {
            Call::Read { key } => self.read(key).await,
            Call::Write { key, value } => self.write(key, json(value)).await,
            Call::Cas { key, from, to } => self.cas(key, from, to).await,
            Call::Delete { key } => self.delete(key).await,
            Call::Append { key, value } => {
                let append = |mut values: Vec<Value>| {
                    values.push(value.clone());
                    values
                };
                self.change(key, append).await.map(|_| Returned::Done)
            }
            Call::Increment { key, by } => {
                let sum = self.change(key, |sum: i64| sum.saturating_add(*by)).await?;
                Ok(Returned::Value(Value::Int(sum)))
            }
            Call::Add { key, value } => self.add(key, value).await,
            Call::Enqueue { key, value } => self.enqueue(key, value).await,
            Call::Dequeue { key } => Ok(Returned::Value(self.dequeue(key).await?.unwrap_or_default())),
            Call::Drain { key } => self.drain(key).await,
            Call::Remove { .. }
            | Call::Contains { .. }
            | Call::OpenSession { .. }
            | Call::KeepAlive { .. }
            | Call::Acquire { .. }
            | Call::Release { .. }
            | Call::Generate { .. }
            | Call::Transfer { .. }
            | Call::Send { .. }
            | Call::Poll { .. }
            | Call::Assign { .. }
            | Call::Txn { .. } => Err(Outcome::Fail(format!("{}: no call of a client of ZooKeeper", call.f()))),
        }
    }

    /// Makes sure that the server knows what is known elsewhere, as far as that was asked for. Nothing of the call itself has
    /// happened yet.
    async fn refresh(&self, path: &str) -> Came<()> {
        let refreshed = match self.reads {
            Reads::Plain => Ok(()),
            Reads::Sync => self.tree.sync(path).await,
            Reads::Quorum => match self.tree.set(BARRIER, Vec::new(), None).await {
                Err(unanswered) if unanswered.is(NO_NODE) => self.ensure(BARRIER).await,
                written => written,
            },
        };
        refreshed.map_err(Unanswered::of_read)
    }

    /// Makes the node unless it is there: an outcome of the log, either way.
    async fn ensure(&self, path: &str) -> Result<(), Unanswered> {
        match self.tree.create(path, Vec::new(), Kind::Persistent).await {
            Err(unanswered) if unanswered.is(NODE_EXISTS) => Ok(()),
            created => created.map(|_| ()),
        }
    }

    async fn get(&self, path: &str) -> Came<Option<Node>> {
        self.tree.get(path).await.map_err(Unanswered::of_read)
    }

    async fn children(&self, path: &str) -> Came<Option<Vec<String>>> {
        self.tree.children(path).await.map_err(Unanswered::of_read)
    }

    /// What a read returns hangs on what is there: nobody tells a register from a list by its name.
    async fn read(&self, key: &Key) -> Came<Returned> {
        let path = path(key);
        self.refresh(&path).await?;
        let Some(node) = self.get(&path).await? else { return Ok(Returned::Value(Value::Nil)) };
        if node.data.is_empty() {
            return Ok(Returned::List(self.elements(&path).await?));
        }
        parsed::<Value>(&node).map(Returned::Value).or_else(|_| parsed(&node).map(Returned::List))
    }

    async fn write(&self, key: &Key, data: Vec<u8>) -> Came<Returned> {
        let path = path(key);
        let set = self.tree.set(&path, data.clone(), None).await;
        let written = match set {
            Err(unanswered) if unanswered.is(NO_NODE) => {
                match self.tree.create(&path, data.clone(), Kind::Persistent).await {
                    // Somebody else was faster, and both certainly did nothing.
                    Err(unanswered) if unanswered.is(NODE_EXISTS) => self.tree.set(&path, data, None).await,
                    created => created.map(|_| ()),
                }
            }
            set => set,
        };
        written.map(|()| Returned::Done).map_err(Unanswered::of_change)
    }

    async fn cas(&self, key: &Key, from: &Value, to: &Value) -> Came<Returned> {
        let path = path(key);
        // Another value must not be an old one; that a swap finds the right one, its version says.
        self.refresh(&path).await?;
        let node = self.get(&path).await?;
        let current = node.as_ref().map_or(Ok(Value::Nil), parsed)?;
        if current != *from {
            return Ok(Returned::NotSwapped { current: Some(current) });
        }
        self.put_if_same(&path, node.as_ref(), json(to)).await.map(|()| Returned::Swapped)
    }

    /// Reads, and writes what is made of it if nobody else wrote meanwhile. Says what was written.
    async fn change<T>(&self, key: &Key, make: impl FnOnce(T) -> T) -> Came<T>
    where
        T: DeserializeOwned + serde::Serialize + Default,
    {
        let path = path(key);
        let node = self.get(&path).await?;
        let made = make(node.as_ref().map_or_else(|| Ok(T::default()), parsed)?);
        self.put_if_same(&path, node.as_ref(), json(&made)).await?;
        Ok(made)
    }

    async fn put_if_same(&self, path: &str, node: Option<&Node>, data: Vec<u8>) -> Came<()> {
        let (put, other) = match node {
            Some(node) => (self.tree.set(path, data, Some(node.stat.version)).await, BAD_VERSION),
            None => (self.tree.create(path, data, Kind::Persistent).await.map(|_| ()), NODE_EXISTS),
        };
        put.map_err(
            |unanswered| {
                if unanswered.is(other) { Outcome::Fail(LOST_RACE.into()) } else { unanswered.of_change() }
            },
        )
    }

    async fn delete(&self, key: &Key) -> Came<Returned> {
        match self.tree.delete(&path(key), None).await {
            Err(unanswered) if !unanswered.is(NO_NODE) => Err(unanswered.of_change()),
            Ok(()) | Err(_) => Ok(Returned::Done),
        }
    }

    /// Creates a child, and its parent first where that is missing.
    async fn create_child(&self, parent: &str, child: &str, data: Vec<u8>, kind: Kind) -> Result<(), Unanswered> {
        match self.tree.create(child, data.clone(), kind).await {
            Err(unanswered) if unanswered.is(NO_NODE) => {
                // Without its parent the child can't be there: until now nothing that counts has happened.
                self.ensure(parent).await.map_err(|unanswered| Unanswered::NotSent(unanswered.to_string()))?;
                self.tree.create(child, data, kind).await.map(|_| ())
            }
            created => created.map(|_| ()),
        }
    }

    async fn add(&self, key: &Key, value: &Value) -> Came<Returned> {
        let set = path(key);
        let element = format!("{set}/{}", element_name(value));
        match self.create_child(&set, &element, Vec::new(), Kind::Persistent).await {
            Err(unanswered) if !unanswered.is(NODE_EXISTS) => Err(unanswered.of_change()),
            Ok(()) | Err(_) => Ok(Returned::Done),
        }
    }

    async fn elements(&self, set: &str) -> Came<Vec<Value>> {
        let names = self.children(set).await?.unwrap_or_default();
        let mut elements = names.iter().map(|name| element_of(name)).collect::<Came<Vec<_>>>()?;
        elements.sort();
        Ok(elements)
    }

    async fn enqueue(&self, key: &Key, value: &Value) -> Came<Returned> {
        let queue = path(key);
        let item = format!("{queue}/i");
        let created = self.create_child(&queue, &item, json(value), Kind::PersistentSequential).await;
        created.map(|()| Returned::Done).map_err(Unanswered::of_change)
    }

    /// Takes the child with the lowest number, where there is one. Who takes it deletes it, and only one can.
    async fn dequeue(&self, key: &Key) -> Came<Option<Value>> {
        let queue = path(key);
        self.refresh(&queue).await?;
        // Numbers have the same length each.
        let Some(first) = self.children(&queue).await?.into_iter().flatten().min() else { return Ok(None) };
        let item = format!("{queue}/{first}");
        let lost_race = || Outcome::Fail(LOST_RACE.into());
        let node = self.get(&item).await?.ok_or_else(lost_race)?;
        let value = parsed(&node)?;
        match self.tree.delete(&item, None).await {
            Ok(()) => Ok(Some(value)),
            Err(unanswered) if unanswered.is(NO_NODE) => Err(lost_race()),
            Err(unanswered) => Err(unanswered.of_change()),
        }
    }

    async fn drain(&self, key: &Key) -> Came<Returned> {
        let mut values = Vec::new();
        loop {
            match self.dequeue(key).await {
                Ok(Some(value)) => values.push(value),
                Ok(None) => return Ok(Returned::List(values)),
                // Nothing was taken yet.
                Err(Outcome::Fail(reason)) if values.is_empty() => return Err(Outcome::Fail(reason)),
                Err(Outcome::Fail(reason)) if reason == LOST_RACE => {}
                Err(outcome) => {
                    return Err(Outcome::Info(format!("{} values were taken, then: {outcome:?}", values.len())));
                }
            }
        }
    }
}

/// An element as the name of a node, which must not hold a slash: `i7`, or `t` and the bytes of the text in hexadecimal.
fn element_name(value: &Value) -> String {
    match value {
        Value::Nil => "n".into(),
        Value::Int(number) => format!("i{number}"),
        Value::Text(text) => text.as_str().bytes().fold("t".to_owned(), |name, byte| format!("{name}{byte:02x}")),
    }
}

fn element_of(name: &str) -> Came<Value> {
    let strange = || Outcome::Fail(format!("{name:?} was put there by somebody else"));
    let (kind, rest) = name.split_at_checked(1).ok_or_else(strange)?;
    let text = || {
        let bytes: Option<Vec<u8>> = (0..rest.len())
            .step_by(2)
            .map(|at| rest.get(at..at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok()))
            .collect();
        Some(Value::from(String::from_utf8(bytes?).ok()?.as_str()))
    };
    match kind {
        "n" => Some(Value::Nil),
        "i" => rest.parse().ok().map(Value::Int),
        "t" => text(),
        _ => None,
    }
    .ok_or_else(strange)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_have_names_without_slashes_and_are_read_back() {
        for value in [Value::Nil, Value::Int(-7), Value::Int(12), "a/é".into(), "".into()] {
            let name = element_name(&value);
            assert!(!name.contains('/'));
            assert_eq!(element_of(&name), Ok(value));
        }
        assert!(element_of("x1").is_err() && element_of("").is_err() && element_of("tzz").is_err());
    }
}
