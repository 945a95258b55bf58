//! What would help where there is no answer.

use crate::decide::Check;
use crate::model::{Model, Observed};
use crate::operation::Partition;
use crate::options::Algorithm;
use crate::report::Why;
use crate::search::Stopped;

/// Where the operations could not even be put apart.
pub(crate) fn too_large(why: Stopped) -> Vec<String> {
    let wanted = match why {
        Stopped::OutOfMemory => "a larger memory budget: the operations alone take more",
        Stopped::Late | Stopped::StepsSpent | Stopped::TooConcurrent { .. } => {
            "a longer time budget: putting the operations of each object together takes more"
        }
    };
    vec![wanted.into(), "a shorter history".into()]
}

/// Where an object is open.
pub(crate) fn for_object<M: Model>(
    check: &Check<'_, '_, M>,
    why: &Why,
    no_rule: Option<&'static str>,
    partition: &Partition<'_, M::Call, M::Return>,
) -> Vec<String> {
    let mut help: Vec<String> = Vec::new();
    if check.options.algorithm == Algorithm::Search {
        help.push("the algorithm auto, which searches only where no fast path applies".into());
    }
    if let Some(reason) = no_rule {
        help.push(format!("a history that a fast path decides without a search; here none does, because {reason}"));
    }
    match why {
        Why::TimeBudget => help.push("a longer time budget".into()),
        Why::MemoryBudget => help.push("a larger memory budget".into()),
        Why::NoFastPath { .. } => {
            help.push("the algorithm auto, which searches where no fast path applies".into());
            return help;
        }
        Why::TooConcurrent { .. } => help.push("fewer operations open at once, or fewer clients".into()),
    }
    if *why == Why::TimeBudget && check.workers.count() == 1 && check.parts.len() > 1 {
        help.push("more threads".into());
    }
    if says_nothing(check.model, partition) {
        help.push("a model that says what its operations observe, so that a search knows what is hopeless".into());
    }
    help.push(match check.parts.len() {
        1 => "more objects with fewer operations each, if the model can tell them apart".into(),
        _ => "fewer operations on each object".into(),
    });
    help
}

/// Whether the model leaves open what its operations observe.
fn says_nothing<M: Model>(model: &M, partition: &Partition<'_, M::Call, M::Return>) -> bool {
    let observes = |observed: Observed| matches!(observed, Observed::Anything);
    partition.iter().take(100).all(|entry| observes(model.observes(entry.call, entry.returned)))
}
