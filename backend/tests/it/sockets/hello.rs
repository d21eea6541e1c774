//! Opening a socket, and signing in on it.

use milena_domain::limits::BODY_MAX_CHARS;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::node::Node;
use crate::socket::Socket;

#[tokio::test]
async fn sign_in_by_token_or_by_cookie_of_this_origin() {
    let node = Node::start().await;
    let anna = node.register("anna").await;
    let mut by_token = Socket::connect(&node).await;
    let welcome = by_token.hello(&json!({"type": "hello", "token": anna.token})).await;
    assert_eq!(
        (&welcome["user"]["id"], &welcome["resumed"], &welcome["limits"]["body_max_chars"]),
        (&json!(anna.id), &json!(false), &json!(BODY_MAX_CHARS))
    );

    let cookie = format!("theme=dark; milena_session={}", anna.token);
    let (own, foreign) = (format!("http://{}", node.address), "https://evil.example");
    let mut by_cookie = Socket::open(node.address, &[("cookie", &cookie), ("origin", &own)]).await.unwrap();
    assert_eq!(by_cookie.hello(&json!({"type": "hello"})).await["user"]["id"], anna.id.as_str());
    assert_eq!(
        Socket::open(node.address, &[("cookie", &cookie), ("origin", foreign)]).await.err(),
        Some(403)
    );
    assert_eq!(Socket::open(node.address, &[("cookie", &cookie)]).await.err(), Some(403));

    // An own origin without a valid session needs a token after all.
    let stale = format!("milena_session={}", "A".repeat(43));
    let mut signed_out = Socket::open(node.address, &[("cookie", &stale), ("origin", &own)]).await.unwrap();
    signed_out.say(&json!({"type": "hello"})).await;
    assert_eq!(signed_out.ending().await, 4500);
    node.stop().await;
}

#[tokio::test]
async fn only_an_upgrade_is_upgraded() {
    let node = Node::start().await;
    let plain = node.http.get(node.url("/ws")).send().await.unwrap();
    assert_eq!(plain.status(), 400);
    assert_eq!(Socket::open(node.address, &[("sec-websocket-version", "8")]).await.err(), Some(400));
    node.stop().await;
}

#[tokio::test]
async fn who_does_not_say_hello_properly_is_sent_away() {
    let node = Node::start_with(|settings| settings.socket.hello_timeout_ms = 300).await;
    let silent = Socket::connect(&node).await;
    assert_eq!(silent.ending().await, 4001);
    let mut stranger = Socket::connect(&node).await;
    stranger.say(&json!({"type": "hello", "token": "not a token"})).await;
    assert_eq!(stranger.ending().await, 4500);
    let anna = node.register("anna").await;
    let mut twice = Socket::sign_in(&node, &anna).await;
    twice.say(&json!({"type": "hello", "token": anna.token})).await;
    assert_eq!(twice.ending().await, 4502);
    let mut binary = Socket::sign_in(&node, &anna).await;
    binary.say_raw(Message::Binary(b"{\"type\":\"ping\"}".to_vec().into())).await;
    assert_eq!(binary.ending().await, 4502);
    node.stop().await;
}
