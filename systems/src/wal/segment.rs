//! Segments: their names and their headers.

const SEGMENT_MAGIC: [u8; 8] = *b"RASHLOG1";

/// Bytes before the first frame of a segment.
pub(super) const SEGMENT_HEADER_BYTES: usize = 44;

/// A segment, by its name. Segments count from 1 in a generation, generations from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct SegmentName {
    pub(super) generation: u64,
    pub(super) segment: u64,
}

impl SegmentName {
    pub(super) fn parse(name: &str) -> Option<Self> {
        let (generation, segment) = name.strip_prefix('g')?.strip_suffix(".log")?.split_once("-s")?;
        Some(Self { generation: generation.parse().ok()?, segment: segment.parse().ok()? })
    }

    pub(super) fn name(self) -> String {
        format!("g{:06}-s{:06}.log", self.generation, self.segment)
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
    pub(super) fn file(&self) -> SegmentName {
        SegmentName { generation: self.generation, segment: self.segment }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        let file = SegmentName { generation: 12_345_678, segment: 1 };
        assert_eq!(SegmentName::parse(&file.name()), Some(file));
        assert_eq!(SegmentName::parse(&file.temporary()), None);
        assert_eq!(SegmentName::parse("LOCK"), None);
    }

    #[test]
    fn a_header_is_read_back_and_a_damaged_one_is_not() {
        let header = SegmentHeader { generation: 2, segment: 3, first_number: 4, salt: 5 };
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
