//! Clients of own systems, over HTTP. Whom to ask for what, and what an answer means, is decided by the
//! pure clients in `rashomon-systems`.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use rashomon_history::Call;
use rashomon_systems::api::{HttpRequest, HttpResponse, Method, TransportError};
use rashomon_systems::client::{ClientMachine, Next};
use rashomon_systems::server::{Micros, NodeId, Status};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::{Address, Answer, Gate};

/// A status is for steering and for people: who does not answer at once counts as silent.
const STATUS_DEADLINE: Duration = Duration::from_millis(250);

/// A client that stays with one node, also when that node is cut off from the others. It carries out what
/// [`rashomon_systems::client`] decides.
pub(crate) struct OwnClient {
    http: reqwest::Client,
    nodes: Arc<[Address]>,
    client: Box<dyn ClientMachine>,
    gate: Option<Gate>,
    born: Instant,
}

impl OwnClient {
    pub(super) fn new(client: Box<dyn ClientMachine>, nodes: &Arc<[Address]>, gate: Option<Gate>) -> Result<Self> {
        Ok(Self { http: connections()?, nodes: Arc::clone(nodes), client, gate, born: Instant::now() })
    }

    /// Returns when the client may go on.
    pub(super) async fn pass(&mut self) {
        if let Some(gate) = &self.gate {
            gate.pass().await;
        }
    }

    /// The name of the node that it stays with.
    pub(super) fn home(&self) -> &str {
        &self.address(self.client.home()).name
    }

    /// Makes one call; all attempts share the deadline.
    pub(super) async fn call(&mut self, call: &Call, deadline: Duration) -> Answer {
        let deadline = self.now().after(micros(deadline));
        let mut next = self.client.begin(self.now(), call, deadline);
        loop {
            let then = match &next {
                Next::Done { outcome, node } => {
                    return Answer { outcome: outcome.clone(), node: self.address(*node).name.clone() };
                }
                Next::Wait { until } => {
                    sleep_until(self.instant(*until)).await;
                    self.client.time(self.now().max(*until))
                }
                Next::Ask { node, request, attempt, until } => {
                    let asked = timeout_at(self.instant(*until), send(&self.http, self.address(*node), request)).await;
                    self.pass().await;
                    match asked {
                        Ok(result) => self.client.answered(self.now(), *attempt, result),
                        Err(_) => self.client.time(self.now().max(*until)),
                    }
                }
            };
            if let Some(then) = then {
                next = then;
            }
        }
    }

    fn address(&self, node: NodeId) -> &Address {
        &self.nodes[usize::from(node.0) - 1]
    }

    fn now(&self) -> Micros {
        Micros(micros(self.born.elapsed()))
    }

    fn instant(&self, at: Micros) -> Instant {
        self.born + Duration::from_micros(at.0)
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Asks one node how it is.
#[derive(Clone)]
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
        let request = HttpRequest { method: Method::Get, path_and_query: "/v1/status".into(), body: Bytes::new() };
        let response = timeout(STATUS_DEADLINE, send(&self.http, &self.node, &request)).await.ok()?.ok()?;
        serde_json::from_slice(&response.body).ok()
    }
}

/// Connections of one client: kept alive, straight to the node, and never repeating a request by themselves.
pub(crate) fn connections() -> Result<reqwest::Client> {
    reqwest::Client::builder()
        .no_proxy()
        .retry(reqwest::retry::never())
        .redirect(reqwest::redirect::Policy::none())
        .tcp_nodelay(true)
        .pool_max_idle_per_host(1)
        .build()
        .context("setting up an HTTP client")
}

pub(crate) async fn send(
    http: &reqwest::Client,
    node: &Address,
    request: &HttpRequest,
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
        Ok(HttpResponse { status, body: response.bytes().await? })
    };
    exchange.await.map_err(|error| classify(&error))
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
