//! The timeline as SVG.

use maud::{Markup, html};
use rashomon_history::TimeNs;

use super::scene::{Bar, Lane, Scene};
use crate::describe::{between, counted, ellipsis, who};
use crate::page::axis::{Axis, Break, Room};
use crate::page::faults::{self, Palette};
use crate::page::tables::outcome_key;
use crate::statistics::FaultInterval;
use crate::verdict::OutcomeKind;

/// The width to aim at: that of the page beside the names.
const WIDTH_PX: f64 = 1028.0;
/// The last time is written below the end of the axis.
const ROOM: Room = Room { narrowest_px: 5.0, widest_px: 130.0, before_px: 14.0, after_px: 44.0 };
/// What an axis gets at least, so that gaps of different length look different.
const NARROWEST_PX: f64 = 480.0;
const LANE_PX: f64 = 30.0;
const BAR_PX: f64 = 20.0;
const FAULT_ROW_PX: f64 = 17.0;
const TICKS_PX: f64 = 22.0;
/// A character of the bars' text: 11 px in a monospaced font.
const CHAR_PX: f64 = 6.7;
/// The number of a witness operation and the space around it.
const NUMBER_PX: f64 = 20.0;
/// Characters of a witness operation for which room is made.
const WITNESS_CHARS: usize = 34;
const MOST_FAULTS: usize = 12;

/// A fault and the row in which it is named.
struct FaultBand<'a> {
    fault: &'a FaultInterval,
    from: f64,
    to: f64,
    row: usize,
}

struct Drawing<'a> {
    scene: &'a Scene,
    axis: Axis,
    bands: Vec<FaultBand<'a>>,
    faults_left_out: usize,
    palette: &'a Palette,
    lanes_top: f64,
    height: f64,
}

/// The timeline with its key and what was left out. `end` is the end of the history.
pub(in crate::page) fn draw(scene: &Scene, faults: &[FaultInterval], palette: &Palette, end: TimeNs) -> Markup {
    Drawing::of(scene, faults, palette, end).figure()
}

impl<'a> Drawing<'a> {
    fn of(scene: &'a Scene, faults: &'a [FaultInterval], palette: &'a Palette, end: TimeNs) -> Self {
        let mut times: Vec<TimeNs> = scene.bars().flat_map(|bar| [bar.record.invoked_ns, bar.last_seen()]).collect();
        let (from, to) = (times.iter().min().copied(), times.iter().max().copied());
        let within = |time: TimeNs| from <= Some(time) && Some(time) <= to;
        let seen: Vec<&FaultInterval> =
            faults.iter().filter(|fault| Some(fault.began) <= to && from <= Some(fault.ended_by(end))).collect();
        let drawn = &seen[..seen.len().min(MOST_FAULTS)];
        times.extend(drawn.iter().flat_map(|fault| [fault.began, fault.ended_by(end)]).filter(|time| within(*time)));
        let axis = axis(scene, times);
        let bands = bands(drawn, &axis, end);
        let rows = bands.iter().map(|band| band.row + 1).max().unwrap_or(0);
        let lanes_top = rows as f64 * FAULT_ROW_PX + 8.0;
        let height = lanes_top + scene.lanes.len() as f64 * LANE_PX + TICKS_PX;
        Self { scene, axis, bands, faults_left_out: seen.len() - drawn.len(), palette, lanes_top, height }
    }

    fn figure(&self) -> Markup {
        html! {
            figure.timeline {
                div.lanes {
                    (self.names())
                    div.scroll tabindex="0" role="region" aria-label="Timeline of the clients; scrolls sideways" { (self.svg()) }
                }
                figcaption { (self.key()) p.note { (self.caption()) } }
            }
        }
    }

    /// The lanes' names, outside of what scrolls.
    fn names(&self) -> Markup {
        html! {
            svg.names width="104" height=(px(self.height)) aria-hidden="true" {
                @for (position, lane) in self.scene.lanes.iter().enumerate() {
                    @let y = self.lane_top(position) + LANE_PX / 2.0 + 4.0;
                    text x="0" y=(px(y)) {
                        (ellipsis(&format!("process {}", lane.process), 12))
                        @if let Some(node) = &lane.node { tspan.node dx="5" { (ellipsis(node, 6)) } }
                        title { (lane_name(lane)) }
                    }
                }
            }
        }
    }

    fn svg(&self) -> Markup {
        let width = self.axis.length().max(120.0);
        html! {
            svg width=(px(width)) height=(px(self.height)) role="group" aria-label="Operations by process" {
                defs {
                    linearGradient id="info-fade" {
                        stop.info-start offset="0" {}
                        stop.info-end offset="1" {}
                    }
                }
                @for band in &self.bands { (self.shade(band)) }
                @for position in 0..self.scene.lanes.len() {
                    @let y = px(self.lane_top(position) + LANE_PX);
                    line class=(self.rule_class(position)) x1="0" x2=(px(width)) y1=(y) y2=(y) {}
                }
                @for broken in self.axis.breaks() { (self.gap(&broken)) }
                (self.ticks())
                @for (position, lane) in self.scene.lanes.iter().enumerate() { (self.lane(lane, self.lane_top(position) + (LANE_PX - BAR_PX) / 2.0)) }
                @for band in &self.bands { (self.fault_label(band)) }
            }
        }
    }

    /// The lanes of the witness stand above a stronger line.
    fn rule_class(&self, position: usize) -> &'static str {
        let is_last_witness = self.scene.witness_lanes() == position + 1 && position + 1 < self.scene.lanes.len();
        if is_last_witness { "rule strong" } else { "rule" }
    }

    fn shade(&self, band: &FaultBand<'_>) -> Markup {
        let class = format!("shade fault-{}", self.palette.colour(&band.fault.kind));
        let top = band.row as f64 * FAULT_ROW_PX;
        html! {
            rect class=(class) x=(px(band.from)) y=(px(top)) width=(px(band.to - band.from)) height=(px(self.height - TICKS_PX - top)) {}
        }
    }

    fn fault_label(&self, band: &FaultBand<'_>) -> Markup {
        let label = faults::label(band.fault);
        let y = band.row as f64 * FAULT_ROW_PX;
        let next =
            self.bands.iter().filter(|other| other.row == band.row && other.from > band.from).map(|other| other.from);
        let room = next.fold(self.axis.length(), f64::min) - band.from - 8.0;
        html! {
            g.fault {
                rect class={ "fault-" (self.palette.colour(&band.fault.kind)) } x=(px(band.from)) y=(px(y)) width=(px((band.to - band.from).max(3.0))) height="3" {}
                text x=(px(band.from + 4.0)) y=(px(y + 13.0)) { (ellipsis(&label, chars_in(room))) }
                title { (label) ", " (band.fault.began) }
            }
        }
    }

    fn gap(&self, broken: &Break) -> Markup {
        let middle = (self.axis.place(broken.from) + self.axis.place(broken.to)) / 2.0;
        let bottom = self.height - TICKS_PX;
        html! {
            g.break {
                rect x=(px(middle - 4.0)) y=(px(self.lanes_top)) width="8" height=(px(bottom - self.lanes_top)) {}
                line x1=(px(middle - 4.0)) x2=(px(middle - 4.0)) y1=(px(self.lanes_top)) y2=(px(bottom)) {}
                line x1=(px(middle + 4.0)) x2=(px(middle + 4.0)) y1=(px(self.lanes_top)) y2=(px(bottom)) {}
                title { "A gap of " (between(broken.from, broken.to)) " is drawn narrower" }
            }
        }
    }

    fn ticks(&self) -> Markup {
        let bottom = self.height - TICKS_PX;
        html! {
            g.ticks aria-hidden="true" {
                @for time in self.axis.ticks(74.0) {
                    @let x = self.axis.place(time);
                    line x1=(px(x)) x2=(px(x)) y1=(px(bottom)) y2=(px(bottom + 5.0)) {}
                    text x=(px((x - 12.0).max(0.0))) y=(px(bottom + 17.0)) { (time) }
                }
            }
        }
    }

    fn lane(&self, lane: &Lane, top: f64) -> Markup {
        html! {
            @for (position, bar) in lane.bars.iter().enumerate() {
                @let next = lane.bars.get(position + 1).map_or(self.axis.length(), |next| self.axis.place(next.record.invoked_ns));
                @match bar.witness {
                    Some(number) => a href={ "#operation-" (number) } { (self.bar(bar, top, next)) },
                    None => (self.bar(bar, top, next)),
                }
            }
        }
    }

    /// One operation. Its text stands in it, or between it and the next bar of the lane where there is more room.
    fn bar(&self, bar: &Bar, top: f64, next: f64) -> Markup {
        let from = self.axis.place(bar.record.invoked_ns);
        let to = bar.ended().map_or(self.axis.length(), |ended| self.axis.place(ended)).max(from + 3.0);
        let word = bar.record.outcome.as_str();
        let class = if bar.witness.is_some() { format!("op {word} witness") } else { format!("op {word}") };
        html! {
            g class=(class) {
                rect class={ "bar-" (word) } x=(px(from)) y=(px(top)) width=(px(to - from)) height=(px(BAR_PX)) rx="3" {}
                @if let (OutcomeKind::Info, Some(given_up)) = (bar.record.outcome, bar.record.completed_ns) {
                    @let x = px(self.axis.place(given_up));
                    line.given-up x1=(x) x2=(x) y1=(px(top)) y2=(px(top + BAR_PX)) {}
                }
                @if let Some(number) = bar.witness {
                    circle.badge cx=(px(from + 10.0)) cy=(px(top + BAR_PX / 2.0)) r="7.5" {}
                    text.badge x=(px(from + 10.0)) y=(px(top + BAR_PX / 2.0 + 3.5)) text-anchor="middle" { (number) }
                }
                @if let Some((x, room)) = text_place(bar, from, to, next) {
                    text x=(px(x)) y=(px(top + BAR_PX / 2.0 + 4.0)) { (ellipsis(&bar.record.text, room)) }
                }
                title { (hint(bar)) }
            }
        }
    }

    fn key(&self) -> Markup {
        let mut words: Vec<&str> = self.scene.bars().map(|bar| bar.record.outcome.as_str()).collect();
        words.sort_unstable_by(|left, right| right.cmp(left));
        words.dedup();
        html! {
            p.legend {
                @for word in words { (outcome_key(word)) " " }
                @if self.scene.bars().any(|bar| bar.witness.is_some()) { span.key { svg.swatch width="16" height="16" aria-hidden="true" { circle.badge cx="8" cy="8" r="7" {} text.badge x="8" y="11.5" text-anchor="middle" { "1" } } "listed below" } }
            }
        }
    }

    fn caption(&self) -> String {
        let mut text = String::from(
            "Bars run from the question to the answer; an operation of unknown outcome fades, for it may take effect at any \
             later time. Order and overlap are exact; long gaps are drawn narrower.",
        );
        if self.scene.same_objects_only {
            text.push_str(" Only operations on the same key are shown.");
        }
        if self.scene.left_out > 0 {
            text.push_str(&format!(
                " {} of this time left out.",
                counted(self.scene.left_out as u64, "further operation")
            ));
        }
        if self.faults_left_out > 0 {
            text.push_str(&format!(" {} left out.", counted(self.faults_left_out as u64, "fault")));
        }
        text
    }

    fn lane_top(&self, position: usize) -> f64 {
        self.lanes_top + position as f64 * LANE_PX
    }
}

/// An axis with room for the texts of the witness.
fn axis(scene: &Scene, times: Vec<TimeNs>) -> Axis {
    let witness: Vec<(&Bar, f64)> = scene
        .bars()
        .filter(|bar| bar.witness.is_some())
        .map(|bar| (bar, NUMBER_PX + text_px(&bar.record.text, WITNESS_CHARS)))
        .collect();
    let needed: f64 = witness.iter().map(|(_, width)| width).sum();
    let mut axis = Axis::of(times, (WIDTH_PX - needed).max(NARROWEST_PX), ROOM);
    for (bar, width) in witness {
        axis.widen(bar.record.invoked_ns, bar.last_seen(), width);
    }
    axis
}

/// Faults in rows, so that no two labels lie over each other.
fn bands<'a>(faults: &[&'a FaultInterval], axis: &Axis, end: TimeNs) -> Vec<FaultBand<'a>> {
    const LABEL_PX: f64 = 150.0;
    let mut rows: Vec<f64> = Vec::new();
    let mut bands = Vec::new();
    for fault in faults {
        let (from, to) = (axis.place(fault.began), axis.place(fault.ended_by(end)));
        let row = rows.iter().position(|free| *free <= from).unwrap_or(rows.len());
        if row == rows.len() {
            rows.push(0.0);
        }
        rows[row] = to.max(from + LABEL_PX);
        bands.push(FaultBand { fault, from, to, row });
    }
    bands
}

/// Where a bar's text begins and how many characters have room there.
fn text_place(bar: &Bar, from: f64, to: f64, next: f64) -> Option<(f64, usize)> {
    const FEWEST: usize = 4;
    let length = bar.record.text.chars().count();
    let inside_from = from + if bar.witness.is_some() { NUMBER_PX } else { 4.0 };
    let inside = chars_in(to.min(next) - inside_from - 3.0);
    let beside = chars_in(next - to - 8.0);
    if inside >= length || inside >= FEWEST && (inside >= beside || bar.witness.is_some()) {
        Some((inside_from, inside))
    } else {
        (beside >= FEWEST.min(length)).then_some((to + 4.0, beside))
    }
}

fn hint(bar: &Bar) -> String {
    let record = &bar.record;
    let ended = match bar.ended() {
        Some(ended) => format!("{ended} ({})", between(record.invoked_ns, ended)),
        None => "unknown".into(),
    };
    format!("{}\n{}\n{} to {ended}", record.text, who(record), record.invoked_ns)
}

fn lane_name(lane: &Lane) -> String {
    match &lane.node {
        Some(node) => format!("process {} on {node}", lane.process),
        None => format!("process {}", lane.process),
    }
}

fn text_px(text: &str, most_chars: usize) -> f64 {
    text.chars().take(most_chars).count() as f64 * CHAR_PX + 8.0
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few pixels, cut to at least none")]
fn chars_in(width_px: f64) -> usize {
    (width_px / CHAR_PX).max(0.0) as usize
}

/// A coordinate with one decimal.
fn px(number: f64) -> String {
    format!("{:.1}", number)
}
