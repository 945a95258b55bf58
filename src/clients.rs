//! The hands of the clients: HTTP for the own systems. What is asked and what an answer means is decided by the pure
//! clients in `rashomon-systems`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use rashomon_history::{Call, Outcome};
use rashomon_systems::api::{self, HttpRequest, HttpResponse, Method, TransportError};
use rashomon_systems::kv;
use rashomon_systems::server::Status;

/// A status is for steering and for people: who does not answer at once counts as silent.
const STATUS_DEADLINE: Duration = Duration::from_millis(250);

/// A node as a client reaches it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Address {
    pub(crate) name: String,
    pub(crate) http: SocketAddr,
}

/// A client that stays with one node, also when that node is cut off from the others.
///
/// It follows a node that says "not I, ask n3" once an operation, because such a refusal is certain. It never repeats a
/// request whose outcome is open.
pub(crate) struct Client {
    http: reqwest::Client,
    home: usize,
    nodes: Arc<[Address]>,
}

/// What became of a call, and who said so.
pub(crate) struct Answer {
    pub(crate) outcome: Outcome,
    pub(crate) node: String,
}

impl Client {
    /// The client number `number`: it stays with the node of that number, counted round.
    pub(crate) fn new(number: usize, nodes: &Arc<[Address]>) -> Result<Self> {
        Ok(Self { http: connections()?, home: number % nodes.len(), nodes: Arc::clone(nodes) })
    }

    /// The name of the node that it stays with.
    pub(crate) fn home(&self) -> &str {
        &self.nodes[self.home].name
    }

    /// Makes one call; both attempts share the deadline.
    pub(crate) async fn call(&self, call: &Call, deadline: Duration) -> Answer {
        let give_up = tokio::time::Instant::now() + deadline;
        let Some(request) = kv::client::request(call, None) else {
            let outcome = Outcome::Fail("the key-value store has no such call; it was not asked".into());
            return Answer { outcome, node: self.home().to_owned() };
        };
        let home = &self.nodes[self.home];
        let result = send(&self.http, home, &request, give_up).await;
        let leader = result.as_ref().ok().and_then(api::leader_of).and_then(|name| self.node(&name));
        match leader {
            Some(leader) if leader != home => {
                let result = send(&self.http, leader, &request, give_up).await;
                Answer { outcome: kv::client::outcome(call, &result), node: leader.name.clone() }
            }
            Some(_) | None => Answer { outcome: kv::client::outcome(call, &result), node: home.name.clone() },
        }
    }

    /// Whether a read of a key that no workload uses is answered in time.
    pub(crate) async fn is_answered(&self, deadline: Duration) -> bool {
        let probe = Call::Read { key: "rashomon-probe".into() };
        matches!(self.call(&probe, deadline).await.outcome, Outcome::Ok(_))
    }

    fn node(&self, name: &str) -> Option<&Address> {
        self.nodes.iter().find(|node| node.name == name)
    }
}

/// Asks one node how it is.
pub(crate) struct StatusClient {
    http: reqwest::Client,
    node: Address,
}

impl StatusClient {
    pub(crate) fn new(node: &Address) -> Result<Self> {
        Ok(Self { http: connections()?, node: node.clone() })
    }

    /// What the node says about itself; `None` where it does not answer.
    pub(crate) async fn status(&self) -> Option<Status> {
        let give_up = tokio::time::Instant::now() + STATUS_DEADLINE;
        let request = HttpRequest { method: Method::Get, path_and_query: "/v1/status".into(), body: Bytes::new() };
        let response = send(&self.http, &self.node, &request, give_up).await.ok()?;
        serde_json::from_slice(&response.body).ok()
    }
}

/// Connections of one client: kept alive, straight to the node, and never repeating a request by themselves.
fn connections() -> Result<reqwest::Client> {
    reqwest::Client::builder()
        .no_proxy()
        .retry(reqwest::retry::never())
        .redirect(reqwest::redirect::Policy::none())
        .tcp_nodelay(true)
        .pool_max_idle_per_host(1)
        .build()
        .context("setting up an HTTP client")
}

async fn send(
    http: &reqwest::Client,
    node: &Address,
    request: &HttpRequest,
    give_up: tokio::time::Instant,
) -> Result<HttpResponse, TransportError> {
    let method = match request.method {
        Method::Get => reqwest::Method::GET,
        Method::Put => reqwest::Method::PUT,
        Method::Post => reqwest::Method::POST,
        Method::Delete => reqwest::Method::DELETE,
    };
    let url = format!("http://{}{}", node.http, request.path_and_query);
    let exchange = async {
        let response = http.request(method, url).body(request.body.clone()).send().await?;
        let status = response.status().as_u16();
        Ok::<_, reqwest::Error>(HttpResponse { status, body: response.bytes().await? })
    };
    match tokio::time::timeout_at(give_up, exchange).await {
        Err(_) => Err(TransportError::Timeout),
        Ok(Ok(response)) => Ok(response),
        Ok(Err(error)) => Err(classify(&error)),
    }
}

/// A connection that could not be made carried nothing; after that anything may have arrived.
fn classify(error: &reqwest::Error) -> TransportError {
    let reason = innermost(error);
    if error.is_connect() { TransportError::NotSent(reason) } else { TransportError::Broken(reason) }
}

/// What reqwest wraps around it names the URL again and again; the cause is what people want to read.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
