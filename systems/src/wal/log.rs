//! The log, open for writing.

use std::path::Path;

use bytes::Bytes;

use super::frame;
use super::segment::{SEGMENT_HEADER_BYTES, SegmentHeader, SegmentName};
use super::{Disk, FolderDisk, WalError};
use crate::raft::Bug;
use crate::server::Recovered;

/// How the log is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WalOptions {
    /// Bytes that a segment takes on disk, from its beginning on.
    pub segment_bytes: u64,
    /// A planted bug.
    pub bug: Option<Bug>,
}

impl WalOptions {
    /// Whether a bug is planted here.
    pub(super) fn has(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }
}

impl Default for WalOptions {
    fn default() -> Self {
        Self { segment_bytes: 8 << 20, bug: None }
    }
}

impl WalOptions {
    /// For a simulated disk: small segments, so that a short run sees many.
    #[must_use]
    pub fn simulated() -> Self {
        Self { segment_bytes: crate::sim::disk::SEGMENT_BYTES, bug: None }
    }
}

/// The segment that is being written.
#[derive(Debug)]
pub(super) struct OpenSegment<F> {
    pub(super) header: SegmentHeader,
    pub(super) name: String,
    pub(super) file: F,
    /// Where the next frame or seal goes.
    pub(super) position: u64,
    pub(super) capacity: u64,
}

/// A write-ahead log in a folder of its own. One failed write or sync ends it: nobody knows then what is on disk.
#[derive(Debug)]
pub struct Log<D: Disk = FolderDisk> {
    pub(super) disk: D,
    pub(super) options: WalOptions,
    pub(super) open: OpenSegment<D::File>,
    /// The number of the next frame.
    pub(super) next_number: u64,
    /// A durable frame whose seal is not written yet.
    pub(super) unsealed: Option<u64>,
    pub(super) buffer: Vec<u8>,
}

impl Log {
    /// Opens the log in this folder, or begins one, and brings back what it holds.
    ///
    /// # Errors
    /// [`WalError`] where another process uses the folder, the disk refuses, or what is on it was damaged after it had been
    /// written.
    pub fn open(folder: &Path, options: WalOptions) -> Result<(Self, Recovered), WalError> {
        Self::open_on(FolderDisk::open(folder)?, options)
    }
}

impl<D: Disk> Log<D> {
    /// Opens the log on this disk, or begins one, and brings back what it holds.
    ///
    /// # Errors
    /// [`WalError`] where the disk refuses, or what is on it was damaged after it had been written.
    pub fn open_on(disk: D, options: WalOptions) -> Result<(Self, Recovered), WalError> {
        super::recover::open(disk, options)
    }

    /// Makes these records durable, together.
    ///
    /// # Errors
    /// [`WalError::Io`]; the log can't be used any more then.
    pub fn append<'a>(&mut self, records: impl IntoIterator<Item = &'a Bytes>) -> Result<(), WalError> {
        self.seal()?;
        frame::begin(&mut self.buffer);
        for record in records {
            let longer = self.buffer.len() - frame::HEADER_BYTES + frame::record_bytes(record);
            if longer > frame::MAX_PAYLOAD_BYTES {
                return Err(self.too_large());
            }
            frame::push_record(&mut self.buffer, record);
        }
        let needed = (self.buffer.len() + frame::HEADER_BYTES) as u64;
        if self.open.position + needed > self.open.capacity {
            self.next_segment(needed)?;
        }
        frame::finish(&mut self.buffer, self.open.header.salt, self.next_number);
        self.disk.write(&self.open.file, &self.open.name, &self.buffer, self.open.position)?;
        if !self.options.has(Bug::RD01) {
            self.sync()?;
        }
        self.open.position += self.buffer.len() as u64;
        self.unsealed = Some(self.next_number);
        self.next_number += 1;
        Ok(())
    }

    /// Writes down that the last frame was durable. Costs no sync; best done when nobody waits.
    ///
    /// # Errors
    /// [`WalError::Io`]; the log can't be used any more then.
    pub fn seal(&mut self) -> Result<(), WalError> {
        let Some(number) = self.unsealed.take() else { return Ok(()) };
        let seal = frame::seal(self.open.header.salt, number);
        self.disk.write(&self.open.file, &self.open.name, &seal, self.open.position)?;
        self.open.position += seal.len() as u64;
        Ok(())
    }

    /// Begins anew: from now on `snapshot` and `tail` stand for all that was written before.
    ///
    /// # Errors
    /// [`WalError::Io`]; the log can't be used any more then.
    pub fn checkpoint(&mut self, snapshot: &[u8], tail: &[Bytes]) -> Result<(), WalError> {
        let tail_bytes = tail.iter().map(|record| frame::record_bytes(record)).sum::<usize>();
        if snapshot.len().max(tail_bytes) > frame::MAX_PAYLOAD_BYTES {
            return Err(self.too_large());
        }
        let generation = if self.options.has(Bug::RS04) { self.reuse()? } else { self.open.header.generation + 1 };
        let header = SegmentHeader { generation, segment: 1, first_number: 1, salt: self.disk.salt() };
        let mut frames = frame::snapshot(header.salt, 1, snapshot);
        self.next_number = 2;
        if !tail.is_empty() && !self.options.has(Bug::RD08) {
            frame::begin(&mut self.buffer);
            tail.iter().for_each(|record| frame::push_record(&mut self.buffer, record));
            frame::finish(&mut self.buffer, header.salt, 2);
            frames.extend_from_slice(&self.buffer);
            frames.extend(frame::seal(header.salt, 2));
            self.next_number = 3;
        }
        self.unsealed = None;
        let room_bytes = self.options.segment_bytes + frames.len() as u64;
        self.open = create_segment(&mut self.disk, &self.options, header, &frames, room_bytes)?;
        if self.options.has(Bug::RD08) { self.append(tail) } else { Ok(()) }
    }

    /// Removes what a checkpoint made superfluous. Best done when nobody waits; otherwise the next opening does it.
    ///
    /// # Errors
    /// [`WalError::Io`]; the log can't be used any more then.
    pub fn tidy(&mut self) -> Result<(), WalError> {
        let generation = self.open.header.generation;
        for name in self.disk.names()? {
            let is_old = match SegmentName::parse(&name) {
                Some(file) => file.generation != generation,
                None => name.ends_with(".tmp"),
            };
            if is_old {
                self.disk.remove(&name)?;
            }
        }
        Ok(())
    }

    /// The seal of the last frame must be durable before the next segment exists: there it can't come late any more.
    fn next_segment(&mut self, needed: u64) -> Result<(), WalError> {
        self.disk.sync(&self.open.file, &self.open.name)?;
        let SegmentHeader { generation, segment, .. } = self.open.header;
        let (segment, first_number, salt) = (segment + 1, self.next_number, self.disk.salt());
        let header = SegmentHeader { generation, segment, first_number, salt };
        let room_bytes = self.options.segment_bytes.max(SEGMENT_HEADER_BYTES as u64 + needed);
        self.open = create_segment(&mut self.disk, &self.options, header, &[], room_bytes)?;
        Ok(())
    }

    /// Brings what was written to the open segment to the disk.
    fn sync(&mut self) -> Result<(), WalError> {
        match self.disk.sync(&self.open.file, &self.open.name) {
            Err(_) if self.options.has(Bug::RD10) => self.disk.sync(&self.open.file, &self.open.name),
            result => result,
        }
    }

    /// Bug RS-04: makes the next checkpoint overwrite this generation.
    fn reuse(&mut self) -> Result<u64, WalError> {
        let SegmentHeader { generation, segment: last, .. } = self.open.header;
        for segment in 2..=last {
            self.disk.remove(&SegmentName { generation, segment }.name())?;
        }
        Ok(generation)
    }

    fn too_large(&self) -> WalError {
        let cause = std::io::Error::other(format!("more than {} bytes in one write", frame::MAX_PAYLOAD_BYTES));
        WalError::Io { doing: "writing", path: self.disk.path(&self.open.name), cause }
    }
}

/// A segment that begins with these frames, durable under its name, with room for `room_bytes` in all.
pub(super) fn create_segment<D: Disk>(
    disk: &mut D,
    options: &WalOptions,
    header: SegmentHeader,
    frames: &[u8],
    room_bytes: u64,
) -> Result<OpenSegment<D::File>, WalError> {
    let is_checkpoint = !frames.is_empty();
    let name = header.file().name();
    let overwrites = options.has(Bug::RS04) && is_checkpoint;
    let temporary = if overwrites { name.clone() } else { header.file().temporary() };
    let position = (SEGMENT_HEADER_BYTES + frames.len()) as u64;
    let capacity = room_bytes.max(position);
    let file = disk.create(&temporary)?;
    disk.allocate(&file, &temporary, capacity)?;
    disk.write(&file, &temporary, &header.encode(), 0)?;
    disk.write(&file, &temporary, frames, SEGMENT_HEADER_BYTES as u64)?;
    let is_hasty = options.has(Bug::RS05) && is_checkpoint;
    if !is_hasty {
        disk.sync(&file, &temporary)?;
    }
    disk.rename(&temporary, &name)?;
    if !is_hasty && !options.has(Bug::RD02) {
        disk.sync_folder()?;
    }
    Ok(OpenSegment { header, name, file, position, capacity })
}
