//! The data of the two plots over time, and the places where the script draws them.

use maud::{Markup, html};
use rashomon_history::TimeNs;
use serde::Serialize;

use super::{Page, faults, json_for_script};
use crate::describe::{clip, count};
use crate::statistics::{Bucket, Series};

const MOST_BUCKETS: u64 = 200;
const MOST_FAULTS: usize = 300;

/// What the script reads. Columns have one entry a bucket; times are seconds, latencies milliseconds.
#[derive(Serialize)]
struct PlotsData {
    time: Vec<f64>,
    p50: Vec<Option<f64>>,
    p95: Vec<Option<f64>>,
    p99: Vec<Option<f64>>,
    max: Vec<Option<f64>>,
    ok: Vec<Option<f64>>,
    fail: Vec<Option<f64>>,
    info: Vec<Option<f64>>,
    faults: Vec<PlotFault>,
    end: f64,
}

#[derive(Serialize)]
struct PlotFault {
    from: f64,
    to: f64,
    colour: usize,
    label: String,
}

impl Page<'_> {
    pub(super) fn plots(&self) -> Markup {
        html! {
            (self.fault_legend())
            figure.script-only hidden {
                figcaption { "Latency of acknowledged operations" span.unit { "ms, logarithmic" } }
                div.plot id="plot-latency" tabindex="0" role="img"
                    aria-label="Latency over time: median, 95th and 99th percentile and slowest. Arrow keys move the cursor." {}
            }
            figure.script-only hidden {
                figcaption { "Completions a second, by outcome" span.unit { "operations/s" } }
                div.plot id="plot-rate" tabindex="0" role="img"
                    aria-label="Completions a second over time, by outcome. Arrow keys move the cursor." {}
            }
            noscript { p.note { "Plots of latency and rate over time need JavaScript; the totals stand in the tables below." } }
            p.note.script-only hidden { "One point is " (count(self.series().width_ns / 1_000_000)) " ms. Drag to zoom, double-click to see all, click a name to hide its line." }
        }
    }

    fn fault_legend(&self) -> Markup {
        html! {
            @if !self.faults.is_empty() {
                p.legend { "Shaded: " @for kind in self.palette.kinds() { span.key { (self.swatch(kind)) (clip(kind, 40)) } " " } }
            }
        }
    }

    fn series(&self) -> Series {
        Series::of(self.operations, self.end, MOST_BUCKETS)
    }

    pub(super) fn plots_data(&self) -> String {
        let series = self.series();
        let seconds = TimeNs(series.width_ns).as_secs_f64();
        let latency = |pick: fn(&crate::statistics::Quantiles) -> u64| -> Vec<Option<f64>> {
            series
                .buckets
                .iter()
                .map(|bucket| bucket.latency.as_ref().map(|latency| milliseconds(pick(latency))))
                .collect()
        };
        let rate = |pick: fn(&Bucket) -> u64| self.rate(&series, pick);
        #[expect(clippy::cast_precision_loss, reason = "at most 200 buckets")]
        let time = (0..series.buckets.len()).map(|position| rounded((position as f64 + 0.5) * seconds, 1e4)).collect();
        json_for_script(&PlotsData {
            time,
            p50: latency(|quantiles| quantiles.p50_ns),
            p95: latency(|quantiles| quantiles.p95_ns),
            p99: latency(|quantiles| quantiles.p99_ns),
            max: latency(|quantiles| quantiles.max_ns),
            ok: rate(|bucket| bucket.operations.ok),
            fail: rate(|bucket| bucket.operations.fail),
            info: rate(|bucket| bucket.operations.info),
            faults: self.plot_faults(),
            end: self.end.as_secs_f64(),
        })
    }

    /// Completions a second. The last bucket is cut by the end of the run and left out where little of it is left.
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    fn rate(&self, series: &Series, pick: fn(&Bucket) -> u64) -> Vec<Option<f64>> {
        let buckets = series.buckets.iter().enumerate();
        let rates = buckets.map(|(position, bucket)| {
            let length_ns = (self.end.0 - position as u64 * series.width_ns).min(series.width_ns);
            let enough = length_ns * 2 >= series.width_ns || series.buckets.len() == 1;
            enough.then(|| rounded(pick(bucket) as f64 / TimeNs(length_ns.max(1)).as_secs_f64(), 10.0))
        });
        rates.collect()
    }

    fn plot_faults(&self) -> Vec<PlotFault> {
        let plotted = self.faults.iter().take(MOST_FAULTS).map(|fault| PlotFault {
            from: fault.began.as_secs_f64(),
            to: fault.ended_by(self.end).as_secs_f64(),
            colour: self.palette.colour(&fault.kind),
            label: faults::label(fault),
        });
        plotted.collect()
    }
}

/// With three decimals; never zero, which has no place on a logarithmic axis.
fn milliseconds(nanoseconds: u64) -> f64 {
    rounded(TimeNs(nanoseconds).as_secs_f64() * 1e3, 1e3).max(0.001)
}

fn rounded(number: f64, parts: f64) -> f64 {
    (number * parts).round() / parts
}
