//! The trials, on all cores.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use rashomon_systems::planted::PlantedBug;

use crate::plan::System;
use crate::swarm::{Finding, Fixed, Found, all_cores, draw, look, on_threads};

/// First seeds lie so far apart that no two trials share a run.
const SEEDS_A_TRIAL: u64 = 1_000_000;

/// When a trial gives up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Budget {
    /// After so many runs.
    pub(crate) runs: u64,
    /// Or after so long.
    pub(crate) time: Duration,
}

/// One search for a bug, or for nothing in the right system.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Trial {
    /// The system in which it is planted.
    pub(crate) system: System,
    /// Nothing where the system is right.
    pub(crate) bug: Option<PlantedBug>,
    /// Counts from 0.
    pub(crate) number: u64,
}

/// What a trial came to.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Detected {
    /// Runs that were made, the last one included.
    pub(crate) runs: u64,
    /// Time that passed in them.
    pub(crate) virtual_us: u64,
    /// Time that passed outside, on one core.
    pub(crate) real: Duration,
    /// What was found, and in the run of which seed.
    pub(crate) found: Option<(u64, Finding)>,
}

/// What all trials came to.
pub(crate) type Measured = BTreeMap<Trial, Detected>;

impl Trial {
    /// The seed of its first run.
    pub(crate) fn first_seed(self, first_seed: u64) -> u64 {
        first_seed.wrapping_add(self.number * SEEDS_A_TRIAL)
    }

    /// Makes runs until one is wrong.
    ///
    /// # Errors
    /// A plan can't be drawn, or a history not be checked: a mistake of ours.
    fn carry_out(self, first_seed: u64, budget: Budget, stop: &AtomicBool) -> Result<Detected> {
        let fixed = Fixed::nothing_but(self.system, self.bug);
        let began = Instant::now();
        let mut detected = Detected::default();
        while detected.found.is_none()
            && detected.runs < budget.runs
            && began.elapsed() < budget.time
            && !stop.load(Ordering::Relaxed)
        {
            let seed = self.first_seed(first_seed).wrapping_add(detected.runs);
            let looked = look(&draw(&fixed, seed)?)?;
            detected.runs += 1;
            detected.virtual_us += looked.simulated.lasted.0;
            if let Found::Violation(finding) = looked.found {
                detected.found = Some((seed, finding));
            }
        }
        detected.real = began.elapsed();
        Ok(detected)
    }
}

/// Carries out these trials on all cores, and calls `done` after each. When `stop` is set, those that are not over are left
/// out.
///
/// # Errors
/// A plan can't be drawn, or a history not be checked: a mistake of ours.
pub(crate) fn detect(
    trials: &[(Trial, Budget)],
    first_seed: u64,
    stop: &AtomicBool,
    done: impl Fn(Trial, &Detected) + Sync,
) -> Result<Measured> {
    let next = AtomicUsize::new(0);
    let measured = Mutex::new(Measured::new());
    let work = || -> Result<()> {
        while let Some(&(trial, budget)) = trials.get(next.fetch_add(1, Ordering::Relaxed)) {
            let detected = trial.carry_out(first_seed, budget, stop)?;
            if stop.load(Ordering::Relaxed) && detected.found.is_none() {
                return Ok(());
            }
            done(trial, &detected);
            measured.lock().unwrap_or_else(PoisonError::into_inner).insert(trial, detected);
        }
        Ok(())
    };
    on_threads(all_cores(), work)?;
    Ok(measured.into_inner().unwrap_or_else(PoisonError::into_inner))
}
