//! Bytes of a file, unpacked where it is compressed, a block at a time.

use std::io::{self, Read};

use crate::read::packing::Unpacked;

/// Small enough for the processor's cache, large enough that system calls do not count.
const BLOCK_BYTES: usize = 256 << 10;

/// A window that moves over the bytes of a file. What was consumed is forgotten.
pub(crate) struct Input<'a> {
    reader: Unpacked<'a>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    is_over: bool,
    is_cut: bool,
}

/// One line without its line break.
pub(crate) struct Line<'a> {
    pub(crate) bytes: &'a [u8],
    /// Whether a line break followed.
    pub(crate) is_whole: bool,
}

impl<'a> Input<'a> {
    /// Looks at the first bytes and unpacks what is packed by gzip or zstd.
    pub(crate) fn new(source: impl Read + 'a) -> io::Result<Self> {
        let reader = Unpacked::new(source)?;
        Ok(Self { reader, buffer: vec![0; BLOCK_BYTES], start: 0, end: 0, is_over: false, is_cut: false })
    }

    /// What was read and not consumed.
    pub(crate) fn window(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    pub(crate) fn consume(&mut self, bytes: usize) {
        self.start += bytes;
    }

    /// Whether nothing will be added to the window.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Whether the file was packed and ends before its end.
    pub(crate) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Makes the window longer if there is more. A packed file that was cut off is over where it was cut.
    pub(crate) fn fill(&mut self) -> io::Result<()> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            self.buffer.resize(2 * self.buffer.len(), 0);
        }
        match self.reader.read(&mut self.buffer[self.end..]) {
            Ok(0) => self.is_over = true,
            Ok(bytes) => self.end += bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if self.reader.is_cut(&error) => {
                self.is_cut = true;
                self.is_over = true;
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Fills the window up to some bytes, or to the end.
    pub(crate) fn fill_to(&mut self, bytes: usize) -> io::Result<()> {
        while self.window().len() < bytes && !self.is_over {
            self.fill()?;
        }
        Ok(())
    }

    /// The next line; `None` at the end.
    pub(crate) fn line(&mut self) -> io::Result<Option<Line<'_>>> {
        let mut searched = 0;
        loop {
            if let Some(found) = memchr::memchr(b'\n', &self.window()[searched..]) {
                let from = self.start;
                let to = from + searched + found;
                self.start = to + 1;
                return Ok(Some(Line { bytes: &self.buffer[from..to], is_whole: true }));
            }
            searched = self.end - self.start;
            if self.is_over {
                let from = self.start;
                self.start = self.end;
                let last = &self.buffer[from..self.end];
                return Ok((!last.is_empty()).then_some(Line { bytes: last, is_whole: false }));
            }
            self.fill()?;
        }
    }
}
