//! Plans that were saved: read back, with a clear word about whatever can't be carried out here.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use rashomon_nemesis::FaultKind;
use rashomon_systems::planted::PlantedBug;
use rashomon_systems::server::NodeId;
use rashomon_workloads::Workload;
use serde_json::Value;

use crate::plan::{PLAN_VERSION, Plan, System, World};
use crate::script::Script;
use crate::world::sim::check_settings;

/// A plan, and where it was found.
#[derive(Clone, Debug)]
pub(crate) struct PlanFile {
    pub(crate) plan: Plan,
    path: PathBuf,
}

impl PlanFile {
    /// Reads the plan of a run: of its folder, or the file itself.
    ///
    /// # Errors
    /// One sentence that says what is wrong: no plan there, a format or a name that this binary does not know, numbers that
    /// can't work.
    pub(crate) fn read(run: &Path) -> Result<Self> {
        let path = if run.is_dir() { run.join("plan.json") } else { run.to_owned() };
        if run.is_dir() && !path.exists() {
            bail!("{} holds no plan.json; name the folder of a run, or a plan", run.display());
        }
        let text = fs::read_to_string(&path).with_context(|| format!("reading the plan {}", path.display()))?;
        // `latest` will be another run when this one is replayed.
        let path = path.canonicalize().with_context(|| format!("finding {}", path.display()))?;
        let plan = parse(&text).with_context(|| format!("the plan {} can't be carried out", path.display()))?;
        Ok(Self { plan, path })
    }

    /// The history of the run that left the plan, where it is still beside it.
    pub(crate) fn history(&self) -> Option<PathBuf> {
        Some(self.path.with_file_name("history.jsonl")).filter(|path| path.is_file())
    }

    /// The version of Rashomon that drew the plan, where that is another than this one.
    pub(crate) fn other_version(&self) -> Option<&str> {
        Some(self.plan.rashomon_version.as_str()).filter(|version| *version != env!("CARGO_PKG_VERSION"))
    }
}

fn parse(text: &str) -> Result<Plan> {
    let value: Value = serde_json::from_str(text).context("it is not JSON")?;
    check_version(&value)?;
    check_names(&value)?;
    let plan: Plan = serde_json::from_str(text).context("it is no whole plan")?;
    check_numbers(&plan)?;
    check_faults(&plan)?;
    Ok(plan)
}

fn check_version(plan: &Value) -> Result<()> {
    let version = plan.get("plan_version").and_then(Value::as_u64).context("it has no plan_version")?;
    let writer = plan.get("rashomon_version").and_then(Value::as_str).unwrap_or("?");
    ensure!(
        (1..=u64::from(PLAN_VERSION)).contains(&version),
        "it has plan_version {version}, and rashomon {} reads up to {PLAN_VERSION}; rashomon {writer} drew it",
        env!("CARGO_PKG_VERSION")
    );
    Ok(())
}

/// Names are looked at before the rest, so that an unknown one is answered with the known ones.
fn check_names(plan: &Value) -> Result<()> {
    let name = |field: &str| plan.get(field).and_then(Value::as_str);
    let known = |field: &str, parse: &dyn Fn(&str) -> Result<(), String>| match name(field) {
        Some(name) => parse(name).map_err(|problem| anyhow!(problem)),
        None => Ok(()),
    };
    known("system", &|name| name.parse::<System>().map(drop))?;
    known("world", &|name| name.parse::<World>().map(drop))?;
    known("workload", &|name| name.parse::<Workload>().map(drop).map_err(|error| error.to_string()))?;
    known("bug", &|name| name.parse::<PlantedBug>().map(drop).map_err(|error| error.to_string()))?;
    let kinds = plan.get("nemesis").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let entries = plan.get("schedule").and_then(Value::as_array).into_iter().flatten();
    let faults = entries.filter_map(|entry| entry.get("fault")?.as_object()).flat_map(|fault| fault.keys());
    for kind in kinds.chain(faults.map(String::as_str)) {
        kind.parse::<FaultKind>()?;
    }
    Ok(())
}

fn check_numbers(plan: &Plan) -> Result<()> {
    check_real(plan)?;
    ensure!((1..=9).contains(&plan.servers()), "it has {} nodes, not 1 to 9", plan.servers());
    let fewest = plan.fewest_nodes();
    ensure!(
        plan.nodes >= fewest,
        "it has {} nodes, and {} needs at least {fewest} here",
        plan.nodes,
        plan.system_name()
    );
    match &plan.script {
        Some(script) => check_script(plan, script)?,
        None => ensure!((1..=1000).contains(&plan.clients), "it has {} clients, not 1 to 1000", plan.clients),
    }
    ensure!(plan.operation_deadline_ms > 0, "its operations have no time: operation_deadline_ms is 0");
    ensure!(plan.snapshot_entries > 0, "it snapshots without end: snapshot_entries is 0");
    if plan.world == World::Sim {
        check_settings(plan).context("its servers can't be set like that")?;
    }
    ensure!(plan.system.workloads().contains(&plan.workload), "{} can't serve {}", plan.system, plan.workload);
    Ok(())
}

/// A real system is described, has a node for itself and one for what its locks guard, and runs for real.
fn check_real(plan: &Plan) -> Result<()> {
    let Some(real) = &plan.real else {
        ensure!(plan.system != System::Real, "it does not say which real system it is: real is missing");
        ensure!(plan.world != World::Hosts, "only real systems are tested on hosts of yours");
        return Ok(());
    };
    let name = &real.description.name;
    ensure!(plan.system == System::Real, "its system is {}, and it describes {name}", plan.system);
    ensure!(plan.world != World::Sim, "{name} is a real system, which can't be simulated");
    let is_guarded = Workload::LOCKS.contains(&plan.workload);
    ensure!(plan.lock.is_some() == is_guarded, "{} has leases if and only if it is of locks", plan.workload);
    ensure!(plan.nodes > u16::from(is_guarded), "it has no node for {name}");
    ensure!((plan.world == World::Hosts) == real.hosts.is_some(), "hosts of yours and their addresses belong together");
    if let Some(hosts) = &real.hosts {
        let addresses = hosts.addresses.len() + usize::from(hosts.resource.is_some());
        ensure!(addresses == usize::from(plan.nodes), "it has {} nodes and {addresses} addresses", plan.nodes);
        ensure!(hosts.resource.is_some() == is_guarded, "a store to guard and locks that guard it belong together");
    }
    real.description.verify()?;
    real.description.settings(&real.settings)?;
    ensure!(real.description.workloads.contains(&plan.workload), "{name} can't serve {}", plan.workload);
    Ok(())
}

/// A script may do without clients: some failures need none.
fn check_script(plan: &Plan, script: &Script) -> Result<()> {
    ensure!(plan.world == World::Sim, "world {} can't follow a script", plan.world);
    let homes = plan.homes();
    let is_home = |number: u16| homes.contains(&NodeId(number));
    let count = homes.len();
    for (number, client) in script.clients.iter().enumerate() {
        let home = client.home;
        ensure!(is_home(home), "client {number} stays with n{home}, and clients can stay with {count} nodes");
    }
    for operation in &script.operations {
        let (client, clients) = (operation.client, script.clients.len());
        ensure!(usize::from(client) < clients, "client {client} asks something, and there are {clients} clients");
    }
    for read in &script.final_reads {
        ensure!(is_home(read.node), "n{} is read from at the end, and {count} nodes can be read from", read.node);
    }
    Ok(())
}

fn check_faults(plan: &Plan) -> Result<()> {
    let place = plan.world.place();
    for (number, entry) in plan.schedule.entries.iter().enumerate() {
        let kind = entry.fault.kind();
        ensure!(kind.works_in(place), "fault {number} is of the kind {kind}, which world {} can't do", plan.world);
        if let Some(node) =
            entry.fault.resolve(None, plan.nodes).touched().into_iter().find(|node| node.0 == 0 || node.0 > plan.nodes)
        {
            bail!("fault {number} is done to {node}, and there are {} nodes", plan.nodes);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
