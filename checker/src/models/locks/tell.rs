//! What is wrong with a lock, in plain sentences.

use rashomon_history::{Call, Returned};

use super::{Rules, Step};
use crate::fast::Clash;
use crate::locks::{LockClash, LockContradiction, LockRules};
use crate::operation::Partition;
use crate::witness::Kind;

/// The contradiction, with its story.
pub(super) fn tell_clash(clash: &LockClash, rules: Rules, partition: &Partition<'_, Call, Returned>) -> Clash {
    let story = Story { partition, rules };
    let (kind, explanation) = match &clash.contradiction {
        LockContradiction::TooMany { holds } => story.too_many(holds),
        LockContradiction::NoRoom { hold, others } => story.no_room(*hold, others),
        LockContradiction::HeldAlready { held, again } => story.held_already(held, *again),
        LockContradiction::NotHeld { release } => story.not_held(*release),
        LockContradiction::TokenChanged { first, again } => story.token_changed(*first, *again),
        LockContradiction::TokenReused { first, second, .. } => story.token_reused(*first, *second),
        LockContradiction::TokenOrder { smaller, end, larger } => story.token_order((*smaller, *end), *larger),
        LockContradiction::NotInTurn { stuck, acquired, may_have_acquired, released, may_have_released } => {
            let acquires = (*acquired, *may_have_acquired);
            story.not_in_turn(*stuck, acquires, (*released, *may_have_released))
        }
    };
    Clash { kind, operations: clash.operations.clone(), explanation }
}

struct Story<'a> {
    partition: &'a Partition<'a, Call, Returned>,
    rules: Rules,
}

/// The first and the last operation of a hold.
type Hold = (u32, Option<u32>);

impl Story<'_> {
    fn step(&self, place: u32) -> Option<Step<'_>> {
        let entry = &self.partition.entries[place as usize];
        Step::new(entry.call, entry.returned)
    }

    fn owner(&self, place: u32) -> String {
        self.step(place).map_or(String::new(), |step| step.owner.to_string())
    }

    fn token(&self, place: u32) -> String {
        self.step(place).and_then(|step| step.token).map_or("no token".into(), |token| format!("token {token}"))
    }

    /// When the owner began to give it back.
    fn fate(&self, end: Option<u32>) -> String {
        match end {
            Some(end) => format!("released it only from {} on", self.partition.begun(end)),
            None => "never released it".into(),
        }
    }

    /// "process 3 acquired l for 3 by 0.2 s and released it only from 0.7 s on"
    fn held(&self, (first, end): Hold) -> String {
        format!("{} by {} and {}", self.partition.did(first), self.partition.over(first), self.fate(end))
    }

    /// What it is to have too much.
    fn excess(&self) -> (Kind, String) {
        match self.rules {
            Rules::Owned(LockRules::Semaphore { permits }) => {
                (Kind::TooManyPermits, format!("more than the {permits} permits that there are"))
            }
            Rules::Ownerless | Rules::Owned(LockRules::Exclusive { .. }) => {
                (Kind::DoubleGrant, "two owners at once".into())
            }
        }
    }

    fn too_many(&self, holds: &[Hold]) -> (Kind, String) {
        let (kind, excess) = self.excess();
        if let [(first, _)] = holds {
            return (kind, format!("{}, {excess}.", self.partition.did(*first)));
        }
        let told: Vec<String> = holds.iter().map(|hold| self.held(*hold)).collect();
        let last =
            holds.iter().map(|(first, _)| *first).max_by_key(|first| self.partition.entries[*first as usize].completed);
        let when = last.map_or(String::new(), |last| self.partition.over(last));
        (kind, format!("{}. So at {when} they held {excess}.", told.join("; ")))
    }

    fn no_room(&self, (acquire, release): (u32, u32), others: &[Hold]) -> (Kind, String) {
        let (kind, excess) = self.excess();
        let known = if self.partition.entries[release as usize].is_optional() { acquire } else { release };
        let later = [acquire, release].into_iter().max_by_key(|place| self.partition.entries[*place as usize].invoked);
        let from = self.partition.begun(later.unwrap_or(known));
        let owner = self.owner(release);
        let told = format!(
            "{} and {}, so {owner} held it at some moment from {from} to {}",
            self.partition.did(acquire),
            self.partition.did(release),
            self.partition.over(known)
        );
        if others.is_empty() {
            return (kind, format!("{told}: {excess}."));
        }
        let others: Vec<String> = others.iter().map(|hold| self.held(*hold)).collect();
        (kind, format!("{told}. But all that time: {}. That makes {excess}.", others.join("; ")))
    }

    fn held_already(&self, held: &[u32], again: u32) -> (Kind, String) {
        let told: Vec<String> = held
            .iter()
            .map(|place| format!("{} by {}", self.partition.did(*place), self.partition.over(*place)))
            .collect();
        let limit = match held.len() {
            1 => "held it already".into(),
            count => format!("held it {count} times already, which is the limit"),
        };
        let text = format!(
            "{}, from {} to {}, although {} {limit} and had not released it: {}.",
            self.partition.did(again),
            self.partition.begun(again),
            self.partition.over(again),
            self.owner(again),
            told.join("; ")
        );
        (if held.len() == 1 { Kind::DoubleGrant } else { Kind::TooManyPermits }, text)
    }

    fn not_held(&self, release: u32) -> (Kind, String) {
        let text = format!(
            "{}, from {} to {}, although {} had nothing left to release then.",
            self.partition.did(release),
            self.partition.begun(release),
            self.partition.over(release),
            self.owner(release)
        );
        (Kind::ForeignRelease, text)
    }

    fn token_changed(&self, first: u32, again: u32) -> (Kind, String) {
        let text = format!(
            "{} by {}, and then {}, from {} to {}, without a release between: the {} of the hold became {}.",
            self.partition.did(first),
            self.partition.over(first),
            self.partition.did(again),
            self.partition.begun(again),
            self.partition.over(again),
            self.token(first),
            self.token(again)
        );
        (Kind::TokenChanged, text)
    }

    fn token_reused(&self, first: u32, second: u32) -> (Kind, String) {
        let text = format!(
            "{}, and {}: two holds have the same token.",
            self.partition.did(first),
            self.partition.did(second)
        );
        (Kind::TokenReused, text)
    }

    fn token_order(&self, (smaller, end): Hold, larger: u32) -> (Kind, String) {
        let entries = &self.partition.entries;
        let text = if entries[larger as usize].precedes(&entries[smaller as usize]) {
            format!(
                "{} by {}, and {} only from {} on: the later hold has the smaller token.",
                self.partition.did(larger),
                self.partition.over(larger),
                self.partition.did(smaller),
                self.partition.begun(smaller)
            )
        } else {
            format!(
                "{} and {}, but {} by {} with a larger token, which is for a later hold.",
                self.partition.did(smaller),
                self.fate(end),
                self.partition.did(larger),
                self.partition.over(larger)
            )
        };
        (Kind::TokenNotMonotone, text)
    }

    fn not_in_turn(&self, stuck: u32, acquires: (usize, usize), releases: (usize, usize)) -> (Kind, String) {
        let (did, over) = (self.partition.did(stuck), self.partition.over(stuck));
        if acquires.0 > releases.1 + 1 {
            let text = format!(
                "{did} by {over}. By then it was acquired {} times since it was last certainly free, but at most {} \
                 releases had begun: there were two holders at once.",
                acquires.0, releases.1
            );
            return (Kind::DoubleGrant, text);
        }
        if releases.0 > acquires.1 {
            let text = format!(
                "{did} by {over}. By then it was released {} times since it was last certainly free, but at most {} \
                 acquires had begun: nobody held it.",
                releases.0, acquires.1
            );
            return (Kind::ForeignRelease, text);
        }
        let text = format!(
            "{did} by {over}, but in no order of the acquires and releases that had begun by then does its turn come."
        );
        (Kind::NotLinearizable, text)
    }
}
