//! Coming back with a cursor, and falling behind.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use futures::StreamExt;
use milena_domain::limits::{BODY_MAX_CHARS, REPLAY_PAGE};
use milena_domain::{Epoch, SessionCursor};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::assert_rising;
use crate::node::{Node, User};
use crate::rooms::kinds;
use crate::socket::Socket;

/// Hears frames up to and with the next cursor.
async fn until_cursor(socket: &mut Socket) -> (Vec<Value>, String) {
    let mut frames = Vec::new();
    loop {
        let frame = socket.hear().await;
        if frame["type"] == "cursor" {
            return (frames, frame["cursor"].as_str().unwrap().to_owned());
        }
        frames.push(frame);
    }
}

#[tokio::test]
async fn a_resume_brings_what_was_missed_and_a_new_client_starts_afresh() {
    let node = Node::start().await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let mut sender = Socket::sign_in(&node, &anna).await;
    let mut reader = Socket::sign_in(&node, &ben).await;
    sender.send("seen", &ben, "seen").await;
    sender.expect("accepted").await;
    let (seen, cursor) = until_cursor(&mut reader).await;
    assert_eq!((seen.len(), &seen[0]["body"]), (1, &json!("seen")));
    drop(reader);
    for number in 0..50 {
        sender.send(&format!("missed-{number}"), &ben, &number.to_string()).await;
        sender.expect("accepted").await;
    }
    let (mut reader, welcome) = Socket::resume(&node, &ben, &cursor).await;
    assert_eq!(welcome["resumed"], true);
    assert_ne!(welcome["cursor"], json!(cursor), "sealed anew each time");
    let (missed, after) = until_cursor(&mut reader).await;
    let bodies: Vec<&str> = missed.iter().map(|frame| frame["body"].as_str().unwrap()).collect();
    assert_eq!(bodies, (0..50).map(|number| number.to_string()).collect::<Vec<_>>());
    assert_rising(&missed);
    drop(reader);

    // Nothing was missed since.
    let (mut reader, welcome) = Socket::resume(&node, &ben, &after).await;
    assert_eq!(welcome["resumed"], true);
    sender.send("live", &ben, "live").await;
    assert_eq!(reader.expect("message").await["body"], "live");

    // Another person's; one as the first version wrote it (epoch 1, three partitions at offset 0); another
    // server's.
    let (_, of_anna) = Socket::resume(&node, &anna, &after).await;
    let (_, of_old) = Socket::resume(&node, &ben, "AQEDAAAA").await;
    let (_, foreign) = Socket::resume(&node, &ben, "from another server").await;
    assert!([of_anna, of_old, foreign].iter().all(|welcome| welcome["resumed"] == false));
    node.stop().await;
}

/// These bytes as the server seals them for this person.
async fn sealed(node: &Node, user: &User, bytes: &[u8]) -> String {
    let key = node.store().server_key().await.unwrap().subkey("session-cursor/v1");
    let nonce: [u8; 24] = rand::random();
    let user: uuid::Uuid = user.id.parse().unwrap();
    let payload = Payload { msg: bytes, aad: user.as_bytes() };
    let sealed = XChaCha20Poly1305::new(key.as_bytes().into()).encrypt(&XNonce::from(nonce), payload);
    URL_SAFE_NO_PAD.encode([&nonce[..], &sealed.unwrap()].concat())
}

/// A server of before rooms sealed its cursors in the same way, and knew of fewer things to be missed.
#[tokio::test]
async fn a_cursor_of_before_rooms_is_told_to_begin_anew_and_hides_nothing() {
    let node = Node::start().await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let room = node.room(&anna, "letters", json!({"members": [ben.id]})).await;
    node.write(&anna, &room, "missed").await.ok(202);
    let mut bytes = SessionCursor { epoch: Epoch::FIRST, next_offsets: vec![0; 3] }.encode();
    let (_, welcome) = Socket::resume(&node, &ben, &sealed(&node, &ben, &bytes).await).await;
    assert_eq!(welcome["resumed"], true, "one of now goes on");
    bytes[0] = 1;
    let (mut socket, welcome) = Socket::resume(&node, &ben, &sealed(&node, &ben, &bytes).await).await;
    assert_eq!(welcome["resumed"], false);
    // Nothing comes before its first cursor; whoever is told so reads the list, and all of it is there.
    node.write(&anna, &room, "live").await.ok(202);
    let live = socket.expect("message").await;
    assert_eq!(live["body"], "live");
    let list = node.get(&ben, "/api/v1/conversations").await.ok(200);
    let entry = &list["conversations"][0];
    assert_eq!((&entry["unread"], &entry["last_message"]["body"]), (&json!(2), &json!("live")));
    assert_eq!(kinds(&node.events(&ben, &room).await.ok(200)), ["room_created", "message", "message"]);
    node.stop().await;
}

#[tokio::test]
async fn more_than_a_page_missed_becomes_a_gap() {
    let node = Node::start().await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let mut reader = Socket::sign_in(&node, &ben).await;
    let mut sender = Socket::sign_in(&node, &anna).await;
    sender.send("seen", &ben, "seen").await;
    sender.expect("accepted").await;
    let (seen, cursor) = until_cursor(&mut reader).await;
    drop(reader);
    let mut accepted = Vec::new();
    for number in 0..REPLAY_PAGE + 7 {
        sender.send(&format!("missed-{number}"), &ben, &number.to_string()).await;
        accepted.push(sender.expect("accepted").await);
    }
    let (mut reader, _) = Socket::resume(&node, &ben, &cursor).await;
    let (missed, _) = until_cursor(&mut reader).await;
    let (gaps, messages): (Vec<Value>, Vec<Value>) =
        missed.into_iter().partition(|frame| frame["type"] == "gap");
    assert_rising(&messages);
    assert_eq!((gaps.len(), messages.len()), (1, REPLAY_PAGE));
    let (after, before) = (gaps[0]["after"].as_u64().unwrap(), &gaps[0]["before"]);
    assert_eq!(before, &accepted[7]["position"]);
    assert!(
        seen[0]["position"].as_u64().unwrap() <= after && after < accepted[0]["position"].as_u64().unwrap()
    );
    node.stop().await;
}

#[tokio::test]
async fn a_slow_reader_is_4008_resumes_and_nobody_else_notices() {
    let node = Node::start_with(|settings| {
        settings.socket.outbox_messages = 20;
        settings.limits.send_bytes_burst = 100_000_000;
        // The reader comes back in time to hear why.
        settings.socket.write_timeout_ms = 60_000;
    })
    .await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let mut slow = Socket::connect(&node).await;
    let welcome = slow.hello(&json!({"type": "hello", "token": ben.token})).await;
    let mut sender = Socket::sign_in(&node, &anna).await;
    let mut quick = Socket::sign_in(&node, &ben).await;
    // 24 KB each: the system's own buffers take some megabytes before ours fills.
    let body = "\u{20AC}".repeat(BODY_MAX_CHARS);
    let sent = 400;
    for number in 0..sent {
        sender.send(&format!("c-{number}"), &ben, &body).await;
        sender.expect("accepted").await;
        quick.expect("message").await;
    }
    // It reads again: first what was on its way, then why it ends.
    let (mut got, mut cursor) = (0, welcome["cursor"].as_str().unwrap().to_owned());
    let code = loop {
        match slow.stream.next().await.unwrap().unwrap() {
            Message::Text(text) => {
                let frame: Value = serde_json::from_str(&text).unwrap();
                match frame["type"].as_str().unwrap() {
                    "message" => got += 1,
                    "cursor" => frame["cursor"].as_str().unwrap().clone_into(&mut cursor),
                    other => panic!("{other}"),
                }
            }
            Message::Close(frame) => break u16::from(frame.unwrap().code),
            _ => {}
        }
    };
    assert_eq!(code, 4008);
    assert!(got < sent);
    let (mut again, welcome) = Socket::resume(&node, &ben, &cursor).await;
    assert_eq!(welcome["resumed"], true);
    let (missed, _) = until_cursor(&mut again).await;
    let last = missed.last().unwrap();
    assert_eq!((&last["type"], &last["body"]), (&json!("message"), &json!(body)));
    node.stop().await;
}
