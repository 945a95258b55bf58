//! Ctrl-C where no asynchronous runtime runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};

/// A flag that the first SIGINT or SIGTERM sets. The second ends the process.
///
/// # Errors
/// The system has no thread left, or refuses to tell of signals.
pub(crate) fn on_interrupt() -> Result<Arc<AtomicBool>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("listening for Ctrl-C")?;
    let (mut interrupt, mut terminate) = {
        let _inside = runtime.enter();
        let listen = |kind| signal(kind).context("listening for Ctrl-C");
        (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?)
    };
    let flag = Arc::new(AtomicBool::new(false));
    let raised = Arc::clone(&flag);
    let listen = async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if raised.swap(true, Ordering::Relaxed) {
                std::process::exit(255);
            }
            eprintln!("stopping: what was found is kept; once more to stop at once");
        }
    };
    let thread = std::thread::Builder::new().name("signals".into());
    thread.spawn(move || runtime.block_on(listen)).context("listening for Ctrl-C")?;
    Ok(flag)
}
