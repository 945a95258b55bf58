//! Operations, times and figures as text for people.

use std::borrow::Cow;

use rashomon_history::{Operation, Outcome, Returned, TimeNs};

use crate::verdict::OperationRecord;

/// The call and what became of it: `read x: 12`, `write x = 3: unknown (timeout)`.
#[must_use]
pub fn operation(operation: &Operation) -> String {
    match &operation.outcome {
        // It repeats what was asked.
        Outcome::Ok(Returned::Txn(_)) => format!("txn {}", outcome(&operation.outcome)),
        Outcome::Ok(_) | Outcome::Fail(_) | Outcome::Info(_) => {
            format!("{}: {}", operation.call, outcome(&operation.outcome))
        }
    }
}

/// What became of a call: `12`, `ok`, `not swapped, found 3`, `unknown (timeout)`.
#[must_use]
pub fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Ok(returned) => returned.to_string(),
        Outcome::Fail(reason) => with_reason("failed", reason),
        Outcome::Info(reason) => with_reason("unknown", reason),
    }
}

fn with_reason(word: &str, reason: &str) -> String {
    if reason.is_empty() { word.into() } else { format!("{word} ({reason})") }
}

/// Who asked whom: `process 3 on n1`.
pub(crate) fn who(record: &OperationRecord) -> String {
    match &record.node {
        Some(node) => format!("process {} on {node}", record.process),
        None => format!("process {}", record.process),
    }
}

/// A span of time: below a second in milliseconds, `3.41 ms`, else in seconds, `1.204 s`.
#[must_use]
pub fn duration(nanoseconds: u64) -> String {
    let span = TimeNs(nanoseconds);
    if nanoseconds < 1_000_000_000 { format!("{:.2} ms", span.as_secs_f64() * 1e3) } else { span.to_string() }
}

/// The span from one time to a later one.
pub(crate) fn between(from: TimeNs, to: TimeNs) -> String {
    duration(to.0.saturating_sub(from.0))
}

/// A count with its thousands apart: `12,345`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count with its noun: `1 operation`, `2,000 operations`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

/// Memory as people read it: `12.0 MiB`.
#[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
pub(crate) fn bytes(number: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if number < 1024 {
        return format!("{number} B");
    }
    let mut amount = number as f64 / 1024.0;
    let mut unit = 0;
    while amount >= 1024.0 && unit + 1 < UNITS.len() {
        amount /= 1024.0;
        unit += 1;
    }
    format!("{amount:.1} {}", UNITS[unit])
}

/// The text, or its beginning and end with what is between left out and counted.
pub(crate) fn clip(text: &str, most_chars: usize) -> Cow<'_, str> {
    let chars = text.chars().count();
    if chars <= most_chars {
        return text.into();
    }
    let tail = most_chars / 4;
    let head = most_chars - tail;
    let start: String = text.chars().take(head).collect();
    let end: String = text.chars().skip(chars - tail).collect();
    format!("{start} \u{2026} {} characters left out \u{2026} {end}", count((chars - head - tail) as u64)).into()
}

/// The text, cut to a width with an ellipsis at its end.
pub(crate) fn ellipsis(text: &str, most_chars: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most_chars) {
        None => text.into(),
        Some(_) => {
            let start: String = text.chars().take(most_chars.saturating_sub(1)).collect();
            format!("{start}\u{2026}").into()
        }
    }
}

#[cfg(test)]
mod tests {
    use rashomon_history::Value;

    use super::*;

    #[test]
    fn outcomes_read_as_a_person_says_them() {
        assert_eq!(outcome(&Outcome::Ok(Returned::Value(Value::Nil))), "nil");
        assert_eq!(outcome(&Outcome::Ok(Returned::List(vec![1.into(), "a".into()]))), "[1, \"a\"]");
        assert_eq!(outcome(&Outcome::Ok(Returned::NotSwapped { current: Some(3.into()) })), "not swapped, found 3");
        assert_eq!(outcome(&Outcome::Info("timeout".into())), "unknown (timeout)");
        assert_eq!(outcome(&Outcome::Fail(String::new())), "failed");
    }

    #[test]
    fn figures_carry_units_and_separators() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(counted(1, "fault"), "1 fault");
        assert_eq!(duration(3_414_000), "3.41 ms");
        assert_eq!(duration(1_204_000_000), "1.204 s");
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(3 << 19), "1.5 MiB");
    }

    #[test]
    fn long_texts_are_cut_at_characters_and_say_so() {
        let text = "ä".repeat(5000);
        let clipped = clip(&text, 400);
        assert!(clipped.chars().count() < 450, "{clipped}");
        assert!(clipped.contains("4,600 characters left out"));
        assert_eq!(clip("short", 400), "short");
        assert_eq!(ellipsis("abcdef", 4), "abc…");
        assert_eq!(ellipsis("abcd", 4), "abcd");
    }
}
