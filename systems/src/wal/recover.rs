//! Brings back what the log holds, and decides what is torn and what is damaged.

use bytes::Bytes;

use super::frame::{self, Found, Kind};
use super::log::{Log, OpenSegment, WalOptions, create_segment};
use super::segment::{SEGMENT_HEADER_BYTES, SegmentHeader, SegmentName};
use super::{Disk, WalError};
use crate::raft::Bug;
use crate::server::Recovered;

/// Reads the newest generation. Everything that is brought back is durable when this returns.
pub(super) fn open<D: Disk>(mut disk: D, options: WalOptions) -> Result<(Log<D>, Recovered), WalError> {
    let mut reader = Reader { options, next_number: 1, recovered: Recovered::default() };
    let (open, sealed) = match reader.newest_generation(&mut disk)? {
        None => {
            let header = SegmentHeader { generation: 1, segment: 1, first_number: 1, salt: disk.salt() };
            (create_segment(&mut disk, &options, header, &[], options.segment_bytes)?, true)
        }
        Some(segments) => reader.generation(&mut disk, segments)?,
    };
    let unsealed = (!sealed).then(|| reader.next_number - 1);
    let mut log = Log { disk, options, open, next_number: reader.next_number, unsealed, buffer: Vec::new() };
    log.seal()?;
    log.tidy()?;
    Ok((log, reader.recovered))
}

/// The generation that counts.
struct Generation {
    number: u64,
    segments: u64,
}

impl Generation {
    /// Whether its first segment can be read as far as its snapshot.
    fn begins_soundly(&self, disk: &impl Disk) -> Result<bool, WalError> {
        let bytes = disk.read(&SegmentName { generation: self.number, segment: 1 }.name())?;
        let header = SegmentHeader::decode(&bytes);
        let snapshot = |header: SegmentHeader| frame::read(&bytes, SEGMENT_HEADER_BYTES, header.salt);
        Ok(header.is_some_and(|header| self.number == 1 || snapshot(header).is_some()))
    }
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
    options: WalOptions,
    next_number: u64,
    recovered: Recovered,
}

impl Reader {
    /// The segments of the highest generation: its first one gets its name last of all.
    fn newest_generation(&self, disk: &mut impl Disk) -> Result<Option<Generation>, WalError> {
        let mut names: Vec<_> = disk.names()?.iter().filter_map(|name| SegmentName::parse(name)).collect();
        names.sort();
        let newest = if self.options.has(Bug::RS09) { names.first() } else { names.last() };
        let Some(&SegmentName { generation, .. }) = newest else { return Ok(None) };
        let count = names.iter().filter(|name| name.generation == generation).count() as u64;
        for segment in 1..=count {
            let name = SegmentName { generation, segment };
            if names.binary_search(&name).is_err() {
                let problem = "this segment is missing, but later ones are there";
                return Err(WalError::corrupt(disk.path(&name.name()), 0, problem));
            }
        }
        let generation = Generation { number: generation, segments: count };
        if (self.options.has(Bug::RD07) || self.options.has(Bug::RS04)) && !generation.begins_soundly(disk)? {
            names.iter().try_for_each(|name| disk.remove(&name.name()))?;
            return Ok(None);
        }
        Ok(Some(generation))
    }

    /// Takes all of a generation, and opens its last segment for writing; also says whether its last frame is sealed.
    fn generation<D: Disk>(
        &mut self,
        disk: &mut D,
        generation: Generation,
    ) -> Result<(OpenSegment<D::File>, bool), WalError> {
        let mut segment = 1;
        let (read, end) = loop {
            let mut read = self.header(disk, generation.number, segment)?;
            let end = self.segment(disk, &mut read, segment == generation.segments)?;
            segment += 1;
            if segment > generation.segments || end.torn {
                break (read, end);
            }
        };
        for segment in segment..=generation.segments {
            disk.remove(&SegmentName { generation: generation.number, segment }.name())?;
        }
        if generation.number > 1 && self.recovered.snapshot.is_none() {
            let name = SegmentName { generation: generation.number, segment: 1 }.name();
            let problem = "the snapshot that begins the generation is damaged";
            return Err(WalError::corrupt(disk.path(&name), SEGMENT_HEADER_BYTES as u64, problem));
        }
        let open = self.reopen(disk, read, end)?;
        Ok((open, end.sealed))
    }

    fn header(&self, disk: &impl Disk, generation: u64, segment: u64) -> Result<ReadSegment, WalError> {
        let name = SegmentName { generation, segment }.name();
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
    fn segment(&mut self, disk: &impl Disk, read: &mut ReadSegment, is_last: bool) -> Result<End, WalError> {
        let salt = read.header.salt;
        let mut end = End { offset: SEGMENT_HEADER_BYTES, sealed: true, torn: false };
        let path = disk.path(&read.name);
        let damaged = |offset: usize, problem: &str| WalError::corrupt(path.clone(), offset as u64, problem);
        loop {
            while let Some(found) = self.read_frame(read, end.offset) {
                self.take(found, &mut end).map_err(|problem| damaged(end.offset, problem))?;
            }
            if self.options.has(Bug::RD06) && self.skip_damaged(read, &mut end) {
                continue;
            }
            if end.sealed || !self.has_next_frame(read, end.offset + frame::HEADER_BYTES) {
                break;
            }
            let seal = frame::seal(salt, self.next_number - 1);
            read.bytes[end.offset..end.offset + frame::HEADER_BYTES].copy_from_slice(&seal);
        }
        if read.bytes[end.offset..].iter().all(|&byte| byte == 0) {
            if !is_last && !end.sealed {
                return Err(damaged(end.offset, "the seal of the last frame is missing, but a later segment is there"));
            }
            return Ok(end);
        }
        if self.options.has(Bug::RD04) && is_last || self.options.has(Bug::RD05) {
            return Ok(End { torn: true, ..end });
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

    fn read_frame<'a>(&self, read: &'a ReadSegment, offset: usize) -> Option<Found<'a>> {
        if self.options.has(Bug::RD03) {
            return frame::read_unchecked(&read.bytes, offset);
        }
        frame::read(&read.bytes, offset, read.header.salt)
    }

    /// Bug RD-06: goes on with what can be read next, if anything can.
    fn skip_damaged(&mut self, read: &ReadSegment, end: &mut End) -> bool {
        let later = frame::find_after(&read.bytes, end.offset, read.header.salt);
        let Some(found) = later.and_then(|offset| frame::read(&read.bytes, offset, read.header.salt)) else {
            return false;
        };
        end.sealed = found.kind != Kind::Seal;
        self.next_number = found.number + u64::from(!end.sealed);
        end.offset = later.unwrap_or(end.offset);
        true
    }

    /// Whether the next frame stands here. It was written when the one before was durable, and so says what the seal between
    /// them should have said: a power loss can spare the frame and take the seal, for one sync was to bring both to the disk.
    fn has_next_frame(&self, read: &ReadSegment, offset: usize) -> bool {
        let found = frame::read(&read.bytes, offset, read.header.salt);
        found.is_some_and(|found| found.kind == Kind::Frame && found.number == self.next_number)
    }

    fn take(&mut self, found: Found<'_>, end: &mut End) -> Result<(), &'static str> {
        match found.kind {
            Kind::Frame if !end.sealed => return Err("a frame stands where the seal of the one before should stand"),
            Kind::Frame if found.number != self.next_number => return Err("a frame is missing before this one"),
            Kind::Frame => {
                let records = frame::records(found.payload).ok_or("the records of this frame do not add up")?;
                self.recovered.records.extend(records);
                self.next_number += 1;
                end.sealed = false;
            }
            Kind::Snapshot if self.next_number != 1 || found.number != 1 => {
                return Err("a snapshot stands where none belongs");
            }
            // It came with its whole segment, so it needs no seal.
            Kind::Snapshot => {
                self.recovered.snapshot = Some(Bytes::copy_from_slice(found.payload));
                self.next_number += 1;
            }
            Kind::Seal if end.sealed || found.number + 1 != self.next_number => {
                return Err("a seal stands where none belongs");
            }
            Kind::Seal => end.sealed = true,
        }
        end.offset = found.end;
        Ok(())
    }

    /// Opens the last segment for writing behind its sound part, and makes that part and the names of the segments durable:
    /// the process may have died between a write and its sync. The part is written once more, because a sync that failed
    /// leaves the system with pages that it shows to readers, counts as clean, and never brings to the disk.
    fn reopen<D: Disk>(&self, disk: &mut D, read: ReadSegment, end: End) -> Result<OpenSegment<D::File>, WalError> {
        let file = disk.open(&read.name)?;
        let capacity = read.bytes.len() as u64;
        if end.torn {
            let torn_bytes = read.bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1 - end.offset);
            tracing::warn!(
                file = %disk.path(&read.name).display(), offset = end.offset, torn_bytes,
                "cut off a torn write at the end of the log; nobody was told that it was durable"
            );
            if self.options.has(Bug::RD04) {
                let position = (end.offset + torn_bytes) as u64;
                return Ok(OpenSegment { header: read.header, name: read.name, file, position, capacity });
            }
            disk.truncate(&file, &read.name, end.offset as u64)?;
            disk.allocate(&file, &read.name, capacity)?;
        }
        disk.write(&file, &read.name, &read.bytes[..end.offset], 0)?;
        disk.sync(&file, &read.name)?;
        disk.sync_folder()?;
        Ok(OpenSegment { header: read.header, name: read.name, file, position: end.offset as u64, capacity })
    }
}
