//! What a server is asked, and what it answers.

use super::wire::{Malformed, Reader, Writer};

/// A request of a session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Request {
    /// Answered with the name, which a sequence adds to, and the [`Stat`].
    Create { path: String, data: Vec<u8>, kind: Kind },
    /// Of any version, where none is named. Answered with nothing.
    Delete { path: String, version: Option<i32> },
    /// Whether a node is there; where it is asked for, whatever happens to it next is told. Answered with the [`Stat`].
    Exists { path: String, watch: bool },
    /// Answered with the data and the [`Stat`].
    GetData { path: String },
    /// Of any version, where none is named. Answered with the [`Stat`].
    SetData { path: String, data: Vec<u8>, version: Option<i32> },
    /// Answered with the names.
    GetChildren { path: String },
    /// The server asks the leader how far everything is, and answers when it is as far.
    Sync { path: String },
}

/// What kind of node is created.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// It stays.
    Persistent,
    /// It stays, and gets a number that grows.
    PersistentSequential,
    /// It goes with the session, and gets a number that grows.
    EphemeralSequential,
}

/// What is known of a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stat {
    /// The number of the transaction that created it.
    pub(super) created: i64,
    /// How often its data was set.
    pub(super) version: i32,
}

const PING_ID: i32 = -2;
const PING: i32 = 11;
/// Everybody may do everything.
const OPEN_ACL: (i32, &str, &str) = (31, "world", "anyone");

impl Request {
    fn code(&self) -> i32 {
        match self {
            // The second create, which answers with a stat, too.
            Self::Create { .. } => 15,
            Self::Delete { .. } => 2,
            Self::Exists { .. } => 3,
            Self::GetData { .. } => 4,
            Self::SetData { .. } => 5,
            Self::GetChildren { .. } => 8,
            Self::Sync { .. } => 9,
        }
    }

    /// As it is sent, with a number of its own.
    pub(super) fn frame(&self, id: i32) -> Vec<u8> {
        let writer = Writer::new().int(id).int(self.code());
        let any = |version: &Option<i32>| version.unwrap_or(-1);
        match self {
            Self::Create { path, data, kind } => {
                let (permissions, scheme, who) = OPEN_ACL;
                let flags = match kind {
                    Kind::Persistent => 0,
                    Kind::PersistentSequential => 2,
                    Kind::EphemeralSequential => 3,
                };
                writer.text(path).bytes(data).int(1).int(permissions).text(scheme).text(who).int(flags)
            }
            Self::Delete { path, version } => writer.text(path).int(any(version)),
            Self::Exists { path, watch } => writer.text(path).flag(*watch),
            Self::GetData { path } | Self::GetChildren { path } => writer.text(path).flag(false),
            Self::SetData { path, data, version } => writer.text(path).bytes(data).int(any(version)),
            Self::Sync { path } => writer.text(path),
        }
        .frame()
    }
}

/// As a ping is sent.
pub(super) fn ping() -> Vec<u8> {
    Writer::new().int(PING_ID).int(PING).frame()
}

/// What comes from a server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Message {
    /// To a ping.
    Pong,
    /// Something happened to a node that is watched.
    Event,
    /// To the request with this number.
    Answer {
        /// The number.
        id: i32,
        /// The last transaction that the server knew of.
        transaction: i64,
        /// 0 where it was done.
        error: i32,
        /// What was asked for, where it was done.
        body: Vec<u8>,
    },
}

impl Message {
    pub(super) fn parse(frame: &[u8]) -> Result<Self, Malformed> {
        const EVENT_ID: i32 = -1;
        let mut reader = Reader::new(frame);
        let (id, transaction, error) = (reader.int()?, reader.long()?, reader.int()?);
        Ok(match id {
            PING_ID => Self::Pong,
            EVENT_ID => Self::Event,
            id => Self::Answer { id, transaction, error, body: reader.rest().to_vec() },
        })
    }
}

impl Stat {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let created = reader.long()?;
        let _last_set = reader.long()?;
        let _times = (reader.long()?, reader.long()?);
        Ok(Self { created, version: reader.int()? })
    }
}

/// Opens a session, or goes on with one.
pub(super) struct Connect<'a> {
    /// The last transaction that the client has seen: a server that knows less refuses.
    pub(super) seen: i64,
    pub(super) timeout_ms: i32,
    /// 0 for a new one.
    pub(super) session: i64,
    pub(super) password: &'a [u8],
}

/// What the server makes of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Connected {
    pub(super) timeout_ms: i32,
    /// 0 where the session is over.
    pub(super) session: i64,
    pub(super) password: Vec<u8>,
}

impl Connect<'_> {
    pub(super) fn frame(&self) -> Vec<u8> {
        let protocol_version = 0;
        let reads_only = false;
        let writer = Writer::new().int(protocol_version).long(self.seen).int(self.timeout_ms).long(self.session);
        writer.bytes(self.password).flag(reads_only).frame()
    }
}

impl Connected {
    pub(super) fn parse(frame: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(frame);
        let _protocol_version = reader.int()?;
        let (timeout_ms, session) = (reader.int()?, reader.long()?);
        Ok(Self { timeout_ms, session, password: reader.bytes()?.to_vec() })
    }
}
