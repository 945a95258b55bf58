//! Planted bugs: mistakes that someone really made, each at the place where the right code stands, all off by default.
//!
//! The ids are stable; the catalogue they come from names their origins. A bug costs one comparison where it is off. One
//! file a family says what each of its bugs does; a bug that the rest of the code would hide switches off what hides it,
//! and its description says so.

mod commitment;
mod election;
mod left_out;
mod membership;
mod memory;
mod promise;
mod reads;
mod replication;
mod safeguard;
mod sessions;
mod snapshots;
mod storage;
mod timers;

use std::fmt;
use std::str::FromStr;

pub use left_out::{LEFT_OUT, LeftOut};
pub(super) use memory::Memory;
pub use promise::Promise;
pub use safeguard::Safeguard;

/// What a person needs to know about a planted bug.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BugDescription {
    /// The stable name, such as `RR-01`.
    pub id: &'static str,
    /// What the wrong code does.
    pub wrong: &'static str,
    /// What of the right code would hide the bug and is off where it is planted.
    pub switched_off: &'static [Safeguard],
    /// Which promises it breaks.
    pub breaks: &'static [Promise],
    /// Which faults and workload bring it to light.
    pub found_by: &'static str,
}

/// No planted bug has this id.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("raft has no planted bug {0:?}; there are {known}", known = Bug::ALL.map(|bug| bug.description().id).join(", "))]
pub struct UnknownBug(pub String);

macro_rules! bugs {
    ($($family:ident { $($variant:ident)+ })+) => {
        /// A planted bug; [`Bug::description`] says what is wrong.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[allow(missing_docs, reason = "each one is described where its family stands")]
        pub enum Bug {
            $($($variant,)+)+
        }

        impl Bug {
            /// Every planted bug of Raft, of the sessions above it and of the log on disk below it.
            pub const ALL: [Self; [$($(Self::$variant),+),+].len()] = [$($(Self::$variant),+),+];

            /// What is wrong, what it breaks and how it is found.
            #[must_use]
            pub const fn description(self) -> BugDescription {
                match self {
                    $($(Self::$variant => $family::$variant,)+)+
                }
            }
        }
    };
}

bugs! {
    election { RE01 RE02 RE03 RE04 RE05 RE06 RE07 RE08 RE09 RE10 RE11 RE12 RE13 RE14 }
    replication { RL01 RL02 RL03 RL04 RL05 RL06 RL07 RL09 RL10 RL11 RL12 }
    commitment { RC01 RC02 RC03 RC04 RC07 }
    reads { RR01 RR02 RR03 RR04 RR05 RR06 RR07 RR09 RR10 }
    snapshots { RS01 RS02 RS03 RS06 RS07 RS10 RS11 }
    sessions { RX01 RX02 RX03 RX04 RX05 RX06 RX09 }
    timers { RP01 RP03 RP04 RP05 RP06 RP07 }
    membership { RC05 RM01 RM02 RM03 RM05 RM06 RM07 RM08 RM09 RM10 RM11 RM12 RS08 }
    storage { RC06 RD01 RD02 RD03 RD04 RD05 RD06 RD07 RD08 RD09 RD10 RD11 RS04 RS05 RS09 }
}

impl fmt::Display for Bug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.description().id)
    }
}

impl FromStr for Bug {
    type Err = UnknownBug;

    fn from_str(id: &str) -> Result<Self, UnknownBug> {
        Self::ALL.into_iter().find(|bug| bug.description().id == id).ok_or_else(|| UnknownBug(id.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_leads_back_to_its_bug() {
        for bug in Bug::ALL {
            assert_eq!(bug.to_string().parse(), Ok(bug));
            assert_eq!(bug.to_string().replace('-', ""), format!("{bug:?}"));
        }
    }

    #[test]
    fn every_bug_says_what_it_breaks_and_how_it_is_found() {
        for bug in Bug::ALL {
            let BugDescription { id, wrong, breaks, found_by, .. } = bug.description();
            assert!(LEFT_OUT.iter().all(|left_out| left_out.id != id), "{bug}");
            assert!(!wrong.is_empty() && !breaks.is_empty() && !found_by.is_empty(), "{bug}");
        }
    }

    #[test]
    fn an_unknown_id_is_answered_with_the_known_ones() {
        let error = "RR-99".parse::<Bug>().unwrap_err().to_string();
        assert!(error.starts_with("raft has no planted bug \"RR-99\"; there are RE-"), "{error}");
        assert!(error.contains(", RL-11, ") && error.contains(", RR-01, RR-02"), "{error}");
    }
}
