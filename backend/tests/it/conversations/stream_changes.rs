//! What becomes of messages, told by a stream: live, and to whoever comes back by `Last-Event-ID`.

use reqwest::Method;
use serde_json::{Value, json};

use super::stream::{Stream, room, write};
use crate::node::{Node, User};

/// Says something in a room, and gives its place.
async fn said(node: &Node, user: &User, room: &str, body: &str) -> u64 {
    let path = format!("/api/v1/conversations/{room}/messages");
    let accepted = node.call(Method::POST, &path, Some(user), Some(&json!({"body": body}))).await.ok(202);
    accepted["position"].as_u64().unwrap()
}

/// An edit, a reaction and a pin of the first, and the deletion of the second.
async fn change(node: &Node, user: &User, room: &str, [first, second]: [u64; 2]) {
    let path = |position: u64| format!("/api/v1/conversations/{room}/messages/{position}");
    let words = json!({"body": "edited"});
    node.call(Method::PATCH, &path(first), Some(user), Some(&words)).await.ok(200);
    for what in ["/reactions/%F0%9F%91%8D", "/pin"] {
        node.call(Method::PUT, &format!("{}{what}", path(first)), Some(user), None).await.ok(200);
    }
    node.call(Method::DELETE, &path(second), Some(user), None).await.ok(200);
}

/// What the next four are: name, and the place of the message that it is about.
async fn heard(stream: &mut Stream) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for _ in 0..4 {
        let (event, _) = stream.happens().await;
        assert_eq!(event.data["type"], event.name.as_str());
        let what = if event.name == "event" { &event.data["event"] } else { &event.data };
        all.push((event.name.clone(), what["target"]["position"].clone()));
    }
    all
}

#[tokio::test]
async fn changes_come_live_and_to_whoever_comes_back() {
    let node = Node::start().await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let letters = room(&node, &anna, "letters", &[&ben]).await;
    let query = format!("conversation={letters}&prefetch=10");
    let mut places = [[0; 2]; 2];
    for (round, round_places) in places.iter_mut().enumerate() {
        for (number, place) in round_places.iter_mut().enumerate() {
            *place = said(&node, &anna, &letters, &format!("{round}-{number}")).await;
        }
    }
    let [live, away] = places;
    let expected = |[first, second]: [u64; 2]| {
        [("edited", first), ("reacted", first), ("event", first), ("deleted", second)]
            .map(|(name, position)| (name.to_owned(), json!(position)))
            .to_vec()
    };
    let mut stream = Stream::open(&node, &ben, &query, None).await;
    // The creation, and what was said; then a cursor that covers it.
    for _ in 0..5 {
        stream.happens().await;
    }
    stream.cursor().await;
    change(&node, &anna, &letters, live).await;
    assert_eq!(heard(&mut stream).await, expected(live), "live");
    let cursor = stream.cursor().await;
    drop(stream);

    change(&node, &anna, &letters, away).await;
    let mut stream = Stream::open(&node, &ben, &query, Some(&cursor)).await;
    assert_eq!(heard(&mut stream).await, expected(away), "after a cursor that covers what came live");
    let path = format!("/api/v1/conversations/{letters}/read");
    node.call(Method::PUT, &path, Some(&ben), Some(&json!({"position": away[1]}))).await.ok(204);
    assert_eq!(stream.happens().await.0.name, "read");
    write(&node, &anna, &letters, "after all").await;
    assert_eq!(stream.body().await, "after all", "nothing comes twice");
    // Whoever begins anew gets the messages as they are now.
    let mut fresh = Stream::open(&node, &ben, &query, None).await;
    let mut now = Vec::new();
    while now.last() != Some(&json!("after all")) {
        let (event, _) = fresh.happens().await;
        if event.name == "message" {
            now.push(event.data["body"].clone());
        }
    }
    assert_eq!(now, ["edited", "", "edited", "", "after all"].map(Value::from));
    node.stop().await;
}
