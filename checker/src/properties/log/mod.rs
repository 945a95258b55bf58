//! Logs with consumers, such as those of Kafka: what was sent is polled, once, in order, and by everybody alike.
//!
//! A log gives every record an offset; offsets may be left out, but never stand for two values. A process that polls goes
//! through a log without leaving out a record, until it assigns itself logs anew. A record that was acknowledged, and that
//! lies before what some poll came to, was polled by somebody, or it is lost.

mod polls;
mod records;

use rashomon_history::{Call, Key, Outcome, Returned};

use super::report::{AnomalyKind, PropertyWhy};
use super::run::{Doubt, Halt, Numbers, Run, plain};
use polls::Polls;
use records::Records;

pub(super) fn check(run: &mut Run<'_>) -> Result<Doubt, Halt> {
    const KINDS: [AnomalyKind; 9] = [
        AnomalyKind::InconsistentOffset,
        AnomalyKind::Lost,
        AnomalyKind::Duplicated,
        AnomalyKind::Unexpected,
        AnomalyKind::AbortedRead,
        AnomalyKind::PollSkip,
        AnomalyKind::NonmonotonicPoll,
        AnomalyKind::NonmonotonicSend,
        AnomalyKind::Unseen,
    ];
    for name in ["attempt", "acknowledged", "acknowledged-polled", "poll", "record"] {
        run.count(name, 0);
    }
    for kind in KINDS {
        run.count(kind.name(), 0);
    }
    let mut records = Records::new();
    let mut polls = Polls::new();
    let mut sends = Sends { streams: Numbers::new(), last: Vec::new() };
    for place in 0..run.order.len() {
        run.step()?;
        let position = run.order[place];
        let operation = run.operation(position);
        match (&operation.call, &operation.outcome) {
            (Call::Send { key, value }, outcome) => {
                let offset = match outcome {
                    Outcome::Ok(returned) => match plain(returned) {
                        Returned::Offset(offset) => Some(*offset),
                        Returned::Done => None,
                        _ => return Err(Halt::NotOfTheProperty(position)),
                    },
                    Outcome::Fail(_) | Outcome::Info(_) => None,
                };
                let log = records.send(run, key, value, offset, position)?;
                if let Some(offset) = offset {
                    sends.hold_against(run, log, key, offset, position)?;
                }
            }
            (Call::Assign { .. }, Outcome::Ok(_)) => polls.assign(run, position)?,
            (Call::Poll { .. }, Outcome::Ok(returned)) => {
                let Returned::Records(polled) = plain(returned) else { return Err(Halt::NotOfTheProperty(position)) };
                run.count("poll", 1);
                for record in polled {
                    run.step()?;
                    run.count("record", 1);
                    let slot = records.poll(run, record, position)?;
                    polls.poll(run, slot, position)?;
                }
            }
            (Call::Assign { .. } | Call::Poll { .. }, Outcome::Fail(_) | Outcome::Info(_)) => {}
            _ => return Err(Halt::NotOfTheProperty(position)),
        }
    }
    run.objects(records.logs());
    records.check_values(run)?;
    records.check_lost(run)?;
    let ranks = records.ranks(run)?;
    polls.check(run, &records, &ranks)?;
    Ok(doubt(run))
}

fn doubt(run: &Run<'_>) -> Doubt {
    let reason = if run.counted("acknowledged") == 0 {
        "no send was acknowledged"
    } else if run.counted("record") == 0 {
        "no poll brought a record"
    } else if run.counted("acknowledged-polled") == 0 {
        "no acknowledged record was polled"
    } else {
        return None;
    };
    Some(PropertyWhy::nothing(reason))
}

/// The last offset that each process was told for a record that it sent to a log.
struct Sends {
    streams: Numbers<(u64, usize)>,
    last: Vec<(u64, u32)>,
}

impl Sends {
    fn hold_against(
        &mut self,
        run: &mut Run<'_>,
        log: usize,
        key: &Key,
        offset: u64,
        position: u32,
    ) -> Result<(), Halt> {
        let stream = self.streams.number(run, (run.operation(position).process.0, log))?;
        if stream == self.last.len() {
            return run.push(&mut self.last, (offset, position));
        }
        let (before, earlier) = std::mem::replace(&mut self.last[stream], (offset, position));
        if offset <= before {
            run.violation(AnomalyKind::NonmonotonicSend, Some(key), &[earlier, position], |story| {
                let (earlier, later) = (story.whole(earlier), story.whole(position));
                format!("{earlier}; then {later}: not behind the earlier record.")
            });
        }
        Ok(())
    }
}
