//! Room for labels: none lies over another.

/// A character of the labels: 10.5 px in a monospaced font.
const CHAR_PX: f64 = 6.4;
/// A line of a label.
pub(super) const LINE_PX: f64 = 13.0;

/// Between two texts of a line.
const APART_PX: f64 = 3.0;

/// A piece of the drawing that is taken.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Place {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Place {
    /// Of a text that begins at `x` and whose letters stand on `baseline`.
    pub(super) fn of_text(x: f64, baseline: f64, chars: usize) -> Self {
        Self { x, y: baseline - LINE_PX + 3.0, width: chars as f64 * CHAR_PX, height: LINE_PX }
    }

    /// Where the letters stand.
    pub(super) fn baseline(self) -> f64 {
        self.y + LINE_PX - 3.0
    }

    /// Texts that touch can't be told apart.
    fn overlaps(self, other: Self) -> bool {
        self.x < other.x + other.width + APART_PX
            && other.x < self.x + self.width + APART_PX
            && self.y < other.y + other.height
            && other.y < self.y + self.height
    }
}

/// How many characters have room in so many pixels.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few pixels, cut to at least none")]
pub(super) fn chars_in(width_px: f64) -> usize {
    (width_px / CHAR_PX).max(0.0) as usize
}

/// What is taken of a drawing so high.
pub(super) struct Room {
    /// By horizontal strips, so that a look concerns few.
    strips: Vec<Vec<Place>>,
    width: f64,
}

const STRIP_PX: f64 = 64.0;

impl Room {
    pub(super) fn new(width: f64, height: f64) -> Self {
        Self { strips: vec![Vec::new(); strip(height) + 1], width }
    }

    /// Takes this piece, whatever lies there.
    pub(super) fn take(&mut self, place: Place) {
        for strip in self.strips_of(place) {
            self.strips[strip].push(place);
        }
    }

    /// Takes the first of these that is free.
    pub(super) fn first_free(&mut self, candidates: impl IntoIterator<Item = Place>) -> Option<Place> {
        let free = candidates.into_iter().find(|candidate| self.is_free(*candidate))?;
        self.take(free);
        Some(free)
    }

    fn is_free(&self, place: Place) -> bool {
        let is_inside = place.x >= 0.0 && place.x + place.width <= self.width && place.y >= 0.0;
        is_inside && self.strips_of(place).all(|strip| !self.strips[strip].iter().any(|other| place.overlaps(*other)))
    }

    fn strips_of(&self, place: Place) -> impl Iterator<Item = usize> + use<> {
        let last = self.strips.len() - 1;
        strip(place.y).min(last)..=strip(place.y + place.height).min(last)
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few thousand pixels, at least none")]
fn strip(y: f64) -> usize {
    (y / STRIP_PX).max(0.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_takes_the_first_place_that_is_free() {
        let mut room = Room::new(300.0, 500.0);
        let at = |y| Place::of_text(10.0, y, 20);
        assert_eq!(room.first_free([at(100.0), at(120.0)]), Some(at(100.0)));
        assert_eq!(room.first_free([at(105.0), at(120.0)]), Some(at(120.0)));
        assert_eq!(room.first_free([at(95.0), at(110.0)]), None);
        assert_eq!(room.first_free([Place::of_text(200.0, 100.0, 20)]), None, "it would stand out");
        assert_eq!(room.first_free([Place::of_text(150.0, 100.0, 20)]).map(Place::baseline), Some(100.0));
    }

    #[test]
    fn strips_hide_nothing() {
        let mut room = Room::new(100.0, 400.0);
        room.take(Place { x: 0.0, y: 10.0, width: 50.0, height: 300.0 });
        for y in 20..300 {
            assert_eq!(room.first_free([Place::of_text(40.0, f64::from(y), 2)]), None);
        }
        assert!(room.first_free([Place::of_text(60.0, 200.0, 2)]).is_some());
    }
}
