//! How the clients of ZooKeeper are set; the description of a system declares the names and values.

use std::collections::BTreeMap;

/// How reads are made: `reads`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reads {
    /// The server says what it has, which may be old.
    Plain,
    /// After a `sync`, which asks the leader how far everything is. Whether it still leads it does not ask of anybody.
    Sync,
    /// After a write of the client's own, which a majority has to take.
    Quorum,
}

/// Who keeps the session of a lock alive: `keepalive`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum KeepAlive {
    /// The client, by itself, whenever it has been silent for a third of the session's time.
    Background,
    /// Only its calls.
    Calls,
}

/// All of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Settings {
    pub(super) reads: Reads,
    pub(super) keepalive: KeepAlive,
}

impl Settings {
    /// What was chosen; the usual where nothing was.
    pub(super) fn of(chosen: &BTreeMap<String, String>) -> Self {
        let chosen = |name: &str| chosen.get(name).map(String::as_str);
        let reads = match chosen("reads") {
            Some("plain") => Reads::Plain,
            Some("quorum") => Reads::Quorum,
            _ => Reads::Sync,
        };
        let keepalive = if chosen("keepalive") == Some("calls") { KeepAlive::Calls } else { KeepAlive::Background };
        Self { reads, keepalive }
    }
}
