//! What is wrong with a register that reports versions, in plain sentences.

use rashomon_history::{Call, Returned};

use super::words;
use crate::fast::Clash;
use crate::operation::Partition;
use crate::versions::{VersionsClash, VersionsContradiction};
use crate::witness::Kind;

/// The contradiction, with its story.
pub(super) fn tell_clash(clash: &VersionsClash, partition: &Partition<'_, Call, Returned>) -> Clash {
    let narrator = partition.narrator;
    let entry = |place: u32| &partition.entries[place as usize];
    let did = |place: u32| {
        let entry = entry(place);
        format!("{} {}", narrator.who(entry.position), words::tell(entry.call, entry.returned))
    };
    let begun = |place: u32| narrator.invoked(entry(place).position);
    let over = |place: u32| narrator.completed(entry(place).position);
    let is_read = |place: u32| matches!(entry(place).call, Call::Read { .. });
    let (kind, explanation) = match &clash.contradiction {
        VersionsContradiction::BelowFirst { operation } => {
            (Kind::OrderViolation, format!("{}: that version is over before anything is written.", did(*operation)))
        }
        VersionsContradiction::SameVersion { left, right } => {
            (Kind::LostUpdate, format!("{}, and {}: two writes can't have the same version.", did(*left), did(*right)))
        }
        VersionsContradiction::TwoValues { left, right, version } => {
            let left = left.map_or_else(|| "That is not what was there at first".into(), did);
            (Kind::IncompatibleReads, format!("{left}; {}: version {version} had one value.", did(*right)))
        }
        VersionsContradiction::TwoVersions { write, left, right } => {
            (Kind::Duplicate, format!("{}, and {}, although {}, once.", did(*left), did(*right), did(*write)))
        }
        VersionsContradiction::NeverWritten { observer, others } => {
            let told: Vec<String> = others.iter().map(|place| did(*place)).collect();
            let but =
                if told.is_empty() { String::new() } else { format!(" with that version, but {}", told.join("; ")) };
            let text = format!(
                "{}, from {} to {}, although nobody ever wrote that{but}.",
                did(*observer),
                begun(*observer),
                over(*observer)
            );
            (Kind::NeverWritten, text)
        }
        VersionsContradiction::Backwards { earlier, later } => {
            let kind = if is_read(*later) { Kind::StaleRead } else { Kind::OrderViolation };
            let text =
                format!("{} from {} on, although by {} {}.", did(*later), begun(*later), over(*earlier), did(*earlier));
            (kind, text)
        }
        VersionsContradiction::NoRoom { earlier, later, writes } => {
            let since =
                earlier.map_or_else(String::new, |earlier| format!("{} by {}, and ", did(earlier), over(earlier)));
            let text = format!(
                "{since}after that {} had written by the time that {} from {} on: there is no version left for all of them.",
                if writes.len() == 1 { did(writes[0]) } else { format!("{} operations", writes.len()) },
                did(*later),
                begun(*later)
            );
            (Kind::LostWrite, text)
        }
    };
    Clash { kind, operations: clash.operations.clone(), explanation }
}
