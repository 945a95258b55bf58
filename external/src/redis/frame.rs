//! Replies of RESP2: where one ends, and what it says.

use redis::Value;
use thiserror::Error;

/// What came is no reply of RESP2.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("no reply of RESP2 begins with {0:?}")]
pub(super) struct NoReply(String);

/// How many bytes the first reply takes; `None` while it is not all there. Clients that did not ask for RESP3 get RESP2:
/// `+text`, `-error`, `:number`, `$length` and that many bytes, `*count` and that many replies.
pub(super) fn end_of_reply(bytes: &[u8]) -> Result<Option<usize>, NoReply> {
    let mut at = 0;
    let mut replies_left: usize = 1;
    while replies_left > 0 {
        let Some(length) = bytes[at..].windows(2).position(|pair| pair == b"\r\n") else { return Ok(None) };
        let line = &bytes[at..at + length];
        at += length + 2;
        replies_left -= 1;
        match line.split_first() {
            Some((b'+' | b'-' | b':', _)) => {}
            Some((b'$', number)) => {
                if let Some(length) = size(number, line)? {
                    at += length + 2;
                }
            }
            Some((b'*', number)) => replies_left += size(number, line)?.unwrap_or(0),
            Some(_) | None => return Err(no_reply(line)),
        }
        if at > bytes.len() {
            return Ok(None);
        }
    }
    Ok(Some(at))
}

/// What a reply says that is all there. As `redis::parse_redis_value` does, but without the buffer of several kilobytes that
/// it makes for each: the harness and the server that it loads share the machine.
pub(super) fn read_reply(reply: &[u8]) -> Result<Value, NoReply> {
    read_first(reply).map(|(value, _)| value)
}

/// The first reply, and the bytes after it.
fn read_first(bytes: &[u8]) -> Result<(Value, &[u8]), NoReply> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n").ok_or_else(|| no_reply(bytes))?;
    let (line, mut rest) = (&bytes[..end], &bytes[end + 2..]);
    let (kind, text) = line.split_first().ok_or_else(|| no_reply(line))?;
    let value = match kind {
        b'+' if text == b"OK" => Value::Okay,
        b'+' => Value::SimpleString(String::from_utf8_lossy(text).into_owned()),
        // Only that parser makes errors.
        b'-' => redis::parse_redis_value(&bytes[..end + 2]).map_err(|_| no_reply(line))?,
        b':' => {
            let number = std::str::from_utf8(text).ok().and_then(|number| number.parse().ok());
            Value::Int(number.ok_or_else(|| no_reply(line))?)
        }
        b'$' => match size(text, line)? {
            None => Value::Nil,
            Some(length) => {
                let content = rest.get(..length).ok_or_else(|| no_reply(line))?.to_vec();
                rest = rest.get(length + 2..).ok_or_else(|| no_reply(line))?;
                Value::BulkString(content)
            }
        },
        b'*' => match size(text, line)? {
            None => Value::Nil,
            Some(count) => {
                let mut elements = Vec::new();
                for _ in 0..count {
                    let (element, after) = read_first(rest)?;
                    elements.push(element);
                    rest = after;
                }
                Value::Array(elements)
            }
        },
        _ => return Err(no_reply(line)),
    };
    Ok((value, rest))
}

/// How many follow; `None` where nothing is there (-1).
fn size(number: &[u8], line: &[u8]) -> Result<Option<usize>, NoReply> {
    let number = std::str::from_utf8(number).ok().and_then(|number| number.parse::<i32>().ok());
    match number {
        Some(-1) => Ok(None),
        Some(number) => usize::try_from(number).map(Some).map_err(|_| no_reply(line)),
        None => Err(no_reply(line)),
    }
}

fn no_reply(line: &[u8]) -> NoReply {
    NoReply(String::from_utf8_lossy(&line[..line.len().min(20)]).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_ends_where_it_ends_and_not_before() {
        for reply in [
            "+OK\r\n",
            "+PONG\r\n",
            "-ERR no\r\n",
            ":12\r\n",
            "$-1\r\n",
            "$4\r\na\r\nb\r\n",
            "*2\r\n$1\r\na\r\n*1\r\n:7\r\n",
            "*0\r\n",
        ] {
            let bytes = format!("{reply}+next\r\n");
            assert_eq!(end_of_reply(bytes.as_bytes()), Ok(Some(reply.len())), "{reply:?}");
            for cut in 0..reply.len() {
                assert_eq!(end_of_reply(&reply.as_bytes()[..cut]), Ok(None), "{cut} bytes of {reply:?}");
            }
            assert_eq!(read_reply(reply.as_bytes()).ok(), redis::parse_redis_value(reply.as_bytes()).ok(), "{reply:?}");
        }
    }

    #[test]
    fn what_is_no_reply_is_told() {
        for bytes in ["HTTP/1.1 400 Bad Request\r\n", "$x\r\n", "*-7\r\n", "\r\n"] {
            assert!(end_of_reply(bytes.as_bytes()).is_err(), "{bytes:?}");
            assert!(read_reply(bytes.as_bytes()).is_err(), "{bytes:?}");
        }
    }
}
