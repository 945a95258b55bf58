//! The simulated folder as the log sees it.

use std::cell::{Cell, RefCell};
use std::io;
use std::path::PathBuf;
use std::rc::Rc;

use nix::errno::Errno;

use super::file::Change;
use super::folder::{Folder, Inode};
use crate::wal::{Disk, WalError};

/// The folder, in the hands of one life of a node.
#[derive(Debug)]
pub(super) struct SimFolder {
    folder: Rc<RefCell<Folder>>,
    life: u64,
}

/// An open file.
#[derive(Debug)]
pub(super) struct SimFile {
    inode: Inode,
    /// As the node sees it.
    length: Cell<u64>,
}

impl SimFolder {
    pub(super) fn new(folder: Rc<RefCell<Folder>>, life: u64) -> Self {
        Self { folder, life }
    }

    fn change(&self, file: &SimFile, change: Change) {
        self.folder.borrow_mut().change(self.life, file.inode, change);
    }

    /// Whether the file may grow to this many bytes.
    fn make_room(&self, file: &SimFile, doing: &'static str, name: &str, bytes: u64) -> Result<(), WalError> {
        if bytes > file.length.get() {
            if self.folder.borrow().faults.full {
                return Err(error(doing, name, Errno::ENOSPC));
            }
            file.length.set(bytes);
        }
        Ok(())
    }
}

fn error(doing: &'static str, name: &str, errno: Errno) -> WalError {
    WalError::Io { doing, path: PathBuf::from(name), cause: io::Error::from(errno) }
}

impl Disk for SimFolder {
    type File = SimFile;

    fn path(&self, name: &str) -> PathBuf {
        PathBuf::from(name)
    }

    fn names(&self) -> Result<Vec<String>, WalError> {
        Ok(self.folder.borrow().names().cloned().collect())
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, WalError> {
        let mut folder = self.folder.borrow_mut();
        let inode = folder.inode(name).ok_or_else(|| error("reading", name, Errno::ENOENT))?;
        Ok(folder.read(inode))
    }

    fn open(&mut self, name: &str) -> Result<SimFile, WalError> {
        let mut folder = self.folder.borrow_mut();
        let inode = folder.inode(name).ok_or_else(|| error("opening", name, Errno::ENOENT))?;
        let length = folder.read(inode).len() as u64;
        Ok(SimFile { inode, length: Cell::new(length) })
    }

    fn create(&mut self, name: &str) -> Result<SimFile, WalError> {
        let inode = self.folder.borrow_mut().create(self.life, name);
        Ok(SimFile { inode, length: Cell::new(0) })
    }

    fn allocate(&mut self, file: &SimFile, name: &str, bytes: u64) -> Result<(), WalError> {
        self.make_room(file, "allocating", name, bytes)?;
        self.change(file, Change::Allocate(bytes));
        Ok(())
    }

    fn truncate(&mut self, file: &SimFile, _name: &str, bytes: u64) -> Result<(), WalError> {
        file.length.set(bytes);
        self.change(file, Change::Truncate(bytes));
        Ok(())
    }

    fn write(&mut self, file: &SimFile, name: &str, bytes: &[u8], offset: u64) -> Result<(), WalError> {
        self.make_room(file, "writing", name, offset + bytes.len() as u64)?;
        self.change(file, Change::Write { offset, bytes: bytes.to_vec() });
        Ok(())
    }

    fn sync(&mut self, file: &SimFile, name: &str) -> Result<(), WalError> {
        let will_do = self.folder.borrow_mut().sync(self.life, file.inode);
        if will_do { Ok(()) } else { Err(error("syncing", name, Errno::EIO)) }
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), WalError> {
        let renamed = self.folder.borrow_mut().rename(self.life, from, to);
        renamed.ok_or_else(|| error("renaming", from, Errno::ENOENT))
    }

    fn sync_folder(&mut self) -> Result<(), WalError> {
        self.folder.borrow_mut().sync_folder(self.life);
        Ok(())
    }

    fn remove(&mut self, name: &str) -> Result<(), WalError> {
        let removed = self.folder.borrow_mut().remove(self.life, name);
        removed.ok_or_else(|| error("removing", name, Errno::ENOENT))
    }

    fn salt(&mut self) -> u64 {
        self.folder.borrow_mut().salt()
    }
}
