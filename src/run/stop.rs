//! Ctrl-C: the run ends early, but it ends in order.

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

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
            let mut times = 0;
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                times += 1;
                if times > 1 {
                    std::process::exit(255);
                }
                eprintln!(
                    "stopping: faults are healed, and what was seen so far is checked; once more to stop at once"
                );
                let _ = request.send(true);
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
