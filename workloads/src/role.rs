//! Who asks.

use std::time::Duration;

/// What a client is there for. A client that writes is stuck for a whole deadline with its first write at a node that is
/// cut off, and so would hardly ever see what such a node answers to reads: some clients only read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Role {
    /// Reads and writes in equal parts.
    Mixed,
    /// Writes most of the time; others read.
    Writer,
    /// Only reads, where the workload has reads that mean something without the rest.
    Reader,
}

/// A client that asks for its next call.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Asker {
    /// Its number in the run, from 0.
    pub client: usize,
    /// What it is there for.
    pub role: Role,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_node_with_two_clients_has_a_reader() {
        let roles = |clients, nodes| (0..clients).map(|number| Role::of(number, clients, nodes)).collect::<Vec<_>>();
        assert_eq!(roles(4, 2), [Role::Writer, Role::Writer, Role::Reader, Role::Reader]);
        assert_eq!(roles(3, 2), [Role::Writer, Role::Mixed, Role::Reader]);
        assert_eq!(roles(2, 5), [Role::Mixed, Role::Mixed]);
    }
}
