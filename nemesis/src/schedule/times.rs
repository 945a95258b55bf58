//! When faults begin, and how long they last.

use rashomon_draw::Draw;

use crate::{RangeMs, ScheduleOptions};

/// Begin and duration of each fault, in milliseconds, by their begin.
pub(super) fn draw_times(options: &ScheduleOptions, draw: &mut Draw) -> Vec<(u64, u64)> {
    let lanes = u64::from(options.lanes.max(1));
    let wanted = (options.kinds.len() as u64 * 2).div_ceil(lanes);
    let mut times: Vec<(u64, u64)> = (0..lanes).flat_map(|_| draw_lane(options, wanted, draw)).collect();
    times.sort_unstable();
    times
}

/// One fault after the other: as many as usually fit, but `wanted` where that is possible at all. Each is preceded by a quiet
/// time.
fn draw_lane(options: &ScheduleOptions, wanted: u64, draw: &mut Draw) -> Vec<(u64, u64)> {
    let (duration, quiet) = (options.duration_ms, options.quiet_ms);
    let shortest = (duration.min + quiet.min).max(1);
    // The smaller of two draws is on average a third of the way from the shortest to the longest.
    let usual = (duration.min + (duration.max - duration.min) / 3 + quiet.midpoint()).max(1);
    let count = wanted.max(options.time_limit_ms / usual).min(options.time_limit_ms / shortest);

    let mut times: Vec<(u64, u64)> = (0..count)
        .map(|_| {
            let lasting = [(); 2].map(|()| draw.between(duration.min, duration.max));
            (draw.between(quiet.min, quiet.max), lasting[0].min(lasting[1]))
        })
        .collect();
    let drawn: u64 = times.iter().map(|(quiet, lasting)| quiet + lasting).sum();
    let (room, spare) = (options.time_limit_ms - count * shortest, drawn.saturating_sub(count * shortest));
    let mut now_ms = 0;
    for (at_ms, lasting) in &mut times {
        // What was drawn beyond the shortest times is scaled down together until all fits.
        let fit = |time: u64, min: u64| if spare > room { min + (time - min) * room / spare } else { time };
        now_ms += fit(*at_ms, quiet.min);
        *at_ms = now_ms;
        *lasting = fit(*lasting, duration.min);
        now_ms += *lasting;
    }
    times
}

impl RangeMs {
    fn midpoint(self) -> u64 {
        self.min.midpoint(self.max)
    }
}
