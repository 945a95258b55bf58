//! Requests to one member of etcd, in the JSON of its gRPC gateway.

use std::net::SocketAddr;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};

use super::outcome::{Refused, Unanswered};

/// Room for what an answer that can't be understood says of itself.
const STRANGE_CHARS: usize = 200;

/// One member, and the connections to it: kept alive, straight, and never repeating a request by themselves.
pub(super) struct Gateway {
    http: reqwest::Client,
    base: String,
}

/// An error as the gateway writes it.
#[derive(Deserialize)]
struct ErrorBody {
    message: String,
    code: u32,
}

impl Gateway {
    pub(super) fn new(member: SocketAddr) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .retry(reqwest::retry::never())
            .redirect(reqwest::redirect::Policy::none())
            .tcp_nodelay(true)
            .pool_max_idle_per_host(1)
            .build()?;
        Ok(Self { http, base: format!("http://{member}/v3/") })
    }

    /// Asks once; waits until `until`.
    pub(super) async fn ask<Q: Serialize, A: DeserializeOwned>(
        &self,
        path: &str,
        question: &Q,
        until: Instant,
    ) -> Result<A, Unanswered> {
        timeout_at(until, self.exchange(path, question)).await.unwrap_or(Err(Unanswered::Late))
    }

    async fn exchange<Q: Serialize, A: DeserializeOwned>(&self, path: &str, question: &Q) -> Result<A, Unanswered> {
        let response = self.send(path, question).await?;
        let body = response.bytes().await.map_err(|error| classify(&error))?;
        serde_json::from_slice(&body).map_err(|_| strange(&body))
    }

    /// The answer as soon as its head is there, where it is no refusal: for what comes piece by piece.
    pub(super) async fn send<Q: Serialize>(&self, path: &str, question: &Q) -> Result<reqwest::Response, Unanswered> {
        let request = self.http.post(format!("{}{path}", self.base)).json(question);
        let response = request.send().await.map_err(|error| classify(&error))?;
        let status = response.status().as_u16();
        if status == 200 {
            return Ok(response);
        }
        let body = response.bytes().await.map_err(|error| classify(&error))?;
        Err(Unanswered::Refused(refused(status, &body)))
    }
}

fn refused(status: u16, body: &[u8]) -> Refused {
    match serde_json::from_slice(body) {
        Ok(ErrorBody { message, code }) => Refused { status, code: Some(code), message },
        Err(_) => Refused { status, code: None, message: beginning(body) },
    }
}

fn strange(body: &[u8]) -> Unanswered {
    Unanswered::Strange(beginning(body))
}

fn beginning(body: &[u8]) -> String {
    String::from_utf8_lossy(body).trim().chars().take(STRANGE_CHARS).collect()
}

/// A connection that could not be made carried nothing; after that anything may have arrived.
pub(super) fn classify(error: &reqwest::Error) -> Unanswered {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    if error.is_connect() { Unanswered::NotSent(cause.to_string()) } else { Unanswered::Broken(cause.to_string()) }
}
