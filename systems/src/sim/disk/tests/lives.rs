use super::*;

/// What came about in many lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Seen {
    pub(super) lives: u32,
    /// Writes that nobody had been told about: there, and not.
    spared: u32,
    lost: u32,
    /// Crashes while the log was being opened.
    interrupted_openings: u32,
    checkpoints: u32,
    /// Writes that failed, and openings that found damage, with good reason.
    pub(super) failed: u32,
    pub(super) refused: u32,
}

/// What is done to the disk of a node besides crashing it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Harm {
    Nothing,
    SyncErrors,
    Full,
    Flips,
}

/// One node that lives, writes and crashes.
pub(super) struct Node {
    disk: SimDisk,
    draw: Draw,
    pub(super) options: WalOptions,
    pub(super) harm: Harm,
    crashes: &'static [Crash],
    /// Everything that was written and is known to be on the disk, or may be.
    writes: Vec<Write>,
    /// How many of them were reported durable.
    reported: usize,
    next_record: u64,
    /// Whether a write counts as durable as soon as it was begun: what a node must not do.
    reports_early: bool,
    seen: Seen,
}

impl Node {
    pub(super) fn new(seed: u64, crashes: &'static [Crash]) -> Self {
        let mut draw = Draw::stream(seed, "lives");
        let segment_bytes = draw.pick(&[160, 700, 5000, 64 << 10]);
        Self {
            disk: SimDisk::new(),
            draw,
            options: options(segment_bytes),
            harm: Harm::Nothing,
            crashes,
            writes: Vec::new(),
            reported: 0,
            next_record: 0,
            reports_early: false,
            seen: Seen::default(),
        }
    }

    pub(super) fn lives(mut self, count: u32) -> Result<Seen, String> {
        for _ in 0..count {
            self.live().map_err(|problem| format!("life {}: {problem}", self.seen.lives))?;
            if self.seen.refused > 0 {
                break;
            }
            let crash = self.draw.pick(self.crashes);
            self.disk.crash(crash, &mut self.draw);
        }
        Ok(self.seen)
    }

    fn live(&mut self) -> Result<(), String> {
        self.seen.lives += 1;
        while self.draw.chance(20) {
            if self.disk.begin_open(self.options).is_err() {
                break;
            }
            let crash = self.draw.pick(self.crashes);
            self.disk.crash(crash, &mut self.draw);
            self.seen.interrupted_openings += 1;
        }
        let (mut wal, recovered) = match self.disk.open(self.options) {
            Ok(opened) => opened,
            Err(WalError::Corrupt { .. }) if self.harm == Harm::Flips => {
                self.seen.refused += 1;
                return Ok(());
            }
            Err(error) => return Err(error.to_string()),
        };
        self.compare(&recovered)?;
        for _ in 0..self.draw.below(12) {
            self.harm();
            let batch = self.batch();
            let in_flight = match wal.begin(batch) {
                Err(_) if matches!(self.harm, Harm::SyncErrors | Harm::Full) => {
                    self.seen.failed += 1;
                    break;
                }
                begun => begun.map_err(|error| error.to_string())?,
            };
            if self.reports_early {
                self.reported = self.writes.len();
            }
            if self.draw.chance(15) {
                break;
            }
            wal.finish();
            self.reported = self.reported.max(usize::try_from(in_flight.durable.0).unwrap());
        }
        self.disk.set_faults(DiskFaults::default());
        Ok(())
    }

    fn harm(&mut self) {
        let comes = self.draw.chance(10);
        match self.harm {
            Harm::Nothing => {}
            Harm::SyncErrors => self.disk.set_faults(DiskFaults { sync_error: comes, full: false }),
            Harm::Full => self.disk.set_faults(DiskFaults { sync_error: false, full: comes }),
            Harm::Flips if comes => drop(self.disk.flip_bit(&mut self.draw)),
            Harm::Flips => {}
        }
    }

    fn batch(&mut self) -> Vec<(WriteId, Write)> {
        let count = 1 + self.draw.below(4);
        let batch: Vec<_> = (0..count)
            .map(|_| {
                let write = self.write();
                self.writes.push(write.clone());
                (WriteId(self.writes.len() as u64), write)
            })
            .collect();
        batch
    }

    fn write(&mut self) -> Write {
        let count = 1 + self.draw.below(3);
        let records: Vec<Bytes> = (0..count).map(|_| self.record()).collect();
        if self.draw.chance(10) {
            self.seen.checkpoints += 1;
            let snapshot = self.record();
            let tail = if self.draw.chance(50) { records } else { Vec::new() };
            return Write::Checkpoint { snapshot, tail };
        }
        Write::Append(records)
    }

    fn record(&mut self) -> Bytes {
        self.next_record += 1;
        let bound = self.draw.pick(&[1, 40, 700, 3000]);
        let length = self.draw.below(bound);
        Bytes::from(format!("{}:{}", self.next_record, "x".repeat(length)))
    }

    /// What came back must be what some of the writes leave behind, all of those in it that were reported durable.
    fn compare(&mut self, recovered: &Recovered) -> Result<(), String> {
        let known = (self.reported..=self.writes.len()).find(|&count| after(&self.writes[..count]) == *recovered);
        let Some(count) = known else {
            let (reported, begun) = (self.reported, self.writes.len());
            let numbers = |held: &Recovered| {
                let number = |record: &Bytes| String::from_utf8_lossy(record).split(':').next().map(str::to_owned);
                held.snapshot.iter().chain(&held.records).filter_map(number).collect::<Vec<_>>()
            };
            return Err(format!(
                "{reported} of {begun} writes were reported, which hold {:?} at the end; there are {:?}",
                numbers(&after(&self.writes[..reported])),
                numbers(recovered)
            ));
        };
        self.seen.spared += u32::try_from(count - self.reported).unwrap();
        self.seen.lost += u32::try_from(self.writes.len() - count).unwrap();
        self.writes.truncate(count);
        self.reported = count;
        Ok(())
    }
}

pub(super) fn many_nodes(seeds: u64, crashes: &'static [Crash], change: impl Fn(&mut Node)) -> Result<Seen, String> {
    let mut all = Seen::default();
    for seed in 0..seeds {
        let mut node = Node::new(seed, crashes);
        change(&mut node);
        let seen = node.lives(12).map_err(|problem| format!("seed {seed}, {problem}"))?;
        all.lives += seen.lives;
        all.spared += seen.spared;
        all.lost += seen.lost;
        all.interrupted_openings += seen.interrupted_openings;
        all.checkpoints += seen.checkpoints;
        all.failed += seen.failed;
        all.refused += seen.refused;
    }
    Ok(all)
}

#[test]
fn what_was_reported_comes_back_after_every_crash_and_nothing_is_made_up() {
    for crashes in [&[Crash::Process][..], &[Crash::Power], &[Crash::Process, Crash::Power]] {
        let seen = many_nodes(600, crashes, |_| {}).unwrap_or_else(|problem| panic!("{crashes:?}: {problem}"));
        let Seen { lives, spared, lost, interrupted_openings, checkpoints, .. } = seen;
        assert!(lives == 7200 && spared > 500 && lost > 500, "{seen:?}");
        assert!(interrupted_openings > 500 && checkpoints > 1000, "{seen:?}");
    }
}

#[test]
fn a_node_that_reports_before_the_write_is_done_loses_writes_at_either_crash() {
    for crashes in [&[Crash::Process][..], &[Crash::Power]] {
        let problem = many_nodes(600, crashes, |node| node.reports_early = true).unwrap_err();
        assert!(problem.contains("writes were reported"), "{problem}");
    }
}

#[test]
fn the_same_seed_crashes_in_the_same_way() {
    let run = || many_nodes(20, &[Crash::Process, Crash::Power], |_| {}).unwrap();
    assert_eq!(run(), run());
}
