//! From what a run recorded to a script that asks the same.

use anyhow::{Context, Result};
use rashomon_history::{Call, Operation};
use rashomon_workloads::Role;

use crate::plan::Plan;
use crate::script::{FinalRead, Script, ScriptedCall, ScriptedClient, ScriptedOperation};
use crate::shrink::search::Search;
use crate::swarm::look;
use crate::world::sim::Simulated;

/// The plan with every operation that its run recorded, one by one, in the place of the generator's.
///
/// # Errors
/// A script can't hold one of the operations.
pub(super) fn script_of(plan: &Plan, simulated: &Simulated) -> Result<Plan> {
    let operations = simulated.recording.history().operations();
    let asked = operations.iter().filter(|operation| !operation.is_final);
    let script = Script {
        clients: match &plan.script {
            Some(script) => script.clients.clone(),
            None => (0..plan.clients).map(|number| client(plan, number)).collect(),
        },
        operations: asked.map(|operation| scripted(operation, simulated)).collect::<Result<_>>()?,
        final_reads: match &plan.script {
            Some(script) => script.final_reads.clone(),
            None => final_reads(plan, operations),
        },
    };
    let clients = u16::try_from(script.clients.len()).context("counting the clients of a script")?;
    Ok(Plan { clients, script: Some(script), ..plan.clone() })
}

/// Writes down when each operation was really made, where its client was busy before: then it does not move when one before
/// it is left out. What was never asked goes.
pub(super) fn times_as_they_were(plan: &mut Plan, search: &Search<'_>) {
    let recorded = look(plan).and_then(|looked| script_of(plan, &looked.simulated));
    if let Ok(recorded) = recorded
        && recorded != *plan
        && let Some(found) = search.any_seed(&recorded)
    {
        *plan = found;
    }
}

/// As the client of that number is when its calls are drawn.
fn client(plan: &Plan, number: u16) -> ScriptedClient {
    let role = Role::of(number.into(), plan.clients.into(), plan.nodes.into());
    ScriptedClient {
        home: number % plan.nodes + 1,
        patience_ms: u64::try_from(plan.patience(role).as_millis()).unwrap_or(plan.operation_deadline_ms),
    }
}

fn scripted(operation: &Operation, simulated: &Simulated) -> Result<ScriptedOperation> {
    let place = usize::try_from(operation.process.0).ok();
    let client = place.and_then(|place| simulated.processes.get(place)).copied();
    let client = client.and_then(|client| u16::try_from(client).ok()).context("finding whose an operation is")?;
    let at_us = (operation.invoked.0 / 1000).saturating_sub(simulated.clients_began.0);
    Ok(ScriptedOperation { client, at_us, call: ScriptedCall::try_from(&operation.call)? })
}

/// What each node is asked at the end. Where the run ended before, what was asked so far, of each node.
fn final_reads(plan: &Plan, operations: &[Operation]) -> Vec<FinalRead> {
    let mut keys: Vec<_> = operations.iter().filter_map(|operation| operation.call.key()).collect();
    keys.sort_unstable();
    keys.dedup();
    let is_seen = operations.iter().any(|operation| operation.is_final);
    let reads = keys.into_iter().flat_map(|key| (1..=plan.nodes).map(move |node| FinalRead { node, key: key.clone() }));
    let reads = reads.filter(|read| {
        !is_seen
            || operations
                .iter()
                .any(|operation| operation.is_final && operation.call == Call::Read { key: read.key.clone() })
    });
    let mut reads: Vec<_> = reads.collect();
    reads.sort_by_key(|read| read.node);
    reads
}
