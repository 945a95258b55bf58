//! The folder: names, files, and the steps that are in flight.

use std::collections::{BTreeMap, VecDeque};

use rashomon_draw::Draw;

use super::file::{Change, File, Luck, SECTOR_BYTES};
use super::{Crash, DiskFaults};

/// A file, whatever it is called.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Inode(u64);

/// A change of the names.
#[derive(Clone, Debug)]
enum Naming {
    Create { name: String, inode: Inode },
    Rename { from: String, to: String, inode: Inode },
    Remove { name: String },
}

impl Naming {
    fn apply(&self, names: &mut BTreeMap<String, Inode>) {
        match self {
            Self::Create { name, inode } => {
                names.insert(name.clone(), *inode);
            }
            Self::Rename { from, to, inode } => {
                names.remove(from);
                names.insert(to.clone(), *inode);
            }
            Self::Remove { name } => {
                names.remove(name);
            }
        }
    }
}

/// One step of a node on its disk.
#[derive(Debug)]
enum Step {
    Name(Naming),
    Change(Inode, Change),
    Sync(Inode),
    FailedSync(Inode),
    SyncFolder,
}

/// What a batch costs.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    syncs: u32,
    bytes: u64,
}

#[derive(Debug, Default)]
pub(super) struct Folder {
    pub(super) faults: DiskFaults,
    files: BTreeMap<Inode, File>,
    /// The names that are durable, and what was done to them since.
    durable_names: BTreeMap<String, Inode>,
    namings: Vec<Naming>,
    /// The names as the node sees them: all steps are done.
    names: BTreeMap<String, Inode>,
    /// Begun, and not known to be done.
    in_flight: VecDeque<Step>,
    /// Those of them that somebody waits for.
    reported: usize,
    cost: Cost,
    reported_cost: Cost,
    last_inode: u64,
    salts: u64,
    life: u64,
}

impl Folder {
    /// A new life; names it.
    pub(super) fn begin_life(&mut self) -> u64 {
        self.finish_all();
        self.life += 1;
        self.life
    }

    pub(super) fn begin_batch(&mut self) {
        self.finish_all();
        (self.cost, self.reported_cost, self.reported) = (Cost::default(), Cost::default(), 0);
    }

    /// Everything up to here must be done before the batch counts as durable.
    pub(super) fn mark_reported(&mut self) {
        self.reported = self.in_flight.len();
        self.reported_cost = self.cost;
    }

    pub(super) fn reported_cost(&self) -> (u32, u64) {
        (self.reported_cost.syncs, self.reported_cost.bytes)
    }

    pub(super) fn finish_reported(&mut self) {
        self.finish(self.reported);
    }

    pub(super) fn finish_all(&mut self) {
        self.finish(self.in_flight.len());
    }

    fn finish(&mut self, steps: usize) {
        for _ in 0..steps {
            if let Some(step) = self.in_flight.pop_front() {
                self.carry_out(step);
            }
        }
        self.reported = 0;
    }

    fn carry_out(&mut self, step: Step) {
        match step {
            Step::Name(naming) => {
                if let Naming::Create { inode, .. } = naming {
                    self.files.insert(inode, File::default());
                }
                self.namings.push(naming);
            }
            Step::Change(inode, change) => self.file(inode).change(change),
            Step::Sync(inode) => self.file(inode).sync(),
            Step::FailedSync(inode) => self.file(inode).forget(),
            Step::SyncFolder => {
                self.namings.drain(..).for_each(|naming| naming.apply(&mut self.durable_names));
                self.drop_nameless();
            }
        }
    }

    fn file(&mut self, inode: Inode) -> &mut File {
        self.files.get_mut(&inode).expect("a file that is open is kept")
    }

    fn drop_nameless(&mut self) {
        let Self { files, durable_names, names, .. } = self;
        files.retain(|inode, _| durable_names.values().chain(names.values()).any(|named| named == inode));
    }

    pub(super) fn crash(&mut self, crash: Crash, draw: &mut Draw) {
        let done = draw.below(self.in_flight.len() + 1);
        self.finish(done);
        let interrupted = self.in_flight.pop_front();
        self.in_flight.clear();
        if let Some(Step::Change(inode, Change::Write { offset, mut bytes })) = interrupted {
            let sectors = bytes.len() / SECTOR_BYTES as usize;
            bytes.truncate(draw.below(sectors + 1) * SECTOR_BYTES as usize);
            self.file(inode).change(Change::Write { offset, bytes });
        }
        match crash {
            Crash::Process => {
                self.names = self.durable_names.clone();
                self.namings.iter().for_each(|naming| naming.apply(&mut self.names));
            }
            Crash::Power => self.lose_power(draw),
        }
        self.drop_nameless();
        self.life += 1;
    }

    fn lose_power(&mut self, draw: &mut Draw) {
        let luck = Luck::draw(draw);
        for naming in self.namings.drain(..) {
            if luck.spares(draw) {
                naming.apply(&mut self.durable_names);
            }
        }
        self.names = self.durable_names.clone();
        for file in self.files.values_mut() {
            file.lose(Luck::draw(draw), draw);
        }
    }

    pub(super) fn flip_bit(&mut self, draw: &mut Draw) -> Option<String> {
        let files =
            || self.durable_names.iter().filter_map(|(name, inode)| Some((name, *inode, self.files.get(inode)?)));
        let bytes = files().map(|(_, _, file)| file.flippable()).sum::<usize>();
        if bytes == 0 {
            return None;
        }
        let (mut byte, bit) = (draw.below(bytes), draw.below(8));
        let mut flipped = None;
        for (name, inode, file) in files() {
            if byte < file.flippable() {
                flipped = Some((inode, format!("bit {bit} of byte {byte} of {name}")));
                break;
            }
            byte -= file.flippable();
        }
        let (inode, place) = flipped?;
        self.file(inode).flip(byte, bit);
        Some(place)
    }
}

/// What a node does, in the order in which it does it.
impl Folder {
    fn begin(&mut self, life: u64, step: Step) {
        assert_eq!(life, self.life, "a node that is dead uses its disk");
        self.in_flight.push_back(step);
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        self.names.keys()
    }

    pub(super) fn inode(&self, name: &str) -> Option<Inode> {
        self.names.get(name).copied()
    }

    /// All bytes. What is in flight is done first: the node waits for what it reads.
    pub(super) fn read(&mut self, inode: Inode) -> Vec<u8> {
        self.finish_all();
        self.file(inode).read()
    }

    pub(super) fn create(&mut self, life: u64, name: &str) -> Inode {
        if let Some(inode) = self.inode(name) {
            self.begin(life, Step::Change(inode, Change::Truncate(0)));
            return inode;
        }
        self.last_inode += 1;
        let inode = Inode(self.last_inode);
        self.begin_naming(life, Naming::Create { name: name.into(), inode });
        inode
    }

    /// `None` where there is no such file.
    pub(super) fn rename(&mut self, life: u64, from: &str, to: &str) -> Option<()> {
        let inode = self.inode(from)?;
        self.begin_naming(life, Naming::Rename { from: from.into(), to: to.into(), inode });
        Some(())
    }

    /// `None` where there is no such file.
    pub(super) fn remove(&mut self, life: u64, name: &str) -> Option<()> {
        self.inode(name)?;
        self.begin_naming(life, Naming::Remove { name: name.into() });
        Some(())
    }

    fn begin_naming(&mut self, life: u64, naming: Naming) {
        naming.apply(&mut self.names);
        self.begin(life, Step::Name(naming));
    }

    pub(super) fn change(&mut self, life: u64, inode: Inode, change: Change) {
        if let Change::Write { bytes, .. } = &change {
            self.cost.bytes += bytes.len() as u64;
        }
        self.begin(life, Step::Change(inode, change));
    }

    /// Whether the sync will do.
    pub(super) fn sync(&mut self, life: u64, inode: Inode) -> bool {
        self.cost.syncs += 1;
        let fails = std::mem::take(&mut self.faults.sync_error);
        self.begin(life, if fails { Step::FailedSync(inode) } else { Step::Sync(inode) });
        !fails
    }

    pub(super) fn sync_folder(&mut self, life: u64) {
        self.cost.syncs += 1;
        self.begin(life, Step::SyncFolder);
    }

    /// Different at each call, and the same in each run.
    pub(super) fn salt(&mut self) -> u64 {
        self.salts += 1;
        // Splitmix64 (Steele and others, OOPSLA 2014): neighbours share no bits.
        let mut salt = self.salts.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        salt = (salt ^ (salt >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        salt = (salt ^ (salt >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        salt ^ (salt >> 31)
    }
}
