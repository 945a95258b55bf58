//! Locks with real servers, each with a lease of 300 ms.

use std::net::SocketAddr;
use std::time::Duration;

use rashomon_external::{Client, Seat, redis};
use rashomon_history::{Call, Outcome, Returned};
use tokio::time::{Instant, sleep};

use crate::server::{DEADLINE, Server, seat};

const TTL: Duration = Duration::from_millis(300);

/// A client with a session; nobody touches what its locks guard.
struct Owner {
    client: Box<dyn Client>,
    name: &'static str,
}

impl Owner {
    async fn open(nodes: &[SocketAddr], lock: &str, name: &'static str) -> Self {
        let seat = Seat { resource: Some(nodes[0]), ttl: TTL, ..seat(nodes, &[("lock", lock)]) };
        let mut owner = Self { client: redis::client(&seat).expect("the settings make sense"), name };
        assert_eq!(owner.call(&Call::OpenSession { owner: name.into() }).await, Outcome::Ok(Returned::Done));
        owner
    }

    async fn call(&mut self, call: &Call) -> Outcome {
        self.client.call(call, Instant::now() + DEADLINE).await
    }

    async fn acquire(&mut self) -> Outcome {
        self.call(&Call::Acquire { key: "l1".into(), owner: self.name.into(), permits: 1 }).await
    }

    async fn release(&mut self) -> Outcome {
        self.call(&Call::Release { key: "l1".into(), owner: self.name.into(), permits: 1 }).await
    }

    /// Until it has the lock; says how long that took.
    async fn acquire_in_time(&mut self) -> Duration {
        let began = Instant::now();
        while self.acquire().await != Outcome::Ok(Returned::Done) {
            assert!(began.elapsed() < DEADLINE, "nobody holds it that long");
            sleep(Duration::from_millis(5)).await;
        }
        began.elapsed()
    }
}

fn assert_fail(outcome: &Outcome, code: &str) {
    assert!(matches!(outcome, Outcome::Fail(reason) if reason.starts_with(code)), "{outcome:?}, and not {code}");
}

#[tokio::test]
async fn a_lock_is_for_one_until_its_lease_is_over_and_only_its_owner_releases_it() {
    let Some(server) = Server::start(&[]).await else { return };
    let nodes = [server.address];
    let mut first = Owner::open(&nodes, "owner", "o1").await;
    let mut second = Owner::open(&nodes, "owner", "o2").await;
    let granted = Instant::now();
    assert_eq!(first.acquire().await, Outcome::Ok(Returned::Done));
    assert_fail(&second.acquire().await, "busy");
    second.acquire_in_time().await;
    assert!(granted.elapsed() >= TTL, "the lease of the first lasts");
    assert_fail(&first.release().await, "session-expired");
    assert_fail(&first.acquire().await, "unknown-session");
    assert_eq!(second.release().await, Outcome::Ok(Returned::Done));
}

#[tokio::test]
async fn a_lease_that_is_kept_alive_lasts() {
    let Some(server) = Server::start(&[]).await else { return };
    let nodes = [server.address];
    let mut first = Owner::open(&nodes, "owner", "o1").await;
    let mut second = Owner::open(&nodes, "owner", "o2").await;
    let granted = Instant::now();
    assert_eq!(first.acquire().await, Outcome::Ok(Returned::Done));
    while granted.elapsed() < 2 * TTL {
        assert_eq!(first.call(&Call::KeepAlive { owner: "o1".into() }).await, Outcome::Ok(Returned::Done));
        assert_fail(&second.acquire().await, "busy");
        sleep(TTL / 10).await;
    }
}

#[tokio::test]
async fn a_plain_lock_is_released_by_whoever_had_it_once() {
    let Some(server) = Server::start(&[]).await else { return };
    let nodes = [server.address];
    let mut first = Owner::open(&nodes, "plain", "o1").await;
    let mut second = Owner::open(&nodes, "plain", "o2").await;
    let mut third = Owner::open(&nodes, "plain", "o3").await;
    assert_eq!(first.acquire().await, Outcome::Ok(Returned::Done));
    second.acquire_in_time().await;
    assert_eq!(first.release().await, Outcome::Ok(Returned::Done), "it deletes what is the second one's");
    assert_eq!(third.acquire().await, Outcome::Ok(Returned::Done));
}

#[tokio::test]
async fn more_than_half_of_the_servers_grant_a_redlock() {
    let mut servers = Vec::new();
    for _ in 0..3 {
        let Some(server) = Server::start(&[]).await else { return };
        servers.push(server);
    }
    let nodes: Vec<SocketAddr> = servers.iter().map(|server| server.address).collect();
    let mut first = Owner::open(&nodes, "redlock", "o1").await;
    let mut second = Owner::open(&nodes, "redlock", "o2").await;
    assert_eq!(first.acquire().await, Outcome::Ok(Returned::Done));
    assert_fail(&second.acquire().await, "busy");
    servers[0].kill();
    assert_fail(&second.acquire().await, "busy");
    assert_eq!(first.release().await, Outcome::Ok(Returned::Done));
    second.acquire_in_time().await;
    servers[1].kill();
    // Whatever is left of the second one's lease, the one server that answers is too few.
    let outcome = first.acquire().await;
    assert!(matches!(outcome, Outcome::Fail(_)), "{outcome:?}");
}
