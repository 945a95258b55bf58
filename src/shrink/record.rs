//! From what a run recorded to a script that asks the same.

use anyhow::{Context, Result};
use rashomon_history::Operation;
use rashomon_systems::server::NodeId;

use crate::plan::Plan;
use crate::script::{FinalRead, Script, ScriptedClient, ScriptedOperation};
use crate::shrink::search::Search;
use crate::swarm::look;
use crate::world::sim::Simulated;

/// The plan with every operation that its run recorded, one by one, in the place of the generator's.
///
/// # Errors
/// An operation of nobody, or more clients than a script can hold: a mistake of ours.
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
            None => final_reads(plan, simulated),
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
    let patience = plan.patience(plan.role_of(number.into()));
    ScriptedClient {
        home: plan.home_of(number.into()).0,
        patience_ms: u64::try_from(patience.as_millis()).unwrap_or(plan.operation_deadline_ms),
    }
}

fn scripted(operation: &Operation, simulated: &Simulated) -> Result<ScriptedOperation> {
    let place = usize::try_from(operation.process.0).ok();
    let client = place.and_then(|place| simulated.processes.get(place)).copied();
    let client = client.and_then(|client| u16::try_from(client).ok()).context("finding whose an operation is")?;
    let at_us = (operation.invoked.0 / 1000).saturating_sub(simulated.clients_began.0);
    Ok(ScriptedOperation { client, at_us, call: operation.call.clone() })
}

/// What each node is asked at the end, also where the run ended before.
fn final_reads(plan: &Plan, simulated: &Simulated) -> Vec<FinalRead> {
    let at =
        |home: NodeId| simulated.final_reads.iter().map(move |call| FinalRead { node: home.0, call: call.clone() });
    plan.homes().into_iter().flat_map(at).collect()
}
