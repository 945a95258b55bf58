//! A cycle of transactions as SVG: one below the other, arrows down, and the one that closes the cycle back up.

use maud::{Markup, html};

use super::Page;
use crate::cycle::{Cycle, CycleEdge};
use crate::describe::{clip, ellipsis, who};
use crate::verdict::{Anomaly, OperationRecord};

/// Transactions drawn; of longer cycles the begin and the end.
const MOST_TRANSACTIONS: usize = 12;
const BOX_LEFT_PX: usize = 120;
const BOX_WIDTH_PX: usize = 880;
const BOX_PX: usize = 44;
/// Between two boxes, for the arrow and its reason.
const GAP_PX: usize = 62;
const ARROW_PX: usize = 28;
/// Characters of the monospaced text that fit a box.
const BOX_CHARS: usize = 124;
/// Characters of a line of a reason.
const REASON_CHARS: usize = 116;

impl Page<'_> {
    /// The cycle of an anomaly, where it is one.
    pub(super) fn cycle(&self, anomaly: &Anomaly, anchor: &str) -> Markup {
        html! {
            @if let Some(cycle) = anomaly.cycle.as_ref().filter(|cycle| is_whole(cycle)) { (draw(cycle, anchor)) }
        }
    }
}

/// A file that somebody edited may name transactions that are not there.
fn is_whole(cycle: &Cycle) -> bool {
    let count = cycle.transactions.len();
    count > 0 && cycle.edges.len() == count && cycle.edges.iter().all(|edge| edge.from < count && edge.to < count)
}

fn draw(cycle: &Cycle, anchor: &str) -> Markup {
    let shown = shown(cycle.transactions.len());
    let height = shown.len() * (BOX_PX + GAP_PX) + 20;
    html! {
        figure.cycle {
            div.scroll tabindex="0" role="region" aria-label="Cycle of transactions; scrolls sideways" {
                svg width=(BOX_LEFT_PX + BOX_WIDTH_PX + 20) height=(height) role="group" aria-label="Each transaction must come before the one that its arrow points to" {
                    defs {
                        marker id={ (anchor) "-arrow" } viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto-start-reverse" {
                            path d="M 0 0 L 10 5 L 0 10 z" {}
                        }
                    }
                    @for (row, place) in shown.iter().enumerate() {
                        @match place {
                            Some(place) => {
                                (transaction(&cycle.transactions[*place], *place, row))
                                @if *place + 1 < cycle.transactions.len() { (arrow_down(&cycle.edges[*place], row, anchor)) }
                            }
                            None => { (left_out(cycle.transactions.len() + 1 - shown.len(), row, anchor)) }
                        }
                    }
                    (arrow_back(&cycle.edges[cycle.edges.len() - 1], shown.len(), anchor))
                }
            }
            figcaption { p.note {
                "Each transaction must come before the one that its arrow points to. ww: the other one overwrote it; "
                "wr: the other one read what it wrote; rw: it read what the other one overwrote; "
                "process, realtime: it was over before the other one began."
            } }
        }
    }
}

/// Which transactions get a row; `None` is the row of those that get none.
fn shown(count: usize) -> Vec<Option<usize>> {
    if count <= MOST_TRANSACTIONS {
        return (0..count).map(Some).collect();
    }
    let half = MOST_TRANSACTIONS / 2;
    (0..half).map(Some).chain([None]).chain((count - half..count).map(Some)).collect()
}

fn top(row: usize) -> usize {
    10 + row * (BOX_PX + GAP_PX)
}

fn transaction(record: &OperationRecord, place: usize, row: usize) -> Markup {
    let y = top(row);
    html! {
        g.transaction {
            rect x=(BOX_LEFT_PX) y=(y) width=(BOX_WIDTH_PX) height=(BOX_PX) rx="6" {}
            text.name x=(BOX_LEFT_PX + 12) y=(y + 18) { "T" (place + 1) ", " (who(record)) ", " (record.invoked_ns.exactly()) }
            text x=(BOX_LEFT_PX + 12) y=(y + 35) { (ellipsis(&record.text, BOX_CHARS)) }
            title { (clip(&record.text, 2000)) }
        }
    }
}

fn label(edge: &CycleEdge) -> String {
    match &edge.key {
        Some(key) => format!("{} {}", edge.kind, ellipsis(key, 24)),
        None => edge.kind.clone(),
    }
}

fn arrow_down(edge: &CycleEdge, row: usize, anchor: &str) -> Markup {
    let from = top(row) + BOX_PX;
    let x = BOX_LEFT_PX + ARROW_PX;
    html! {
        g.edge {
            line x1=(x) x2=(x) y1=(from + 2) y2=(from + GAP_PX - 2) marker-end={ "url(#" (anchor) "-arrow)" } {}
            (reason(edge, from + 20))
        }
    }
}

/// The edge from the last transaction back to the first one, round the left side.
fn arrow_back(edge: &CycleEdge, rows: usize, anchor: &str) -> Markup {
    let (first, last) = (top(0) + BOX_PX / 2, top(rows - 1) + BOX_PX / 2);
    let path = if rows == 1 {
        let (up, down) = (first - 12, first + 12);
        format!("M {BOX_LEFT_PX} {down} C 40 {down} 40 {up} {} {up}", BOX_LEFT_PX - 2)
    } else {
        format!("M {BOX_LEFT_PX} {last} C 30 {last} 30 {first} {} {first}", BOX_LEFT_PX - 2)
    };
    html! {
        g.edge.back {
            path.line d=(path) marker-end={ "url(#" (anchor) "-arrow)" } {}
            (reason(edge, top(rows - 1) + BOX_PX + 20))
        }
    }
}

fn reason(edge: &CycleEdge, y: usize) -> Markup {
    let x = BOX_LEFT_PX + ARROW_PX + 14;
    html! {
        text.kind x=(x) y=(y) { "T" (edge.from + 1) " before T" (edge.to + 1) ": " (label(edge)) }
        text x=(x) y=(y + 17) { (ellipsis(&edge.why, REASON_CHARS)) title { (clip(&edge.why, 2000)) } }
    }
}

fn left_out(count: usize, row: usize, anchor: &str) -> Markup {
    let y = top(row);
    let x = BOX_LEFT_PX + ARROW_PX;
    html! {
        g.edge {
            text x=(x + 14) y=(y + 26) { (count) " more transactions, each before the next" }
            line x1=(x) x2=(x) y1=(y) y2=(y + BOX_PX + GAP_PX - 2) stroke-dasharray="4 4" marker-end={ "url(#" (anchor) "-arrow)" } {}
        }
    }
}
