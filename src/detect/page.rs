//! The table of what was found, for people.

use std::fmt::Write;

use anyhow::{Result, anyhow};
use rashomon_systems::{commit, raft};

use super::{Budget, Row, Spread};

/// Between these two lines of a page stands what the command writes.
const BEGIN: &str = "<!-- what follows is written by `rashomon detect` -->";
const END: &str = "<!-- what stands above is written by `rashomon detect` -->";

/// The table, what is not found, and what is not planted, as Markdown.
pub(crate) fn markdown(rows: &[Row], budget: Budget) -> String {
    let mut text = String::from(
        "| bug | what is wrong | found | runs: median, worst | virtual s: median, worst | real s: median, worst | first \
         found by | a seed |\n|---|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let _ = writeln!(text, "{}", line(row));
    }
    let planted: Vec<&Row> = rows.iter().filter(|row| row.bug.is_some()).collect();
    let some = planted.iter().filter(|row| row.found > 0).count();
    let always = planted.iter().filter(|row| row.found == row.trials).count();
    let quick = planted.iter().filter(|row| row.real_seconds.median.is_some_and(|median| median < 10.0)).count();
    let _ = writeln!(
        text,
        "\nOf {} planted bugs {some} were found, {always} of them in every trial, and {quick} with a median below 10 s of one core. A trial \
         gave up after {} runs or {} s.",
        planted.len(),
        budget.runs,
        budget.time.as_secs()
    );
    let missed: Vec<&&Row> = planted.iter().filter(|row| row.found == 0).collect();
    if !missed.is_empty() {
        let ids: Vec<String> = missed.iter().filter_map(|row| row.bug).map(|bug| bug.to_string()).collect();
        let _ = writeln!(text, "\nNot found in any trial: {}.", ids.join(", "));
    }
    text.push_str(
        "\n## Hidden by the rest of the code\n\nWhere these bugs are planted, what would hide them is off.\n\n",
    );
    text.push_str("| bug | off |\n|---|---|\n");
    for bug in rows.iter().filter_map(|row| row.bug).filter(|bug| !bug.description().switched_off.is_empty()) {
        let _ = writeln!(text, "| {bug} | {} |", bug.description().switched_off.join(", "));
    }
    text.push_str("\n## Not planted\n\n| bug | why |\n|---|---|\n");
    for left_out in raft::LEFT_OUT.iter().chain(commit::LEFT_OUT) {
        let _ = writeln!(text, "| {} | {} |", left_out.id, left_out.reason);
    }
    text
}

fn line(row: &Row) -> String {
    let (id, wrong) = match row.bug {
        Some(bug) => (bug.to_string(), bug.description().wrong),
        None => (format!("none: {}", row.system), "nothing: the right system, in every run that found a bug"),
    };
    let checks: Vec<String> = row.checks.iter().map(|(check, count)| format!("{check} ({count})")).collect();
    let seed = row.seed.map(|seed| seed.to_string()).unwrap_or_default();
    let runs = match row.bug {
        Some(_) => spread(row.runs, u64::to_string),
        None => format!("{} in all", row.all_runs),
    };
    format!(
        "| {id} | {wrong} | {} of {} | {runs} | {} | {} | {} | {seed} |",
        row.found,
        row.trials,
        spread(row.virtual_seconds, seconds),
        spread(row.real_seconds, seconds),
        checks.join(", ")
    )
}

fn spread<T>(spread: Spread<T>, tell: impl Fn(&T) -> String) -> String {
    let tell = |value: &Option<T>| value.as_ref().map_or("-".to_owned(), &tell);
    format!("{}, {}", tell(&spread.median), tell(&spread.worst))
}

fn seconds(seconds: &f64) -> String {
    if *seconds < 10.0 { format!("{seconds:.2}") } else { format!("{seconds:.0}") }
}

/// The page with this text in its place.
///
/// # Errors
/// The page has no such place.
pub(crate) fn put_into(page: &str, text: &str) -> Result<String> {
    let place = page.find(BEGIN).zip(page.find(END)).filter(|(begin, end)| begin < end);
    let (begin, end) = place
        .ok_or_else(|| anyhow!("the page needs these two lines, between which the table goes:\n{BEGIN}\n{END}"))?;
    Ok(format!("{}\n\n{text}\n{}", &page[..begin + BEGIN.len()], &page[end..]))
}
