//! Our JSON lines.

use crate::read::Trouble;
use crate::read::input::Input;
use crate::read::pairing::{Clock, Pairing, Place};
use crate::wire::{ScannedKind, Scanner, read_line};

/// Reads all lines; also says how many bytes of a torn last line were left out.
pub(crate) fn read(input: &mut Input<'_>) -> Result<(Pairing, usize), Trouble> {
    let mut pairing = Pairing::new(Clock::Strict);
    let mut scanner = Scanner::default();
    let mut number = 0;
    while let Some(line) = input.line()? {
        number += 1;
        // Editors leave out the last line break: what is whole is not torn.
        let is_torn = !line.is_whole
            && pairing.next_index() > 0
            && serde_json::from_slice::<serde::de::IgnoredAny>(line.bytes).is_err();
        if is_torn {
            return Ok((pairing, line.bytes.len()));
        }
        read_event(line.bytes, number, &mut pairing, &mut scanner)
            .map_err(|reason| Trouble::Line { line: number, reason })?;
    }
    Ok((pairing, 0))
}

fn read_event(bytes: &[u8], line: usize, pairing: &mut Pairing, scanner: &mut Scanner) -> Result<(), String> {
    if let Some(event) = scanner.scan(bytes, pairing.names()) {
        let place = Place { line, index: event.index, time: Some(event.time) };
        return match event.kind {
            ScannedKind::Invoke(call) => {
                let operation = pairing.invoke(&place, event.process, call)?;
                operation.node = event.node;
                operation.is_final = event.is_final;
                Ok(())
            }
            ScannedKind::Complete(repeated, outcome) => {
                pairing.complete(&place, event.process, repeated.as_ref(), outcome)
            }
        };
    }
    let text = std::str::from_utf8(bytes).map_err(|error| format!("not UTF-8 ({error}): is this a history?"))?;
    if text.trim().is_empty() {
        return Ok(());
    }
    let event = read_line(text, pairing.next_index())?;
    pairing.event(line, event)
}
