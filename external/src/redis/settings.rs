//! How clients of Redis are set.

use std::collections::BTreeMap;

use thiserror::Error;

/// A setting of the clients that makes no sense.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("clients of Redis cannot be set to {name}={value}: it is {allowed}")]
pub struct BadSetting {
    name: &'static str,
    value: String,
    allowed: &'static str,
}

/// Which server a client asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Find {
    /// The one that it stays with, whatever that is.
    Home,
    /// The primary that a sentinel names when the client connects; it stays with that as long as the connection holds.
    Sentinel,
    /// Of a cluster the one that has the slot of the key.
    Slots,
}

/// Whom reads are asked of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reads {
    /// Whoever is written to.
    Primary,
    /// The node that the client stays with, be it a replica.
    Home,
}

/// How a lock is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Lock {
    /// `SET NX PX` with the owner's name; only the owner's is deleted, and given more time.
    Owner,
    /// `SETNX`, then `PEXPIRE`; whatever is there is deleted.
    Plain,
    /// Redlock, over all nodes.
    Redlock,
}

/// What the settings of a description say to the clients. Others are for the servers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Settings {
    /// `find`: `home` (usual), `sentinel` or `slots`.
    pub(super) find: Find,
    /// `reads`: `primary` (usual) or `home`.
    pub(super) reads: Reads,
    /// `wait`: how many replicas a write waits for, by WAIT; 0 (usual) for none.
    pub(super) wait: u32,
    /// `lock`: `owner` (usual), `plain` or `redlock`.
    pub(super) lock: Lock,
}

impl Settings {
    pub(super) fn read(settings: &BTreeMap<String, String>) -> Result<Self, BadSetting> {
        let named = |name| settings.get(name).map(String::as_str);
        let find = match named("find") {
            None | Some("home") => Find::Home,
            Some("sentinel") => Find::Sentinel,
            Some("slots") => Find::Slots,
            Some(other) => return Err(bad("find", other, "home, sentinel or slots")),
        };
        let reads = match named("reads") {
            None | Some("primary") => Reads::Primary,
            Some("home") => Reads::Home,
            Some(other) => return Err(bad("reads", other, "primary or home")),
        };
        let lock = match named("lock") {
            None | Some("owner") => Lock::Owner,
            Some("plain") => Lock::Plain,
            Some("redlock") => Lock::Redlock,
            Some(other) => return Err(bad("lock", other, "owner, plain or redlock")),
        };
        let wait = named("wait").unwrap_or("0");
        let wait = wait.parse().map_err(|_| bad("wait", wait, "a number of replicas"))?;
        Ok(Self { find, reads, wait, lock })
    }
}

fn bad(name: &'static str, value: &str, allowed: &'static str) -> BadSetting {
    BadSetting { name, value: value.into(), allowed }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Result<Settings, BadSetting> {
        Settings::read(&pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
    }

    #[test]
    fn what_is_not_set_is_as_usual_and_what_is_for_the_servers_is_passed_over() {
        let usual = Settings { find: Find::Home, reads: Reads::Primary, wait: 0, lock: Lock::Owner };
        assert_eq!(settings(&[("appendfsync", "no")]), Ok(usual));
        let set = settings(&[("find", "sentinel"), ("reads", "home"), ("wait", "2"), ("lock", "plain")]);
        assert_eq!(set, Ok(Settings { find: Find::Sentinel, reads: Reads::Home, wait: 2, lock: Lock::Plain }));
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        let told = settings(&[("wait", "all")]).unwrap_err().to_string();
        assert_eq!(told, "clients of Redis cannot be set to wait=all: it is a number of replicas");
        assert!(settings(&[("find", "luck")]).is_err());
        assert!(settings(&[("reads", "")]).is_err());
    }
}
