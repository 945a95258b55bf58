//! Files and command lines of servers, filled in.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use minijinja::{Environment, UndefinedBehavior, Value, context};
use serde::Serialize;

use crate::description::Description;

/// A node as its servers know it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Place {
    /// From 1.
    pub number: u16,
    /// n1, n2, ...
    pub name: String,
    /// Its address.
    pub ip: IpAddr,
    /// Its data folder.
    pub data: PathBuf,
}

/// A command, ready to be run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, serde::Deserialize)]
pub struct Command {
    /// Program and arguments.
    pub words: Vec<String>,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
}

/// A command that joins nodes to a cluster, and how long it may take.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SetupCommand {
    /// What is run.
    pub command: Command,
    /// How long it may take.
    pub within: Duration,
}

/// What the templates of one node are filled in with.
#[derive(Debug)]
pub struct Template<'a> {
    description: &'a Description,
    node: u16,
    values: Value,
}

/// A template that can't be filled in.
#[derive(Debug, thiserror::Error)]
#[error("in {place}: {problem}")]
pub struct TemplateError {
    place: String,
    problem: String,
}

impl Place {
    /// Nodes that look like those of a run.
    #[must_use]
    pub fn examples(nodes: u16) -> Vec<Self> {
        let place = |number: u16| Self {
            number,
            name: format!("n{number}"),
            ip: [10, 0, 0, number.to_be_bytes()[1]].into(),
            data: format!("/nodes/n{number}/data").into(),
        };
        (1..=nodes).map(place).collect()
    }
}

impl<'a> Template<'a> {
    /// The templates of `place`, one of `places`. `root` is where the packages were unpacked.
    #[must_use]
    pub fn new(
        description: &'a Description,
        settings: &BTreeMap<String, String>,
        places: &[Place],
        place: &Place,
        root: &Path,
    ) -> Self {
        let root = root.to_string_lossy();
        let values = context! {
            node => place.number,
            name => place.name,
            ip => place.ip,
            data => place.data,
            port => description.port,
            nodes => places,
            settings => settings,
            // `/` and a folder are written in front of `/usr` alike.
            root => root.trim_end_matches('/'),
        };
        Self { description, node: place.number, values }
    }

    /// The files of the node: where in its data folder, and what.
    ///
    /// # Errors
    /// What is wrong with which template.
    pub fn files(&self) -> Result<Vec<(&'a str, String)>, TemplateError> {
        let mut files = Vec::new();
        for file in &self.description.files {
            let place = format!("file {:?}", file.path);
            if self.is_on(&place, file.on.as_deref(), true)? {
                files.push((file.path.as_str(), self.fill(&place, &file.content)?));
            }
        }
        Ok(files)
    }

    /// What runs on the node.
    ///
    /// # Errors
    /// What is wrong with which template, or that nothing runs there.
    pub fn commands(&self) -> Result<Vec<Command>, TemplateError> {
        let mut commands = Vec::new();
        for (number, process) in self.description.processes.iter().enumerate() {
            let place = format!("process {}", number + 1);
            if self.is_on(&place, process.on.as_deref(), true)? {
                let fill = |(name, value): (&String, &String)| Ok((name.clone(), self.fill(&place, value)?));
                let environment = process.environment.iter().map(fill).collect::<Result<_, TemplateError>>()?;
                commands.push(Command { words: self.words(&place, &process.command)?, environment });
            }
        }
        if commands.is_empty() {
            return Err(TemplateError { place: format!("n{}", self.node), problem: "no process runs there".into() });
        }
        Ok(commands)
    }

    /// What is run on the node when all nodes answer: of every setup of the description, where it is run there.
    ///
    /// # Errors
    /// What is wrong with which template.
    pub fn setup(&self) -> Result<Vec<Option<SetupCommand>>, TemplateError> {
        let fill = |(number, setup): (usize, &crate::description::Setup)| {
            let place = format!("setup {}", number + 1);
            if !self.is_on(&place, setup.on.as_deref(), self.node == 1)? {
                return Ok(None);
            }
            let command = Command { words: self.words(&place, &setup.command)?, environment: BTreeMap::new() };
            Ok(Some(SetupCommand { command, within: Duration::from_secs(setup.within_s) }))
        };
        self.description.setup.iter().enumerate().map(fill).collect()
    }

    fn words(&self, place: &str, templates: &[String]) -> Result<Vec<String>, TemplateError> {
        let mut words = Vec::new();
        for template in templates {
            words.push(self.fill(place, template)?);
        }
        words.retain(|word| !word.is_empty());
        if words.is_empty() {
            return Err(TemplateError { place: place.into(), problem: "its command is empty".into() });
        }
        Ok(words)
    }

    fn is_on(&self, place: &str, condition: Option<&str>, usual: bool) -> Result<bool, TemplateError> {
        let Some(condition) = condition else { return Ok(usual) };
        match self.fill(place, condition)?.trim() {
            "true" | "True" => Ok(true),
            "false" | "False" => Ok(false),
            other => Err(TemplateError {
                place: place.into(),
                problem: format!("`on` has to come out as true or false, not as {other:?}"),
            }),
        }
    }

    fn fill(&self, place: &str, template: &str) -> Result<String, TemplateError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_keep_trailing_newline(true);
        environment.set_trim_blocks(true);
        environment.render_str(template, &self.values).map_err(|error| TemplateError {
            place: place.into(),
            problem: format!("{error}; there are node, name, ip, data, port, nodes, settings and root"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn description(more: &str) -> Result<Description, crate::description::DescriptionError> {
        let text = format!(
            "name = \"x\"\nabout = \"x\"\nprotocol = \"redis\"\nworkloads = [\"register\"]\nnodes = 3\nport = 6379\n\
             [install]\ndebian = [\"x\"]\nbinaries = [\"x\"]\n\
             [settings]\nmode = {{ usual = \"a\", values = [\"a\", \"b\"], about = \"\" }}\n{more}"
        );
        Description::parse(&text, "x.toml")
    }

    fn problem(more: &str) -> String {
        description(more).unwrap_err().to_string()
    }

    #[test]
    fn every_node_gets_its_own_files_and_commands() {
        let description = description(
            r#"
            [[file]]
            path = "x.conf"
            content = "{% for node in nodes %}{{ node.name }}={{ node.ip }}:{{ port }} {% endfor %}{{ settings.mode }}\n"
            [[process]]
            command = ["x", "{{ data }}/x.conf", "{% if node == 2 %}--first{% endif %}"]
            environment = { ROOT = "{{ root }}/usr" }
            [[process]]
            command = ["y", "{{ ip }}"]
            on = "{{ node > 1 }}"
            [[setup]]
            command = ["join", "{{ nodes | map(attribute='ip') | join(',') }}"]
            "#,
        )
        .unwrap();
        let places = Place::examples(3);
        let settings = BTreeMap::from([("mode".to_owned(), "b".to_owned())]);
        let template =
            |node: usize| Template::new(&description, &settings, &places, &places[node - 1], Path::new("/r"));
        let files = template(1).files().unwrap();
        assert_eq!(files, [("x.conf", "n1=10.0.0.1:6379 n2=10.0.0.2:6379 n3=10.0.0.3:6379 b\n".to_owned())]);
        let words = |node| template(node).commands().unwrap().into_iter().map(|command| command.words.join(" "));
        assert_eq!(words(1).collect::<Vec<_>>(), ["x /nodes/n1/data/x.conf"]);
        assert_eq!(words(2).collect::<Vec<_>>(), ["x /nodes/n2/data/x.conf --first", "y 10.0.0.2"]);
        assert_eq!(template(1).commands().unwrap()[0].environment["ROOT"], "/r/usr");
        let setup = template(1).setup().unwrap().remove(0).unwrap();
        assert_eq!(setup.command.words, ["join", "10.0.0.1,10.0.0.2,10.0.0.3"]);
        assert_eq!(template(2).setup().unwrap(), [None]);
    }

    #[test]
    fn a_mistake_is_told_before_a_run() {
        let unknown = problem("[[process]]\ncommand = [\"x\", \"{{ hosts }}\"]");
        assert!(unknown.contains("process 1") && unknown.contains("there are node, name, ip"), "{unknown}");
        let setting = problem("[[process]]\ncommand = [\"x\", \"{{ settings.moode }}\"]");
        assert!(setting.contains("undefined"), "{setting}");
        let condition = problem("[[process]]\ncommand = [\"x\"]\non = \"{{ node }}\"");
        assert!(condition.contains("true or false"), "{condition}");
        let nothing = problem("[[process]]\ncommand = [\"x\"]\non = \"{{ node < 3 }}\"");
        assert!(nothing.contains("n3: no process runs there"), "{nothing}");
        let syntax = problem("[[process]]\ncommand = [\"x\", \"{{ node\"]");
        assert!(syntax.contains("syntax error"), "{syntax}");
    }
}
