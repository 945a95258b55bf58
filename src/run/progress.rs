//! The live line of a run: phase, operations by outcome, rate, current fault.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::task::JoinHandle;

use crate::run::drive::Drive;

const REFRESH: Duration = Duration::from_millis(100);

/// The live line on a terminal; elsewhere a plain line a phase.
#[derive(Clone)]
pub(crate) struct Progress {
    bar: ProgressBar,
    fault: Arc<Mutex<String>>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed:>4} {prefix:.bold} {wide_msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(REFRESH);
        Self { bar, fault: Arc::default() }
    }

    /// A new phase begins.
    pub(crate) fn phase(&self, name: &str) {
        if self.bar.is_hidden() {
            eprintln!("{name}");
        }
        self.bar.set_prefix(name.to_owned());
        self.bar.set_message("");
    }

    /// The line is over; what is printed next stands on a line of its own.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// What the nemesis does now, for [`Progress::follow`]; empty when it rests.
    pub(crate) fn fault(&self, text: &str) {
        text.clone_into(&mut self.fault.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Shows the counts of the clients until the returned guard is dropped.
    pub(crate) fn follow(&self, drive: &Arc<Drive>) -> Following {
        let (progress, drive) = (self.clone(), Arc::clone(drive));
        Following(tokio::spawn(async move {
            let per_second =
                f64::from(u32::try_from(Duration::from_secs(1).as_millis() / REFRESH.as_millis()).unwrap_or(1));
            let mut rate = 0.0;
            let mut before = drive.counts.read()[0];
            loop {
                tokio::time::sleep(REFRESH).await;
                let [ok, fail, info] = drive.counts.read();
                let now_rate = f64::from(u32::try_from(ok - before).unwrap_or(u32::MAX)) * per_second;
                rate = 0.8 * rate + 0.2 * now_rate;
                before = ok;
                let fault = progress.fault.lock().unwrap_or_else(PoisonError::into_inner).clone();
                progress.bar.set_message(format!("ok {ok}  fail {fail}  info {info}  {rate:.0}/s  {fault}"));
            }
        }))
    }
}

/// Ends the following when dropped.
pub(crate) struct Following(JoinHandle<()>);

impl Drop for Following {
    fn drop(&mut self) {
        self.0.abort();
    }
}
