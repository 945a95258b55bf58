//! How a client learns from the sentinels who the primary is.
//!
//! As the documentation of Sentinel tells clients: ask the sentinels one after the other, connect to whom they name, and look
//! with ROLE whether it is a primary.

use std::net::SocketAddr;

use redis::Value;
use tokio::time::Instant;

use super::links::Links;
use super::outcome::Unanswered;

/// Where the sentinel of a node listens.
pub(super) const PORT: u16 = 26379;
/// The name under which the sentinels watch the primary.
pub(super) const NAME: &str = "main";
/// A sentinel that does not answer gets this part of the time that is left.
const SENTINELS_IN_TIME: u32 = 5;

/// The primary, as the first sentinel says that answers; that of the client's home is asked first.
pub(super) async fn primary(
    links: &mut Links,
    nodes: &[SocketAddr],
    home: usize,
    until: Instant,
) -> Result<SocketAddr, Unanswered> {
    let mut why = String::from("there is no node");
    for node in (home..nodes.len()).chain(0..home) {
        let now = Instant::now();
        if now >= until {
            break;
        }
        let sentinel = SocketAddr::new(nodes[node].ip(), PORT);
        match named(links, sentinel, now + (until - now) / SENTINELS_IN_TIME).await {
            Ok(primary) => return is_primary(links, primary, until).await.map(|()| primary),
            Err(unanswered) => why = format!("the sentinel {sentinel}: {unanswered}"),
        }
    }
    Err(Unanswered::NotSent(format!("no sentinel names a primary; {why}")))
}

async fn named(links: &mut Links, sentinel: SocketAddr, until: Instant) -> Result<SocketAddr, Unanswered> {
    let mut command = redis::cmd("SENTINEL");
    command.arg("GET-MASTER-ADDR-BY-NAME").arg(NAME);
    let answer = links.to(sentinel).ask(&command, until).await?;
    address(&answer).ok_or_else(|| Unanswered::Nonsense(format!("{answer:?}")))
}

/// `["10.0.0.1", "6379"]`.
fn address(answer: &Value) -> Option<SocketAddr> {
    let (ip, port): (String, u16) = redis::from_redis_value_ref(answer).ok()?;
    Some(SocketAddr::new(ip.parse().ok()?, port))
}

/// A sentinel may be behind: a replica is not taken for a primary. Nothing of the call was sent yet.
async fn is_primary(links: &mut Links, server: SocketAddr, until: Instant) -> Result<(), Unanswered> {
    let not_sent = |why: String| Unanswered::NotSent(format!("{server}, which a sentinel named, is no primary: {why}"));
    let answer = links.to(server).ask(&redis::cmd("ROLE"), until).await;
    let role = answer.map_err(|unanswered| not_sent(unanswered.to_string()))?;
    let Value::Array(fields) = role else { return Err(not_sent(format!("{role:?}"))) };
    match fields.first() {
        Some(Value::BulkString(role)) if role == b"master" => Ok(()),
        role => Err(not_sent(format!("{role:?}"))),
    }
}
