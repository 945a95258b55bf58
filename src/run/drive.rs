//! The clients of a run: each asks, waits, writes down, and asks again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use rashomon_history::{Call, Outcome, ProcessId, Recorder};
use rashomon_workloads::{Asker, Generator, Pace};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::clients::Client;
use crate::plan::Plan;
use crate::run::stop::Stop;

/// After a refusal a client without a rate waits a little, or it would spend the machine on refusals.
const REFUSED_PAUSE: Duration = Duration::from_millis(5);

/// What all clients of a run share.
pub(crate) struct Drive {
    recorder: Arc<Recorder>,
    generator: Mutex<Box<dyn Generator>>,
    next_process: AtomicU64,
    operation_deadline: Duration,
    /// What the system tells of itself at the end, whatever the workload.
    copy_read: Option<Call>,
    pub(crate) counts: Counts,
}

/// Operations so far, by outcome.
#[derive(Default)]
pub(crate) struct Counts {
    ok: AtomicU64,
    fail: AtomicU64,
    info: AtomicU64,
}

impl Counts {
    fn count(&self, outcome: &Outcome) {
        let counter = match outcome {
            Outcome::Ok(_) => &self.ok,
            Outcome::Fail(_) => &self.fail,
            Outcome::Info(_) => &self.info,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// `ok`, `fail` and `info`.
    pub(crate) fn read(&self) -> [u64; 3] {
        [&self.ok, &self.fail, &self.info].map(|counter| counter.load(Ordering::Relaxed))
    }
}

impl Drive {
    pub(crate) fn new(plan: &Plan, recorder: Arc<Recorder>) -> Self {
        Self {
            recorder,
            generator: Mutex::new(plan.workload.generator(plan.seed)),
            next_process: AtomicU64::new(plan.clients.into()),
            operation_deadline: Duration::from_millis(plan.operation_deadline_ms),
            copy_read: plan.copy_read(),
            counts: Counts::default(),
        }
    }

    /// Lets all clients ask until `until` or until the run is stopped; each finishes its last operation.
    pub(crate) async fn run(
        self: &Arc<Self>,
        plan: &Plan,
        clients: Vec<Client>,
        until: Instant,
        stop: &Stop,
    ) -> Result<()> {
        let mut tasks = JoinSet::new();
        for (number, client) in clients.into_iter().enumerate() {
            let pace = Pace::new(plan.seed, number as u64, plan.clients.into(), plan.rate.into());
            let role = plan.role_of(number);
            let patience = plan.patience(role);
            let asker = Asker { client: number, role };
            let asking = Asking { process: ProcessId(number as u64), client, asker, pace, patience, until };
            tasks.spawn(asking.run(Arc::clone(self), stop.clone()));
        }
        join_all(tasks).await
    }

    /// Lets one client a node make the final reads, each until it is answered or `deadline` has passed. Says how many
    /// were answered, and how many there were to make.
    pub(crate) async fn final_reads(
        self: &Arc<Self>,
        clients: Vec<Client>,
        deadline: Instant,
        is_wanted: impl Fn(&Call) -> bool,
    ) -> Result<(u64, u64)> {
        let mut reads = self.generator().final_reads();
        reads.extend(self.copy_read.clone());
        reads.retain(is_wanted);
        let reads = Arc::new(reads);
        let wanted = (reads.len() * clients.len()) as u64;
        let answered = Arc::new(AtomicU64::new(0));
        let mut tasks = JoinSet::new();
        for mut client in clients {
            let (drive, reads, answered) = (Arc::clone(self), Arc::clone(&reads), Arc::clone(&answered));
            tasks.spawn(async move {
                let mut process = drive.fresh_process();
                for call in reads.iter() {
                    while Instant::now() < deadline {
                        let outcome =
                            drive.operation(&mut process, &mut client, call, drive.operation_deadline, true).await?;
                        if matches!(outcome, Outcome::Ok(_)) {
                            answered.fetch_add(1, Ordering::Relaxed);
                            break;
                        }
                        tokio::time::sleep(REFUSED_PAUSE).await;
                    }
                }
                Ok(())
            });
        }
        join_all(tasks).await?;
        Ok((answered.load(Ordering::Relaxed), wanted))
    }

    pub(crate) fn recorder(&self) -> Arc<Recorder> {
        Arc::clone(&self.recorder)
    }

    fn generator(&self) -> std::sync::MutexGuard<'_, Box<dyn Generator>> {
        self.generator.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fresh_process(&self) -> ProcessId {
        ProcessId(self.next_process.fetch_add(1, Ordering::Relaxed))
    }

    /// One operation: written down before it is sent, and when it is answered.
    async fn operation(
        &self,
        process: &mut ProcessId,
        client: &mut Client,
        call: &Call,
        deadline: Duration,
        is_final: bool,
    ) -> Result<Outcome> {
        self.recorder.invoke(*process, Some(client.home()), is_final, call).context("recording the history")?;
        let answer = client.call(call, deadline).await;
        self.recorder
            .complete(*process, Some(&answer.node), is_final, call, answer.outcome.clone())
            .context("recording the history")?;
        self.counts.count(&answer.outcome);
        if matches!(answer.outcome, Outcome::Info(_)) {
            *process = self.fresh_process();
        }
        Ok(answer.outcome)
    }
}

async fn join_all(mut tasks: JoinSet<Result<()>>) -> Result<()> {
    while let Some(ended) = tasks.join_next().await {
        ended.context("a client of the harness died")??;
    }
    Ok(())
}

/// One client on its way through the run.
struct Asking {
    process: ProcessId,
    client: Client,
    asker: Asker,
    pace: Pace,
    patience: Duration,
    until: Instant,
}

impl Asking {
    async fn run(mut self, drive: Arc<Drive>, stop: Stop) -> Result<()> {
        let mut next_call = Instant::now() + Duration::from_micros(self.pace.next_gap_us());
        loop {
            if next_call > Instant::now() {
                tokio::select! {
                    () = stop.requested() => return Ok(()),
                    () = sleep_until(next_call.min(self.until)) => {}
                }
            }
            if stop.is_requested() || Instant::now() >= self.until {
                return Ok(());
            }
            self.client.pass().await;
            let call = drive.generator().next_call(self.asker);
            let outcome = drive.operation(&mut self.process, &mut self.client, &call, self.patience, false).await?;
            drive.generator().observe(self.asker.client, &call, &outcome);
            // A client that was held up does not catch up: bursts would hide what a fault does to latency.
            let mut gap = Duration::from_micros(self.pace.next_gap_us());
            if gap.is_zero() && matches!(outcome, Outcome::Fail(_)) {
                gap = REFUSED_PAUSE;
            }
            next_call = Instant::now().max(next_call + gap);
        }
    }
}
