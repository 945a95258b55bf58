//! How faults are drawn, where the user says more of them than their kinds.

use std::fmt;
use std::str::FromStr;

use rashomon_nemesis::{RangeMs, ScheduleOptions};
use serde::{Deserialize, Serialize};

/// How faults are drawn, where the user says more of them than their kinds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct FaultSettings {
    /// Whom they are aimed at.
    pub(crate) target: FaultTarget,
    /// How long each lasts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) duration_ms: Option<u64>,
}

/// Whom faults are aimed at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FaultTarget {
    /// Any nodes; every kind at the leader now and then.
    #[default]
    Any,
    /// Always whoever leads, or coordinates, when the fault begins.
    Leader,
}

impl FaultSettings {
    /// As they stand on the command line, each with a space before it; what is as usual is left out.
    pub(crate) fn options(self) -> String {
        let target = match self.target {
            FaultTarget::Any => String::new(),
            target @ FaultTarget::Leader => format!(" --fault-target {target}"),
        };
        let duration = self.duration_ms.map_or(String::new(), |ms| format!(" --fault-duration {ms}ms"));
        target + &duration
    }

    /// The shortest run into which a fault fits; nothing where its length is drawn.
    pub(crate) fn least_time_ms(self) -> u64 {
        self.duration_ms.map_or(0, |ms| ms.saturating_add(ms / 4))
    }

    /// What schedules are drawn from, with these settings. Between faults of a fixed length, one after the other, the cluster
    /// gets time to come back.
    pub(crate) fn apply(self, options: ScheduleOptions) -> ScheduleOptions {
        let options = match self.target {
            FaultTarget::Any => options,
            FaultTarget::Leader => ScheduleOptions { leader_percent: 100, ..options },
        };
        match self.duration_ms {
            None => options,
            Some(ms) => ScheduleOptions {
                duration_ms: RangeMs { min: ms, max: ms },
                quiet_ms: RangeMs { min: ms / 4, max: ms / 2 },
                lanes: 1,
                companion_percent: 0,
                ..options
            },
        }
    }
}

impl fmt::Display for FaultSettings {
    /// For people, to follow the kinds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.target {
            FaultTarget::Any => {}
            FaultTarget::Leader => f.write_str(", all at whoever leads")?,
        }
        match self.duration_ms {
            Some(ms) => write!(f, ", {ms} ms each"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for FaultTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "any",
            Self::Leader => "leader",
        })
    }
}

impl FromStr for FaultTarget {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        [Self::Any, Self::Leader]
            .into_iter()
            .find(|target| target.to_string() == name)
            .ok_or_else(|| format!("faults can't be aimed at {name:?}, only at any or leader"))
    }
}

#[cfg(test)]
mod tests {
    use rashomon_nemesis::{FaultKind, Schedule};

    use super::*;

    #[test]
    fn faults_at_the_leader_are_all_at_the_leader_and_as_long_as_asked() {
        let settings = FaultSettings { target: FaultTarget::Leader, duration_ms: Some(4_000) };
        assert_eq!(settings.options(), " --fault-target leader --fault-duration 4000ms");
        for kind in [FaultKind::Kill, FaultKind::Pause, FaultKind::Partition] {
            let options = settings.apply(ScheduleOptions::new(5, vec![kind], 20_000));
            for seed in 0..50 {
                let entries = Schedule::draw(&options, seed).unwrap().entries;
                assert!(entries.len() >= 2, "{entries:?}");
                assert!(
                    entries.iter().all(|entry| entry.fault.wants_leader() && entry.duration_ms == 4_000),
                    "{entries:?}"
                );
            }
        }
    }

    #[test]
    fn what_nobody_asked_for_changes_nothing() {
        let options = ScheduleOptions::new(5, FaultKind::ALL.to_vec(), 20_000);
        assert_eq!(FaultSettings::default().apply(options.clone()), options);
        assert_eq!(FaultSettings::default().options(), "");
        assert_eq!("leader".parse(), Ok(FaultTarget::Leader));
        assert!("n1".parse::<FaultTarget>().is_err());
    }
}
