//! The log, open for writing.

use std::fs::File;
use std::path::Path;

use bytes::Bytes;

use super::WalError;
use super::disk::Disk;
use super::frame;
use super::segment::{FileName, SEGMENT_HEADER_BYTES, SegmentHeader, encode_snapshot_header};
use crate::server::Recovered;

/// Sizes of the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WalOptions {
    /// Bytes that a segment takes on disk, from its beginning on.
    pub segment_bytes: u64,
}

impl Default for WalOptions {
    fn default() -> Self {
        Self { segment_bytes: 8 << 20 }
    }
}

/// The segment that is being written.
#[derive(Debug)]
pub(super) struct OpenSegment {
    pub(super) header: SegmentHeader,
    pub(super) name: String,
    pub(super) file: File,
    /// Where the next frame or seal goes.
    pub(super) position: u64,
    pub(super) capacity: u64,
}

/// A write-ahead log in a folder of its own. One failed write or sync ends it: nobody knows then what is on disk.
#[derive(Debug)]
pub struct Log {
    pub(super) disk: Disk,
    pub(super) options: WalOptions,
    pub(super) open: OpenSegment,
    /// The number of the next frame.
    pub(super) next_number: u64,
    /// A durable frame whose seal is not written yet.
    pub(super) unsealed: Option<u64>,
    pub(super) buffer: Vec<u8>,
}

impl Log {
    /// Opens the log, or begins one, and brings back what it holds.
    ///
    /// # Errors
    /// [`WalError`] where another process uses the folder, the disk refuses, or what is on it was damaged after it had been
    /// written.
    pub fn open(folder: &Path, options: WalOptions) -> Result<(Self, Recovered), WalError> {
        super::recover::open(Disk::open(folder)?, options)
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
        self.disk.sync(&self.open.file, &self.open.name)?;
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
        let generation = self.open.header.generation + 1;
        self.write_snapshot(generation, snapshot)?;
        let bytes = tail.iter().map(|record| frame::record_bytes(record)).sum::<usize>();
        if bytes > frame::MAX_PAYLOAD_BYTES {
            return Err(self.too_large());
        }
        let needed = (bytes + 2 * frame::HEADER_BYTES) as u64;
        let header = SegmentHeader::new(generation, 1, 1);
        self.open = create_segment(&mut self.disk, self.options, header, needed, tail)?;
        self.next_number = if tail.is_empty() { 1 } else { 2 };
        self.unsealed = None;
        remove_other_generations(&mut self.disk, generation)
    }

    fn write_snapshot(&mut self, generation: u64, snapshot: &[u8]) -> Result<(), WalError> {
        let file_name = FileName::Snapshot { generation };
        let temporary = file_name.temporary();
        let file = self.disk.create(&temporary)?;
        let header = encode_snapshot_header(generation, snapshot);
        self.disk.write(&file, &temporary, &header, 0)?;
        self.disk.write(&file, &temporary, snapshot, header.len() as u64)?;
        self.disk.sync(&file, &temporary)?;
        self.disk.rename(&temporary, &file_name.name())?;
        self.disk.sync_folder()
    }

    /// The seal of the last frame must be durable before the next segment exists: there it can't come late any more.
    fn next_segment(&mut self, needed: u64) -> Result<(), WalError> {
        self.disk.sync(&self.open.file, &self.open.name)?;
        let SegmentHeader { generation, segment, .. } = self.open.header;
        let header = SegmentHeader::new(generation, segment + 1, self.next_number);
        self.open = create_segment(&mut self.disk, self.options, header, needed, &[])?;
        Ok(())
    }

    fn too_large(&self) -> WalError {
        let source = std::io::Error::other(format!("more than {} bytes in one write", frame::MAX_PAYLOAD_BYTES));
        WalError::Io { doing: "writing", path: self.disk.path(&self.open.name), source }
    }
}

/// A segment that is durable under its name, with room for `needed` bytes of frames. `tail` is its first frame, if any.
pub(super) fn create_segment(
    disk: &mut Disk,
    options: WalOptions,
    header: SegmentHeader,
    needed: u64,
    tail: &[Bytes],
) -> Result<OpenSegment, WalError> {
    let (temporary, name) = (header.file().temporary(), header.file().name());
    let capacity = options.segment_bytes.max(SEGMENT_HEADER_BYTES as u64 + needed);
    let mut content = header.encode().to_vec();
    if !tail.is_empty() {
        let mut buffer = Vec::new();
        frame::begin(&mut buffer);
        tail.iter().for_each(|record| frame::push_record(&mut buffer, record));
        frame::finish(&mut buffer, header.salt, header.first_number);
        content.extend(buffer);
        content.extend(frame::seal(header.salt, header.first_number));
    }
    let file = disk.create(&temporary)?;
    disk.allocate(&file, &temporary, capacity)?;
    disk.write(&file, &temporary, &content, 0)?;
    disk.sync(&file, &temporary)?;
    disk.rename(&temporary, &name)?;
    disk.sync_folder()?;
    Ok(OpenSegment { header, name, file, position: content.len() as u64, capacity })
}

/// Removes what is not of this generation, and what was never finished.
pub(super) fn remove_other_generations(disk: &mut Disk, generation: u64) -> Result<(), WalError> {
    let old: Vec<String> = disk
        .names()?
        .into_iter()
        .filter(|name| match FileName::parse(name) {
            Some(file) => file.generation() != generation,
            None => name.ends_with(".tmp"),
        })
        .collect();
    for name in &old {
        disk.remove(name)?;
    }
    if old.is_empty() { Ok(()) } else { disk.sync_folder() }
}
