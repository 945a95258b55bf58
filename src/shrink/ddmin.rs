//! Leaving out as much as possible: delta debugging (Zeller and Hildebrandt, *Simplifying and Isolating Failure-Inducing
//! Input*, TSE 2002), by complements alone, from large chunks to single items.

/// Looks through so many candidates for the first that still fails. A candidate is made only when it is its turn.
pub(crate) trait FirstFailing<T> {
    /// The items of the first candidate that fails.
    fn first(&mut self, count: usize, candidate: &(dyn Fn(usize) -> Vec<T> + Sync)) -> Option<usize>;
}

/// The items without those that are not needed for the failure. Where the answers do not change with the order of the
/// questions, no single item can be left out of the result.
pub(crate) fn ddmin<T: Clone + Sync>(mut items: Vec<T>, search: &mut impl FirstFailing<T>) -> Vec<T> {
    let mut chunk = items.len();
    while !items.is_empty() {
        let removed = pass(&mut items, chunk, search);
        if chunk == 1 && !removed {
            break;
        }
        chunk = (chunk.min(items.len()) / 2).max(1);
    }
    items
}

/// Tries to leave out every chunk of this size once.
fn pass<T: Clone + Sync>(items: &mut Vec<T>, chunk: usize, search: &mut impl FirstFailing<T>) -> bool {
    let mut from = 0;
    let mut removed = false;
    while from < items.len() {
        let count = (items.len() - from).div_ceil(chunk);
        let begins = |number: usize| from + number * chunk;
        let without = |number: usize| {
            let begin = begins(number);
            let end = items.len().min(begin + chunk);
            [&items[..begin], &items[end..]].concat()
        };
        let Some(number) = search.first(count, &without) else { break };
        // The chunks before it are needed; what came after it now begins where it began.
        let begin = begins(number);
        *items = without(number);
        from = begin;
        removed = true;
    }
    removed
}

#[cfg(test)]
mod tests {
    use rashomon_draw::Draw;

    use super::*;

    /// Asks a predicate, and counts.
    struct Asking<F> {
        fails: F,
        asked: usize,
    }

    impl<T, F: Fn(&[T]) -> bool> FirstFailing<T> for Asking<F> {
        fn first(&mut self, count: usize, candidate: &(dyn Fn(usize) -> Vec<T> + Sync)) -> Option<usize> {
            (0..count).find(|number| {
                self.asked += 1;
                (self.fails)(&candidate(*number))
            })
        }
    }

    fn shrink<T: Clone + Sync>(items: Vec<T>, fails: impl Fn(&[T]) -> bool) -> (Vec<T>, usize) {
        let mut search = Asking { fails, asked: 0 };
        let left = ddmin(items, &mut search);
        (left, search.asked)
    }

    #[test]
    fn what_fails_empty_is_shrunk_to_nothing_at_once() {
        assert_eq!(shrink((0..1000).collect(), |_| true), (Vec::<i32>::new(), 1));
        assert_eq!(shrink(Vec::<i32>::new(), |_| true), (vec![], 0));
    }

    #[test]
    fn one_needed_item_of_many_is_found_in_few_questions() {
        let (left, asked) = shrink((0..1024).collect(), |items: &[i32]| items.contains(&777));
        assert_eq!(left, [777]);
        assert!(asked < 40, "{asked}");
    }

    #[test]
    fn the_order_of_what_stays_is_kept() {
        let needed = [3, 50, 51, 99];
        let (left, _) = shrink((0..100).collect(), |items: &[i32]| needed.iter().all(|item| items.contains(item)));
        assert_eq!(left, needed);
    }

    /// Every subset of the items that fails, by brute force.
    fn smallest(count: u32, fails: &impl Fn(u32) -> bool) -> u32 {
        (0..1_u32 << count).filter(|subset| fails(*subset)).map(u32::count_ones).min().unwrap()
    }

    fn mask(items: &[u32]) -> u32 {
        items.iter().map(|item| 1 << item).sum()
    }

    #[test]
    fn with_any_monotonic_failure_no_single_item_can_be_left_out() {
        let mut exact = 0;
        for seed in 0..300 {
            let mut draw = Draw::from_seed(seed);
            // It fails where all items of any of these causes are there.
            let causes: Vec<u32> =
                (0..=draw.below(3)).map(|_| draw.next_u64() as u32 & draw.next_u64() as u32 & 0xfff).collect();
            let fails = |items: u32| causes.iter().any(|cause| items & cause == *cause);
            let (left, _) = shrink((0..12).collect(), |items: &[u32]| fails(mask(items)));
            let left = mask(&left);
            assert!(fails(left), "seed {seed}");
            let fewer = (0..12).map(|item| left & !(1 << item)).filter(|fewer| *fewer != left);
            assert!(fewer.into_iter().all(|fewer| !fails(fewer)), "seed {seed}: {left:b} of {causes:?}");
            exact += usize::from(left.count_ones() == smallest(12, &fails));
        }
        assert!(exact > 200, "of 300 only {exact} are as small as can be");
    }

    #[test]
    fn a_failure_that_comes_and_goes_is_shrunk_to_what_fails_without_each_item() {
        for seed in 0..300 {
            let mut draw = Draw::from_seed(seed);
            let table: Vec<bool> = (0..1 << 8).map(|_| draw.chance(20)).collect();
            let fails = |items: u32| items == 0xff || table[items as usize];
            let (left, _) = shrink((0..8).collect(), |items: &[u32]| fails(mask(items)));
            let left = mask(&left);
            assert!(fails(left), "seed {seed}");
            let fewer = (0..8).map(|item| left & !(1 << item)).filter(|fewer| *fewer != left);
            assert!(fewer.into_iter().all(|fewer| !fails(fewer)), "seed {seed}");
        }
    }
}
