//! Compare-and-sets that were refused, without saying what they found.

use super::seen::Seen;
use super::{RegisterOperation, RegisterStep};

/// Puts each refused compare-and-set into the order at the first place that its interval allows and where another value
/// stands. `None` if one does not fit: another order might have room for it.
pub(super) fn place_refused<V>(operations: &[RegisterOperation<V>], seen: &Seen, order: Vec<u32>) -> Option<Vec<u32>> {
    let refused: Vec<u32> = (0..operations.len() as u32)
        .filter(|place| {
            let operation = &operations[*place as usize];
            operation.is_known && matches!(operation.step, RegisterStep::Refused(_))
        })
        .collect();
    if refused.is_empty() {
        return Some(order);
    }
    let gaps = Gaps::new(operations, seen, &order);
    let completed = |place: u32| operations[place as usize].completed;
    let mut by_completion = refused.clone();
    by_completion.sort_by_key(|place| completed(*place));
    let mut over = by_completion.into_iter().peekable();
    let mut gap_of = vec![0; operations.len()];
    let mut gap_of_over = 0;
    let mut placed: Vec<(u32, u32)> = Vec::with_capacity(refused.len());
    for place in refused {
        let operation = &operations[place as usize];
        // One that was over before has its place already: the places are given by invocation.
        while let Some(before) = over.next_if(|before| completed(*before) < operation.invoked) {
            gap_of_over = gap_of_over.max(gap_of[before as usize]);
        }
        let (first, last) = gaps.allowed(operation.invoked, operation.completed);
        let mut gap = first.max(gap_of_over);
        if let Some((from, end)) = gaps.run_of(seen.from[place as usize])
            && (from..end).contains(&gap)
        {
            gap = end;
        }
        if gap > last {
            return None;
        }
        gap_of[place as usize] = gap;
        placed.push((gap, place));
    }
    placed.sort_by_key(|(gap, _)| *gap);
    Some(merge(order, &placed))
}

fn merge(order: Vec<u32>, placed: &[(u32, u32)]) -> Vec<u32> {
    let mut merged = Vec::with_capacity(order.len() + placed.len());
    let mut rest = placed.iter().peekable();
    for (gap, place) in order.into_iter().enumerate() {
        while let Some((_, refused)) = rest.next_if(|(before, _)| *before as usize <= gap) {
            merged.push(*refused);
        }
        merged.push(place);
    }
    merged.extend(rest.map(|(_, refused)| *refused));
    merged
}

/// The gaps of an order: gap 0 is before its first operation, gap n after its last.
struct Gaps {
    /// By completion: the completion, and the first gap after all operations that were over by then.
    after: Vec<(u64, u32)>,
    /// By invocation: the invocation, and the last gap before all operations that began from then on.
    before: Vec<(u64, u32)>,
    /// The gaps where each value stands: from, and up to but not with.
    runs: Vec<(u32, u32)>,
}

impl Gaps {
    fn new<V>(operations: &[RegisterOperation<V>], seen: &Seen, order: &[u32]) -> Self {
        let mut after: Vec<(u64, u32)> = Vec::with_capacity(order.len());
        let mut before: Vec<(u64, u32)> = Vec::with_capacity(order.len());
        let mut runs = vec![(0, 0); seen.producer.len()];
        let mut standing = super::seen::INITIAL;
        for (index, place) in order.iter().enumerate() {
            let operation = &operations[*place as usize];
            let index = index as u32;
            if operation.is_known {
                after.push((operation.completed, index + 1));
            }
            before.push((operation.invoked, index));
            let value = seen.value[*place as usize];
            if value != standing {
                runs[standing as usize].1 = index + 1;
                runs[value as usize].0 = index + 1;
                standing = value;
            }
        }
        runs[standing as usize].1 = order.len() as u32 + 1;
        after.sort_unstable();
        let mut highest = 0;
        for (_, gap) in &mut after {
            highest = highest.max(*gap);
            *gap = highest;
        }
        before.sort_unstable();
        let mut lowest = order.len() as u32;
        for (_, gap) in before.iter_mut().rev() {
            lowest = lowest.min(*gap);
            *gap = lowest;
        }
        Self { after, before, runs }
    }

    /// The first and the last gap for an operation with this interval. The first may be after the last only if another
    /// operation's place is wrong, which an order that respects the times rules out.
    fn allowed(&self, invoked: u64, completed: u64) -> (u32, u32) {
        let over = self.after.partition_point(|(time, _)| *time < invoked);
        let first = if over == 0 { 0 } else { self.after[over - 1].1 };
        let begins = self.before.partition_point(|(time, _)| *time <= completed);
        let last = self.before.get(begins).map_or(self.end(), |(_, gap)| *gap);
        (first, last)
    }

    fn end(&self) -> u32 {
        self.before.len() as u32
    }

    fn run_of(&self, value: u32) -> Option<(u32, u32)> {
        self.runs.get(value as usize).copied()
    }
}
