//! What an entry may change, and what holds in every state.

use std::collections::BTreeSet;

use rashomon_history::Key;

use super::shape::{Held, Shape};
use crate::lock::command::{Action, Answer, Command};
use crate::lock::machine::LockMachine;
use crate::lock::session::SessionId;

/// A promise that was seen broken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Broken {
    /// Its stable name.
    pub(super) name: &'static str,
    /// What was seen.
    pub(super) text: String,
}

impl Broken {
    pub(super) fn new(name: &'static str, text: String) -> Self {
        Self { name, text }
    }
}

type Checked = Result<(), Broken>;

/// What holds in every state of every member.
pub(super) fn state(machine: &LockMachine) -> Checked {
    for (key, lock) in machine.locks() {
        let held: u64 = if lock.of == 1 {
            lock.holds.len() as u64
        } else {
            lock.holds.values().map(|hold| u64::from(hold.permits)).sum()
        };
        if held > lock.of.into() {
            let text = format!("{held} of {} permits of {key} are held, by {}", lock.of, names(lock.holds.keys()));
            return Err(Broken::new("mutual-exclusion", text));
        }
        if held != u64::from(lock.in_use) {
            let text = format!("{held} permits of {key} are held, but {} are counted", lock.in_use);
            return Err(Broken::new("permits-counted", text));
        }
        if let Some(dead) = lock.holds.keys().find(|session| !machine.is_open(**session)) {
            return Err(Broken::new("holder-alive", format!("{dead} holds {key}, but is over")));
        }
        for waiter in &lock.queue {
            let (session, sequence) = (waiter.session, waiter.sequence);
            let outcome = machine.outcome(session, sequence);
            if !matches!(outcome, Some(Answer::Waiting { .. })) {
                let text = format!(
                    "the acquire {sequence} of {session} waits for {key}, but was told otherwise, or nobody waits for its \
                     answer"
                );
                return Err(Broken::new("no-orphan", text));
            }
        }
        if let Some(first) = lock.queue.front()
            && (lock.reenters(first.session) || lock.fits(first.permits))
        {
            let text = format!("{} waits for {key}, although enough of it is free", first.session);
            return Err(Broken::new("woken", text));
        }
    }
    Ok(())
}

fn names<'a>(sessions: impl Iterator<Item = &'a SessionId>) -> String {
    sessions.map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// What one entry did. Answers how many holds began.
pub(super) fn change(before: &Shape, after: &Shape, command: &Command, highest_token: &mut u64) -> Result<u64, Broken> {
    for (at, held) in &before.holds {
        kept(at, *held, after, command)?;
    }
    let begun = after.holds.iter().filter(|(at, held)| before.holds.get(*at).is_none_or(|old| old.token != held.token));
    let mut tokens = BTreeSet::new();
    for ((key, session), held) in begun {
        if held.token <= *highest_token || !tokens.insert(held.token) {
            let text = format!("{session} got token {} for {key}, after {highest_token} was given out", held.token);
            return Err(Broken::new("token-grows", text));
        }
        asked_for(before, after, key, *session, command)?;
    }
    *highest_token = tokens.last().copied().unwrap_or(*highest_token);
    for (at, held) in &after.holds {
        if let Some(old) = before.holds.get(at).filter(|old| old.token == held.token && old.permits < held.permits) {
            grew(before, at, *old, *held, command)?;
        }
    }
    for (key, queue) in &before.queues {
        in_order(before, after, key, queue)?;
    }
    Ok(tokens.len() as u64)
}

/// A hold ends, or becomes smaller, by a release of its session, or with its session.
fn kept(at: &(Key, SessionId), held: Held, after: &Shape, command: &Command) -> Checked {
    let (key, session) = at;
    let left = after.holds.get(at).filter(|now| now.token == held.token).map_or(0, |now| now.permits);
    if left >= held.permits || !after.sessions.contains(session) {
        return Ok(());
    }
    let gave = if let Command::InSession { session: by, action: Action::Release { key: of, permits }, .. } = command
        && (by, of) == (session, key)
    {
        *permits
    } else {
        0
    };
    if held.permits - left == gave {
        return Ok(());
    }
    let text = format!(
        "{session} held {} of {key} under token {}, and then {left}, although it released {gave}: {command:?}",
        held.permits, held.token
    );
    Err(Broken::new("release-by-owner", text))
}

/// A hold begins for one that waited, or for one that asks while nobody waits.
fn asked_for(before: &Shape, after: &Shape, key: &Key, session: SessionId, command: &Command) -> Checked {
    let no_queue = Vec::new();
    let queue = before.queues.get(key).unwrap_or(&no_queue);
    if queue.iter().any(|(waiting, _)| *waiting == session) {
        return Ok(());
    }
    let asks = matches!(command, Command::InSession { session: by, action: Action::Acquire { key: of, .. }, .. }
        if *by == session && of == key);
    if !asks {
        return Err(Broken::new(
            "granted-to-asker",
            format!("{session} got {key}, which it did not ask for: {command:?}"),
        ));
    }
    let waits_on = after.queues.get(key).unwrap_or(&no_queue);
    match queue.iter().find(|waits| waits_on.contains(waits)) {
        Some((first, _)) => {
            let text = format!("{session} got {key} at once, although {first} waits for it");
            Err(Broken::new("granted-in-order", text))
        }
        None => Ok(()),
    }
}

/// A hold grows by what its session asks for, once.
fn grew(before: &Shape, at: &(Key, SessionId), old: Held, new: Held, command: &Command) -> Checked {
    let (key, session) = at;
    let waited = before.queues.get(key).is_some_and(|queue| queue.iter().any(|(waiting, _)| waiting == session));
    let asks =
        if let Command::InSession { session: by, sequence, action: Action::Acquire { key: of, permits, .. }, .. } =
            command
        {
            (by, of) == (session, key)
                && *permits == new.permits - old.permits
                && !before.applied.contains(&(*session, *sequence))
        } else {
            false
        };
    if waited || asks {
        return Ok(());
    }
    let text = format!("{session} held {} of {key}, and then {}: {command:?}", old.permits, new.permits);
    Err(Broken::new("acquired-once", text))
}

/// Who still waits stood behind all who were granted.
fn in_order(before: &Shape, after: &Shape, key: &Key, queue: &[(SessionId, u64)]) -> Checked {
    let no_queue = Vec::new();
    let waits_on = after.queues.get(key).unwrap_or(&no_queue);
    let permits =
        |shape: &Shape, session: SessionId| shape.holds.get(&(key.clone(), session)).map_or(0, |held| held.permits);
    let mut passed_over = None;
    for waits in queue {
        if waits_on.contains(waits) {
            passed_over.get_or_insert(waits.0);
        } else if let Some(first) = passed_over
            && permits(after, waits.0) > permits(before, waits.0)
        {
            let text = format!("{} was granted {key}, although {first} waits for longer", waits.0);
            return Err(Broken::new("granted-in-order", text));
        }
    }
    Ok(())
}
