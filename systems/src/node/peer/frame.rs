//! Frames on a connection: 4 bytes of length, 4 bytes of CRC-32 of the payload, the payload in postcard's format. Numbers
//! are little-endian.

use bytes::{Buf, BytesMut};
use serde::Serialize;
use serde::de::DeserializeOwned;

const HEADER_BYTES: usize = 8;

/// A longer frame is taken for rubbish.
pub(super) const MAX_FRAME_BYTES: usize = 64 << 20;

/// Bytes that no member of ours sends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum FrameError {
    #[error("a frame of {0} bytes")]
    TooLong(usize),
    #[error("a frame that does not match its checksum")]
    Checksum,
    #[error("a frame whose content makes no sense")]
    Content,
}

/// Puts a frame at the end of `buffer`.
pub(super) fn encode(content: &impl Serialize, buffer: &mut Vec<u8>) {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; HEADER_BYTES]);
    let flavor = postcard::ser_flavors::ExtendFlavor::new(std::mem::take(buffer));
    *buffer = postcard::serialize_with_flavor(content, flavor).expect("messages encode in memory");
    let payload = &buffer[start + HEADER_BYTES..];
    let length = u32::try_from(payload.len()).expect("a message is far below 4 GiB");
    let checksum = crc32fast::hash(payload);
    buffer[start..start + 4].copy_from_slice(&length.to_le_bytes());
    buffer[start + 4..start + 8].copy_from_slice(&checksum.to_le_bytes());
}

/// Takes the first frame out of `buffer`; `None` where it is not all there yet.
pub(super) fn decode<T: DeserializeOwned>(buffer: &mut BytesMut) -> Result<Option<T>, FrameError> {
    let Some((header, rest)) = buffer.split_first_chunk::<HEADER_BYTES>() else { return Ok(None) };
    let [l0, l1, l2, l3, c0, c1, c2, c3] = *header;
    let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
    if length > MAX_FRAME_BYTES {
        return Err(FrameError::TooLong(length));
    }
    let Some(payload) = rest.get(..length) else { return Ok(None) };
    if crc32fast::hash(payload) != u32::from_le_bytes([c0, c1, c2, c3]) {
        return Err(FrameError::Checksum);
    }
    let content = postcard::from_bytes(payload).map_err(|_| FrameError::Content)?;
    buffer.advance(HEADER_BYTES + length);
    Ok(Some(content))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(texts: &[&str]) -> Vec<u8> {
        let mut buffer = Vec::new();
        texts.iter().for_each(|text| encode(text, &mut buffer));
        buffer
    }

    #[test]
    fn frames_come_out_as_they_went_in_however_they_are_cut() {
        let bytes = encoded(&["one", "", "three"]);
        for cut in 0..=bytes.len() {
            let mut buffer = BytesMut::new();
            let mut texts: Vec<String> = Vec::new();
            for part in [&bytes[..cut], &bytes[cut..]] {
                buffer.extend_from_slice(part);
                while let Some(text) = decode(&mut buffer).unwrap() {
                    texts.push(text);
                }
            }
            assert_eq!(texts, ["one", "", "three"], "cut at {cut}");
        }
    }

    #[test]
    fn a_flipped_bit_is_never_taken_for_a_message() {
        let bytes = encoded(&["one"]);
        for bit in 0..bytes.len() * 8 {
            let mut flipped = BytesMut::from(&bytes[..]);
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(!matches!(decode::<String>(&mut flipped), Ok(Some(_))), "bit {bit}");
        }
    }

    #[test]
    fn a_length_beyond_reason_is_refused_at_once() {
        let mut buffer = BytesMut::from(&b"GET / HTTP/1.1\r\n"[..]);
        assert!(matches!(decode::<String>(&mut buffer), Err(FrameError::TooLong(_))));
    }
}
