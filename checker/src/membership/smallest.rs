//! The operations that contradict each other, without those that need not be told.

use super::{MembershipClash, MembershipOperation, MembershipStep, Stuck, decide};

/// Of more operations than these only those that changed nothing are left out.
const TRIED_MAX: usize = 64;

const NEVER: u64 = u64::MAX;

/// When the first of the operations that are left out began, of those that may have taken the element away, and of those
/// that may have put it there.
#[derive(Clone, Copy)]
pub(crate) struct LeftOut([u64; 2]);

impl LeftOut {
    pub(crate) const NOTHING: Self = Self([NEVER; 2]);

    pub(crate) fn add(&mut self, step: MembershipStep, invoked: u64) {
        match step {
            MembershipStep::Saw(_) => {}
            MembershipStep::Changed(to) | MembershipStep::Ensured(to) => {
                let first = &mut self.0[usize::from(to)];
                *first = invoked.min(*first);
            }
        }
    }

    /// What is certain of an operation all the same: that it saw or found something, it may owe to what is left out.
    pub(crate) fn weaken(&self, step: MembershipStep, completed: u64) -> Option<MembershipStep> {
        let may_owe = |needs: bool| self.0[usize::from(needs)] <= completed;
        match step {
            MembershipStep::Saw(seen) => (!may_owe(seen)).then_some(step),
            MembershipStep::Changed(to) if may_owe(!to) => Some(MembershipStep::Ensured(to)),
            MembershipStep::Changed(_) | MembershipStep::Ensured(_) => Some(step),
        }
    }
}

pub(super) fn clash(operations: &[MembershipOperation], stuck: Stuck) -> MembershipClash {
    let over = operations[stuck.place as usize].completed;
    let all: Vec<u32> = (0..operations.len() as u32).collect();
    let mut core = Core { operations, kept: all, stuck };
    core.leave_out(|_, operation| operation.invoked > over);
    core.leave_out(|place, operation| place != stuck.place && matches!(operation.step, MembershipStep::Saw(_)));
    if core.kept.len() <= TRIED_MAX {
        for place in core.kept.clone() {
            core.leave_out(|other, _| other == place);
        }
    }
    MembershipClash { stuck: core.stuck.place, needs: core.stuck.needs, operations: core.kept }
}

struct Core<'a> {
    operations: &'a [MembershipOperation],
    kept: Vec<u32>,
    stuck: Stuck,
}

impl Core<'_> {
    /// Leaves these out, if what is certain of the others is still a contradiction.
    fn leave_out(&mut self, which: impl Fn(u32, &MembershipOperation) -> bool) {
        let is_kept = |place: &u32| !which(*place, &self.operations[*place as usize]);
        let kept: Vec<u32> = self.kept.iter().copied().filter(is_kept).collect();
        let mut left_out = LeftOut::NOTHING;
        let mut next = kept.iter().peekable();
        for (place, operation) in self.operations.iter().enumerate() {
            if next.next_if(|kept| **kept as usize == place).is_none() {
                left_out.add(operation.step, operation.invoked);
            }
        }
        let mut places = Vec::with_capacity(kept.len());
        let mut part = Vec::with_capacity(kept.len());
        for place in &kept {
            let operation = self.operations[*place as usize];
            let completed = if operation.is_known { operation.completed } else { NEVER };
            if let Some(step) = left_out.weaken(operation.step, completed) {
                part.push(MembershipOperation { step, ..operation });
                places.push(*place);
            }
        }
        if let Some(Err(stuck)) = decide(&part) {
            self.stuck = Stuck { place: places[stuck.place as usize], needs: stuck.needs };
            self.kept = kept;
        }
    }
}
