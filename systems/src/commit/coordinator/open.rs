//! A transaction that is under way.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Object, Op, Stamp, Timestamp, Vote};
use crate::server::{Micros, NodeId, RequestId};

/// How far a transaction is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) enum Phase {
    Executing,
    Voting,
    /// All have voted yes, and are told so (three-phase commit).
    PreCommitting {
        at: Timestamp,
    },
    /// The decision is on its way to the disks.
    Deciding,
}

/// What is known of one shard's part.
pub(in super::super) struct Part {
    pub(super) ops: Vec<Op>,
    pub(super) stamp: Option<Stamp>,
    pub(super) reads: Vec<Option<Object>>,
    pub(super) vote: Option<Vote>,
    pub(in super::super) is_pre_committed: bool,
}

impl Part {
    pub(in super::super) fn writes(&self) -> bool {
        self.ops.iter().any(Op::writes)
    }
}

/// A transaction on which nothing was decided.
pub(in super::super) struct Open {
    pub(super) request: RequestId,
    /// For each read, in the order of the steps, the shard that has its answer.
    pub(super) read_at: Vec<NodeId>,
    pub(in super::super) parts: BTreeMap<NodeId, Part>,
    pub(in super::super) phase: Phase,
    pub(in super::super) deadline: Micros,
}

impl Open {
    pub(super) fn new(request: RequestId, ops: Vec<Op>, shard_of: impl Fn(&Op) -> NodeId, deadline: Micros) -> Self {
        let (mut parts, mut read_at) = (BTreeMap::<NodeId, Part>::new(), Vec::new());
        for op in ops {
            let shard = shard_of(&op);
            if !op.writes() {
                read_at.push(shard);
            }
            let empty =
                || Part { ops: Vec::new(), stamp: None, reads: Vec::new(), vote: None, is_pre_committed: false };
            parts.entry(shard).or_insert_with(empty).ops.push(op);
        }
        Self { request, read_at, parts, phase: Phase::Executing, deadline }
    }

    /// The shards that it changes.
    pub(in super::super) fn writers(&self) -> BTreeSet<NodeId> {
        self.parts.iter().filter(|(_, part)| part.writes()).map(|(node, _)| *node).collect()
    }

    /// What its reads saw, in the order of the steps.
    pub(super) fn reads(self) -> Vec<Option<Object>> {
        let mut reads: BTreeMap<_, _> =
            self.parts.into_iter().map(|(node, part)| (node, part.reads.into_iter())).collect();
        self.read_at.iter().map(|shard| reads.get_mut(shard)?.next()?).collect()
    }
}

/// A transaction that is committed, and whose participants have not all said that they know.
pub(in super::super) struct Unended {
    pub(super) at: Timestamp,
    pub(super) waits_for: BTreeSet<NodeId>,
}
