//! What Jepsen's nemesis tells. Its events are all `:info`, first what it is about to do, then that it is done; what they
//! mean stands only in their names.

use crate::read::op::Op;
use crate::{FaultPhase, NemesisEvent, TimeNs};

/// For people: longer details are cut.
const MOST_DETAIL: usize = 200;

/// Which faults have begun and not ended.
#[derive(Default)]
pub(crate) struct NemesisStory {
    open: Vec<(String, u64)>,
    next_fault: u64,
    /// What the nemesis is about to do.
    pending: Option<String>,
}

enum Meaning<'a> {
    Begin(&'a str),
    End(&'a str),
}

impl NemesisStory {
    /// The event, where it is the begin or the end of a fault. Position and time are to be set.
    pub(crate) fn event(&mut self, op: &Op<'_>) -> Option<NemesisEvent> {
        let name = op.f.name()?;
        let is_done = self.pending.take_if(|pending| pending == name).is_some();
        if !is_done {
            self.pending = Some(name.into());
        }
        let (phase, kind, fault) = match (self.meaning(name)?, is_done) {
            // A fault bites from when it is asked for, and is over when that is done.
            (Meaning::Begin(kind), false) => {
                let fault = self.next_fault;
                self.next_fault += 1;
                self.open.push((kind.into(), fault));
                (FaultPhase::Begin, kind.to_owned(), fault)
            }
            (Meaning::End(kind), true) => {
                let kind = kind.to_owned();
                let position = self.open.iter().rposition(|(open, _)| *open == kind)?;
                let (kind, fault) = self.open.remove(position);
                (FaultPhase::End, kind, fault)
            }
            (Meaning::Begin(_), true) | (Meaning::End(_), false) => return None,
        };
        let detail = if op.value.is_nil() { String::new() } else { op.value.to_string() };
        let detail = detail.chars().take(MOST_DETAIL).collect();
        Some(NemesisEvent { index: 0, time: TimeNs(0), fault, f: kind, phase, detail })
    }

    fn meaning<'a>(&self, name: &'a str) -> Option<Meaning<'a>> {
        let is_open = |kind: &str| self.open.iter().any(|(open, _)| open == kind);
        Some(match name {
            "kill" | "pause" | "partition" => Meaning::Begin(name),
            // The combined nemesis starts again what it killed, others start their fault.
            "start" if is_open("kill") => Meaning::End("kill"),
            "resume" => Meaning::End("pause"),
            "heal" => Meaning::End("partition"),
            "start" => Meaning::Begin("nemesis"),
            "stop" => Meaning::End("nemesis"),
            "bump-clock" | "strobe-clock" | "bump" | "strobe" if !is_open("clock") => Meaning::Begin("clock"),
            "reset-clock" | "reset" => Meaning::End("clock"),
            _ => match (name.strip_prefix("start-"), name.strip_prefix("stop-")) {
                (Some(kind), _) => Meaning::Begin(kind),
                (_, Some(kind)) => Meaning::End(kind),
                (None, None) => return None,
            },
        })
    }
}
