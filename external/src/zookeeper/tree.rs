//! The nodes of ZooKeeper, as one session sees them.

use tokio::time::Instant;

use super::outcome::{NO_NODE, Unanswered};
use super::request::{Kind, Request, Stat};
use super::session::Session;
use super::wire::Reader;

/// The nodes, with the time until which answers are waited for.
#[derive(Clone, Copy)]
pub(super) struct Tree<'a> {
    pub(super) session: &'a Session,
    pub(super) until: Instant,
}

/// A node that was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Node {
    pub(super) data: Vec<u8>,
    pub(super) stat: Stat,
}

/// A node that was created.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Created {
    pub(super) path: String,
    pub(super) stat: Stat,
}

impl Tree<'_> {
    async fn ask(&self, request: Request) -> Result<Vec<u8>, Unanswered> {
        self.session.ask(request, self.until).await
    }

    /// `None` where there is no such node.
    pub(super) async fn get(&self, path: &str) -> Result<Option<Node>, Unanswered> {
        let Some(body) = there(self.ask(Request::GetData { path: path.into() }).await)? else { return Ok(None) };
        let mut reader = Reader::new(&body);
        let data = reader.bytes().map_err(|_| Unanswered::Strange)?.to_vec();
        Ok(Some(Node { data, stat: stat(&mut reader)? }))
    }

    /// The names of its children, in no order; `None` where there is no such node.
    pub(super) async fn children(&self, path: &str) -> Result<Option<Vec<String>>, Unanswered> {
        let Some(body) = there(self.ask(Request::GetChildren { path: path.into() }).await)? else { return Ok(None) };
        Reader::new(&body).texts().map(Some).map_err(|_| Unanswered::Strange)
    }

    /// Whether it is there. Where it is, the session is told once of what happens to it.
    pub(super) async fn watch(&self, path: &str) -> Result<bool, Unanswered> {
        Ok(there(self.ask(Request::Exists { path: path.into(), watch: true }).await)?.is_some())
    }

    pub(super) async fn exists(&self, path: &str) -> Result<bool, Unanswered> {
        Ok(there(self.ask(Request::Exists { path: path.into(), watch: false }).await)?.is_some())
    }

    pub(super) async fn create(&self, path: &str, data: Vec<u8>, kind: Kind) -> Result<Created, Unanswered> {
        let body = self.ask(Request::Create { path: path.into(), data, kind }).await?;
        let mut reader = Reader::new(&body);
        let path = reader.text().map_err(|_| Unanswered::Strange)?.to_owned();
        Ok(Created { path, stat: stat(&mut reader)? })
    }

    pub(super) async fn set(&self, path: &str, data: Vec<u8>, version: Option<i32>) -> Result<(), Unanswered> {
        self.ask(Request::SetData { path: path.into(), data, version }).await.map(|_| ())
    }

    pub(super) async fn delete(&self, path: &str, version: Option<i32>) -> Result<(), Unanswered> {
        self.ask(Request::Delete { path: path.into(), version }).await.map(|_| ())
    }

    pub(super) async fn sync(&self, path: &str) -> Result<(), Unanswered> {
        self.ask(Request::Sync { path: path.into() }).await.map(|_| ())
    }
}

/// A node that is not there is an answer to who reads.
fn there(answer: Result<Vec<u8>, Unanswered>) -> Result<Option<Vec<u8>>, Unanswered> {
    match answer {
        Ok(body) => Ok(Some(body)),
        Err(unanswered) if unanswered.is(NO_NODE) => Ok(None),
        Err(unanswered) => Err(unanswered),
    }
}

fn stat(reader: &mut Reader<'_>) -> Result<Stat, Unanswered> {
    Stat::read(reader).map_err(|_| Unanswered::Strange)
}
