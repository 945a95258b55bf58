//! Who held a lock, when, and what was written under it: one lane a client.

mod draw;
mod scene;

#[cfg(test)]
mod tests;

use maud::{Markup, html};
use rashomon_history::Call;

use super::Page;
use scene::Scene;

impl Page<'_> {
    pub(super) fn has_locks(&self) -> bool {
        self.operations.iter().any(|operation| matches!(operation.call, Call::Acquire { .. }))
    }

    /// The timeline of holds, in a history of locks.
    pub(super) fn holds(&self) -> Markup {
        let scene = Scene::of(self.operations, self.input.verdict, self.input.lease_ttl);
        html! {
            @if let Some(scene) = scene {
                section id="holds" aria-labelledby="holds-title" {
                    h2 id="holds-title" { "Who held " (scene.lock) ", and when" }
                    (draw::figure(&scene, &self.faults, &self.palette, self.end))
                }
            }
        }
    }
}
