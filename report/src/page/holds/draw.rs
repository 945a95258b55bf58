//! The timeline of holds as SVG.

use std::borrow::Cow;

use maud::{Markup, html};
use rashomon_history::{Call, Outcome, TimeNs, Value};

use super::scene::{Hold, Lane, Overlap, Scene, Shown, names_client, token_of};
use crate::describe::{self, between, clip, counted, ellipsis};
use crate::page::axis::{Axis, Room};
use crate::page::faults::{self, Palette};
use crate::page::tables::outcome_key;
use crate::page::timeline::distance;
use crate::statistics::FaultInterval;
use crate::verdict::OutcomeKind;

const WIDTH_PX: f64 = 1028.0;
const ROOM: Room = Room { narrowest_px: 6.0, widest_px: 110.0, before_px: 14.0, after_px: 44.0 };
/// What an axis gets at least, so that gaps of different length look different.
const NARROWEST_PX: f64 = 480.0;
const LANE_PX: f64 = 54.0;
/// Below the top of a lane: what was held, and what was asked.
const HOLD_PX: (f64, f64) = (6.0, 18.0);
const ASKED_PX: (f64, f64) = (30.0, 17.0);
const FAULT_ROW_PX: f64 = 17.0;
const TICKS_PX: f64 = 22.0;
const CHAR_PX: f64 = 6.7;
const NUMBER_PX: f64 = 20.0;
const MOST_FAULTS: usize = 6;
/// The kind of fault that befalls a client, not a node.
const CLIENT_STANDS_STILL: &str = "client";

struct Drawing<'a> {
    scene: &'a Scene<'a>,
    axis: Axis,
    /// Those nearest to the witness.
    faults: Vec<&'a FaultInterval>,
    /// Those that make clients stand still.
    pauses: Vec<&'a FaultInterval>,
    palette: &'a Palette,
    end: TimeNs,
    lanes_top: f64,
    height: f64,
}

/// The timeline with its key.
pub(super) fn figure(scene: &Scene<'_>, faults: &[FaultInterval], palette: &Palette, end: TimeNs) -> Markup {
    let is_seen = |fault: &&FaultInterval| fault.began <= scene.to && fault.ended_by(end) >= scene.from;
    let (pauses, mut faults): (Vec<_>, Vec<_>) =
        faults.iter().filter(is_seen).partition(|fault| fault.kind == CLIENT_STANDS_STILL);
    faults.sort_by_key(|fault| distance(&scene.focus, fault.began, fault.ended_by(end)));
    faults.truncate(MOST_FAULTS);
    faults.sort_by_key(|fault| (fault.began, fault.number));
    let lanes_top = faults.len() as f64 * FAULT_ROW_PX + 8.0;
    let height = lanes_top + scene.lanes.len() as f64 * LANE_PX + TICKS_PX;
    Drawing { scene, axis: axis(scene), faults, pauses, palette, end, lanes_top, height }.figure()
}

/// An axis with room for what stands in the bars.
fn axis(scene: &Scene<'_>) -> Axis {
    let within = |time: &TimeNs| scene.from <= *time && *time <= scene.to;
    let mut times = vec![scene.from, scene.to];
    for lane in &scene.lanes {
        times.extend(lane.holds.iter().flat_map(|hold| [hold.from, hold.until, hold.let_go]).filter(within));
        times.extend(lane.operations.iter().flat_map(|shown| [shown.operation.invoked, ended(shown)]));
    }
    let witness = scene.lanes.iter().flat_map(|lane| &lane.operations).filter(|shown| shown.witness.is_some());
    let widths = witness.map(|shown| (shown, NUMBER_PX + text(shown).chars().count() as f64 * CHAR_PX + 8.0));
    let needed: f64 = widths.clone().map(|(_, width)| width).sum();
    let mut axis = Axis::of(times, (WIDTH_PX - needed).max(NARROWEST_PX), ROOM);
    for (shown, width) in widths {
        axis.widen(shown.operation.invoked, ended(shown), width);
    }
    axis
}

fn ended(shown: &Shown<'_>) -> TimeNs {
    shown.operation.completed.unwrap_or(shown.operation.invoked)
}

impl Drawing<'_> {
    fn figure(&self) -> Markup {
        html! {
            figure.timeline.holds {
                div.lanes {
                    svg.names width="104" height=(px(self.height)) aria-hidden="true" {
                        @for (position, lane) in self.scene.lanes.iter().enumerate() {
                            text x="0" y=(px(self.lane_top(position) + LANE_PX / 2.0 + 4.0)) { (ellipsis(&lane.name, 15)) title { (lane.name) } }
                        }
                    }
                    div.scroll tabindex="0" role="region" aria-label="Timeline of who held the lock; scrolls sideways" { (self.svg()) }
                }
                figcaption { (self.key()) p.note { (self.caption()) } }
            }
        }
    }

    fn svg(&self) -> Markup {
        let width = self.axis.length().max(120.0);
        html! {
            svg width=(px(width)) height=(px(self.height)) role="group" aria-label="Holds by client" {
                @for (row, fault) in self.faults.iter().enumerate() { (self.fault(row, fault)) }
                @for position in 0..self.scene.lanes.len() {
                    @let y = px(self.lane_top(position) + LANE_PX);
                    line.rule x1="0" x2=(px(width)) y1=(y) y2=(y) {}
                }
                @for overlap in &self.scene.overlaps { (self.overlap(overlap)) }
                @for (position, lane) in self.scene.lanes.iter().enumerate() { (self.lane(lane, self.lane_top(position))) }
                (self.ticks())
            }
        }
    }

    fn lane_top(&self, position: usize) -> f64 {
        self.lanes_top + position as f64 * LANE_PX
    }

    fn fault(&self, row: usize, fault: &FaultInterval) -> Markup {
        let (from, to) = (self.axis.place(fault.began), self.axis.place(fault.ended_by(self.end)));
        let top = row as f64 * FAULT_ROW_PX;
        let colour = self.palette.colour(&fault.kind);
        let label = faults::label(fault);
        html! {
            rect class={ "shade fault-" (colour) } x=(px(from)) y=(px(top)) width=(px(to - from)) height=(px(self.height - TICKS_PX - top)) {}
            g.fault {
                rect class={ "fault-" (colour) } x=(px(from)) y=(px(top)) width=(px((to - from).max(3.0))) height="3" {}
                text x=(px(from + 4.0)) y=(px(top + 13.0)) { (ellipsis(&label, chars_in(self.axis.length() - from - 8.0))) }
                title { (label) ", " (fault.began) }
            }
        }
    }

    /// From the one lane to the other.
    fn overlap(&self, overlap: &Overlap) -> Markup {
        let (from, to) = (self.axis.place(overlap.from), self.axis.place(overlap.to));
        let (top, bottom) = (self.lane_top(overlap.lanes[0]), self.lane_top(overlap.lanes[1]) + LANE_PX);
        let class = if overlap.is_certain { "overlap" } else { "overlap believed" };
        html! {
            rect class=(class) x=(px(from)) y=(px(top + 2.0)) width=(px((to - from).max(3.0))) height=(px(bottom - top - 4.0)) {
                title {
                    @if overlap.is_certain { "Both held it" } @else { "Both could believe that they hold it" }
                    " for " (between(overlap.from, overlap.to)) ", from " (overlap.from.exactly())
                }
            }
        }
    }

    fn lane(&self, lane: &Lane<'_>, top: f64) -> Markup {
        html! {
            @for pause in self.pauses.iter().filter(|pause| names_client(&pause.detail, &lane.name)) { (self.pause(pause, top)) }
            @for hold in &lane.holds { (self.hold(hold, top)) }
            @for (position, shown) in lane.operations.iter().enumerate() {
                @let next = lane.operations.get(position + 1).map_or(self.axis.length(), |next| self.axis.place(next.operation.invoked));
                @match shown.witness {
                    Some(number) => a href={ "#operation-" (number) } { (self.asked(shown, top, next)) },
                    None => (self.asked(shown, top, next)),
                }
            }
        }
    }

    fn pause(&self, pause: &FaultInterval, top: f64) -> Markup {
        let (from, to) = (self.axis.place(pause.began), self.axis.place(pause.ended_by(self.end)));
        html! {
            rect class={ "shade still fault-" (self.palette.colour(&pause.kind)) } x=(px(from)) y=(px(top + 1.0)) width=(px((to - from).max(2.0))) height=(px(LANE_PX - 2.0)) {
                title { "Fault #" (pause.number) ": the client stands still for " (between(pause.began, pause.ended_by(self.end))) }
            }
        }
    }

    fn hold(&self, hold: &Hold<'_>, top: f64) -> Markup {
        let [from, until, let_go] = [hold.from, hold.until, hold.let_go].map(|time| self.axis.place(time));
        let token = hold.token.map_or_else(|| "held".to_owned(), |token| format!("token {token}"));
        let y = px(top + HOLD_PX.0);
        html! {
            g.hold {
                @if let_go > until {
                    rect.hold-believed x=(px(until)) y=(y) width=(px(let_go - until)) height=(px(HOLD_PX.1)) {}
                }
                @if until > from {
                    rect.hold-certain x=(px(from)) y=(y) width=(px((until - from).max(3.0))) height=(px(HOLD_PX.1)) rx="3" {}
                }
                @let room = chars_in(let_go - from - 8.0);
                @if room >= token.chars().count() { text x=(px(from + 5.0)) y=(px(top + HOLD_PX.0 + 13.0)) { (token) } }
                title {
                    (bare(hold.owner)) " held " (self.scene.lock) " (" (token) ") from " (hold.from.exactly()) " to " (hold.until.exactly())
                    @if hold.let_go > hold.until { ", and did not let go of it before " (hold.let_go.exactly()) }
                }
            }
        }
    }

    fn asked(&self, shown: &Shown<'_>, top: f64, next: f64) -> Markup {
        let from = self.axis.place(shown.operation.invoked);
        let to = self.axis.place(ended(shown)).max(from + 3.0);
        let word = kind(&shown.operation.outcome).as_str();
        let class = if shown.witness.is_some() { format!("op {word} witness") } else { format!("op {word}") };
        let y = top + ASKED_PX.0;
        let label_from = from + if shown.witness.is_some() { NUMBER_PX } else { 4.0 };
        let room = chars_in(next.max(to) - label_from - 3.0);
        html! {
            g class=(class) {
                rect class={ "asked bar-" (word) } x=(px(from)) y=(px(y)) width=(px(to - from)) height=(px(ASKED_PX.1)) rx="3" {}
                @if let Some(number) = shown.witness {
                    circle.badge cx=(px(from + 10.0)) cy=(px(y + ASKED_PX.1 / 2.0)) r="7.5" {}
                    text.badge x=(px(from + 10.0)) y=(px(y + ASKED_PX.1 / 2.0 + 3.5)) text-anchor="middle" { (number) }
                }
                @if room >= 3 { text x=(px(label_from)) y=(px(y + 12.5)) { (ellipsis(&text(shown), room)) } }
                title { (clip(&describe::operation(shown.operation), 300)) "\n" (shown.operation.invoked.exactly()) " to " (ended(shown).exactly()) }
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

    fn key(&self) -> Markup {
        html! {
            p.legend {
                (swatch("hold-certain", "held"))
                (swatch("hold-believed", "its lease was over, but the client had not let go of it"))
                @if self.scene.overlaps.iter().any(|overlap| overlap.is_certain) { (swatch("overlap", "held by two")) }
                @if self.scene.overlaps.iter().any(|overlap| !overlap.is_certain) { (swatch("overlap believed", "two could believe that they held it")) }
                @if let Some(pause) = self.pauses.first() { (swatch(&format!("shade still fault-{}", self.palette.colour(&pause.kind)), "the client stands still")) }
                @for kind in [OutcomeKind::Ok, OutcomeKind::Fail, OutcomeKind::Info] { (outcome_key(kind.as_str())) " " }
            }
        }
    }

    fn caption(&self) -> String {
        let mut text =
            "Above in each lane: how long the client held the lock, with the fencing token; below: what it asked \
                        the lock service and the resource. The axis is even only between two moments."
                .to_owned();
        match self.scene.ttl {
            Some(ttl) => text.push_str(&format!(
                " A lease lasts {} from the last command that was answered.",
                describe::duration(u64::try_from(ttl.as_nanos()).unwrap_or(u64::MAX))
            )),
            None => {
                text.push_str(" How long a lease lasts is not known: only what is certain without it counts as held.")
            }
        }
        if self.scene.left_out > 0 {
            text.push_str(&format!(
                " {} of this time left out.",
                counted(self.scene.left_out as u64, "further operation")
            ));
        }
        text
    }
}

fn swatch(class: &str, meaning: &str) -> Markup {
    html! {
        span.key {
            svg.swatch width="18" height="12" aria-hidden="true" { rect class=(class) x="1" y="1" width="16" height="10" {} }
            (meaning)
        }
        " "
    }
}

/// A session's name as people say it, without quotation marks.
fn bare(owner: &Value) -> Cow<'_, str> {
    match owner {
        Value::Text(text) => clip(text.as_str(), 40),
        Value::Nil | Value::Int(_) => owner.to_string().into(),
    }
}

fn kind(outcome: &Outcome) -> OutcomeKind {
    match outcome {
        Outcome::Ok(_) => OutcomeKind::Ok,
        Outcome::Fail(_) => OutcomeKind::Fail,
        Outcome::Info(_) => OutcomeKind::Info,
    }
}

/// What was asked, in a word or two: the lane and the lock say the rest.
fn text(shown: &Shown<'_>) -> String {
    let token = match &shown.operation.outcome {
        Outcome::Ok(returned) => token_of(returned).map_or_else(String::new, |token| format!(" #{token}")),
        Outcome::Fail(_) | Outcome::Info(_) => String::new(),
    };
    match &shown.operation.call {
        Call::OpenSession { owner } => format!("open {}", bare(owner)),
        Call::KeepAlive { .. } => "keep-alive".into(),
        Call::Acquire { .. } => format!("acquire{token}"),
        Call::Release { .. } => "release".into(),
        Call::Add { value, .. } => format!("add {value}{token}"),
        Call::Read { .. } => "read".into(),
        other => other.f().to_owned(),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few pixels, cut to at least none")]
fn chars_in(width_px: f64) -> usize {
    (width_px / CHAR_PX).max(0.0) as usize
}

/// A coordinate with one decimal.
fn px(number: f64) -> String {
    format!("{number:.1}")
}
