//! Why one transaction must come before another, in words.

use super::facts::Facts;
use super::graph::registers::Registers;
use super::graph::timed::Timed;
use super::history::{KeyKind, Step, TransactionHistory};
use super::ids::{ElementId, KeyId, TxnId};
use super::report::{Cycle, CycleEdge, EdgeKind};
use super::search::FoundCycle;
use super::versions::Versions;
use super::words::Words;

/// Tells of cycles.
#[derive(Clone, Copy)]
pub(super) struct Explainer<'a> {
    pub(super) history: &'a TransactionHistory,
    pub(super) facts: &'a Facts,
    pub(super) versions: &'a Versions,
    /// Where the check came as far as that.
    pub(super) registers: Option<&'a Registers>,
    pub(super) words: Words<'a>,
}

/// Two transactions of a cycle, with their names in it.
#[derive(Clone, Copy)]
struct Pair<'a> {
    from: TxnId,
    to: TxnId,
    earlier: &'a str,
    later: &'a str,
}

impl Explainer<'_> {
    /// The cycle, and its story: "T1 < T2, because ...; T2 < T1, because ...: a contradiction." Of very long cycles only the
    /// beginning and the end are told, and they are not drawn.
    pub(super) fn cycle(&self, found: &FoundCycle) -> (Option<Cycle>, String) {
        const TOLD_MAX: usize = 64;
        let length = found.steps.len();
        let is_told = |from: usize| length <= TOLD_MAX || from < TOLD_MAX / 2 || from + 1 == length;
        let mut edges = Vec::new();
        let mut sentences = Vec::new();
        for (from, (id, kind)) in found.steps.iter().enumerate().filter(|(from, _)| is_told(*from)) {
            let to = (from + 1) % length;
            let (earlier, later) = (format!("T{}", from + 1), format!("T{}", to + 1));
            let pair = Pair { from: *id, to: found.steps[to].0, earlier: &earlier, later: &later };
            let (kind, key, why) = self.edge(pair, *kind);
            if to == 0 && length > TOLD_MAX {
                sentences.push(format!("And so on, through {length} transactions"));
            }
            sentences.push(format!("{earlier} < {later}, because {why}"));
            edges.push(CycleEdge { from, to, kind, key: key.map(|key| self.words.key(key)), why });
        }
        let story = format!("{}: a contradiction.", sentences.join(". "));
        let transactions = || found.steps.iter().map(|(id, _)| self.words.operation(*id)).collect();
        ((length <= TOLD_MAX).then(|| Cycle { transactions: transactions(), edges }), story)
    }

    fn edge(&self, pair: Pair<'_>, kind: EdgeKind) -> (EdgeKind, Option<KeyId>, String) {
        let Pair { from, to, earlier, later } = pair;
        let about = |found: Option<(KeyId, String)>| found.map(|(key, why)| (kind, Some(key), why));
        let found = match kind {
            EdgeKind::Ww => about(self.replaced(pair)),
            EdgeKind::Wr => about(self.read(pair)),
            EdgeKind::Rw => about(self.missed(pair)).or_else(|| self.timed(pair)),
            EdgeKind::Process => {
                Some((kind, None, format!("{} made {later} after {earlier} had come back", self.words.who(from))))
            }
            EdgeKind::Realtime => {
                let (over, begun) = (self.words.completed(from), self.words.invoked(to));
                Some((kind, None, format!("{earlier} came back at {over}, before {later} began at {begun}")))
            }
        };
        found.unwrap_or_else(|| (kind, None, format!("{later} depends on {earlier}")))
    }

    fn steps(&self, id: TxnId) -> impl Iterator<Item = &Step> {
        self.history.steps(id).iter()
    }

    /// The later one appended after the earlier one.
    fn replaced(&self, pair: Pair<'_>) -> Option<(KeyId, String)> {
        let Pair { from, to, earlier, later } = pair;
        for step in self.steps(to) {
            let Step::Append(element) = *step else { continue };
            let key = self.history.key_of(*step);
            let order = self.versions.order(self.history, key);
            let (last, is_unread) = match self.versions.place(element) {
                Some(0) => continue,
                Some(place) => (order[place - 1], false),
                None => match order.last() {
                    Some(last) => (*last, true),
                    None => continue,
                },
            };
            let Some((writer, before)) = self.versions.writer_until(last, self.facts) else { continue };
            if writer != from || self.facts.effective_writer(element) != Some(to) {
                continue;
            }
            let (old, new, name) = (self.words.value(before), self.words.value(element), self.words.key(key));
            let unread = if is_unread { ", as no read of it saw that yet" } else { "" };
            let why = format!("{later} appended {new} to {name} after {old}, which {earlier} appended{unread}");
            return Some((key, why));
        }
        None
    }

    /// The later one read what the earlier one wrote.
    fn read(&self, pair: Pair<'_>) -> Option<(KeyId, String)> {
        let Pair { from, to, earlier, later } = pair;
        for step in self.steps(to) {
            let key = self.history.key_of(*step);
            let (saw, name) = (self.words.seen(step), self.words.key(key));
            if let Step::ReadValue(value) = *step {
                if self.facts.effective_writer(value) == Some(from) {
                    return Some((key, format!("{later} read {saw} from {name}, which {earlier} wrote")));
                }
                continue;
            }
            let Some(last) = self.history.seen(step).and_then(<[ElementId]>::last).copied() else { continue };
            let direct = self.facts.effective_writer(last).map(|writer| (writer, last));
            let Some((writer, element)) = direct.or_else(|| self.versions.writer_until(last, self.facts)) else {
                continue;
            };
            if writer == from {
                let element = self.words.value(element);
                let why = format!("{later} read {saw} from {name}, with {element}, which {earlier} appended");
                return Some((key, why));
            }
        }
        None
    }

    /// The earlier one did not see what the later one wrote.
    fn missed(&self, pair: Pair<'_>) -> Option<(KeyId, String)> {
        self.steps(pair.from).find_map(|step| match self.history.keys[self.history.key_of(*step).index()].kind {
            KeyKind::List => self.missed_in_list(pair, step),
            KeyKind::Register => self.missed_in_register(pair, step),
            KeyKind::Unused => None,
        })
    }

    /// The earlier one read or wrote a value that real time puts before what the later one wrote.
    fn timed(&self, pair: Pair<'_>) -> Option<(EdgeKind, Option<KeyId>, String)> {
        let Pair { from, to, earlier, later } = pair;
        let timed = Timed { history: self.history, facts: self.facts, registers: self.registers? };
        for step in self.steps(from) {
            let (kind, did, old) = match *step {
                Step::ReadValue(old) => (EdgeKind::Rw, "read", old),
                Step::Write(old) => (EdgeKind::Ww, "wrote", old),
                _ => continue,
            };
            let key = self.history.key_of(*step);
            for other in self.steps(to) {
                let Step::Write(new) = *other else { continue };
                if self.history.key_of(*other) != key {
                    continue;
                }
                let Some((over, begun)) = timed.evidence(old, new) else { continue };
                let (old, new, name) = (self.words.value(old), self.words.value(new), self.words.key(key));
                let why = format!(
                    "{earlier} {did} {old} as the value of {name}, and {later} wrote {new} to it later: {} was done with \
                     {old}, or what directly followed it, at {}, before {} began at {} and wrote or saw {new}, or what \
                     directly followed it",
                    self.words.who(over),
                    self.words.completed(over),
                    self.words.who(begun),
                    self.words.invoked(begun)
                );
                return Some((kind, Some(key), why));
            }
        }
        None
    }

    fn missed_in_list(&self, pair: Pair<'_>, step: &Step) -> Option<(KeyId, String)> {
        let Pair { to, earlier, later, .. } = pair;
        let key = self.history.key_of(*step);
        let seen = self.history.seen(step)?;
        let order = self.versions.order(self.history, key);
        let is_missed =
            |element: &ElementId| self.facts.effective_writer(*element) == Some(to) && !seen.contains(element);
        let next = match seen.last() {
            Some(last) => self.versions.place(*last)? + 1,
            None => 0,
        };
        let following = order.get(next).and_then(|next| self.versions.writer_from(*next, self.facts));
        let (missed, fate) = match following {
            Some((writer, element)) if writer == to => (element, ""),
            Some(_) => return None,
            None => (self.versions.unread(key).find(is_missed)?, "; no read ever saw it"),
        };
        let (saw, missed, name) = (self.words.seen(step), self.words.value(missed), self.words.key(key));
        Some((key, format!("{earlier} read {saw} from {name}, without {missed}, which {later} appended{fate}")))
    }

    fn missed_in_register(&self, pair: Pair<'_>, step: &Step) -> Option<(KeyId, String)> {
        let Pair { to, earlier, later, .. } = pair;
        let key = self.history.key_of(*step);
        let mut first_read = None;
        for other in self.steps(to).filter(|other| self.history.key_of(**other) == key) {
            match (*other, *step) {
                (Step::Write(new), _) if !self.facts.is_final(new) => {}
                (Step::Write(new), Step::ReadNothing(_)) => {
                    let (new, name) = (self.words.value(new), self.words.key(key));
                    return Some((key, format!("{earlier} read nil from {name}, where {later} wrote {new}")));
                }
                (Step::Write(new), Step::ReadValue(old)) if first_read == Some(old) => {
                    let (old, new, name) = (self.words.value(old), self.words.value(new), self.words.key(key));
                    let why =
                        format!("{earlier} read {old} from {name}, which {later} read as well and replaced by {new}");
                    return Some((key, why));
                }
                (Step::ReadValue(old), _) => first_read = first_read.or(Some(old)),
                (Step::Write(new), Step::ReadValue(old)) if self.registers?.is_beginning(key, old) => {
                    let (old, new, name) = (self.words.value(old), self.words.value(new), self.words.key(key));
                    let why = format!(
                        "{earlier} read {old} from {name}, which goes back to nil without the {new} that {later} wrote"
                    );
                    return Some((key, why));
                }
                _ => {}
            }
        }
        None
    }
}
