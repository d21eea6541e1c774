//! Streams have the bounds of sockets: whoever reads too slowly is ended and goes on without loss, and a
//! stream is a connection like any other.

use milena_domain::limits::BODY_MAX_CHARS;
use milena_testkit::EventReader;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::stream::{Event, Stream, room, write};
use crate::client::Answer;
use crate::node::{Node, PATIENCE, User};

/// A stream that is read by hand, or not at all. HTTP/1.0: its end is the connection's.
struct Lazy {
    stream: TcpStream,
    reader: EventReader,
}

impl Lazy {
    async fn open(node: &Node, user: &User, query: &str) -> Self {
        let connection = TcpSocket::new_v4().unwrap();
        // Small, so that not reading is felt soon.
        connection.set_recv_buffer_size(16 * 1_024).unwrap();
        let mut stream = connection.connect(node.address).await.unwrap();
        let request = format!(
            "GET /api/v1/events?{query} HTTP/1.0\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\r\n",
            node.address, user.token
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(timeout(PATIENCE, stream.read_u8()).await.expect("an answer").unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        assert!(head.contains(" 200 ") && head.contains("text/event-stream"), "{head}");
        Self { stream, reader: EventReader::default() }
    }

    /// The next event; `None` at the end.
    async fn next(&mut self) -> Option<Event> {
        let mut bytes = vec![0; 64 * 1_024];
        loop {
            if let Some(event) = self.reader.take() {
                return Some(event.into());
            }
            match timeout(PATIENCE, self.stream.read(&mut bytes)).await.expect("something comes in time") {
                Ok(0) | Err(_) => return None,
                Ok(count) => self.reader.push(&bytes[..count]),
            }
        }
    }
}

#[tokio::test]
async fn a_slow_reader_is_ended_and_goes_on_without_loss() {
    let node = Node::start_with(|settings| {
        settings.socket.outbox_messages = 20;
        settings.limits.send_bytes_burst = 100_000_000;
    })
    .await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let letters = room(&node, &anna, "letters", &[&ben]).await;
    let query = format!("conversation={letters}");
    let mut lazy = Lazy::open(&node, &ben, &query).await;
    let mut quick = Stream::open(&node, &ben, &query, None).await;
    let mut cursor = lazy.next().await.expect("it begins with a cursor").id;
    // 24 KB each: the system's own buffers take some megabytes before ours fills.
    let words = "\u{20AC}".repeat(BODY_MAX_CHARS - 4);
    let body = |number: usize| format!("{number:04}{words}");
    let sent = 350;
    for number in 0..sent {
        write(&node, &anna, &letters, &body(number)).await;
        assert_eq!(quick.body().await, body(number), "nobody else notices");
    }
    let mut got = 0;
    while let Some(event) = lazy.next().await {
        if event.name.is_empty() {
            cursor = event.id;
        } else {
            assert_eq!(event.data["body"], body(got), "in order, up to its end");
            got += 1;
        }
    }
    assert!((1..sent).contains(&got), "{got} of {sent}");

    // From its last cursor on all of it comes: a gap that REST fills, then what is newest.
    let mut again = Stream::open(&node, &ben, &query, Some(&cursor)).await;
    let (first, _) = again.happens().await;
    let mut bodies = Vec::new();
    if first.name == "gap" {
        let mut after = first.data["after"].clone();
        while first.data["before"].as_u64() > after.as_u64().map(|after| after + 1) {
            let path = format!("/api/v1/conversations/{letters}/events?after={after}&limit=100");
            let page = node.get(&ben, &path).await.ok(200);
            let events = page["events"].as_array().unwrap();
            let of_gap = |event: &&Value| event["position"].as_u64() < first.data["before"].as_u64();
            let missed: Vec<&Value> = events.iter().filter(of_gap).collect();
            let Some(last) = missed.last() else { break };
            after = last["position"].clone();
            bodies.extend(missed.iter().map(|event| event["body"].clone()));
        }
    } else {
        bodies.push(first.data["body"].clone());
    }
    while bodies.last() != Some(&json!(body(sent - 1))) {
        bodies.push(again.body().await);
    }
    let from = bodies.iter().position(|one| *one == body(got)).expect("what came next is among it");
    assert!(bodies[from..].iter().eq((got..sent).map(body).map(Value::from).collect::<Vec<_>>().iter()));
    node.stop().await;
}

/// Also behind a proxy, whose own connections are many people's.
#[tokio::test]
async fn a_stream_is_a_connection_of_its_address_and_holds_up_no_requests() {
    let node = Node::start_with(|settings| {
        settings.http.max_connections_per_address = 2;
        settings.limits.requests_at_once = 1;
    })
    .await;
    let anna = node.register("anna").await;
    let letters = room(&node, &anna, "letters", &[]).await;
    let ask = async |client: &str| {
        let url = node.url(&format!("/api/v1/events?conversation={letters}"));
        let request = node.http.get(url).bearer_auth(&anna.token).header("x-forwarded-for", client);
        request.send().await.unwrap()
    };
    let mut streams = Vec::new();
    for client in ["192.0.2.7", "192.0.2.7", "192.0.2.8"] {
        streams.push(Stream::of(ask(client).await));
    }
    Answer::of(ask("192.0.2.7").await).await.problem(429, "too_many_connections");
    // More than may be worked on at once, and yet there is a turn for what follows.
    write(&node, &anna, &letters, "to all three").await;
    for stream in &mut streams {
        assert_eq!(stream.body().await, "to all three");
    }
    // The place is free again when a stream has ended.
    drop(streams.remove(0));
    node.until(async |_| (ask("192.0.2.7").await.status() == 200).then_some(())).await;
    timeout(PATIENCE, node.stop()).await.expect("streams do not hold up the end");
}
