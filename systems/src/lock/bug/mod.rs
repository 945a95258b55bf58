//! Planted bugs of the lock service, each at the place where the right code stands, all off by default.
//!
//! The ids are those of the catalogue. One file a family says what each of its bugs does.

mod clients;
mod grants;
mod leases;
mod resource;
mod sessions;

use std::fmt;
use std::str::FromStr;

use crate::raft::{self, BugDescription};

/// No planted bug of the lock service has this id.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("lock has no planted bug {0:?}; there are {known}", known = Bug::ALL.map(|bug| bug.description().id).join(", "))]
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
            /// Every planted bug of the members, of the guarded resource and of their clients.
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
    resource { LK01 LK09 LK10 }
    grants { LK02 LK03 LK04 LK08 LK11 LK12 LK15 LK22 LK23 LK24 LK25 LK26 LK27 }
    leases { LK05 LK06 LK07 LK13 LK17 LK18 LK19 }
    sessions { LK20 }
    clients { LK14 LK16 LK21 }
}

impl Bug {
    /// The bug of Raft that stands for this one, where the mistake lies in how a member keeps the locks.
    #[must_use]
    pub fn in_raft(self) -> Option<raft::Bug> {
        (self == Self::LK12).then_some(raft::Bug::RM11)
    }
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
            let BugDescription { wrong, breaks, found_by, .. } = bug.description();
            assert!(!wrong.is_empty() && !breaks.is_empty() && !found_by.is_empty(), "{bug}");
        }
    }

    #[test]
    fn an_unknown_id_is_answered_with_the_known_ones() {
        let error = "LK-99".parse::<Bug>().unwrap_err().to_string();
        assert!(error.starts_with("lock has no planted bug \"LK-99\"; there are LK-"), "{error}");
    }
}
