//! What is wrong with a register, in plain sentences.

use rashomon_history::{Call, Returned, Value};

use super::words;
use crate::fast::Clash;
use crate::operation::Partition;
use crate::register::{RegisterClash, RegisterContradiction};
use crate::witness::Kind;

/// The contradiction, with its story.
pub(super) fn tell_clash(clash: &RegisterClash, partition: &Partition<'_, Call, Returned>, initial: &Value) -> Clash {
    let story = Story { partition, initial };
    let (kind, explanation) = match &clash.contradiction {
        RegisterContradiction::NeverWritten { observer } => story.never_written(*observer),
        RegisterContradiction::ReplacedTwice { producer, first, second } => {
            story.replaced_twice(*producer, *first, *second)
        }
        RegisterContradiction::Circle { steps } => story.circle(steps),
        RegisterContradiction::Backwards { earlier, later, producers } => story.backwards(*earlier, *later, producers),
        RegisterContradiction::Crossing { left_over, right_begins, right_over, left_begins, .. } => {
            story.crossing([*left_over, Some(*right_begins), Some(*right_over), Some(*left_begins)])
        }
    };
    Clash { kind, operations: clash.operations.clone(), explanation }
}

struct Story<'a> {
    partition: &'a Partition<'a, Call, Returned>,
    initial: &'a Value,
}

impl Story<'_> {
    fn call(&self, place: u32) -> &Call {
        self.partition.entries[place as usize].call
    }

    fn returned(&self, place: u32) -> Option<&Returned> {
        self.partition.entries[place as usize].returned
    }

    /// The value that stood there when the operation was done.
    fn left_behind(&self, place: u32) -> &Value {
        let seen = match self.returned(place) {
            Some(Returned::Value(value) | Returned::NotSwapped { current: Some(value) }) => Some(value),
            _ => None,
        };
        seen.or_else(|| words::written(self.call(place), None)).unwrap_or(self.initial)
    }

    fn is_read(&self, place: u32) -> bool {
        matches!(self.call(place), Call::Read { .. })
    }

    fn never_written(&self, observer: u32) -> (Kind, String) {
        let value = match (self.call(observer), self.returned(observer)) {
            (Call::Cas { from, .. }, Some(Returned::Swapped) | None) => from,
            _ => self.left_behind(observer),
        };
        let text = format!(
            "{}, from {} to {}, although nobody ever wrote {value} there.",
            self.partition.did(observer),
            self.partition.begun(observer),
            self.partition.over(observer)
        );
        (Kind::NeverWritten, text)
    }

    fn replaced_twice(&self, producer: Option<u32>, first: u32, second: u32) -> (Kind, String) {
        let origin = match producer {
            Some(producer) => format!("{}, once.", self.partition.did(producer)),
            None => format!("{} was there at first, and nobody wrote it again.", self.initial),
        };
        let text = format!(
            "{}, and {}: the later of the two can't have found what the earlier had replaced. {origin}",
            self.partition.did(first),
            self.partition.did(second)
        );
        (Kind::LostUpdate, text)
    }

    fn circle(&self, steps: &[u32]) -> (Kind, String) {
        let told: Vec<String> = steps.iter().map(|place| self.partition.did(*place)).collect();
        (Kind::Cycle, format!("{}: each of them needs the one before it, and the first the last.", told.join("; ")))
    }

    fn backwards(&self, earlier: u32, later: u32, producers: &[u32]) -> (Kind, String) {
        let (begun, over) = (self.partition.begun(earlier), self.partition.over(later));
        if producers.last() == Some(&earlier) && producers.len() == 1
            || self.left_behind(earlier) == self.left_behind(later)
        {
            let text = format!(
                "{}, which came back at {over}, before {} from {begun} on.",
                self.partition.did(later),
                self.partition.did(earlier)
            );
            return (Kind::ReadBeforeWrite, text);
        }
        let steps: Vec<String> = producers
            .iter()
            .filter(|place| ![earlier, later].contains(place))
            .map(|place| self.partition.did(*place))
            .collect();
        let because = if steps.is_empty() { String::new() } else { format!(", because {}", steps.join(" and ")) };
        let kind = if self.is_read(earlier) { Kind::StaleRead } else { Kind::OrderViolation };
        let text = format!(
            "{} from {begun} on, although by {over} {}; {} came before {} there{because}.",
            self.partition.did(earlier),
            self.partition.did(later),
            self.left_behind(earlier),
            self.left_behind(later),
        );
        (kind, text)
    }

    /// `over` of the one before `begins` of the other, and the other way round.
    fn crossing(&self, [left_over, right_begins, right_over, left_begins]: [Option<u32>; 4]) -> (Kind, String) {
        let (Some(right_begins), Some(right_over), Some(left_begins)) = (right_begins, right_over, left_begins) else {
            unreachable!("only the initial value has no operation")
        };
        let begun = |place: u32| self.partition.entries[place as usize].invoked;
        let (old_over, new_begins, new_over, stale) = match left_over {
            Some(left_over) if begun(right_begins) > begun(left_begins) => {
                (Some(right_over), left_begins, left_over, right_begins)
            }
            _ => (left_over, right_begins, right_over, left_begins),
        };
        let (old, new) = (self.left_behind(stale), self.left_behind(new_over));
        let before = match old_over {
            Some(over) if over == stale => format!("{old} came before {new}"),
            Some(over) => format!(
                "{old} came before {new}: {} by {}, and {} only from {} on",
                self.partition.did(over),
                self.partition.over(over),
                self.partition.did(new_begins),
                self.partition.begun(new_begins)
            ),
            None => format!("{old} was there before all else"),
        };
        let text = format!(
            "{}, from {} to {}, although {} by {} and {before}. So {old} had been overwritten.",
            self.partition.did(stale),
            self.partition.begun(stale),
            self.partition.over(stale),
            self.partition.did(new_over),
            self.partition.over(new_over),
        );
        (if self.is_read(stale) { Kind::StaleRead } else { Kind::OrderViolation }, text)
    }
}
