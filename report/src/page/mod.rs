//! The page of a run: one HTML file that needs nothing else.

mod axis;
mod cycle;
mod evidence;
mod faults;
mod header;
mod holds;
mod lamport;
mod overview;
mod plots;
mod tables;
mod timeline;

#[cfg(test)]
mod tests;

use std::time::Duration;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use rashomon_history::{History, Operation, TimeNs};

use crate::lamport::Lamport;
use crate::statistics::{FaultInterval, fault_intervals};
use crate::verdict::{Verdict, VerdictFile};
use faults::Palette;

/// What a page is made of.
#[derive(Clone, Copy, Debug)]
pub struct ReportInput<'a> {
    /// What was run, in a few words: `raft register`.
    pub title: &'a str,
    /// What it came to.
    pub verdict: &'a VerdictFile,
    /// What the clients saw and what the nemesis did.
    pub history: &'a History,
    /// The plan, a row each: `("seed", "7")`. In the order in which a reader asks for them.
    pub plan: &'a [(&'a str, String)],
    /// Files beside the page: label and relative address, `("n1", "nodes/n1/node.log")`.
    pub links: &'a [(String, String)],
    /// The messages, where they are known.
    pub lamport: Option<&'a Lamport>,
    /// How long the leases of a lock service last, where it has leases.
    pub lease_ttl: Option<Duration>,
}

/// All that the sections draw from, computed once.
struct Page<'a> {
    input: &'a ReportInput<'a>,
    operations: &'a [Operation],
    faults: Vec<FaultInterval>,
    palette: Palette,
    end: TimeNs,
}

/// The page, whole: styles, scripts and data are in it, and it asks nothing of the network.
///
/// Its size is bounded: plots are drawn from at most 200 buckets, timelines and tables are cut and say so.
#[must_use]
pub fn render(input: &ReportInput<'_>) -> String {
    let operations = input.history.operations();
    let faults = fault_intervals(input.history);
    let palette = Palette::of(&faults);
    let end = input.history.events().last().map(rashomon_history::EventRef::time).unwrap_or_default();
    Page { input, operations, faults, palette, end }.document().into_string()
}

impl Page<'_> {
    fn document(&self) -> Markup {
        let verdict = self.input.verdict.verdict;
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    // Nothing is ever fetched, whatever a history holds.
                    meta http-equiv="Content-Security-Policy"
                        content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (verdict.as_str().to_uppercase()) " · " (self.input.title) }
                    style { (PreEscaped(include_str!("../../assets/uPlot.min.css"))) (PreEscaped(include_str!("../../assets/report.css"))) }
                }
                body {
                    (self.header())
                    main { (self.sections()) }
                    footer { "Rashomon " (self.input.verdict.rashomon_version) " · times are seconds since the run began" }
                    (self.scripts())
                }
            }
        }
    }

    /// What matters most for the verdict comes first.
    fn sections(&self) -> Markup {
        html! {
            @match self.input.verdict.verdict {
                Verdict::Invalid => { (self.evidence()) (self.holds()) (self.messages()) (self.over_time()) (self.fault_table()) (self.counts()) (self.guards()) }
                Verdict::Valid | Verdict::Unknown => { (self.guards()) (self.over_time()) (self.evidence()) (self.holds()) (self.messages()) (self.fault_table()) (self.counts()) }
            }
            (self.checkers())
            (self.plan())
            (self.files())
        }
    }

    fn over_time(&self) -> Markup {
        html! {
            section id="over-time" aria-labelledby="over-time-title" {
                h2 id="over-time-title" { "The run over time" }
                (self.overview())
                (self.plots())
            }
        }
    }

    fn scripts(&self) -> Markup {
        html! {
            script type="application/json" id="plots-data" { (PreEscaped(self.plots_data())) }
            script { (PreEscaped(include_str!("../../assets/uPlot.iife.min.js"))) }
            script { (PreEscaped(include_str!("../../assets/report.js"))) }
        }
    }
}

/// JSON that can stand inside a script element: no `<` can end it early.
fn json_for_script(value: &impl serde::Serialize) -> String {
    // Plain structs of numbers and texts always become JSON; without them the plots say that there is no data.
    serde_json::to_string(value).unwrap_or_else(|_| "null".into()).replace('<', "\\u003c")
}
