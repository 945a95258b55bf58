//! Records as ZooKeeper writes them (jute): numbers in network order, texts and byte strings with their length before them.

/// Writes a record, with room for the length of the whole in front.
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn new() -> Self {
        Self(vec![0; 4])
    }

    pub(super) fn int(mut self, value: i32) -> Self {
        self.0.extend(value.to_be_bytes());
        self
    }

    pub(super) fn long(mut self, value: i64) -> Self {
        self.0.extend(value.to_be_bytes());
        self
    }

    pub(super) fn flag(mut self, value: bool) -> Self {
        self.0.push(value.into());
        self
    }

    pub(super) fn bytes(self, value: &[u8]) -> Self {
        let mut with_length = self.int(i32::try_from(value.len()).unwrap_or(i32::MAX));
        with_length.0.extend_from_slice(value);
        with_length
    }

    pub(super) fn text(self, value: &str) -> Self {
        self.bytes(value.as_bytes())
    }

    /// The record as it is sent.
    pub(super) fn frame(mut self) -> Vec<u8> {
        let length = u32::try_from(self.0.len() - 4).unwrap_or(u32::MAX);
        self.0[..4].copy_from_slice(&length.to_be_bytes());
        self.0
    }
}

/// A record is shorter than it has to be, or not what it has to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a record that can't be understood")]
pub(super) struct Malformed;

/// Reads a record from its beginning.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(record: &'a [u8]) -> Self {
        Self(record)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn int(&mut self) -> Result<i32, Malformed> {
        let bytes = self.take(4)?.try_into().map_err(|_| Malformed)?;
        Ok(i32::from_be_bytes(bytes))
    }

    pub(super) fn long(&mut self) -> Result<i64, Malformed> {
        let bytes = self.take(8)?.try_into().map_err(|_| Malformed)?;
        Ok(i64::from_be_bytes(bytes))
    }

    /// A byte string; one that is not there has the length -1 and is empty here.
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.int()?.max(0);
        self.take(usize::try_from(length).map_err(|_| Malformed)?)
    }

    pub(super) fn text(&mut self) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Malformed)
    }

    pub(super) fn texts(&mut self) -> Result<Vec<String>, Malformed> {
        (0..self.int()?.max(0)).map(|_| self.text().map(str::to_owned)).collect()
    }

    pub(super) fn rest(self) -> &'a [u8] {
        self.0
    }
}

/// Takes a whole frame from the front of what was received, without its length. `None` while it is not all there.
pub(super) fn take_frame(received: &mut Vec<u8>) -> Result<Option<Vec<u8>>, Malformed> {
    const LONGEST: usize = 16 << 20;
    let Some(length) = received.first_chunk::<4>() else { return Ok(None) };
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| Malformed)?;
    if length > LONGEST {
        return Err(Malformed);
    }
    if received.len() < 4 + length {
        return Ok(None);
    }
    let frame = received[4..4 + length].to_vec();
    received.drain(..4 + length);
    Ok(Some(frame))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_in_pieces_of_any_size() {
        let frame = Writer::new().int(-7).long(1 << 40).flag(true).text("/é").bytes(&[0, 255]).frame();
        let twice = [frame.clone(), frame].concat();
        let mut received = Vec::new();
        let mut seen = 0;
        for byte in twice {
            received.push(byte);
            let Some(record) = take_frame(&mut received).unwrap() else { continue };
            let mut reader = Reader::new(&record);
            assert_eq!((reader.int(), reader.long(), reader.take(1)), (Ok(-7), Ok(1 << 40), Ok(&[1][..])));
            assert_eq!((reader.text(), reader.bytes()), (Ok("/é"), Ok(&[0, 255][..])));
            assert_eq!(reader.int(), Err(Malformed));
            seen += 1;
        }
        assert_eq!((seen, received.len()), (2, 0));
    }

    #[test]
    fn lengths_that_no_server_sends_are_refused() {
        assert_eq!(take_frame(&mut b"HTTP/1.1 400 Bad Request".to_vec()), Err(Malformed));
        assert_eq!(Reader::new(&[0, 0, 0, 9, 1]).bytes(), Err(Malformed));
    }
}
