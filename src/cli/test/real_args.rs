//! `rashomon test` of a real system: from its description and the command line to a plan.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;
use rashomon_external::{Description, Installer, Programs};
use rashomon_nemesis::{FaultKind, Schedule, ScheduleOptions};
use rashomon_workloads::Workload;

use super::TestArgs;
use crate::cli::Failure;
use crate::plan::{LockSettings, PLAN_VERSION, Plan, RealSystem, SNAPSHOT_ENTRIES, System, World};
use crate::swarm::Fixed;

/// Of real systems.
#[derive(Args)]
pub(super) struct RealArgs {
    /// real systems: choose a setting, such as appendfsync=no (`rashomon list systems` names them); may be repeated
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = parse_pair)]
    set: Vec<(String, String)>,
    /// real systems: take this program instead of the installed one, of whatever version; may be repeated
    #[arg(long = "binary", value_name = "NAME=PATH", value_parser = parse_pair)]
    binary: Vec<(String, String)>,
}

fn parse_pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.trim().into(), value.trim().into())),
        Some(_) | None => Err("it must look like NAME=VALUE".into()),
    }
}

impl RealArgs {
    pub(super) fn is_empty(&self) -> bool {
        self.set.is_empty() && self.binary.is_empty()
    }
}

/// The plan of a run of this system.
pub(super) fn plan(
    args: &TestArgs,
    fixed: &Fixed,
    description: &Description,
    named: &str,
    seed: u64,
) -> Result<Plan, Failure> {
    let name = &description.name;
    refuse_what_only_own_systems_have(args, name)?;
    let chosen: BTreeMap<String, String> = args.real.set.iter().cloned().collect();
    let settings = description.settings(&chosen).map_err(|error| Failure::Input(error.into()))?;
    let binaries = args.real.binary.iter().map(|(name, path)| (name.clone(), PathBuf::from(path))).collect();
    let hosts = args.host.hosts(seed)?;
    let real = RealSystem { description: description.clone(), named: named.into(), settings, binaries, hosts };

    let workload = match args.workload {
        Some(workload) => served(workload, description)?,
        None => description.workloads[0],
    };
    let servers = servers(fixed, &real)?;
    let nemesis = nemesis(args, &real, workload, servers)?;
    let lock = Workload::LOCKS.contains(&workload).then(|| lock_settings(fixed, description)).transpose()?;
    if let Some(hosts) = real.hosts.as_ref().filter(|hosts| hosts.resource.is_some() != lock.is_some()) {
        let told =
            if hosts.resource.is_some() { "guards nothing, so leave --resource out" } else { "needs --resource" };
        return Err(Failure::Input(anyhow!("on hosts of yours the workload {workload} {told}")));
    }
    let (usual_clients, usual_rate) = if lock.is_some() { System::Lock } else { System::Real }.usual_load();
    let clients = fixed.clients.unwrap_or(usual_clients);
    let time_limit_ms = fixed.time_limit_ms.unwrap_or(30_000);
    let options = ScheduleOptions { clients, ..ScheduleOptions::new(servers, nemesis.clone(), time_limit_ms) };
    let options = fixed.faults.apply(options);
    let schedule = Schedule::draw(&options, seed).map_err(|error| Failure::Input(error.into()))?;
    Ok(Plan {
        plan_version: PLAN_VERSION,
        rashomon_version: env!("CARGO_PKG_VERSION").into(),
        system: System::Real,
        workload,
        world: if real.hosts.is_some() { World::Hosts } else { World::Netns },
        nodes: servers + u16::from(lock.is_some()),
        clients,
        rate: fixed.rate.unwrap_or(usual_rate),
        time_limit_ms,
        operation_deadline_ms: fixed.operation_deadline_ms.unwrap_or(1000),
        seed,
        bug: None,
        sessions: false,
        lease_reads: false,
        lock,
        commit: None,
        real: Some(real),
        snapshot_entries: SNAPSHOT_ENTRIES,
        nemesis,
        faults: fixed.faults,
        schedule,
        script: None,
        simulation: None,
    })
}

fn refuse_what_only_own_systems_have(args: &TestArgs, name: &str) -> Result<(), Failure> {
    let given = [
        ("bug", args.bug.is_some()),
        ("sessions", args.sessions.is_some()),
        ("lease-reads", args.lease_reads.is_some()),
        ("snapshot-entries", args.snapshot_entries.is_some()),
        ("tries", args.lock.has_tries()),
        ("protocol or --isolation", !args.commit.is_empty()),
    ];
    if let Some((option, _)) = given.into_iter().find(|(_, is_given)| *is_given) {
        return Err(Failure::Input(anyhow!("--{option} is for our own systems, and {name} is a real one")));
    }
    match args.world {
        World::Hosts if args.host.is_empty() => Err(Failure::Input(anyhow!("--world hosts needs --hosts"))),
        World::Netns | World::Hosts => Ok(()),
        World::Sim => Err(Failure::Input(anyhow!("{name} is a real system, which can't be simulated"))),
    }
}

fn served(workload: Workload, description: &Description) -> Result<Workload, Failure> {
    workload.among(&description.workloads).ok_or_else(|| {
        let known = description.workloads.iter().map(|workload| workload.name()).collect::<Vec<_>>().join(", ");
        Failure::Input(anyhow!("{} can't serve the workload {workload}; it serves {known}", description.name))
    })
}

/// Servers of the system: as many as asked for, or as there are hosts.
fn servers(fixed: &Fixed, real: &RealSystem) -> Result<u16, Failure> {
    let RealSystem { description, hosts, .. } = real;
    let Description { name, fewest_nodes: fewest, .. } = description;
    let refused = |problem: String| Err(Failure::Input(anyhow!(problem)));
    match (hosts, fixed.nodes) {
        (Some(hosts), Some(nodes)) if usize::from(nodes) != hosts.addresses.len() => {
            refused(format!("--nodes is {nodes}, and --hosts names {}", hosts.addresses.len()))
        }
        (Some(hosts), _) => match u16::try_from(hosts.addresses.len()) {
            Ok(servers @ 1..=9) => Ok(servers),
            Ok(_) | Err(_) => refused(format!("--hosts names {}: give 1 to 9", hosts.addresses.len())),
        },
        (None, Some(nodes)) if nodes < *fewest => {
            refused(format!("--nodes is {nodes}: {name} needs at least {fewest}"))
        }
        (None, nodes) => Ok(nodes.unwrap_or(description.nodes)),
    }
}

/// What was asked for, or of the usual faults those that mean something to the system.
fn nemesis(args: &TestArgs, real: &RealSystem, workload: Workload, servers: u16) -> Result<Vec<FaultKind>, Failure> {
    let possible = real.faults(workload, servers);
    let usual = [FaultKind::Partition, FaultKind::Kill, FaultKind::Pause];
    let Some(names) = args.nemesis.as_deref() else {
        return Ok(possible.into_iter().filter(|kind| usual.contains(kind)).collect());
    };
    if names.trim() == "all" {
        return Ok(possible);
    }
    let asked = super::parse_nemesis(names, World::Netns)?;
    match asked.iter().find(|kind| !possible.contains(kind)) {
        Some(kind) if let Some(Err(missing)) = real.hosts.as_ref().map(|hosts| hosts.commands.can(*kind)) => {
            Err(Failure::Input(anyhow!("--nemesis: on hosts of yours the fault {kind} needs {missing}")))
        }
        Some(kind) => {
            let known = possible.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let name = &real.description.name;
            Err(Failure::Input(anyhow!(
                "--nemesis: the fault {kind} means nothing to {name} with the workload {workload} and {servers} nodes; what \
                 can be done are {known}"
            )))
        }
        None => Ok(asked),
    }
}

fn lock_settings(fixed: &Fixed, description: &Description) -> Result<LockSettings, Failure> {
    let has_tokens = description.fencing_tokens;
    if fixed.lock.fencing == Some(true) && !has_tokens {
        let name = &description.name;
        return Err(Failure::Input(anyhow!("--fencing: the locks of {name} come without fencing tokens")));
    }
    let usual = LockSettings { fencing: has_tokens, ..fixed.lock.or_usual() };
    Ok(LockSettings { fencing: fixed.lock.fencing.unwrap_or(usual.fencing), ..usual })
}

/// Where the programs of the plan's system are, where it is a real one.
pub(crate) fn programs(plan: &Plan) -> Result<Option<Programs>, Failure> {
    let Some(real) = &plan.real else { return Ok(None) };
    let name = &real.description.name;
    let found = Installer::new().and_then(|installer| installer.find(&real.description.install, &real.binaries));
    found.map(Some).map_err(|error| {
        let install = if error.is_mended_by_install() {
            format!("; get it with: rashomon install {}", real.named)
        } else {
            String::new()
        };
        Failure::Internal(anyhow!("{name} can't be started: {error}{install}"))
    })
}
