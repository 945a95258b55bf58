//! Segments and snapshots: their names and their headers.

use std::hash::{BuildHasher, Hasher, RandomState};

use super::WalError;
use super::disk::Disk;

const SEGMENT_MAGIC: [u8; 8] = *b"RASHLOG1";
const SNAPSHOT_MAGIC: [u8; 8] = *b"RASHSNP1";

/// Bytes before the first frame of a segment.
pub(super) const SEGMENT_HEADER_BYTES: usize = 44;
/// Bytes before the content of a snapshot.
pub(super) const SNAPSHOT_HEADER_BYTES: usize = 28;

/// A file of the log, by its name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum FileName {
    Snapshot { generation: u64 },
    Segment { generation: u64, segment: u64 },
}

impl FileName {
    pub(super) fn generation(self) -> u64 {
        match self {
            Self::Snapshot { generation } | Self::Segment { generation, .. } => generation,
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        let name = name.strip_prefix('g')?;
        if let Some(generation) = name.strip_suffix(".snapshot") {
            return Some(Self::Snapshot { generation: generation.parse().ok()? });
        }
        let (generation, segment) = name.strip_suffix(".log")?.split_once("-s")?;
        Some(Self::Segment { generation: generation.parse().ok()?, segment: segment.parse().ok()? })
    }

    pub(super) fn name(self) -> String {
        match self {
            Self::Snapshot { generation } => format!("g{generation:06}.snapshot"),
            Self::Segment { generation, segment } => format!("g{generation:06}-s{segment:06}.log"),
        }
    }

    /// What it is called until it is whole.
    pub(super) fn temporary(self) -> String {
        format!("{}.tmp", self.name())
    }
}

/// The first bytes of a segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct SegmentHeader {
    pub(super) generation: u64,
    pub(super) segment: u64,
    /// The number of the first frame here.
    pub(super) first_number: u64,
    /// Goes into the checksums of this segment's frames.
    pub(super) salt: u64,
}

impl SegmentHeader {
    pub(super) fn new(generation: u64, segment: u64, first_number: u64) -> Self {
        // The standard library seeds this from the system's randomness.
        let salt = RandomState::new().build_hasher().finish();
        Self { generation, segment, first_number, salt }
    }

    pub(super) fn file(&self) -> FileName {
        FileName::Segment { generation: self.generation, segment: self.segment }
    }

    pub(super) fn encode(&self) -> [u8; SEGMENT_HEADER_BYTES] {
        let mut bytes = [0; SEGMENT_HEADER_BYTES];
        bytes[..8].copy_from_slice(&SEGMENT_MAGIC);
        let numbers = [self.generation, self.segment, self.first_number, self.salt];
        for (slot, number) in bytes[8..40].chunks_exact_mut(8).zip(numbers) {
            slot.copy_from_slice(&number.to_le_bytes());
        }
        let checksum = crc32fast::hash(&bytes[..40]);
        bytes[40..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// The header of a segment; `None` where it is damaged.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; SEGMENT_HEADER_BYTES] = bytes.first_chunk()?;
        let whole = crc32fast::hash(&bytes[..40]).to_le_bytes() == bytes[40..] && bytes[..8] == SEGMENT_MAGIC;
        let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes"));
        whole.then(|| Self { generation: number(8), segment: number(16), first_number: number(24), salt: number(32) })
    }
}

pub(super) fn encode_snapshot_header(generation: u64, content: &[u8]) -> [u8; SNAPSHOT_HEADER_BYTES] {
    let mut bytes = [0; SNAPSHOT_HEADER_BYTES];
    bytes[..8].copy_from_slice(&SNAPSHOT_MAGIC);
    bytes[8..16].copy_from_slice(&generation.to_le_bytes());
    bytes[16..24].copy_from_slice(&(content.len() as u64).to_le_bytes());
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&bytes[..24]);
    hasher.update(content);
    bytes[24..].copy_from_slice(&hasher.finalize().to_le_bytes());
    bytes
}

/// Reads a snapshot back.
pub(super) fn read_snapshot(disk: &Disk, generation: u64) -> Result<Vec<u8>, WalError> {
    let name = FileName::Snapshot { generation }.name();
    let mut bytes = disk.read(&name)?;
    let Some((header, content)) = bytes.split_first_chunk::<SNAPSHOT_HEADER_BYTES>() else {
        return Err(WalError::corrupt(disk.path(&name), bytes.len() as u64, "the snapshot ends inside its header"));
    };
    if *header != encode_snapshot_header(generation, content) {
        return Err(WalError::corrupt(disk.path(&name), 0, "the snapshot does not match its checksum"));
    }
    bytes.drain(..SNAPSHOT_HEADER_BYTES);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for file in [FileName::Snapshot { generation: 3 }, FileName::Segment { generation: 12_345_678, segment: 1 }] {
            assert_eq!(FileName::parse(&file.name()), Some(file));
            assert_eq!(FileName::parse(&file.temporary()), None);
        }
        assert_eq!(FileName::parse("LOCK"), None);
    }

    #[test]
    fn a_header_is_read_back_and_a_damaged_one_is_not() {
        let header = SegmentHeader::new(2, 3, 4);
        let bytes = header.encode();
        assert_eq!(SegmentHeader::decode(&bytes), Some(header));
        for position in 0..bytes.len() {
            let mut flipped = bytes;
            flipped[position] ^= 4;
            assert_eq!(SegmentHeader::decode(&flipped), None, "byte {position}");
            assert_eq!(SegmentHeader::decode(&bytes[..position]), None);
        }
    }
}
