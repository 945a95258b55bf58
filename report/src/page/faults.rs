use maud::{Markup, html};

use super::Page;
use crate::describe::{between, clip, count, duration};
use crate::statistics::{FaultAvailability, FaultInterval};

/// Rows of the table of faults.
const MOST_ROWS: usize = 200;

/// A colour for each kind of fault. A kind is also always named where its colour is used.
pub(super) struct Palette {
    kinds: Vec<String>,
}

impl Palette {
    /// Colours in the style sheet: `--fault-0` and on.
    const COLOURS: usize = 6;

    pub(super) fn of(faults: &[FaultInterval]) -> Self {
        let mut kinds: Vec<String> = faults.iter().map(|fault| fault.kind.clone()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        Self { kinds }
    }

    pub(super) fn kinds(&self) -> &[String] {
        &self.kinds
    }

    /// The number of the kind's colour.
    pub(super) fn colour(&self, kind: &str) -> usize {
        self.kinds.iter().position(|known| known == kind).unwrap_or_default() % Self::COLOURS
    }
}

/// A fault on one line: `#3 partition: n1 | n2 n3`.
pub(super) fn label(fault: &FaultInterval) -> String {
    if fault.detail.is_empty() {
        format!("#{} {}", fault.number, fault.kind)
    } else {
        format!("#{} {}: {}", fault.number, fault.kind, clip(&fault.detail, 160))
    }
}

impl Page<'_> {
    pub(super) fn fault_table(&self) -> Markup {
        html! {
            section id="faults" aria-labelledby="faults-title" {
                h2 id="faults-title" { "Faults" }
                @if self.faults.is_empty() {
                    p.none { "No faults were injected." }
                } @else {
                    div.scroll tabindex="0" role="region" aria-label="Table of faults" {
                        table {
                            thead {
                                tr {
                                    th.number { "#" } th { "Kind" } th { "What was done" } th.number { "Begin" } th.number { "End" }
                                    th.number { "Length" } th.number { "Without ok" } th.number { "Ok after" } th { "Seen to bite" }
                                }
                            }
                            tbody { @for fault in self.faults.iter().take(MOST_ROWS) { (self.fault_row(fault)) } }
                        }
                    }
                    p.note {
                        "Without ok: the longest time without an acknowledged operation that the fault has a part of, while clients waited. "
                        "Ok after: from the end of the fault to the next one."
                    }
                    @if self.faults.len() > MOST_ROWS {
                        p.note { "The first " (MOST_ROWS) " of " (count(self.faults.len() as u64)) "; all stand in history.jsonl." }
                    }
                }
            }
        }
    }

    fn fault_row(&self, fault: &FaultInterval) -> Markup {
        html! {
            tr {
                td.number { (fault.number) }
                td.word { (self.swatch(&fault.kind)) (clip(&fault.kind, 40)) }
                td.text { (clip(&fault.detail, 200)) }
                td.number { (fault.began) }
                td.number { @match fault.ended { Some(ended) => { (ended) }, None => { "not before the end" } } }
                td.number { @if let Some(ended) = fault.ended { (between(fault.began, ended)) } }
                @let availability = self.availability(fault.number);
                td.number { @if let Some(window) = availability.and_then(|fault| fault.longest_without_ok) { (duration(window.length_ns())) } }
                td.number { @if let Some(after_ns) = availability.and_then(|fault| fault.ok_after_ns) { (duration(after_ns)) } }
                td.text {
                    @match (&fault.failed, &fault.bites) {
                        (Some(reason), _) => { strong.bad { "failed" } @if !reason.is_empty() { ": " (clip(reason, 200)) } }
                        (None, Some((time, how))) => {
                            span.good { "yes" } ", after " (between(fault.began, *time))
                            @if !how.is_empty() { ": " (clip(how, 200)) }
                        }
                        (None, None) => { strong.doubt { "not seen" } }
                    }
                }
            }
        }
    }

    fn availability(&self, fault: u64) -> Option<&FaultAvailability> {
        self.input.verdict.statistics.availability.iter().find(|availability| availability.fault == fault)
    }

    /// A small square in the colour of a kind.
    pub(super) fn swatch(&self, kind: &str) -> Markup {
        let colour = self.palette.colour(kind);
        html! { svg.swatch width="12" height="12" aria-hidden="true" { rect class={ "fault-" (colour) } width="12" height="12" rx="2" {} } }
    }
}
