//! Whether leases last as long as they should, by the world's clock.

use std::collections::BTreeMap;

use super::rules::Broken;
use crate::lock::command::Command;
use crate::lock::machine::LockMachine;
use crate::lock::session::SessionId;
use crate::server::Micros;

/// Where more than such a part of a lease passes between two entries, the service was not at work.
const WORK_PARTS: u64 = 25;
/// A session of which nothing is heard is over after so many leases of a service at work.
const LONGEST_LEASES: u64 = 2;

/// What is known of each session that is open.
#[derive(Debug)]
pub(super) struct Leases {
    ttl_us: u64,
    sessions: BTreeMap<SessionId, Lease>,
    /// When the last entry was proposed that is committed.
    last_proposed: Micros,
}

#[derive(Clone, Copy, Debug)]
struct Lease {
    /// When the last command was proposed that renewed it.
    renewed_at: Micros,
    /// For how long the service has been at work since.
    served_us: u64,
}

impl Leases {
    pub(super) fn new(ttl_us: u64) -> Self {
        Self { ttl_us, sessions: BTreeMap::new(), last_proposed: Micros(0) }
    }

    /// Another leader's first entry is committed: time between two leaders counts for no lease.
    pub(super) fn leader_begins(&mut self, proposed_at: Micros) {
        self.last_proposed = proposed_at;
    }

    /// A command was proposed at `proposed_at`, and is now applied.
    pub(super) fn applied(
        &mut self,
        now: Micros,
        proposed_at: Micros,
        command: &Command,
        machine: &LockMachine,
    ) -> Result<(), Broken> {
        let elapsed_us = proposed_at.since(self.last_proposed);
        self.last_proposed = self.last_proposed.max(proposed_at);
        let served_us = if elapsed_us * WORK_PARTS <= self.ttl_us { elapsed_us } else { 0 };
        let fresh = Lease { renewed_at: proposed_at, served_us: 0 };
        for session in machine.sessions() {
            self.sessions.entry(session).or_insert(fresh);
        }
        if let Some(lease) = command.renews().and_then(|session| self.sessions.get_mut(&session)) {
            // The renewal comes too late for a lease that has ended before; then the session is gone below.
            if machine.is_open(command.renews().unwrap_or(SessionId(0))) {
                *lease = Lease { renewed_at: lease.renewed_at.max(proposed_at), served_us: 0 };
            }
        }
        let closed = if let Command::Close { session } = command { Some(*session) } else { None };
        let ttl_us = self.ttl_us;
        let mut broken = None;
        self.sessions.retain(|session, lease| {
            lease.served_us += served_us;
            if machine.is_open(*session) {
                if lease.served_us > ttl_us * LONGEST_LEASES {
                    broken = Some(Broken::new(
                        "lease-ends",
                        format!(
                            "{session} is open although nothing was heard of it for {} ms in which the service was at \
                             work; its lease is {} ms",
                            lease.served_us / 1000,
                            ttl_us / 1000
                        ),
                    ));
                }
                return true;
            }
            let lasted_us = now.since(lease.renewed_at);
            if lasted_us < ttl_us && closed != Some(*session) {
                broken = Some(Broken::new(
                    "lease-kept",
                    format!(
                        "{session} was over {} ms after it was renewed; its lease is {} ms",
                        lasted_us / 1000,
                        ttl_us / 1000
                    ),
                ));
            }
            false
        });
        broken.map_or(Ok(()), Err)
    }
}
