//! What clients and servers say to each other over HTTP, as plain data. Nothing here opens a socket, so that a simulated
//! run carries the same clients and the same routes as a real one.

mod error;
mod raft;
mod reply;

use std::borrow::Cow;

use bytes::Bytes;
use serde::Serialize;

pub use error::{ErrorBody, ErrorCode};
pub(crate) use raft::parse_body;
pub use raft::{RaftRoutes, SessionUse, leader_of, open_session, opened};
pub use reply::{Unanswered, read_reply};

/// What is done to a path.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Method {
    /// Asks, changes nothing.
    Get,
    /// Replaces.
    Put,
    /// Does what the path says.
    Post,
    /// Removes.
    Delete,
}

impl Method {
    /// As it stands in a request line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }

    /// The method of a request line; `None` where no path of ours takes it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "GET" => Some(Self::Get),
            "PUT" => Some(Self::Put),
            "POST" => Some(Self::Post),
            "DELETE" => Some(Self::Delete),
            _ => None,
        }
    }
}

/// A request, without the headers that only the transport needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HttpRequest {
    /// What is done.
    pub method: Method,
    /// To what: `/v1/kv/a%2Fb?session=3`.
    pub path_and_query: String,
    /// JSON, or empty.
    pub body: Bytes,
}

/// A response, without the headers that only the transport needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HttpResponse {
    /// The status of HTTP.
    pub status: u16,
    /// JSON.
    pub body: Bytes,
}

impl HttpResponse {
    /// Status 200 with this as JSON.
    ///
    /// # Panics
    /// Where `body` can't be JSON, such as a map whose keys are no texts.
    #[must_use]
    pub fn ok(body: &impl Serialize) -> Self {
        Self::json(200, body)
    }

    /// Status 200 with a body that is always the same.
    pub(crate) fn fixed(body: &'static [u8]) -> Self {
        Self { status: 200, body: Bytes::from_static(body) }
    }

    pub(crate) fn json(status: u16, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("structs of numbers and texts become JSON in memory");
        Self { status, body: body.into() }
    }
}

/// Why a request brought no response.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TransportError {
    /// Nothing of it was sent: the connection was refused, or there is no way to the node.
    #[error("not sent: {0}")]
    NotSent(String),
    /// It was sent, at least in part, and then the connection broke.
    #[error("connection lost: {0}")]
    Broken(String),
    /// It was sent, at least in part, and no response came in time.
    #[error("timeout")]
    Timeout,
}

/// How requests of HTTP become requests of a server, and its responses become responses of HTTP.
pub trait Api {
    /// What the server is asked.
    type Request;
    /// What the server answers.
    type Response;

    /// Reads a request.
    ///
    /// # Errors
    /// What to answer at once: the path is unknown, or the body makes no sense.
    fn route(&self, request: &HttpRequest) -> Result<Self::Request, HttpResponse>;

    /// Writes a response.
    fn respond(&self, response: Self::Response) -> HttpResponse;
}

/// Decodes `%2F` and the like.
///
/// # Errors
/// A sentence for the client.
pub(crate) fn percent_decode(text: &str) -> Result<Cow<'_, str>, String> {
    if !text.contains('%') {
        return Ok(Cow::Borrowed(text));
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte != b'%' {
            decoded.push(byte);
            rest = after;
            continue;
        }
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let value = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let value = value.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(value.ok_or_else(|| format!("{text:?} has a % without two hexadecimal digits"))?);
        rest = &after[2..];
    }
    String::from_utf8(decoded).map(Cow::Owned).map_err(|_| format!("{text:?} is no UTF-8 when decoded"))
}

/// Encodes all but letters, digits, `-`, `.`, `_` and `~`.
pub fn percent_encode(text: &str, encoded: &mut String) {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if text.bytes().all(is_plain) {
        return encoded.push_str(text);
    }
    for byte in text.bytes() {
        if is_plain(byte) {
            encoded.push(char::from(byte));
        } else {
            const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
            encoded.push('%');
            encoded.push(char::from(DIGITS[usize::from(byte >> 4)]));
            encoded.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_survives_percent_encoding() {
        for text in ["", "plain", "a/b?c=d&e%20", "grün\n\u{1F600}", "%", "+ "] {
            let mut encoded = String::new();
            percent_encode(text, &mut encoded);
            assert!(encoded.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)), "{encoded}");
            assert_eq!(percent_decode(&encoded), Ok(text.into()));
        }
    }

    #[test]
    fn broken_percent_encoding_is_refused() {
        for text in ["%", "a%2", "%zz", "%+1", "%ff"] {
            assert!(percent_decode(text).is_err(), "{text}");
        }
    }
}
