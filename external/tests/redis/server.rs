//! A real server in a folder of its own, which is gone when it is dropped.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rashomon_external::{Client, Description, Future, Installer, Programs, Seat, StandStill, redis};
use rashomon_history::{Call, Outcome};
use tempfile::TempDir;
use tokio::time::Instant;

pub(crate) const DEADLINE: Duration = Duration::from_secs(5);

/// A running `redis-server`.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    programs: Programs,
    arguments: Vec<String>,
    child: Child,
    folder: TempDir,
}

impl Server {
    /// Starts one; `None`, and says so, where Redis is not installed.
    pub(crate) async fn start(arguments: &[&str]) -> Option<Self> {
        let programs = match find() {
            Ok(programs) => programs,
            Err(problem) => {
                eprintln!("skipped: {problem}");
                return None;
            }
        };
        let address = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port");
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).into()).collect();
        let folder = tempfile::tempdir().expect("a folder");
        let child = spawn(&programs, address, &folder, &arguments);
        let server = Self { address, programs, arguments, child, folder };
        server.until_ready().await;
        Some(server)
    }

    /// Ends it as a crash does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it was started here");
    }

    pub(crate) async fn start_again(&mut self) {
        self.child = spawn(&self.programs, self.address, &self.folder, &self.arguments);
        self.until_ready().await;
    }

    /// What `redis-cli` would get.
    pub(crate) async fn command(&self, words: &[&str]) -> ::redis::Value {
        let client = ::redis::Client::open(format!("redis://{}", self.address)).expect("an address");
        let mut connection = client.get_multiplexed_async_connection().await.expect("it answers");
        let mut command = ::redis::cmd(words[0]);
        command.arg(&words[1..]);
        command.query_async(&mut connection).await.expect("it is carried out")
    }

    async fn until_ready(&self) {
        let deadline = Instant::now() + DEADLINE;
        let mut client = client(&[self.address], &[]);
        let is_silent = |outcome: Outcome| match outcome {
            Outcome::Ok(_) => false,
            Outcome::Fail(reason) => reason.starts_with("not sent") || reason.starts_with("LOADING"),
            Outcome::Info(_) => true,
        };
        while is_silent(client.call(&Call::Read { key: "r0".into() }, deadline).await) {
            assert!(Instant::now() < deadline, "the server does not answer");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Redis as it is installed here, or as `rashomon install redis` unpacked it.
fn find() -> Result<Programs, Box<dyn std::error::Error>> {
    let description = Description::find("redis")?;
    Ok(Installer::new()?.find(&description.install, &BTreeMap::new())?)
}

fn spawn(programs: &Programs, address: SocketAddr, folder: &TempDir, arguments: &[String]) -> Child {
    Command::new(programs.path("redis-server"))
        .envs(programs.environment())
        .args(["--port", &address.port().to_string(), "--save", "", "--dir"])
        .arg(folder.path())
        .args(arguments)
        .stdout(Stdio::null())
        .spawn()
        .expect("it was found before")
}

struct Moving;

impl StandStill for Moving {
    fn pass(&self) -> Future<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

pub(crate) fn seat(nodes: &[SocketAddr], settings: &[(&str, &str)]) -> Seat {
    let settings: BTreeMap<String, String> =
        settings.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Seat {
        nodes: nodes.into(),
        home: 0,
        number: 0,
        settings: Arc::new(settings),
        resource: None,
        ttl: Duration::from_secs(1),
        fencing: false,
        careful: true,
        standstill: Arc::new(Moving),
    }
}

pub(crate) fn client(nodes: &[SocketAddr], settings: &[(&str, &str)]) -> Box<dyn Client> {
    redis::client(&seat(nodes, settings)).expect("the settings make sense")
}
