//! The workloads by name.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use rashomon_history::{Call, Outcome};
use serde::{Deserialize, Serialize};

use crate::elements::ElementGenerator;
use crate::register::RegisterGenerator;

/// What the clients ask for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Workload {
    /// Reads, writes and compare-and-set of unique values over several registers.
    Register,
    /// Appends of unique elements to several lists, and reads of whole lists.
    Append,
    /// Adds of unique elements to several sets, and reads of whole sets.
    Set,
}

/// There is no workload of that name.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("there is no workload {name:?}; known are {}", Workload::ALL.map(Workload::name).join(", "))]
pub struct UnknownWorkload {
    /// The name that was asked for.
    pub name: String,
}

/// What a client is there for. A client that writes is stuck for a whole deadline with its first write at a node that is
/// cut off, and so would hardly ever see what such a node answers to reads: some clients only read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Role {
    /// Reads and writes in equal parts.
    Mixed,
    /// Writes most of the time; others read.
    Writer,
    /// Only reads.
    Reader,
}

impl Role {
    /// Client `number` of `clients` stays with node `number mod nodes`; where a node has two clients, one of them reads.
    #[must_use]
    pub fn of(number: usize, clients: usize, nodes: usize) -> Self {
        if (number / nodes) % 2 == 1 {
            Self::Reader
        } else if number + nodes < clients {
            Self::Writer
        } else {
            Self::Mixed
        }
    }

    /// How long a client of this role waits for an answer, where the longest is `longest`.
    ///
    /// Writers give up early: else all of them would be stuck with a leader that was just cut off, and nothing would be
    /// written that its readers could miss, until it has stepped down. Readers wait, for answers that come late.
    #[must_use]
    pub fn patience(self, longest: Duration) -> Duration {
        match self {
            Self::Writer => longest / 5,
            Self::Mixed | Self::Reader => longest,
        }
    }

    /// How many of a hundred calls read.
    pub(crate) fn reads_percent(self) -> u32 {
        match self {
            Self::Mixed => 50,
            Self::Writer => 15,
            Self::Reader => 100,
        }
    }
}

/// Draws the calls of one run. The calls are one sequence, whichever client makes them.
pub trait Generator: Send {
    /// The next call, for a client of this role.
    fn next_call(&mut self, role: Role) -> Call;

    /// Learns what became of a call, to ask for something more interesting next.
    fn observe(&mut self, call: &Call, outcome: &Outcome);

    /// What each node is asked once all faults are healed.
    fn final_reads(&self) -> Vec<Call>;
}

impl Workload {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Register, Self::Append, Self::Set];

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Append => "append",
            Self::Set => "set",
        }
    }

    /// One sentence for `rashomon list workloads`.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::Register => "reads, writes and compare-and-set of unique values over several keys; linearizable?",
            Self::Append => {
                "appends of unique elements to lists, reads of whole lists; linearizable, nothing lost or twice?"
            }
            Self::Set => "adds of unique elements to sets, reads of whole sets; linearizable, nothing lost?",
        }
    }

    /// The calls of a run with this seed.
    #[must_use]
    pub fn generator(self, seed: u64) -> Box<dyn Generator> {
        match self {
            Self::Register => Box::new(RegisterGenerator::new(seed)),
            Self::Append => Box::new(ElementGenerator::lists(seed)),
            Self::Set => Box::new(ElementGenerator::sets(seed)),
        }
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Workload {
    type Err = UnknownWorkload;

    fn from_str(name: &str) -> Result<Self, UnknownWorkload> {
        Self::ALL
            .into_iter()
            .find(|workload| workload.name() == name)
            .ok_or_else(|| UnknownWorkload { name: name.into() })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rashomon_history::{Returned, Value};

    use super::*;

    /// Runs the generator against one perfect store of nothing: every call is acknowledged.
    fn calls(workload: Workload, seed: u64, count: usize) -> Vec<Call> {
        let mut generator = workload.generator(seed);
        (0..count)
            .map(|_| {
                let call = generator.next_call(Role::Mixed);
                let returned = match &call {
                    Call::Read { .. } => Returned::Value(Value::Nil),
                    Call::Cas { .. } => Returned::Swapped,
                    _ => Returned::Done,
                };
                generator.observe(&call, &Outcome::Ok(returned));
                call
            })
            .collect()
    }

    #[test]
    fn a_seed_gives_the_same_calls_and_another_seed_gives_others() {
        for workload in Workload::ALL {
            assert_eq!(calls(workload, 5, 500), calls(workload, 5, 500));
            assert_ne!(calls(workload, 5, 500), calls(workload, 6, 500));
        }
    }

    #[test]
    fn no_value_is_written_twice() {
        for workload in Workload::ALL {
            let mut seen = BTreeSet::new();
            for call in calls(workload, 3, 5000) {
                let written = match call {
                    Call::Write { value, .. }
                    | Call::Append { value, .. }
                    | Call::Add { value, .. }
                    | Call::Cas { to: value, .. } => value,
                    _ => continue,
                };
                assert!(seen.insert(written.clone()), "{workload} wrote {written} twice");
            }
            assert!(seen.len() > 1000, "{workload} wrote {} values", seen.len());
        }
    }

    #[test]
    fn every_kind_of_call_is_drawn_and_final_reads_are_reads() {
        for (workload, kinds) in [
            (Workload::Register, &["cas", "read", "write"][..]),
            (Workload::Append, &["append", "read"]),
            (Workload::Set, &["add", "read"]),
        ] {
            let seen: BTreeSet<_> = calls(workload, 9, 1000).iter().map(Call::f).collect();
            assert_eq!(seen.into_iter().collect::<Vec<_>>(), kinds);
            let mut generator = workload.generator(1);
            for _ in 0..1000 {
                generator.next_call(Role::Mixed);
            }
            let finals = generator.final_reads();
            assert!(!finals.is_empty() && finals.iter().all(|call| matches!(call, Call::Read { .. })));
        }
    }

    #[test]
    fn readers_only_read_and_each_node_with_two_clients_has_one() {
        for workload in Workload::ALL {
            let mut generator = workload.generator(2);
            assert!((0..500).all(|_| matches!(generator.next_call(Role::Reader), Call::Read { .. })));
            let writes = (0..500).filter(|_| !matches!(generator.next_call(Role::Writer), Call::Read { .. })).count();
            assert!((370..480).contains(&writes), "{workload}: {writes}");
        }
        let roles = |clients, nodes| (0..clients).map(|number| Role::of(number, clients, nodes)).collect::<Vec<_>>();
        assert_eq!(roles(4, 2), [Role::Writer, Role::Writer, Role::Reader, Role::Reader]);
        assert_eq!(roles(3, 2), [Role::Writer, Role::Mixed, Role::Reader]);
        assert_eq!(roles(2, 5), [Role::Mixed, Role::Mixed]);
    }

    #[test]
    fn names_are_read_back_and_unknown_ones_list_the_known() {
        for workload in Workload::ALL {
            assert_eq!(workload.name().parse(), Ok(workload));
        }
        let error = "regster".parse::<Workload>().unwrap_err().to_string();
        assert_eq!(error, "there is no workload \"regster\"; known are register, append, set");
    }
}
