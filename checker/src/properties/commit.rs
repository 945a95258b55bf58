//! Transactions over several nodes are decided once, by all, and happen as a whole.
//!
//! Each node says what it knows of the decisions: a read of [`DECISIONS`] gives for each transaction `commit`, `abort`, or
//! the state in which the node still waits. No two nodes may differ (AC1), nor may a node change its mind (AC2), and when
//! all faults are healed none may still wait (AC5; Bernstein, Hadzilacos and Goodman 1987, section 7.3).
//!
//! What clients were told is held against what stands in the lists at the end: a transaction that was acknowledged put its
//! elements into all of its lists, one that certainly failed into none, and one of which nobody knows into all or none.
//! Elements that were appended to a list more than once are passed over. The cost is the size of the reads.

use std::collections::BTreeMap;

use rashomon_history::{Call, Key, MicroOp, Operation, Outcome, Returned, Seen, Value};

use super::membership::NONE;
use super::report::{AnomalyKind, PropertyWhy};
use super::run::{Doubt, Halt, Numbers, Run, completed, plain};

/// The key under which a node tells of the decisions that it knows.
pub const DECISIONS: &str = "decisions";

pub(super) fn check(run: &mut Run<'_>) -> Result<Doubt, Halt> {
    const KINDS: [AnomalyKind; 5] = [
        AnomalyKind::Disagreement,
        AnomalyKind::Undecided,
        AnomalyKind::Lost,
        AnomalyKind::AbortedRead,
        AnomalyKind::Partial,
    ];
    for name in ["decision", "compared-decision", "transaction"].into_iter().chain(KINDS.map(AnomalyKind::name)) {
        run.count(name, 0);
    }
    decisions(run)?;
    effects(run)?;
    let doubt = (run.counted("compared-decision") == 0 && run.counted("transaction") == 0).then(|| {
        PropertyWhy::nothing(
            "no decision was told by two nodes, and no list was read at the end that somebody appended to",
        )
    });
    Ok(doubt)
}

/// What is known of the decision of one transaction: the reads that showed it, or [`NONE`].
#[derive(Clone, Copy)]
struct Decision<'a> {
    id: &'a Key,
    committed: u32,
    aborted: u32,
    times: u32,
}

fn decisions(run: &mut Run<'_>) -> Result<(), Halt> {
    let mut ids: Numbers<&Key> = Numbers::new();
    let mut decisions: Vec<Decision<'_>> = Vec::new();
    let mut last_of_node: BTreeMap<Option<&str>, u32> = BTreeMap::new();
    for place in 0..run.order.len() {
        run.step()?;
        let position = run.order[place];
        let operation = run.operation(position);
        let Some(entries) = told_decisions(operation) else { continue };
        if operation.is_final {
            last_of_node.insert(operation.node.as_deref(), position);
        }
        for (id, state) in entries {
            run.step()?;
            let number = ids.number(run, id)?;
            if number == decisions.len() {
                run.push(&mut decisions, Decision { id, committed: NONE, aborted: NONE, times: 0 })?;
            }
            let decision = &mut decisions[number];
            match state {
                Value::Text(text) if text.as_str() == "commit" => decision.committed = decision.committed.min(position),
                Value::Text(text) if text.as_str() == "abort" => decision.aborted = decision.aborted.min(position),
                Value::Nil | Value::Int(_) | Value::Text(_) => continue,
            }
            decision.times += 1;
        }
    }
    run.objects(decisions.len());
    for decision in &decisions {
        run.count("decision", u64::from(decision.times > 0));
        run.count("compared-decision", u64::from(decision.times > 1));
        if decision.committed != NONE && decision.aborted != NONE {
            tell_disagreement(run, decision);
        }
    }
    for position in last_of_node.into_values() {
        tell_undecided(run, position);
    }
    Ok(())
}

/// The decisions that a node told of.
fn told_decisions(operation: &Operation) -> Option<&[(Key, Value)]> {
    match (&operation.call, &operation.outcome) {
        (Call::Read { key }, Outcome::Ok(returned)) if key.as_str() == DECISIONS => match plain(returned) {
            Returned::Map(entries) => Some(entries),
            _ => None,
        },
        _ => None,
    }
}

fn tell_disagreement(run: &mut Run<'_>, decision: &Decision<'_>) {
    let Decision { id, committed, aborted, .. } = *decision;
    let is_same_node = run.operation(committed).node == run.operation(aborted).node;
    run.violation(AnomalyKind::Disagreement, Some(id), &[committed, aborted], |story| {
        let rule = if is_same_node { "a decision was reversed (AC2)" } else { "two nodes decided differently (AC1)" };
        format!(
            "{}: there transaction {id} is committed; {}: there it is aborted; {rule}.",
            story.whole(committed),
            story.whole(aborted)
        )
    });
}

fn tell_undecided(run: &mut Run<'_>, position: u32) {
    for (id, state) in told_decisions(run.operation(position)).unwrap_or_default() {
        let Value::Text(text) = state else { continue };
        if !["commit", "abort"].contains(&text.as_str()) {
            run.violation(AnomalyKind::Undecided, Some(id), &[position], |story| {
                format!(
                    "{}: when all faults were over, transaction {id} was still {text} there (AC5).",
                    story.whole(position)
                )
            });
        }
    }
}

/// An element of a list.
#[derive(Clone, Copy)]
struct Element {
    list: usize,
    /// The transaction that appended it; [`NONE`] where several did.
    txn: u32,
    /// The read that saw it whose completion came first.
    seen: u32,
    /// The last read at the end that saw it.
    seen_last: u32,
}

/// Lists, and what became of the elements that transactions put into them.
struct Lists<'a> {
    keys: Numbers<&'a Key>,
    numbers: Numbers<(usize, &'a Value)>,
    elements: Vec<Element>,
    /// The last read of each list at the end, by invocation.
    last_reads: Vec<u32>,
}

fn effects(run: &mut Run<'_>) -> Result<(), Halt> {
    let mut lists =
        Lists { keys: Numbers::new(), numbers: Numbers::new(), elements: Vec::new(), last_reads: Vec::new() };
    for place in 0..run.order.len() {
        run.step()?;
        lists.put(run, run.order[place])?;
    }
    for place in 0..run.order.len() {
        run.step()?;
        lists.read(run, run.order[place])?;
    }
    lists.elements.sort_by_key(|element| element.txn);
    for of_txn in lists.elements.chunk_by(|one, other| one.txn == other.txn) {
        run.step()?;
        if of_txn[0].txn != NONE {
            lists.judge(run, of_txn);
        }
    }
    Ok(())
}

impl<'a> Lists<'a> {
    fn put(&mut self, run: &mut Run<'a>, position: u32) -> Result<(), Halt> {
        let Call::Txn { ops } = &run.operation(position).call else { return Ok(()) };
        for op in ops {
            let MicroOp::Append { key, value } = op else { continue };
            let list = self.list(run, key)?;
            let number = self.numbers.number(run, (list, value))?;
            if number == self.elements.len() {
                run.push(&mut self.elements, Element { list, txn: position, seen: NONE, seen_last: NONE })?;
            } else {
                self.elements[number].txn = NONE;
            }
        }
        Ok(())
    }

    fn list(&mut self, run: &mut Run<'a>, key: &'a Key) -> Result<usize, Halt> {
        let list = self.keys.number(run, key)?;
        if list == self.last_reads.len() {
            run.push(&mut self.last_reads, NONE)?;
        }
        Ok(list)
    }

    fn read(&mut self, run: &mut Run<'a>, position: u32) -> Result<(), Halt> {
        let operation = run.operation(position);
        let Outcome::Ok(returned) = &operation.outcome else { return Ok(()) };
        match (&operation.call, plain(returned)) {
            (Call::Txn { .. }, Returned::Txn(ops)) => {
                for op in ops {
                    match op {
                        MicroOp::Read { key, seen: Some(Seen::List(values)) } => {
                            self.saw(run, key, values, position)?;
                        }
                        MicroOp::Read { key, seen: Some(Seen::Value(Value::Nil)) } => {
                            self.saw(run, key, &[], position)?;
                        }
                        MicroOp::Read { .. } | MicroOp::Write { .. } | MicroOp::Append { .. } => {}
                    }
                }
                Ok(())
            }
            (Call::Read { key }, Returned::List(values)) => self.saw(run, key, values, position),
            _ => Ok(()),
        }
    }

    fn saw(&mut self, run: &mut Run<'a>, key: &Key, values: &[Value], position: u32) -> Result<(), Halt> {
        // Nobody appended to it.
        let Some(list) = self.keys.get(key) else { return Ok(()) };
        let operation = run.operation(position);
        if operation.is_final {
            self.last_reads[list] = position;
        }
        for value in values {
            run.step()?;
            let Some(number) = self.numbers.get((list, value)) else { continue };
            let element = &mut self.elements[number];
            if element.seen == NONE || completed(operation) < completed(run.operation(element.seen)) {
                element.seen = position;
            }
            if operation.is_final {
                element.seen_last = position;
            }
        }
        Ok(())
    }

    /// The last read at the end of a list that should hold one of the elements, if it did not see it and began after
    /// another operation was over.
    fn missed_after(&self, run: &Run<'_>, earlier: u32, elements: &[Element]) -> Option<u32> {
        let over = completed(run.operation(earlier));
        let missing = elements.iter().filter(|element| element.seen_last != self.last_reads[element.list]);
        missing.map(|element| self.last_reads[element.list]).find(|last| over < run.operation(*last).invoke_index)
    }

    /// Holds what became of the elements of one transaction against what its client was told.
    fn judge(&self, run: &mut Run<'_>, elements: &[Element]) {
        let txn = elements[0].txn;
        let operation = run.operation(txn);
        run.count("transaction", u64::from(elements.iter().any(|element| self.last_reads[element.list] != NONE)));
        let seen = elements.iter().map(|element| element.seen).filter(|seen| *seen != NONE);
        let seen = seen.min_by_key(|seen| completed(run.operation(*seen)));
        match &operation.outcome {
            Outcome::Ok(_) => {
                if let Some(missed) = self.missed_after(run, txn, elements) {
                    run.violation(AnomalyKind::Lost, None, &[txn, missed], |story| {
                        format!("{}; but {}, without it.", story.whole(txn), story.whole(missed))
                    });
                }
            }
            Outcome::Fail(_) => {
                if let Some(seen) = seen {
                    run.violation(AnomalyKind::AbortedRead, None, &[txn, seen], |story| {
                        format!("{}; but its effect was seen: {}.", story.whole(txn), story.whole(seen))
                    });
                }
            }
            Outcome::Info(_) => {
                let Some(seen) = seen else { return };
                if let Some(missed) = self.missed_after(run, seen, elements) {
                    run.violation(AnomalyKind::Partial, None, &[txn, seen, missed], |story| {
                        format!(
                            "{}; a part of it happened: {}; but another did not: {}.",
                            story.whole(txn),
                            story.whole(seen),
                            story.whole(missed)
                        )
                    });
                }
            }
        }
    }
}
