//! What is wrong with a queue, in plain sentences.

use super::{QueueAnswer, QueueClash};
use crate::fast::{Clash, FastPath};
use crate::model::Model;
use crate::operation::Partition;
use crate::witness::Kind;

/// The answer, with the story of the contradiction where there is one.
pub(crate) fn tell_answer<M: Model>(
    model: &M,
    answer: QueueAnswer,
    partition: &Partition<'_, M::Call, M::Return>,
) -> FastPath {
    match answer {
        QueueAnswer::NotApplicable(why) => FastPath::NotApplicable(why),
        QueueAnswer::Valid(order) => FastPath::Valid(order),
        QueueAnswer::Invalid(clash) => {
            let kind = match clash {
                QueueClash::NeverEnqueued { .. } => Kind::NeverWritten,
                QueueClash::DequeuedTwice { .. } => Kind::Duplicate,
                QueueClash::DequeuedEarly { .. } => Kind::ReadBeforeWrite,
                QueueClash::OutOfOrder { .. } => Kind::OrderViolation,
                QueueClash::NotEmpty { .. } => Kind::LostWrite,
            };
            let explanation = explain(model, &clash, partition);
            FastPath::Invalid(Clash { kind, operations: clash.operations(), explanation })
        }
    }
}

fn explain<M: Model>(model: &M, clash: &QueueClash, partition: &Partition<'_, M::Call, M::Return>) -> String {
    let narrator = partition.narrator;
    let did = |place: &u32| {
        let entry = &partition.entries[*place as usize];
        format!("{} {}", narrator.who(entry.position), model.describe(entry.call, entry.returned))
    };
    let begun = |place: &u32| narrator.invoked(partition.entries[*place as usize].position);
    let over = |place: &u32| narrator.completed(partition.entries[*place as usize].position);
    match clash {
        QueueClash::NeverEnqueued { dequeue } => {
            format!(
                "{}, from {} to {}, although nobody ever put that there.",
                did(dequeue),
                begun(dequeue),
                over(dequeue)
            )
        }
        QueueClash::DequeuedTwice { enqueue, first, second } => {
            format!("{}, and {}, although {} only once.", did(first), did(second), did(enqueue))
        }
        QueueClash::DequeuedEarly { enqueue, dequeue } => {
            format!("{} by {}, before {} from {} on.", did(dequeue), over(dequeue), did(enqueue), begun(enqueue))
        }
        QueueClash::OutOfOrder { first, first_taken, second, second_taken } => {
            let fate = match first_taken {
                Some(taken) => format!("{} only from {} on", did(taken), begun(taken)),
                None => "nobody ever took the first".into(),
            };
            format!(
                "{} by {}, before {} from {} on; but {} by {}, and {fate}.",
                did(first),
                over(first),
                did(second),
                begun(second),
                did(second_taken),
                over(second_taken)
            )
        }
        QueueClash::NotEmpty { dequeue, values } => {
            let told: Vec<String> = values.iter().map(did).collect();
            let (from, to) = (begun(dequeue), over(dequeue));
            format!(
                "{} from {from} to {to}, although something was there all the time: {}.",
                did(dequeue),
                told.join("; ")
            )
        }
    }
}
