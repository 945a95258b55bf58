//! Plays a workload against a store in memory, with clients that overlap.

use rashomon_checker::Options;
use rashomon_draw::Draw;
use rashomon_history::{Call, Operation, Outcome, ProcessId, TimeNs};

use crate::{Answer, Asker, Checked, Parameters, Role, Workload};

const CLIENTS: usize = 6;

/// What a store answers. A call takes effect when it is invoked.
pub(crate) trait Store {
    fn answer(&mut self, call: &Call) -> Outcome;
}

/// The history of so many calls, and the final reads of two clients.
pub(crate) fn play(workload: Workload, seed: u64, calls: usize, store: &mut impl Store) -> Vec<Operation> {
    let mut generator = workload.generator(seed);
    let mut draw = Draw::stream(seed, "order");
    let mut history: Vec<Operation> = Vec::new();
    let mut open: [Option<usize>; CLIENTS] = [None; CLIENTS];
    let mut now = 0;
    let operation = |call: Call, outcome: Outcome, now: u64, is_final| Operation {
        process: ProcessId(now),
        node: None,
        is_final,
        call,
        outcome,
        invoked: TimeNs(now),
        completed: None,
        invoke_index: now,
        complete_index: None,
    };
    let complete = |operation: &mut Operation, now: u64| {
        if !matches!(operation.outcome, Outcome::Info(_)) {
            (operation.completed, operation.complete_index) = (Some(TimeNs(now)), Some(now));
        }
    };
    while history.len() < calls || open.iter().any(Option::is_some) {
        let client = draw.below(CLIENTS);
        now += 1;
        if let Some(place) = open[client].take() {
            complete(&mut history[place], now);
        } else if history.len() < calls {
            let call = generator.next_call(Asker { client, role: Role::of(client, CLIENTS, 2) });
            let outcome = store.answer(&call);
            generator.observe(client, &call, &outcome);
            open[client] = Some(history.len());
            history.push(operation(call, outcome, now, false));
        }
    }
    for call in [generator.final_reads(), generator.final_reads()].concat() {
        let outcome = store.answer(&call);
        let mut read = operation(call, outcome, now + 1, true);
        complete(&mut read, now + 2);
        now += 2;
        history.push(read);
    }
    history
}

/// What each check of the workload says, by its name: `Some` of whether it found a violation, `None` where it can't tell.
pub(crate) fn verdicts(workload: Workload, history: &[Operation]) -> Vec<(&'static str, Option<bool>)> {
    let checks =
        workload.check(&Parameters::default(), history, &Options::default()).expect("operations of the workload");
    checks.iter().map(|checked| (checked.model.name(), is_broken(checked))).collect()
}

fn is_broken(checked: &Checked) -> Option<bool> {
    let (is_valid, is_invalid) = match &checked.answer {
        Answer::Linearizability(report) => (report.verdict.is_valid(), report.verdict.is_invalid()),
        Answer::Property(report) => (report.verdict.is_valid(), report.verdict.is_invalid()),
        Answer::Transactions(report) => panic!("{report:?} of a store without transactions"),
    };
    (is_valid || is_invalid).then_some(is_invalid)
}
