//! Coming back: what happened meanwhile in rooms is told, and nothing of rooms that one is not in any more.

use reqwest::Method;
use serde_json::{Value, json};

use super::hear;
use crate::node::Node;
use crate::socket::Socket;

#[tokio::test]
async fn what_was_missed_in_rooms_comes_first() {
    let node = Node::start().await;
    let [anna, ben] = node.people(["anna", "ben"]).await;
    let stays = node.room(&anna, "stays", json!({"members": [ben.id]})).await;
    let private = json!({"members": [ben.id], "visibility": "private"});
    let left = node.room(&anna, "left", private).await;
    let mut socket = Socket::connect(&node).await;
    let welcome = socket.hello(&json!({"type": "hello", "token": ben.token})).await;
    let cursor = welcome["cursor"].as_str().unwrap().to_owned();
    drop(socket);
    node.write(&anna, &stays, "while Ben was away").await.ok(202);
    node.act(&anna, Method::DELETE, &left, &format!("/members/{}", ben.id)).await.ok(200);
    node.write(&anna, &left, "not for Ben").await.ok(202);
    let comes = node.room(&anna, "comes", json!({"members": [ben.id]})).await;

    let (mut socket, welcome) = Socket::resume(&node, &ben, &cursor).await;
    assert_eq!(welcome["resumed"], true);
    node.write(&anna, &stays, "the end").await.ok(202);
    let mut heard = Vec::new();
    loop {
        let (of, frame) = hear(&mut socket).await;
        if frame["body"] == "the end" {
            break;
        }
        heard.push((of, frame));
    }
    let of = |kind: &str, room: &str| -> Vec<&Value> {
        let is_wanted = |(of, frame): &&(String, Value)| {
            let places = [&frame["conversation"], &frame["event"]["conversation"], &frame["room"]["id"]];
            of == kind && places.iter().any(|place| place.as_str() == Some(room))
        };
        heard.iter().filter(is_wanted).map(|(_, frame)| frame).collect()
    };
    assert_eq!(of("message", &stays).len(), 1, "{heard:?}");
    assert_eq!(of("message", &left).len(), 0, "{heard:?}");
    let told: Vec<_> = of("room", &left).into_iter().map(|frame| &frame["room"]["role"]).collect();
    assert_eq!(told, [&json!(null)], "that one is not in it any more");
    let title = &of("room", &left)[0]["room"]["title"];
    assert_eq!(title, "", "nothing of what a private room is by now");
    assert_eq!(of("event", &comes).len(), 1, "{heard:?}");
    node.stop().await;
}

/// Who writes in it is not asked again by a node that has just started: its state comes from the log alone.
#[tokio::test]
async fn without_the_database_rooms_in_use_go_on() {
    let node = Node::start().await;
    let [anna, ben] = node.people(["anna", "ben"]).await;
    let room = node.room(&anna, "letters", json!({"members": [ben.id]})).await;
    let mut socket = Socket::sign_in(&node, &ben).await;
    node.write(&anna, &room, "before").await.ok(202);
    socket.expect("message").await;
    node.stop_database().await;
    node.write(&anna, &room, "without").await.ok(202);
    assert_eq!(socket.expect("message").await["body"], "without");
    node.act(&anna, Method::DELETE, &room, &format!("/members/{}", ben.id)).await.ok(200);
    assert_eq!(socket.expect("event").await["event"]["kind"], "removed");
    node.write(&ben, &room, "still?").await.problem(403, "not_member");
    node.stop().await;
}
