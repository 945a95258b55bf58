//! How the clients of etcd are set; the description of a system declares the names and values.

use std::collections::BTreeMap;

/// How reads are made: `reads`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reads {
    /// The member asks the leader first how far everything is.
    Linearizable,
    /// The member says what it has, which may be old.
    Serializable,
}

/// How a set is kept: `sets`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sets {
    /// A key an element.
    Keys,
    /// One text with all elements.
    Text,
}

/// Whether leases are renewed all the time: `keepalive`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum KeepAlive {
    /// By a task beside the client, as etcd's own clients do.
    Background,
    /// Only when the session does something.
    None,
}

/// All of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Settings {
    pub(super) reads: Reads,
    pub(super) sets: Sets,
    pub(super) keep_alive: KeepAlive,
}

impl Settings {
    /// What was chosen; the usual where nothing was.
    pub(super) fn of(chosen: &BTreeMap<String, String>) -> Self {
        let is = |name: &str, value: &str| chosen.get(name).is_some_and(|chosen| chosen == value);
        Self {
            reads: if is("reads", "serializable") { Reads::Serializable } else { Reads::Linearizable },
            sets: if is("sets", "text") { Sets::Text } else { Sets::Keys },
            keep_alive: if is("keepalive", "none") { KeepAlive::None } else { KeepAlive::Background },
        }
    }
}
