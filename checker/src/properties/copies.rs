//! The nodes of a store that keeps a version (revision) of everything hold the same.
//!
//! Each node says what it has itself, without asking the others: a read of [`COPY`] gives for each key a text of two words,
//! the version in which the key was last written and what stands there, and with it the version of the whole store. Two nodes
//! need not be equally far. But what a node shows of a key was last written in that version, so that a node that is as far has
//! to show the same, or something younger. Where they differ in a way that no order of the same writes explains, they are
//! no copies of one store (etcd: postmortem of the data inconsistency of 3.5.0 to 3.5.2, etcd#13766).
//!
//! Only the last of these reads of each node is looked at. The cost is n log n in the size of these reads.

use std::collections::BTreeMap;

use rashomon_history::{Call, Key, Operation, Outcome, Returned, Value};

use super::report::{AnomalyKind, PropertyWhy};
use super::run::{Doubt, Halt, Run};

/// The key under which a node tells what it holds itself.
pub const COPY: &str = "copy";

/// What one node holds.
struct Copy<'a> {
    node: &'a str,
    position: u32,
    /// How far it is.
    version: u64,
    entries: BTreeMap<&'a Key, Entry<'a>>,
}

/// What stands under a key.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Entry<'a> {
    written: u64,
    content: &'a str,
}

pub(super) fn check(run: &mut Run<'_>) -> Result<Doubt, Halt> {
    for name in ["copy", "compared", AnomalyKind::CopiesDiffer.name()] {
        run.count(name, 0);
    }
    let mut last_of_node: BTreeMap<&str, u32> = BTreeMap::new();
    for place in 0..run.order.len() {
        run.step()?;
        let position = run.order[place];
        if let (Some(_), Some(node)) = (told(run.operation(position)), run.operation(position).node.as_deref()) {
            last_of_node.insert(node, position);
        }
    }
    let mut copies: Vec<Copy<'_>> = Vec::new();
    for (node, position) in last_of_node {
        let Some((version, entries)) = told(run.operation(position)) else { continue };
        let entries = entries.iter().filter_map(|(key, value)| Some((key, Entry::of(value)?))).collect();
        copies.push(Copy { node, position, version, entries });
    }
    run.count("copy", copies.len() as u64);
    for (place, one) in copies.iter().enumerate() {
        for other in &copies[place + 1..] {
            compare(run, one, other)?;
        }
    }
    Ok((run.counted("compared") == 0).then(|| PropertyWhy::nothing("no two nodes told what they hold of one key")))
}

/// How far the node is, and what it holds.
fn told(operation: &Operation) -> Option<(u64, &[(Key, Value)])> {
    match (&operation.call, &operation.outcome) {
        (Call::Read { key }, Outcome::Ok(Returned::Versioned { version, returned })) if key.as_str() == COPY => {
            match returned.as_ref() {
                Returned::Map(entries) => Some((*version, entries)),
                _ => None,
            }
        }
        _ => None,
    }
}

impl<'a> Entry<'a> {
    fn of(value: &'a Value) -> Option<Self> {
        let Value::Text(text) = value else { return None };
        let (written, content) = text.as_str().split_once(' ')?;
        Some(Self { written: written.parse().ok()?, content })
    }
}

fn compare(run: &mut Run<'_>, one: &Copy<'_>, other: &Copy<'_>) -> Result<(), Halt> {
    for (key, entry) in &one.entries {
        run.step()?;
        let there = other.entries.get(key);
        run.count("compared", u64::from(there.is_some()));
        if !may_be(one, Some(entry), other, there) {
            tell(run, key, (one, Some(entry)), (other, there));
        }
    }
    for (key, entry) in &other.entries {
        run.step()?;
        if !one.entries.contains_key(key) && !may_be(one, None, other, Some(entry)) {
            tell(run, key, (one, None), (other, Some(entry)));
        }
    }
    Ok(())
}

/// Whether two copies of one store may show this under one key.
fn may_be(one: &Copy<'_>, here: Option<&Entry<'_>>, other: &Copy<'_>, there: Option<&Entry<'_>>) -> bool {
    match (here, there) {
        (Some(here), Some(there)) if here.written == there.written => here.content == there.content,
        // The younger one was written when the other node was not yet so far.
        (Some(here), Some(there)) if here.written > there.written => here.written > other.version,
        (Some(_), Some(there)) => there.written > one.version,
        // Not yet written there, or removed there when this node was not yet so far.
        (Some(here), None) => here.written > other.version || other.version > one.version,
        (None, Some(there)) => there.written > one.version || one.version > other.version,
        (None, None) => true,
    }
}

fn tell(run: &mut Run<'_>, key: &Key, one: (&Copy<'_>, Option<&Entry<'_>>), other: (&Copy<'_>, Option<&Entry<'_>>)) {
    let told = |(copy, entry): (&Copy<'_>, Option<&Entry<'_>>)| {
        let holds = match entry {
            Some(Entry { written, content }) => format!("{key} = {content}, written in version {written}"),
            None => format!("no {key}"),
        };
        format!("{} is at version {} and holds {holds}", copy.node, copy.version)
    };
    let text = format!("{}; but {}: they are no copies of one store.", told(one), told(other));
    run.violation(AnomalyKind::CopiesDiffer, Some(key), &[one.0.position, other.0.position], |_| text);
}

#[cfg(test)]
mod tests {
    use rashomon_history::parse_history;

    use crate::Options;
    use crate::properties::{Property, PropertyReport};

    /// What the nodes n1, n2, ... tell: their version, and what they hold.
    fn check(copies: &[(u64, &str)]) -> PropertyReport {
        let mut text = String::new();
        for (place, (version, entries)) in copies.iter().enumerate() {
            let (from, to, node) = (10 * place, 10 * place + 5, place + 1);
            text += &format!(
                "{{\"time\":{from},\"process\":{place},\"type\":\"invoke\",\"f\":\"read\",\"key\":\"copy\",\"node\":\"n{node}\"}}\n\
                 {{\"time\":{to},\"process\":{place},\"type\":\"ok\",\"f\":\"read\",\"key\":\"copy\",\"node\":\"n{node}\",\
                 \"version\":{version},\"value\":{{{entries}}}}}\n"
            );
        }
        let history = parse_history("history.jsonl".as_ref(), text.as_bytes()).expect("a history");
        Property::Copies.check(history.operations(), &Options::default()).expect("reads")
    }

    #[test]
    fn copies_that_are_not_equally_far_may_differ() {
        let report = check(&[
            (9, r#""x":"4 1","y":"9 2","gone":"3 7""#),
            (5, r#""x":"4 1","y":"5 1","gone":"3 7""#),
            (12, r#""x":"11 5","y":"9 2""#),
        ]);
        assert!(report.verdict.is_valid(), "{report:?}");
    }

    #[test]
    fn what_no_order_of_the_same_writes_explains_is_told() {
        for (one, other) in [
            // The same write, and another content.
            (r#""x":"4 1""#, r#""x":"4 2""#),
            // One applied a write twice and is further for it; both are far enough to have seen either.
            (r#""x":"4 1""#, r#""x":"5 1""#),
            // Written long ago, and not there.
            (r#""x":"4 1","y":"2 1""#, r#""x":"4 1""#),
        ] {
            let report = check(&[(9, one), (9, other)]);
            assert!(report.verdict.is_invalid(), "{one} {other}");
            let told = &report.anomalies[0].explanation;
            assert!(told.contains("n1 is at version 9") && told.contains("n2 is at version 9"), "{told}");
        }
        let lags = check(&[(10, r#""x":"4 1""#), (9, r#""x":"8 2""#)]);
        assert!(lags.verdict.is_invalid(), "a node that is further must have seen it");
    }

    #[test]
    fn nothing_is_decided_where_one_node_tells() {
        assert!(!check(&[(9, r#""x":"4 1""#)]).verdict.is_valid());
    }
}
