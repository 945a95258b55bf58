//! The diagram as SVG, with its key.

use maud::{Markup, html};
use rashomon_history::TimeNs;

use super::layout::{Arrow, HALF_BAR_PX, Label, Layout, Placed, TIMES_PX};
use crate::describe::{between, clip, count, counted, ellipsis};
use crate::lamport::{Lamport, Mark, MarkKind, Message, Span, SpanKind};
use crate::page::axis::Break;
use crate::page::tables::outcome_key;
use crate::verdict::OutcomeKind;

/// Kinds of messages with a colour of their own; the others share the last one.
const COLOURS: usize = 7;
const HEAD_PX: f64 = 40.0;
const TICK_PX: f64 = 15.0;
/// Characters of a hint.
const HINT_CHARS: usize = 1500;

/// The whole figure; `None` where there is nothing to draw.
pub(super) fn diagram(lamport: &Lamport) -> Option<Markup> {
    let layout = Layout::of(lamport)?;
    Some(Diagram { kinds: kinds(&layout), layout: &layout }.figure())
}

/// The kinds of messages in the order in which they come, with their number.
fn kinds<'a>(layout: &Layout<'a>) -> Vec<(&'a str, u64)> {
    let mut kinds: Vec<(&str, u64)> = Vec::new();
    for message in &layout.messages {
        let kind = message.thing.kind.as_str();
        match kinds.iter_mut().find(|(other, _)| *other == kind) {
            Some((_, times)) => *times += 1,
            None => kinds.push((kind, 1)),
        }
    }
    kinds
}

struct Diagram<'a> {
    layout: &'a Layout<'a>,
    kinds: Vec<(&'a str, u64)>,
}

impl Diagram<'_> {
    fn figure(&self) -> Markup {
        let (width, height) = (px(self.layout.width), px(self.layout.height()));
        html! {
            figure.lamport {
                div.scroll tabindex="0" role="region" aria-label="Diagram of the messages; scrolls both ways" {
                    (self.heads())
                    svg width=(width) height=(height) role="group" aria-label="Messages between clients and nodes; time runs down" {
                        defs { @for colour in 0..=COLOURS { (arrowhead(colour)) } }
                        (self.times())
                        @for mark in self.layout.marks.iter().filter(|mark| mark.thing.lane.is_none()) { (self.line(mark.thing)) }
                        @for (_, x) in &self.layout.lanes { line.lane x1=(px(*x)) x2=(px(*x)) y1="0" y2=(height) {} }
                        @for span in &self.layout.spans { (self.span(span)) }
                        @for message in &self.layout.messages { (self.message(message)) }
                        @for message in &self.layout.messages { (self.message_text(message)) }
                        @for mark in &self.layout.marks { (self.mark(mark)) }
                    }
                }
                figcaption { (self.key()) p.note { (self.caption()) } }
            }
        }
    }

    /// Who the lanes are; stays in sight.
    fn heads(&self) -> Markup {
        let lane_px = self.layout.lanes.first().map_or(0.0, |(_, x)| (x - TIMES_PX) * 2.0);
        let chars = |char_px: f64| ((lane_px - 6.0) / char_px).max(1.0) as usize;
        html! {
            svg.heads width=(px(self.layout.width)) height=(px(HEAD_PX)) aria-hidden="true" {
                rect width="100%" height="100%" {}
                @for (lane, x) in &self.layout.lanes {
                    text.name x=(px(*x)) y="17" { (ellipsis(&lane.name, chars(7.4))) title { (lane.name) } }
                    text.about x=(px(*x)) y="32" { (ellipsis(&lane.note, chars(6.2))) title { (lane.note) } }
                }
            }
        }
    }

    fn times(&self) -> Markup {
        html! {
            g.times aria-hidden="true" {
                @for time in self.layout.axis.ticks(TICK_PX) {
                    @let y = self.layout.y(time);
                    line x1=(px(TIMES_PX - 8.0)) x2=(px(TIMES_PX)) y1=(px(y)) y2=(px(y)) {}
                    text x=(px(TIMES_PX - 12.0)) y=(px(y + 3.5)) { (seconds(time)) }
                }
                @for broken in self.layout.axis.breaks() { (self.gap(&broken)) }
            }
        }
    }

    fn gap(&self, broken: &Break) -> Markup {
        let y = (self.layout.y(broken.from) + self.layout.y(broken.to)) / 2.0;
        html! {
            g.gap {
                line x1=(px(TIMES_PX)) x2=(px(self.layout.width)) y1=(px(y)) y2=(px(y)) {}
                text x=(px(TIMES_PX - 12.0)) y=(px(y + 3.5)) { (between(broken.from, broken.to)) }
            }
        }
    }

    fn span(&self, placed: &Placed<'_, Span>) -> Markup {
        let span = placed.thing;
        let (from, to) = self.layout.extent(span);
        let x = self.layout.x(span.lane) - HALF_BAR_PX;
        let until = span.to.map_or_else(|| "the end".into(), seconds);
        html! {
            g class={ "span " (span_class(span.kind)) } {
                rect x=(px(x)) y=(px(from)) width=(px(2.0 * HALF_BAR_PX)) height=(px(to - from)) rx="2" {}
                (text(placed.label.as_ref()))
                title { (hint(&span.label, &span.detail)) (seconds(span.from)) " to " (until) }
            }
        }
    }

    fn message(&self, placed: &Placed<'_, Message>) -> Markup {
        let message = placed.thing;
        let arrow = self.layout.arrow(message);
        let colour = self.colour(&message.kind);
        let class = format!("message message-{colour}{}", if message.received.is_none() { " lost" } else { "" });
        let head = message.received.map(|_| format!("url(#message-head-{colour})"));
        html! {
            g class=(class) {
                (line("reach", arrow, None))
                (line("arrow", arrow, head))
                @if message.received.is_none() { (cross(arrow.to)) }
                title { (hint(&message.label, &message.detail)) (self.way(message)) }
            }
        }
    }

    /// Texts lie over all arrows.
    fn message_text(&self, placed: &Placed<'_, Message>) -> Markup {
        html! { @if let Some(label) = &placed.label { g class={ "message message-" (self.colour(&placed.thing.kind)) } { (text(Some(label))) } } }
    }

    fn way(&self, message: &Message) -> String {
        let name = |lane: usize| self.layout.lanes[lane].0.name.as_str();
        let came = match message.received {
            Some(received) => format!("came {}, {} later", seconds(received), between(message.sent, received)),
            None => "lost".into(),
        };
        format!("{} to {}: sent {}, {came}", name(message.from), name(message.to), seconds(message.sent))
    }

    /// The line of what concerns all lanes.
    fn line(&self, mark: &Mark) -> Markup {
        let y = px(self.layout.y(mark.at));
        html! { line class={ "across " (mark_class(mark.kind)) } x1=(px(TIMES_PX)) x2=(px(self.layout.width)) y1=(y) y2=(y) {} }
    }

    fn mark(&self, placed: &Placed<'_, Mark>) -> Markup {
        let mark = placed.thing;
        let y = self.layout.y(mark.at);
        html! {
            g class={ "mark " (mark_class(mark.kind)) } {
                @if let Some(lane) = mark.lane { (glyph(mark.kind, self.layout.x(lane), y)) }
                (text(placed.label.as_ref()))
                title { (hint(&mark.label, &mark.detail)) (seconds(mark.at)) }
            }
        }
    }

    fn colour(&self, kind: &str) -> usize {
        self.kinds.iter().position(|(other, _)| *other == kind).unwrap_or(COLOURS).min(COLOURS)
    }

    fn key(&self) -> Markup {
        let spans = |kind: SpanKind| self.layout.spans.iter().any(|span| span.thing.kind == kind);
        let marks = |kind: MarkKind| self.layout.marks.iter().any(|mark| mark.thing.kind == kind);
        html! {
            p.legend {
                @for (kind, times) in &self.kinds {
                    span.key { (message_swatch(self.colour(kind))) (ellipsis(kind, 40)) " " (count(*times)) }
                }
                @if self.layout.messages.iter().any(|message| message.thing.received.is_none()) { span.key { (lost_swatch()) "lost" } }
            }
            p.legend {
                @for outcome in [OutcomeKind::Ok, OutcomeKind::Fail, OutcomeKind::Info] {
                    @if spans(SpanKind::Operation(outcome)) { (outcome_key(outcome.as_str())) }
                }
                @for (kind, word) in [(SpanKind::Leads, "leads"), (SpanKind::Down, "down"), (SpanKind::Paused, "paused")] {
                    @if spans(kind) { span.key { (span_swatch(kind)) (word) } }
                }
                @for (kind, word) in MARKS {
                    @if marks(kind) { span.key { (mark_swatch(kind)) (word) } }
                }
            }
        }
    }

    fn caption(&self) -> String {
        let mut caption =
            String::from("Time runs down. The order is exact, distances are not: long gaps are drawn shorter. ");
        if self.layout.left_out > 0 {
            caption += &format!("{} before these are left out. ", counted(self.layout.left_out as u64, "message"));
        }
        if self.layout.unlabelled > 0 {
            caption += &format!("{} had no room. ", counted(self.layout.unlabelled as u64, "label"));
        }
        caption + "Point at anything to see all of it."
    }
}

const MARKS: [(MarkKind, &str); 6] = [
    (MarkKind::Fault, "fault"),
    (MarkKind::Role, "role"),
    (MarkKind::Crash, "crash"),
    (MarkKind::Start, "start"),
    (MarkKind::Commit, "commit"),
    (MarkKind::Violation, "violation"),
];

fn span_class(kind: SpanKind) -> &'static str {
    match kind {
        SpanKind::Operation(OutcomeKind::Ok) => "bar-ok",
        SpanKind::Operation(OutcomeKind::Fail) => "bar-fail",
        SpanKind::Operation(OutcomeKind::Info) => "bar-info",
        SpanKind::Leads => "leads",
        SpanKind::Down => "down",
        SpanKind::Paused => "paused",
    }
}

fn mark_class(kind: MarkKind) -> &'static str {
    match kind {
        MarkKind::Fault => "fault",
        MarkKind::Role => "role",
        MarkKind::Crash => "crash",
        MarkKind::Start => "start",
        MarkKind::Commit => "commit",
        MarkKind::Violation => "violation",
    }
}

/// Shapes differ, so that nobody needs the colours.
fn glyph(kind: MarkKind, x: f64, y: f64) -> Markup {
    let at = |path: &str| html! { path transform={ "translate(" (px(x)) " " (px(y)) ")" } d=(path) {} };
    match kind {
        MarkKind::Fault => at("M -6 5 L 0 -6 L 6 5 Z"),
        MarkKind::Role => at("M 0 -6 L 6 0 L 0 6 L -6 0 Z"),
        MarkKind::Crash => at("M -5 -5 L 5 5 M 5 -5 L -5 5"),
        MarkKind::Start => at("M -5 -4 L 5 -4 L 0 6 Z"),
        MarkKind::Commit => html! { circle cx=(px(x)) cy=(px(y)) r="3.5" {} },
        MarkKind::Violation => at("M -7 -7 H 7 V 7 H -7 Z"),
    }
}

fn line(class: &str, arrow: Arrow, head: Option<String>) -> Markup {
    html! {
        line class=(class) x1=(px(arrow.from.0)) y1=(px(arrow.from.1)) x2=(px(arrow.to.0)) y2=(px(arrow.to.1)) marker-end=[head] {}
    }
}

fn cross((x, y): (f64, f64)) -> Markup {
    html! { path.cross transform={ "translate(" (px(x)) " " (px(y)) ")" } d="M -4 -4 L 4 4 M 4 -4 L -4 4" {} }
}

fn arrowhead(colour: usize) -> Markup {
    html! {
        marker class={ "message-" (colour) } id={ "message-head-" (colour) } viewBox="0 0 10 10" refX="9.5" refY="5"
            markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto" { path d="M 0 1 L 10 5 L 0 9 Z" {} }
    }
}

fn text(label: Option<&Label>) -> Markup {
    html! { @if let Some(label) = label { text x=(px(label.place.x)) y=(px(label.place.baseline())) { (label.text) } } }
}

fn message_swatch(colour: usize) -> Markup {
    html! {
        svg.swatch width="22" height="10" aria-hidden="true" {
            g class={ "message message-" (colour) } {
                line.arrow x1="0" x2="21" y1="5" y2="5" marker-end={ "url(#message-head-" (colour) ")" } {}
            }
        }
    }
}

fn lost_swatch() -> Markup {
    html! {
        svg.swatch width="22" height="10" aria-hidden="true" {
            g.message."message-7".lost { line.arrow x1="0" x2="17" y1="5" y2="5" {} (cross((17.0, 5.0))) }
        }
    }
}

fn span_swatch(kind: SpanKind) -> Markup {
    html! {
        svg.swatch width="10" height="12" aria-hidden="true" {
            g class={ "span " (span_class(kind)) } { rect x="1" y="1" width="8" height="10" rx="2" {} }
        }
    }
}

fn mark_swatch(kind: MarkKind) -> Markup {
    html! {
        svg.swatch width="16" height="14" aria-hidden="true" { g class={ "mark " (mark_class(kind)) } { (glyph(kind, 8.0, 7.0)) } }
    }
}

/// The first lines of a hint.
fn hint(label: &str, detail: &str) -> String {
    let lines = [label, detail].into_iter().filter(|line| !line.is_empty());
    lines.map(|line| format!("{}\n", clip(line, HINT_CHARS))).collect()
}

/// Messages take microseconds.
fn seconds(time: TimeNs) -> String {
    format!("{:.4} s", time.as_secs_f64())
}

/// A coordinate with one decimal.
fn px(number: f64) -> String {
    format!("{number:.1}")
}
