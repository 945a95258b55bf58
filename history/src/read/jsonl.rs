//! Our JSON lines.

use crate::read::Trouble;
use crate::read::input::Input;
use crate::read::pairing::{Clock, Pairing};
use crate::wire::read_line;

/// Reads all lines; also says how many bytes of a torn last line were left out.
pub(crate) fn read(input: &mut Input<'_>) -> Result<(Pairing, usize), Trouble> {
    let mut pairing = Pairing::new(Clock::Strict);
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
        read_event(line.bytes, number, &mut pairing).map_err(|reason| Trouble::Line { line: number, reason })?;
    }
    Ok((pairing, 0))
}

fn read_event(bytes: &[u8], number: usize, pairing: &mut Pairing) -> Result<(), String> {
    let text = std::str::from_utf8(bytes).map_err(|error| format!("not UTF-8 ({error}): is this a history?"))?;
    if text.trim().is_empty() {
        return Ok(());
    }
    let event = read_line(text, pairing.next_index())?;
    pairing.event(number, event)
}
