//! The contract between a server and whoever gives it hands.
//!
//! A server is a state machine: [`Server::step`] takes one [`Input`] and answers with [`Output`]s. It has no clock,
//! socket, file, thread or source of randomness of its own. `node` gives it real hands, a simulation gives it simulated
//! ones, and both must keep the same rules:
//!
//! 1. **Order.** Outputs are carried out in the order in which they came, over all steps.
//! 2. **Durability.** What comes after an [`Output::Persist`] waits until that write is durable. The driver goes on
//!    stepping meanwhile, and may make several writes durable with one sync. [`Output::SendNow`] and [`Output::ReplyNow`]
//!    depend on no write: they never wait, and may overtake what does.
//! 3. **Completion.** When a write is durable the driver first lets out what waited for it, and then tells the server with
//!    [`Input::Persisted`], in order.
//! 4. **Time.** `now` never goes backwards. The driver steps with [`Input::Tick`] when [`Server::deadline`] has passed.
//! 5. **Messages** may be lost, repeated, delayed and reordered. They are never altered.
//! 6. **Batches.** After it has stepped all the inputs it has at hand, and before it waits for more, the driver calls
//!    [`Server::flush`]. Until then the server may hold back what profits from being put together.
//! 7. **A crash** loses the server and every write that was not durable, in whole or from some write on. The next life
//!    starts from what [`Recovered`] holds.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// A member of the cluster, from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub u16);

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n{}", self.0)
    }
}

/// The text is no name of a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a node is named n1, n2 and so on")]
pub struct NotANode;

impl FromStr for NodeId {
    type Err = NotANode;

    fn from_str(name: &str) -> Result<Self, NotANode> {
        name.strip_prefix('n').and_then(|number| number.parse().ok()).map(Self).ok_or(NotANode)
    }
}

/// A reading of the node's monotonic clock: microseconds since an arbitrary moment.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Micros(pub u64);

impl Micros {
    /// This many microseconds later.
    #[must_use]
    pub fn after(self, micros: u64) -> Self {
        Self(self.0.saturating_add(micros))
    }

    /// Microseconds from `earlier` to here; 0 where `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Names a client's request between driver and server. The driver never gives one twice in a life.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RequestId(pub u64);

/// Names a write. A server counts up from 1 in each life.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct WriteId(pub u64);

/// What shall be durable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Write {
    /// Put these records at the end of the log, in this order. The frame of one write is whole or absent after a crash.
    Append(Vec<Bytes>),
    /// Begin anew: from now on `snapshot` and `tail` stand for all that was written before. After a crash either
    /// everything that was there before is there, or this.
    Checkpoint {
        /// The state; what is in it is the server's own affair.
        snapshot: Bytes,
        /// The first records of the new log.
        tail: Vec<Bytes>,
    },
}

/// What the disk still knew when the server came up: the last durable checkpoint and all records after it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Recovered {
    /// The snapshot of the last checkpoint.
    pub snapshot: Option<Bytes>,
    /// The records since, oldest first.
    pub records: Vec<Bytes>,
}

/// What a server is told.
#[derive(Clone, Debug)]
pub enum Input<M, Q> {
    /// Time has passed.
    Tick,
    /// A message of another member.
    Message {
        /// Who sent it.
        from: NodeId,
        /// What it says.
        message: M,
    },
    /// A client asks.
    Request {
        /// The request's name in this life.
        id: RequestId,
        /// What is asked.
        request: Q,
    },
    /// The client is gone; nobody waits for the answer any more.
    Abandon {
        /// The request's name.
        id: RequestId,
    },
    /// This write, and so every one before it, is durable.
    Persisted(WriteId),
}

/// What a server wants done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Output<M, R> {
    /// Make this durable.
    Persist {
        /// The write's name.
        id: WriteId,
        /// What to write.
        write: Write,
    },
    /// Send this to another member.
    Send {
        /// To whom.
        to: NodeId,
        /// What.
        message: M,
    },
    /// Send this to another member at once, whatever is not yet durable.
    SendNow {
        /// To whom.
        to: NodeId,
        /// What.
        message: M,
    },
    /// Answer a client. A request is answered once or, when it was abandoned or the server died, never.
    Reply {
        /// The request's name.
        id: RequestId,
        /// The answer.
        response: R,
    },
    /// Answer a client at once, whatever is not yet durable.
    ReplyNow {
        /// The request's name.
        id: RequestId,
        /// The answer.
        response: R,
    },
}

/// What a server tells about itself, for people, for the nemesis and for statistics. Never used for decisions of the
/// protocol.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Status {
    /// Who speaks.
    pub node: String,
    /// `leader`, `follower`, `candidate`, ...
    pub role: String,
    /// Raft's term, or what grows with every change of leader elsewhere.
    pub term: u64,
    /// The leader that this node believes in.
    pub leader: Option<String>,
    /// Entries known to be committed.
    pub commit_index: u64,
    /// Entries applied to the state machine.
    pub applied_index: u64,
    /// Entries in the log, those in the snapshot included.
    pub last_index: u64,
    /// Entries that only the snapshot still holds.
    pub snapshot_index: u64,
    /// Who votes, as far as this node knows.
    pub voters: Vec<String>,
    /// Who gets the log without a vote, as far as this node knows.
    pub learners: Vec<String>,
}

impl fmt::Display for Status {
    /// `n2 follower in term 4 of n1, log to 40, committed 38, applied 38`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { node, role, term, leader, commit_index, applied_index, last_index, .. } = self;
        write!(f, "{node} {role} in term {term}")?;
        if let Some(leader) = leader {
            write!(f, " of {leader}")?;
        }
        write!(f, ", log to {last_index}, committed {commit_index}, applied {applied_index}")
    }
}

/// One member of a cluster, as a state machine without I/O.
pub trait Server {
    /// What members tell each other.
    type Message: Clone + fmt::Debug + Serialize + for<'de> Deserialize<'de>;
    /// What a client asks.
    type Request: Clone + fmt::Debug;
    /// What a client is answered.
    type Response: Clone + fmt::Debug;

    /// Takes one input at time `now` and puts what follows from it at the end of `outputs`.
    fn step(
        &mut self,
        now: Micros,
        input: Input<Self::Message, Self::Request>,
        outputs: &mut Vec<Output<Self::Message, Self::Response>>,
    );

    /// Puts what was held back at the end of `outputs`: appends to other members, the write of all that became due since
    /// the last flush, and what waits for that write. `now` is the time of the last step or later. Costs next to nothing
    /// where nothing was held back.
    fn flush(&mut self, now: Micros, outputs: &mut Vec<Output<Self::Message, Self::Response>>);

    /// When the server wants its next [`Input::Tick`] at the latest. May change with every step.
    fn deadline(&self) -> Micros;

    /// What the server tells about itself.
    fn status(&self) -> Status;
}
