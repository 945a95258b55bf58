//! Follows a schedule in real time.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use rashomon_history::{FaultPhase, HistoryError, Recorder};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use crate::{Action, FaultKind, Grudge, Node, Schedule, list_nodes};

/// Why hands could not do what was asked, in words for people.
pub type HandsError = Box<dyn std::error::Error + Send + Sync>;

/// What a world can do to its cluster. Calls may block, but not for long: each has a deadline of its own of a few seconds.
///
/// What a call returns is what was *seen*, for people: `n3 drops n1, n2: 5 packets`. A call that can't see that its fault
/// bites fails.
pub trait Hands: Send + Sync + 'static {
    /// From now on exactly these packets are dropped, and those of earlier grudges no longer. An empty grudge heals.
    ///
    /// # Errors
    /// Rules could not be loaded, a packet that should be dropped was not, or a rule is left that should be gone.
    fn cut(&self, grudge: &Grudge) -> Result<String, HandsError>;

    /// Kills these nodes with `kill -9`; returns when they are dead.
    ///
    /// # Errors
    /// A node was not running, or is still there.
    fn kill(&self, nodes: &BTreeSet<Node>) -> Result<String, HandsError>;

    /// Starts these nodes again, which were killed.
    ///
    /// # Errors
    /// A node is running already or can't be started.
    fn start(&self, nodes: &BTreeSet<Node>) -> Result<String, HandsError>;

    /// Stops these nodes with SIGSTOP; returns when every thread stands still.
    ///
    /// # Errors
    /// A node is not running, or does not stop.
    fn pause(&self, nodes: &BTreeSet<Node>) -> Result<String, HandsError>;

    /// Lets these nodes go on, which were paused.
    ///
    /// # Errors
    /// A node is not running, or does not go on.
    fn resume(&self, nodes: &BTreeSet<Node>) -> Result<String, HandsError>;
}

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
    nodes: u16,
    hands: Arc<dyn Hands>,
    recorder: Arc<Recorder>,
    current: watch::Sender<String>,
    active: BTreeMap<u64, Action>,
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
        Self { schedule, nodes, hands, recorder, current, active: BTreeMap::new(), summary: Summary { kinds } }
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
        for step in timeline(&self.schedule) {
            tokio::select! {
                biased;
                () = &mut stop => break,
                () = sleep_until(began + Duration::from_millis(step.at_ms)) => {}
            }
            match step.kind {
                StepKind::Begin => self.begin(step.fault, &leader).await?,
                StepKind::End => self.end(step.fault).await?,
            }
        }
        self.end_all().await?;
        Ok(self.summary)
    }

    async fn begin<L, F>(&mut self, fault: u64, leader: &L) -> Result<(), NemesisError>
    where
        L: Fn() -> F,
        F: Future<Output = Option<Node>>,
    {
        let Some(entry) = usize::try_from(fault).ok().and_then(|index| self.schedule.entries.get(index)) else {
            return Ok(());
        };
        let (kind, planned) = (entry.fault.kind(), entry.fault.clone());
        let leads = if planned.wants_leader() { timeout(LEADER_DEADLINE, leader()).await.ok().flatten() } else { None };
        let who = match leads {
            _ if !planned.wants_leader() => String::new(),
            Some(node) => format!("; {node} leads"),
            None => "; nobody knows a leader".into(),
        };
        self.recorder.nemesis(fault, kind.name(), FaultPhase::Begin, &format!("{planned}{who}"))?;
        let action = planned.resolve(leads, self.nodes);
        let seen = self.inject(fault, action).await;
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
        self.recorder.nemesis(fault, kind.name(), phase, &detail)?;
        self.show_current();
        Ok(())
    }

    async fn inject(&mut self, fault: u64, action: Action) -> Result<String, HandsError> {
        let (down, paused) = (self.down(), self.paused());
        self.active.insert(fault, action.clone());
        match action {
            Action::Cut(_) => self.cut_what_is_active().await,
            Action::Kill(nodes) => {
                let up = &nodes - &down;
                if up.is_empty() {
                    return Err(format!("{} already down", list_nodes(&nodes)).into());
                }
                self.with_hands(move |hands| hands.kill(&up)).await
            }
            Action::Pause(nodes) => {
                let running = &(&nodes - &down) - &paused;
                if running.is_empty() {
                    return Err(format!("{} already down or paused", list_nodes(&nodes)).into());
                }
                self.with_hands(move |hands| hands.pause(&running)).await
            }
        }
    }

    async fn end(&mut self, fault: u64) -> Result<(), NemesisError> {
        let Some(action) = self.active.remove(&fault) else { return Ok(()) };
        let kind = match &action {
            Action::Cut(_) => FaultKind::Partition,
            Action::Kill(_) => FaultKind::Kill,
            Action::Pause(_) => FaultKind::Pause,
        };
        let undone = self.undo(action).await;
        let phase = if undone.is_ok() { FaultPhase::End } else { FaultPhase::Failed };
        let detail = undone.as_ref().map_or_else(ToString::to_string, Clone::clone);
        self.recorder.nemesis(fault, kind.name(), phase, &detail)?;
        self.show_current();
        undone.map(drop).map_err(|reason| NemesisError::NotEnded { fault, what: kind.to_string(), reason })
    }

    /// Undoes what no other active fault wants.
    async fn undo(&self, action: Action) -> Result<String, HandsError> {
        let (down, paused) = (self.down(), self.paused());
        match action {
            Action::Cut(_) => self.cut_what_is_active().await,
            Action::Kill(nodes) => {
                let start = &nodes - &down;
                let pause = &start & &paused;
                let mut seen = self.with_hands(move |hands| hands.start(&start)).await?;
                if !pause.is_empty() {
                    seen = format!("{seen}; {}", self.with_hands(move |hands| hands.pause(&pause)).await?);
                }
                Ok(seen)
            }
            Action::Pause(nodes) => {
                let resume = &(&nodes - &down) - &paused;
                if resume.is_empty() {
                    return Ok(format!("{} stay as another fault wants them", list_nodes(&nodes)));
                }
                self.with_hands(move |hands| hands.resume(&resume)).await
            }
        }
    }

    /// Ends every active fault. One that can't be ended does not keep the others from being ended.
    async fn end_all(&mut self) -> Result<(), NemesisError> {
        let mut first_error = Ok(());
        let faults: Vec<u64> = self.active.keys().copied().collect();
        for fault in faults {
            let ended = self.end(fault).await;
            first_error = first_error.and(ended);
        }
        first_error
    }

    async fn cut_what_is_active(&self) -> Result<String, HandsError> {
        let grudge = self.active.values().fold(Grudge::default(), |all, action| match action {
            Action::Cut(grudge) => all.union(grudge),
            Action::Kill(_) | Action::Pause(_) => all,
        });
        self.with_hands(move |hands| hands.cut(&grudge)).await
    }

    async fn with_hands(
        &self,
        act: impl FnOnce(&dyn Hands) -> Result<String, HandsError> + Send + 'static,
    ) -> Result<String, HandsError> {
        let hands = Arc::clone(&self.hands);
        tokio::task::spawn_blocking(move || act(hands.as_ref())).await?
    }

    fn down(&self) -> BTreeSet<Node> {
        let kills = self.active.values().filter_map(|action| match action {
            Action::Kill(nodes) => Some(nodes),
            Action::Cut(_) | Action::Pause(_) => None,
        });
        kills.flatten().copied().collect()
    }

    fn paused(&self) -> BTreeSet<Node> {
        let pauses = self.active.values().filter_map(|action| match action {
            Action::Pause(nodes) => Some(nodes),
            Action::Cut(_) | Action::Kill(_) => None,
        });
        pauses.flatten().copied().collect()
    }

    fn show_current(&self) {
        let parts: Vec<String> = self.active.values().map(ToString::to_string).collect();
        self.current.send_replace(parts.join(", "));
    }
}

/// A fault begins or ends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Step {
    at_ms: u64,
    kind: StepKind,
    fault: u64,
}

/// What ends at the same moment as something begins ends first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum StepKind {
    End,
    Begin,
}

fn timeline(schedule: &Schedule) -> Vec<Step> {
    let mut steps: Vec<Step> = (0u64..)
        .zip(&schedule.entries)
        .flat_map(|(fault, entry)| {
            [(entry.at_ms, StepKind::Begin), (entry.end_ms(), StepKind::End)].map(|(at_ms, kind)| Step {
                at_ms,
                kind,
                fault,
            })
        })
        .collect();
    steps.sort_unstable();
    steps
}

#[cfg(test)]
mod tests;
