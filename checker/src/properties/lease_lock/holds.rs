//! What one owner certainly held of one lock, and what it was told of its releases.

use super::super::run::{Halt, Run};
use super::sessions::{Lease, Refusal, is_before};
use super::tokens::{tell_changed, tell_reused};
use super::{AnomalyKind, NONE, Rules, Step};

/// A time in which an owner certainly held so many permits.
#[derive(Clone, Copy)]
pub(super) struct Hold {
    pub(super) session: usize,
    pub(super) permits: u32,
    /// From here on, and not at `to_ns` any more.
    pub(super) from_ns: u64,
    pub(super) to_ns: u64,
    /// The acquire that it goes back to.
    pub(super) acquire: u32,
    /// The release that was asked for at its end, or [`NONE`]: then it ended with the lease.
    pub(super) release: u32,
}

/// Something that changes what an owner certainly holds, or may hold.
enum Change {
    /// An acquire was answered.
    Acquired,
    /// A release was asked for that may have happened.
    ReleaseAsked,
    /// A release was answered.
    Released,
    /// An acquire was asked for that may have happened.
    AcquireAsked,
    /// A release was asked for and refused.
    RefusalAsked,
}

/// What an owner holds after some of its steps.
struct Account<'a> {
    lease: Lease,
    rules: Rules,
    /// What it holds, at least, but for releases of which nobody knows.
    acquired: u32,
    /// What those releases may take at any time.
    owed: u32,
    /// What it may hold, at most.
    most: u32,
    /// Since when it certainly holds something, and the acquire that says so.
    since_ns: u64,
    acquire: u32,
    token: Option<u64>,
    /// The last acquire that was asked for when the owner held nothing, whatever is not known.
    fresh: u32,
    /// The highest token of the owner, and the acquire that it was given to.
    highest: Option<(u64, u32)>,
    held: &'a mut Vec<Hold>,
}

/// Adds the holds of one owner of one lock to `held`, and tells of releases that should have been refused, or should not.
pub(super) fn find(
    run: &mut Run<'_>,
    steps: &[Step<'_>],
    lease: Lease,
    rules: Rules,
    held: &mut Vec<Hold>,
) -> Result<(), Halt> {
    let mut changes: Vec<(u64, Change, Step<'_>)> = Vec::new();
    for step in steps {
        run.step()?;
        let operation = run.operation(step.position);
        let (invoked, completed) = (operation.invoke_index, operation.complete_index.unwrap_or(u64::MAX));
        match (step.is_acquire, step.is_ok) {
            (true, Some(false)) => {}
            (true, None) => changes.push((invoked, Change::AcquireAsked, *step)),
            (true, Some(true)) => {
                changes.push((invoked, Change::AcquireAsked, *step));
                changes.push((completed, Change::Acquired, *step));
            }
            (false, Some(false)) => changes.push((invoked, Change::RefusalAsked, *step)),
            (false, None) => changes.push((invoked, Change::ReleaseAsked, *step)),
            (false, Some(true)) => {
                changes.push((invoked, Change::ReleaseAsked, *step));
                changes.push((completed, Change::Released, *step));
            }
        }
    }
    changes.sort_by_key(|(index, ..)| *index);
    let mut account = Account {
        lease,
        rules,
        acquired: 0,
        owed: 0,
        most: 0,
        since_ns: 0,
        acquire: NONE,
        token: None,
        fresh: NONE,
        highest: None,
        held,
    };
    for (_, change, step) in changes {
        account.take(run, &change, &step)?;
    }
    account.close(run, account.lease.until_ns, steps[0].session, NONE)
}

impl Account<'_> {
    fn take(&mut self, run: &mut Run<'_>, change: &Change, step: &Step<'_>) -> Result<(), Halt> {
        let operation = run.operation(step.position);
        match change {
            Change::AcquireAsked => {
                if self.most == 0 {
                    self.fresh = step.position;
                }
                self.most = self.most.saturating_add(step.permits);
            }
            Change::Acquired => {
                self.compare_tokens(run, step);
                let now_ns = operation.completed.map_or(u64::MAX, |completed| completed.0);
                self.becomes(run, step, now_ns, self.acquired.saturating_add(step.permits), self.owed)?;
            }
            Change::ReleaseAsked => {
                let (acquired, owed) = match step.is_ok {
                    Some(_) => (self.acquired.saturating_sub(step.permits), self.owed),
                    None => (self.acquired, self.owed.saturating_add(step.permits)),
                };
                self.becomes(run, step, operation.invoked.0, acquired, owed)?;
            }
            Change::Released => {
                if self.most < step.permits {
                    tell_foreign(run, step);
                }
                self.most = self.most.saturating_sub(step.permits);
            }
            Change::RefusalAsked => self.tell_lost(run, step),
        }
        Ok(())
    }

    /// After a step that changes what is certainly held.
    fn becomes(
        &mut self,
        run: &mut Run<'_>,
        step: &Step<'_>,
        now_ns: u64,
        acquired: u32,
        owed: u32,
    ) -> Result<(), Halt> {
        let (before, after) = (self.counted(self.least()), self.counted(acquired.saturating_sub(owed)));
        if before != after {
            self.close(run, now_ns, step.session, if step.is_acquire { NONE } else { step.position })?;
            self.since_ns = now_ns;
        }
        if before < after {
            (self.acquire, self.token) = (step.position, step.token);
        }
        (self.acquired, self.owed) = (acquired, owed);
        Ok(())
    }

    /// An acquire in a hold that goes on has its token, an acquire that begins a hold has a new one.
    fn compare_tokens(&mut self, run: &mut Run<'_>, step: &Step<'_>) {
        let Some(token) = step.token else { return };
        let goes_on = self.rules.permits == 1
            && self.least() > 0
            && is_before(run.operation(self.acquire), run.operation(step.position));
        if goes_on && self.token.is_some_and(|of_hold| of_hold != token) {
            tell_changed(run, self.acquire, step);
        }
        match self.highest {
            Some((highest, other)) if highest == token && self.fresh == step.position => tell_reused(run, other, step),
            Some((highest, _)) if highest >= token => {}
            Some(_) | None => self.highest = Some((token, step.position)),
        }
    }

    /// What it certainly holds.
    fn least(&self) -> u32 {
        self.acquired.saturating_sub(self.owed)
    }

    /// Of a lock an owner holds one permit, however often it acquired it.
    fn counted(&self, least: u32) -> u32 {
        if self.rules.permits == 1 { least.min(1) } else { least }
    }

    /// What was held so far was held until then, or until the end of the lease.
    fn close(&mut self, run: &mut Run<'_>, to_ns: u64, session: usize, release: u32) -> Result<(), Halt> {
        let permits = self.counted(self.least());
        let (from_ns, acquire) = (self.since_ns, self.acquire);
        let release = if to_ns <= self.lease.until_ns { release } else { NONE };
        let to_ns = to_ns.min(self.lease.until_ns);
        if permits > 0 && from_ns < to_ns {
            run.count("hold", 1);
            run.push(self.held, Hold { session, permits, from_ns, to_ns, acquire, release })?;
        }
        Ok(())
    }

    /// A release that was refused though the owner held the lock for as long as it was asked for.
    fn tell_lost(&self, run: &mut Run<'_>, step: &Step<'_>) {
        let operation = run.operation(step.position);
        let Lease { until_ns, renewed, .. } = self.lease;
        let is_alive = operation.completed.is_some_and(|completed| completed.0 < until_ns);
        if Refusal::of(operation) != Refusal::NotHeld || self.least() < step.permits || !is_alive {
            return;
        }
        run.violation(AnomalyKind::LostHold, Some(step.key), &[self.acquire, renewed, step.position], |story| {
            format!(
                "{}, and had not released it when {}, because it was not held; its session was alive: {}.",
                story.whole(self.acquire),
                story.whole(step.position),
                story.whole(renewed)
            )
        });
    }
}

/// A release that was carried out though the owner did not hold so much.
fn tell_foreign(run: &mut Run<'_>, step: &Step<'_>) {
    run.violation(AnomalyKind::ForeignRelease, Some(step.key), &[step.position], |story| {
        format!("{}, which did not hold it at any moment of that time.", story.whole(step.position))
    });
}
