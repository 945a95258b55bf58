//! The end of a run, as text for a terminal.

use std::fmt::Write;

use rashomon_history::TimeNs;

use crate::describe::{between, bytes, clip, count, counted, duration, ellipsis, who};
use crate::statistics::{FaultAvailability, Quantiles, Statistics};
use crate::verdict::{Anomaly, CheckerReport, OperationRecord, OutcomeKind, Remark, Verdict, VerdictFile};

/// How the summary is to look.
#[derive(Clone, Copy, Debug)]
pub struct TerminalOptions<'a> {
    /// Whether to colour it with ANSI escapes.
    pub colour: bool,
    /// Columns of the terminal; used between 60 and 100.
    pub columns: usize,
    /// What lies where, listed at the end: `("report", "results/.../report.html")`.
    pub paths: &'a [(&'a str, &'a str)],
}

/// The verdict, why, the witness operation by operation, and the main figures. Ends with a line break.
#[must_use]
pub fn terminal_summary(file: &VerdictFile, options: &TerminalOptions<'_>) -> String {
    let mut page = Page { text: String::new(), colour: options.colour, columns: options.columns.clamp(60, 100) };
    page.headline(file.verdict);
    page.paragraph(&clip(&printable_lines(&file.reason), 1500), "  ");
    page.remarks(&file.remarks);
    page.witness(file);
    page.line("");
    page.figures(&file.statistics);
    for checker in &file.checkers {
        page.labelled("checker", &checker_text(checker));
    }
    page.guards(file);
    page.line("");
    page.labelled("run again", &printable(&file.command));
    for (label, path) in options.paths {
        page.labelled(label, path);
    }
    page.text
}

#[derive(Clone, Copy)]
enum Ink {
    Bold,
    Dim,
    Red,
    Green,
    Yellow,
}

impl Ink {
    fn escape(self) -> &'static str {
        match self {
            Self::Bold => "\x1b[1m",
            Self::Dim => "\x1b[2m",
            Self::Red => "\x1b[1;31m",
            Self::Green => "\x1b[1;32m",
            Self::Yellow => "\x1b[1;33m",
        }
    }
}

struct Page {
    text: String,
    colour: bool,
    columns: usize,
}

impl Page {
    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn painted(&self, ink: Ink, text: &str) -> String {
        if self.colour { format!("{}{text}\x1b[0m", ink.escape()) } else { text.into() }
    }

    fn headline(&mut self, verdict: Verdict) {
        let (ink, meaning) = match verdict {
            Verdict::Valid => (Ink::Green, "what the clients saw can be one story"),
            Verdict::Invalid => (Ink::Red, "what the clients saw can't be one story"),
            Verdict::Unknown => (Ink::Yellow, "no verdict on what the clients saw"),
        };
        let word = self.painted(ink, &verdict.as_str().to_uppercase());
        self.line(&format!("{word}  {meaning}"));
        self.line("");
    }

    fn paragraph(&mut self, text: &str, indent: &str) {
        for sentence in text.lines() {
            for line in wrapped(sentence, self.columns - indent.len()) {
                self.line(&format!("{indent}{line}"));
            }
        }
    }

    fn labelled(&mut self, label: &str, text: &str) {
        const INDENT: &str = "              ";
        let label = self.painted(Ink::Dim, &format!("{label:<12}"));
        for (position, line) in wrapped(text, self.columns - INDENT.len()).iter().enumerate() {
            if position == 0 { self.line(&format!("  {label}{line}")) } else { self.line(&format!("{INDENT}{line}")) }
        }
    }

    fn remarks(&mut self, remarks: &[Remark]) {
        for remark in remarks {
            self.line("");
            let title = self.painted(Ink::Bold, &printable(&remark.title));
            self.line(&format!("  {title}"));
            self.paragraph(&clip(&printable_lines(&remark.text), 1500), "  ");
            if let Some(source) = &remark.source {
                self.paragraph(&printable(&format!("[{source}]")), "  ");
            }
        }
    }

    fn witness(&mut self, file: &VerdictFile) {
        if file.witness.is_empty() {
            return;
        }
        self.line("");
        let title = file.anomalies.first().map_or_else(|| "witness".into(), anomaly_title);
        let title = self.painted(Ink::Bold, &title);
        self.line(&format!("  {title}: {} that can't be one story", counted(file.witness.len() as u64, "operation")));
        for (position, operation) in file.witness.iter().enumerate() {
            self.operation(position + 1, operation);
        }
        let more = file.anomalies.len().saturating_sub(1) as u64;
        if more > 0 {
            self.line(&format!(
                "  and {} more in the report",
                counted(more, "anomaly").replace("anomalys", "anomalies")
            ));
        }
    }

    fn operation(&mut self, number: usize, operation: &OperationRecord) {
        let times = match (operation.outcome, operation.completed_ns) {
            (OutcomeKind::Info, _) | (_, None) => format!("{} - ?", operation.invoked_ns),
            (OutcomeKind::Ok | OutcomeKind::Fail, Some(completed)) => {
                format!("{} - {completed}", operation.invoked_ns)
            }
        };
        let number = self.painted(Ink::Bold, &format!("{number:>3}"));
        let start = format!("{:<21}  {:<18}  ", times, ellipsis(&printable(&who(operation)), 18));
        let room = self.columns - 5 - start.chars().count();
        let text = printable(&operation.text);
        let mut lines = wrapped(&clip(&text, 300), room).into_iter();
        self.line(&format!("{number}  {start}{}", lines.next().unwrap_or_default()));
        for line in lines {
            self.line(&format!("     {}{line}", " ".repeat(start.chars().count())));
        }
    }

    fn figures(&mut self, statistics: &Statistics) {
        let counts = statistics.operations;
        let text = format!(
            "{}: {} ok, {} failed, {} unknown",
            count(counts.total),
            count(counts.ok),
            count(counts.fail),
            count(counts.info)
        );
        self.labelled("operations", &text);
        let length = TimeNs(statistics.duration_ns);
        self.labelled("rate", &format!("{:.1} ok/s over {length}", statistics.acknowledged_per_second));
        if let Some(quantiles) = &statistics.latency.ok {
            self.labelled("latency", &latency_text(quantiles));
        }
        if !statistics.faults.is_empty() {
            self.labelled("faults", &faults_text(statistics));
        }
        if !statistics.leaders.is_empty() {
            self.labelled("leader", &counted(statistics.leader_changes, "change"));
        }
        if let Some(window) = statistics.longest_without_ok {
            let length = between(window.from_ns, window.to_ns);
            let mut text = format!("{length} without an ok, from {}", window.from_ns);
            let during = statistics.availability.iter().find(|fault| fault.longest_without_ok == Some(window));
            if let Some(FaultAvailability { fault, ok_after_ns: Some(after_ns), .. }) = during {
                // Writing to a String can't fail.
                let _ = write!(text, "; around fault #{fault}, and an ok again {} after its end", duration(*after_ns));
            }
            self.labelled("longest gap", &text);
        }
    }

    fn guards(&mut self, file: &VerdictFile) {
        let held = file.guards.iter().filter(|guard| guard.held).count();
        if !file.guards.is_empty() {
            self.labelled("guards", &format!("{held} of {} held", file.guards.len()));
        }
        for guard in file.guards.iter().filter(|guard| !guard.held) {
            let word = self.painted(Ink::Yellow, "not held");
            let text = printable(&format!("{} ({})", guard.name, guard.detail));
            self.line(&format!("              {word}: {text}"));
        }
    }
}

fn anomaly_title(anomaly: &Anomaly) -> String {
    match &anomaly.key {
        Some(key) => printable(&format!("{} of {}", anomaly.kind, ellipsis(key, 40))),
        None => printable(&anomaly.kind),
    }
}

fn latency_text(quantiles: &Quantiles) -> String {
    format!(
        "p50 {}, p95 {}, p99 {}, slowest {}",
        duration(quantiles.p50_ns),
        duration(quantiles.p95_ns),
        duration(quantiles.p99_ns),
        duration(quantiles.max_ns)
    )
}

fn faults_text(statistics: &Statistics) -> String {
    let kinds: Vec<String> = statistics
        .faults
        .iter()
        .map(|(kind, counts)| format!("{kind} {} ({} seen to bite)", count(counts.injected), count(counts.bitten)))
        .collect();
    kinds.join(", ")
}

fn checker_text(checker: &CheckerReport) -> String {
    let mut text = format!(
        "{}: {} ({}, {:.3} s, {}",
        checker.name,
        checker.verdict,
        checker.algorithm,
        checker.seconds,
        counted(checker.operations, "operation")
    );
    if let Some(peak) = checker.peak_memory_bytes {
        // Writing to a String can't fail.
        let _ = write!(text, ", {}", bytes(peak));
    }
    text.push(')');
    printable(&text)
}

/// The text without control characters: a value of a history can't move the cursor or paint the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect()
}

/// The same, with its line breaks.
fn printable_lines(text: &str) -> String {
    text.lines().map(printable).collect::<Vec<_>>().join("\n")
}

/// Lines of at most so many characters, broken between words, and within words that are longer.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(10);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split_whitespace() {
        let mut word = word;
        let mut length = word.chars().count();
        if used > 0 && used + 1 + length > columns {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        while length > columns {
            let cut = word.char_indices().nth(columns).map_or(word.len(), |(position, _)| position);
            lines.push(word[..cut].into());
            word = &word[cut..];
            length -= columns;
        }
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        line.push_str(word);
        used += length;
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{remark, stale_read};

    const PLAIN: TerminalOptions<'_> =
        TerminalOptions { colour: false, columns: 80, paths: &[("report", "results/latest/report.html")] };

    #[test]
    fn an_invalid_run_is_told_operation_by_operation() {
        let (file, _) = stale_read();
        let text = terminal_summary(&file, &PLAIN);
        assert!(text.starts_with("INVALID  what the clients saw can't be one story\n"), "{text}");
        assert!(text.contains("stale-read of x: 2 operations"), "{text}");
        assert!(text.contains("  1  0.010 s - 0.020 s      process 0 on n1     write x = 2: ok"), "{text}");
        assert!(text.contains("  2  0.030 s - 0.040 s      process 1 on n2     read x: 1"), "{text}");
        assert!(text.contains("  operations  3: 3 ok, 0 failed, 0 unknown"), "{text}");
        assert!(text.contains("  report      results/latest/report.html"), "{text}");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let (mut file, _) = stale_read();
        file.reason = "word ".repeat(100) + &"x".repeat(500);
        file.witness[0].text = "write x = ".to_string() + &"y".repeat(5000);
        for columns in [80, 100] {
            let text = terminal_summary(&file, &TerminalOptions { columns, ..PLAIN });
            let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(widest <= columns, "{widest} of {columns}:\n{text}");
        }
    }

    #[test]
    fn colours_come_only_when_asked_for_and_never_from_the_history() {
        let (mut file, _) = stale_read();
        file.witness[0].text = "write x = \x1b[2J".into();
        file.reason = "\x1b]0;title\x07".into();
        assert!(!terminal_summary(&file, &PLAIN).contains('\x1b'));
        let coloured = terminal_summary(&file, &TerminalOptions { colour: true, ..PLAIN });
        assert!(coloured.starts_with("\x1b[1;31mINVALID\x1b[0m"));
        assert!(!coloured.contains("\x1b[2J") && !coloured.contains("\x1b]0"));
    }

    #[test]
    fn remarks_stand_between_the_reason_and_the_witness() {
        let (mut file, _) = stale_read();
        file.remarks.push(remark());
        let text = terminal_summary(&file, &PLAIN);
        let place = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part} is missing: {text}"));
        assert!(place("had been acknowledged") < place("  a known limit\n  It never waits.\n  [Skeen 1981]\n"));
        assert!(place("[Skeen 1981]") < place("stale-read of x"));
    }

    #[test]
    fn guards_that_did_not_hold_are_named() {
        let (mut file, _) = stale_read();
        file.verdict = Verdict::Unknown;
        file.guards[0].held = false;
        let text = terminal_summary(&file, &PLAIN);
        assert!(text.contains("not held: enough operations were acknowledged (3 of 1)"), "{text}");
    }
}
