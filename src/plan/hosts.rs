//! Hosts that the user runs, in a plan: where their servers are reached, and how they are broken.

use std::fmt;

use rashomon_nemesis::FaultKind;
use serde::{Deserialize, Serialize};

/// Hosts that the user runs.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Hosts {
    /// Where clients reach the servers: n1, n2, ... in this order, each as `host:port`.
    pub(crate) addresses: Vec<String>,
    /// Where the store is that locks guard, for the workloads of locks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) resource: Option<String>,
    /// What breaks them.
    #[serde(default)]
    pub(crate) commands: HostCommands,
    /// What stands after every key of the run: some clients tell by its beginning what a key holds.
    pub(crate) key_suffix: String,
}

/// What a shell runs to break a host and to mend it again, each with the host in its environment.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct HostCommands {
    /// Kills the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) kill: Option<String>,
    /// Starts it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) start: Option<String>,
    /// Lets it stand still.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pause: Option<String>,
    /// Lets it go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resume: Option<String>,
    /// Lets the host drop the packets of those that are named, and of nobody else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) partition: Option<String>,
}

impl HostCommands {
    /// Whether there is what a fault of this kind needs; else the options that are missing.
    pub(crate) fn can(&self, kind: FaultKind) -> Result<(), &'static str> {
        let given = |both: bool, options| if both { Ok(()) } else { Err(options) };
        match kind {
            FaultKind::Kill => given(self.kill.is_some() && self.start.is_some(), "--kill-command and --start-command"),
            FaultKind::Pause => {
                given(self.pause.is_some() && self.resume.is_some(), "--pause-command and --resume-command")
            }
            FaultKind::Partition => given(self.partition.is_some(), "--partition-command"),
            FaultKind::Client => Ok(()),
            FaultKind::Power | FaultKind::Packet | FaultKind::Disk | FaultKind::Clock | FaultKind::Membership => {
                Err("another world than your hosts")
            }
        }
    }

    fn named(&self) -> [(&'static str, &Option<String>); 5] {
        [
            ("kill", &self.kill),
            ("start", &self.start),
            ("pause", &self.pause),
            ("resume", &self.resume),
            ("partition", &self.partition),
        ]
    }
}

impl Hosts {
    /// The options of the command line, each with a space before it.
    pub(crate) fn options(&self) -> String {
        let mut options = format!(" --hosts {}", self.addresses.join(","));
        if let Some(resource) = &self.resource {
            options.push_str(&format!(" --resource {resource}"));
        }
        for (name, command) in self.commands.named() {
            if let Some(command) = command {
                options.push_str(&format!(" --{name}-command {}", super::quote(command)));
            }
        }
        options
    }
}

impl fmt::Display for Hosts {
    /// For people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.addresses.join(", "))?;
        self.resource.iter().try_for_each(|resource| write!(f, "; locks guard {resource}"))?;
        write!(f, "; every key ends with {}", self.key_suffix)
    }
}
