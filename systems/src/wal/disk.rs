//! What the log needs of a disk.

use std::fmt;
use std::path::PathBuf;

use super::WalError;

/// A folder that nobody else uses, and everything that the log does to it. Each change is one step: a crash comes between
/// two of them, or within one.
///
/// Bytes are durable after [`Disk::sync`], names after [`Disk::sync_folder`]; until then a power loss may take any part of
/// them, whatever came later. Every error is a [`WalError::Io`] that names the file.
pub trait Disk: fmt::Debug {
    /// A file that is open for writing.
    type File: fmt::Debug;

    /// Where a file is, for people.
    fn path(&self, name: &str) -> PathBuf;

    /// The names of all files, in order.
    ///
    /// # Errors
    /// The disk refuses.
    fn names(&self) -> Result<Vec<String>, WalError>;

    /// All bytes of a file.
    ///
    /// # Errors
    /// The disk refuses.
    fn read(&self, name: &str) -> Result<Vec<u8>, WalError>;

    /// Opens a file that is there.
    ///
    /// # Errors
    /// The disk refuses.
    fn open(&mut self, name: &str) -> Result<Self::File, WalError>;

    /// An empty file, whatever was there before.
    ///
    /// # Errors
    /// The disk refuses.
    fn create(&mut self, name: &str) -> Result<Self::File, WalError>;

    /// Gives the file at least this many bytes, all zeros where nothing was written yet.
    ///
    /// # Errors
    /// The disk refuses, or is full.
    fn allocate(&mut self, file: &Self::File, name: &str, bytes: u64) -> Result<(), WalError>;

    /// Gives the file exactly this many bytes.
    ///
    /// # Errors
    /// The disk refuses.
    fn truncate(&mut self, file: &Self::File, name: &str, bytes: u64) -> Result<(), WalError>;

    /// Puts bytes into the file.
    ///
    /// # Errors
    /// The disk refuses, or is full.
    fn write(&mut self, file: &Self::File, name: &str, bytes: &[u8], offset: u64) -> Result<(), WalError>;

    /// Makes the file's bytes durable.
    ///
    /// # Errors
    /// The disk refuses. Nobody knows then which of the bytes are durable, and another sync would not tell.
    fn sync(&mut self, file: &Self::File, name: &str) -> Result<(), WalError>;

    /// Gives a file another name; what had that name is gone.
    ///
    /// # Errors
    /// The disk refuses.
    fn rename(&mut self, from: &str, to: &str) -> Result<(), WalError>;

    /// Makes creations, renames and removals durable.
    ///
    /// # Errors
    /// The disk refuses.
    fn sync_folder(&mut self) -> Result<(), WalError>;

    /// Removes a file.
    ///
    /// # Errors
    /// The disk refuses.
    fn remove(&mut self, name: &str) -> Result<(), WalError>;

    /// A number that no segment had before.
    fn salt(&mut self) -> u64;
}
