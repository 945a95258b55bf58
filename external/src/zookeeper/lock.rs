//! Locks by the recipe of ZooKeeper's documentation: ephemeral nodes with numbers, of which the lowest has the lock.
//!
//! Who waits watches the node before its own, so that a release wakes one. The fencing token is the number of the transaction
//! that created the node (its czxid): it grows as the numbers do. A node goes with its session, whose time begins anew with
//! whatever the servers hear of the client; a session that the client has not heard of for that time is over for it.
//!
//! What ZooKeeper answers says that the session lived when the leader saw the request. How long it lives on is for the leader
//! alone to know: a server that was just cut off still answers pings that nobody counts.

use std::collections::BTreeMap;
use std::time::Duration;

use rashomon_history::Key;
use tokio::time::Instant;

use super::outcome::{Meaning, NO_NODE, NODE_EXISTS, SESSION_EXPIRED, Unanswered};
use super::request::Kind;
use super::session::{Keeping, Phase, Session};
use super::settings::Settings;
use super::tree::Tree;
use crate::lock::{LockService, NotDone, Refusal};
use crate::{Future, Seat};

/// Of the time that a client has for an acquire, so much is left to take its node back when others have the lock.
const TAKE_BACK_DIVISOR: u32 = 4;
const TAKE_BACK_MOST: Duration = Duration::from_millis(500);

/// The locks of one client.
pub(super) struct Locks {
    keeping: Keeping,
    owner: String,
    session: Option<Session>,
    held: BTreeMap<Key, Held>,
}

/// A lock that the session has.
struct Held {
    /// Its node.
    node: String,
    token: u64,
    /// How often it was acquired and not given back.
    depth: u32,
}

/// What stands before a node.
enum Before {
    Nobody,
    /// Somebody's node.
    Node(String),
    /// The node itself is gone.
    Gone,
}

impl Locks {
    pub(super) fn new(seat: &Seat) -> Self {
        let keepalive = Settings::of(&seat.settings).keepalive;
        let standstill = std::sync::Arc::clone(&seat.standstill);
        let keeping = Keeping { server: seat.nodes[seat.home], timeout: seat.ttl, keepalive, standstill };
        Self { keeping, owner: String::new(), session: None, held: BTreeMap::new() }
    }

    async fn open_session(&mut self, owner: &str, until: Instant) -> Result<(), NotDone> {
        self.abandon();
        self.owner = owner.into();
        let session = Session::open(self.keeping.clone());
        session.connected(until).await.map_err(not_done)?;
        self.session = Some(session);
        Ok(())
    }

    fn abandon(&mut self) {
        self.session = None;
        self.held.clear();
    }

    fn tree(&self, until: Instant) -> Result<Tree<'_>, NotDone> {
        let none = || NotDone::refused(Refusal::UnknownSession, "this client has no session; nothing was asked");
        Ok(Tree { session: self.session.as_ref().ok_or_else(none)?, until })
    }

    /// The leader says whether the session lives.
    async fn renew(&self, until: Instant) -> Result<(), NotDone> {
        self.tree(until)?.sync("/").await.map_err(|unanswered| match unanswered {
            // Whatever became of it, it changed nothing.
            Unanswered::Lost(_) | Unanswered::Late | Unanswered::Strange => {
                NotDone::refused(Refusal::Other, unanswered.to_string())
            }
            other => not_done(other),
        })
    }

    async fn lock(&mut self, lock: &Key, until: Instant) -> Result<Option<u64>, NotDone> {
        if self.held.contains_key(lock) {
            self.is_still_there(lock, until).await?;
            return Ok(self.held.get_mut(lock).map(|held| {
                held.depth += 1;
                held.token
            }));
        }
        let tree = self.tree(until)?;
        let folder = folder(lock);
        let left = until.saturating_duration_since(Instant::now());
        let give_up = until - (left / TAKE_BACK_DIVISOR).min(TAKE_BACK_MOST);
        let prefix = format!("{folder}/{}-", self.owner);
        let created = match tree.create(&prefix, Vec::new(), Kind::EphemeralSequential).await {
            Err(unanswered) if unanswered.is(NO_NODE) => {
                make_folder(&tree, &folder).await?;
                tree.create(&prefix, Vec::new(), Kind::EphemeralSequential).await
            }
            created => created,
        }
        .map_err(not_done)?;
        let token = u64::try_from(created.stat.created).unwrap_or(0);
        match wait(&Tree { until: give_up, ..tree }, &folder, &created.path, give_up).await {
            Ok(true) => {
                self.held.insert(lock.clone(), Held { node: created.path, token, depth: 1 });
                Ok(Some(token))
            }
            Ok(false) => take_back(&tree, &created.path, "somebody else has it").await,
            // It may be its turn without knowing.
            Err(unanswered) => take_back(&tree, &created.path, &unanswered.to_string()).await,
        }
    }

    async fn is_still_there(&mut self, lock: &Key, until: Instant) -> Result<(), NotDone> {
        self.renew(until).await?;
        let Some(held) = self.held.get(lock) else { return Err(not_held(lock)) };
        if self.tree(until)?.exists(&held.node).await.map_err(not_done)? {
            return Ok(());
        }
        self.held.remove(lock);
        Err(not_held(lock))
    }

    async fn unlock(&mut self, lock: &Key, until: Instant) -> Result<(), NotDone> {
        let Some(held) = self.held.get(lock) else {
            // The leader may still say more than that: that the session is over.
            self.renew(until).await?;
            return Err(not_held(lock));
        };
        if held.depth > 1 {
            self.is_still_there(lock, until).await?;
            if let Some(held) = self.held.get_mut(lock) {
                held.depth -= 1;
            }
            return Ok(());
        }
        let deleted = self.tree(until)?.delete(&held.node, None).await;
        match deleted {
            Ok(()) => {
                self.held.remove(lock);
                Ok(())
            }
            Err(unanswered) if unanswered.is(NO_NODE) => {
                self.held.remove(lock);
                Err(not_held(lock))
            }
            Err(unanswered) => Err(not_done(unanswered)),
        }
    }
}

/// Waits until nobody stands before the node. Says whether it came to that in time.
async fn wait(tree: &Tree<'_>, folder: &str, own: &str, until: Instant) -> Result<bool, Unanswered> {
    loop {
        let mut changes = tree.session.changes();
        let before = match before(tree, folder, own).await? {
            Before::Nobody => return Ok(true),
            Before::Gone => return Err(Unanswered::Refused(SESSION_EXPIRED)),
            Before::Node(before) => before,
        };
        // Where it is gone by now, somebody else may stand there.
        if tree.watch(&before).await? && !changes.next(until).await {
            return Ok(false);
        }
        if Instant::now() >= until {
            return Ok(false);
        }
    }
}

async fn before(tree: &Tree<'_>, folder: &str, own: &str) -> Result<Before, Unanswered> {
    let number = |name: &str| name.rsplit('-').next().unwrap_or_default().to_owned();
    let own_number = number(own);
    let names = tree.children(folder).await?.unwrap_or_default();
    if !names.iter().any(|name| number(name) == own_number) {
        return Ok(Before::Gone);
    }
    let earlier = names.into_iter().filter(|name| number(name) < own_number);
    Ok(earlier.max_by_key(|name| number(name)).map_or(Before::Nobody, |name| Before::Node(format!("{folder}/{name}"))))
}

/// Deletes a node that did not get the lock. Where that can't be done for certain, it may still get it.
async fn take_back(tree: &Tree<'_>, node: &str, why: &str) -> Result<Option<u64>, NotDone> {
    match tree.delete(node, None).await {
        Ok(()) => Err(NotDone::refused(Refusal::Busy, format!("{why}; its place in the queue was given back"))),
        Err(unanswered) if unanswered.is(NO_NODE) || unanswered.is(SESSION_EXPIRED) => {
            Err(not_done(Unanswered::Expired))
        }
        Err(unanswered) => {
            Err(NotDone::Open(format!("{why}; then its place in the queue was to be given back: {unanswered}")))
        }
    }
}

fn folder(lock: &Key) -> String {
    format!("/{lock}")
}

/// Without the folder there is no lock to be had: whatever becomes of this, nothing was acquired.
async fn make_folder(tree: &Tree<'_>, folder: &str) -> Result<(), NotDone> {
    match tree.create(folder, Vec::new(), Kind::Persistent).await {
        Ok(_) => Ok(()),
        Err(unanswered) if unanswered.is(NODE_EXISTS) => Ok(()),
        Err(unanswered) => Err(NotDone::refused(Refusal::Other, unanswered.to_string())),
    }
}

fn not_held(lock: &Key) -> NotDone {
    NotDone::refused(Refusal::NotHeld, format!("{lock} is not this session's"))
}

/// What a request without an answer says of a change.
fn not_done(unanswered: Unanswered) -> NotDone {
    let why = unanswered.to_string();
    match (&unanswered, unanswered.meaning()) {
        (Unanswered::Expired | Unanswered::Refused(SESSION_EXPIRED), _) => {
            NotDone::refused(Refusal::SessionExpired, why)
        }
        (_, Meaning::Fail) => NotDone::refused(Refusal::Other, why),
        (_, Meaning::Info) => NotDone::Open(why),
    }
}

impl LockService for Locks {
    fn open<'a>(&'a mut self, owner: &'a str, until: Instant) -> Future<'a, Result<(), NotDone>> {
        Box::pin(self.open_session(owner, until))
    }

    fn keep_alive(&mut self, until: Instant) -> Future<'_, Result<(), NotDone>> {
        Box::pin(async move { self.renew(until).await })
    }

    fn acquire<'a>(&'a mut self, lock: &'a Key, until: Instant) -> Future<'a, Result<Option<u64>, NotDone>> {
        Box::pin(self.lock(lock, until))
    }

    fn release<'a>(&'a mut self, lock: &'a Key, until: Instant) -> Future<'a, Result<(), NotDone>> {
        Box::pin(self.unlock(lock, until))
    }

    fn lease_until(&self, lock: &Key) -> Option<Instant> {
        self.held.get(lock)?;
        let standing = self.session.as_ref()?.standing();
        // A client that has lost its connection does not know what became of its session.
        (standing.phase == Phase::Connected).then_some(standing.heard? + standing.timeout)
    }

    fn give_up(&mut self) {
        self.abandon();
    }
}
