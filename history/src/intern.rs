//! Names that come again and again are kept once.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::Key;

/// Keys and names of nodes: equal ones share their text.
#[derive(Default)]
pub(crate) struct Names {
    keys: FxHashSet<Key>,
    nodes: FxHashSet<Arc<str>>,
}

impl Names {
    pub(crate) fn key(&mut self, name: &str) -> Key {
        if let Some(key) = self.keys.get(name) {
            return key.clone();
        }
        let key = Key::from(name);
        self.keys.insert(key.clone());
        key
    }

    pub(crate) fn node(&mut self, name: &str) -> Arc<str> {
        if let Some(node) = self.nodes.get(name) {
            return node.clone();
        }
        let node = Arc::from(name);
        self.nodes.insert(Arc::clone(&node));
        node
    }
}
