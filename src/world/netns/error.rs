//! What can keep a sandbox from being built, and the command that mends it.

use std::io;
use std::path::PathBuf;

use nix::errno::Errno;
use rashomon_nemesis::Node;
use rashomon_nemesis::linux::{IptablesError, SignalError};

/// Why something can't be done in the sandbox.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SandboxError {
    #[error("`{program}` is not installed; mend it with: {}", self.mend().unwrap_or_default())]
    MissingProgram { program: &'static str },
    #[error("this user can't make namespaces ({errno}); {}", explain_namespaces())]
    NoNamespaces { errno: Errno },
    #[error("the sandbox must be entered before there is a second thread; there are {threads}")]
    ManyThreads { threads: usize },
    #[error("a sandbox has 1 to {most} nodes, not {nodes}")]
    NodeCount { nodes: u16, most: u16 },
    #[error("can't {doing}: {source}")]
    Io { doing: String, source: io::Error },
    #[error("can't {doing}: {stderr}")]
    Program { doing: String, stderr: String },
    #[error("iptables does not work here: {source}")]
    Iptables { source: IptablesError },
    #[error("{node} is no node of this sandbox")]
    UnknownNode { node: Node },
    #[error("{node} was never launched")]
    NotLaunched { node: Node },
    #[error("{node} is running already")]
    Running { node: Node },
    #[error("{node} is not running: {status}; see {}", log.display())]
    NotRunning { node: Node, status: String, log: PathBuf },
    #[error("{node}: {source}")]
    Signal { node: Node, source: SignalError },
    #[error("{node} is still there {deadline_ms} ms after SIGKILL")]
    NotDead { node: Node, deadline_ms: u128 },
}

impl SandboxError {
    /// Says what was being done when the system refused.
    pub(crate) fn io<E: Into<io::Error>>(doing: impl Into<String>) -> impl FnOnce(E) -> Self {
        move |source| Self::Io { doing: doing.into(), source: source.into() }
    }

    /// The one command that mends it, where there is one.
    pub(crate) fn mend(&self) -> Option<&'static str> {
        match self {
            Self::MissingProgram { .. } if nix::unistd::geteuid().is_root() => {
                Some("apt-get install -y iptables iproute2")
            }
            Self::MissingProgram { .. } => Some("sudo apt-get install -y iptables iproute2"),
            Self::NoNamespaces { .. } => namespace_mend().map(|(_, mend)| mend),
            Self::Program { .. } => Some("sudo modprobe -a bridge veth"),
            Self::Iptables { .. } => Some("sudo modprobe -a nf_tables nft_compat ip_tables iptable_filter"),
            Self::ManyThreads { .. }
            | Self::NodeCount { .. }
            | Self::Io { .. }
            | Self::UnknownNode { .. }
            | Self::NotLaunched { .. }
            | Self::Running { .. }
            | Self::NotRunning { .. }
            | Self::Signal { .. }
            | Self::NotDead { .. } => None,
        }
    }
}

/// The switches that take user namespaces away: where, the value that does so, what it is, what mends it.
const SWITCHES: [(&str, &str, &str, &str); 3] = [
    (
        "/proc/sys/user/max_user_namespaces",
        "0",
        "user.max_user_namespaces is 0",
        "sudo sysctl -w user.max_user_namespaces=10000",
    ),
    (
        "/proc/sys/kernel/unprivileged_userns_clone",
        "0",
        "kernel.unprivileged_userns_clone is 0",
        "sudo sysctl -w kernel.unprivileged_userns_clone=1",
    ),
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "AppArmor restricts user namespaces",
        "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
    ),
];

fn namespace_mend() -> Option<(&'static str, &'static str)> {
    SWITCHES.into_iter().find_map(|(path, bad, reason, mend)| {
        let value = std::fs::read_to_string(path).ok()?;
        (value.trim() == bad).then_some((reason, mend))
    })
}

fn explain_namespaces() -> String {
    match namespace_mend() {
        Some((reason, mend)) => format!("{reason}; mend it with: {mend}"),
        None => "run it as root, or in a container that is allowed to (docker run --privileged)".into(),
    }
}
