use std::sync::mpsc::Receiver;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

const DEADLINE: Duration = Duration::from_secs(10);

/// A member that only listens, and what it hears.
struct Ear {
    address: SocketAddr,
    heard: Receiver<(NodeId, String)>,
    _tasks: JoinSet<()>,
}

async fn ear(id: u16, cluster: &str, others: &[u16]) -> Ear {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    ear_on(listener, address, id, cluster, others)
}

fn ear_on(listener: TcpListener, address: SocketAddr, id: u16, cluster: &str, others: &[u16]) -> Ear {
    let (sender, heard) = std::sync::mpsc::channel();
    let others = others.iter().map(|&other| (NodeId(other), address)).collect();
    let membership = Arc::new(Membership { cluster: cluster.into(), id: NodeId(id), others });
    let mut tasks = JoinSet::new();
    let deliver = Arc::new(move |from, message| drop(sender.send((from, message))));
    tasks.spawn(listen::<String>(listener, membership, deliver));
    Ear { address, heard, _tasks: tasks }
}

fn mouth(id: u16, cluster: &str, to: u16, address: SocketAddr) -> Peers {
    let others = [(NodeId(to), address)].into();
    Peers::dial(&Membership { cluster: cluster.into(), id: NodeId(id), others })
}

/// Says it again and again until something is heard: a message may be lost.
async fn say_until_heard(peers: &Peers, to: u16, ear: &Ear, text: &str) -> (NodeId, String) {
    let trying = async {
        loop {
            peers.send(NodeId(to), &text);
            tokio::time::sleep(Duration::from_millis(5)).await;
            if let Ok(heard) = ear.heard.try_recv() {
                return heard;
            }
        }
    };
    tokio::time::timeout(DEADLINE, trying).await.expect("nothing was heard")
}

#[tokio::test]
async fn what_is_sent_is_heard_in_order() {
    let ear = ear(2, "c", &[1]).await;
    let peers = mouth(1, "c", 2, ear.address);
    say_until_heard(&peers, 2, &ear, "first").await;
    for number in 0..1000 {
        peers.send(NodeId(2), &number.to_string());
    }
    let mut expected = 0;
    while expected < 1000 {
        tokio::time::sleep(Duration::from_millis(1)).await;
        while let Ok((from, text)) = ear.heard.try_recv() {
            assert_eq!(from, NodeId(1));
            if text != "first" {
                assert_eq!(text, expected.to_string());
                expected += 1;
            }
        }
    }
}

#[tokio::test]
async fn a_peer_that_comes_back_is_found_again() {
    let first = ear(2, "c", &[1]).await;
    let peers = mouth(1, "c", 2, first.address);
    say_until_heard(&peers, 2, &first, "before").await;
    let address = first.address;
    drop(first);
    let listener = loop {
        match TcpListener::bind(address).await {
            Ok(listener) => break listener,
            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    };
    let second = ear_on(listener, address, 2, "c", &[1]);
    say_until_heard(&peers, 2, &second, "after").await;
}

#[tokio::test]
async fn strangers_are_told_why_they_are_refused() {
    let ear = ear(2, "c", &[1]).await;
    let member =
        |cluster: &str, id: u16| Membership { cluster: cluster.into(), id: NodeId(id), others: BTreeMap::new() };
    let newer = hello::Hello { version: 9, ..hello::Hello::new(&member("c", 1), NodeId(2)) };
    let cases = [
        (hello::Hello::new(&member("d", 1), NodeId(2)), "cluster"),
        (hello::Hello::new(&member("c", 7), NodeId(2)), "no member n7"),
        (hello::Hello::new(&member("c", 1), NodeId(3)), "it is n2, not n3"),
        (newer, "version 1"),
    ];
    for (greeting, expected) in cases {
        let mut stream = TcpStream::connect(ear.address).await.unwrap();
        hello::send(&mut stream, &greeting).await.unwrap();
        let answer: Result<(), HelloRefusal> = hello::receive(&mut stream, &mut bytes::BytesMut::new()).await.unwrap();
        let refusal = answer.unwrap_err().to_string();
        assert!(refusal.contains(expected), "{refusal}");
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0, "the connection is closed");
    }
}

#[tokio::test]
async fn rubbish_closes_its_connection_and_harms_no_other() {
    let ear = ear(2, "c", &[1]).await;
    let peers = mouth(1, "c", 2, ear.address);
    say_until_heard(&peers, 2, &ear, "before").await;
    let mut greeting = Vec::new();
    frame::encode(&"not a greeting", &mut greeting);
    for rubbish in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0; 64], &greeting] {
        let mut stream = TcpStream::connect(ear.address).await.unwrap();
        stream.write_all(rubbish).await.unwrap();
        let closed = tokio::time::timeout(DEADLINE, stream.read(&mut [0])).await.expect("still open");
        assert!(matches!(closed, Ok(0) | Err(_)));
    }
    say_until_heard(&peers, 2, &ear, "after").await;
}

#[tokio::test]
async fn a_newer_connection_takes_the_place_of_the_old_one() {
    let ear = ear(2, "c", &[1]).await;
    let membership = Membership { cluster: "c".into(), id: NodeId(1), others: BTreeMap::new() };
    let greeting = hello::Hello::new(&membership, NodeId(2));
    let mut streams = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(ear.address).await.unwrap();
        hello::send(&mut stream, &greeting).await.unwrap();
        let welcome: Result<(), HelloRefusal> = hello::receive(&mut stream, &mut bytes::BytesMut::new()).await.unwrap();
        assert_eq!(welcome, Ok(()));
        streams.push(stream);
    }
    let closed = tokio::time::timeout(DEADLINE, streams[0].read(&mut [0])).await.expect("still open");
    assert!(matches!(closed, Ok(0) | Err(_)));
}
