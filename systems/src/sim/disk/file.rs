//! One file: its durable bytes, and what happened to it since.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use rashomon_draw::Draw;

/// What a disk writes whole or not at all.
pub(super) const SECTOR_BYTES: u64 = 512;

/// Something done to a file.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Write {
        offset: u64,
        bytes: Vec<u8>,
    },
    /// The file has exactly this many bytes.
    Truncate(u64),
    /// The file has at least this many bytes.
    Allocate(u64),
}

/// How certain it is that a change survives a power loss.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// The next sync makes it durable.
    Dirty,
    /// A sync failed on it: nobody will try again.
    Forgotten,
    Durable,
}

/// How much of what was not synced a power loss spares.
#[derive(Clone, Copy, Debug)]
pub(super) struct Luck {
    percent: u32,
}

impl Luck {
    pub(super) fn draw(draw: &mut Draw) -> Self {
        Self { percent: draw.pick(&[0, 0, 10, 50, 90, 100, 100]) }
    }

    pub(super) fn spares(self, draw: &mut Draw) -> bool {
        draw.chance(self.percent)
    }
}

/// Bytes without the zeros that were never written.
#[derive(Clone, Debug, Default)]
struct Content {
    written: Vec<u8>,
    length: u64,
}

impl Content {
    fn write(&mut self, offset: u64, bytes: &[u8]) {
        let begin = position(offset);
        let end = begin + bytes.len();
        if self.written.len() == begin {
            self.written.extend_from_slice(bytes);
        } else {
            if self.written.len() < end {
                self.written.resize(end, 0);
            }
            self.written[begin..end].copy_from_slice(bytes);
        }
        self.length = self.length.max(end as u64);
    }

    fn change(&mut self, change: &Change) {
        match change {
            Change::Write { offset, bytes } => self.write(*offset, bytes),
            Change::Truncate(length) => {
                self.written.truncate(position(*length));
                self.length = *length;
            }
            Change::Allocate(length) => self.length = self.length.max(*length),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct File {
    durable: Content,
    /// Since the last sync, oldest first.
    changes: Vec<(State, Change)>,
    /// Durable bytes from here on were written by the last sync.
    before_last_sync: u64,
}

impl File {
    pub(super) fn change(&mut self, change: Change) {
        self.changes.push((State::Dirty, change));
    }

    pub(super) fn sync(&mut self) {
        if self.changes.iter().any(|(state, _)| *state == State::Forgotten) {
            self.before_last_sync = 0;
            for (state, _) in self.changes.iter_mut().filter(|(state, _)| *state == State::Dirty) {
                *state = State::Durable;
            }
            return;
        }
        let mut lowest = None;
        for (_, change) in self.changes.drain(..) {
            if let Change::Write { offset, .. } | Change::Truncate(offset) = change {
                lowest = Some(lowest.map_or(offset, |lowest: u64| lowest.min(offset)));
            }
            self.durable.change(&change);
        }
        self.before_last_sync = lowest.unwrap_or(self.before_last_sync);
    }

    /// A sync that fails.
    pub(super) fn forget(&mut self) {
        for (state, _) in self.changes.iter_mut().filter(|(state, _)| *state == State::Dirty) {
            *state = State::Forgotten;
        }
    }

    /// As a reader sees it.
    pub(super) fn read(&self) -> Vec<u8> {
        let mut content = self.durable.clone();
        self.changes.iter().for_each(|(_, change)| content.change(change));
        content.written.resize(position(content.length), 0);
        content.written
    }

    /// A power loss.
    pub(super) fn lose(&mut self, luck: Luck, draw: &mut Draw) {
        let changes = std::mem::take(&mut self.changes);
        let mut fate = Fate::of(&changes, luck);
        for (index, (state, change)) in changes.iter().enumerate() {
            match change {
                Change::Write { offset, bytes } => {
                    for (sector, range) in sectors(*offset, bytes.len()) {
                        if fate.spares(index, sector, draw) {
                            self.durable.write(*offset + range.start as u64, &bytes[range]);
                        }
                    }
                }
                Change::Truncate(_) | Change::Allocate(_) => {
                    if *state == State::Durable || luck.spares(draw) {
                        self.durable.change(change);
                    }
                }
            }
        }
        self.before_last_sync = self.before_last_sync.min(self.durable.written.len() as u64);
    }

    /// How many durable bytes can be flipped.
    pub(super) fn flippable(&self) -> usize {
        position(self.before_last_sync).min(self.durable.written.len())
    }

    pub(super) fn flip(&mut self, byte: usize, bit: usize) {
        self.durable.written[byte] ^= 1 << bit;
    }
}

/// Which sectors reach the disk.
struct Fate {
    luck: Luck,
    /// The last durable change of each sector: with it came everything before it.
    durable: BTreeMap<u64, usize>,
    /// What came after something lost is lost as well.
    lost: BTreeSet<u64>,
}

impl Fate {
    fn of(changes: &[(State, Change)], luck: Luck) -> Self {
        let mut durable = BTreeMap::new();
        for (index, (state, change)) in changes.iter().enumerate() {
            if let (State::Durable, Change::Write { offset, bytes }) = (state, change) {
                durable.extend(sectors(*offset, bytes.len()).map(|(sector, _)| (sector, index)));
            }
        }
        Self { luck, durable, lost: BTreeSet::new() }
    }

    fn spares(&mut self, index: usize, sector: u64, draw: &mut Draw) -> bool {
        if self.durable.get(&sector).is_some_and(|durable| index <= *durable) {
            return true;
        }
        let is_spared = !self.lost.contains(&sector) && self.luck.spares(draw);
        if !is_spared {
            self.lost.insert(sector);
        }
        is_spared
    }
}

/// The sectors that bytes at `offset` fall into, and which of the bytes are in each.
fn sectors(offset: u64, length: usize) -> impl Iterator<Item = (u64, Range<usize>)> {
    let end = offset + length as u64;
    (offset / SECTOR_BYTES..end.div_ceil(SECTOR_BYTES)).map(move |sector| {
        let begin = (sector * SECTOR_BYTES).max(offset);
        let end = ((sector + 1) * SECTOR_BYTES).min(end);
        (sector, position(begin - offset)..position(end - offset))
    })
}

fn position(offset: u64) -> usize {
    usize::try_from(offset).expect("simulated files fit in memory")
}
