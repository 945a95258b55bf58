//! Programs that were found, and what a process needs to run them.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::InstallError;
use crate::description::{Install, Version};

/// The programs of a system, as they are here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Programs {
    /// Where the packages are: `/` for those of the machine.
    root: PathBuf,
    paths: BTreeMap<String, PathBuf>,
    version: String,
}

/// Where programs are in a Debian package, the usual first.
const FOLDERS: [&str; 6] = ["usr/local/bin", "usr/bin", "bin", "usr/local/sbin", "usr/sbin", "sbin"];
/// Programs may lie deeper than that: `usr/lib/jvm/java-17-openjdk-amd64/bin`.
const DEEPEST: usize = 6;

impl Programs {
    /// Where the packages are: `/` for those of the machine.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a program is; the name itself where it is none of the system's.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.paths.get(name).cloned().unwrap_or_else(|| name.into())
    }

    /// What the program said when it was asked for its version; empty where nobody says how to ask.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The environment variables of every process of the system: where programs and libraries are.
    #[must_use]
    pub fn environment(&self) -> Vec<(OsString, OsString)> {
        let mut folders: Vec<PathBuf> =
            self.paths.values().filter_map(|path| Some(path.parent()?.to_owned())).collect();
        if !self.is_of_machine() {
            folders.extend(FOLDERS.map(|folder| self.root.join(folder)));
        }
        let mut environment = vec![("PATH".into(), joined(folders, "PATH"))];
        if !self.is_of_machine() {
            environment.push(("LD_LIBRARY_PATH".into(), joined(library_folders(&self.root), "LD_LIBRARY_PATH")));
        }
        environment
    }

    fn is_of_machine(&self) -> bool {
        self.root == Path::new("/")
    }

    /// Looks for programs and files in this root, and for programs on the machine, too.
    pub(super) fn seek(install: &Install, own: &BTreeMap<String, PathBuf>, root: &Path) -> Result<Self, InstallError> {
        let mut paths = BTreeMap::new();
        for name in &install.binaries {
            let found = match own.get(name) {
                Some(path) => Some(runnable(name, path)?),
                None => seek_program(name, root),
            };
            let path = found.ok_or_else(|| InstallError::Missing { program: name.clone() })?;
            paths.insert(name.clone(), path);
        }
        if let Some(file) = install.files.iter().find(|file| !root.join(file).exists()) {
            return Err(InstallError::MissingFile { file: file.clone() });
        }
        Ok(Self { root: root.into(), paths, version: String::new() })
    }

    /// Asks for the version. Whoever names a program wants just that one, of whatever version.
    pub(super) fn checked(mut self, install: &Install, own: &BTreeMap<String, PathBuf>) -> Result<Self, InstallError> {
        let Some(Version { command, wants }) = &install.version else { return Ok(self) };
        let Some((program, arguments)) = command.split_first() else { return Ok(self) };
        let path = self.path(program);
        let mut asking = Command::new(&path);
        asking.args(arguments).envs(self.environment()).stdin(Stdio::null());
        let said = super::fetch::said(&mut asking)?;
        if !own.contains_key(program) && !says_version(&said, wants) {
            let (program, wants) = (path.display().to_string(), wants.clone());
            return Err(InstallError::WrongVersion { program, seen: first_line(&said), wants });
        }
        self.version = first_line(&said);
        Ok(self)
    }
}

impl fmt::Display for Programs {
    /// For people: version and place.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = if self.version.is_empty() { "of an unknown version" } else { &self.version };
        match self.is_of_machine() {
            true => write!(f, "{version}, as installed on this machine"),
            false => write!(f, "{version}, unpacked in {}", self.root.display()),
        }
    }
}

fn runnable(name: &str, path: &Path) -> Result<PathBuf, InstallError> {
    let problem =
        |problem: String| InstallError::NotRunnable { name: name.into(), path: path.display().to_string(), problem };
    // Nodes run in folders of their own.
    let absolute = std::path::absolute(path).map_err(|error| problem(error.to_string()))?;
    let meta = absolute.metadata().map_err(|error| problem(error.to_string()))?;
    if is_program(&meta) { Ok(absolute) } else { Err(problem("it is not executable".into())) }
}

fn is_program(meta: &fs::Metadata) -> bool {
    meta.is_file() && meta.permissions().mode() & 0o111 != 0
}

fn seek_program(name: &str, root: &Path) -> Option<PathBuf> {
    let is_here = |path: &PathBuf| path.metadata().is_ok_and(|meta| is_program(&meta));
    if root != Path::new("/") {
        let usual = FOLDERS.iter().map(|folder| root.join(folder).join(name)).find(is_here);
        if let Some(found) = usual.or_else(|| seek_below(name, root, DEEPEST)) {
            return Some(found);
        }
    }
    let path = env::var_os("PATH").unwrap_or_default();
    // Ordinary users often don't have the folders of the administrator in their PATH.
    let machine = env::split_paths(&path).chain(FOLDERS.map(|folder| Path::new("/").join(folder)));
    machine.map(|folder| folder.join(name)).find(is_here)
}

/// The first program of this name, in the order of the names of folders.
fn seek_below(name: &str, folder: &Path, deep: usize) -> Option<PathBuf> {
    let mut entries: Vec<_> = fs::read_dir(folder).ok()?.flatten().collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    let here = entries.iter().find(|entry| entry.file_name() == name).map(fs::DirEntry::path);
    if let Some(found) = here.filter(|path| path.metadata().is_ok_and(|meta| is_program(&meta))) {
        return Some(found);
    }
    if deep == 0 {
        return None;
    }
    let folders = entries.iter().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.map(fs::DirEntry::path).find_map(|path| seek_below(name, &path, deep - 1))
}

/// `usr/lib`, and those for one architecture below it.
fn library_folders(root: &Path) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for base in ["usr/lib", "lib"].map(|base| root.join(base)) {
        let below = fs::read_dir(&base).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut triplets: Vec<PathBuf> =
            below.filter(|path| path.to_string_lossy().contains("-linux-gnu") && path.is_dir()).collect();
        triplets.sort();
        folders.extend(triplets);
        folders.push(base);
    }
    folders
}

/// These folders, and after them those that the variable names already.
fn joined(mut folders: Vec<PathBuf>, variable: &str) -> OsString {
    folders.extend(env::var_os(variable).iter().flat_map(env::split_paths));
    let mut known = BTreeSet::new();
    folders.retain(|folder| known.insert(folder.clone()));
    // A folder with a colon in its name can't be named there; then programs are found by their whole path alone.
    env::join_paths(&folders).unwrap_or_default()
}

/// Whether a version that begins so is named: `7.` is in `v=7.0.15`, and not in `17.0`.
fn says_version(said: &str, wants: &str) -> bool {
    said.match_indices(wants)
        .any(|(at, _)| !said[..at].chars().next_back().is_some_and(|before| before.is_ascii_digit() || before == '.'))
}

fn first_line(said: &str) -> String {
    said.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_begins_at_its_beginning() {
        let said = "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64";
        assert!(says_version(said, "7.") && says_version(said, "7.0.15"));
        assert!(!says_version(said, "0.15") && !says_version(said, "6."));
        assert!(says_version("etcd Version: 3.4.23\nGit SHA: Not provided", "3.4."));
        assert!(!says_version("openjdk version \"17.0.15\"", "7."));
    }
}
