//! What calls are about.

use std::collections::BTreeSet;

use rashomon_history::{Call, Key, MicroOp};

/// The objects that a call is about.
pub(super) fn keys(call: &Call) -> Vec<&Key> {
    match call {
        Call::Transfer { from, to, .. } => vec![from, to],
        Call::Poll { keys } | Call::Assign { keys } => keys.iter().collect(),
        Call::Txn { ops } => ops.iter().map(MicroOp::key).collect(),
        Call::Read { .. }
        | Call::Write { .. }
        | Call::Cas { .. }
        | Call::Append { .. }
        | Call::Add { .. }
        | Call::Remove { .. }
        | Call::Contains { .. }
        | Call::Delete { .. }
        | Call::Increment { .. }
        | Call::Enqueue { .. }
        | Call::Dequeue { .. }
        | Call::Drain { .. }
        | Call::OpenSession { .. }
        | Call::KeepAlive { .. }
        | Call::Acquire { .. }
        | Call::Release { .. }
        | Call::Generate { .. }
        | Call::Send { .. } => call.key().into_iter().collect(),
    }
}

/// The call without what it has to do with other objects; `None` where nothing is left of it. What is about no object stays.
pub(super) fn only_about(kept: &BTreeSet<Key>, call: &Call) -> Option<Call> {
    if let Call::Txn { ops } = call {
        let ops: Vec<MicroOp> = ops.iter().filter(|op| kept.contains(op.key())).cloned().collect();
        return (!ops.is_empty()).then_some(Call::Txn { ops });
    }
    keys(call).into_iter().all(|key| kept.contains(key)).then(|| call.clone())
}

/// The steps of a call that can be left out one by one: those of a transaction.
pub(super) fn steps(call: &Call) -> usize {
    if let Call::Txn { ops } = call { ops.len() } else { 0 }
}

/// The call with just these of its steps; `None` where nothing is left of it. A call without steps stays.
pub(super) fn with_steps(call: &Call, kept: impl Fn(usize) -> bool) -> Option<Call> {
    let Call::Txn { ops } = call else { return Some(call.clone()) };
    let ops: Vec<MicroOp> = ops.iter().enumerate().filter(|(step, _)| kept(*step)).map(|(_, op)| op.clone()).collect();
    (!ops.is_empty()).then_some(Call::Txn { ops })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(key: &str) -> MicroOp {
        MicroOp::Read { key: key.into(), seen: None }
    }

    #[test]
    fn what_is_about_other_objects_goes_and_what_is_about_none_stays() {
        let kept = BTreeSet::from(["a".into(), "l1".into()]);
        let left = |call: &Call| only_about(&kept, call).map(|call| call.to_string());
        let both = Call::Txn { ops: vec![read("a"), MicroOp::Append { key: "b".into(), value: 1.into() }] };
        assert_eq!(left(&both).as_deref(), Some("txn read a"));
        assert_eq!(left(&Call::Txn { ops: vec![read("b")] }), None);
        assert_eq!(left(&Call::Transfer { from: "a".into(), to: "b".into(), amount: 1 }), None);
        assert_eq!(left(&Call::Release { key: "l2".into(), owner: "c1".into(), permits: 1 }), None);
        assert!(left(&Call::Acquire { key: "l1".into(), owner: "c1".into(), permits: 1 }).is_some());
        assert!(left(&Call::OpenSession { owner: "c1".into() }).is_some());
    }

    #[test]
    fn a_transaction_loses_steps_until_nothing_is_left_of_it() {
        let call = Call::Txn { ops: vec![read("a"), read("b"), read("a")] };
        assert_eq!(steps(&call), 3);
        assert_eq!(with_steps(&call, |step| step != 1).unwrap().to_string(), "txn read a, read a");
        assert_eq!(with_steps(&call, |_| false), None);
        let read = Call::Read { key: "a".into() };
        assert_eq!((steps(&read), with_steps(&read, |_| false)), (0, Some(read.clone())));
    }
}
