//! The network between the nodes: how long a message takes, and whether it arrives.

use rashomon_draw::Draw;
use serde::{Deserialize, Serialize};

use crate::server::{Micros, NodeId};

/// How the network is when nothing breaks it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkOptions {
    /// No message is faster.
    pub latency_min_us: u32,
    /// What comes on top on average; some messages take several times that.
    pub latency_extra_us: u32,
    /// Of a million messages so many are held up for long.
    pub straggler_ppm: u32,
    /// By at most this.
    pub straggler_max_us: u32,
    /// Of a million messages so many are lost.
    pub loss_ppm: u32,
    /// Of a million messages so many come twice.
    pub duplicate_ppm: u32,
    /// Whether messages from one node to another arrive in the order in which they were sent, as on one connection.
    pub in_order: bool,
    /// Whether what was sent before its link was cut still arrives, however late, as from a queue behind the cut.
    #[serde(default)]
    pub sent_passes_cut: bool,
    /// A node that was paused reaches its peers again, and they it, so long after it goes on, as a machine that slept. What
    /// is sent to it meanwhile is lost. With 0 a pause leaves the network alone, and what is sent waits.
    #[serde(default)]
    pub wake_us: u32,
    /// Of a million messages between clients and nodes so many are held up for long: a request may then come when its client
    /// has given it up, sent it again elsewhere and gone on.
    #[serde(default)]
    pub client_straggler_ppm: u32,
    /// By at most this.
    #[serde(default)]
    pub client_straggler_max_us: u32,
    /// Of a million messages between clients and nodes so many are lost.
    #[serde(default)]
    pub client_loss_ppm: u32,
}

impl Default for NetworkOptions {
    /// A network like that of a rack.
    fn default() -> Self {
        Self {
            latency_min_us: 100,
            latency_extra_us: 100,
            straggler_ppm: 0,
            straggler_max_us: 0,
            loss_ppm: 0,
            duplicate_ppm: 0,
            in_order: true,
            sent_passes_cut: false,
            wake_us: 0,
            client_straggler_ppm: 0,
            client_straggler_max_us: 0,
            client_loss_ppm: 0,
        }
    }
}

/// What is done to a link on top of that.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Disturbance {
    /// Nothing passes.
    pub cut: bool,
    /// Every message takes at least so much longer.
    pub delay_min_us: u32,
    /// And at most so much.
    pub delay_max_us: u32,
    /// Of a million messages so many are lost.
    pub loss_ppm: u32,
    /// Of a million messages so many come twice.
    pub duplicate_ppm: u32,
}

impl Disturbance {
    /// Both at once: the worse of each.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            cut: self.cut || other.cut,
            delay_min_us: self.delay_min_us.max(other.delay_min_us),
            delay_max_us: self.delay_max_us.max(other.delay_max_us),
            loss_ppm: self.loss_ppm.max(other.loss_ppm),
            duplicate_ppm: self.duplicate_ppm.max(other.duplicate_ppm),
        }
    }
}

/// One way from a node to another.
#[derive(Clone, Copy, Debug, Default)]
struct Link {
    disturbance: Disturbance,
    /// When the last message on it arrives.
    last_arrival: Micros,
}

/// Links between all nodes, both ways.
#[derive(Debug)]
pub(super) struct Network {
    options: NetworkOptions,
    nodes: usize,
    links: Vec<Link>,
    /// Until when each node is not on the network because it sleeps.
    asleep_until: Vec<Micros>,
    draw: Draw,
    /// For what goes between clients and nodes.
    clients: Draw,
}

/// When a message and its double arrive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Arrivals {
    pub(super) first: Option<Micros>,
    pub(super) double: Option<Micros>,
}

impl Network {
    pub(super) fn new(options: NetworkOptions, nodes: u16, seed: u64) -> Self {
        let nodes = usize::from(nodes);
        let (draw, clients) = (Draw::stream(seed, "network"), Draw::stream(seed, "clients' network"));
        Self {
            options,
            nodes,
            links: vec![Link::default(); nodes * nodes],
            asleep_until: vec![Micros(0); nodes],
            draw,
            clients,
        }
    }

    fn place(&self, from: NodeId, to: NodeId) -> usize {
        usize::from(from.0 - 1) * self.nodes + usize::from(to.0 - 1)
    }

    /// A node is paused.
    pub(super) fn sleep(&mut self, node: NodeId) {
        if self.options.wake_us > 0 {
            self.asleep_until[usize::from(node.0) - 1] = Micros(u64::MAX);
        }
    }

    /// A paused node goes on.
    pub(super) fn wake(&mut self, now: Micros, node: NodeId) {
        let until = &mut self.asleep_until[usize::from(node.0) - 1];
        *until = now.after(self.options.wake_us.into()).min(*until);
    }

    fn is_asleep(&self, now: Micros, node: NodeId) -> bool {
        now < self.asleep_until[usize::from(node.0) - 1]
    }

    pub(super) fn disturb(&mut self, from: NodeId, to: NodeId, disturbance: Disturbance) {
        let place = self.place(from, to);
        self.links[place].disturbance = disturbance;
    }

    pub(super) fn set_options(&mut self, options: NetworkOptions) {
        self.options = options;
    }

    /// Whether a message that arrives now is dropped.
    pub(super) fn drops_at_arrival(&self, from: NodeId, to: NodeId) -> bool {
        !self.options.sent_passes_cut && self.is_cut(from, to)
    }

    fn is_cut(&self, from: NodeId, to: NodeId) -> bool {
        self.links[self.place(from, to)].disturbance.cut
    }

    /// Decides when a message that is sent now arrives.
    pub(super) fn send(&mut self, now: Micros, from: NodeId, to: NodeId) -> Arrivals {
        if self.is_asleep(now, from) || self.is_asleep(now, to) {
            return Arrivals { first: None, double: None };
        }
        let place = self.place(from, to);
        let Disturbance { cut, delay_min_us, delay_max_us, loss_ppm, duplicate_ppm } = self.links[place].disturbance;
        let fate = self.draw.below(1_000_000) as u32;
        let lost = loss_ppm + self.options.loss_ppm;
        if cut || fate < lost {
            return Arrivals { first: None, double: None };
        }
        let mut delay_us = self.latency_us();
        if delay_max_us > 0 {
            delay_us += self.draw.between(delay_min_us.into(), delay_max_us.into());
        }
        let twice = fate - lost < duplicate_ppm + self.options.duplicate_ppm;
        let double = twice.then(|| now.after(delay_us + 1 + self.latency_us()));
        let link = &mut self.links[place];
        let mut first = now.after(delay_us);
        if self.options.in_order && delay_max_us == 0 {
            first = first.max(link.last_arrival);
            link.last_arrival = first;
        }
        Arrivals { first: Some(first), double }
    }

    /// Decides when a message between a client and a node arrives, if it does. Cuts and bad links are between nodes only.
    pub(super) fn send_of_client(&mut self, now: Micros) -> Option<Micros> {
        let NetworkOptions {
            latency_min_us,
            latency_extra_us,
            client_straggler_ppm: held_up,
            client_straggler_max_us,
            client_loss_ppm: lost,
            ..
        } = self.options;
        let mut delay_us = u64::from(latency_min_us) + self.clients.exponential(latency_extra_us.into());
        if lost + held_up > 0 {
            let fate = self.clients.below(1_000_000) as u32;
            if fate < lost {
                return None;
            }
            if fate - lost < held_up {
                delay_us += self.clients.between(0, client_straggler_max_us.into());
            }
        }
        Some(now.after(delay_us))
    }

    fn latency_us(&mut self) -> u64 {
        let NetworkOptions { latency_min_us, latency_extra_us, straggler_ppm, straggler_max_us, .. } = self.options;
        let usual = u64::from(latency_min_us) + self.draw.exponential(latency_extra_us.into());
        if straggler_ppm > 0 && self.draw.below(1_000_000) < straggler_ppm as usize {
            return usual + self.draw.between(0, straggler_max_us.into());
        }
        usual
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(options: NetworkOptions) -> Network {
        Network::new(options, 3, 3)
    }

    fn delays(network: &mut Network, count: u64) -> Vec<u64> {
        let arrivals = (0..count).map(|at| (at, network.send(Micros(at), NodeId(1), NodeId(2)).first));
        arrivals.filter_map(|(at, first)| first.map(|first| first.0 - at)).collect()
    }

    #[test]
    fn latencies_have_their_least_their_mean_and_a_tail() {
        let mut network = network(NetworkOptions { in_order: false, ..NetworkOptions::default() });
        let delays = delays(&mut network, 20_000);
        let mean = delays.iter().sum::<u64>() / delays.len() as u64;
        assert_eq!(delays.len(), 20_000);
        assert!(delays.iter().all(|delay| *delay >= 100));
        assert!((185..215).contains(&mean), "{mean}");
        assert!(delays.iter().any(|delay| *delay > 700));
    }

    #[test]
    fn a_cut_link_lets_nothing_pass_and_only_that_way() {
        let mut network = network(NetworkOptions::default());
        network.disturb(NodeId(1), NodeId(2), Disturbance { cut: true, ..Disturbance::default() });
        assert_eq!(network.send(Micros(0), NodeId(1), NodeId(2)).first, None);
        assert!(network.send(Micros(0), NodeId(2), NodeId(1)).first.is_some());
        assert!(network.is_cut(NodeId(1), NodeId(2)) && !network.is_cut(NodeId(2), NodeId(1)));
    }

    #[test]
    fn a_node_that_slept_is_off_the_network_until_it_is_awake_for_a_while() {
        let mut network = network(NetworkOptions { wake_us: 500, ..NetworkOptions::default() });
        network.sleep(NodeId(1));
        assert!(network.send(Micros(9_000), NodeId(2), NodeId(1)).first.is_none());
        assert!(network.send(Micros(9_000), NodeId(2), NodeId(3)).first.is_some());
        network.wake(Micros(10_000), NodeId(1));
        assert!(network.send(Micros(10_499), NodeId(1), NodeId(2)).first.is_none());
        assert!(network.send(Micros(10_500), NodeId(1), NodeId(2)).first.is_some());
    }

    #[test]
    fn losses_and_doubles_come_as_often_as_they_are_asked_for() {
        let mut network = network(NetworkOptions { loss_ppm: 100_000, ..NetworkOptions::default() });
        let disturbance = Disturbance { duplicate_ppm: 200_000, ..Disturbance::default() };
        network.disturb(NodeId(1), NodeId(2), disturbance);
        let sent: Vec<_> = (0..10_000).map(|at| network.send(Micros(at), NodeId(1), NodeId(2))).collect();
        let lost = sent.iter().filter(|arrivals| arrivals.first.is_none()).count();
        let doubled = sent.iter().filter(|arrivals| arrivals.double.is_some()).count();
        assert!((900..1_100).contains(&lost), "{lost}");
        assert!((1_850..2_150).contains(&doubled), "{doubled}");
    }

    #[test]
    fn what_clients_send_is_lost_and_held_up_as_often_as_it_is_asked_for() {
        let options = NetworkOptions {
            client_loss_ppm: 100_000,
            client_straggler_ppm: 200_000,
            client_straggler_max_us: 50_000,
            ..NetworkOptions::default()
        };
        let mut network = network(options);
        let arrivals: Vec<_> = (0..10_000).map(|_| network.send_of_client(Micros(0))).collect();
        let lost = arrivals.iter().filter(|at| at.is_none()).count();
        let late = arrivals.iter().flatten().filter(|at| at.0 > 5_000).count();
        assert!((900..1_100).contains(&lost), "{lost}");
        assert!((1_600..2_000).contains(&late), "{late}");
        network.set_options(NetworkOptions::default());
        assert!((0..1_000).all(|_| network.send_of_client(Micros(0)).is_some_and(|at| at.0 < 5_000)));
    }

    #[test]
    fn messages_overtake_each_other_only_where_that_is_allowed() {
        for in_order in [true, false] {
            let mut network = network(NetworkOptions { in_order, ..NetworkOptions::default() });
            let arrivals: Vec<_> =
                (0..1_000).filter_map(|at| network.send(Micros(at), NodeId(1), NodeId(2)).first).collect();
            assert_eq!(arrivals.is_sorted(), in_order);
        }
    }
}
