//! The disk that is one.

use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{FallocateFlags, Flock, FlockArg, fallocate};

use super::{Disk, WalError};

/// A folder of the file system, locked so that no other process uses it.
#[derive(Debug)]
pub struct FolderDisk {
    folder: PathBuf,
    handle: File,
    _lock: Flock<File>,
    /// Changes that are still carried out before all fail.
    #[cfg(test)]
    pub(super) steps_left: Option<u32>,
}

impl FolderDisk {
    /// Creates the folder where it is missing, and locks it.
    ///
    /// # Errors
    /// [`WalError::Locked`] where another process uses it; [`WalError::Io`] where the system refuses.
    pub fn open(folder: &Path) -> Result<Self, WalError> {
        let error = |doing| move |cause| WalError::Io { doing, path: folder.into(), cause };
        fs::create_dir_all(folder).map_err(error("creating"))?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(folder.join("LOCK"));
        let lock = lock.map_err(error("locking"))?;
        let lock = Flock::lock(lock, FlockArg::LockExclusiveNonblock).map_err(|(_, errno)| match errno {
            Errno::EWOULDBLOCK => WalError::Locked { path: folder.into() },
            other => error("locking")(other.into()),
        })?;
        let handle = File::open(folder).map_err(error("opening"))?;
        if let Some(parent) = folder.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            File::open(parent).and_then(|parent| parent.sync_all()).map_err(error("syncing the parent of"))?;
        }
        Ok(Self {
            folder: folder.into(),
            handle,
            _lock: lock,
            #[cfg(test)]
            steps_left: None,
        })
    }

    fn error(&self, doing: &'static str, name: &str) -> impl FnOnce(io::Error) -> WalError + use<> {
        let path = self.path(name);
        move |cause| WalError::Io { doing, path, cause }
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "tests stop here")]
    fn step(&mut self, _doing: &'static str, _name: &str) -> Result<(), WalError> {
        Ok(())
    }

    #[cfg(test)]
    fn step(&mut self, doing: &'static str, name: &str) -> Result<(), WalError> {
        if let Some(left) = &mut self.steps_left {
            let Some(fewer) = left.checked_sub(1) else {
                return Err(self.error(doing, name)(io::Error::other("the test stops here")));
            };
            *left = fewer;
        }
        Ok(())
    }
}

impl Disk for FolderDisk {
    type File = File;

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn names(&self) -> Result<Vec<String>, WalError> {
        let error = |cause| WalError::Io { doing: "listing", path: self.folder.clone(), cause };
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(error)? {
            names.extend(entry.map_err(error)?.file_name().into_string());
        }
        names.sort();
        Ok(names)
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, WalError> {
        fs::read(self.path(name)).map_err(self.error("reading", name))
    }

    fn open(&mut self, name: &str) -> Result<File, WalError> {
        OpenOptions::new().read(true).write(true).open(self.path(name)).map_err(self.error("opening", name))
    }

    fn create(&mut self, name: &str) -> Result<File, WalError> {
        self.step("creating", name)?;
        let file = OpenOptions::new().create(true).truncate(true).read(true).write(true).open(self.path(name));
        file.map_err(self.error("creating", name))
    }

    fn allocate(&mut self, file: &File, name: &str, bytes: u64) -> Result<(), WalError> {
        self.step("allocating", name)?;
        let length = i64::try_from(bytes).map_err(|_| io::Error::from(Errno::EFBIG));
        let result = length.and_then(|length| match fallocate(file, FallocateFlags::empty(), 0, length) {
            Err(Errno::EOPNOTSUPP) => file.set_len(bytes),
            other => other.map_err(io::Error::from),
        });
        result.map_err(self.error("allocating", name))
    }

    fn truncate(&mut self, file: &File, name: &str, bytes: u64) -> Result<(), WalError> {
        self.step("truncating", name)?;
        file.set_len(bytes).map_err(self.error("truncating", name))
    }

    fn write(&mut self, file: &File, name: &str, bytes: &[u8], offset: u64) -> Result<(), WalError> {
        self.step("writing", name)?;
        file.write_all_at(bytes, offset).map_err(self.error("writing", name))
    }

    fn sync(&mut self, file: &File, name: &str) -> Result<(), WalError> {
        self.step("syncing", name)?;
        file.sync_data().map_err(self.error("syncing", name))
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), WalError> {
        self.step("renaming", from)?;
        fs::rename(self.path(from), self.path(to)).map_err(self.error("renaming", from))
    }

    fn sync_folder(&mut self) -> Result<(), WalError> {
        self.step("syncing", "")?;
        self.handle.sync_all().map_err(self.error("syncing", ""))
    }

    fn remove(&mut self, name: &str) -> Result<(), WalError> {
        self.step("removing", name)?;
        fs::remove_file(self.path(name)).map_err(self.error("removing", name))
    }

    fn salt(&mut self) -> u64 {
        // The standard library seeds this from the system's randomness.
        RandomState::new().build_hasher().finish()
    }
}
