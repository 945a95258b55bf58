//! The whole run on one screen: faults, leaders and the times without an answer, on one axis, without a script.

use std::collections::BTreeSet;

use maud::{Markup, html};
use rashomon_history::TimeNs;

use super::{Page, faults};
use crate::describe::{between, clip, count, ellipsis};
use crate::statistics::windows_without_ok;

/// Spans on one strip; more would not be told apart.
const MOST_SPANS: usize = 400;
const MOST_NODES: usize = 16;
/// Times without an `ok` that are shown: the longest ones.
const MOST_WINDOWS: usize = 20;
const SHORTEST_WINDOW_NS: u64 = 100_000_000;

struct Span {
    from: TimeNs,
    to: TimeNs,
    class: String,
    text: String,
    hint: String,
}

struct Strip {
    name: String,
    spans: Vec<Span>,
}

impl Page<'_> {
    pub(super) fn overview(&self) -> Markup {
        let mut strips = self.fault_strips();
        strips.extend(self.leader_strips());
        strips.extend(self.unanswered_strip());
        strips.extend(self.final_reads_strip());
        html! {
            @if !strips.is_empty() {
                div.overview role="group" aria-label="Faults, leaders and times without an answer" {
                    @for strip in &strips { (self.strip(strip)) }
                    (self.strip_axis())
                }
            }
        }
    }

    fn fault_strips(&self) -> Vec<Strip> {
        let of_kind = |kind: &String| {
            let spans = self.faults.iter().filter(|fault| &fault.kind == kind).take(MOST_SPANS).map(|fault| {
                let to = fault.ended_by(self.end);
                Span {
                    from: fault.began,
                    to,
                    class: format!("fault-{}", self.palette.colour(kind)),
                    text: format!("#{}", fault.number),
                    hint: format!("{}, {} to {} ({})", faults::label(fault), fault.began, to, between(fault.began, to)),
                }
            });
            Strip { name: kind.clone(), spans: spans.collect() }
        };
        self.palette.kinds().iter().map(of_kind).collect()
    }

    fn leader_strips(&self) -> Vec<Strip> {
        let leaders = &self.input.verdict.statistics.leaders;
        let nodes: BTreeSet<&String> = leaders.iter().map(|leader| &leader.node).collect();
        let of_node = |node: &String| {
            let led = leaders.iter().enumerate().filter(|(_, leader)| &leader.node == node).take(MOST_SPANS);
            let spans = led.map(|(position, leader)| {
                let to = leaders.get(position + 1).map_or(self.end, |next| next.time_ns);
                Span {
                    from: leader.time_ns,
                    to: to.max(leader.time_ns),
                    class: "leads".into(),
                    text: format!("term {}", leader.term),
                    hint: format!("{node} leads in term {} from {} to {to}", leader.term, leader.time_ns),
                }
            });
            Strip { name: format!("{node} leads"), spans: spans.collect() }
        };
        nodes.into_iter().take(MOST_NODES).map(of_node).collect()
    }

    fn unanswered_strip(&self) -> Option<Strip> {
        let windows = windows_without_ok(self.input.history);
        let long = windows.into_iter().filter(|window| window.length_ns() >= SHORTEST_WINDOW_NS).take(MOST_WINDOWS);
        let spans: Vec<Span> = long
            .map(|window| Span {
                from: window.from_ns,
                to: window.to_ns,
                class: "unanswered".into(),
                text: between(window.from_ns, window.to_ns),
                hint: format!(
                    "no ok for {}, from {} to {}, although clients waited",
                    between(window.from_ns, window.to_ns),
                    window.from_ns,
                    window.to_ns
                ),
            })
            .collect();
        (!spans.is_empty()).then(|| Strip { name: "no ok".into(), spans })
    }

    fn final_reads_strip(&self) -> Option<Strip> {
        let finals = || self.operations.iter().filter(|operation| operation.is_final);
        let from = finals().map(|operation| operation.invoked).min()?;
        let to = finals().map(|operation| operation.completed.unwrap_or(self.end)).max()?;
        let hint =
            format!("{} final reads from {from} to {to}, after all faults were healed", count(finals().count() as u64));
        let span = Span { from, to, class: "leads".into(), text: between(from, to), hint };
        Some(Strip { name: "final reads".into(), spans: vec![span] })
    }

    fn strip(&self, strip: &Strip) -> Markup {
        let spoken = format!("{}: {} times", strip.name, count(strip.spans.len() as u64));
        html! {
            div.strip {
                span.name title=(clip(&strip.name, 200)) { (ellipsis(&strip.name, 18)) }
                svg width="100%" height="18" role="img" aria-label=(clip(&spoken, 200)) {
                    rect.track width="100%" height="18" {}
                    @for span in &strip.spans {
                        @let left = self.percent(span.from);
                        @let width = self.percent(span.to) - left;
                        // A strip of its own clips the text to the span.
                        svg x=(format!("{left:.3}%")) y="0" width=(format!("{:.3}%", width.max(0.25))) height="18" {
                            title { (span.hint) }
                            rect class=(span.class) y="1" width="100%" height="16" rx="2" {}
                            @if width > 2.5 { text x="4" y="13" { (span.text) } }
                        }
                    }
                }
            }
        }
    }

    fn strip_axis(&self) -> Markup {
        const TICKS: [u32; 6] = [0, 20, 40, 60, 80, 100];
        let end = self.end.as_secs_f64();
        html! {
            div.strip.axis aria-hidden="true" {
                span.name {}
                svg width="100%" height="16" {
                    @for percent in TICKS {
                        @let anchor = match percent { 0 => "start", 100 => "end", _ => "middle" };
                        text x=(format!("{percent}%")) y="12" text-anchor=(anchor) { (format!("{:.1} s", end * f64::from(percent) / 100.0)) }
                    }
                }
            }
        }
    }

    fn percent(&self, time: TimeNs) -> f64 {
        if self.end.0 == 0 { 0.0 } else { (time.as_secs_f64() / self.end.as_secs_f64() * 100.0).min(100.0) }
    }
}
