//! Groups of operations whose order is known, held against the times of their operations.

/// The interval of one operation, and its place in the partition.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interval {
    pub(crate) invoked: u64,
    pub(crate) completed: u64,
    pub(crate) place: u32,
}

/// Climbs groups of operations in the order in which they must have taken effect; operations of one group may have done
/// so in any order. An operation that was over before one of an earlier group began is the contradiction.
///
/// It is the only possible one: in each group the operations can be put in the order of their invocations, and then no
/// operation stands after one that began when it was over.
pub(crate) struct Staircase {
    /// The operation that was invoked last, of the groups before and of this one.
    last_invoked: Option<Interval>,
    last_invoked_here: Option<Interval>,
}

impl Staircase {
    pub(crate) fn new() -> Self {
        Self { last_invoked: None, last_invoked_here: None }
    }

    /// The next group begins.
    pub(crate) fn next_group(&mut self) {
        let here = self.last_invoked_here.take();
        self.last_invoked = later(self.last_invoked, here);
    }

    /// Puts an operation into the group. The operation of an earlier group that it contradicts, if there is one.
    pub(crate) fn add(&mut self, operation: Interval) -> Option<u32> {
        self.last_invoked_here = later(self.last_invoked_here, Some(operation));
        self.last_invoked.filter(|earlier| operation.completed < earlier.invoked).map(|earlier| earlier.place)
    }
}

fn later(left: Option<Interval>, right: Option<Interval>) -> Option<Interval> {
    match (left, right) {
        (Some(left), Some(right)) if right.invoked > left.invoked => Some(right),
        (None, right) => right,
        (left, _) => left,
    }
}
