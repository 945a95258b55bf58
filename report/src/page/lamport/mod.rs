//! The messages of a run as SVG: one line a client or node, time runs down, one arrow a message.

mod draw;
mod labels;
mod layout;

#[cfg(test)]
mod tests;

use maud::{Markup, html};

use super::Page;

impl Page<'_> {
    /// The diagram of the messages, where there is one.
    pub(super) fn messages(&self) -> Markup {
        html! {
            @if let Some(diagram) = self.input.lamport.and_then(draw::diagram) {
                section id="messages" aria-labelledby="messages-title" {
                    h2 id="messages-title" { "The messages" }
                    (diagram)
                }
            }
        }
    }
}
