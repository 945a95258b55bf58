//! Finds out from the first bytes of a file how the history in it is written.

use crate::read::Format;
use crate::read::edn::Edn;
use crate::read::etcd::MARK;
use crate::read::form::Form;

/// So many objects of a file of JSON are looked at.
const MOST_OBJECTS: usize = 500;

/// The format, or what the file is instead and what to do. Nothing but blanks is a history of no events.
pub(crate) fn detect(bytes: &[u8]) -> Result<Format, String> {
    if let Some(reason) = foreign(bytes) {
        return Err(reason.into());
    }
    let text = bytes.trim_ascii_start();
    let first = text.first().copied().unwrap_or(b'{');
    match first {
        // Behind the bracket of a vector its first event tells as much.
        b'{' | b'[' | b'(' | b'#' | b';' => Ok(braces(text)),
        b'<' => Err("HTML or XML, not a history: was a page saved instead of the file?".into()),
        _ if text.split(|&byte| byte == b'\n').any(is_log) => Ok(Format::PorcupineEtcd),
        _ => Err(unknown(text)),
    }
}

/// What can't be text that we read.
fn foreign(bytes: &[u8]) -> Option<&'static str> {
    Some(match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [b'{' | b'[', 0, ..] | [0, b'{' | b'[', ..] => {
            "UTF-16 text: make it UTF-8 first, with iconv -f UTF-16 -t UTF-8"
        }
        [b'P', b'K', 3 | 5, 4 | 6, ..] => "a ZIP archive: unpack it first, with unzip",
        [b'B', b'Z', b'h', ..] => "packed by bzip2: unpack it first, with bunzip2; gzip and zstd are read as they are",
        [0xfd, b'7', b'z', b'X', b'Z', ..] => {
            "packed by xz: unpack it first, with xz -d; gzip and zstd are read as they are"
        }
        _ if memchr::memchr(0, bytes).is_some() => "binary data, not a history",
        _ => return None,
    })
}

/// Data in braces: JSON has texts for names, EDN has keywords.
fn braces(text: &[u8]) -> Format {
    let letters = text.iter().filter(|byte| !byte.is_ascii_whitespace() && !b"[({,".contains(byte));
    if letters.clone().next() == Some(&b'"') || letters.clone().next() == Some(&b'}') {
        return json(text);
    }
    match Edn::new(text, false).form() {
        Ok(Form::Map(op)) if is_key_value(&Form::Map(op.clone())) => Format::PorcupineKv,
        _ => Format::Edn,
    }
}

fn is_key_value(op: &Form<'_>) -> bool {
    op.get("key").is_some() && matches!(op.get("f").and_then(Form::name), Some("get" | "put" | "append"))
}

/// Ours, Jepsen's, or operations with call and return: the first lines that tell it decide.
fn json(text: &[u8]) -> Format {
    if text.first() == Some(&b'[') {
        return Format::JepsenJson;
    }
    let objects = serde_json::Deserializer::from_slice(text).into_iter::<Form<'_>>();
    for object in objects.map_while(Result::ok).take(MOST_OBJECTS) {
        if object.get("client").is_some() && object.get("input").is_some() {
            return Format::Operations;
        }
        if is_jepsens(&object) {
            return Format::JepsenJson;
        }
    }
    Format::Jsonl
}

/// Whether an event has what ours never have.
fn is_jepsens(event: &Form<'_>) -> bool {
    let Form::Map(fields) = event else { return false };
    let has_colon = |name: &str| matches!(event.get(name), Some(Form::Text(text)) if text.starts_with(':'));
    let is_pair = |form: &Form<'_>| matches!(form.list(), Some([key, _]) if key.list().is_none());
    let is_keyed = event.get("key").is_none() && event.get("value").is_some_and(is_pair) && {
        let f = event.get("f").and_then(Form::name);
        f == Some("read")
            || f == Some("write")
            || event.get("value").and_then(Form::list).is_some_and(|pair| pair[1].list().is_some())
    };
    let is_nemesis = event.get("process").and_then(Form::name) == Some("nemesis");
    fields.iter().any(|(name, _)| matches!(name, Form::Text(name) if name.starts_with(':')))
        || ["type", "f", "process"].into_iter().any(has_colon)
        || (event.get("type").is_some() && event.get("process").is_some() && event.get("time").is_none())
        || (is_nemesis && event.get("phase").is_none())
        || event.get("error").is_some_and(|error| !matches!(error, Form::Text(_) | Form::Nil))
        || (is_keyed && event.get("type").and_then(Form::name) == Some("invoke"))
}

fn is_log(line: &[u8]) -> bool {
    memchr::memmem::find(line, MARK.as_bytes()).is_some()
}

fn unknown(text: &[u8]) -> String {
    let start: String = String::from_utf8_lossy(&text[..text.len().min(160)]).chars().take(40).collect();
    format!(
        "no history: it begins with {start:?}; known are JSON lines, Jepsen's EDN and JSON, operations with call and \
         return, and porcupine's logs; name the format with --format if it is one of these"
    )
}
