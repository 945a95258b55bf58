use std::fmt::Write;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use rashomon_history::{EventRef, TimeNs};

use super::{Compared, Figures, percent, time};
use crate::describe::clip;
use crate::statistics::{Series, fault_intervals};
use crate::verdict::Verdict;

/// The width of a plot; a unit is a thousandth of the longest run.
const WIDTH: u64 = 1000;
const HEIGHT: u64 = 90;
const MOST_BUCKETS: u64 = 150;

/// The runs as one HTML page that needs nothing else.
#[must_use]
pub fn comparison_page(title: &str, runs: &[Compared<'_>]) -> String {
    let figures: Vec<Figures> = runs.iter().map(Figures::of).collect();
    let plots = plots(runs);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(include_str!("../../assets/report.css"))) (PreEscaped(include_str!("../../assets/comparison.css"))) }
            }
            body {
                header { h1 { (title) } }
                main {
                    (table(runs, &figures))
                    h2 { "Acknowledged operations over time" }
                    p.note { "All on the same scales; where a fault was on, the ground is shaded." }
                    @for (run, plot) in runs.iter().zip(plots) {
                        figure.run { figcaption { (clip(&run.name, 100)) } (plot) }
                    }
                    h2 { "Why" }
                    @for run in runs {
                        h3 { (clip(&run.name, 100)) ": " span class=(tone(run.verdict.verdict)) { (run.verdict.verdict.as_str()) } }
                        p { (clip(&run.verdict.reason, 1500)) }
                        @for remark in &run.verdict.remarks { p.note { (clip(&remark.title, 200)) ": " (clip(&remark.text, 1000)) } }
                        pre { code { (run.verdict.command) } }
                    }
                }
                footer { "Rashomon " (env!("CARGO_PKG_VERSION")) }
            }
        }
    }
    .into_string()
}

fn table(runs: &[Compared<'_>], figures: &[Figures]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Runs side by side" {
            table {
                thead {
                    tr {
                        th { "Run" } th { "Verdict" } th { "Anomalies" } th.number { "ok/s" } th.number { "p50" } th.number { "p99" }
                        th.number { "ok under faults" } th.number { "ok else" } th.number { "Longest without ok" } th.number { "Slowest recovery" }
                    }
                }
                tbody {
                    @for (run, figures) in runs.iter().zip(figures) {
                        tr {
                            td { (name(run)) br; span.note { (clip(&run.what, 300)) } }
                            td { strong class=(tone(run.verdict.verdict)) { (run.verdict.verdict.as_str()) } }
                            td.text { (figures.anomalies_text()) }
                            td.number { (format!("{:.0}", figures.per_second)) }
                            td.number { (time(figures.p50_ns)) }
                            td.number { (time(figures.p99_ns)) }
                            td.number { (percent(figures.under_faults)) }
                            td.number { (percent(figures.without_faults)) }
                            td.number { (time(figures.longest_without_ok_ns)) }
                            td.number { (figures.recovery_text()) }
                        }
                    }
                }
            }
        }
        p.note {
            "ok under faults: of the calls that were made while a fault was on, those that were acknowledged. Longest without ok: while "
            "somebody waited for one. Slowest recovery: from the end of a fault to the next acknowledged call. Latencies are of "
            "acknowledged calls."
        }
    }
}

fn name(run: &Compared<'_>) -> Markup {
    html! {
        @match &run.link {
            Some(link) => a href=(link) { strong { (clip(&run.name, 100)) } },
            None => strong { (clip(&run.name, 100)) },
        }
    }
}

fn tone(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Valid => "good",
        Verdict::Invalid => "bad",
        Verdict::Unknown => "doubt",
    }
}

/// A plot of each run, all as wide as the longest and as high as the busiest.
fn plots(runs: &[Compared<'_>]) -> Vec<Markup> {
    let end_of = |run: &Compared<'_>| run.history.events().last().map(EventRef::time).unwrap_or_default();
    let end = runs.iter().map(end_of).max().unwrap_or_default();
    let series: Vec<Series> = runs.iter().map(|run| Series::of(run.history.operations(), end, MOST_BUCKETS)).collect();
    let most = series.iter().flat_map(|series| &series.buckets).map(|bucket| bucket.operations.ok).max();
    runs.iter().zip(&series).map(|(run, series)| plot(run, series, end, most.unwrap_or(0).max(1))).collect()
}

fn plot(run: &Compared<'_>, series: &Series, end: TimeNs, most: u64) -> Markup {
    let x = |time: u64| time.min(end.0).saturating_mul(WIDTH) / end.0.max(1);
    let y = |ok: u64| HEIGHT - ok * HEIGHT / most;
    let faults: Vec<(u64, u64)> =
        fault_intervals(run.history).iter().map(|fault| (x(fault.began.0), x(fault.ended_by(end).0))).collect();
    let mut line = format!("M0 {HEIGHT}");
    for (number, bucket) in (0_u64..).zip(&series.buckets) {
        let (from, to) = (x(number * series.width_ns), x((number + 1) * series.width_ns));
        let y = y(bucket.operations.ok);
        // Writing into a text can't fail.
        let _ = write!(line, "L{from} {y}L{to} {y}");
    }
    let _ = write!(line, "L{WIDTH} {HEIGHT}Z");
    let label = format!("{}: acknowledged operations over {end} s", run.name);
    html! {
        svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) preserveAspectRatio="none" role="img" aria-label=(label) {
            @for (from, to) in &faults { rect.fault x=(from) y="0" width=((to - from).max(1)) height=(HEIGHT) {} }
            path.ok d=(line) {}
        }
    }
}
