use super::{Compared, Figures, percent, time};
use crate::describe::clip;

/// The runs as a table for a terminal, a row each, with the anomalies below. Ends with a line break.
#[must_use]
pub fn comparison_table(runs: &[Compared<'_>]) -> String {
    const NAMES: [&str; 9] =
        ["run", "verdict", "ok/s", "median", "99 of 100", "ok under faults", "ok else", "longest gap", "recovery"];
    let mut rows = vec![NAMES.map(str::to_owned)];
    let figures: Vec<Figures> = runs.iter().map(Figures::of).collect();
    for (run, figures) in runs.iter().zip(&figures) {
        rows.push([
            printable(&run.name),
            run.verdict.verdict.to_string(),
            format!("{:.0}", figures.per_second),
            time(figures.p50_ns),
            time(figures.p99_ns),
            percent(figures.under_faults),
            percent(figures.without_faults),
            time(figures.longest_without_ok_ns),
            figures.recovery_text(),
        ]);
    }
    let mut text = table(&rows);
    text.push('\n');
    for (run, figures) in runs.iter().zip(&figures) {
        text +=
            &format!("{}: {}; anomalies: {}\n", printable(&run.name), printable(&run.what), figures.anomalies_text());
    }
    text
}

/// What a file says is shown, not obeyed.
fn printable(text: &str) -> String {
    clip(text, 200).chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// The first two columns begin at the left, figures end at the right.
fn table<const N: usize>(rows: &[[String; N]]) -> String {
    const TEXTS: usize = 2;
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> = row
            .iter()
            .enumerate()
            .map(|(column, cell)| {
                let width = width(column);
                if column < TEXTS { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
            })
            .collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}
