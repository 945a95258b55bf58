//! No element of a set is lost.
//!
//! An element is *known* from the moment at which its add was acknowledged or a read that saw it came back, whichever was
//! first. A read that began later and does not show it *missed* it. Then the element is
//!
//! - **stable** if it was seen and never missed, or missed only by reads that were over before one began that saw it: then it
//!   is also **stale**;
//! - **lost** if a read missed it that began after all reads that saw it were over, if any;
//! - **dubious** if it was missed, but the reads that saw it overlap those that missed it, so that nobody can say which;
//! - **never read** if no read that began late enough looked for it and none saw it.
//!
//! The cost is linear in the size of what was read.

use rashomon_history::{Call, Outcome, Returned, Value};

use super::membership::{Element, Membership, NONE};
use super::report::{AnomalyKind, PropertyWhy};
use super::run::{Doubt, Halt, Run, completed, plain};
use super::story::{Story, duration};

pub(super) fn check(run: &mut Run<'_>, linearizable: bool) -> Result<Doubt, Halt> {
    const KINDS: [AnomalyKind; 6] = [
        AnomalyKind::Lost,
        AnomalyKind::Stale,
        AnomalyKind::Dubious,
        AnomalyKind::Duplicated,
        AnomalyKind::Unexpected,
        AnomalyKind::AbortedRead,
    ];
    for name in ["attempt", "acknowledged", "read", "stable", "never-read"] {
        run.count(name, 0);
    }
    for kind in KINDS {
        run.count(kind.name(), 0);
    }
    run.order_by_object()?;
    let mut sets = Membership::new();
    for place in 0..run.order.len() {
        run.step()?;
        read(run, &mut sets, run.order[place])?;
    }
    run.objects(sets.keys.len());
    sets.find_misses(run)?;
    sets.find_last_misses_over(run)?;
    let (mut stable_after, mut lost_after) = (Vec::new(), Vec::new());
    for number in 0..sets.elements.len() {
        run.step()?;
        let element = &sets.elements[number];
        tell_strange(run, element);
        match element.fate(run) {
            Fate::Unknown => {}
            Fate::NeverRead => run.count("never-read", 1),
            Fate::Stable { after_ns } => {
                run.count("stable", 1);
                run.push(&mut stable_after, after_ns)?;
                if element.missed != NONE {
                    tell_missed(run, element, AnomalyKind::Stale, linearizable);
                }
            }
            Fate::Dubious => tell_missed(run, element, AnomalyKind::Dubious, linearizable),
            Fate::Lost { after_ns } => {
                run.push(&mut lost_after, after_ns)?;
                tell_lost(run, element);
            }
        }
    }
    run.latencies("stable", stable_after);
    run.latencies("lost", lost_after);
    Ok(doubt(run))
}

fn read<'a>(run: &mut Run<'a>, sets: &mut Membership<'a>, position: u32) -> Result<(), Halt> {
    let operation = run.operation(position);
    match (&operation.call, &operation.outcome) {
        (Call::Add { key, value }, outcome) => {
            run.count("attempt", u64::from(!matches!(outcome, Outcome::Fail(_))));
            run.count("acknowledged", u64::from(matches!(outcome, Outcome::Ok(_))));
            sets.put(run, key, value, position)
        }
        (Call::Read { .. } | Call::Contains { .. }, Outcome::Fail(_) | Outcome::Info(_)) => Ok(()),
        (call, Outcome::Ok(returned)) => {
            run.count("read", 1);
            match (call, plain(returned)) {
                (Call::Read { key }, Returned::List(values)) => sets.saw_all(run, key, values, position),
                (Call::Read { key }, Returned::Value(Value::Nil)) => sets.saw_all(run, key, &[], position),
                (Call::Contains { key, value }, Returned::Flag(is_there)) => {
                    sets.looked_for(run, key, value, *is_there, position)
                }
                _ => Err(Halt::NotOfTheProperty(position)),
            }
        }
        _ => Err(Halt::NotOfTheProperty(position)),
    }
}

/// What became of an element.
enum Fate {
    /// Nobody knows whether it was ever there.
    Unknown,
    NeverRead,
    /// Seen by all that began later than this after it was known.
    Stable {
        after_ns: u64,
    },
    Dubious,
    /// Seen by nobody who began later than this after it was known.
    Lost {
        after_ns: u64,
    },
}

impl Element<'_> {
    fn fate(&self, run: &Run<'_>) -> Fate {
        if self.known == NONE {
            return Fate::Unknown;
        }
        let after_ns = |position: u32| if position == NONE { 0 } else { self.age_ns(run, position) };
        if self.is_lost(run) {
            Fate::Lost { after_ns: after_ns(self.last_seen) }
        } else if self.last_seen == NONE {
            Fate::NeverRead
        } else if self.missed == NONE || self.missed_over < run.operation(self.last_seen).invoke_index {
            Fate::Stable { after_ns: after_ns(self.missed) }
        } else {
            Fate::Dubious
        }
    }
}

/// What can be wrong with an element whatever became of it.
fn tell_strange(run: &mut Run<'_>, element: &Element<'_>) {
    let Element { value, put, failed, first_seen, twice, .. } = *element;
    if twice != NONE {
        let key = run.operation(twice).call.key();
        run.violation(AnomalyKind::Duplicated, key, &[twice], |story| {
            format!("{}, with {value} in it more than once.", story.whole(twice))
        });
    }
    if first_seen == NONE {
        return;
    }
    let over = completed(run.operation(first_seen));
    let key = run.operation(first_seen).call.key();
    let is_in_time = |put: u32| put != NONE && run.operation(put).invoke_index <= over;
    if is_in_time(put) {
        return;
    }
    if is_in_time(failed) {
        run.violation(AnomalyKind::AbortedRead, key, &[failed, first_seen], |story| {
            format!("{}, with {value} in it; but {}.", story.whole(first_seen), story.whole(failed))
        });
    } else {
        run.violation(AnomalyKind::Unexpected, key, &[first_seen], |story| {
            format!("{}, although nobody had tried to add {value} by then.", story.whole(first_seen))
        });
    }
}

/// An element that a read missed, and that was seen later or meanwhile.
fn tell_missed(run: &mut Run<'_>, element: &Element<'_>, kind: AnomalyKind, linearizable: bool) {
    let Element { known, missed, last_seen, .. } = *element;
    let key = run.operation(known).call.key();
    let age_ns = element.age_ns(run, missed);
    let explain = |story: Story<'_>| {
        let later = match kind {
            AnomalyKind::Dubious => "whether it was there afterwards can't be said",
            _ => "later it was there",
        };
        let was = tell_miss(story, element);
        format!("{was}, {} after it was known to be there; {later}: {}.", duration(age_ns), story.whole(last_seen))
    };
    if linearizable {
        run.violation(kind, key, &[known, missed], explain);
    } else {
        run.remark(kind, key, &[known, missed, last_seen], explain);
    }
}

fn tell_lost(run: &mut Run<'_>, element: &Element<'_>) {
    let Element { known, missed, last_seen, .. } = *element;
    let key = run.operation(known).call.key();
    run.violation(AnomalyKind::Lost, key, &[known, missed], |story| {
        let was = tell_miss(story, element);
        let seen = match last_seen {
            NONE => "No read ever saw it.".to_owned(),
            seen if seen == known => "No read saw it afterwards.".to_owned(),
            seen => format!("The last that saw it: {}.", story.whole(seen)),
        };
        format!("{was}. {seen}")
    });
}

/// "process 1 added 7 to s, from 0.001 s to 0.002 s; but process 2 read [] from s, from 0.003 s to 0.004 s, without 7"
fn tell_miss(story: Story<'_>, element: &Element<'_>) -> String {
    let Element { value, known, missed, .. } = *element;
    format!("{}; but {}, without {value}", story.whole(known), story.whole(missed))
}

fn doubt(run: &Run<'_>) -> Doubt {
    let dubious = run.counted(AnomalyKind::Dubious.name());
    if run.counted("read") == 0 {
        Some(PropertyWhy::nothing("nobody read"))
    } else if run.counted("stable") == 0 && dubious == 0 {
        Some(PropertyWhy::nothing("no element was both acknowledged and looked for afterwards"))
    } else if dubious > 0 {
        Some(PropertyWhy::undecided(format!(
            "{dubious} elements may be lost: the last reads that missed them overlap those that saw them; a read at the \
             end, when nothing else goes on, would help"
        )))
    } else {
        None
    }
}
