//! What linearizable means, tried out.

use rashomon_checker::{Algorithm, Checker, Model, ObjectKey, Operation, Report, SubHistory, Used, Verdict};

/// Tries all orders of all operations, with every choice of those of unknown outcome.
pub(crate) fn is_linearizable<M: Model>(model: &M, history: &[Operation<M::Call, M::Return>]) -> bool {
    let mut objects: Vec<ObjectKey<'_>> = history.iter().map(|operation| model.object(&operation.call)).collect();
    objects.sort();
    objects.dedup();
    objects.into_iter().all(|object| {
        let own: Vec<_> = history.iter().filter(|operation| model.object(&operation.call) == object).collect();
        try_all(model, &model.init(), &own)
    })
}

fn try_all<M: Model>(model: &M, state: &M::State, left: &[&Operation<M::Call, M::Return>]) -> bool {
    if left.iter().all(|operation| is_optional(operation)) {
        return true;
    }
    (0..left.len()).any(|first| {
        let operation = left[first];
        let too_late = left.iter().any(|other| !is_optional(other) && other.completed < operation.invoked);
        !too_late && {
            let rest: Vec<_> = [&left[..first], &left[first + 1..]].concat();
            model
                .step(state, &operation.call, operation.returned.as_ref())
                .is_some_and(|next| try_all(model, &next, &rest))
        }
    })
}

fn is_optional<C, R>(operation: &Operation<C, R>) -> bool {
    operation.returned.is_none() || operation.completed == u64::MAX
}

/// What was seen over many histories.
#[derive(Default, Debug)]
pub(crate) struct Tally {
    pub(crate) valid: usize,
    pub(crate) invalid: usize,
    pub(crate) fast: usize,
    pub(crate) largest_witness: usize,
    pub(crate) witnesses: usize,
    pub(crate) prefixes: usize,
    pub(crate) confirmed: usize,
}

impl Tally {
    /// Nearly all witnesses come with a prefix. The time for explaining is short where a machine is busy.
    pub(crate) fn has_prefixes(&self) -> bool {
        self.prefixes * 100 > self.witnesses * 95
    }
}

/// Checks the history with every algorithm, and holds all that the reports say against brute force.
pub(crate) fn compare<M: Model + Clone>(model: &M, history: &[Operation<M::Call, M::Return>], tally: &mut Tally) {
    let expected = is_linearizable(model, history);
    for algorithm in [Algorithm::Search, Algorithm::Auto] {
        let report = Checker::new(model.clone()).algorithm(algorithm).check(history).expect("a sound history");
        match &report.verdict {
            Verdict::Valid { .. } => assert!(expected, "{algorithm:?} says valid: {history:#?}"),
            Verdict::Invalid(_) => assert!(!expected, "{algorithm:?} says invalid: {history:#?}\n{report:#?}"),
            Verdict::Unknown { .. } => panic!("without a limit there must be an answer: {report:#?}"),
        }
        verify_order(model, history, &report);
        verify_witness(model, history, &report);
        verify_prefix(model, history, &report);
        if algorithm == Algorithm::Auto && report.algorithm == Used::Fast {
            tally.fast += 1;
        }
        if let Some(witness) = report.verdict.witness() {
            tally.largest_witness = tally.largest_witness.max(witness.operations.len());
            tally.prefixes += usize::from(witness.prefix.is_some());
            tally.confirmed += usize::from(witness.is_confirmed);
            tally.witnesses += 1;
        }
    }
    if expected { tally.valid += 1 } else { tally.invalid += 1 }
}

/// A legal order must hold every operation that came back, once, keep to the times and be legal.
fn verify_order<M: Model>(model: &M, history: &[Operation<M::Call, M::Return>], report: &Report) {
    let Verdict::Valid { order } = &report.verdict else { return };
    let mut seen = vec![false; history.len()];
    for part in order {
        let mut state = model.init();
        let mut latest_invoked = 0;
        for position in &part.order {
            let operation = &history[*position];
            assert!(!std::mem::replace(&mut seen[*position], true), "{position} stands twice in {part:?}");
            assert_eq!(model.object(&operation.call).to_string(), part.object);
            assert!(
                operation.returned.is_none() || operation.completed >= latest_invoked,
                "{position} stands after one that began when it was over: {part:?} of {history:#?}"
            );
            latest_invoked = latest_invoked.max(operation.invoked);
            state = model
                .step(&state, &operation.call, operation.returned.as_ref())
                .unwrap_or_else(|| panic!("{position} is not legal: {part:?} of {history:#?}"));
        }
    }
    let all = history.iter().zip(&seen).all(|(operation, seen)| *seen || operation.returned.is_none());
    assert!(all, "{order:?} leaves out an operation of {history:#?}");
}

/// A witness must be a contradiction by itself, and say so with its own operations.
fn verify_witness<M: Model>(model: &M, history: &[Operation<M::Call, M::Return>], report: &Report) {
    let Some(witness) = report.verdict.witness() else { return };
    let positions: Vec<usize> = witness.operations.iter().map(|operation| operation.position).collect();
    let sub = sub_history(model, history, &positions).unwrap_or_else(|| panic!("{witness:#?} of {history:#?}"));
    assert!(!is_linearizable(model, &sub), "no contradiction: {witness:#?} of {history:#?}");
    if report.statistics.operations < 8 && witness.is_minimal {
        for left_out in 0..positions.len() {
            let rest: Vec<usize> = [&positions[..left_out], &positions[left_out + 1..]].concat();
            let sub = sub_history(model, history, &rest);
            let still = sub.is_some_and(|sub| !is_linearizable(model, &sub));
            assert!(
                !still || report.algorithm == Used::Search,
                "{left_out} can be left out: {witness:#?} of {history:#?}"
            );
        }
    }
    for operation in &witness.operations {
        let known = &history[operation.position];
        if known.returned.is_some() {
            let told = model.describe(&known.call, known.returned.as_ref());
            assert!(operation.text.contains(&told), "{witness:#?}");
        }
    }
    assert!(!witness.explanation.contains("  "), "{}", witness.explanation);
}

/// The longest legal prefix must be legal, and no longer be so with the operation that came back next.
fn verify_prefix<M: Model>(model: &M, history: &[Operation<M::Call, M::Return>], report: &Report) {
    let Some(prefix) = report.verdict.witness().and_then(|witness| witness.prefix.as_ref()) else { return };
    let object = model.object(&history[prefix.stuck].call);
    let own = |position: &usize| model.object(&history[*position].call) == object;
    let mut places: Vec<usize> = (0..history.len()).filter(own).collect();
    places.sort_by_key(|position| history[*position].invoked);
    let completion = |place: usize| (history[places[place]].completed, place);
    let came_back = |place: &usize| !is_optional(&history[places[*place]]);
    let mut by_completion: Vec<usize> = (0..places.len()).filter(came_back).collect();
    by_completion.sort_by_key(|place| completion(*place));
    let legal_with = |count: usize| {
        let part: Vec<_> = by_completion[..count].iter().map(|place| completion(*place)).collect();
        let now = part.last().map_or(0, |last| last.0);
        let known = places.iter().enumerate().filter(|(_, position)| history[**position].invoked <= now);
        let known = known.map(|(place, position)| match history[*position].clone() {
            operation if part.contains(&completion(place)) => operation,
            open => Operation::unknown(open.process, open.call, open.invoked),
        });
        is_linearizable(model, &known.collect::<Vec<_>>())
    };
    let next = by_completion.get(prefix.operations).map(|place| places[*place]);
    assert_eq!(next, Some(prefix.stuck), "{prefix:#?} of {history:#?}");
    let until = prefix.operations.checked_sub(1).map(|last| places[by_completion[last]]);
    assert_eq!(until, prefix.until, "{prefix:#?} of {history:#?}");
    assert!(legal_with(prefix.operations), "not legal: {prefix:#?} of {history:#?}");
    assert!(!legal_with(prefix.operations + 1), "longer ones are legal: {prefix:#?} of {history:#?}");
}

/// The operations at these positions, weakened as the model says; `None` where it says that they prove nothing.
pub(crate) fn sub_history<M: Model>(
    model: &M,
    history: &[Operation<M::Call, M::Return>],
    positions: &[usize],
) -> Option<Vec<Operation<M::Call, M::Return>>> {
    let object = model.object(&history[*positions.first()?].call);
    let own = |position: &usize| model.object(&history[*position].call) == object;
    let dropped: Vec<usize> = (0..history.len()).filter(own).filter(|position| !positions.contains(position)).collect();
    let kept: Vec<_> = positions.iter().map(|position| history[*position].clone()).collect();
    let dropped: Vec<_> = dropped.into_iter().map(|position| history[position].clone()).collect();
    match model.sub_history(&kept.iter().collect(), &dropped.iter().collect()) {
        SubHistory::AsItIs => Some(kept),
        SubHistory::Weakened(operations) => Some(operations.into_iter().flatten().collect()),
        SubHistory::Unsound => None,
    }
}
