//! How servers of a real system are started on the hosts of a sandbox, as its description says.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rashomon_external::Programs;
use rashomon_external::template::{Command, Place, SetupCommand, Template};
use rashomon_nemesis::Node;

use crate::plan::{Plan, RealSystem};
use crate::world::netns::{NodeCommand, Sandbox, last_lines};

/// How often a command is looked at while it runs.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// The servers of a real system.
pub(super) struct RealServers<'a> {
    plan: &'a Plan,
    real: &'a RealSystem,
    programs: &'a Programs,
    places: Vec<Place>,
}

impl<'a> RealServers<'a> {
    pub(super) fn new(plan: &'a Plan, real: &'a RealSystem, programs: &'a Programs, sandbox: &Sandbox) -> Result<Self> {
        let place = |node: Node| {
            let data = sandbox.data_folder(node)?;
            Ok(Place { number: node.0, name: node.to_string(), ip: Sandbox::address(node).into(), data })
        };
        let places = Node::all(plan.servers()).map(place).collect::<Result<_>>()?;
        Ok(Self { plan, real, programs, places })
    }

    /// Where clients reach the node.
    pub(super) fn client_address(&self, node: Node) -> SocketAddr {
        (Sandbox::address(node), self.real.description.port).into()
    }

    /// Whether the node is one of the system's.
    pub(super) fn has(&self, node: Node) -> bool {
        node.0 <= self.plan.servers()
    }

    /// Writes the files of the node, and answers with what starts it.
    pub(super) fn prepare(&self, node: Node) -> Result<NodeCommand> {
        let place = self.place(node);
        let template = self.template(place);
        for (path, content) in template.files()? {
            let path = place.data.join(path);
            let folder = path.parent().unwrap_or(&place.data);
            fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
            fs::write(&path, content).with_context(|| format!("writing {}", path.display()))?;
        }
        let commands = template.commands()?;
        let environment = self.programs.environment();
        match commands.as_slice() {
            [single] => Ok(self.node_command(single, &place.data)),
            several => {
                let file = place.data.with_file_name("processes.json");
                let resolved: Vec<Command> = several.iter().map(|command| self.resolved(command)).collect();
                let text = serde_json::to_vec_pretty(&resolved).context("writing down the processes of a node")?;
                fs::write(&file, text).with_context(|| format!("writing {}", file.display()))?;
                Ok(NodeCommand {
                    program: "/proc/self/exe".into(),
                    args: vec!["node".into(), "processes".into(), file.into()],
                    env: environment,
                    folder: Some(place.data.clone()),
                })
            }
        }
    }

    /// Runs the commands that join the nodes to a cluster, one after the other; what they say is left beside the logs of
    /// their nodes.
    pub(super) fn set_up(&self, sandbox: &Sandbox) -> Result<()> {
        for number in 0..self.real.description.setup.len() {
            for place in &self.places {
                if let Some(setup) = self.template(place).setup()?.swap_remove(number) {
                    self.run_setup(&setup, place, sandbox)?;
                }
            }
        }
        Ok(())
    }

    fn run_setup(&self, setup: &SetupCommand, place: &Place, sandbox: &Sandbox) -> Result<()> {
        let command = self.node_command(&setup.command, &place.data);
        let log = place.data.with_file_name("setup.log");
        let mut child = sandbox
            .spawn_beside(Node(place.number), &command, &log)
            .with_context(|| format!("starting `{command}` on {}", place.name))?;
        let began = Instant::now();
        let status: Option<ExitStatus> = loop {
            let status = child.try_wait().with_context(|| format!("waiting for `{command}`"))?;
            if status.is_some() || began.elapsed() > setup.within {
                break status;
            }
            std::thread::sleep(LOOK_EVERY);
        };
        let how = match status {
            Some(status) if status.success() => return Ok(()),
            Some(status) => status.to_string(),
            None => {
                // It may have ended just now; then there is nobody to kill.
                let _ = child.kill();
                let _ = child.wait();
                format!("not done after {} s", setup.within.as_secs())
            }
        };
        let end: String = last_lines(&log).iter().map(|line| format!("\n  | {line}")).collect();
        bail!("`{command}` on {} failed: {how}; the end of {}:{end}", place.name, log.display())
    }

    fn node_command(&self, command: &Command, data: &Path) -> NodeCommand {
        let (program, args) = command.words.split_first().map_or(("", &[][..]), |(program, args)| (program, args));
        let mut env = self.programs.environment();
        env.extend(command.environment.iter().map(|(name, value)| (name.into(), value.into())));
        let args = args.iter().map(Into::into).collect();
        NodeCommand { program: self.programs.path(program), args, env, folder: Some(data.into()) }
    }

    /// The same command with the whole path of its program.
    fn resolved(&self, command: &Command) -> Command {
        let mut words = command.words.clone();
        if let Some(program) = words.first_mut() {
            *program = self.programs.path(program).to_string_lossy().into_owned();
        }
        Command { words, ..command.clone() }
    }

    fn place(&self, node: Node) -> &Place {
        &self.places[usize::from(node.0) - 1]
    }

    fn template(&self, place: &Place) -> Template<'_> {
        let RealSystem { description, settings, .. } = self.real;
        Template::new(description, settings, &self.places, place, self.programs.root())
    }
}
