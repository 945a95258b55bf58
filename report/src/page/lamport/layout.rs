//! Where lanes, times, arrows and labels of a diagram stand.

use rashomon_history::TimeNs;

use super::labels::{LINE_PX, Place, Room, chars_in};
use crate::describe::ellipsis;
use crate::lamport::{Lamport, Lane, Mark, Message, Span, SpanKind};
use crate::page::axis::{self, Axis};

/// Messages drawn: of more, the last ones.
pub(super) const MOST_MESSAGES: usize = 400;
const WIDTH_PX: f64 = 1128.0;
/// Left of the lanes, for the times.
pub(super) const TIMES_PX: f64 = 88.0;
/// Right of the lanes.
const RIGHT_PX: f64 = 40.0;
/// Right of the lanes, for what concerns all of them.
const RIGHT_TEXT_PX: f64 = 200.0;
const NARROWEST_LANE_PX: f64 = 104.0;
const WIDEST_LANE_PX: f64 = 230.0;
/// Half of what is drawn on a lane.
pub(super) const HALF_BAR_PX: f64 = 5.0;
/// How far down a message is drawn that was lost.
const LOST_PX: f64 = 12.0;

/// All of a diagram that is drawn, each with its place.
pub(super) struct Layout<'a> {
    pub(super) lanes: Vec<(&'a Lane, f64)>,
    pub(super) axis: Axis,
    pub(super) width: f64,
    pub(super) spans: Vec<Placed<'a, Span>>,
    pub(super) marks: Vec<Placed<'a, Mark>>,
    pub(super) messages: Vec<Placed<'a, Message>>,
    /// Messages before the first that is drawn.
    pub(super) left_out: usize,
    /// Labels for which there was no room.
    pub(super) unlabelled: usize,
}

/// A thing and its label, where that has room.
pub(super) struct Placed<'a, T> {
    pub(super) thing: &'a T,
    pub(super) label: Option<Label>,
}

/// A text and where it stands.
pub(super) struct Label {
    pub(super) text: String,
    pub(super) place: Place,
}

/// An arrow from one point to another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrow {
    pub(super) from: (f64, f64),
    pub(super) to: (f64, f64),
}

impl Arrow {
    fn at(self, part: f64) -> (f64, f64) {
        let between = |from: f64, to: f64| from + part * (to - from);
        (between(self.from.0, self.to.0), between(self.from.1, self.to.1))
    }

    /// Whether it passes through a place.
    fn crosses(self, place: Place) -> bool {
        let (top, bottom) = (self.from.1.min(self.to.1), self.from.1.max(self.to.1));
        if bottom < place.y || top > place.y + place.height {
            return false;
        }
        let height_at = |x: f64| {
            let part = ((x - self.from.0) / (self.to.0 - self.from.0)).clamp(0.0, 1.0);
            self.at(part).1
        };
        let (left, right) = (self.from.0.min(self.to.0), self.from.0.max(self.to.0));
        if right < place.x || left > place.x + place.width {
            return false;
        }
        let (one, other) = (height_at(place.x), height_at(place.x + place.width));
        one.min(other) <= place.y + place.height && one.max(other) >= place.y
    }
}

impl<'a> Layout<'a> {
    /// A place for all; `None` where there is nothing to draw.
    pub(super) fn of(lamport: &'a Lamport) -> Option<Self> {
        let count = lamport.lanes.len();
        let is_lane = |lane: usize| lane < count;
        let is_whole = |message: &&Message| is_lane(message.from) && is_lane(message.to) && message.from != message.to;
        let mut messages: Vec<&Message> = lamport.messages.iter().filter(is_whole).collect();
        messages.sort_by_key(|message| message.sent);
        let left_out = messages.len().saturating_sub(MOST_MESSAGES);
        messages.drain(..left_out);
        let begin = if left_out > 0 { messages.first().map_or(TimeNs(0), |message| message.sent) } else { TimeNs(0) };
        let spans = lamport.spans.iter().filter(|span| is_lane(span.lane) && span.to.is_none_or(|to| to >= begin));
        let marks = lamport.marks.iter().filter(|mark| mark.lane.is_none_or(is_lane) && mark.at >= begin);
        let (spans, marks): (Vec<&Span>, Vec<&Mark>) = (spans.collect(), marks.collect());
        let times = times(&messages, &spans, &marks, begin);
        times.last()?;
        let concerns_all = marks.iter().any(|mark| mark.lane.is_none());
        let right_px = if concerns_all { RIGHT_TEXT_PX } else { RIGHT_PX };
        let lane_px = ((WIDTH_PX - TIMES_PX - right_px) / count as f64).clamp(NARROWEST_LANE_PX, WIDEST_LANE_PX);
        let x = |lane: usize| TIMES_PX + (lane as f64 + 0.5) * lane_px;
        let mut layout = Self {
            lanes: lamport.lanes.iter().enumerate().map(|(lane, of)| (of, x(lane))).collect(),
            axis: vertical(times),
            width: TIMES_PX + count as f64 * lane_px + right_px,
            spans: Vec::new(),
            marks: Vec::new(),
            messages: Vec::new(),
            left_out,
            unlabelled: 0,
        };
        layout.place_all(spans, marks, messages);
        Some(layout)
    }

    pub(super) fn height(&self) -> f64 {
        self.axis.length()
    }

    pub(super) fn x(&self, lane: usize) -> f64 {
        self.lanes[lane].1
    }

    pub(super) fn y(&self, time: TimeNs) -> f64 {
        self.axis.place(time)
    }

    /// From where to where a span is drawn.
    pub(super) fn extent(&self, span: &Span) -> (f64, f64) {
        let from = self.y(span.from).max(0.0);
        (from, span.to.map_or(self.height(), |to| self.y(to)).max(from + 3.0))
    }

    pub(super) fn arrow(&self, message: &Message) -> Arrow {
        let from = (self.x(message.from), self.y(message.sent));
        let to_x = self.x(message.to);
        let side = if to_x > from.0 { HALF_BAR_PX } else { -HALF_BAR_PX };
        let to = match message.received {
            Some(received) => (to_x - side, self.y(received.max(message.sent))),
            None => (from.0 + 0.6 * (to_x - from.0), from.1 + LOST_PX),
        };
        Arrow { from: (from.0 + side, from.1), to }
    }

    /// What happened at the lanes gets its labels first, then the messages do, by their time.
    fn place_all(&mut self, spans: Vec<&'a Span>, marks: Vec<&'a Mark>, messages: Vec<&'a Message>) {
        let mut room = Room::new(self.width, self.height());
        for (_, x) in &self.lanes {
            let lane = Place { x: x - HALF_BAR_PX, y: 0.0, width: 2.0 * HALF_BAR_PX, height: self.height() };
            room.take(lane);
        }
        self.marks = marks.into_iter().map(|mark| self.place_mark(mark, &mut room)).collect();
        self.spans = spans.into_iter().map(|span| self.place_span(span, &mut room)).collect();
        let arrows: Vec<Arrow> = messages.iter().map(|message| self.arrow(message)).collect();
        self.messages = messages.into_iter().map(|message| self.place_message(message, &arrows, &mut room)).collect();
        let unlabelled = |label: &Option<Label>, text: &str| usize::from(label.is_none() && !text.is_empty());
        self.unlabelled = self.marks.iter().map(|mark| unlabelled(&mark.label, &mark.thing.label)).sum::<usize>()
            + self.spans.iter().map(|span| unlabelled(&span.label, &span.thing.label)).sum::<usize>()
            + self.messages.iter().map(|one| unlabelled(&one.label, &one.thing.label)).sum::<usize>();
    }

    fn place_mark(&self, mark: &'a Mark, room: &mut Room) -> Placed<'a, Mark> {
        let baseline = self.y(mark.at) + 4.0;
        let label = match mark.lane {
            Some(lane) => self.beside(lane, &mark.label, [0.0, LINE_PX, -LINE_PX].map(|down| baseline + down), room),
            None => {
                let x = self.width - RIGHT_TEXT_PX;
                let text = ellipsis(&mark.label, chars_in(RIGHT_TEXT_PX)).into_owned();
                let chars = text.chars().count();
                let lines = [-0.6, 0.7, -1.7, 1.8, -2.8, 2.9].map(|line| baseline + line * LINE_PX);
                let place = room.first_free(lines.map(|baseline| Place::of_text(x, baseline, chars)));
                place.map(|place| Label { text, place })
            }
        };
        Placed { thing: mark, label }
    }

    fn place_span(&self, span: &'a Span, room: &mut Room) -> Placed<'a, Span> {
        let (from, to) = self.extent(span);
        let (begin, middle) = (from + 9.0, (from + to) / 2.0 + 4.0);
        let baselines = match span.kind {
            SpanKind::Operation(_) => [middle, begin, to],
            SpanKind::Leads | SpanKind::Down | SpanKind::Paused => [begin, begin + LINE_PX, middle],
        };
        let label = self.beside(span.lane, &span.label, baselines, room);
        Placed { thing: span, label }
    }

    /// A label right of a lane or left of it, in the first height that is free.
    fn beside(&self, lane: usize, text: &str, baselines: [f64; 3], room: &mut Room) -> Option<Label> {
        const APART_PX: f64 = HALF_BAR_PX + 4.0;
        let x = self.x(lane);
        let next = self.lanes.get(lane + 1).map_or(self.width, |(_, next)| *next - HALF_BAR_PX);
        let text = ellipsis(text, chars_in(next - x - APART_PX - 2.0)).into_owned();
        let chars = text.chars().count();
        let right = baselines.map(|baseline| Place::of_text(x + APART_PX, baseline, chars));
        let left = right.map(|place| Place { x: x - APART_PX - place.width, ..place });
        let place = room.first_free(right.into_iter().chain(left)).filter(|_| chars > 0)?;
        Some(Label { text, place })
    }

    /// A label on its arrow, not wider than the arrow, where the fewest other arrows pass; of several such places the one
    /// nearest to the middle.
    fn place_message(&self, message: &'a Message, arrows: &[Arrow], room: &mut Room) -> Placed<'a, Message> {
        const PARTS: [f64; 9] = [0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82];
        let arrow = self.arrow(message);
        let lane_px = if self.lanes.len() > 1 { self.x(1) - self.x(0) } else { NARROWEST_LANE_PX };
        let span_px = (arrow.to.0 - arrow.from.0).abs().min(lane_px - 2.0 * HALF_BAR_PX);
        let text = ellipsis(&message.label, chars_in(span_px - 8.0)).into_owned();
        let chars = text.chars().count();
        let mut candidates = PARTS.map(|part| {
            let (x, y) = arrow.at(part);
            let place = Place::of_text(x, y - 3.0, chars);
            let place = Place { x: x - place.width / 2.0, ..place };
            (arrows.iter().filter(|other| other.crosses(place)).count(), place)
        });
        candidates.sort_by_key(|(crossings, _)| *crossings);
        let place = if chars == 0 { None } else { room.first_free(candidates.map(|(_, place)| place)) };
        Placed { thing: message, label: place.map(|place| Label { text, place }) }
    }
}

/// Every moment at which something happens, in order.
fn times(messages: &[&Message], spans: &[&Span], marks: &[&Mark], begin: TimeNs) -> Vec<TimeNs> {
    let of_messages = messages.iter().flat_map(|message| [Some(message.sent), message.received]);
    let of_spans = spans.iter().flat_map(|span| [Some(span.from.max(begin)), span.to]);
    let of_marks = marks.iter().map(|mark| Some(mark.at));
    let mut times: Vec<TimeNs> = of_messages.chain(of_spans).chain(of_marks).flatten().collect();
    times.sort_unstable();
    times.dedup();
    times
}

/// The more there is, the closer it stands.
fn vertical(times: Vec<TimeNs>) -> Axis {
    let count = times.len() as f64;
    let narrowest_px = (3000.0 / count).clamp(6.0, 14.0);
    let room = axis::Room { narrowest_px, widest_px: 64.0, before_px: 20.0, after_px: 24.0 };
    Axis::of(times, count * narrowest_px * 1.6 + 44.0, room)
}
