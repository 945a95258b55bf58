//! What hands can do to a cluster of real servers.

use std::collections::BTreeSet;

use crate::{Clients, Deed, Grudge, Node};

/// Why hands could not do what was asked, in words for people.
pub type HandsError = Box<dyn std::error::Error + Send + Sync>;

/// What a world can do to its cluster. Calls may block, but not for long: each has a deadline of its own of a few seconds.
///
/// What a call returns is what was *seen*, for people: `n3 drops n1, n2: 5 packets`. A call that can't see that its fault
/// bites fails.
pub trait Hands: Send + Sync + 'static {
    /// From now on exactly these packets are dropped, and those of earlier grudges no longer. An empty grudge heals.
    ///
    /// # Errors
    /// Rules could not be loaded, a packet that should be dropped was not, or a rule is left that should be gone.
    fn cut(&self, grudge: &Grudge) -> Result<String, HandsError>;

    /// Kills these nodes with `kill -9`; returns when they are dead.
    ///
    /// # Errors
    /// A node was not running, or is still there.
    fn kill(&self, nodes: &BTreeSet<Node>) -> Result<String, HandsError>;

    /// Starts these nodes again, which were killed.
    ///
    /// # Errors
    /// A node is running already or can't be started.
    fn start(&self, nodes: &BTreeSet<Node>) -> Result<String, HandsError>;

    /// Stops these nodes with SIGSTOP; returns when every thread stands still.
    ///
    /// # Errors
    /// A node is not running, or does not stop.
    fn pause(&self, nodes: &BTreeSet<Node>) -> Result<String, HandsError>;

    /// Lets these nodes go on, which were paused.
    ///
    /// # Errors
    /// A node is not running, or does not go on.
    fn resume(&self, nodes: &BTreeSet<Node>) -> Result<String, HandsError>;

    /// Removes this member from the cluster, whose server goes on running; returns when the cluster has agreed.
    ///
    /// # Errors
    /// The cluster did not agree in time, or its members can't be changed.
    fn remove_member(&self, node: Node) -> Result<String, HandsError> {
        Err(format!("{node} can't be removed: the members of this cluster can't be changed").into())
    }

    /// Adds this member to the cluster again, where it is not a member; returns when the cluster has agreed.
    ///
    /// # Errors
    /// The cluster did not agree in time, or its members can't be changed.
    fn add_member(&self, node: Node) -> Result<String, HandsError> {
        Err(format!("{node} can't be added: the members of this cluster can't be changed").into())
    }

    /// From now on exactly these clients of the harness stand still.
    ///
    /// # Errors
    /// Clients can't be stopped here.
    fn pause_clients(&self, clients: &Clients) -> Result<String, HandsError> {
        Err(format!("{clients} can't be stopped here").into())
    }
}

/// Lets hands do it; returns what was seen.
pub(super) fn carry_out(hands: &dyn Hands, deed: &Deed) -> Result<String, HandsError> {
    match deed {
        Deed::Cut(grudge) => hands.cut(grudge),
        Deed::Kill(nodes) => hands.kill(nodes),
        Deed::Start(nodes) => hands.start(nodes),
        Deed::Pause(nodes) => hands.pause(nodes),
        Deed::Resume(nodes) => hands.resume(nodes),
        Deed::RemoveMember(node) => hands.remove_member(*node),
        Deed::AddMember(node) => hands.add_member(*node),
        Deed::PauseClients(clients) => hands.pause_clients(clients),
        Deed::Packets(_)
        | Deed::PowerOff(_)
        | Deed::Disks(_)
        | Deed::FlipBit(_)
        | Deed::JumpClocks { .. }
        | Deed::ClockRates(_) => Err(format!("only a simulation can do that: {deed}").into()),
    }
}
