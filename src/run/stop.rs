//! Ctrl-C: the run ends early, but it ends in order.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// One wish to stop may arrive twice, from the terminal and through the outer process of the sandbox.
const SAME_WISH: Duration = Duration::from_millis(500);

/// Tells every part of a run that it shall end.
#[derive(Clone)]
pub(crate) struct Stop {
    requested: watch::Receiver<bool>,
}

impl Stop {
    /// Listens for SIGINT and SIGTERM. The first asks the run to end; the second ends this process, and with it the
    /// sandbox.
    pub(crate) fn on_signals() -> Result<Self> {
        let mut interrupt = signal(SignalKind::interrupt()).context("listening for Ctrl-C")?;
        let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
        let (request, requested) = watch::channel(false);
        tokio::spawn(async move {
            let mut first_at: Option<Instant> = None;
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                match first_at {
                    None => {
                        first_at = Some(Instant::now());
                        eprintln!("stopping: healing, then checking what was seen; once more to stop at once");
                        let _ = request.send(true);
                    }
                    Some(first_at) if first_at.elapsed() < SAME_WISH => {}
                    Some(_) => std::process::exit(255),
                }
            }
        });
        Ok(Self { requested })
    }

    pub(crate) fn is_requested(&self) -> bool {
        *self.requested.borrow()
    }

    /// Waits until the run shall end.
    pub(crate) async fn requested(&self) {
        let mut requested = self.requested.clone();
        if requested.wait_for(|requested| *requested).await.is_err() {
            // Nobody can ask any more.
            std::future::pending().await
        }
    }
}
