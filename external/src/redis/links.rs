//! The connections of one client, to as many servers as it speaks to.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use super::link::Link;
use crate::StandStill;

pub(super) struct Links {
    standstill: Arc<dyn StandStill>,
    links: BTreeMap<SocketAddr, Link>,
}

impl Links {
    pub(super) fn new(standstill: Arc<dyn StandStill>) -> Self {
        Self { standstill, links: BTreeMap::new() }
    }

    pub(super) fn to(&mut self, address: SocketAddr) -> &mut Link {
        self.links.entry(address).or_insert_with(|| Link::new(address, Arc::clone(&self.standstill)))
    }
}
