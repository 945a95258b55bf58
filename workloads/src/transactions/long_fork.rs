//! Small groups of registers, each written once, by itself: two readers must not see two of the writes in opposite orders.

use rashomon_draw::Draw;
use rashomon_history::{Call, Key, MicroOp, Outcome, Value};

use super::{final_reads, read};
use crate::{Asker, Generator};

const OPEN_GROUPS: usize = 4;
const REGISTERS_A_GROUP: usize = 3;
/// Then nothing new is seen in a group any more.
const CALLS_A_GROUP: u32 = 20;
/// Of the calls of those who write.
const WRITES_PERCENT: u32 = 40;
/// Groups that are read at the end, the newest.
const FINAL_GROUPS: u64 = 100;

pub(crate) struct LongForkGenerator {
    draw: Draw,
    open: Vec<Group>,
    groups: u64,
}

struct Group {
    number: u64,
    unwritten: Vec<Key>,
    calls: u32,
}

impl Group {
    fn new(number: u64) -> Self {
        Self { number, unwritten: registers_of(number).collect(), calls: 0 }
    }
}

fn registers_of(group: u64) -> impl Iterator<Item = Key> {
    (0..REGISTERS_A_GROUP).map(move |place| Key::from(format!("f{group}.{place}")))
}

impl LongForkGenerator {
    pub(crate) fn new(seed: u64) -> Self {
        let open: Vec<Group> = (0..OPEN_GROUPS as u64).map(Group::new).collect();
        Self { draw: Draw::stream(seed, "calls"), groups: open.len() as u64, open }
    }
}

impl Generator for LongForkGenerator {
    fn next_call(&mut self, asker: Asker) -> Call {
        let group = &mut self.open[self.draw.below(OPEN_GROUPS)];
        if group.calls >= CALLS_A_GROUP {
            *group = Group::new(self.groups);
            self.groups += 1;
        }
        group.calls += 1;
        let may_write = asker.role.reads_percent() < 100 && !group.unwritten.is_empty();
        if may_write && self.draw.chance(WRITES_PERCENT) {
            let key = group.unwritten.swap_remove(self.draw.below(group.unwritten.len()));
            return Call::Txn { ops: vec![MicroOp::Write { key, value: Value::Int(1) }] };
        }
        let mut ops: Vec<MicroOp> = registers_of(group.number).map(read).collect();
        self.draw.shuffle(&mut ops);
        Call::Txn { ops }
    }

    fn observe(&mut self, _client: usize, _call: &Call, _outcome: &Outcome) {}

    fn final_reads(&self) -> Vec<Call> {
        let groups = self.groups.saturating_sub(FINAL_GROUPS)..self.groups;
        let reads = groups.map(|group| Call::Txn { ops: registers_of(group).map(read).collect() });
        reads.chain(final_reads(std::iter::empty())).collect()
    }
}
