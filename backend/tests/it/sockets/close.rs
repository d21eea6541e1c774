//! When and how the server ends a socket.

use futures::StreamExt;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio_tungstenite::tungstenite::Message;

use crate::node::Node;
use crate::socket::Socket;

#[tokio::test]
async fn signing_out_ends_the_sockets_of_that_session_only() {
    let node = Node::start().await;
    let anna = node.register("anna").await;
    let login = json!({"username": "anna", "password": "correct horse"});
    let other: Value =
        node.http.post(node.url("/api/v1/login")).json(&login).send().await.unwrap().json().await.unwrap();
    let first = Socket::sign_in(&node, &anna).await;
    let mut elsewhere = Socket::connect(&node).await;
    elsewhere.hello(&json!({"type": "hello", "token": other["token"]})).await;
    node.post(&anna, "/api/v1/logout", &json!({}), 204).await;
    assert_eq!(first.ending().await, 4501);
    elsewhere.say(&json!({"type": "ping"})).await;
    elsewhere.expect("pong").await;
    let mut again = Socket::connect(&node).await;
    again.say(&json!({"type": "hello", "token": anna.token})).await;
    assert_eq!(again.ending().await, 4500);
    node.stop().await;
}

#[tokio::test]
async fn a_restart_is_1012() {
    let node = Node::start().await;
    let anna = node.register("anna").await;
    let signed_in = Socket::sign_in(&node, &anna).await;
    let not_yet = Socket::connect(&node).await;
    node.begin_stop();
    assert_eq!((signed_in.ending().await, not_yet.ending().await), (1012, 1012));
    node.stop().await;
}

#[tokio::test]
async fn who_does_not_answer_pings_is_4000_and_who_does_stays() {
    let node = Node::start_with(|settings| {
        settings.socket.heartbeat_ms = 200;
        settings.socket.pong_timeout_ms = 200;
    })
    .await;
    let anna = node.register("anna").await;
    let mut dead = Socket::sign_in(&node, &anna).await;
    let mut alive = Socket::sign_in(&node, &anna).await;
    // The dead one is looked at below its WebSocket, which would answer.
    let dying = async {
        let mut bytes = Vec::new();
        let _ = dead.stream.get_mut().read_to_end(&mut bytes).await;
        bytes
    };
    let living = async {
        let mut pings = 0;
        while pings < 5 {
            pings += usize::from(matches!(alive.stream.next().await, Some(Ok(Message::Ping(_)))));
        }
    };
    let (bytes, ()) = tokio::join!(dying, living);
    // A ping (0x89, empty), later a close frame (0x88) that begins with the code.
    assert_eq!(bytes[..2], [0x89, 0]);
    let close = bytes.windows(4).find(|window| window[0] == 0x88).unwrap();
    assert_eq!(u16::from_be_bytes([close[2], close[3]]), 4000);
    node.stop().await;
}
