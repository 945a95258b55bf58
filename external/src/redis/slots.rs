//! Who has which part of the keys of a cluster, as far as a client knows.
//!
//! As the Redis Cluster specification tells clients: a key is in one of 16384 slots, a node that does not have the slot says who
//! does, and the client remembers it.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use rashomon_history::Key;
use redis::ServerError;

const SLOTS: u16 = 16384;

/// Owners of slots.
#[derive(Default)]
pub(super) struct Slots(BTreeMap<u16, SocketAddr>);

/// Another node that shall be asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Redirect {
    /// From now on.
    Moved(SocketAddr),
    /// This once, with ASKING before.
    Ask(SocketAddr),
}

impl Slots {
    pub(super) fn owner(&self, key: &Key) -> Option<SocketAddr> {
        self.0.get(&slot(key)).copied()
    }

    pub(super) fn remember(&mut self, key: &Key, owner: SocketAddr) {
        self.0.insert(slot(key), owner);
    }

    /// Whoever has the slot does not answer: somebody else is asked next time.
    pub(super) fn forget(&mut self, key: &Key) {
        self.0.remove(&slot(key));
    }
}

impl Redirect {
    /// `MOVED 3999 10.0.0.3:6379`, `ASK 3999 10.0.0.3:6379`. Without a host the node that was asked is meant.
    pub(super) fn of(error: &ServerError, asked: SocketAddr) -> Option<Self> {
        let redirect = match error.code() {
            "MOVED" => Self::Moved,
            "ASK" => Self::Ask,
            _ => return None,
        };
        let (host, port) = error.details()?.split_whitespace().nth(1)?.rsplit_once(':')?;
        let ip = if host.is_empty() { asked.ip() } else { host.parse().ok()? };
        Some(redirect(SocketAddr::new(ip, port.parse().ok()?)))
    }
}

/// The slot of a key: of what stands in its first braces, if anything does.
fn slot(key: &Key) -> u16 {
    let name = key.as_str();
    let tag = name.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map(|(tag, _)| tag);
    crc16(tag.filter(|tag| !tag.is_empty()).unwrap_or(name).as_bytes()) % SLOTS
}

/// CRC-16/XMODEM, as in the specification's appendix A.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(
            crc ^ (u16::from(*byte) << 8),
            |crc, _| {
                if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
            },
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_in_its_slot() {
        assert_eq!(crc16(b"123456789"), 0x31c3, "the specification's example");
        // As CLUSTER KEYSLOT of Redis 7.0 says.
        for (key, expected) in [("foo", 12182), ("s1", 15224), ("{foo}bar", 12182), ("a{}b", 13694)] {
            assert_eq!(slot(&key.into()), expected, "{key}");
        }
    }

    #[test]
    fn a_redirection_names_the_node() {
        let asked: SocketAddr = "10.0.0.1:6379".parse().unwrap();
        let redirect = |line: &str| match redis::parse_redis_value(format!("-{line}\r\n").as_bytes()) {
            Ok(redis::Value::ServerError(error)) => Redirect::of(&error, asked),
            other => panic!("{other:?}"),
        };
        let other = "10.0.0.3:6380".parse().unwrap();
        assert_eq!(redirect("MOVED 3999 10.0.0.3:6380"), Some(Redirect::Moved(other)));
        assert_eq!(redirect("ASK 3999 10.0.0.3:6380"), Some(Redirect::Ask(other)));
        assert_eq!(redirect("MOVED 3999 :6379"), Some(Redirect::Moved(asked)));
        assert_eq!(redirect("MOVED 3999 ?:6379"), None);
        assert_eq!(redirect("CLUSTERDOWN Hash slot not served"), None);
    }

    #[test]
    fn a_client_remembers_until_it_forgets() {
        let (key, owner) = (Key::from("s1"), "10.0.0.3:6379".parse().unwrap());
        let mut slots = Slots::default();
        assert_eq!(slots.owner(&key), None);
        slots.remember(&key, owner);
        assert_eq!(slots.owner(&"{s1}2".into()), Some(owner), "they share a slot");
        slots.forget(&key);
        assert_eq!(slots.owner(&key), None);
    }
}
