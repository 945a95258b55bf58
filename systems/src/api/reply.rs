//! What came back of one attempt at a request, read once.

use std::fmt;

use rashomon_history::Outcome;

use super::{ErrorBody, HttpResponse, TransportError};

/// Why an attempt brought no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unanswered {
    /// The server refused: this attempt did not happen and never will.
    Refused(ErrorBody),
    /// The request did not leave, so the attempt did not happen and never will; why.
    NotSent(String),
    /// Nobody knows whether the attempt happened, or will; why.
    Open(String),
}

/// Reads what came back; `answer` reads the body of a success.
///
/// # Errors
/// Whatever is no success with a body that makes sense.
pub fn read_reply<T>(
    result: &Result<HttpResponse, TransportError>,
    answer: impl FnOnce(&[u8]) -> Option<T>,
) -> Result<T, Unanswered> {
    let response = match result {
        Ok(response) => response,
        Err(error @ TransportError::NotSent(_)) => return Err(Unanswered::NotSent(error.to_string())),
        Err(error @ (TransportError::Broken(_) | TransportError::Timeout)) => {
            return Err(Unanswered::Open(error.to_string()));
        }
    };
    if response.status == 200 {
        return answer(&response.body)
            .ok_or_else(|| Unanswered::Open(format!("the answer makes no sense: {}", excerpt(&response.body))));
    }
    Err(match serde_json::from_slice::<ErrorBody>(&response.body) {
        Ok(body) if body.error.is_certain() && body.error.status() == response.status => Unanswered::Refused(body),
        Ok(body) => Unanswered::Open(body.to_string()),
        Err(_) => Unanswered::Open(format!("status {}: {}", response.status, excerpt(&response.body))),
    })
}

fn excerpt(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned()
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(body) => body.fmt(f),
            Self::NotSent(reason) | Self::Open(reason) => f.write_str(reason),
        }
    }
}

impl From<Unanswered> for Outcome {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::Refused(_) | Unanswered::NotSent(_) => Self::Fail(unanswered.to_string()),
            Unanswered::Open(reason) => Self::Info(reason),
        }
    }
}
