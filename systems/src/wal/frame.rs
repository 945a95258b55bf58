//! Frames: what one sync makes durable, whole or absent.
//!
//! ```text
//! offset  size
//!      0     4   kind: "FRAM", "SNAP" or "SEAL"
//!      4     4   length of the payload
//!      8     8   number, counted from 1 in a generation; a seal has the number of its frame
//!     16     4   CRC-32 of the segment's salt, the fields above and the payload
//!     20         payload of FRAM: for each record 4 bytes of length, and the record; of SNAP: the snapshot; of SEAL: none
//! ```
//!
//! All numbers are little-endian.

use bytes::Bytes;

/// Bytes of a frame without its payload.
pub(super) const HEADER_BYTES: usize = 20;

/// A frame's payload may not be longer than this.
pub(super) const MAX_PAYLOAD_BYTES: usize = 1 << 30;

const FRAME: [u8; 4] = *b"FRAM";
const SNAPSHOT: [u8; 4] = *b"SNAP";
const SEAL: [u8; 4] = *b"SEAL";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Frame,
    Snapshot,
    Seal,
}

/// Something whole, found in a segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Found<'a> {
    pub(super) kind: Kind,
    pub(super) number: u64,
    pub(super) payload: &'a [u8],
    /// Offset of what follows.
    pub(super) end: usize,
}

fn checksum(salt: u64, head: &[u8], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&salt.to_le_bytes());
    hasher.update(head);
    hasher.update(payload);
    hasher.finalize()
}

/// Starts a frame in the empty `buffer`; [`push_record`] and [`finish`] follow.
pub(super) fn begin(buffer: &mut Vec<u8>) {
    buffer.clear();
    buffer.resize(HEADER_BYTES, 0);
}

/// Bytes that a record takes in a frame.
pub(super) fn record_bytes(record: &[u8]) -> usize {
    4 + record.len()
}

pub(super) fn push_record(buffer: &mut Vec<u8>, record: &[u8]) {
    let length = u32::try_from(record.len()).expect("the log splits what does not fit a frame");
    buffer.extend_from_slice(&length.to_le_bytes());
    buffer.extend_from_slice(record);
}

/// Fills in the header.
pub(super) fn finish(buffer: &mut [u8], salt: u64, number: u64) {
    write_header(buffer, FRAME, salt, number);
}

/// The frame of a snapshot.
pub(super) fn snapshot(salt: u64, number: u64, content: &[u8]) -> Vec<u8> {
    let mut buffer = vec![0; HEADER_BYTES];
    buffer.extend_from_slice(content);
    write_header(&mut buffer, SNAPSHOT, salt, number);
    buffer
}

/// The seal of the frame with this number.
pub(super) fn seal(salt: u64, number: u64) -> [u8; HEADER_BYTES] {
    let mut bytes = [0; HEADER_BYTES];
    write_header(&mut bytes, SEAL, salt, number);
    bytes
}

fn write_header(buffer: &mut [u8], kind: [u8; 4], salt: u64, number: u64) {
    let (header, payload) = buffer.split_at_mut(HEADER_BYTES);
    let length = u32::try_from(payload.len()).expect("the log splits what does not fit a frame");
    header[..4].copy_from_slice(&kind);
    header[4..8].copy_from_slice(&length.to_le_bytes());
    header[8..16].copy_from_slice(&number.to_le_bytes());
    let checksum = checksum(salt, &header[..16], payload);
    header[16..].copy_from_slice(&checksum.to_le_bytes());
}

/// What stands at this offset, where it is whole.
pub(super) fn read(segment: &[u8], offset: usize, salt: u64) -> Option<Found<'_>> {
    let found = read_unchecked(segment, offset)?;
    let header = &segment[offset..offset + HEADER_BYTES];
    let expected = u32::from_le_bytes(header[16..].try_into().ok()?);
    (checksum(salt, &header[..16], found.payload) == expected).then_some(found)
}

/// What seems to stand at this offset.
pub(super) fn read_unchecked(segment: &[u8], offset: usize) -> Option<Found<'_>> {
    let header = segment.get(offset..offset + HEADER_BYTES)?;
    let kind = if header[..4] == FRAME {
        Kind::Frame
    } else if header[..4] == SNAPSHOT {
        Kind::Snapshot
    } else if header[..4] == SEAL {
        Kind::Seal
    } else {
        return None;
    };
    let length = u32::from_le_bytes(header[4..8].try_into().ok()?) as usize;
    let number = u64::from_le_bytes(header[8..16].try_into().ok()?);
    let end = (offset + HEADER_BYTES).checked_add(length)?;
    let payload = segment.get(offset + HEADER_BYTES..end)?;
    Some(Found { kind, number, payload, end })
}

/// The first offset after `offset` where something whole stands.
pub(super) fn find_after(segment: &[u8], offset: usize, salt: u64) -> Option<usize> {
    (offset + 1..segment.len()).find(|&offset| segment[offset] != 0 && read(segment, offset, salt).is_some())
}

/// The records of a frame; `None` where the payload does not add up.
pub(super) fn records(mut payload: &[u8]) -> Option<Vec<Bytes>> {
    let mut records = Vec::new();
    while !payload.is_empty() {
        let (length, rest) = payload.split_first_chunk::<4>()?;
        let (record, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        records.push(Bytes::copy_from_slice(record));
        payload = rest;
    }
    Some(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(salt: u64, number: u64, payload: &[&[u8]]) -> Vec<u8> {
        let mut buffer = Vec::new();
        begin(&mut buffer);
        for record in payload {
            push_record(&mut buffer, record);
        }
        finish(&mut buffer, salt, number);
        buffer
    }

    #[test]
    fn a_frame_is_read_back() {
        let bytes = frame(7, 3, &[b"one", b"", b"three"]);
        let found = read(&bytes, 0, 7).unwrap();
        assert_eq!((found.kind, found.number, found.end), (Kind::Frame, 3, bytes.len()));
        assert_eq!(records(found.payload).unwrap(), [&b"one"[..], b"", b"three"]);
    }

    #[test]
    fn a_frame_of_another_segment_is_none() {
        assert_eq!(read(&frame(7, 3, &[b"one"]), 0, 8), None);
    }

    #[test]
    fn a_frame_with_any_bit_flipped_is_none() {
        let bytes = frame(7, 3, &[b"one", b"two"]);
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(read(&flipped, 0, 7), None, "bit {bit}");
        }
    }

    #[test]
    fn a_whole_frame_behind_rubbish_is_found() {
        let mut bytes = vec![0xaa; 33];
        bytes.extend(frame(7, 3, &[b"one"]));
        assert_eq!(find_after(&bytes, 0, 7), Some(33));
        assert_eq!(find_after(&bytes, 33, 7), None);
    }
}
