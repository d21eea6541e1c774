//! `hello`, in time and properly, or a close code that says what to do.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

use super::Server;
use super::stand_in::{identity, person, written};

#[tokio::test(start_paused = true)]
async fn a_token_or_the_cookie_and_the_welcome() {
    let server = Server::start();
    let mut by_token = server.connect().await;
    by_token.say(&json!({"type": "hello", "token": "anna"})).await;
    let mut by_cookie = server.connect_through(1 << 20, Some(identity("anna"))).await;
    by_cookie.say(&json!({"type": "hello"})).await;
    let welcome = by_token.hear().await;
    assert_eq!(welcome, by_cookie.hear().await);
    assert_eq!(
        welcome,
        json!({
            "type": "welcome", "user": {"id": person("anna").id, "username": "anna", "display_name": "ANNA"},
            "cursor": written(&server.node.cursor()), "resumed": false,
            "client_id_prefix": format!("{}-", person("anna").id), "heartbeat_ms": 25_000,
            "limits": {
                "body_max_chars": 8_000, "client_id_max_chars": 64, "frame_max_bytes": 131_072,
                "max_in_flight": 8, "mentions_max": 50, "reactions_per_person_max": 20,
                "everyone_free_members": 1_000, "emoji_max_chars": 16, "members_added_max": 500,
                "pins_max": 100, "receipts_members_max": 100, "presence_members_max": 250,
                "edit_limit_ms": null
            },
        })
    );
    assert_eq!(server.node.registry.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn no_hello_in_time_is_4001() {
    let server = Server::start();
    let mut client = server.connect_through(1 << 20, Some(identity("anna"))).await;
    let start = Instant::now();
    client.say(&json!({"type": "ping"})).await;
    let error = client.hear().await;
    assert_eq!((&error["type"], &error["code"]), (&json!("error"), &json!("unauthenticated")));
    assert_eq!(client.ending().await, 4001);
    assert_eq!(start.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_bad_hello_may_be_said_again() {
    let server = Server::start();
    let mut client = server.connect().await;
    client.say(&json!({"type": "hello", "token": 5})).await;
    assert_eq!(client.hear().await["field"], "token");
    client.say(&json!({"type": "hello", "token": "anna", "resume": "of another server"})).await;
    assert_eq!(client.hear().await["resumed"], false);
}

#[tokio::test(start_paused = true)]
async fn without_a_valid_session_4500_and_when_nobody_can_tell_4009() {
    let server = Server::start();
    for (hello, code) in [
        (json!({"type": "hello", "token": "nobody"}), 4500),
        (json!({"type": "hello"}), 4500),
        (json!({"type": "hello", "token": "away"}), 4009),
    ] {
        let mut client = server.connect().await;
        client.say(&hello).await;
        assert_eq!(client.ending().await, code, "{hello}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_hello_or_a_binary_frame_is_4502() {
    let server = Server::start();
    let mut twice = server.sign_in(&person("anna")).await;
    twice.say(&json!({"type": "hello", "token": "anna"})).await;
    assert_eq!(twice.ending().await, 4502);
    let mut binary = server.sign_in(&person("anna")).await;
    binary.say_raw(Message::Binary(vec![1, 2, 3].into())).await;
    assert_eq!(binary.ending().await, 4502);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ended_before_hello_stays_ended() {
    let server = Server::start();
    let anna = identity("anna");
    let mut client = server.connect_through(1 << 20, Some(anna.clone())).await;
    server.node.registry.close_session(anna.session, crate::registry::CloseCode::SessionEnded);
    client.say(&json!({"type": "hello"})).await;
    assert_eq!(client.ending().await, 4501);
    assert_eq!(server.node.registry.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_restart_also_ends_who_has_not_signed_in() {
    let server = Server::start();
    let client = server.connect().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    server.stop.cancel();
    assert_eq!(client.ending().await, 1012);
}
