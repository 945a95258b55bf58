//! What some planted bugs do and remember. Nothing of the right code follows from it.

use std::collections::{BTreeMap, BTreeSet};

use super::super::LEASE_MARGIN_PERCENT;
use super::super::bug::Bug;
use super::super::command::{Action, Answer, Command};
use super::super::server::LockResponse;
use super::super::session::SessionId;
use super::Member;
use crate::raft;
use crate::server::{Micros, RequestId};

/// What planted bugs remember.
#[derive(Default)]
pub(super) struct Planted {
    /// LK-08: tokens that this member gave out in this life.
    tokens: u64,
    /// LK-11: acquires that were answered before they are committed.
    early: BTreeSet<RequestId>,
    /// LK-17: when this member last proposed a command of each session.
    heard_at: BTreeMap<SessionId, Micros>,
}

impl Planted {
    pub(super) fn count(&mut self) -> u64 {
        self.tokens += 1;
        self.tokens
    }

    pub(super) fn was_answered_early(&mut self, id: RequestId) -> bool {
        self.early.remove(&id)
    }
}

impl Member {
    /// What this member answers without asking anybody: nothing, but for planted bugs.
    pub(super) fn answer_without_the_log(&mut self, id: RequestId, command: &Command) -> Option<LockResponse> {
        if !self.raft.is_leader() {
            return None;
        }
        if let Some(session) = command.renews() {
            self.planted.heard_at.insert(session, self.now);
        }
        let machine = self.raft.machine();
        let answer = match command {
            Command::KeepAlive { session } if self.has(Bug::LK18) && machine.is_open(*session) => {
                Some(Answer::Renewed { ttl_ms: machine.options().ttl_ms })
            }
            Command::InSession { session, action: Action::Acquire { key, .. }, .. }
                if self.has(Bug::LK11) && self.planted.early.is_empty() && machine.is_open(*session) =>
            {
                let is_free = machine.view(key).of == 0;
                is_free.then(|| Answer::Granted { token: machine.next_token() })
            }
            Command::Advance
            | Command::Open { .. }
            | Command::KeepAlive { .. }
            | Command::Close { .. }
            | Command::InSession { .. }
            | Command::Revoke { .. }
            | Command::RenewAll => None,
        };
        if answer.is_some() && self.has(Bug::LK11) {
            self.planted.early.insert(id);
            self.propose(id, command.clone());
        }
        answer.map(|answer| LockResponse::Raft(raft::Response::Answer(answer)))
    }

    /// LK-17: sessions end when this member has not heard of them for long, whoever led meanwhile.
    pub(super) fn revoke_by_own_clock(&mut self) {
        let now = self.now;
        let machine = self.raft.machine();
        let lasts_us = machine.options().ttl_ms * 10 * (100 + LEASE_MARGIN_PERCENT);
        let open: Vec<SessionId> = machine.sessions().collect();
        for session in open {
            let heard_at = *self.planted.heard_at.entry(session).or_insert(now);
            if now.since(heard_at) > lasts_us {
                self.planted.heard_at.remove(&session);
                self.propose_own(Command::Revoke { session });
            }
        }
    }
}
