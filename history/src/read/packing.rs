//! Unpacks gzip and zstd, which are told by their first bytes, not by names.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::rc::Rc;

use flate2::read::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// What is read from the disk at a time.
const PACKED_BYTES: usize = 64 << 10;

/// The bytes of a file as they were before it was packed.
pub(crate) struct Unpacked<'a> {
    reader: Box<dyn Read + 'a>,
    /// Whether the file itself came to its end.
    source_is_over: Rc<Cell<bool>>,
}

impl<'a> Unpacked<'a> {
    pub(crate) fn new(source: impl Read + 'a) -> io::Result<Self> {
        let source_is_over = Rc::new(Cell::new(false));
        let mut watched = Watched { source, is_over: Rc::clone(&source_is_over) };
        let mut magic = Vec::new();
        watched.by_ref().take(4).read_to_end(&mut magic)?;
        source_is_over.set(false);
        let packing = Packing::of(&magic);
        let source = Cursor::new(magic).chain(watched);
        let reader: Box<dyn Read + 'a> = match packing {
            None => Box::new(source),
            Some(Packing::Gzip) => Box::new(MultiGzDecoder::new(BufReader::with_capacity(PACKED_BYTES, source))),
            Some(Packing::Zstd) => Box::new(Frames::new(BufReader::with_capacity(PACKED_BYTES, source))),
        };
        Ok(Self { reader, source_is_over })
    }

    /// Whether bytes are missing at the end of the packed file; else it is broken in another way.
    pub(crate) fn is_cut(&self, error: &io::Error) -> bool {
        error.kind() == io::ErrorKind::UnexpectedEof || self.source_is_over.get()
    }
}

impl Read for Unpacked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer)
    }
}

/// How a file is packed.
enum Packing {
    Gzip,
    Zstd,
}

impl Packing {
    fn of(magic: &[u8]) -> Option<Self> {
        match magic {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd] => Some(Self::Zstd),
            // A frame that is to be skipped.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18] => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// Tells whether its source came to an end: then what the decompression complains of is that bytes are missing.
struct Watched<R> {
    source: R,
    is_over: Rc<Cell<bool>>,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.source.read(buffer)?;
        if bytes == 0 && !buffer.is_empty() {
            self.is_over.set(true);
        }
        Ok(bytes)
    }
}

/// All frames of a zstd file, one after the other.
struct Frames<R> {
    source: BufReader<R>,
    decoder: FrameDecoder,
    is_inside: bool,
}

impl<R: Read> Frames<R> {
    fn new(source: BufReader<R>) -> Self {
        Self { source, decoder: FrameDecoder::new(), is_inside: false }
    }

    /// Reads the header of the next frame. What is to be skipped is.
    fn begin(&mut self) -> io::Result<()> {
        match self.decoder.init(&mut self.source) {
            Ok(()) => {
                self.is_inside = true;
                Ok(())
            }
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                let skipped = io::copy(&mut self.source.by_ref().take(length.into()), &mut io::sink())?;
                if skipped == u64::from(length) { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
            }
            Err(error) => Err(io::Error::other(error)),
        }
    }

    fn end(&mut self) -> io::Result<()> {
        self.is_inside = false;
        let told = self.decoder.get_checksum_from_data();
        if told.is_some() && told != self.decoder.get_calculated_checksum() {
            return Err(io::Error::other("the checksum of the zstd file does not fit its content: copy it anew"));
        }
        Ok(())
    }
}

impl<R: Read> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.is_inside {
                if self.source.fill_buf()?.is_empty() {
                    return Ok(0);
                }
                self.begin()?;
                continue;
            }
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                self.decoder
                    .decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1))
                    .map_err(io::Error::other)?;
            }
            let bytes = self.decoder.read(buffer)?;
            if bytes > 0 || buffer.is_empty() {
                return Ok(bytes);
            }
            self.end()?;
        }
    }
}
