//! Planted bugs: mistakes that someone really made, each at the place where the right code stands, all off by default.
//!
//! The ids are stable; the catalogue they come from names their origins. TC are bugs of two-phase commit and of isolation, TP
//! of three-phase commit.

mod isolation;
mod left_out;
mod promise;
mod three_phase;
mod two_phase;

use std::fmt;
use std::str::FromStr;

pub use left_out::LEFT_OUT;
pub use promise::CommitPromise;

/// What a person needs to know about a planted bug.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CommitBugDescription {
    /// The stable name, such as `TC-01`.
    pub id: &'static str,
    /// What the wrong code does.
    pub wrong: &'static str,
    /// Which promises it breaks.
    pub breaks: &'static [CommitPromise],
    /// Which faults, protocol, isolation and workload bring it to light.
    pub found_by: &'static str,
}

/// No planted bug has this id.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("atomic commitment has no planted bug {0:?}; there are {known}", known = Bug::ALL.map(|bug| bug.description().id).join(", "))]
pub struct UnknownCommitBug(pub String);

macro_rules! bugs {
    ($($family:ident { $($variant:ident)+ })+) => {
        /// A planted bug; [`Bug::description`] says what is wrong.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[allow(missing_docs, reason = "each one is described where its family stands")]
        pub enum Bug {
            $($($variant,)+)+
        }

        impl Bug {
            /// Every planted bug of atomic commitment.
            pub const ALL: [Self; [$($(Self::$variant),+),+].len()] = [$($(Self::$variant),+),+];

            /// What is wrong, what it breaks and how it is found.
            #[must_use]
            pub const fn description(self) -> CommitBugDescription {
                match self {
                    $($(Self::$variant => $family::$variant,)+)+
                }
            }
        }
    };
}

bugs! {
    two_phase { TC01 TC02 TC03 TC04 TC05 TC06 TC07 TC08 TC09 TC15 TC16 TC17 TC20 TC21 }
    isolation { TC10 TC11 TC12 TC13 TC14 TC18 TC19 TC23 TC24 }
    three_phase { TP03 TP05 }
}

impl fmt::Display for Bug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.description().id)
    }
}

impl FromStr for Bug {
    type Err = UnknownCommitBug;

    fn from_str(id: &str) -> Result<Self, UnknownCommitBug> {
        Self::ALL.into_iter().find(|bug| bug.description().id == id).ok_or_else(|| UnknownCommitBug(id.to_owned()))
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
            let CommitBugDescription { id, wrong, breaks, found_by } = bug.description();
            assert!(LEFT_OUT.iter().all(|left_out| left_out.id != id), "{bug}");
            assert!(!wrong.is_empty() && !breaks.is_empty() && !found_by.is_empty(), "{bug}");
        }
    }

    #[test]
    fn an_unknown_id_is_answered_with_the_known_ones() {
        let error = "TC-99".parse::<Bug>().unwrap_err().to_string();
        assert!(error.starts_with("atomic commitment has no planted bug \"TC-99\"; there are TC-01, TC-02"), "{error}");
    }
}
