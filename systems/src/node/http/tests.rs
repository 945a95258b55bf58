use std::cell::RefCell;
use std::time::Instant;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::sync::mpsc;

use super::*;
use crate::api::HttpRequest;
use crate::node::driver::{Driver, Event, Hands};
use crate::server::{Input, Micros, NodeId, Output, RequestId, Status, Write, WriteId};

const DEADLINE: Duration = Duration::from_secs(10);

/// Answers with what it was asked, but for `wait`: that it answers when someone asks `go on`.
#[derive(Default)]
struct Echo {
    waiting: Vec<RequestId>,
    abandoned: u64,
}

impl Server for Echo {
    type Message = ();
    type Request = String;
    type Response = String;

    fn step(&mut self, _now: Micros, input: Input<(), String>, outputs: &mut Vec<Output<(), String>>) {
        let mut reply = |id, response| outputs.push(Output::Reply { id, response });
        match input {
            Input::Request { id, request } if request == "wait" => self.waiting.push(id),
            Input::Request { id, request } => {
                if request == "go on" {
                    self.waiting.drain(..).for_each(|id| reply(id, "at last".into()));
                }
                reply(id, request);
            }
            Input::Abandon { id } => {
                self.abandoned += 1;
                self.waiting.retain(|&waiting| waiting != id);
            }
            Input::Tick | Input::Message { .. } | Input::Persisted(_) => {}
        }
    }

    fn flush(&mut self, _now: Micros, _outputs: &mut Vec<Output<(), String>>) {}

    fn deadline(&self) -> Micros {
        Micros(u64::from(u32::MAX) * 1000)
    }

    /// Says how many were abandoned and how many wait.
    fn status(&self) -> Status {
        Status { term: self.abandoned, commit_index: self.waiting.len() as u64, ..Status::default() }
    }
}

/// There is neither disk nor peer.
struct NoHands;

impl Hands<()> for NoHands {
    fn send(&self, to: NodeId, (): &()) {
        panic!("an echo sends nothing, not to {to} either");
    }

    fn submit(&self, id: WriteId, _write: Write) {
        panic!("an echo writes nothing: {id:?}");
    }
}

/// The body is the question.
struct EchoApi;

impl Api for EchoApi {
    type Request = String;
    type Response = String;

    fn route(&self, request: &HttpRequest) -> Result<String, HttpResponse> {
        Ok(String::from_utf8_lossy(&request.body).into_owned())
    }

    fn respond(&self, response: String) -> HttpResponse {
        HttpResponse::ok(&response)
    }
}

struct Rig {
    address: SocketAddr,
    asker: Asker<Echo>,
    events: mpsc::UnboundedSender<Event<Echo>>,
    stop: watch::Sender<bool>,
    tasks: RefCell<JoinSet<()>>,
}

async fn rig() -> Rig {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (events, inbox) = mpsc::unbounded_channel();
    let asker = Asker::new(events.clone());
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    let driver = Driver::new(Echo::default(), NoHands, inbox, Instant::now());
    tasks.spawn(async move { driver.run().await.unwrap() });
    tasks.spawn(serve(listener, Arc::new(EchoApi), asker.clone(), stopped));
    Rig { address, asker, events, stop, tasks: RefCell::new(tasks) }
}

impl Rig {
    async fn connect(&self) -> BufReader<TcpStream> {
        BufReader::new(TcpStream::connect(self.address).await.unwrap())
    }

    async fn wait_for_status(&self, is_so: impl Fn(&Status) -> bool) {
        let waiting = async {
            while !is_so(&self.asker.status().await.unwrap()) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(DEADLINE, waiting).await.expect("it never came to be");
    }
}

fn post(body: &str) -> Vec<u8> {
    format!("POST / HTTP/1.1\r\nhost: test\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// Status and body of the next response; `None` where the connection ends.
async fn response(stream: &mut BufReader<TcpStream>) -> Option<(u16, String)> {
    let reading = async {
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return None;
        }
        let status = line.split(' ').nth(1).unwrap().parse().unwrap();
        let mut length = 0;
        while line != "\r\n" {
            line.clear();
            stream.read_line(&mut line).await.unwrap();
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        Some((status, String::from_utf8(body).unwrap()))
    };
    timeout(DEADLINE, reading).await.expect("no response")
}

#[tokio::test]
async fn a_client_that_hangs_up_is_abandoned() {
    let rig = rig().await;
    let mut stream = rig.connect().await;
    stream.write_all(&post("wait")).await.unwrap();
    rig.wait_for_status(|status| status.commit_index == 1).await;
    drop(stream);
    rig.wait_for_status(|status| (status.term, status.commit_index) == (1, 0)).await;
}

#[tokio::test]
async fn requests_in_a_row_are_answered_in_order_on_one_connection() {
    let rig = rig().await;
    let mut stream = rig.connect().await;
    stream.write_all(&[post("one"), post("two"), post("three")].concat()).await.unwrap();
    for expected in ["one", "two", "three"] {
        assert_eq!(response(&mut stream).await, Some((200, format!("{expected:?}"))));
    }
}

#[tokio::test]
async fn a_body_may_come_in_chunks_and_may_not_be_endless() {
    let rig = rig().await;
    let mut stream = rig.connect().await;
    let head = b"POST / HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(&[head, &b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"[..]].concat()).await.unwrap();
    assert_eq!(response(&mut stream).await, Some((200, "\"abc\"".into())));

    stream.write_all(head).await.unwrap();
    let chunk = [b"10000\r\n", &[b'x'; 0x10000][..], b"\r\n"].concat();
    for _ in 0..20 {
        stream.write_all(&chunk).await.unwrap();
    }
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    let (status, body) = response(&mut stream).await.unwrap();
    assert_eq!(status, 413);
    assert!(body.contains("too-large"), "{body}");
    stream.write_all(&post("still here")).await.unwrap();
    assert_eq!(response(&mut stream).await, Some((200, "\"still here\"".into())));
}

#[tokio::test]
async fn who_waits_when_the_node_stops_hears_that_the_outcome_is_unknown() {
    let rig = rig().await;
    let (mut waiting, mut idle) = (rig.connect().await, rig.connect().await);
    waiting.write_all(&post("wait")).await.unwrap();
    idle.write_all(&post("one")).await.unwrap();
    assert!(response(&mut idle).await.is_some());
    rig.wait_for_status(|status| status.commit_index == 1).await;
    rig.events.send(Event::Stop).unwrap();
    rig.stop.send(true).unwrap();
    let (status, body) = response(&mut waiting).await.unwrap();
    assert_eq!(status, 500);
    assert!(body.contains("outcome-unknown"), "{body}");
    assert_eq!(response(&mut idle).await, None, "the connection is closed");
    let mut tasks = rig.tasks.take();
    let all = async { while tasks.join_next().await.is_some() {} };
    timeout(DEADLINE, all).await.expect("everything ends");
    assert!(TcpStream::connect(rig.address).await.is_err());
}

#[tokio::test]
async fn one_who_waits_does_not_keep_others_waiting() {
    let rig = rig().await;
    let (mut slow, mut quick) = (rig.connect().await, rig.connect().await);
    slow.write_all(&post("wait")).await.unwrap();
    rig.wait_for_status(|status| status.commit_index == 1).await;
    quick.write_all(&post("go on")).await.unwrap();
    assert_eq!(response(&mut quick).await, Some((200, "\"go on\"".into())));
    assert_eq!(response(&mut slow).await, Some((200, "\"at last\"".into())));
}

#[tokio::test]
async fn an_overloaded_node_says_so() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = BufReader::new(TcpStream::connect(listener.local_addr().unwrap()).await.unwrap());
    let (stream, address) = listener.accept().await.unwrap();
    refuse(stream, address).await;
    let (status, body) = response(&mut client).await.unwrap();
    assert_eq!(status, ErrorCode::Overloaded.status());
    assert!(body.contains("overloaded"), "{body}");
}
