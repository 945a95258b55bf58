//! Planted bugs: mistakes that someone really made, each at the place where the right code stands, all off by default.
//!
//! The ids are stable; the catalogue they come from names their origins. A bug costs one comparison where it is off.

use std::fmt;
use std::str::FromStr;

/// What a person needs to know about a planted bug.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BugDescription {
    /// The stable name, such as `RR-01`.
    pub id: &'static str,
    /// What the wrong code does.
    pub wrong: &'static str,
    /// Which promise it breaks.
    pub breaks: &'static str,
    /// Which faults and workload bring it to light.
    pub found_by: &'static str,
}

/// No planted bug has this id.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("raft has no planted bug {0:?}; there are {known}", known = Bug::ALL.map(|bug| bug.description().id).join(", "))]
pub struct UnknownBug(pub String);

macro_rules! bugs {
    ($($variant:ident = $id:literal { wrong: $wrong:literal, breaks: $breaks:literal, found_by: $found_by:literal })+) => {
        /// A planted bug.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Bug {
            $(#[doc = concat!($id, ": ", $wrong, ". Breaks ", $breaks, ". Found by ", $found_by, ".")] $variant,)+
        }

        impl Bug {
            /// Every planted bug of Raft.
            pub const ALL: [Self; [$(Self::$variant),+].len()] = [$(Self::$variant),+];

            /// What is wrong, what it breaks and how it is found.
            #[must_use]
            pub const fn description(self) -> BugDescription {
                match self {
                    $(Self::$variant => {
                        BugDescription { id: $id, wrong: $wrong, breaks: $breaks, found_by: $found_by }
                    })+
                }
            }
        }
    };
}

bugs! {
    RE12 = "RE-12" {
        wrong: "half of the members count as a majority",
        breaks: "election safety, and with it linearizability and durability",
        found_by: "partitions that leave half or less of the cluster together"
    }
    RL11 = "RL-11" {
        wrong: "the leader applies and answers a command as soon as it is in its own log",
        breaks: "durability of acknowledged writes, linearizability",
        found_by: "cutting the leader off while its clients stay attached"
    }
    RR01 = "RR-01" {
        wrong: "the leader answers reads from its own state without making sure that it still leads",
        breaks: "linearizability: stale reads",
        found_by: "cutting the leader off, or pausing it, while its clients stay attached"
    }
    RR02 = "RR-02" {
        wrong: "followers answer reads from their own state",
        breaks: "linearizability: stale reads",
        found_by: "reads at several nodes under load; faster with a partition"
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
        }
    }

    #[test]
    fn an_unknown_id_is_answered_with_the_known_ones() {
        let error = "RR-99".parse::<Bug>().unwrap_err();
        assert_eq!(error.to_string(), "raft has no planted bug \"RR-99\"; there are RE-12, RL-11, RR-01, RR-02");
    }
}
