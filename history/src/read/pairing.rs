//! Puts events together to operations, and refuses what can't be a history.

use rustc_hash::FxHashMap;

use crate::history::Torn;
use crate::intern::Names;
use crate::{
    Call, ClientEvent, ClientEventKind, Event, History, MicroOp, NemesisEvent, Operation, Outcome, ProcessId, Returned,
    TimeNs,
};

/// What happens with a time that is smaller than the one before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Clock {
    /// Our own recorder can't write it: the history is refused.
    Strict,
    /// Others read the clock before they write: the order of the events counts, and time stands still.
    Lenient,
}

/// Where and when an event was written down.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) line: usize,
    /// The position that the line names.
    pub(crate) index: Option<u64>,
    /// The time that the line names.
    pub(crate) time: Option<TimeNs>,
}

/// Where an operation was invoked.
#[derive(Clone, Copy)]
enum State {
    Idle,
    Open {
        line: usize,
        position: usize,
    },
    /// Its operation ended with `info`.
    Over {
        line: usize,
    },
}

/// The operations so far.
pub(crate) struct Pairing {
    clock: Clock,
    operations: Vec<Operation>,
    nemesis: Vec<NemesisEvent>,
    processes: FxHashMap<ProcessId, State>,
    next_index: u64,
    latest: TimeNs,
    names: Names,
}

impl Pairing {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            clock,
            operations: Vec::new(),
            nemesis: Vec::new(),
            processes: FxHashMap::default(),
            next_index: 0,
            latest: TimeNs(0),
            names: Names::default(),
        }
    }

    /// Of operations that are paired already.
    pub(crate) fn of(operations: Vec<Operation>) -> Self {
        Self { operations, ..Self::new(Clock::Lenient) }
    }

    /// The names of this history.
    pub(crate) fn names(&mut self) -> &mut Names {
        &mut self.names
    }

    /// The position of the next event that does not name its own.
    pub(crate) fn next_index(&self) -> u64 {
        self.next_index
    }

    pub(crate) fn event(&mut self, line: usize, event: Event) -> Result<(), String> {
        match event {
            Event::Nemesis(event) => {
                let place = Place { line, index: Some(event.index), time: Some(event.time) };
                self.nemesis(&place, event)
            }
            Event::Client(event) => {
                let place = Place { line, index: Some(event.index), time: Some(event.time) };
                self.client(&place, event)
            }
        }
    }

    fn client(&mut self, place: &Place, event: ClientEvent) -> Result<(), String> {
        let ClientEvent { process, node, is_final, call, kind, .. } = event;
        match kind {
            ClientEventKind::Invoke => {
                let operation = self.invoke(place, process, call)?;
                operation.node = node;
                operation.is_final = is_final;
                Ok(())
            }
            ClientEventKind::Complete(outcome) => self.complete(place, process, Some(&call), outcome),
        }
    }

    pub(crate) fn nemesis(&mut self, place: &Place, mut event: NemesisEvent) -> Result<(), String> {
        (event.index, event.time) = self.moment(place)?;
        self.nemesis.push(event);
        Ok(())
    }

    /// A process asks. What else is known of the operation can be set in what comes back.
    pub(crate) fn invoke(&mut self, place: &Place, process: ProcessId, call: Call) -> Result<&mut Operation, String> {
        let (index, time) = self.moment(place)?;
        let opened = State::Open { line: place.line, position: self.operations.len() };
        match self.processes.insert(process, opened) {
            None | Some(State::Idle) => {}
            Some(State::Over { line }) => {
                return Err(format!(
                    "process {process} goes on although its operation of line {line} ended with info; \
                     after an info a client must go on as a new process"
                ));
            }
            Some(State::Open { line, .. }) => {
                return Err(format!(
                    "process {process} has two open operations: the one of line {line} was not completed; \
                     give each sequential client a process of its own"
                ));
            }
        }
        self.operations.push(Operation {
            process,
            node: None,
            is_final: false,
            call,
            outcome: Outcome::Info(String::new()),
            invoked: time,
            completed: None,
            invoke_index: index,
            complete_index: None,
        });
        Ok(self.operations.last_mut().expect("it was just pushed"))
    }

    /// What a process asked for and was not answered yet.
    pub(crate) fn open_call(&self, process: ProcessId) -> Option<&Call> {
        match self.processes.get(&process)? {
            State::Open { position, .. } => Some(&self.operations[*position].call),
            State::Idle | State::Over { .. } => None,
        }
    }

    /// A process is answered or gives up. `repeated` is the call as the completion tells it, where it does.
    pub(crate) fn complete(
        &mut self,
        place: &Place,
        process: ProcessId,
        repeated: Option<&Call>,
        outcome: Outcome,
    ) -> Result<(), String> {
        let (index, time) = self.moment(place)?;
        let Some(state) = self.processes.get_mut(&process) else { return Err(never_invoked(process)) };
        let State::Open { line, position } = *state else { return Err(never_invoked(process)) };
        let operation = &mut self.operations[position];
        if !is_answer(&operation.call, repeated, &outcome) {
            let told = repeated.map_or_else(|| format!("txn {outcome:?}"), ToString::to_string);
            return Err(format!(
                "process {process} completes `{told}`, but on line {line} it invoked `{}`",
                operation.call
            ));
        }
        *state = match outcome {
            Outcome::Info(_) => State::Over { line: place.line },
            Outcome::Ok(_) | Outcome::Fail(_) => State::Idle,
        };
        operation.outcome = outcome;
        operation.completed = Some(time);
        operation.complete_index = Some(index);
        Ok(())
    }

    /// The position and the time of an event. Positions always grow, whatever the lines say.
    fn moment(&mut self, place: &Place) -> Result<(u64, TimeNs), String> {
        let index = place.index.map_or(self.next_index, |index| index.max(self.next_index));
        let time = place.time.unwrap_or(TimeNs(index)).max(self.latest);
        if let (Clock::Strict, Some(named)) = (self.clock, place.time)
            && named < time
        {
            return Err(format!(
                "time goes backwards: {} ns after {} ns; sort the events by time if their order was lost",
                named.0, time.0
            ));
        }
        self.next_index = index.saturating_add(1);
        self.latest = time;
        Ok((index, time))
    }

    /// The history; `None` where no client did anything.
    pub(crate) fn finish(mut self, torn: Torn) -> Option<History> {
        if self.operations.is_empty() {
            return None;
        }
        for operation in &mut self.operations {
            if operation.completed.is_none() {
                operation.outcome = Outcome::Info("still open when the history ends".into());
            }
        }
        self.operations.shrink_to_fit();
        Some(History { operations: self.operations, nemesis: self.nemesis, torn })
    }
}

fn never_invoked(process: ProcessId) -> String {
    format!(
        "process {process} completes an operation that it never invoked; an invocation stands before its completion"
    )
}

/// Whether a completion can be one of the call. What a transaction brought back repeats what it asked for.
fn is_answer(call: &Call, repeated: Option<&Call>, outcome: &Outcome) -> bool {
    if repeated.is_some_and(|repeated| repeated != call) {
        return false;
    }
    match (call, outcome) {
        (Call::Txn { ops }, Outcome::Ok(Returned::Txn(seen))) => {
            ops.len() == seen.len() && ops.iter().zip(seen).all(|(asked, seen)| is_same_step(asked, seen))
        }
        _ => true,
    }
}

fn is_same_step(asked: &MicroOp, seen: &MicroOp) -> bool {
    match (asked, seen) {
        (MicroOp::Read { key: asked, .. }, MicroOp::Read { key: seen, .. }) => asked == seen,
        (MicroOp::Read { .. }, _) | (_, MicroOp::Read { .. }) => false,
        (asked, seen) => asked == seen,
    }
}
