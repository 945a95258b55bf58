//! Why programs can't be had.

use std::io;

/// What failed, and what can be done about it.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// There is no folder for what is unpacked.
    #[error("there is no folder for unpacked packages: set HOME or XDG_CACHE_HOME")]
    NoCache,
    /// A program is not here.
    #[error("`{program}` is not installed")]
    Missing {
        /// Which one.
        program: String,
    },
    /// A file that is needed beside the programs is not here.
    #[error("/{file} is not installed")]
    MissingFile {
        /// Which one.
        file: String,
    },
    /// A program that the user names is none of the system's.
    #[error("{name} is no program of this system; it has {known}")]
    NotOne {
        /// What was named.
        name: String,
        /// What there is.
        known: String,
    },
    /// A program that the user names can't be run.
    #[error("--binary {name}={path}: {problem}")]
    NotRunnable {
        /// Which one.
        name: String,
        /// Where it should be.
        path: String,
        /// Why it can't.
        problem: String,
    },
    /// A program is of another version.
    #[error("`{program}` is {seen:?}, and the version that is wanted begins with {wants}")]
    WrongVersion {
        /// Which one, and where.
        program: String,
        /// What it said.
        seen: String,
        /// How the wanted version begins.
        wants: String,
    },
    /// A program does not run.
    #[error("`{command}` failed: {problem}")]
    Failed {
        /// What was run.
        command: String,
        /// How it ended, and its last words.
        problem: String,
    },
    /// The system refused.
    #[error("can't {doing}: {source}")]
    Io {
        /// What was being done.
        doing: String,
        /// What the system said.
        source: io::Error,
    },
}

impl InstallError {
    /// Whether unpacking the packages of the system would help.
    #[must_use]
    pub fn is_mended_by_install(&self) -> bool {
        match self {
            Self::Missing { .. } | Self::MissingFile { .. } | Self::WrongVersion { .. } | Self::Failed { .. } => true,
            Self::NoCache | Self::NotOne { .. } | Self::NotRunnable { .. } | Self::Io { .. } => false,
        }
    }

    /// Says what was being done when the system refused.
    pub(super) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing: doing.into(), source }
    }
}
