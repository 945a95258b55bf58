//! The programs of the system that the sandbox needs.

use std::env;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rashomon_nemesis::linux::Iptables;

use super::SandboxError;

/// Where they are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Tools {
    pub(crate) ip: PathBuf,
    pub(crate) iptables: Iptables,
}

impl Tools {
    pub(crate) fn find() -> Result<Self, SandboxError> {
        let ip = find("ip")?;
        Ok(Self { ip, iptables: Iptables { restore: find("iptables-restore")?, save: find("iptables-save")? } })
    }
}

fn find(program: &'static str) -> Result<PathBuf, SandboxError> {
    find_in(&env::var_os("PATH").unwrap_or_default(), program).ok_or(SandboxError::MissingProgram { program })
}

/// Looks along `path`, and then where the programs of root are: ordinary users often don't have those in their PATH.
fn find_in(path: &std::ffi::OsStr, program: &str) -> Option<PathBuf> {
    let of_root = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    env::split_paths(path).chain(of_root).map(|folder| folder.join(program)).find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_without_sbin_is_enough() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("probe-of-tools");
        std::fs::write(&program, "").unwrap();
        assert_eq!(find_in(folder.path().as_os_str(), "probe-of-tools"), None, "it is not executable");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(find_in(folder.path().as_os_str(), "probe-of-tools"), Some(program));
        if Path::new("/usr/sbin/ip").exists() {
            assert_eq!(find_in("/nowhere".as_ref(), "ip"), Some("/usr/sbin/ip".into()));
        }
    }

    #[test]
    fn a_missing_program_names_the_command_that_mends_it() {
        let error = find("no-such-program-anywhere").unwrap_err();
        assert!(error.mend().unwrap().contains("apt-get install -y iptables iproute2"));
        assert!(error.to_string().contains("`no-such-program-anywhere` is not installed; mend it with: "));
    }
}
