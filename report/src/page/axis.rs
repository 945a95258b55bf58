//! Where a time stands on a timeline.
//!
//! Operations take a millisecond and may lie seconds apart, so no even scale shows both. Between two times at which
//! something happened the axis is even, but a gap is never narrower nor wider than [`Room`] says: the order of events and what
//! overlaps what is always exact, and wide gaps are broken and say how long they are.

use rashomon_history::TimeNs;

/// How much room an axis gives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// To the shortest gap between two times.
    pub(super) narrowest_px: f64,
    /// To the longest.
    pub(super) widest_px: f64,
    /// Before the first time.
    pub(super) before_px: f64,
    /// After the last one.
    pub(super) after_px: f64,
}

/// Places of times, from the begin of an axis to its end.
pub(super) struct Axis {
    times: Vec<TimeNs>,
    places: Vec<f64>,
    broken: Vec<bool>,
    room: Room,
}

/// A gap that is drawn much narrower than it is.
pub(super) struct Break {
    pub(super) from: TimeNs,
    pub(super) to: TimeNs,
}

impl Axis {
    /// An axis on which all these times stand, about so long.
    pub(super) fn of(mut times: Vec<TimeNs>, length_px: f64, room: Room) -> Self {
        times.sort_unstable();
        times.dedup();
        let gaps: Vec<f64> = times.windows(2).map(|pair| seconds(pair[0], pair[1])).collect();
        let scale = scale(&gaps, length_px - room.before_px - room.after_px, room);
        let mut places = Vec::with_capacity(times.len());
        let mut place = room.before_px;
        places.push(place);
        for gap in &gaps {
            place += placed(*gap, scale, room);
            places.push(place);
        }
        places.truncate(times.len());
        let broken = gaps.iter().map(|gap| gap * scale > 1.5 * room.widest_px).collect();
        Self { times, places, broken, room }
    }

    /// Makes room so that an interval is at least so wide.
    pub(super) fn widen(&mut self, from: TimeNs, to: TimeNs, width_px: f64) {
        let missing = width_px - (self.place(to) - self.place(from));
        let (Some(first), Some(last)) = (self.position(from), self.position(to)) else { return };
        if missing <= 0.0 || first == last {
            return;
        }
        #[expect(clippy::cast_precision_loss, reason = "a few hundred gaps")]
        let share = missing / (last - first) as f64;
        let mut shift = 0.0;
        for position in first + 1..self.places.len() {
            if position <= last {
                shift += share;
            }
            self.places[position] += shift;
        }
    }

    /// Where a time stands; times beyond the ends stand at the edge.
    pub(super) fn place(&self, time: TimeNs) -> f64 {
        match self.times.binary_search(&time) {
            Ok(position) => self.places[position],
            Err(0) => 0.0,
            Err(position) if position == self.times.len() => self.length(),
            Err(position) => {
                let part =
                    seconds(self.times[position - 1], time) / seconds(self.times[position - 1], self.times[position]);
                self.places[position - 1] + part * (self.places[position] - self.places[position - 1])
            }
        }
    }

    /// The whole length.
    pub(super) fn length(&self) -> f64 {
        self.places.last().map_or(0.0, |last| last + self.room.after_px)
    }

    pub(super) fn breaks(&self) -> impl Iterator<Item = Break> {
        let pairs = self.times.windows(2).zip(&self.broken);
        pairs.filter(|(_, broken)| **broken).map(|(pair, _)| Break { from: pair[0], to: pair[1] })
    }

    /// Times to write beside the axis, at least so far apart.
    pub(super) fn ticks(&self, distance_px: f64) -> Vec<TimeNs> {
        let mut ticks = Vec::new();
        let mut free_from = 0.0;
        for (time, place) in self.times.iter().zip(&self.places) {
            if *place >= free_from {
                ticks.push(*time);
                free_from = place + distance_px;
            }
        }
        ticks
    }

    fn position(&self, time: TimeNs) -> Option<usize> {
        self.times.binary_search(&time).ok()
    }
}

fn seconds(from: TimeNs, to: TimeNs) -> f64 {
    TimeNs(to.0.saturating_sub(from.0)).as_secs_f64()
}

fn placed(gap_seconds: f64, scale: f64, room: Room) -> f64 {
    (gap_seconds * scale).clamp(room.narrowest_px, room.widest_px)
}

/// Pixels a second, so that all gaps together are as long as asked, if their bounds allow it.
fn scale(gaps_seconds: &[f64], length_px: f64, room: Room) -> f64 {
    let (mut low, mut high) = (1.0_f64, 1e12_f64);
    for _ in 0..80 {
        let middle = (low * high).sqrt();
        let length: f64 = gaps_seconds.iter().map(|gap| placed(*gap, middle, room)).sum();
        if length > length_px { high = middle } else { low = middle }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Room = Room { narrowest_px: 5.0, widest_px: 130.0, before_px: 14.0, after_px: 44.0 };

    fn axis(times: &[u64]) -> Axis {
        Axis::of(times.iter().copied().map(TimeNs).collect(), 1000.0, ROOM)
    }

    #[test]
    fn order_is_kept_however_unequal_the_gaps_are() {
        let axis = axis(&[0, 1, 2, 1_000_000, 30_000_000_000, 30_000_000_001]);
        assert!(axis.places.windows(2).all(|pair| pair[1] - pair[0] >= ROOM.narrowest_px - 1e-9), "{:?}", axis.places);
        assert!(axis.length() <= 1001.0);
    }

    #[test]
    fn a_long_gap_is_broken_and_short_ones_are_not() {
        let mut times: Vec<u64> = (0..20).map(|step| step * 1_000_000).collect();
        times.push(20_000_000_000);
        let axis = axis(&times);
        let breaks: Vec<Break> = axis.breaks().collect();
        assert_eq!(breaks.len(), 1);
        assert_eq!((breaks[0].from.0, breaks[0].to.0), (19_000_000, 20_000_000_000));
    }

    #[test]
    fn times_between_and_beyond_have_a_place() {
        let axis = axis(&[10, 20]);
        let middle = (axis.place(TimeNs(10)) + axis.place(TimeNs(20))) / 2.0;
        assert!((axis.place(TimeNs(15)) - middle).abs() < 1e-9);
        assert_eq!(axis.place(TimeNs(0)), 0.0);
        assert_eq!(axis.place(TimeNs(99)), axis.length());
    }

    #[test]
    fn room_is_made_within_an_interval_and_the_rest_moves_along() {
        let mut axis = axis(&(0..200).map(|step| step * 1000).collect::<Vec<_>>());
        let after = axis.place(TimeNs(3000)) - axis.place(TimeNs(2000));
        axis.widen(TimeNs(1000), TimeNs(2000), 120.0);
        assert!((axis.place(TimeNs(2000)) - axis.place(TimeNs(1000)) - 120.0).abs() < 1e-9);
        assert!((axis.place(TimeNs(3000)) - axis.place(TimeNs(2000)) - after).abs() < 1e-9);
    }

    #[test]
    fn one_moment_and_none_are_fine() {
        assert!(axis(&[5]).length() > 0.0);
        assert_eq!(axis(&[]).length(), 0.0);
    }
}
