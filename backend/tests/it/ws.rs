//! The WebSocket protocol against the real thing: signing in, sending, resuming, and every close code.

use futures::StreamExt;
use milena_domain::limits::{BODY_MAX_CHARS, REPLAY_PAGE};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio_tungstenite::tungstenite::Message;

use crate::node::Node;
use crate::socket::Socket;

/// Positions of one conversation as they arrived must rise.
fn assert_rising(frames: &[Value]) {
    let positions: Vec<u64> = frames.iter().map(|frame| frame["position"].as_u64().unwrap()).collect();
    assert!(positions.is_sorted_by(|a, b| a < b), "{positions:?}");
}

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
async fn reading_on_one_socket_is_told_to_the_others_and_to_the_sender() {
    let node = Node::start().await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let mut phone = Socket::sign_in(&node, &anna).await;
    let mut laptop = Socket::sign_in(&node, &anna).await;
    let mut other = Socket::sign_in(&node, &ben).await;
    other.send("c-1", &anna, "hi").await;
    let message = phone.expect("message").await;
    laptop.expect("message").await;
    let (conversation, position) = (&message["conversation"], &message["position"]);
    phone.say(&json!({"type": "read", "conversation": conversation, "position": position})).await;
    let read = laptop.expect("read").await;
    assert_eq!((&read["conversation"], &read["position"]), (&message["conversation"], &message["position"]));
    other.expect("accepted").await;
    let seen = other.expect("seen").await;
    assert_eq!((&seen["conversation"], &seen["position"]), (&message["conversation"], &message["position"]));
    phone.say(&json!({"type": "ping"})).await;
    phone.expect("pong").await;
    node.stop().await;
}

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
