//! Of the contradictions that a register shows, one that a person can follow.
//!
//! Where there is one there are often many, and the first that is met may reach over long chains of compare-and-sets.
//! So the search for a small one goes on for a while, and any two operations that prove an order will do.

use super::RegisterContradiction;
use super::blocks::{Block, Blocks};
use super::seen::ValueId;
use crate::staircase::Interval;

/// Comparisons spent on it: a moment, also for the longest histories.
const COMPARISONS: usize = 2_000_000;
/// There is hardly a contradiction of fewer operations.
const SMALL_ENOUGH: usize = 3;
/// Of all who read a value, so many are tried as the one that proves both orders.
const READERS_TRIED: usize = 60;

/// The smallest contradiction that was met, and what may still be spent.
struct Search {
    best: RegisterContradiction,
    size: usize,
    comparisons: usize,
}

impl Search {
    fn is_over(&self) -> bool {
        self.size <= SMALL_ENOUGH || self.comparisons == 0
    }

    fn spend(&mut self, comparisons: usize) {
        self.comparisons = self.comparisons.saturating_sub(comparisons);
    }
}

/// What a value proves of its block: it was there when `over` completed, and again when `begun` was invoked.
struct Span {
    /// The operation that was over first; `None` for the initial value, which was there before all time.
    over: Option<Interval>,
    /// The operation that began last; `None` where nobody saw the initial value.
    begun: Option<Interval>,
}

impl Span {
    fn is_before(&self, other: &Self) -> bool {
        match (&self.over, &other.begun) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(over), Some(begun)) => over.completed < begun.invoked,
        }
    }
}

/// Two operations of a block, which may be one, and the producers of the values between them.
struct Ends {
    /// It was over before the other block's `begun`; `None` for the initial value.
    over: Option<Interval>,
    /// It began after the other block's `over`.
    begun: Interval,
    producers: Vec<u32>,
}

impl Ends {
    fn cross(&self, right: &Self) -> Option<RegisterContradiction> {
        let right_over = right.over?;
        let left_first = self.over.is_none_or(|over| over.completed < right.begun.invoked);
        (left_first && right_over.completed < self.begun.invoked).then(|| RegisterContradiction::Crossing {
            left_over: self.over.map(|over| over.place),
            right_begins: right.begun.place,
            right_over: right_over.place,
            left_begins: self.begun.place,
            left_producers: self.producers.clone(),
            right_producers: right.producers.clone(),
        })
    }
}

impl<V> Blocks<'_, V> {
    /// A contradiction at most as large as the given one.
    pub(super) fn smallest(&self, first: RegisterContradiction) -> RegisterContradiction {
        let size = self.size(&first);
        let mut search = Search { best: first, size, comparisons: COMPARISONS };
        let mut blocks = Vec::new();
        for value in self.first_values() {
            match self.climb(value) {
                Ok((block, values)) => {
                    search.spend(values);
                    blocks.push(block);
                }
                Err(contradiction) => self.consider(contradiction, &mut search),
            }
            if search.is_over() {
                return search.best;
            }
        }
        self.try_crossings(blocks, &mut search);
        search.best
    }

    fn try_crossings(&self, mut blocks: Vec<Block>, search: &mut Search) {
        let after_initial = blocks.len().min(1);
        blocks[after_initial..].sort_unstable_by_key(Block::sort_key);
        let mut last: Option<&Block> = None;
        for block in &blocks {
            if let Some(last) = last
                && block.must_precede(last)
                && let Some(crossing) = self.small_crossing(last.value, block.value, search)
            {
                self.consider(crossing, search);
            }
            if search.is_over() {
                return;
            }
            if last.is_none_or(|last| last.begins_before(block)) {
                last = Some(block);
            }
        }
    }

    fn consider(&self, contradiction: RegisterContradiction, search: &mut Search) {
        let size = self.size(&contradiction);
        search.spend(size);
        if size < search.size {
            search.best = contradiction;
            search.size = size;
        }
    }

    fn size(&self, contradiction: &RegisterContradiction) -> usize {
        contradiction.clone().into_clash(self.seen).operations.len()
    }

    /// Why the two blocks must each come before the other, over as few values as possible.
    fn small_crossing(&self, left: ValueId, right: ValueId, search: &mut Search) -> Option<RegisterContradiction> {
        let (left, right) = (self.spans(left), self.spans(right));
        for spread in 0..left.len() + right.len() {
            for left_spread in 0..=spread.min(left.len() - 1) {
                let right_spread = spread - left_spread;
                for (over, begun) in pairs(left.len(), left_spread) {
                    search.spend(2 * right.len());
                    for (right_begun, right_over) in pairs(right.len(), right_spread) {
                        let proves = left[over].1.is_before(&right[right_begun].1)
                            && right[right_over].1.is_before(&left[begun].1);
                        if proves {
                            let left_ends = self.ends_of(&left, over, begun);
                            let right_ends = self.ends_of(&right, right_over, right_begun);
                            return self.fewest(&left_ends, &right_ends, search);
                        }
                    }
                }
                if search.comparisons == 0 {
                    return None;
                }
            }
        }
        None
    }

    /// The operations that may stand for "was over" and "began" of a block, between these of its values.
    fn ends_of(&self, spans: &[(ValueId, Span)], over: usize, begun: usize) -> Vec<Ends> {
        let between = &spans[over.min(begun)..=over.max(begun)];
        let producers: Vec<u32> = between.iter().filter_map(|(value, _)| self.producer(*value)).collect();
        let producer = |at: usize| self.producer(spans[at].0).map(|place| self.interval(place));
        let over_choices = match spans[over].1.over {
            None => vec![None],
            first => vec![producer(over), first],
        };
        let begun_choices = [producer(begun), spans[begun].1.begun];
        let ends = |over, begun| Ends { over, begun, producers: producers.clone() };
        let mut all: Vec<Ends> = over_choices
            .iter()
            .flat_map(|over| begun_choices.into_iter().flatten().map(|begun| ends(*over, begun)))
            .collect();
        if over == begun && spans[over].1.over.is_some() {
            let both = self.operations_of(spans[over].0).take(READERS_TRIED).map(|place| self.interval(place));
            all.extend(both.map(|both| ends(Some(both), both)));
        }
        all
    }

    /// The crossing of the fewest operations.
    fn fewest(&self, left: &[Ends], right: &[Ends], search: &mut Search) -> Option<RegisterContradiction> {
        search.spend(left.len() * right.len());
        let crossings = left.iter().flat_map(|left| right.iter().filter_map(|right| left.cross(right)));
        crossings.min_by_key(|crossing| self.size(crossing))
    }

    fn spans(&self, first: ValueId) -> Vec<(ValueId, Span)> {
        let span = |value| {
            let intervals = || self.operations_of(value).map(|place| self.interval(place));
            let over = intervals().min_by_key(|interval| interval.completed);
            let begun = intervals().max_by_key(|interval| interval.invoked);
            Span { over: over.filter(|_| self.producer(value).is_some()), begun }
        };
        self.values(first).map(|value| (value, span(value))).collect()
    }
}

/// The places of a line of `length` that are `spread` apart, both ways round.
fn pairs(length: usize, spread: usize) -> impl Iterator<Item = (usize, usize)> {
    let upwards = (0..length.saturating_sub(spread)).map(move |place| (place, place + spread));
    let downwards =
        (0..if spread == 0 { 0 } else { length.saturating_sub(spread) }).map(move |place| (place + spread, place));
    upwards.chain(downwards)
}
