//! Rules of one node, loaded in one transaction.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use nix::sys::memfd::{MFdFlags, memfd_create};

use super::NetNamespace;

/// All rules are in a chain of their own, so that those of a system under test are left alone.
const CHAIN: &str = "RASHOMON";

/// The programs of iptables on this machine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Iptables {
    /// `iptables-restore`.
    pub restore: PathBuf,
    /// `iptables-save`, of the same backend.
    pub save: PathBuf,
}

/// Why rules could not be loaded or read.
#[derive(Debug, thiserror::Error)]
pub enum IptablesError {
    /// The program can't be run.
    #[error("can't run {}: {source}", program.display())]
    Run {
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The program was not content.
    #[error("{}: {status}: {}", program.display(), stderr.trim())]
    Failed {
        /// The program.
        program: PathBuf,
        /// How it ended.
        status: std::process::ExitStatus,
        /// What it said.
        stderr: String,
    },
}

/// How many packets of a sender were dropped so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Counter {
    /// Whose packets.
    pub sender: Ipv4Addr,
    /// How many, since the rule was loaded.
    pub packets: u64,
}

/// The input of `iptables-restore --noflush` after which a node drops the packets of exactly these senders: naming a chain
/// of one's own empties it, and all lines to COMMIT are one transaction. `hook` is for the first time.
#[must_use]
pub fn render_rules(senders: &[Ipv4Addr], hook: bool) -> String {
    let mut rules = format!("*filter\n:{CHAIN} - [0:0]\n");
    if hook {
        let _ = writeln!(rules, "-I INPUT -j {CHAIN}");
    }
    for sender in senders {
        let _ = writeln!(rules, "-A {CHAIN} -s {sender}/32 -j DROP");
    }
    rules.push_str("COMMIT\n");
    rules
}

/// Reads the rules of our chain from the output of `iptables-save -c`.
fn parse_counters(saved: &str) -> Vec<Counter> {
    let rule = format!("-A {CHAIN} ");
    saved
        .lines()
        .filter_map(|line| {
            let (counts, rest) = line.strip_prefix('[')?.split_once("] ")?;
            let sender = rest.strip_prefix(&rule)?.strip_prefix("-s ")?.split(['/', ' ']).next()?;
            Some(Counter { sender: sender.parse().ok()?, packets: counts.split(':').next()?.parse().ok()? })
        })
        .collect()
}

impl Iptables {
    /// Starts to load rules in a namespace, to be finished with [`Loading::finish`]: several nodes can load at once.
    pub(crate) fn load(&self, namespace: &NetNamespace, rules: &str) -> Result<Loading, IptablesError> {
        let run = |source| IptablesError::Run { program: self.restore.clone(), source };
        let mut command = self.command(&self.restore, namespace).map_err(run)?;
        let mut child = command.command.args(["--noflush", "--wait", "5"]).spawn().map_err(run)?;
        // A few lines fit into the pipe: the write can't block.
        let written = child.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(rules.as_bytes()));
        let loading = Loading { child, program: self.restore.clone(), _lock: command.lock };
        match written {
            Ok(()) => Ok(loading),
            Err(source) => Err(loading.finish().err().unwrap_or(run(source))),
        }
    }

    /// Makes our chain in a namespace. Once for each.
    ///
    /// # Errors
    /// [`IptablesError`] where iptables does not work here.
    pub fn hook(&self, namespace: &NetNamespace) -> Result<(), IptablesError> {
        self.load(namespace, &render_rules(&[], true))?.finish()
    }

    /// What was dropped so far in a namespace, a counter a rule.
    ///
    /// # Errors
    /// [`IptablesError`] where the rules can't be read.
    pub fn counters(&self, namespace: &NetNamespace) -> Result<Vec<Counter>, IptablesError> {
        let run = |source| IptablesError::Run { program: self.save.clone(), source };
        let mut command = self.command(&self.save, namespace).map_err(run)?;
        let output = command.command.args(["-c", "-t", "filter"]).output().map_err(run)?;
        check(&self.save, &output)?;
        Ok(parse_counters(&String::from_utf8_lossy(&output.stdout)))
    }

    fn command(&self, program: &Path, namespace: &NetNamespace) -> io::Result<IptablesCommand> {
        // The legacy programs insist on a lock file, whose usual place an ordinary user can't write to. They get one that has
        // no place at all; nobody else is in this namespace.
        let lock = memfd_create("xtables.lock", MFdFlags::MFD_CLOEXEC)?;
        let mut command = Command::new(program);
        command.env("XTABLES_LOCKFILE", format!("/proc/{}/fd/{}", std::process::id(), lock.as_raw_fd()));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Ctrl-C is for the controller: it must not break what heals.
        command.process_group(0);
        namespace.enter_with(&mut command);
        Ok(IptablesCommand { command, lock })
    }
}

struct IptablesCommand {
    command: Command,
    /// Must live as long as the program runs.
    lock: OwnedFd,
}

/// Rules on their way into the kernel.
pub(crate) struct Loading {
    child: Child,
    program: PathBuf,
    _lock: OwnedFd,
}

impl Loading {
    pub(crate) fn finish(self) -> Result<(), IptablesError> {
        let Self { child, program, _lock } = self;
        match child.wait_with_output() {
            Ok(output) => check(&program, &output),
            Err(source) => Err(IptablesError::Run { program, source }),
        }
    }
}

fn check(program: &Path, output: &Output) -> Result<(), IptablesError> {
    if output.status.success() {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(IptablesError::Failed { program: program.into(), status: output.status, stderr })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_one_transaction_on_an_own_chain() {
        let rules = render_rules(&[Ipv4Addr::new(10, 77, 0, 11), Ipv4Addr::new(10, 77, 0, 12)], false);
        let expected = "*filter\n:RASHOMON - [0:0]\n-A RASHOMON -s 10.77.0.11/32 -j DROP\n\
                        -A RASHOMON -s 10.77.0.12/32 -j DROP\nCOMMIT\n";
        assert_eq!(rules, expected);
        assert_eq!(render_rules(&[], true), "*filter\n:RASHOMON - [0:0]\n-I INPUT -j RASHOMON\nCOMMIT\n");
    }

    #[test]
    fn counters_are_read_from_what_iptables_save_prints() {
        let saved = "# Generated by iptables-save v1.8.9 (nf_tables) on Sat Nov 21 11:00:00 2026\n*filter\n\
                     :INPUT ACCEPT [7:420]\n:RASHOMON - [0:0]\n[12:900] -A INPUT -j RASHOMON\n\
                     [5:300] -A RASHOMON -s 10.77.0.11/32 -j DROP\n[0:0] -A RASHOMON -s 10.77.0.12/32 -j DROP\nCOMMIT\n";
        let expected = [
            Counter { sender: Ipv4Addr::new(10, 77, 0, 11), packets: 5 },
            Counter { sender: Ipv4Addr::new(10, 77, 0, 12), packets: 0 },
        ];
        assert_eq!(parse_counters(saved), expected);
    }
}
