//! Objects that only grow, and whose reads tell all that is in them: append lists and sets of unique elements.
//!
//! Reads that all fit one order of growth say which elements came between which reads; what no read saw came after all of
//! them. Only the times can contradict that order, see `Staircase`. The cost is linear in the size of what was read.

use std::hash::Hash;

use rustc_hash::FxHashMap;

use crate::staircase::{Interval, Staircase};

/// One operation on an object that grows. `L` is what holds the elements that a read saw.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GrowthStep<'a, E> {
    /// It put this element there.
    Put(&'a E),
    /// It saw these elements.
    Read(&'a [E]),
}

/// One operation on an object that grows, in the order of their invocations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GrowthOperation<'a, E> {
    /// What it did, or would have done.
    pub step: GrowthStep<'a, E>,
    /// Whether it came back. A read that did not is left out.
    pub is_known: bool,
    /// When it was invoked.
    pub invoked: u64,
    /// When it completed; not looked at where it did not come back.
    pub completed: u64,
}

/// Whether the order of the elements in a read counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// Elements stand in the order in which they were put.
    List,
    /// Elements stand in any order.
    Set,
}

/// What [`check_growth`] answers. Numbers are places in the operations.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum GrowthAnswer {
    /// An element is put twice: the rule says nothing.
    NotApplicable(&'static str),
    /// A legal order. Operations of unknown outcome that nobody observed are not in it.
    Valid(Vec<u32>),
    /// There is none.
    Invalid(GrowthClash),
}

/// Why the operations are not linearizable. Numbers are places in the operations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GrowthClash {
    /// A read saw an element that nobody put there.
    NeverPut {
        /// The read.
        read: u32,
        /// Where the element stands in it.
        index: usize,
    },
    /// A read saw an element twice.
    Twice {
        /// The read.
        read: u32,
        /// Who put it there, once.
        put: u32,
    },
    /// Each of two reads saw an element too early for the other one.
    Apart {
        /// One read.
        left: u32,
        /// The other.
        right: u32,
        /// Who put the element that the one saw first.
        left_put: u32,
        /// Who put the element that the other saw first.
        right_put: u32,
    },
    /// One operation must come after another one but was over before that began.
    Backwards {
        /// The one that must come first.
        earlier: u32,
        /// The one that must come later.
        later: u32,
        /// Who put the element that tells them apart, where it is neither.
        put: Option<u32>,
        /// A read that shows the order of two elements, where neither is a read.
        read: Option<u32>,
    },
}

impl GrowthClash {
    /// All operations that are part of it, each once.
    #[must_use]
    pub fn operations(&self) -> Vec<u32> {
        let mut all = match *self {
            Self::NeverPut { read, .. } => vec![read],
            Self::Twice { read, put } => vec![read, put],
            Self::Apart { left, right, left_put, right_put } => vec![left, right, left_put, right_put],
            Self::Backwards { earlier, later, put, read } => {
                [Some(earlier), Some(later), put, read].into_iter().flatten().collect()
            }
        };
        all.sort_unstable();
        all.dedup();
        all
    }
}

const NONE: u32 = u32::MAX;

/// Decides whether the operations on a list or a set that starts empty are linearizable, if every element is put at most
/// once. `operations` are in the order of their invocations.
pub fn check_growth<E: Eq + Hash>(operations: &[GrowthOperation<'_, E>], shape: Shape) -> GrowthAnswer {
    match Growth::new(operations).and_then(|mut growth| {
        growth.check_elements()?;
        match shape {
            Shape::List => growth.version_list()?,
            Shape::Set => growth.version_set()?,
        }
        growth.order(shape)
    }) {
        Ok(order) => GrowthAnswer::Valid(order),
        Err(answer) => answer,
    }
}

struct Growth<'a, 'b, E> {
    operations: &'b [GrowthOperation<'a, E>],
    /// The number of each element: its place among all that were put.
    ids: FxHashMap<&'a E, u32>,
    /// Who put each element.
    put_by: Vec<u32>,
    /// The reads, by what they saw: shortest first, then by invocation.
    reads: Vec<u32>,
    /// The version, from 1, in which each element was seen first, or [`NONE`].
    version_of: Vec<u32>,
    /// The version that each of `reads` saw: 0 is the empty one.
    version_read: Vec<u32>,
    /// How many versions there are without the empty one.
    versions: u32,
}

impl<'a, 'b, E: Eq + Hash> Growth<'a, 'b, E> {
    fn new(operations: &'b [GrowthOperation<'a, E>]) -> Result<Self, GrowthAnswer> {
        let mut ids = FxHashMap::default();
        let mut put_by = Vec::new();
        let mut reads = Vec::new();
        for (place, operation) in operations.iter().enumerate() {
            match operation.step {
                GrowthStep::Put(element) => {
                    if ids.insert(element, put_by.len() as u32).is_some() {
                        return Err(GrowthAnswer::NotApplicable("an element is put more than once"));
                    }
                    put_by.push(place as u32);
                }
                GrowthStep::Read(_) if operation.is_known => reads.push(place as u32),
                GrowthStep::Read(_) => {}
            }
        }
        let version_of = vec![NONE; put_by.len()];
        let mut growth =
            Self { operations, ids, put_by, reads: Vec::new(), version_of, version_read: Vec::new(), versions: 0 };
        reads.sort_by_key(|read| growth.seen(*read).len());
        growth.reads = reads;
        Ok(growth)
    }

    fn seen(&self, read: u32) -> &'a [E] {
        match self.operations[read as usize].step {
            GrowthStep::Read(elements) => elements,
            GrowthStep::Put(_) => &[],
        }
    }

    /// Elements that nobody put, and elements that stand twice in a read. Shortest reads first.
    fn check_elements(&self) -> Result<(), GrowthAnswer> {
        let mut last_read = vec![NONE; self.put_by.len()];
        for read in &self.reads {
            for (index, element) in self.seen(*read).iter().enumerate() {
                let Some(id) = self.ids.get(element) else {
                    return Err(GrowthAnswer::Invalid(GrowthClash::NeverPut { read: *read, index }));
                };
                if std::mem::replace(&mut last_read[*id as usize], *read) == *read {
                    let put = self.put_by[*id as usize];
                    return Err(GrowthAnswer::Invalid(GrowthClash::Twice { read: *read, put }));
                }
            }
        }
        Ok(())
    }

    /// Every read must be a beginning of the longest one. Version n is its first n elements.
    fn version_list(&mut self) -> Result<(), GrowthAnswer> {
        let Some(longest) = self.reads.last().copied() else { return Ok(()) };
        let all = self.seen(longest);
        for read in &self.reads {
            let seen = self.seen(*read);
            if let Some(index) = (0..seen.len()).find(|index| seen[*index] != all[*index]) {
                return Err(self.apart(*read, &seen[index], longest, &all[index]));
            }
            self.version_read.push(seen.len() as u32);
        }
        for (index, element) in all.iter().enumerate() {
            self.version_of[self.ids[element] as usize] = index as u32 + 1;
        }
        self.versions = all.len() as u32;
        Ok(())
    }

    /// Every read must contain the next shorter one. What it has more is a version.
    fn version_set(&mut self) -> Result<(), GrowthAnswer> {
        let mut contained = 0;
        let mut before = NONE;
        for read in self.reads.clone() {
            let seen = self.seen(read);
            let older = seen.iter().filter(|element| self.version_of[self.ids[element] as usize] != NONE).count();
            if older < contained {
                return Err(self.neither_contains(before, read));
            }
            if seen.len() > contained {
                self.versions += 1;
                for element in seen {
                    let version = &mut self.version_of[self.ids[element] as usize];
                    *version = (*version).min(self.versions);
                }
                contained = seen.len();
            }
            self.version_read.push(self.versions);
            before = read;
        }
        Ok(())
    }

    fn neither_contains(&self, left: u32, right: u32) -> GrowthAnswer {
        let lacks = |elements: &'a [E], other: &'a [E]| {
            let other: rustc_hash::FxHashSet<&E> = other.iter().collect();
            elements.iter().find(|element| !other.contains(element))
        };
        let (Some(left_only), Some(right_only)) =
            (lacks(self.seen(left), self.seen(right)), lacks(self.seen(right), self.seen(left)))
        else {
            unreachable!("the longer read lacks an element of the shorter one")
        };
        self.apart(left, left_only, right, right_only)
    }

    fn apart(&self, left: u32, left_element: &E, right: u32, right_element: &E) -> GrowthAnswer {
        let put = |element: &E| self.put_by[self.ids[element] as usize];
        GrowthAnswer::Invalid(GrowthClash::Apart {
            left,
            right,
            left_put: put(left_element),
            right_put: put(right_element),
        })
    }

    /// Climbs the versions: the elements of one, then the reads of it; at last what nobody saw.
    fn order(&self, shape: Shape) -> Result<Vec<u32>, GrowthAnswer> {
        // Puts by version, by invocation; those that nobody saw come last, if they came back.
        let mut puts: Vec<(u32, u32)> = Vec::with_capacity(self.put_by.len());
        for (id, place) in self.put_by.iter().enumerate() {
            let version = self.version_of[id];
            if version != NONE || self.operations[*place as usize].is_known {
                puts.push((version, *place));
            }
        }
        puts.sort_unstable();
        let mut puts = puts.into_iter().peekable();
        let mut reads: Vec<(u32, u32)> = self.version_read.iter().copied().zip(self.reads.iter().copied()).collect();
        reads.sort_unstable();
        let mut reads = reads.into_iter().peekable();
        let mut stairs = Staircase::new();
        let mut order = Vec::with_capacity(self.operations.len());
        for version in (0..=self.versions).chain([NONE]) {
            while let Some((_, place)) = puts.next_if(|(of, _)| *of == version) {
                self.climb(&mut stairs, &mut order, place, shape)?;
            }
            stairs.next_group();
            while let Some((_, place)) = reads.next_if(|(of, _)| *of == version) {
                self.climb(&mut stairs, &mut order, place, shape)?;
            }
            stairs.next_group();
        }
        Ok(order)
    }

    fn climb(
        &self,
        stairs: &mut Staircase,
        order: &mut Vec<u32>,
        place: u32,
        shape: Shape,
    ) -> Result<(), GrowthAnswer> {
        let operation = &self.operations[place as usize];
        let completed = if operation.is_known { operation.completed } else { u64::MAX };
        match stairs.add(Interval { invoked: operation.invoked, completed, place }) {
            None => {
                order.push(place);
                Ok(())
            }
            Some(earlier) => Err(GrowthAnswer::Invalid(self.backwards(earlier, place, shape))),
        }
    }

    fn backwards(&self, earlier: u32, later: u32, shape: Shape) -> GrowthClash {
        let step = |place: u32| &self.operations[place as usize].step;
        let (mut put, mut read) = (None, None);
        match (step(earlier), step(later)) {
            // An element that the later read saw and the earlier one did not.
            (GrowthStep::Read(missed), GrowthStep::Read(seen)) => {
                let newest = match shape {
                    Shape::List => seen.last(),
                    Shape::Set => {
                        let missed: rustc_hash::FxHashSet<&E> = missed.iter().collect();
                        seen.iter().find(|element| !missed.contains(element))
                    }
                };
                put = newest.map(|element| self.put_by[self.ids[element] as usize]);
            }
            // A read that saw the first element, and the second after it or not at all.
            (GrowthStep::Put(element), GrowthStep::Put(_)) => {
                let version = self.version_of[self.ids[element] as usize];
                read = (0..self.reads.len())
                    .find(|index| self.version_read[*index] >= version)
                    .map(|index| self.reads[index]);
            }
            (GrowthStep::Put(_), GrowthStep::Read(_)) | (GrowthStep::Read(_), GrowthStep::Put(_)) => {}
        }
        GrowthClash::Backwards { earlier, later, put, read }
    }
}
