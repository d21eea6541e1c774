//! Cursors are true, rare, and never before the replay.

use futures::StreamExt;
use serde_json::{Value, json};
use tokio::time::{Duration, Instant, sleep};
use tokio_tungstenite::tungstenite::Message;

use super::stand_in::{StandIn, person, read};
use super::{Client, Server, settings};

fn offset(frame: &Value) -> i64 {
    read(frame["cursor"].as_str().unwrap()).unwrap().next_offsets[0]
}

fn cursor(offset: i64) -> String {
    offset.to_string()
}

#[tokio::test(start_paused = true)]
async fn a_cursor_covers_exactly_what_was_sent_and_comes_at_most_once_a_second() {
    let server = Server::start();
    let (anna, ben) = (person("anna"), person("ben"));
    let mut client = server.sign_in(&anna).await;
    let start = Instant::now();
    let deliveries = async {
        for _ in 0..95 {
            server.node.deliver(&ben, &anna, "hi");
            sleep(Duration::from_millis(100)).await;
        }
    };
    let listening = async {
        let (mut messages, mut cursors) = (0, 0);
        while messages < 95 {
            let frame = client.hear().await;
            if frame["type"] == "cursor" {
                cursors += 1;
                assert_eq!(offset(&frame), messages, "everything before it was sent, and nothing more");
            } else {
                messages += 1;
            }
        }
        cursors
    };
    let ((), cursors) = tokio::join!(deliveries, listening);
    assert_eq!(start.elapsed().as_secs(), 9);
    assert!((4..=9).contains(&cursors), "one in one or two seconds: {cursors}");
    let last = client.hear().await;
    assert_eq!((&last["type"], offset(&last)), (&json!("cursor"), 95));
}

/// A burst waits for the client until a cursor is due; it is read with the next burst, that one waits
/// half-way, another message comes, and only then the cursor is told.
#[tokio::test(start_paused = true)]
async fn a_cursor_that_waited_does_not_cover_what_came_meanwhile() {
    const BURST: i64 = 30;
    let server = Server::start();
    let (anna, ben) = (person("anna"), person("ben"));
    let mut client = server.connect_through(2_048, None).await;
    client.say(&json!({"type": "hello", "token": "anna"})).await;
    assert_eq!(client.hear().await["type"], "welcome");
    let body = "x".repeat(1_000);
    for _ in 0..2 {
        for _ in 0..BURST {
            server.node.deliver(&ben, &anna, &body);
        }
        sleep(Duration::from_millis(2_100)).await;
    }
    let (mut messages, mut cursors) = (0, Vec::new());
    while messages <= 2 * BURST || cursors.len() < 2 {
        let frame = client.hear().await;
        if frame["type"] == "cursor" {
            cursors.push(offset(&frame));
            assert_eq!(offset(&frame), messages, "everything before it was sent, and nothing more");
        } else {
            messages += 1;
        }
        if messages == BURST + 1 && cursors.is_empty() {
            server.node.deliver(&ben, &anna, "late");
        }
    }
    assert_eq!(cursors, [2 * BURST, 2 * BURST + 1]);
}

#[tokio::test(start_paused = true)]
async fn a_quiet_client_learns_how_far_the_log_went_and_nothing_twice() {
    let server = Server::start();
    let mut client = server.sign_in(&person("anna")).await;
    sleep(Duration::from_secs(1)).await;
    server.node.deliver(&person("ben"), &person("carl"), "not for anna");
    let start = Instant::now();
    let frame = client.hear().await;
    assert_eq!((&frame["type"], offset(&frame), start.elapsed().as_secs()), (&json!("cursor"), 1, 24));
    // Nothing new: no cursor for a long time, though the line is alive.
    while start.elapsed() < Duration::from_secs(600) {
        assert_eq!(client.hear().await["type"], "prefix");
    }
}

#[tokio::test(start_paused = true)]
async fn no_cursor_before_the_replay_is_over_and_live_frames_meanwhile() {
    let server = Server::start();
    server.node.replay_begins.send_replace(false);
    let (anna, ben) = (person("anna"), person("ben"));
    for _ in 0..1_000 {
        server.node.deliver(&anna, &ben, "missed");
    }
    let mut client = server.connect().await;
    client.say(&json!({"type": "hello", "token": "anna", "resume": cursor(0)})).await;
    let welcome = client.hear().await;
    assert_eq!((&welcome["resumed"], &welcome["cursor"]), (&json!(true), &json!(cursor(0))));
    // The replay hangs; what is live comes through, without a cursor.
    server.node.deliver(&ben, &anna, "live");
    assert_eq!(client.hear().await["body"], "live");
    let silence = tokio::time::timeout(Duration::from_secs(120), client.hear()).await;
    assert!(silence.is_err(), "{silence:?}");
    server.node.replay_begins.send_replace(true);
    // Ten times the outbox: nothing is lost.
    for number in 0..1_000 {
        let frame = client.hear().await;
        assert_eq!((&frame["type"], &frame["client_id"]), (&json!("message"), &json!(number.to_string())));
    }
    let told = client.hear().await;
    assert_eq!((&told["type"], offset(&told)), (&json!("cursor"), 1_001));
}

/// To go on would tell a cursor that covers what never came.
#[tokio::test(start_paused = true)]
async fn a_replay_that_cannot_go_on_ends_the_connection_without_a_cursor() {
    let mut node = StandIn::default();
    node.replay_fails = true;
    let server = Server::with(settings(), node);
    let (anna, ben) = (person("anna"), person("ben"));
    for _ in 0..3 {
        server.node.deliver(&ben, &anna, "missed");
    }
    let mut client = server.connect().await;
    client.say(&json!({"type": "hello", "token": "anna", "resume": cursor(0)})).await;
    assert_eq!(client.hear().await["type"], "welcome");
    loop {
        // What is in the outbox by then may still come.
        match tokio::time::timeout(Duration::from_secs(60), client.stream.next()).await {
            Ok(Some(Ok(Message::Text(text)))) => {
                assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["type"], "message");
            }
            Ok(Some(Ok(Message::Close(Some(frame))))) => {
                assert_eq!(u16::from(frame.code), 4009);
                return;
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn own_messages_move_the_cursor_too() {
    let server = Server::start();
    let mut client = server.sign_in(&person("anna")).await;
    client.say(&Client::send_frame("a", &person("ben"), "hi")).await;
    assert_eq!(client.hear().await["type"], "accepted");
    assert_eq!(offset(&client.hear().await), 1);
}
