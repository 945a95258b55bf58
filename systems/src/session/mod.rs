//! Client sessions: a command that a client sends again is applied once.
//!
//! Raft thesis, 6.3; Raft paper, section 8. [`Sessions`] stands between Raft and any state machine. A session is opened
//! through the log and named after its log index. Each command carries its session and its sequence number; the answer is
//! remembered, and a retry gets it again. A client says with each command the lowest sequence number whose answer it still
//! waits for, and older answers are forgotten.
//!
//! The number of sessions is bounded. When one more is opened, the one whose last use is oldest *in the order of the log*
//! expires, on every replica alike. A command of an expired session is refused and never applied: the client can't know
//! whether earlier attempts happened, and must find out or give up.

mod memory;

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, Serializer};

use memory::Memory;

use crate::raft::{Bug, Local, RestoreError, StateMachine};

/// Answers that one session may wait for at a time.
pub const MAX_AWAITED: usize = 256;

/// Names a session: the log index at which it was opened.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(pub u64);

/// In one piece instead of byte by byte.
fn as_bytes<S: Serializer>(bytes: &&[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

/// What stands in the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Command<'a> {
    /// Open a session.
    Open,
    /// Apply this, without a session. A client that sends it twice may find it applied twice.
    Once {
        /// A command of the state machine.
        #[serde(borrow, serialize_with = "as_bytes")]
        command: &'a [u8],
    },
    /// Apply this once.
    InSession {
        /// The session.
        session: SessionId,
        /// The command's number in it.
        sequence: u64,
        /// The lowest number whose answer the client still waits for.
        awaiting: u64,
        /// A command of the state machine.
        #[serde(borrow, serialize_with = "as_bytes")]
        command: &'a [u8],
    },
}

impl Command<'_> {
    /// As it stands in the log.
    ///
    /// # Panics
    /// Never: numbers and bytes always encode.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        postcard::to_extend(self, Vec::with_capacity(96)).expect("numbers and bytes encode in memory").into()
    }
}

/// Why a command of a session was not applied.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SessionRefusal {
    /// It was never opened, or has expired.
    #[error(
        "this session was never opened or has expired; whether earlier attempts of the command happened is unknown"
    )]
    UnknownSession,
    /// The client said before that it no longer waits for this sequence number.
    #[error("the session no longer waits for this sequence number")]
    StaleSequence,
    /// The client waits for [`MAX_AWAITED`] answers.
    #[error("the session waits for too many answers; raise `awaiting`")]
    TooManyAwaited,
    /// The command in the log makes no sense.
    #[error("the command makes no sense")]
    Malformed,
}

/// What a command or query brings back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SessionAnswer<A> {
    /// The session is open.
    Opened(SessionId),
    /// What the state machine answered, now or when the command came first.
    Answer(A),
    /// Not applied.
    Refused(SessionRefusal),
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Session<A> {
    /// Log index of its last command. No two sessions share one.
    last_used: u64,
    /// The lowest number whose answer the client still waits for.
    awaiting: u64,
    answers: BTreeMap<u64, A>,
}

/// Part of the replicated state machine: the same on every replica.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SessionOptions {
    /// Sessions that may be open at a time.
    pub max_sessions: usize,
    /// A planted bug.
    pub bug: Option<Bug>,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self { max_sessions: 4096, bug: None }
    }
}

/// A state machine whose commands are applied once, also when they are sent again.
#[derive(Clone, Debug)]
pub struct Sessions<M: StateMachine> {
    machine: M,
    options: SessionOptions,
    sessions: BTreeMap<SessionId, Session<M::Answer>>,
    /// Sessions by the log index of their last use; follows from `sessions`.
    by_use: BTreeMap<u64, SessionId>,
    memory: Memory<M::Answer>,
}

#[derive(Serialize)]
struct SnapshotOut<'a, A> {
    sessions: &'a BTreeMap<SessionId, Session<A>>,
    #[serde(serialize_with = "as_bytes")]
    machine: &'a [u8],
}

#[derive(Deserialize)]
struct SnapshotIn<'a, A> {
    sessions: BTreeMap<SessionId, Session<A>>,
    #[serde(borrow)]
    machine: &'a [u8],
}

impl<M: StateMachine> Sessions<M> {
    /// No session is open.
    ///
    /// # Panics
    /// Where no session may be open.
    #[must_use]
    pub fn new(machine: M, options: SessionOptions) -> Self {
        assert!(options.max_sessions > 0, "at least one session must fit");
        Self { machine, options, sessions: BTreeMap::new(), by_use: BTreeMap::new(), memory: Memory::default() }
    }

    /// The state machine behind the sessions.
    #[must_use]
    pub fn machine(&self) -> &M {
        &self.machine
    }

    fn has(&self, bug: Bug) -> bool {
        self.options.bug == Some(bug)
    }

    fn open(&mut self, index: u64) -> SessionId {
        self.open_as(SessionId(index), index);
        SessionId(index)
    }

    fn open_as(&mut self, id: SessionId, index: u64) {
        while self.sessions.len() >= self.options.max_sessions
            && let Some((_, oldest)) = self.by_use.pop_first()
        {
            self.sessions.remove(&oldest);
        }
        self.sessions.insert(id, Session { last_used: index, awaiting: 0, answers: BTreeMap::new() });
        self.by_use.insert(index, id);
    }

    /// RX-04: the session is gone when this replica's own clock says that it was not used for long.
    fn expire_by_clock(&mut self, id: SessionId) {
        if self.memory.is_long_unused(id)
            && let Some(session) = self.sessions.remove(&id)
        {
            self.by_use.remove(&session.last_used);
        }
    }
}

impl<M> Sessions<M>
where
    M: StateMachine,
    M::Answer: Clone,
{
    fn apply_in_session(
        &mut self,
        index: u64,
        id: SessionId,
        sequence: u64,
        awaiting: u64,
        command: &[u8],
    ) -> Result<M::Answer, SessionRefusal> {
        if awaiting > sequence {
            return Err(SessionRefusal::Malformed);
        }
        if self.has(Bug::RX04) {
            self.expire_by_clock(id);
        }
        if self.has(Bug::RX05) && !self.sessions.contains_key(&id) {
            self.open_as(id, index);
        }
        let looks = !self.has(Bug::RX01) && !self.has(Bug::RX02) && !self.has(Bug::RX03);
        let only_last = self.has(Bug::RX06);
        let session = self.sessions.get_mut(&id).ok_or(SessionRefusal::UnknownSession)?;
        self.by_use.remove(&session.last_used);
        self.by_use.insert(index, id);
        session.last_used = index;
        if awaiting > session.awaiting {
            session.awaiting = awaiting;
            session.answers = session.answers.split_off(&awaiting);
        }
        if sequence < session.awaiting && looks && !only_last {
            return Err(SessionRefusal::StaleSequence);
        }
        if let Some(answer) = session.answers.get(&sequence).filter(|_| looks) {
            return Ok(answer.clone());
        }
        if session.answers.len() >= MAX_AWAITED {
            return Err(SessionRefusal::TooManyAwaited);
        }
        let answer = self.machine.apply(index, command);
        if only_last {
            session.answers.clear();
        }
        session.answers.insert(sequence, answer.clone());
        if self.has(Bug::RX02) {
            self.memory.answers.insert((id, sequence), answer.clone());
        }
        Ok(answer)
    }
}

impl<M> StateMachine for Sessions<M>
where
    M: StateMachine,
    M::Answer: Serialize + DeserializeOwned,
{
    type Query = M::Query;
    type Answer = SessionAnswer<M::Answer>;

    fn apply(&mut self, index: u64, command: &[u8]) -> Self::Answer {
        match postcard::from_bytes(command) {
            Err(_) => SessionAnswer::Refused(SessionRefusal::Malformed),
            Ok(Command::Open) => SessionAnswer::Opened(self.open(index)),
            Ok(Command::Once { command }) => SessionAnswer::Answer(self.machine.apply(index, command)),
            Ok(Command::InSession { session, sequence, awaiting, command }) => {
                match self.apply_in_session(index, session, sequence, awaiting, command) {
                    Ok(answer) => SessionAnswer::Answer(answer),
                    Err(refusal) => SessionAnswer::Refused(refusal),
                }
            }
        }
    }

    fn query(&self, query: &Self::Query) -> Self::Answer {
        SessionAnswer::Answer(self.machine.query(query))
    }

    fn snapshot(&self) -> Bytes {
        let machine = self.machine.snapshot();
        let snapshot = SnapshotOut { sessions: &self.sessions, machine: &machine };
        postcard::to_stdvec(&snapshot).expect("answers of a state machine encode in memory").into()
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), RestoreError> {
        let snapshot: SnapshotIn<'_, M::Answer> = postcard::from_bytes(snapshot)
            .map_err(|error| RestoreError { reason: format!("the session table: {error}") })?;
        self.machine.restore(snapshot.machine)?;
        self.by_use = snapshot.sessions.iter().map(|(&id, session)| (session.last_used, id)).collect();
        self.sessions = snapshot.sessions;
        if self.has(Bug::RS07) {
            self.sessions.values_mut().for_each(|session| session.answers.clear());
        }
        Ok(())
    }

    fn remembered(&self, command: &[u8]) -> Option<Self::Answer> {
        let Ok(Command::InSession { session, sequence, .. }) = postcard::from_bytes(command) else { return None };
        let answer = if self.has(Bug::RX02) {
            self.memory.answers.get(&(session, sequence))
        } else {
            self.sessions.get(&session)?.answers.get(&sequence)
        };
        answer.cloned().map(SessionAnswer::Answer)
    }

    fn overhear(&mut self, local: Local) {
        self.memory.overhear(local);
    }
}

#[cfg(test)]
mod tests;
