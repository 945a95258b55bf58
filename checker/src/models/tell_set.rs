//! What is wrong with an element of a set, in plain sentences.

use rashomon_history::{Call, Returned};

use super::set::element;
use super::words;
use crate::fast::Clash;
use crate::membership::MembershipClash;
use crate::operation::Partition;
use crate::witness::Kind;

/// Of more operations than these not all are told.
const TOLD_MAX: usize = 8;

/// The contradiction, with its story.
pub(super) fn tell_clash(clash: &MembershipClash, partition: &Partition<'_, Call, Returned>) -> Clash {
    let narrator = partition.narrator;
    let entry = |place: u32| &partition.entries[place as usize];
    let did = |place: u32| {
        let entry = entry(place);
        format!("{} {}", narrator.who(entry.position), words::tell(entry.call, entry.returned))
    };
    let others: Vec<u32> = clash.operations.iter().copied().filter(|place| *place != clash.stuck).collect();
    let told = others.iter().take(TOLD_MAX).map(|place| {
        let position = entry(*place).position;
        match entry(*place).returned {
            Some(_) => {
                format!("{} from {} to {}", did(*place), narrator.invoked(position), narrator.completed(position))
            }
            None => format!("{} from {} on", did(*place), narrator.invoked(position)),
        }
    });
    let told: Vec<String> = told.collect();
    let more = others.len().saturating_sub(TOLD_MAX);
    let rest = if more > 0 { format!("; and {more} more") } else { String::new() };
    let position = entry(clash.stuck).position;
    let (from, to) = (narrator.invoked(position), narrator.completed(position));
    let element = element(entry(clash.stuck).call).map_or("it".into(), |(_, value)| value.to_string());
    let makes = |place: &u32, to: bool| match entry(*place).call {
        Call::Add { .. } => to,
        Call::Remove { .. } => !to,
        _ => false,
    };
    let may_have_been = others.iter().any(|place| makes(place, clash.needs));
    let is_pure = !makes(&clash.stuck, !clash.needs);
    let was = match (clash.needs, others.is_empty()) {
        (true, true) => format!("nobody had put {element} there by then"),
        (true, false) => format!("{element} was there at no moment meanwhile: {}{rest}", told.join("; ")),
        (false, _) => format!("{element} was there at every moment meanwhile: {}{rest}", told.join("; ")),
    };
    let kind = match (clash.needs, may_have_been, is_pure) {
        (true, false, _) => Kind::NeverWritten,
        (_, _, false) => Kind::Duplicate,
        (true, true, true) => Kind::StaleRead,
        (false, _, true) => Kind::LostWrite,
    };
    let explanation = format!("{}, from {from} to {to}, although {was}.", did(clash.stuck));
    Clash { kind, operations: clash.operations.clone(), explanation }
}
