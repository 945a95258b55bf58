//! What the guarded resource accepted, over all of its lives.

use std::collections::{BTreeMap, BTreeSet};

use rashomon_history::Key;

use super::rules::Broken;
use crate::lock::resource::{Accepted, accepted};
use crate::server::{NodeId, Write};

/// Looks at the records of the resource.
#[derive(Debug, Default)]
pub(super) struct Guard {
    resources: BTreeSet<NodeId>,
    fencing: bool,
    highest: BTreeMap<Key, u64>,
    last_number: u64,
}

impl Guard {
    pub(super) fn came_up(&mut self, node: NodeId, fencing: bool) {
        self.resources.insert(node);
        self.fencing = fencing;
    }

    pub(super) fn is_resource(&self, node: NodeId) -> bool {
        self.resources.contains(&node)
    }

    /// A write of the resource is durable: each of its records keeps to the rules.
    pub(super) fn durable(&mut self, write: &Write) -> Result<(), Broken> {
        for Accepted { key, token, number } in accepted(write) {
            if let Some(number) = number
                && std::mem::replace(&mut self.last_number, number) >= number
            {
                return Err(Broken::new("write-numbers", format!("{number} was given to two writes of the resource")));
            }
            let Some(token) = token.filter(|_| self.fencing) else { continue };
            let highest = self.highest.entry(key.clone()).or_default();
            if token < *highest {
                let text = format!("the resource took token {token} for {key} after it had taken {highest}");
                return Err(Broken::new("fencing-enforced", text));
            }
            *highest = token;
        }
        Ok(())
    }
}
