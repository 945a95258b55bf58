//! The threads of one check.

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, IntoParallelRefMutIterator, ParallelIterator};
use rayon::{ThreadPool, ThreadPoolBuilder};

/// Threads that do the same to many things. What comes out does not depend on how many they are.
pub(crate) struct Workers {
    /// None for a single one, or where the system gives no more.
    pool: Option<ThreadPool>,
}

impl Workers {
    pub(crate) fn new(threads: usize) -> Self {
        let pool = (threads > 1).then(|| ThreadPoolBuilder::new().num_threads(threads).build().ok()).flatten();
        Self { pool }
    }

    pub(crate) fn count(&self) -> usize {
        self.pool.as_ref().map_or(1, ThreadPool::current_num_threads)
    }

    /// What is made of each number below `count`, in order.
    pub(crate) fn map<T: Send>(&self, count: usize, make: impl Fn(usize) -> T + Sync) -> Vec<T> {
        match &self.pool {
            Some(pool) => pool.install(|| (0..count).into_par_iter().map(&make).collect()),
            None => (0..count).map(make).collect(),
        }
    }

    /// Does it to every item, with its number.
    pub(crate) fn for_each<T: Send>(&self, items: &mut [T], act: impl Fn(usize, &mut T) + Sync) {
        match &self.pool {
            Some(pool) => {
                pool.install(|| items.par_iter_mut().enumerate().for_each(|(number, item)| act(number, item)));
            }
            None => items.iter_mut().enumerate().for_each(|(number, item)| act(number, item)),
        }
    }
}
