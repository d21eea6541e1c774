//! How connections end: slow readers, silent lines, hostile frames, ended sessions, restarts, goodbyes.

use futures::{SinkExt, StreamExt};
use milena_domain::limits::FRAME_MAX_BYTES;
use milena_settings::{LimitSettings, Settings, SocketSettings};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::time::{Duration, Instant, sleep};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::stand_in::{StandIn, identity, person};
use super::{Client, Server, settings};
use crate::registry::CloseCode;

#[tokio::test(start_paused = true)]
async fn silence_is_pinged_and_then_4000() {
    let server = Server::start();
    let mut client = server.sign_in(&person("anna")).await;
    let start = Instant::now();
    // Only reading answers pings: this client does not.
    while server.node.registry.count() > 0 {
        sleep(Duration::from_millis(100)).await;
    }
    let silent_for = start.elapsed().as_secs_f64();
    assert!((35.0..37.7).contains(&silent_for), "{silent_for}");
    assert!(matches!(client.stream.next().await, Some(Ok(Message::Ping(_)))));
    assert_eq!(client.ending().await, 4000);
}

#[tokio::test(start_paused = true)]
async fn who_answers_pings_stays() {
    let server = Server::start();
    let mut client = server.sign_in(&person("anna")).await;
    let start = Instant::now();
    for beats in 1..=10 {
        assert_eq!(client.hear().await["type"], "prefix", "what it sends next shall need no look-up");
        let minutes = start.elapsed().as_secs_f64() / 60.0;
        assert!((f64::from(beats) * 5.0..f64::from(beats) * 5.5).contains(&minutes), "{minutes}");
    }
    assert_eq!(server.node.registry.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_is_4008_and_nobody_else_notices() {
    let small = SocketSettings { outbox_messages: 10, ..settings() };
    let server = Server::with(small, StandIn::default());
    let (anna, ben) = (person("anna"), person("ben"));
    let mut slow = server.connect_through(2_048, None).await;
    slow.say(&json!({"type": "hello", "token": "anna"})).await;
    assert_eq!(slow.hear().await["type"], "welcome");
    let mut other = server.sign_in(&anna).await;
    for number in 0..200 {
        server.node.deliver(&ben, &anna, &format!("{number} {}", "x".repeat(200)));
        let frame = other.hear_news().await;
        assert!(frame["body"].as_str().unwrap().starts_with(&format!("{number} ")));
    }
    assert_eq!(slow.ending().await, 4008);
    assert_eq!(server.node.registry.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_read_at_all_is_dropped_after_the_write_timeout() {
    let server = Server::start();
    let (anna, ben) = (person("anna"), person("ben"));
    let mut client = server.connect_through(2_048, None).await;
    client.say(&json!({"type": "hello", "token": "anna"})).await;
    assert_eq!(client.hear().await["type"], "welcome");
    let start = Instant::now();
    for _ in 0..50 {
        server.node.deliver(&ben, &anna, &"x".repeat(200));
    }
    client.task.await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 5);
    assert_eq!(server.node.registry.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_ended_session_is_4501_on_all_its_sockets_only() {
    let server = Server::start();
    let (anna, ben) = (person("anna"), person("ben"));
    let (first, second) = (server.sign_in(&anna).await, server.sign_in(&anna).await);
    let mut other = server.sign_in(&ben).await;
    assert_eq!(server.node.registry.close_session(identity("anna").session, CloseCode::SessionEnded), 2);
    assert_eq!((first.ending().await, second.ending().await), (4501, 4501));
    other.say(&json!({"type": "ping"})).await;
    assert_eq!(other.hear().await["type"], "pong");
}

/// Floods with `frame` until the server has had enough; gives what was answered and the close code.
async fn flood(signed_in: bool, frame: &Message) -> (Vec<serde_json::Value>, u16) {
    let limits = LimitSettings { frame_burst: 10, frame_per_second: 1, ..Settings::defaults().limits };
    let server = Server::with_limits(settings(), limits, StandIn::default());
    let client = if signed_in { server.sign_in(&person("anna")).await } else { server.connect().await };
    let (mut write, mut read) = client.stream.split();
    let frame = frame.clone();
    let sending = tokio::spawn(async move { while write.send(frame.clone()).await.is_ok() {} });
    let mut answers = Vec::new();
    let code = loop {
        match read.next().await.expect("the server says goodbye").unwrap() {
            Message::Text(text) => answers.push(serde_json::from_str(&text).unwrap()),
            Message::Close(Some(close)) => break close.code.into(),
            _ => {}
        }
    };
    sending.abort();
    (answers, code)
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_whatever_is_refused_with_a_time_and_then_4503() {
    let ping = Message::Text(json!({"type": "ping"}).to_string().into());
    let send = Message::Text(Client::send_frame("c-1", &person("ben"), "hi").to_string().into());
    let read = json!({"type": "read", "conversation": uuid::Uuid::nil(), "position": 1});
    let read = Message::Text(read.to_string().into());
    for (signed_in, frame, answer) in [
        (true, &ping, "error"),
        (true, &send, "rejected"),
        (true, &read, "error"),
        (true, &Message::Text("nonsense".into()), "error"),
        (false, &ping, "error"),
    ] {
        let (answers, code) = flood(signed_in, frame).await;
        assert_eq!(code, 4503);
        let refused: Vec<_> = answers.iter().filter(|answer| answer["code"] == "rate_limited").collect();
        assert!(refused.len() >= 900, "{} of {}", refused.len(), answers.len());
        assert!(refused.iter().all(|refusal| refusal["type"] == answer
            && refusal["temporary"] == true
            && (1..=1_001).contains(&refusal["retry_after_ms"].as_u64().unwrap())));
        assert!(answer != "rejected" || refused.iter().all(|refusal| refusal["client_id"] == "c-1"));
    }
    // RFC 6455 pings are answered by pongs, and count all the same.
    assert_eq!(flood(true, &Message::Ping("x".into())).await.1, 4503);
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_is_too_large_is_named_and_1009() {
    for bytes in [FRAME_MAX_BYTES + 1, 1 << 20] {
        let server = Server::start();
        // Smaller than the frame: the server must read on while it says goodbye.
        let mut client = server.connect_through(16 * 1_024, None).await;
        client.say(&json!({"type": "hello", "token": "anna"})).await;
        assert_eq!(client.hear().await["type"], "welcome");
        let (mut write, mut read) = client.stream.split();
        let sending = write.send(Message::Text("x".repeat(bytes).into()));
        let reading = async {
            let error = read.next().await.unwrap().unwrap().into_text().unwrap();
            let error: serde_json::Value = serde_json::from_str(&error).unwrap();
            assert_eq!((&error["type"], &error["code"]), (&json!("error"), &json!("too_large")));
            match read.next().await.unwrap().unwrap() {
                Message::Close(Some(frame)) => u16::from(frame.code),
                other => panic!("{other:?}"),
            }
        };
        let (_, code) = tokio::join!(sending, reading);
        assert_eq!(code, 1009);
    }
}

#[tokio::test(start_paused = true)]
async fn the_largest_frame_is_read() {
    let server = Server::start();
    let mut client = server.sign_in(&person("anna")).await;
    let padding = "x".repeat(FRAME_MAX_BYTES - "{\"type\":\"ping\",\"x\":\"\"}".len());
    client.say_raw(Message::Text(format!("{{\"type\":\"ping\",\"x\":\"{padding}\"}}").into())).await;
    assert_eq!(client.hear().await["type"], "pong");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_utf8_is_1007_and_what_is_no_frame_1002() {
    let server = Server::start();
    let mut client = server.sign_in(&person("anna")).await;
    let frame = Frame::message(vec![0xff, 0xfe], OpCode::Data(Data::Text), true);
    client.say_raw(Message::Frame(frame)).await;
    assert_eq!(client.ending().await, 1007);

    let mut client = server.sign_in(&person("anna")).await;
    client.stream.get_mut().write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    assert_eq!(client.ending().await, 1002);
}

#[tokio::test(start_paused = true)]
async fn a_restart_ends_everybody_with_1012_within_the_spread() {
    let server = Server::start();
    let mut clients = Vec::new();
    for _ in 0..300 {
        clients.push(server.sign_in(&person("anna")).await);
    }
    let start = Instant::now();
    server.stop.cancel();
    let codes = futures::future::join_all(clients.into_iter().map(super::Client::ending)).await;
    assert!(codes.iter().all(|code| *code == 1012), "{codes:?}");
    assert!(start.elapsed() <= Duration::from_millis(200), "{:?}", start.elapsed());
    assert_eq!(server.node.registry.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_goodbye_is_answered_and_a_broken_line_just_ends() {
    let server = Server::start();
    let mut polite = server.sign_in(&person("anna")).await;
    polite.stream.close(None).await.unwrap();
    assert_eq!(server.node.registry.count(), 1);
    while polite.stream.next().await.is_some_and(|message| message.is_ok()) {}
    polite.task.await.unwrap();
    assert_eq!(server.node.registry.count(), 0);

    let abrupt = server.sign_in(&person("anna")).await;
    drop(abrupt.stream);
    abrupt.task.await.unwrap();
    assert_eq!(server.node.registry.count(), 0);
}
