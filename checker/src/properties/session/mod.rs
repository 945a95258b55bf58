//! The four guarantees that a session has from its store (Terry et al., "Session guarantees for weakly consistent
//! replicated data", 1994), object by object. A session is a process.
//!
//! - **read your writes**: a read sees no version older than the session wrote;
//! - **monotonic reads**: nor one older than it read;
//! - **monotonic writes**: a later write of the session makes a later version;
//! - **writes follow reads**: a write makes a later version than those that its session had read.
//!
//! They are decided where the order of an object's versions is known, see [`versions`].

mod versions;

use rashomon_history::{Key, Outcome};

use super::report::{AnomalyKind, PropertyWhy};
use super::run::{Doubt, Halt, Numbers, Run};
use versions::{Version, Versions, accesses};

/// The newest version that a session read or wrote of an object, and with which operation.
#[derive(Clone, Copy)]
struct Newest {
    version: Version,
    position: u32,
}

/// What a session did with one object.
#[derive(Clone, Copy, Default)]
struct Past {
    read: Option<Newest>,
    wrote: Option<Newest>,
}

const GUARANTEES: [AnomalyKind; 4] = [
    AnomalyKind::ReadYourWrites,
    AnomalyKind::MonotonicReads,
    AnomalyKind::MonotonicWrites,
    AnomalyKind::WritesFollowReads,
];

/// How often each guarantee could have been broken.
fn checked(guarantee: AnomalyKind) -> &'static str {
    match guarantee {
        AnomalyKind::ReadYourWrites => "read-your-writes-checked",
        AnomalyKind::MonotonicReads => "monotonic-reads-checked",
        AnomalyKind::MonotonicWrites => "monotonic-writes-checked",
        _ => "writes-follow-reads-checked",
    }
}

pub(super) fn check(run: &mut Run<'_>) -> Result<Doubt, Halt> {
    for guarantee in GUARANTEES {
        run.count(guarantee.name(), 0);
        run.count(checked(guarantee), 0);
    }
    for name in ["read", "write", "without-version", "objects-without-order"] {
        run.count(name, 0);
    }
    let versions = Versions::of(run)?;
    let mut sessions: Numbers<(u64, usize)> = Numbers::new();
    let mut pasts: Vec<Past> = Vec::new();
    for place in 0..run.order.len() {
        let position = run.order[place];
        let operation = run.operation(position);
        if !matches!(operation.outcome, Outcome::Ok(_)) {
            continue;
        }
        for access in accesses(operation, position)? {
            run.step()?;
            let (key, is_write) = (access.key(), access.is_write());
            run.count(if is_write { "write" } else { "read" }, 1);
            let Some(object) = versions.object(key) else { continue };
            let Some(version) = versions.version(object, &access) else {
                run.count("without-version", 1);
                continue;
            };
            let session = sessions.number(run, (operation.process.0, object))?;
            if session == pasts.len() {
                run.push(&mut pasts, Past::default())?;
            }
            let newest = Newest { version, position };
            let past = pasts[session];
            if is_write {
                hold_against(run, AnomalyKind::MonotonicWrites, key, past.wrote, newest);
                hold_against(run, AnomalyKind::WritesFollowReads, key, past.read, newest);
                pasts[session].wrote = newer(past.wrote, newest);
            } else {
                hold_against(run, AnomalyKind::ReadYourWrites, key, past.wrote, newest);
                hold_against(run, AnomalyKind::MonotonicReads, key, past.read, newest);
                pasts[session].read = newer(past.read, newest);
            }
        }
    }
    run.objects(versions.objects());
    Ok(doubt(run, &versions))
}

fn newer(past: Option<Newest>, newest: Newest) -> Option<Newest> {
    past.filter(|past| past.version >= newest.version).or(Some(newest))
}

/// Whether the guarantee holds between the newest earlier access of its kind and this one.
fn hold_against(run: &mut Run<'_>, guarantee: AnomalyKind, key: &Key, past: Option<Newest>, now: Newest) {
    let Some(past) = past else { return };
    if (past.version, now.version) == (Version::Unseen, Version::Unseen) {
        // Nobody knows their order.
        return;
    }
    run.count(checked(guarantee), 1);
    let is_kept = match guarantee {
        AnomalyKind::ReadYourWrites | AnomalyKind::MonotonicReads => now.version >= past.version,
        _ => now.version > past.version,
    };
    if is_kept {
        return;
    }
    run.violation(guarantee, Some(key), &[past.position, now.position], |story| {
        let (earlier, later) = (story.whole(past.position), story.whole(now.position));
        let clash = match (past.version, guarantee) {
            (Version::Number(_), _) => format!("version {} of {key} after version {}", now.version, past.version),
            (Version::Unseen, AnomalyKind::ReadYourWrites) => "without what the process had put there".to_owned(),
            (Version::Unseen, _) => "which was seen, and what the process had put there before never was".to_owned(),
        };
        format!("{earlier}; then {later}: {clash}.")
    });
}

fn doubt(run: &Run<'_>, versions: &Versions<'_>) -> Doubt {
    let without_order = run.counted("objects-without-order");
    if without_order > 0 {
        let name = versions.first_without_order().map_or(String::new(), ToString::to_string);
        return Some(PropertyWhy::undecided(format!(
            "the order of versions is not known for {without_order} of {} objects, {name} among them",
            versions.objects()
        )));
    }
    let compared: u64 = GUARANTEES.iter().map(|guarantee| run.counted(checked(*guarantee))).sum();
    (compared == 0).then(|| PropertyWhy::nothing("no process came to one object twice with versions that are known"))
}
