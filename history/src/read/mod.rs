//! Reads histories of all formats, and refuses those that can't be true.

mod detect;
mod edn;
mod etcd;
mod form;
mod input;
mod jepsen;
mod jepsen_nemesis;
mod jepsen_words;
mod jsonl;
mod op;
mod operations;
mod ops;
mod packing;
mod pairing;
#[cfg(test)]
mod tests;
mod tuples;

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::str::FromStr;

use crate::history::Torn;
use crate::read::detect::detect;
use crate::read::input::Input;
use crate::read::op::Syntax;
use crate::{History, HistoryError};

/// How a history is written down. `docs/HISTORY.md` describes each.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Format {
    /// JSON lines, an event a line, as the recorder of this crate writes them.
    Jsonl,
    /// Jepsen's operations in EDN, one after the other or all in one vector.
    Edn,
    /// Jepsen's operations in JSON, one after the other or all in one array.
    JepsenJson,
    /// JSON lines, an operation a line: `{"client":..,"input":..,"output":..,"call":..,"return":..}`.
    Operations,
    /// Porcupine's logs of etcd: `INFO  jepsen.util - 0 :invoke :read nil`. A `:fail` of a compare-and-set was an answer.
    PorcupineEtcd,
    /// Porcupine's key-value histories: `{:process 9, :type :invoke, :f :append, :key "0", :value "x"}`.
    PorcupineKv,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Jsonl, Self::Edn, Self::JepsenJson, Self::Operations, Self::PorcupineEtcd, Self::PorcupineKv];

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Edn => "edn",
            Self::JepsenJson => "jepsen-json",
            Self::Operations => "operations",
            Self::PorcupineEtcd => "porcupine-etcd",
            Self::PorcupineKv => "porcupine-kv",
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
    /// Whether values of Jepsen's operations are `[key value]`.
    pub keys: IndependentKeys,
}

/// Whether the values of Jepsen's operations are `[key value]`, as its independent keys have them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum IndependentKeys {
    /// If those of all invocations at the begin of the file are, `[key nil]` of reads among them.
    #[default]
    Auto,
    /// They are.
    Always,
    /// They are not, unless they are tagged as tuples.
    Never,
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
        input.fill_to(SAMPLE_BYTES)?;
        if input.window().starts_with(UTF8_MARK) {
            input.consume(UTF8_MARK.len());
        }
        let format = match self.format {
            Some(format) => format,
            None => detect(input.window()).map_err(|reason| Trouble::File { reason })?,
        };
        let (pairing, bytes) = match format {
            Format::Jsonl => jsonl::read(&mut input)?,
            Format::Edn => ops::read(&mut input, Syntax::Edn, self.keys)?,
            Format::JepsenJson => ops::read(&mut input, Syntax::Json, self.keys)?,
            Format::PorcupineKv => ops::read(&mut input, Syntax::Edn, IndependentKeys::Never)?,
            Format::PorcupineEtcd => etcd::read(&mut input)?,
            Format::Operations => operations::read(&mut input)?,
        };
        if input.is_cut() && format != Format::Jsonl {
            let reason =
                "the packed file is cut off: copy it anew; only of our own JSON lines the beginning is a history";
            return Err(Trouble::File { reason: reason.into() });
        }
        pairing.finish(Torn { bytes, is_cut: input.is_cut() }).ok_or(Trouble::Empty)
    }
}

/// How much of a file is looked at to find out what it is.
const SAMPLE_BYTES: usize = 128 << 10;

/// What some editors put before UTF-8.
const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";

/// What went wrong; the name of the file is added where it is known.
#[derive(Debug)]
pub(crate) enum Trouble {
    Io(io::Error),
    Empty,
    File { reason: String },
    Line { line: usize, reason: String },
}

impl Trouble {
    fn at(self, path: &Path) -> HistoryError {
        let path = path.into();
        match self {
            Self::Io(cause) => HistoryError::Io { path, cause },
            Self::Empty => HistoryError::Empty { path },
            Self::File { reason } => HistoryError::File { path, reason },
            Self::Line { line, reason } => HistoryError::Line { path, line, reason },
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
