//! How the servers are set.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use rashomon_draw::Draw;
use rashomon_systems::commit::{Isolation, Protocol};

use crate::plan::{CommitSettings, LockSettings, RaftSettings};
use crate::swarm::{Fixed, FixedLock};

pub(super) fn draw_raft(snapshot_entries: u64, lease_reads: bool, draw: &mut Draw) -> RaftSettings {
    let election_min_us = draw.pick(&[20_000, 50_000, 150_000, 300_000]);
    let election_max_us = election_min_us * draw.pick(&[15, 20, 30]) / 10;
    let heartbeat_us = election_min_us / draw.pick(&[3, 6, 10]);
    // A lease rests on members that ignore candidates as long as they hear a leader.
    let check_quorum = draw.chance(80) || lease_reads;
    RaftSettings {
        heartbeat_us,
        election_min_us,
        election_max_us,
        trailing_entries: draw.pick(&[0, 1, 5, 50]).min(snapshot_entries),
        append_entries: draw.pick(&[1, 4, 64, 4_096]),
        inflight_appends: draw.pick(&[1, 4, 128]),
        snapshot_chunk_bytes: draw.pick(&[64, 1 << 10, 256 << 10]),
        pre_vote: draw.chance(80),
        check_quorum,
        // Fewer than clients, so that sessions expire, or more than enough.
        max_sessions: draw.pick(&[1, 3, 4_096, 4_096]),
    }
}

/// The protocols and levels of atomic commitment in turn.
pub(super) fn draw_commit(fixed: &Fixed, draw: &mut Draw) -> CommitSettings {
    use Protocol::{ThreePhase, TwoPhase, TwoPhaseRaft};
    let protocol = draw.pick(&[TwoPhase, TwoPhase, TwoPhaseRaft, ThreePhase]);
    let isolation =
        draw.pick(&[Isolation::Serializable, Isolation::Serializable, Isolation::Snapshot, Isolation::ReadCommitted]);
    CommitSettings {
        protocol: fixed.commit.protocol.unwrap_or(if fixed.nodes.is_some_and(|nodes| nodes < 4) {
            TwoPhase
        } else {
            protocol
        }),
        isolation: fixed.commit.isolation.unwrap_or(isolation),
        consistency: fixed.commit.consistency,
    }
}

/// Leases last about as long as faults, so that some end while their holder can't say a word. Without fencing tokens only
/// careful clients protect the resource, so only they are drawn without.
pub(super) fn draw_lock(fixed: &FixedLock, raft: &RaftSettings, draw: &mut Draw) -> LockSettings {
    let ttl_ms = (raft.election_max_us * draw.pick(&[2, 5, 10, 30]) / 1000).max(100);
    let (careful, tries, unfenced) = (draw.chance(50), draw.chance(30), draw.chance(50));
    let careful = fixed.careful.unwrap_or(careful);
    LockSettings {
        ttl_ms: fixed.ttl_ms.unwrap_or(ttl_ms),
        fencing: fixed.fencing.unwrap_or(!(careful && unfenced)),
        careful,
        tries: fixed.tries.unwrap_or(tries),
    }
}
