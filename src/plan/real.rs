//! A real system in a plan: all that is needed to run it again, also without the file that described it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rashomon_external::Description;
use rashomon_nemesis::FaultKind;
use rashomon_workloads::Workload;
use serde::{Deserialize, Serialize};

use super::Hosts;

/// A real system, set as it is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct RealSystem {
    /// What it is.
    pub(crate) description: Description,
    /// How the user named it: a name, or the path of a file.
    pub(crate) named: String,
    /// Every setting that its description declares, as it was chosen.
    pub(crate) settings: BTreeMap<String, String>,
    /// The programs that the user named.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) binaries: BTreeMap<String, PathBuf>,
    /// Where the servers are, where the user runs them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) hosts: Option<Hosts>,
}

impl RealSystem {
    /// The kinds of faults that mean something to it under this workload.
    pub(crate) fn faults(&self, workload: Workload, servers: u16) -> Vec<FaultKind> {
        let all = || vec![FaultKind::Partition, FaultKind::Kill, FaultKind::Pause, FaultKind::Client];
        let mut faults = self.description.faults.clone().unwrap_or_else(all);
        // Who stands still between two calls of a store holds nothing that others wait for.
        faults.retain(|kind| *kind != FaultKind::Client || Workload::LOCKS.contains(&workload));
        faults.retain(|kind| kind.fewest_nodes() <= servers);
        if let Some(hosts) = &self.hosts {
            faults.retain(|kind| hosts.commands.can(*kind).is_ok());
        }
        faults
    }

    /// The options of the command line, each with a space before it.
    pub(crate) fn options(&self) -> String {
        let mut options = String::new();
        for (name, value) in &self.settings {
            if self.description.settings.get(name).is_none_or(|setting| setting.usual != *value) {
                options.push_str(&format!(" --set {name}={value}"));
            }
        }
        options.extend(self.hosts.iter().map(Hosts::options));
        for (name, path) in &self.binaries {
            options.push_str(&format!(" --binary {name}={}", path.display()));
        }
        options
    }

    /// The settings for people.
    pub(crate) fn settings_text(&self) -> String {
        let settings = self.settings.iter().map(|(name, value)| format!("{name} {value}"));
        settings.collect::<Vec<_>>().join(", ")
    }
}
