//! What is wrong with a list or a set, in plain sentences.

use rashomon_history::{Call, Returned, Value};

use super::words;
use crate::fast::Clash;
use crate::growth::GrowthClash;
use crate::operation::Partition;
use crate::witness::Kind;

/// The contradiction, with its story.
pub(super) fn tell_clash(clash: &GrowthClash, partition: &Partition<'_, Call, Returned>) -> Clash {
    let story = Story { partition };
    let (kind, explanation) = match *clash {
        GrowthClash::NeverPut { read, index } => story.never_put(read, index),
        GrowthClash::Twice { read, put } => story.twice(read, put),
        GrowthClash::Apart { left, right, left_put, right_put } => story.apart(left, right, left_put, right_put),
        GrowthClash::Backwards { earlier, later, put, read } => story.backwards(earlier, later, put, read),
    };
    Clash { kind, operations: clash.operations(), explanation }
}

struct Story<'a> {
    partition: &'a Partition<'a, Call, Returned>,
}

impl Story<'_> {
    fn element(&self, place: u32) -> Option<&Value> {
        words::written(self.partition.entries[place as usize].call, None)
    }

    /// The element that the operation put, for people.
    fn name(&self, place: u32) -> String {
        self.element(place).map_or_else(String::new, ToString::to_string)
    }

    fn seen(&self, place: u32) -> &[Value] {
        match self.partition.entries[place as usize].returned {
            Some(Returned::List(values)) => values,
            _ => &[],
        }
    }

    fn never_put(&self, read: u32, index: usize) -> (Kind, String) {
        let element = &self.seen(read)[index];
        let (from, to) = (self.partition.begun(read), self.partition.over(read));
        (
            Kind::NeverWritten,
            format!("{}, from {from} to {to}, although nobody ever put {element} there.", self.partition.did(read)),
        )
    }

    fn twice(&self, read: u32, put: u32) -> (Kind, String) {
        let element = self.name(put);
        let text = format!(
            "{}, with {element} in it twice, although only {}, once.",
            self.partition.did(read),
            self.partition.did(put)
        );
        (Kind::Duplicate, text)
    }

    fn apart(&self, left: u32, right: u32, left_put: u32, right_put: u32) -> (Kind, String) {
        let text = format!(
            "{}, by which {} came before {}; but {}, by which {} came before {}.",
            self.partition.did(left),
            self.name(left_put),
            self.name(right_put),
            self.partition.did(right),
            self.name(right_put),
            self.name(left_put),
        );
        (Kind::IncompatibleReads, text)
    }

    fn backwards(&self, earlier: u32, later: u32, put: Option<u32>, read: Option<u32>) -> (Kind, String) {
        let (begun, over) = (self.partition.begun(earlier), self.partition.over(later));
        match (self.element(earlier), self.element(later)) {
            // A read that misses an element whose put was over.
            (None, Some(element)) => {
                let seen_later = self
                    .partition
                    .iter()
                    .any(|entry| matches!(entry.returned, Some(Returned::List(seen)) if seen.contains(element)));
                let kind = if seen_later { Kind::StaleRead } else { Kind::LostWrite };
                let fate = if seen_later { "" } else { " No read ever saw it." };
                let text = format!(
                    "{}, which came back at {over}, but {} from {begun} on, without {element}.{fate}",
                    self.partition.did(later),
                    self.partition.did(earlier)
                );
                (kind, text)
            }
            (Some(element), None) => {
                let text = format!(
                    "{}, which came back at {over}, before {} from {begun} on: {element} was seen too early.",
                    self.partition.did(later),
                    self.partition.did(earlier)
                );
                (Kind::ReadBeforeWrite, text)
            }
            (None, None) => {
                let element = put.map_or_else(String::new, |put| self.name(put));
                let text = format!(
                    "{} by {over}, with {element} in it, but {} from {begun} on, without {element}.",
                    self.partition.did(later),
                    self.partition.did(earlier)
                );
                (Kind::StaleRead, text)
            }
            (Some(first), Some(second)) => {
                let shown = read.map_or_else(String::new, |read| {
                    format!(" But {}, by which {first} came before {second}.", self.partition.did(read))
                });
                let text = format!(
                    "{} by {over}, before {} from {begun} on.{shown}",
                    self.partition.did(later),
                    self.partition.did(earlier)
                );
                (Kind::OrderViolation, text)
            }
        }
    }
}
