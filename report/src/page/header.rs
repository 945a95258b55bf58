use maud::{Markup, html};
use rashomon_history::TimeNs;

use super::Page;
use crate::describe::{clip, count, duration};
use crate::verdict::Verdict;

/// A figure of the row below the verdict.
struct Tile {
    name: &'static str,
    figure: String,
    note: String,
}

impl Page<'_> {
    pub(super) fn header(&self) -> Markup {
        let file = self.input.verdict;
        let (mark, meaning) = match file.verdict {
            Verdict::Valid => ("✓", "What the clients saw can be one story."),
            Verdict::Invalid => ("✕", "What the clients saw can’t be one story."),
            Verdict::Unknown => ("?", "There is no verdict on what the clients saw."),
        };
        html! {
            header class={ "verdict " (file.verdict.as_str()) } {
                p.run { (self.input.title) @if let Some(began) = &file.began { " · " time datetime=(began) { (began) } } }
                h1 { span.mark aria-hidden="true" { (mark) } " " (file.verdict.as_str()) }
                p.meaning { (meaning) }
                @if !file.reason.is_empty() { p.reason { (clip(&file.reason, 2000)) } }
                @for remark in &file.remarks {
                    div.remark {
                        p.title { (clip(&remark.title, 200)) }
                        p { (clip(&remark.text, 2000)) }
                        @if let Some(source) = &remark.source { p.note { (clip(source, 400)) } }
                    }
                }
            }
            div.tiles { @for tile in self.tiles() { (tile.markup()) } }
            (self.contents())
        }
    }

    fn contents(&self) -> Markup {
        let evidence = if self.input.verdict.witness.is_empty() { "Clients" } else { "What went wrong" };
        let to_evidence = html! {
            a href="#evidence" { (evidence) }
            @if self.has_locks() { a href="#holds" { "Who held what" } }
            @if self.input.lamport.is_some() { a href="#messages" { "Messages" } }
        };
        html! {
            nav aria-label="Sections" {
                @if self.input.verdict.verdict == Verdict::Invalid { (to_evidence) }
                a href="#over-time" { "Over time" }
                @if self.input.verdict.verdict != Verdict::Invalid { (to_evidence) }
                a href="#faults" { "Faults" }
                a href="#counts" { "Counts" }
                a href="#guards" { "Guards" }
                a href="#checkers" { "Checks" }
                a href="#plan" { "Plan" }
                a href="#files" { "Files" }
            }
        }
    }

    fn tiles(&self) -> Vec<Tile> {
        let statistics = &self.input.verdict.statistics;
        let counts = statistics.operations;
        let injected: u64 = statistics.faults.values().map(|faults| faults.injected).sum();
        let bitten: u64 = statistics.faults.values().map(|faults| faults.bitten).sum();
        let mut tiles = vec![
            Tile::new(
                "acknowledged",
                count(counts.ok),
                format!("{} failed, {} unknown", count(counts.fail), count(counts.info)),
            ),
            Tile::new(
                "rate",
                format!("{} ok/s", rate(statistics.acknowledged_per_second)),
                format!("over {}", TimeNs(statistics.duration_ns)),
            ),
        ];
        if let Some(latency) = statistics.latency.ok {
            let note = format!("median {}", duration(latency.p50_ns));
            tiles.push(Tile::new("99 of 100 within", duration(latency.p99_ns), note));
        }
        tiles.push(Tile::new("faults", count(injected), format!("{} seen to bite", count(bitten))));
        if !statistics.leaders.is_empty() {
            let last = statistics.leaders.iter().map(|leader| leader.term).max().unwrap_or_default();
            tiles.push(Tile::new("leader changes", count(statistics.leader_changes), format!("up to term {last}")));
        }
        if let Some(window) = statistics.longest_without_ok {
            let note = format!("from {}", window.from_ns);
            tiles.push(Tile::new("longest without ok", duration(window.length_ns()), note));
        }
        tiles
    }
}

impl Tile {
    fn new(name: &'static str, figure: String, note: String) -> Self {
        Self { name, figure, note }
    }

    fn markup(&self) -> Markup {
        html! { div.tile { span.name { (self.name) } span.figure { (self.figure) } span.note { (self.note) } } }
    }
}

/// Whole operations a second; one decimal where there are few.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate for people, never negative")]
fn rate(per_second: f64) -> String {
    if per_second < 10.0 { format!("{per_second:.1}") } else { count(per_second.round() as u64) }
}
