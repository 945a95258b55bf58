use maud::{Markup, html};

use super::Page;
use crate::describe::{bytes, clip, count, duration};
use crate::statistics::{OutcomeCounts, OutcomeLatency, Quantiles};
use crate::verdict::{Guard, OutcomeKind, Verdict};

/// Rows of a table whose length a history decides.
const MOST_ROWS: usize = 60;

const OUTCOMES: [OutcomeKind; 3] = [OutcomeKind::Ok, OutcomeKind::Fail, OutcomeKind::Info];

impl Page<'_> {
    pub(super) fn guards(&self) -> Markup {
        let guards = &self.input.verdict.guards;
        html! {
            section id="guards" aria-labelledby="guards-title" {
                h2 id="guards-title" { "Guards against an empty verdict" }
                @if guards.is_empty() { p.none { "No guards were asked for." } }
                @else { ul.guards { @for guard in guards { (guard_item(guard)) } } }
            }
        }
    }

    pub(super) fn counts(&self) -> Markup {
        let statistics = &self.input.verdict.statistics;
        html! {
            section id="counts" aria-labelledby="counts-title" {
                h2 id="counts-title" { "Counts and latency" }
                div.scroll tabindex="0" role="region" aria-label="Operations by call and outcome" {
                    table {
                        thead {
                            tr {
                                th { "Call" } th { "Outcome" } th.number { "Operations" } th.number { "p50" } th.number { "p95" }
                                th.number { "p99" } th.number { "Slowest" }
                            }
                        }
                        @for (f, call) in statistics.by_f.iter().take(MOST_ROWS) { (outcome_rows(f, call.operations, &call.latency)) }
                        @if statistics.by_f.len() > 1 { (outcome_rows("all", statistics.operations, &statistics.latency)) }
                    }
                }
                p.note {
                    (outcome_key("ok")) " it happened. " (outcome_key("fail")) " it certainly did not. "
                    (outcome_key("info")) " nobody knows: a timeout or a lost connection. "
                    @if statistics.final_reads > 0 { (count(statistics.final_reads)) " of the operations are final reads, after all faults were healed." }
                }
                @if !statistics.by_node.is_empty() { (self.nodes()) }
            }
        }
    }

    fn nodes(&self) -> Markup {
        let nodes = &self.input.verdict.statistics.by_node;
        html! {
            div.scroll tabindex="0" role="region" aria-label="Operations by node" {
                table {
                    thead { tr { th { "Node" } th.number { "Operations" } th.number { "ok" } th.number { "fail" } th.number { "info" } } }
                    tbody {
                        @for (node, counts) in nodes.iter().take(MOST_ROWS) {
                            tr {
                                td.word { (clip(node, 60)) }
                                td.number { (count(counts.total)) } td.number { (count(counts.ok)) }
                                td.number { (count(counts.fail)) } td.number { (count(counts.info)) }
                            }
                        }
                    }
                }
            }
            @if nodes.len() > MOST_ROWS { p.note { "The first " (MOST_ROWS) " of " (count(nodes.len() as u64)) " nodes." } }
        }
    }

    pub(super) fn checkers(&self) -> Markup {
        let checkers = &self.input.verdict.checkers;
        html! {
            section id="checkers" aria-labelledby="checkers-title" {
                h2 id="checkers-title" { "Checks" }
                @if checkers.is_empty() { p.none { "Nothing was checked." } } @else {
                    div.scroll tabindex="0" role="region" aria-label="Table of checks" {
                        table {
                            thead {
                                tr {
                                    th { "Check" } th { "Verdict" } th { "Algorithm" } th.number { "Operations" } th.number { "Time" }
                                    th.number { "Memory" } th { "Why" }
                                }
                            }
                            tbody {
                                @for checker in checkers {
                                    tr {
                                        td.word { (checker.name) }
                                        td { strong class=(tone(checker.verdict)) { (checker.verdict.as_str()) } }
                                        td.word { (checker.algorithm) }
                                        td.number { (count(checker.operations)) }
                                        td.number { (format!("{:.3} s", checker.seconds)) }
                                        td.number { (checker.peak_memory_bytes.map(bytes).unwrap_or_default()) }
                                        td.text { (clip(&checker.reason, 600)) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    pub(super) fn plan(&self) -> Markup {
        html! {
            section id="plan" aria-labelledby="plan-title" {
                h2 id="plan-title" { "Plan" }
                p { "Run it again:" }
                div.command { pre tabindex="0" { code { (self.input.verdict.command) } } button type="button" hidden { "Copy" } }
                dl.plan { @for (name, value) in self.input.plan { div { dt { (name) } dd { (clip(value, 600)) } } } }
            }
        }
    }

    pub(super) fn files(&self) -> Markup {
        html! {
            section id="files" aria-labelledby="files-title" {
                h2 id="files-title" { "Files" }
                @if self.input.links.is_empty() { p.none { "No files lie beside this page." } } @else {
                    ul.files { @for (label, address) in self.input.links { li { a href=(address) { (label) } } } }
                }
            }
        }
    }
}

fn guard_item(guard: &Guard) -> Markup {
    let (class, mark, word) = if guard.held { ("held", "✓", "held") } else { ("not-held", "✕", "not held") };
    html! {
        li class=(class) {
            span.mark role="img" aria-label=(word) { (mark) }
            span { (guard.name) @if !guard.detail.is_empty() { " " span.detail { (clip(&guard.detail, 300)) } } }
        }
    }
}

fn outcome_rows(f: &str, operations: OutcomeCounts, latency: &OutcomeLatency) -> Markup {
    html! {
        tbody {
            @for (position, outcome) in OUTCOMES.into_iter().enumerate() {
                @let (number, quantiles) = of_outcome(operations, latency, outcome);
                tr class=[(number == 0).then_some("zero")] {
                    @if position == 0 { th.word rowspan="3" scope="rowgroup" { (clip(f, 60)) } }
                    td { (outcome_key(outcome.as_str())) }
                    td.number { (count(number)) }
                    @match quantiles {
                        Some(quantiles) => {
                            td.number { (duration(quantiles.p50_ns)) } td.number { (duration(quantiles.p95_ns)) }
                            td.number { (duration(quantiles.p99_ns)) } td.number { (duration(quantiles.max_ns)) }
                        }
                        None => { td {} td {} td {} td {} }
                    }
                }
            }
        }
    }
}

fn of_outcome(operations: OutcomeCounts, latency: &OutcomeLatency, outcome: OutcomeKind) -> (u64, Option<Quantiles>) {
    match outcome {
        OutcomeKind::Ok => (operations.ok, latency.ok),
        OutcomeKind::Fail => (operations.fail, latency.fail),
        OutcomeKind::Info => (operations.info, latency.info),
    }
}

/// The word of an outcome behind its colour.
pub(super) fn outcome_key(word: &str) -> Markup {
    html! { span.outcome { svg.swatch width="12" height="12" aria-hidden="true" { rect class={ "bar-" (word) } x="0.5" y="0.5" width="11" height="11" rx="2" {} } (word) } }
}

fn tone(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Valid => "good",
        Verdict::Invalid => "bad",
        Verdict::Unknown => "doubt",
    }
}
