//! What is wrong with a counter, in plain sentences.

use rashomon_history::{Call, Returned};

use super::words;
use crate::counter::{CounterClash, CounterContradiction};
use crate::fast::Clash;
use crate::operation::Partition;
use crate::witness::Kind;

/// The contradiction, with its story.
pub(super) fn tell_clash(clash: &CounterClash, partition: &Partition<'_, Call, Returned>, initial: i64) -> Clash {
    let narrator = partition.narrator;
    let entry = |place: u32| &partition.entries[place as usize];
    let did = |place: u32| {
        let entry = entry(place);
        format!("{} {}", narrator.who(entry.position), words::tell(entry.call, entry.returned))
    };
    let begun = |place: u32| narrator.invoked(entry(place).position);
    let over = |place: u32| narrator.completed(entry(place).position);
    let (kind, explanation) = match &clash.contradiction {
        CounterContradiction::BelowInitial { observer } => (
            Kind::WrongSum,
            format!(
                "{}, from {} to {}, although {initial} was there at first and nothing was ever taken away.",
                did(*observer),
                begun(*observer),
                over(*observer)
            ),
        ),
        CounterContradiction::Backwards { earlier, later } => (
            Kind::StaleRead,
            format!(
                "{} from {} on, although by {} {}, and nothing was ever taken away.",
                did(*later),
                begun(*later),
                over(*earlier),
                did(*earlier)
            ),
        ),
        CounterContradiction::Overlap { left, right } => {
            let is_read = matches!(entry(*right).call, Call::Read { .. });
            let kind = if is_read { Kind::WrongSum } else { Kind::LostUpdate };
            let why = if is_read { "it never held anything between" } else { "the one counted without the other" };
            (kind, format!("{}, and {}: {why}.", did(*left), did(*right)))
        }
        CounterContradiction::TooLittle { earlier, later, added, amount } => {
            let many = if added.len() == 1 { "one operation" } else { "operations" };
            let since = match earlier {
                Some(earlier) => format!("{} by {}, and {many} after that", did(*earlier), over(*earlier)),
                None => format!("{initial} was there at first, and {many}"),
            };
            let text =
                format!("{} from {} on, although {since} had added {amount} before.", did(*later), begun(*later));
            (Kind::LostWrite, text)
        }
        CounterContradiction::TooMuch { observer, most, .. } => (
            Kind::WrongSum,
            format!(
                "{} by {}, although all that may have been added by then makes no more than {most}.",
                did(*observer),
                over(*observer)
            ),
        ),
        CounterContradiction::OffStep { observer, step, .. } => (
            Kind::WrongSum,
            format!(
                "{}, although {initial} was there at first, and all that was ever added are multiples of {step}.",
                did(*observer)
            ),
        ),
    };
    Clash { kind, operations: clash.operations.clone(), explanation }
}
