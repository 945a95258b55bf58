//! The plan of a simulated run: what the command line does not fix is drawn from the seed.

use rashomon_draw::Draw;
use rashomon_nemesis::{FaultKind, Schedule, ScheduleError, ScheduleOptions};
use rashomon_systems::raft::Bug;
use rashomon_workloads::Workload;

use crate::plan::{PLAN_VERSION, Plan, Simulation, System, World};

/// What the command line fixes; the rest is drawn.
#[derive(Clone, Debug)]
pub(crate) struct Fixed {
    pub(crate) system: System,
    pub(crate) bug: Option<Bug>,
    pub(crate) workload: Option<Workload>,
    pub(crate) nemesis: Option<Vec<FaultKind>>,
    pub(crate) nodes: Option<u16>,
    pub(crate) clients: Option<u16>,
    pub(crate) rate: Option<u32>,
    pub(crate) time_limit_ms: Option<u64>,
    pub(crate) operation_deadline_ms: Option<u64>,
    pub(crate) sessions: Option<bool>,
    pub(crate) lease_reads: Option<bool>,
    pub(crate) snapshot_entries: Option<u64>,
}

impl Fixed {
    /// The command that draws the plan of this seed again.
    pub(crate) fn command(&self, seed: u64) -> String {
        let mut command = format!("rashomon test {} --world sim", self.system);
        let mut option = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                command.push_str(&format!(" --{name} {value}"));
            }
        };
        let names = |kinds: &Vec<FaultKind>| match kinds.as_slice() {
            [] => "none".to_owned(),
            kinds => kinds.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
        };
        option("workload", self.workload.map(|workload| workload.to_string()));
        option("nemesis", self.nemesis.as_ref().map(names));
        option("nodes", self.nodes.map(|nodes| nodes.to_string()));
        option("clients", self.clients.map(|clients| clients.to_string()));
        option("rate", self.rate.map(|rate| rate.to_string()));
        option("time-limit", self.time_limit_ms.map(|ms| format!("{ms}ms")));
        option("operation-deadline", self.operation_deadline_ms.map(|ms| format!("{ms}ms")));
        option("sessions", self.sessions.map(|on| on.to_string()));
        option("lease-reads", self.lease_reads.map(|on| on.to_string()));
        option("snapshot-entries", self.snapshot_entries.map(|entries| entries.to_string()));
        option("bug", self.bug.map(|bug| bug.to_string()));
        option("seed", Some(seed.to_string()));
        command
    }
}

/// Draws the plan of a seed. The same seed and the same fixed values give the same plan; what is fixed moves nothing else.
///
/// # Errors
/// What is fixed makes no sense.
pub(crate) fn draw(fixed: &Fixed, seed: u64) -> Result<Plan, ScheduleError> {
    let mut draw = Draw::stream(seed, "swarm");
    let nodes = fixed.nodes.unwrap_or(draw.pick(&[3, 3, 3, 5, 5, 4]));
    let time_limit_ms = fixed.time_limit_ms.unwrap_or(draw.between(2_000, 8_000));
    let nemesis = fixed.nemesis.clone().unwrap_or(vec![FaultKind::Partition, FaultKind::Kill, FaultKind::Pause]);
    let schedule = Schedule::draw(&ScheduleOptions::new(nodes, nemesis.clone(), time_limit_ms), seed)?;
    Ok(Plan {
        plan_version: PLAN_VERSION,
        rashomon_version: env!("CARGO_PKG_VERSION").into(),
        system: fixed.system,
        workload: fixed.workload.unwrap_or(draw.pick(&Workload::ALL)),
        world: World::Sim,
        nodes,
        clients: fixed.clients.unwrap_or(draw.pick(&[4, 6, 10])),
        rate: fixed.rate.unwrap_or(draw.pick(&[100, 200, 400])),
        time_limit_ms,
        operation_deadline_ms: fixed.operation_deadline_ms.unwrap_or(1_000),
        seed,
        bug: fixed.bug,
        sessions: fixed.sessions.unwrap_or(draw.chance(50)),
        lease_reads: fixed.lease_reads.unwrap_or(draw.chance(30)),
        snapshot_entries: fixed.snapshot_entries.unwrap_or(draw.pick(&[10, 50, 200, 1000])),
        nemesis,
        schedule,
        simulation: Some(Simulation { command: fixed.command(seed), ..Simulation::default() }),
    })
}
