//! The order of a register's values, as far as real time tells it.
//!
//! Where transactions keep real time, so do the values of each register. A value with those that replaced it right after
//! they had read it, one after the other, and with all who read one of these, is a block: nothing else comes in between.
//! So if one transaction of a block was over before one of another block began, the whole block comes first. No longer
//! reasoning is needed to order the blocks of one register (see `check_register`, where the same holds).

use super::registers::Registers;
use super::{Edges, Kinds, Node};
use crate::transactions::facts::Facts;
use crate::transactions::history::{TransactionHistory, TransactionOutcome};
use crate::transactions::ids::{ElementId, KeyId, TxnId};
use crate::transactions::watch::{Late, Watch};

/// Values of one register that follow each other directly, with all who wrote or read one of them.
struct Block {
    /// Who wrote the first one.
    head: TxnId,
    members: Vec<TxnId>,
    /// When the first of them was over.
    over: Option<(u64, TxnId)>,
    /// When the last of them began.
    begun: (u64, TxnId),
}

impl Block {
    /// Whether it must come before the other.
    fn precedes(&self, other: &Self) -> bool {
        self.over.is_some_and(|(over, _)| over < other.begun.0)
    }
}

/// Finds out which values real time orders.
pub(in crate::transactions) struct Timed<'a> {
    pub(in crate::transactions) history: &'a TransactionHistory,
    pub(in crate::transactions) facts: &'a Facts,
    pub(in crate::transactions) registers: &'a Registers,
}

impl Timed<'_> {
    /// Adds an edge, direct or through points, from every member of a block to the first writer of every later one.
    pub(in crate::transactions) fn add(&self, edges: &mut Edges, watch: &mut Watch) -> Result<(), Late> {
        for key in self.registers.keys() {
            let mut blocks = self.blocks(key);
            watch.look()?;
            if blocks.len() > 1 {
                blocks.sort_by_key(|block| (block.over.map_or(u64::MAX, |(over, _)| over), block.head));
                add_blocks(&blocks, edges, watch)?;
            }
        }
        Ok(())
    }

    /// A transaction on the older value, or on one of its block, and one on the newer value or on one of its block, of
    /// which the first was over before the second began.
    pub(in crate::transactions) fn evidence(&self, older: ElementId, newer: ElementId) -> Option<(TxnId, TxnId)> {
        let key = self.history.elements[older.index()].key;
        let blocks = self.blocks(key);
        let of = |value: ElementId| {
            let writer = self.facts.effective_writer(value)?;
            blocks.iter().find(|block| block.members.contains(&writer))
        };
        let (older, newer) = (of(older)?, of(newer)?);
        older.precedes(newer).then_some((older.over?.1, newer.begun.1))
    }

    /// The blocks of a register; none where an update was lost, which is bad enough.
    fn blocks(&self, key: KeyId) -> Vec<Block> {
        let written = self.registers.written(key);
        let is_lost = |value: ElementId| self.registers.replaced(value).len() > 1;
        if self.registers.begun(key).len() > 1 || written.iter().any(|(.., value)| is_lost(*value)) {
            return Vec::new();
        }
        let mut followers: Vec<ElementId> = self.registers.begun(key).iter().map(|(.., new)| *new).collect();
        followers.extend(written.iter().filter_map(|(.., value)| Some(self.registers.replaced(*value).first()?.2)));
        followers.sort_unstable();
        let heads = written.iter().filter(|(.., value)| followers.binary_search(value).is_err());
        heads.map(|(_, head, value)| self.block(*head, *value)).collect()
    }

    fn block(&self, head: TxnId, first: ElementId) -> Block {
        let transaction = |id: TxnId| self.history.transaction(id);
        let mut block = Block { head, members: vec![head], over: None, begun: (0, head) };
        let mut value = first;
        loop {
            block.members.extend(self.registers.readers(value).iter().map(|(_, reader)| *reader));
            // Who replaces it has read it, and so is a member already.
            let Some((.., next)) = self.registers.replaced(value).first() else { break };
            value = *next;
        }
        let committed = block.members.iter().filter(|id| transaction(**id).outcome == TransactionOutcome::Committed);
        block.over = committed.map(|id| (transaction(*id).completed, *id)).min();
        let begun = block.members.iter().map(|id| (transaction(*id).invoked, *id));
        block.begun = begun.max().unwrap_or(block.begun);
        block
    }
}

/// Blocks come by when the first of their members was over. Those that come before a block are the first few of them, but
/// for itself; a chain of points stands for the first few.
fn add_blocks(blocks: &[Block], edges: &mut Edges, watch: &mut Watch) -> Result<(), Late> {
    let mut points: Vec<Node> = Vec::with_capacity(blocks.len());
    for block in blocks.iter().take_while(|block| block.over.is_some()) {
        let point = edges.point();
        if let Some(last) = points.last() {
            edges.add(*last, point, Kinds::TIMED);
        }
        for member in &block.members {
            watch.tick()?;
            edges.add(member.0, point, Kinds::TIMED);
        }
        points.push(point);
    }
    for (place, block) in blocks.iter().enumerate() {
        let before = blocks[..points.len()].partition_point(|other| other.precedes(block));
        let whole = before.min(place);
        if whole > 0 {
            edges.add(points[whole - 1], block.head.0, Kinds::TIMED);
        }
        // Those that were over after it, but before its last member began, must not lead through its own point. Such a
        // one is no later block's as well, unless it and this one must each come first: then one of them is enough.
        for other in blocks.iter().take(before).skip(place + 1) {
            watch.tick()?;
            for member in other.members.iter().filter(|member| **member != block.head) {
                edges.add(member.0, block.head.0, Kinds::TIMED);
            }
            if block.precedes(other) {
                break;
            }
        }
    }
    Ok(())
}
