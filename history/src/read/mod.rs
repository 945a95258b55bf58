//! Reads histories of all formats, and refuses those that can't be true.

#[expect(dead_code, reason = "for the formats that follow")]
mod input;
mod jsonl;
mod packing;
#[expect(dead_code, reason = "for the formats that follow")]
mod pairing;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::str::FromStr;

use crate::history::Torn;
use crate::read::input::Input;
use crate::read::pairing::Pairing;
use crate::{History, HistoryError};

/// How a history is written down. `docs/HISTORY.md` describes each.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Format {
    /// JSON lines, an event a line, as the recorder of this crate writes them.
    Jsonl,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 1] = [Self::Jsonl];

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|format| format.name() == name).ok_or_else(|| {
            let known = Self::ALL.map(Self::name).join(", ");
            format!("{name:?} is no format of histories; known are {known}")
        })
    }
}

/// How to read a history. By default all is found out from its content.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ReadOptions {
    /// How it is written down; `None` to find out.
    pub format: Option<Format>,
}

/// Reads a history of any format, packed by gzip or zstd or not; `-` is the standard input. A last line that was torn by a
/// crash is left out.
///
/// # Errors
/// [`HistoryError`] where the file can't be read, holds no client's event, or can't be a history.
pub fn read_history(path: &Path) -> Result<History, HistoryError> {
    ReadOptions::default().read(path)
}

/// The same from memory; `path` is what errors call it.
///
/// # Errors
/// As [`read_history`].
pub fn parse_history(path: &Path, bytes: &[u8]) -> Result<History, HistoryError> {
    ReadOptions::default().read_from(path, bytes)
}

impl ReadOptions {
    /// As [`read_history`].
    ///
    /// # Errors
    /// As [`read_history`].
    pub fn read(&self, path: &Path) -> Result<History, HistoryError> {
        if path == Path::new("-") {
            return self.read_from(Path::new("standard input"), io::stdin().lock());
        }
        let file = File::open(path).map_err(|cause| HistoryError::Io { path: path.into(), cause })?;
        self.read_from(path, file)
    }

    /// The same from wherever bytes come; `path` is what errors call it.
    ///
    /// # Errors
    /// As [`read_history`].
    pub fn read_from(&self, path: &Path, source: impl Read) -> Result<History, HistoryError> {
        self.history(source).map_err(|trouble| trouble.at(path))
    }

    fn history(&self, source: impl Read) -> Result<History, Trouble> {
        let mut input = Input::new(source)?;
        let (pairing, torn_bytes) = match self.format.unwrap_or(Format::Jsonl) {
            Format::Jsonl => jsonl::read(&mut input)?,
        };
        finish(pairing, Torn { bytes: torn_bytes, is_cut: input.is_cut() })
    }
}

fn finish(pairing: Pairing, torn: Torn) -> Result<History, Trouble> {
    pairing.finish(torn).ok_or(Trouble::Empty)
}

/// What went wrong; the name of the file is added where it is known.
#[derive(Debug)]
pub(crate) enum Trouble {
    Io(io::Error),
    Empty,
    Line { line: usize, reason: String },
}

impl Trouble {
    fn at(self, path: &Path) -> HistoryError {
        let path = path.into();
        match self {
            Self::Io(cause) => HistoryError::Io { path, cause },
            Self::Empty => HistoryError::Empty { path },
            Self::Line { line, reason } => HistoryError::Line { path, line, reason },
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
