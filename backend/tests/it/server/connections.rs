//! The accept loop: limits, time-outs, and the end.

use std::net::SocketAddr;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::node::{Node, PATIENCE, User};
use crate::socket::Socket;

async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A reset is an end too.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("the server ends the connection");
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn who_sends_no_headers_is_cut_off() {
    let node = Node::start_with(|settings| settings.http.header_timeout_ms = 200).await;
    let mut silent = TcpStream::connect(node.address).await.unwrap();
    let mut slow = TcpStream::connect(node.address).await.unwrap();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n").await.unwrap();
    let mut idle = TcpStream::connect(node.address).await.unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert!(!read_to_end(&mut silent).await.contains("200"));
    assert!(!read_to_end(&mut slow).await.contains("200"));
    assert!(read_to_end(&mut idle).await.ends_with("ok\n"), "an idle connection ends too");
    node.stop().await;
}

#[tokio::test]
async fn headers_are_bounded() {
    let node = Node::start().await;
    let mut stream = TcpStream::connect(node.address).await.unwrap();
    let request = format!("GET /healthz HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(64 * 1024));
    let _ = stream.write_all(request.as_bytes()).await;
    let answer = read_to_end(&mut stream).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    node.stop().await;
}

#[tokio::test]
async fn connections_beyond_the_limit_are_refused_until_one_ends() {
    let node = Node::start_with(|settings| {
        settings.http.max_connections = 3;
        settings.http.header_timeout_ms = 60_000;
    })
    .await;
    let anna = node.register("anna").await;
    // The client's own connection is one; a WebSocket stays one.
    let socket = Socket::sign_in(&node, &anna).await;
    let mut third = TcpStream::connect(node.address).await.unwrap();
    third.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert!(third.read(&mut [0; 16]).await.unwrap() > 0);
    let mut fourth = TcpStream::connect(node.address).await.unwrap();
    fourth.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let refused = read_to_end(&mut fourth).await;
    assert!(refused.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{refused}");
    let (head, body) = refused.split_once("\r\n\r\n").unwrap();
    for line in [
        "retry-after: 5",
        "x-content-type-options: nosniff",
        "referrer-policy: same-origin",
        "cache-control: no-store",
        "content-security-policy: default-src 'none'; frame-ancestors 'none'; base-uri 'none'; \
         form-action 'none'",
        "connection: close",
        &format!("content-length: {}", body.len()),
    ] {
        assert!(head.lines().any(|header| header == line), "{line}: {head}");
    }
    assert!(body.contains("\"code\":\"overloaded\""), "{body}");
    drop(socket);
    node.until(async |node| Socket::open(node.address, &[]).await.ok().map(drop)).await;
    node.stop().await;
}

/// A connection that comes from this address of the machine.
async fn connect_from(address: &str, node: &Node) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(address.parse().unwrap(), 0)).unwrap();
    socket.connect(node.address).await.unwrap()
}

#[tokio::test]
async fn one_address_has_its_own_limit_and_others_notice_nothing() {
    let node = Node::start_with(|settings| {
        settings.http.max_connections_per_address = 2;
        settings.http.trusted_proxies = "127.0.0.1".parse().unwrap();
        settings.http.header_timeout_ms = 60_000;
    })
    .await;
    let first = connect_from("127.0.0.2", &node).await;
    let _second = connect_from("127.0.0.2", &node).await;
    let mut third = connect_from("127.0.0.2", &node).await;
    // WebSockets too: the answer comes before the request is read.
    third.write_all(b"GET /ws HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let refused = read_to_end(&mut third).await;
    assert!(refused.starts_with("HTTP/1.1 429 Too Many Requests\r\n"), "{refused}");
    assert!(refused.contains("\"code\":\"too_many_connections\""), "{refused}");
    let anna = node.register("anna").await;
    Socket::sign_in(&node, &anna).await;
    let metrics = node.get(&anna, "/metrics").await.text;
    let line = metrics
        .lines()
        .find(|line| line.starts_with("milena_http_connections_refused_total{limit=\"address\"}"));
    assert!(line.is_some_and(|line| !line.ends_with(" 0")), "{line:?}");
    drop(first);
    node.until(async |node| {
        let mut again = connect_from("127.0.0.2", node).await;
        again.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
        read_to_end(&mut again).await.ends_with("ok\n").then_some(())
    })
    .await;
    node.stop().await;
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_clients_sockets_are_counted() {
    let node = Node::start_with(|settings| settings.http.max_connections_per_address = 2).await;
    let open = async |client: &str| Socket::open(node.address, &[("x-forwarded-for", client)]).await;
    let first = open("192.0.2.7").await.unwrap();
    let _second = open("192.0.2.7").await.unwrap();
    assert_eq!(open("192.0.2.7").await.map(drop), Err(429));
    let _others = (open("192.0.2.8").await.unwrap(), open("198.51.100.1, 192.0.2.9").await.unwrap());
    drop(first);
    node.until(async |_| open("192.0.2.7").await.ok()).await;
    node.stop().await;
}

/// A request whose body the server waits for: its handler has begun.
async fn begin_send(node: &Node, sender: &User, length: usize) -> TcpStream {
    let mut stream = TcpStream::connect(node.address).await.unwrap();
    let head = format!(
        "POST /api/v1/users/{}/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n",
        sender.id, sender.token,
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 25];
    timeout(PATIENCE, stream.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

#[tokio::test]
async fn a_stop_waits_for_a_request_under_way() {
    let node = Node::start().await;
    let anna = node.register("anna").await;
    let body = json!({"body": "last words"}).to_string();
    let mut stream = begin_send(&node, &anna, body.len()).await;
    node.begin_stop();
    node.until(async |node| TcpStream::connect(node.address).await.err()).await;
    stream.write_all(body.as_bytes()).await.unwrap();
    let answer = read_to_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    node.stop().await;
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever() {
    let node = Node::start_with(|settings| settings.http.drain_ms = 300).await;
    let anna = node.register("anna").await;
    let mut stuck = begin_send(&node, &anna, 100).await;
    // `stop` says so when it takes too long.
    node.stop().await;
    assert_eq!(read_to_end(&mut stuck).await, "");
}
