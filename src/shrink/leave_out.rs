//! Leaves out operations, clients, faults and nodes.

use std::collections::BTreeSet;

use rashomon_history::Key;
use rashomon_nemesis::{Clients, Fault, FaultKind, Node, Schedule, ScheduledFault};

use crate::plan::Plan;
use crate::script::{FinalRead, Script, ScriptedClient, ScriptedOperation};
use crate::shrink::calls::{self, only_about, with_steps};
use crate::shrink::ddmin::{FirstFailing, ddmin};
use crate::shrink::search::Search;

/// Long enough for a cluster to come to itself.
const SETTLE_MS: u64 = 1_500;

/// How long a client waits that does what two did: as long as before, or shorter.
const PATIENCES_MS: [Option<u64>; 4] = [None, Some(300), Some(100), Some(20)];

/// Where there are more operations, not every two of them are tried.
const MOST_FOR_PAIRS: usize = 40;

/// Shrinks a list that is part of a plan.
struct Part<'a, 'b, F> {
    search: &'a Search<'b>,
    /// The plan with just these items.
    with: F,
    /// The last plan that failed.
    plan: &'a mut Plan,
}

impl<T, F: Fn(&Plan, Vec<T>) -> Plan + Sync> FirstFailing<T> for Part<'_, '_, F> {
    fn first(&mut self, count: usize, candidate: &(dyn Fn(usize) -> Vec<T> + Sync)) -> Option<usize> {
        let Self { search, with, plan } = self;
        let (number, found) = search.first(count, &|number| with(plan, candidate(number)))?;
        **plan = found;
        Some(number)
    }
}

/// Shrinks a list that is part of a plan; `with` puts one in its place.
fn part<T: Clone + Sync>(
    plan: &mut Plan,
    search: &Search<'_>,
    items: Vec<T>,
    with: impl Fn(&Plan, Vec<T>) -> Plan + Sync,
) {
    ddmin(items, &mut Part { search, with, plan });
}

fn scripted(plan: &Plan, change: impl FnOnce(&mut Script)) -> Plan {
    let mut plan = plan.clone();
    let script = plan.script.get_or_insert_default();
    change(script);
    plan.clients = u16::try_from(script.clients.len()).unwrap_or(u16::MAX);
    plan
}

fn script(plan: &Plan) -> Script {
    plan.script.clone().unwrap_or_default()
}

/// Cuts the end off: half of the time, a quarter, and so on.
pub(super) fn what_comes_after(plan: &mut Plan, search: &Search<'_>) {
    let mut cut_ms = plan.time_limit_ms / 2;
    while cut_ms >= 20 {
        let until_ms = plan.time_limit_ms.saturating_sub(cut_ms).max(1);
        match search.any_seed(&until(plan, until_ms)) {
            Some(shorter) => *plan = shorter,
            None => cut_ms /= 2,
        }
        cut_ms = cut_ms.min(plan.time_limit_ms / 2);
    }
}

/// The plan without what begins after `until_ms`.
fn until(plan: &Plan, until_ms: u64) -> Plan {
    let mut plan = scripted(plan, |script| script.operations.retain(|operation| operation.at_us < until_ms * 1000));
    plan.schedule.entries.retain(|fault| fault.at_ms < until_ms);
    plan.time_limit_ms = until_ms;
    plan
}

/// Leaves out all that is about a key.
pub(super) fn keys(plan: &mut Plan, search: &Search<'_>) {
    let original = script(plan);
    let asked = original.operations.iter().map(|operation| &operation.call);
    let calls = asked.chain(original.final_reads.iter().map(|read| &read.call));
    let all: BTreeSet<Key> = calls.flat_map(calls::keys).cloned().collect();
    part(plan, search, all.into_iter().collect(), |plan, keys| {
        let kept = keys.into_iter().collect();
        scripted(plan, |script| {
            let asked = original.operations.iter();
            script.operations = asked
                .filter_map(|asked| Some(ScriptedOperation { call: only_about(&kept, &asked.call)?, ..asked.clone() }))
                .collect();
            let reads = original.final_reads.iter();
            script.final_reads = reads
                .filter_map(|read| Some(FinalRead { call: only_about(&kept, &read.call)?, ..read.clone() }))
                .collect();
        })
    });
}

/// Leaves out steps of transactions.
pub(super) fn steps(plan: &mut Plan, search: &Search<'_>) {
    let original = script(plan).operations;
    let steps_of =
        |(place, asked): (usize, &ScriptedOperation)| (0..calls::steps(&asked.call)).map(move |step| (place, step));
    let steps: Vec<(usize, usize)> = original.iter().enumerate().flat_map(steps_of).collect();
    part(plan, search, steps, |plan, kept| {
        let kept: BTreeSet<(usize, usize)> = kept.into_iter().collect();
        let with = |(place, asked): (usize, &ScriptedOperation)| {
            let call = with_steps(&asked.call, |step| kept.contains(&(place, step)))?;
            Some(ScriptedOperation { call, ..asked.clone() })
        };
        scripted(plan, |script| script.operations = original.iter().enumerate().filter_map(with).collect())
    });
}

/// Leaves out final reads.
pub(super) fn final_reads(plan: &mut Plan, search: &Search<'_>) {
    let reads = script(plan).final_reads;
    part(plan, search, reads, |plan, reads| scripted(plan, |script| script.final_reads = reads));
}

/// Lets one of the clients make the final reads, at the end of its own operations, in the place of readers.
pub(super) fn readers(plan: &mut Plan, search: &Search<'_>) {
    let Script { clients, final_reads, .. } = script(plan);
    if final_reads.is_empty() {
        return;
    }
    let by_client = |client: usize| {
        let begin_us = (plan.time_limit_ms + SETTLE_MS) * 1000;
        let reads = (begin_us..).zip(&final_reads).map(|(at_us, read)| ScriptedOperation {
            client: u16::try_from(client).unwrap_or(0),
            at_us,
            call: read.call.clone(),
        });
        let mut changed = scripted(plan, |script| {
            script.operations.extend(reads);
            script.final_reads.clear();
        });
        changed.time_limit_ms += 2 * SETTLE_MS;
        changed
    };
    if let Some((_, found)) = search.first(clients.len(), &by_client) {
        *plan = found;
    }
}

/// The plan with other clients. `number` tells the new number of each; what one without a number asks is gone, and so are
/// the faults that it alone is the target of.
fn with_clients(plan: &Plan, clients: Vec<ScriptedClient>, number: impl Fn(u16) -> Option<u16>) -> Plan {
    let mut plan = scripted(plan, |script| {
        script.clients = clients;
        let renumbered =
            |asked: &ScriptedOperation| Some(ScriptedOperation { client: number(asked.client)?, ..asked.clone() });
        script.operations = script.operations.iter().filter_map(renumbered).collect();
    });
    plan.schedule.entries.retain_mut(|entry| match &mut entry.fault {
        Fault::Client(Clients(clients)) => {
            *clients = clients.iter().filter_map(|client| number(*client)).collect();
            !clients.is_empty()
        }
        Fault::Partition(_)
        | Fault::Kill(_)
        | Fault::Pause(_)
        | Fault::Power(_)
        | Fault::Packet(_)
        | Fault::Disk(_)
        | Fault::Clock(_)
        | Fault::Membership(_) => true,
    });
    plan
}

/// Leaves out clients, with all that they ask.
pub(super) fn clients(plan: &mut Plan, search: &Search<'_>) {
    let original = plan.clone();
    let all = script(plan).clients;
    let numbers = (0..all.len()).filter_map(|number| u16::try_from(number).ok()).collect();
    part(plan, search, numbers, |plan, numbers: Vec<u16>| {
        let clients = numbers.iter().map(|number| all[usize::from(*number)]).collect();
        let place = |client| u16::try_from(numbers.iter().position(|number| *number == client)?).ok();
        Plan { seed: plan.seed, ..with_clients(&original, clients, place) }
    });
}

/// Lets one client do what two did. Where it waits for less long, it comes sooner to what the other asked meanwhile.
pub(super) fn joined_clients(plan: &mut Plan, search: &Search<'_>) {
    loop {
        let clients = script(plan).clients;
        let count = u16::try_from(clients.len()).unwrap_or(u16::MAX);
        let pairs = (0..count).flat_map(|kept| (0..count).map(move |gone| (kept, gone)));
        let pairs: Vec<(u16, u16)> = pairs.filter(|(kept, gone)| kept != gone).collect();
        let tries: Vec<(Option<u64>, (u16, u16))> =
            PATIENCES_MS.iter().flat_map(|patience_ms| pairs.iter().map(|pair| (*patience_ms, *pair))).collect();
        let joined = |number: usize| {
            let (patience_ms, (kept, gone)) = tries[number];
            let mut clients = clients.clone();
            if let Some(patience_ms) = patience_ms {
                clients[usize::from(kept)].patience_ms = patience_ms;
            }
            clients.remove(usize::from(gone));
            with_clients(plan, clients, |client| {
                let client = if client == gone { kept } else { client };
                Some(client - u16::from(client > gone))
            })
        };
        match search.first(tries.len(), &joined) {
            Some((_, smaller)) => *plan = smaller,
            None => return,
        }
    }
}

/// Leaves out faults.
pub(super) fn faults(plan: &mut Plan, search: &Search<'_>) {
    let faults = plan.schedule.entries.clone();
    part(plan, search, faults, |plan, entries| Plan { schedule: Schedule { entries }, ..plan.clone() });
}

/// Leaves out operations.
pub(super) fn operations(plan: &mut Plan, search: &Search<'_>) {
    let operations = script(plan).operations;
    part(plan, search, operations, |plan, operations| scripted(plan, |script| script.operations = operations));
}

/// Leaves all operations out but one or two: what delta debugging comes to step by step may be far from that, since each
/// step moves the rest.
pub(super) fn all_but_two_operations(plan: &mut Plan, search: &Search<'_>) {
    let count = script(plan).operations.len();
    if !(3..=MOST_FOR_PAIRS).contains(&count) {
        return;
    }
    let ones = (0..count).map(|one| (one, one));
    let pairs = (0..count).flat_map(|first| (first + 1..count).map(move |second| (first, second)));
    let kept: Vec<(usize, usize)> = ones.chain(pairs).collect();
    let with = |number: usize| {
        let (first, second) = kept[number];
        scripted(plan, |script| {
            let mut place = 0;
            script.operations.retain(|_| {
                place += 1;
                place - 1 == first || place - 1 == second
            });
        })
    };
    if let Some((_, smaller)) = search.first(kept.len(), &with) {
        *plan = smaller;
    }
}

/// Leaves out nodes.
pub(super) fn nodes(plan: &mut Plan, search: &Search<'_>) {
    loop {
        let fewest = plan.schedule.kinds().into_iter().map(FaultKind::fewest_nodes).max().unwrap_or(1);
        let expendable = plan.expendable_nodes();
        if plan.nodes <= fewest {
            return;
        }
        // The last first: then the others keep their names.
        let smaller = |number: usize| without_node(plan, Node(expendable[expendable.len() - 1 - number].0));
        match search.first(expendable.len(), &smaller) {
            Some((_, smaller)) => *plan = smaller,
            None => return,
        }
    }
}

/// The plan in a cluster that lacks a node: its clients stay with others.
fn without_node(plan: &Plan, gone: Node) -> Plan {
    let homes = u16::try_from(plan.homes().len()).unwrap_or(plan.nodes);
    let rename = |home: u16| match home {
        home if home > gone.0 => home - 1,
        home if home == gone.0 => 1 + home % (homes - 1),
        home => home,
    };
    let mut smaller = scripted(plan, |script| {
        script.clients.iter_mut().for_each(|client| client.home = rename(client.home));
        script.final_reads.retain(|read| read.node != gone.0);
        script.final_reads.iter_mut().for_each(|read| read.node = rename(read.node));
    });
    smaller.nodes -= 1;
    let kept = |entry: &ScheduledFault| Some(ScheduledFault { fault: entry.fault.without(gone)?, ..entry.clone() });
    smaller.schedule.entries = plan.schedule.entries.iter().filter_map(kept).collect();
    smaller
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shrink::tests::{call, plan};

    #[test]
    fn clients_of_a_node_that_is_gone_stay_with_others() {
        let plan = plan(&[1, 2, 3], &[(0, 5), (1, 6), (2, 7)], &[1, 2, 3]);
        let smaller = without_node(&plan, Node(2));
        let homes = |plan: &Plan| script(plan).clients.iter().map(|client| client.home).collect::<Vec<_>>();
        assert_eq!((smaller.nodes, homes(&smaller)), (2, vec![1, 1, 2]));
        let readers: Vec<u16> = script(&smaller).final_reads.iter().map(|read| read.node).collect();
        assert_eq!(readers, [1, 2]);
        assert_eq!(homes(&without_node(&plan, Node(3))), [1, 2, 2], "the last node's clients go round");
    }

    #[test]
    fn clients_that_stand_still_keep_doing_so_under_their_new_numbers() {
        let pause = |clients: &[u16]| ScheduledFault {
            at_ms: 5,
            duration_ms: 10,
            fault: Fault::Client(Clients(clients.iter().copied().collect())),
        };
        let mut plan = plan(&[1, 2, 3], &[(0, 5), (1, 6), (2, 7)], &[]);
        plan.schedule.entries = vec![pause(&[1]), pause(&[0, 2])];
        let clients = script(&plan).clients;
        let without_second = with_clients(&plan, vec![clients[0], clients[2]], |client| match client {
            1 => None,
            client => Some(client / 2),
        });
        assert_eq!(without_second.schedule.entries, [pause(&[0, 1])]);
        assert_eq!(script(&without_second).operations, [call(0, 5), call(1, 7)]);
    }

    #[test]
    fn what_begins_after_the_end_is_cut_off() {
        let plan = plan(&[1], &[(0, 5), (0, 99), (0, 100)], &[]);
        let shorter = until(&plan, 100);
        assert_eq!(script(&shorter).operations, [call(0, 5), call(0, 99)]);
        assert_eq!(shorter.time_limit_ms, 100);
    }
}
