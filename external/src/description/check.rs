//! What a description must be for a run to be possible.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use super::Description;
use crate::template::{Place, Template};

/// Nodes that a sandbox is given.
pub(super) const MOST_NODES: u16 = 9;

impl Description {
    /// Says what is wrong, in a sentence.
    pub(super) fn check(&self) -> Result<(), String> {
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
        if !self.name.starts_with(|c: char| c.is_ascii_lowercase()) || !self.name.chars().all(is_name) {
            return Err(format!(
                "name is {:?}: it has to be of lower-case letters, digits, dashes and dots",
                self.name
            ));
        }
        if self.workloads.is_empty() {
            return Err("workloads is empty: name at least one that it can serve".into());
        }
        if !(1..=MOST_NODES).contains(&self.nodes) || self.fewest_nodes == 0 || self.fewest_nodes > self.nodes {
            return Err(format!(
                "nodes is {} and fewest_nodes is {}: they have to be 1 to {MOST_NODES}, the fewest no more than the usual",
                self.nodes, self.fewest_nodes
            ));
        }
        if self.processes.is_empty() {
            return Err("there is no [[process]]: nothing would run".into());
        }
        self.check_install()?;
        for (name, setting) in &self.settings {
            if !setting.allows(&setting.usual) {
                let values = setting.values.join(", ");
                return Err(format!("setting {name} is usually {:?}, which is not one of {values}", setting.usual));
            }
        }
        for file in &self.files {
            if !Path::new(&file.path).components().all(|part| matches!(part, Component::Normal(_))) {
                return Err(format!("file {:?} is not in the data folder", file.path));
            }
        }
        self.try_templates()
    }

    fn check_install(&self) -> Result<(), String> {
        let install = &self.install;
        if install.debian.is_empty() == install.pypi.is_none() {
            return Err("install has to name either debian packages or one pypi package".into());
        }
        let is_bare = |name: &String| !name.is_empty() && !name.starts_with('-') && !name.contains(['/', ' ']);
        let packages = install.debian.iter().chain(&install.pypi).chain(&install.binaries);
        if let Some(odd) = packages.into_iter().find(|name| !is_bare(name)) {
            return Err(format!("install names {odd:?}, which is no name of a package or of a program"));
        }
        let asked = install.version.as_ref().map(|version| version.command.first());
        if asked.is_some_and(|program| !program.is_some_and(|program| install.binaries.contains(program))) {
            return Err("install.version.command has to begin with one of install.binaries".into());
        }
        Ok(())
    }

    /// Fills in all templates once, so that a mistake is told before a run.
    fn try_templates(&self) -> Result<(), String> {
        let settings = self.settings(&BTreeMap::new()).map_err(|error| error.to_string())?;
        let places = Place::examples(self.nodes);
        for place in &places {
            let template = Template::new(self, &settings, &places, place, Path::new("/"));
            template.files().and(template.commands()).and(template.setup()).map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}
