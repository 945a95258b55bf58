//! Bad links, drawn.

use std::collections::BTreeSet;

use rashomon_draw::{Deck, Draw};

use super::faults::any_node;
use crate::{AtLinks, Direction, Links, Node, PacketFault, PacketTrouble};

/// Draws packet faults one after the other.
pub(super) struct Packets {
    nodes: u16,
    longest_delay_us: u32,
    places: Deck<LinkShape>,
    troubles: Deck<TroubleShape>,
}

/// Which links, roughly.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum LinkShape {
    All,
    OneNode,
    Some,
}

/// What happens to packets, roughly.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum TroubleShape {
    Late,
    Reordered,
    Lost,
    Twice,
    All,
}

impl Packets {
    pub(super) fn new(nodes: u16, longest_delay_us: u32) -> Self {
        use TroubleShape::{All, Late, Lost, Reordered, Twice};
        Self {
            nodes,
            longest_delay_us: longest_delay_us.max(1),
            places: Deck::new(vec![LinkShape::All, LinkShape::OneNode, LinkShape::Some]),
            troubles: Deck::new(vec![Late, Reordered, Lost, Twice, All]),
        }
    }

    /// One on the links of `leader`, which is drawn for where nobody knows one, or on any links.
    pub(super) fn draw(&mut self, leader: Option<Node>, draw: &mut Draw) -> PacketFault {
        let direction = draw.pick(&[Direction::Both, Direction::Deaf, Direction::Mute]);
        let on = match leader {
            Some(otherwise) => AtLinks::Leader { direction, otherwise },
            None => match self.places.deal(draw) {
                LinkShape::All => AtLinks::All,
                LinkShape::OneNode => {
                    AtLinks::These(Links::at(&BTreeSet::from([any_node(self.nodes, draw)]), self.nodes, direction))
                }
                LinkShape::Some => AtLinks::These(self.some_links(draw)),
            },
        };
        let trouble = match self.troubles.deal(draw) {
            TroubleShape::Late => self.late(draw),
            TroubleShape::Reordered => self.reordered(draw),
            TroubleShape::Lost => lost(draw),
            TroubleShape::Twice => twice(draw),
            TroubleShape::All => self.reordered(draw).and(lost(draw)).and(twice(draw)),
        };
        PacketFault { on, trouble }
    }

    /// From one link to half of them.
    fn some_links(&self, draw: &mut Draw) -> Links {
        let mut links: Vec<(Node, Node)> = Links::all(self.nodes).0.into_iter().collect();
        draw.shuffle(&mut links);
        links.truncate(1 + draw.below(links.len() / 2));
        Links(links.into_iter().collect())
    }

    /// A longest delay: a tenth is as likely as the whole.
    fn delay_us(&self, draw: &mut Draw) -> u32 {
        let scale = draw.pick(&[1, 3, 10, 30, 100, 300]);
        (self.longest_delay_us / scale).max(1)
    }

    fn late(&self, draw: &mut Draw) -> PacketTrouble {
        let delay_max_us = self.delay_us(draw);
        PacketTrouble { delay_min_us: delay_max_us / 2, delay_max_us, ..PacketTrouble::default() }
    }

    fn reordered(&self, draw: &mut Draw) -> PacketTrouble {
        PacketTrouble { delay_max_us: self.delay_us(draw), ..PacketTrouble::default() }
    }
}

fn lost(draw: &mut Draw) -> PacketTrouble {
    PacketTrouble { loss_per_mille: draw.pick(&[20, 100, 300, 600]), ..PacketTrouble::default() }
}

fn twice(draw: &mut Draw) -> PacketTrouble {
    PacketTrouble { duplicate_per_mille: draw.pick(&[50, 300, 900]), ..PacketTrouble::default() }
}
