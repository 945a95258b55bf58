//! The guarded store, over HTTP (docs/LOCK-API.md).

use std::net::SocketAddr;
use std::sync::Arc;

use rashomon_history::{Key, Value};
use rashomon_systems::api::{HttpResponse, TransportError, Unanswered, percent_encode, read_reply};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};

use crate::StandStill;

/// One client's way to the store.
pub(super) struct Resource {
    http: reqwest::Client,
    address: SocketAddr,
    standstill: Arc<dyn StandStill>,
}

/// A register's value, or the elements of a set.
#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Many(Vec<Value>),
    One(Value),
}

#[derive(Deserialize)]
struct ReadBody {
    value: Content,
}

#[derive(Serialize)]
struct WriteBody<'a> {
    value: &'a [Value],
}

#[derive(Deserialize)]
struct WrittenBody {
    version: u64,
}

impl Resource {
    pub(super) fn new(address: SocketAddr, standstill: Arc<dyn StandStill>) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .retry(reqwest::retry::never())
            .redirect(reqwest::redirect::Policy::none())
            .tcp_nodelay(true)
            .pool_max_idle_per_host(1)
            .build()?;
        Ok(Self { http, address, standstill })
    }

    /// The elements of a set; none where nothing was ever written.
    pub(super) async fn read(&self, set: &Key, token: Option<u64>, until: Instant) -> Result<Vec<Value>, Unanswered> {
        let response = self.send(self.http.get(self.url(set, token)), until).await;
        read_reply(&response, |body| match serde_json::from_slice(body).ok()? {
            ReadBody { value: Content::Many(elements) } => Some(elements),
            ReadBody { value: Content::One(Value::Nil) } => Some(Vec::new()),
            ReadBody { value: Content::One(Value::Int(_) | Value::Text(_)) } => None,
        })
    }

    /// Replaces a set. Answers with the number of the write.
    pub(super) async fn write(
        &self,
        set: &Key,
        token: Option<u64>,
        elements: &[Value],
        until: Instant,
    ) -> Result<u64, Unanswered> {
        let request = self.http.put(self.url(set, token)).json(&WriteBody { value: elements });
        let response = self.send(request, until).await;
        read_reply(&response, |body| serde_json::from_slice(body).ok().map(|WrittenBody { version }| version))
    }

    fn url(&self, set: &Key, token: Option<u64>) -> String {
        let mut url = format!("http://{}/v1/resources/", self.address);
        percent_encode(set.as_str(), &mut url);
        if let Some(token) = token {
            url.push_str(&format!("?token={token}"));
        }
        url
    }

    async fn send(&self, request: reqwest::RequestBuilder, until: Instant) -> Result<HttpResponse, TransportError> {
        self.standstill.pass().await;
        let exchange = async {
            let response = request.send().await?;
            let status = response.status().as_u16();
            Ok(HttpResponse { status, body: response.bytes().await? })
        };
        let answer = timeout_at(until, exchange).await;
        self.standstill.pass().await;
        match answer {
            Ok(answer) => answer.map_err(|error: reqwest::Error| classify(&error)),
            Err(_) => Err(TransportError::Timeout),
        }
    }
}

/// A connection that could not be made carried nothing; after that anything may have arrived.
fn classify(error: &reqwest::Error) -> TransportError {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    if error.is_connect() {
        TransportError::NotSent(cause.to_string())
    } else {
        TransportError::Broken(cause.to_string())
    }
}
