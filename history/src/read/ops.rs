//! Files of operation maps: Jepsen's EDN and JSON, porcupine's key-value histories.

use crate::read::edn::Trouble as Broken;
use crate::read::input::Input;
use crate::read::jepsen::Importer;
use crate::read::op::{Op, Ops, Syntax};
use crate::read::pairing::Pairing;
use crate::read::tuples::Reading;
use crate::read::{IndependentKeys, SAMPLE_BYTES, Trouble};

/// Reads all operations; also says how many bytes of a torn last one were left out.
pub(crate) fn read(input: &mut Input<'_>, syntax: Syntax, keys: IndependentKeys) -> Result<(Pairing, usize), Trouble> {
    let reading = Reading::of(&sample(input.window(), syntax), keys);
    let mut importer = Importer::new(reading);
    let mut ops = Ops::new(syntax);
    let mut lines = 0;
    loop {
        let window = input.window();
        let used = match ops.next(window, input.is_over()) {
            Ok((Some(op), span)) => {
                lines += line_breaks(&window[..span.from]);
                importer.op(lines + 1, &op).map_err(|reason| Trouble::Line { line: lines + 1, reason })?;
                lines += line_breaks(&window[span.from..span.to]);
                span.to
            }
            Ok((None, span)) if span.to > 0 => {
                lines += line_breaks(&window[..span.to]);
                span.to
            }
            Ok((None, _)) | Err(Broken::Torn) if input.is_over() && ops.is_open() => {
                let reason = "the vector that holds the history is never closed: is the file whole?".into();
                return Err(Trouble::Line { line: lines + 1, reason });
            }
            Ok((None, _)) if input.is_over() => return Ok((importer.finish(), 0)),
            Err(Broken::Torn) if input.is_over() => return torn(window, lines, importer),
            Ok((None, _)) | Err(Broken::Torn) => {
                input.fill_to(2 * window.len().max(SAMPLE_BYTES))?;
                0
            }
            Err(Broken::Wrong { at, reason }) => {
                let line = lines + line_breaks(&window[..at.min(window.len())]) + 1;
                return Err(Trouble::Line { line, reason });
            }
        };
        input.consume(used);
    }
}

/// The last operation was not finished. Left out, unless others stand behind it: then it was not torn by a crash.
fn torn(rest: &[u8], lines: usize, importer: Importer) -> Result<(Pairing, usize), Trouble> {
    let blank = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let line = lines + line_breaks(&rest[..blank]) + 1;
    let rest = &rest[blank..];
    let follows = rest.split(|&byte| byte == b'\n').skip(1).any(|line| matches!(line.first(), Some(b'{' | b'#')));
    let pairing = importer.finish();
    if follows || pairing.next_index() == 0 {
        let reason = "the brackets or quotes of this event are never closed".into();
        return Err(Trouble::Line { line, reason });
    }
    Ok((pairing, rest.len()))
}

/// The operations at the begin of a file, as far as they can be read.
fn sample(window: &[u8], syntax: Syntax) -> Vec<Op<'_>> {
    let mut ops = Ops::new(syntax);
    let mut rest = window;
    let mut sample = Vec::new();
    while let Ok((op, span)) = ops.next(rest, false) {
        if op.is_none() && span.to == 0 {
            break;
        }
        sample.extend(op);
        rest = &rest[span.to..];
    }
    sample
}

fn line_breaks(bytes: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', bytes).count()
}
