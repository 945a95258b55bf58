//! Where a reply ends.

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
            assert!(redis::parse_redis_value(reply.as_bytes()).is_ok());
        }
    }

    #[test]
    fn what_is_no_reply_is_told() {
        for bytes in ["HTTP/1.1 400 Bad Request\r\n", "$x\r\n", "*-7\r\n", "\r\n"] {
            assert!(end_of_reply(bytes.as_bytes()).is_err(), "{bytes:?}");
        }
    }
}
