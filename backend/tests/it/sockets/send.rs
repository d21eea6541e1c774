//! Sending on a socket: to whom it goes, in which order, and what is not taken.

use futures::StreamExt;
use milena_domain::limits::BODY_MAX_CHARS;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::assert_rising;
use crate::node::Node;
use crate::socket::Socket;

#[tokio::test]
async fn a_message_reaches_every_socket_of_both_and_nobody_else() {
    let node = Node::start().await;
    let (anna, ben, carl) =
        (node.register("anna").await, node.register("ben").await, node.register("carl").await);
    let mut phone = Socket::sign_in(&node, &anna).await;
    let mut laptop = Socket::sign_in(&node, &anna).await;
    let mut theirs = [Socket::sign_in(&node, &ben).await, Socket::sign_in(&node, &ben).await];
    let mut stranger = Socket::sign_in(&node, &carl).await;

    phone.send("c-1", &ben, "Dear \u{1F600}\n\"Milena\"").await;
    let accepted = phone.expect("accepted").await;
    assert_eq!(accepted["client_id"], "c-1");
    let own = laptop.expect("message").await;
    assert_eq!(
        (&own["client_id"], &own["sender"], &own["to"]),
        (&json!("c-1"), &json!(anna.id), &json!(ben.id))
    );
    for socket in &mut theirs {
        let message = socket.expect("message").await;
        assert_eq!(
            (&message["body"], message.get("client_id")),
            (&json!("Dear \u{1F600}\n\"Milena\""), None)
        );
        for field in ["id", "conversation", "position", "sent_at"] {
            assert_eq!(message[field], accepted[field], "{field}");
        }
    }

    // The answer, by conversation this time; and notes to self.
    let conversation = &accepted["conversation"];
    let reply = json!({"type": "send", "client_id": "r", "conversation": conversation, "body": "Dear Franz"});
    theirs[0].say(&reply).await;
    theirs[0].expect("accepted").await;
    assert_eq!(phone.expect("message").await["body"], "Dear Franz");
    assert_eq!(laptop.expect("message").await["body"], "Dear Franz");
    phone.send("note", &anna, "milk").await;
    phone.expect("accepted").await;
    assert_eq!(laptop.expect("message").await["body"], "milk");

    // What the stranger hears next is the answer to the ping, so nothing came before.
    stranger.say(&json!({"type": "ping"})).await;
    stranger.expect("pong").await;
    node.stop().await;
}

#[tokio::test]
async fn many_in_flight_keep_their_order() {
    let node = Node::start().await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let mut sender = Socket::sign_in(&node, &anna).await;
    let mut reader = Socket::sign_in(&node, &ben).await;
    const COUNT: usize = 400;
    for number in 0..COUNT {
        sender.send(&format!("c-{number}"), &ben, &number.to_string()).await;
    }
    let (mut accepted, mut messages) = (Vec::new(), Vec::new());
    for _ in 0..COUNT {
        accepted.push(sender.expect("accepted").await);
        messages.push(reader.expect("message").await);
    }
    for (number, (accepted, message)) in accepted.iter().zip(&messages).enumerate() {
        assert_eq!(accepted["client_id"], format!("c-{number}"));
        assert_eq!(message["body"], number.to_string());
        assert_eq!(accepted["position"], message["position"]);
    }
    assert_rising(&messages);
    node.stop().await;
}

#[tokio::test]
async fn the_same_client_id_is_the_same_message() {
    let node = Node::start().await;
    let (anna, ben, carl) =
        (node.register("anna").await, node.register("ben").await, node.register("carl").await);
    let mut sender = Socket::sign_in(&node, &anna).await;
    let mut reader = Socket::sign_in(&node, &ben).await;
    sender.send("c-1", &ben, "hi").await;
    let first = sender.expect("accepted").await;
    for _ in 0..20 {
        sender
            .say(&json!({"type": "send", "client_id": "c-1", "to": ben.id, "body": "hi", "retry": true}))
            .await;
        assert_eq!(sender.expect("accepted").await, first);
    }
    for (to, body) in [(&carl, "hi"), (&ben, "other words")] {
        sender.send("c-1", to, body).await;
        let rejected = sender.expect("rejected").await;
        assert_eq!((&rejected["code"], &rejected["temporary"]), (&json!("client_id_reused"), &json!(false)));
    }
    sender.send("c-2", &ben, "again").await;
    assert_eq!(reader.expect("message").await["body"], "hi");
    assert_eq!(reader.expect("message").await["body"], "again");
    node.stop().await;
}

#[tokio::test]
async fn what_cannot_be_taken_is_named_and_the_line_stays() {
    let node = Node::start().await;
    let (anna, ben, carl) =
        (node.register("anna").await, node.register("ben").await, node.register("carl").await);
    let mut private = Socket::sign_in(&node, &ben).await;
    private.send("p", &carl, "between us").await;
    let foreign = private.expect("accepted").await["conversation"].clone();

    let mut socket = Socket::sign_in(&node, &anna).await;
    let send = |field: &str, value: Value| {
        let mut frame = json!({"type": "send", "client_id": "c", "to": ben.id, "body": "b"});
        frame[field] = value;
        frame
    };
    for (frame, code, field) in [
        (json!("ping"), "invalid_json", Value::Null),
        (json!({"type": "wave"}), "unknown_type", json!("type")),
        (json!({}), "invalid_field", json!("type")),
        (send("body", json!("")), "invalid_field", json!("body")),
        (send("body", json!("x".repeat(BODY_MAX_CHARS + 1))), "invalid_field", json!("body")),
        (send("body", json!("a\0b")), "invalid_field", json!("body")),
        (send("client_id", json!("x".repeat(65))), "invalid_field", json!("client_id")),
        (send("to", json!("ben")), "invalid_field", json!("to")),
        (
            json!({"type": "read", "conversation": foreign, "position": 1}),
            "unknown_conversation",
            json!("conversation"),
        ),
    ] {
        socket.say(&frame).await;
        let error = socket.expect("error").await;
        assert_eq!((&error["code"], &error["field"]), (&json!(code), &field), "{frame}");
    }
    for (frame, code) in [
        (send("to", json!(uuid::Uuid::now_v7())), "unknown_recipient"),
        (
            json!({"type": "send", "client_id": "c", "conversation": foreign, "body": "let me in"}),
            "unknown_conversation",
        ),
    ] {
        socket.say(&frame).await;
        let rejected = socket.expect("rejected").await;
        assert_eq!((&rejected["code"], &rejected["client_id"]), (&json!(code), &json!("c")), "{frame}");
    }
    socket.send("c", &ben, "at last").await;
    socket.expect("accepted").await;
    assert_eq!(private.expect("message").await["body"], "at last");
    node.stop().await;
}

#[tokio::test]
async fn a_frame_of_a_megabyte_is_1009_with_a_reason() {
    let node = Node::start().await;
    let anna = node.register("anna").await;
    let socket = Socket::sign_in(&node, &anna).await;
    let (mut write, mut read) = socket.stream.split();
    let sending = futures::SinkExt::send(&mut write, Message::Text("x".repeat(1 << 20).into()));
    let reading = async {
        let error = read.next().await.unwrap().unwrap().into_text().unwrap();
        assert!(error.contains("too_large"), "{error}");
        match read.next().await.unwrap().unwrap() {
            Message::Close(Some(frame)) => u16::from(frame.code),
            other => panic!("{other:?}"),
        }
    };
    let (_, code) = tokio::join!(sending, reading);
    assert_eq!(code, 1009);
    node.stop().await;
}

#[tokio::test]
async fn without_the_log_a_send_is_rejected_as_temporary() {
    let mut node = Node::start_with(|settings| settings.delivery.send_timeout_ms = 1_000).await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let mut socket = Socket::sign_in(&node, &anna).await;
    node.stop_broker().await;
    socket.send("c-1", &ben, "hi").await;
    let rejected = socket.expect("rejected").await;
    assert_eq!(
        (&rejected["code"], &rejected["temporary"], &rejected["client_id"]),
        (&json!("log_unavailable"), &json!(true), &json!("c-1"))
    );
    socket.say(&json!({"type": "ping"})).await;
    socket.expect("pong").await;
    node.stop().await;
}

#[tokio::test]
async fn too_fast_is_rejected_with_a_time() {
    let node = Node::start_with(|settings| {
        settings.limits.send_burst = 3;
        settings.limits.send_per_second = 1;
    })
    .await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let mut socket = Socket::sign_in(&node, &anna).await;
    for number in 0..3 {
        socket.send(&number.to_string(), &ben, "hi").await;
        socket.expect("accepted").await;
    }
    // All sockets of the user together.
    let mut second = Socket::sign_in(&node, &anna).await;
    second.send("4", &ben, "hi").await;
    let rejected = second.expect("rejected").await;
    assert_eq!((&rejected["code"], &rejected["temporary"]), (&json!("rate_limited"), &json!(true)));
    assert!((1..=1_001).contains(&rejected["retry_after_ms"].as_u64().unwrap()));
    node.stop().await;
}
