//! Brings back what the log holds, and decides what is torn and what is damaged.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::WalError;
use super::disk::Disk;
use super::frame::{self, Found, Kind};
use super::log::{Log, OpenSegment, WalOptions, create_segment, remove_other_generations};
use super::segment::{FileName, SEGMENT_HEADER_BYTES, SegmentHeader, read_snapshot};
use crate::server::Recovered;

/// Reads the newest generation. Everything that is brought back is durable when this returns.
pub(super) fn open(mut disk: Disk, options: WalOptions) -> Result<(Log, Recovered), WalError> {
    let Some(generation) = newest_generation(&disk)? else {
        remove_other_generations(&mut disk, 1)?;
        let open = create_segment(&mut disk, options, SegmentHeader::new(1, 1, 1), 0, &[])?;
        let log = Log { disk, options, open, next_number: 1, unsealed: None, buffer: Vec::new() };
        return Ok((log, Recovered::default()));
    };
    let snapshot = match generation.number {
        1 => None,
        number => Some(Bytes::from(read_snapshot(&disk, number)?)),
    };
    let mut reader = Reader { next_number: 1, records: Vec::new() };
    let mut last = None;
    for segment in 1..=generation.segments {
        let header_and_bytes = reader.header(&disk, generation.number, segment)?;
        let end = reader.segment(&disk, &header_and_bytes, segment == generation.segments)?;
        last = Some((header_and_bytes, end));
    }
    let (read, end) = last.expect("a generation has at least one segment");
    remove_other_generations(&mut disk, generation.number)?;
    let open = reopen(&mut disk, read, end)?;
    let unsealed = (!end.sealed).then(|| reader.next_number - 1);
    let mut log = Log { disk, options, open, next_number: reader.next_number, unsealed, buffer: Vec::new() };
    log.seal()?;
    Ok((log, Recovered { snapshot, records: reader.records }))
}

/// The generation that counts.
struct Generation {
    number: u64,
    segments: u64,
}

/// The highest generation that has a segment, for a segment gets its name last of all.
fn newest_generation(disk: &Disk) -> Result<Option<Generation>, WalError> {
    let mut segments: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
    let mut snapshots = BTreeSet::new();
    for file in disk.names()?.iter().filter_map(|name| FileName::parse(name)) {
        match file {
            FileName::Snapshot { generation } => {
                snapshots.insert(generation);
            }
            FileName::Segment { generation, segment } => {
                segments.entry(generation).or_default().insert(segment);
            }
        }
    }
    let Some((number, segments)) = segments.pop_last() else {
        return match snapshots.last() {
            None => Ok(None),
            Some(&generation) => {
                let name = FileName::Snapshot { generation }.name();
                Err(WalError::corrupt(disk.path(&name), 0, "there is a snapshot but no segment of the log"))
            }
        };
    };
    let count = segments.len() as u64;
    if let Some(missing) = (1..=count).find(|segment| !segments.contains(segment)) {
        let name = FileName::Segment { generation: number, segment: missing }.name();
        return Err(WalError::corrupt(disk.path(&name), 0, "this segment is missing, but later ones are there"));
    }
    if number > 1 && !snapshots.contains(&number) {
        let name = FileName::Snapshot { generation: number }.name();
        return Err(WalError::corrupt(disk.path(&name), 0, "this snapshot is missing, but its log is there"));
    }
    Ok(Some(Generation { number, segments: count }))
}

struct ReadSegment {
    header: SegmentHeader,
    name: String,
    bytes: Vec<u8>,
}

/// Where the sound part of a segment ends.
#[derive(Clone, Copy)]
struct End {
    offset: usize,
    /// Whether the last frame has its seal.
    sealed: bool,
    /// Whether something that is not zero follows.
    torn: bool,
}

struct Reader {
    next_number: u64,
    records: Vec<Bytes>,
}

impl Reader {
    fn header(&self, disk: &Disk, generation: u64, segment: u64) -> Result<ReadSegment, WalError> {
        let name = FileName::Segment { generation, segment }.name();
        let bytes = disk.read(&name)?;
        let Some(header) = SegmentHeader::decode(&bytes) else {
            return Err(WalError::corrupt(disk.path(&name), 0, "the header of the segment is damaged"));
        };
        if (header.generation, header.segment, header.first_number) != (generation, segment, self.next_number) {
            let problem = format!(
                "the segment says that it is segment {} of generation {} and begins with frame {}; expected {segment}, \
                 {generation} and {}",
                header.segment, header.generation, header.first_number, self.next_number
            );
            return Err(WalError::corrupt(disk.path(&name), 0, problem));
        }
        Ok(ReadSegment { header, name, bytes })
    }

    /// Takes the records of a segment. Only the last one may be torn.
    fn segment(&mut self, disk: &Disk, read: &ReadSegment, is_last: bool) -> Result<End, WalError> {
        let salt = read.header.salt;
        let mut end = End { offset: SEGMENT_HEADER_BYTES, sealed: true, torn: false };
        let damaged = |offset: usize, problem: &str| WalError::corrupt(disk.path(&read.name), offset as u64, problem);
        while let Some(found) = frame::read(&read.bytes, end.offset, salt) {
            self.take(found, &mut end).map_err(|problem| damaged(end.offset, problem))?;
        }
        if read.bytes[end.offset..].iter().all(|&byte| byte == 0) {
            if !is_last && !end.sealed {
                return Err(damaged(end.offset, "the seal of the last frame is missing, but a later segment is there"));
            }
            return Ok(end);
        }
        if !is_last {
            return Err(damaged(end.offset, "a damaged frame, and a later segment is there"));
        }
        if let Some(later) = frame::find_after(&read.bytes, end.offset, salt) {
            let problem = format!("a damaged frame, and a sound one follows at byte {later}");
            return Err(damaged(end.offset, &problem));
        }
        Ok(End { torn: true, ..end })
    }

    fn take(&mut self, found: Found<'_>, end: &mut End) -> Result<(), &'static str> {
        match found.kind {
            Kind::Frame if !end.sealed => return Err("a frame stands where the seal of the one before should stand"),
            Kind::Frame if found.number != self.next_number => return Err("a frame is missing before this one"),
            Kind::Frame => {
                let records = frame::records(found.payload).ok_or("the records of this frame do not add up")?;
                self.records.extend(records);
                self.next_number += 1;
                end.sealed = false;
            }
            Kind::Seal if end.sealed || found.number + 1 != self.next_number => {
                return Err("a seal stands where none belongs");
            }
            Kind::Seal => end.sealed = true,
        }
        end.offset = found.end;
        Ok(())
    }
}

/// Opens the last segment for writing behind its sound part, and makes that part durable: the process may have died
/// between a write and its sync.
fn reopen(disk: &mut Disk, read: ReadSegment, end: End) -> Result<OpenSegment, WalError> {
    let file = disk.open_file(&read.name)?;
    let capacity = read.bytes.len() as u64;
    if end.torn {
        let torn_bytes = read.bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1 - end.offset);
        tracing::warn!(
            file = %disk.path(&read.name).display(), offset = end.offset, torn_bytes,
            "cut off a torn write at the end of the log; nobody was told that it was durable"
        );
        disk.truncate(&file, &read.name, end.offset as u64)?;
        disk.allocate(&file, &read.name, capacity)?;
    }
    disk.sync(&file, &read.name)?;
    Ok(OpenSegment { header: read.header, name: read.name, file, position: end.offset as u64, capacity })
}
