//! Follows a schedule in real time.

mod hands;

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use rashomon_history::{FaultPhase, HistoryError, Recorder};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

pub use hands::{Hands, HandsError};

use crate::{ActiveFaults, Begun, Deed, FaultKind, Node, Schedule, StepKind};

/// Why the nemesis gave up. The cluster may still be broken then.
#[derive(Debug, thiserror::Error)]
pub enum NemesisError {
    /// The history can't be written.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// A fault can't be ended.
    #[error("fault {fault} ({what}) can't be ended: {reason}")]
    NotEnded {
        /// Its number.
        fault: u64,
        /// What was done.
        what: String,
        /// What the hands said.
        reason: HandsError,
    },
}

/// How often a kind of fault was tried, and seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct KindSummary {
    /// How many were begun.
    pub injected: u64,
    /// How many were seen to bite.
    pub bitten: u64,
    /// How many could not be injected, or were not seen to bite.
    pub failed: u64,
}

/// What became of the faults of a run.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Summary {
    /// By kind; every kind of the schedule is in it.
    pub kinds: BTreeMap<FaultKind, KindSummary>,
}

impl Summary {
    /// Takes over what became of the faults of another run.
    pub fn add(&mut self, other: &Self) {
        for (kind, summary) in &other.kinds {
            let sum = self.kinds.entry(*kind).or_default();
            sum.injected += summary.injected;
            sum.bitten += summary.bitten;
            sum.failed += summary.failed;
        }
    }
}

impl fmt::Display for Summary {
    /// `partition 4 of 4, kill 2 of 3`: seen to bite, of those that were begun.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> =
            self.kinds.iter().map(|(kind, sum)| format!("{kind} {} of {}", sum.bitten, sum.injected)).collect();
        f.write_str(if parts.is_empty() { "no faults" } else { "" })?;
        f.write_str(&parts.join(", "))
    }
}

/// Carries out a schedule: begins each fault at its time, writes down what was seen, and ends it at its time.
pub struct Nemesis {
    schedule: Schedule,
    hands: Arc<dyn Hands>,
    recorder: Arc<Recorder>,
    current: watch::Sender<String>,
    active: ActiveFaults,
    summary: Summary,
}

/// How long to wait for an answer to who leads.
const LEADER_DEADLINE: Duration = Duration::from_millis(500);

impl Nemesis {
    /// A nemesis for a cluster of `nodes` nodes. The number of a fault in the history is its position in the schedule.
    #[must_use]
    pub fn new(schedule: Schedule, nodes: u16, hands: Arc<dyn Hands>, recorder: Arc<Recorder>) -> Self {
        let kinds = schedule.kinds().into_iter().map(|kind| (kind, KindSummary::default())).collect();
        let (current, _) = watch::channel(String::new());
        Self { schedule, hands, recorder, current, active: ActiveFaults::new(nodes), summary: Summary { kinds } }
    }

    /// What is being done to the cluster right now, for a line of progress; empty in quiet times.
    #[must_use]
    pub fn current(&self) -> watch::Receiver<String> {
        self.current.subscribe()
    }

    /// Follows the schedule until it is over or `stop` is ready, whichever comes first. When it returns no fault is active,
    /// unless it returns an error.
    ///
    /// `leader` is asked when a fault that is aimed at the leader begins; after half a second without an answer the fault
    /// takes the node that was drawn in its place.
    ///
    /// # Errors
    /// [`NemesisError`] where the history can't be written or a fault can't be ended. A fault that can't be *begun* is
    /// written down as failed and is no error.
    pub async fn run<L, F>(mut self, leader: L, stop: impl Future<Output = ()>) -> Result<Summary, NemesisError>
    where
        L: Fn() -> F,
        F: Future<Output = Option<Node>>,
    {
        let began = Instant::now();
        let mut stop = std::pin::pin!(stop);
        for step in self.schedule.timeline() {
            tokio::select! {
                biased;
                () = &mut stop => break,
                () = sleep_until(began + Duration::from_millis(step.at_ms)) => {}
            }
            match step.kind {
                StepKind::Begin => self.begin(step.fault, &leader).await?,
                StepKind::End => self.end(step.fault, false).await?,
            }
        }
        self.end_all().await?;
        Ok(self.summary)
    }

    async fn begin<L, F>(&mut self, number: u64, leader: &L) -> Result<(), NemesisError>
    where
        L: Fn() -> F,
        F: Future<Output = Option<Node>>,
    {
        let Some(fault) = self.schedule.fault(number).cloned() else { return Ok(()) };
        let leads = if fault.wants_leader() { timeout(LEADER_DEADLINE, leader()).await.ok().flatten() } else { None };
        let Begun { kind, text, deeds } = self.active.begin(number, &fault, leads);
        self.recorder.nemesis(number, kind.name(), FaultPhase::Begin, &text)?;
        let seen = match deeds {
            Ok(deeds) => {
                let seen = self.carry_out(deeds).await;
                if seen.is_err() {
                    self.active.not_begun(number);
                }
                seen
            }
            Err(reason) => Err(reason.into()),
        };
        let summary = self.summary.kinds.entry(kind).or_default();
        summary.injected += 1;
        let (phase, detail) = match seen {
            Ok(seen) => {
                summary.bitten += 1;
                (FaultPhase::Bites, seen)
            }
            Err(reason) => {
                summary.failed += 1;
                (FaultPhase::Failed, reason.to_string())
            }
        };
        self.recorder.nemesis(number, kind.name(), phase, &detail)?;
        self.show_current();
        Ok(())
    }

    /// A member that can't be added yet, since another fault keeps the cluster from agreeing, is added when all faults are over:
    /// `is_last`.
    async fn end(&mut self, number: u64, is_last: bool) -> Result<(), NemesisError> {
        let Some(ended) = self.active.end(number) else { return Ok(()) };
        let kind = ended.kind;
        let undone = match ended.deeds.as_slice() {
            [] => Ok(ended.why_nothing.clone()),
            deeds => self.carry_out(deeds.to_vec()).await,
        };
        let phase = match &undone {
            Ok(_) => FaultPhase::End,
            Err(reason) if kind == FaultKind::Membership && !is_last => {
                self.active.not_ended(number, ended);
                let detail = format!("it lasts longer: {reason}");
                self.recorder.nemesis(number, kind.name(), FaultPhase::Bites, &detail)?;
                return Ok(());
            }
            Err(_) => FaultPhase::Failed,
        };
        let detail = undone.as_ref().map_or_else(ToString::to_string, Clone::clone);
        self.recorder.nemesis(number, kind.name(), phase, &detail)?;
        self.show_current();
        undone.map(drop).map_err(|reason| NemesisError::NotEnded { fault: number, what: kind.to_string(), reason })
    }

    /// Ends every active fault. One that can't be ended does not keep the others from being ended.
    async fn end_all(&mut self) -> Result<(), NemesisError> {
        let mut first_error = Ok(());
        for number in self.active.numbers() {
            let ended = self.end(number, true).await;
            first_error = first_error.and(ended);
        }
        first_error
    }

    /// Does these one after the other, until one fails. Hands may block.
    async fn carry_out(&self, deeds: Vec<Deed>) -> Result<String, HandsError> {
        let hands = Arc::clone(&self.hands);
        let act =
            move || deeds.iter().map(|deed| hands::carry_out(hands.as_ref(), deed)).collect::<Result<Vec<_>, _>>();
        Ok(tokio::task::spawn_blocking(act).await??.join("; "))
    }

    fn show_current(&self) {
        self.current.send_replace(self.active.describe());
    }
}

#[cfg(test)]
mod tests;
