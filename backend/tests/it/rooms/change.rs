//! `PATCH rooms/{id}`.

use reqwest::Method;
use serde_json::json;

use super::{kinds, until_event};
use crate::node::Node;
use crate::socket::Socket;

#[tokio::test]
async fn a_room_is_changed_by_those_who_may_and_all_hear_of_it() {
    let node = Node::start().await;
    let [anna, ben] = node.people(["anna", "ben"]).await;
    let room = node.room(&anna, "letters", json!({"members": [ben.id]})).await;
    let mut socket = Socket::sign_in(&node, &ben).await;
    let path = format!("/api/v1/rooms/{room}");
    let change = |user, body| {
        let (node, path) = (&node, path.as_str());
        async move { node.call(Method::PATCH, path, Some(user), Some(&body)).await }
    };
    change(&ben, json!({"title": "Mine"})).await.problem(403, "not_permitted");
    let changed = change(&anna, json!({"handle": "post", "title": "Post", "topic": "t"})).await.ok(200);
    let facts = &changed["room"];
    assert_eq!(
        (&facts["handle"], &facts["title"], &facts["topic"], &facts["visibility"]),
        (&json!("post"), &json!("Post"), &json!("t"), &json!("public"))
    );
    let event = until_event(&mut socket, "room_changed").await;
    assert_eq!((&event["title"], &event["actor"]), (&json!("Post"), &json!(anna.id)));
    assert!(event.get("visibility").is_none(), "what stays is not named: {event}");
    let told = socket.expect("room").await;
    assert_eq!((&told["room"]["title"], &told["room"]["role"]), (&json!("Post"), &json!("member")));
    node.get(&ben, "/api/v1/rooms/by-handle/post").await.ok(200);
    node.get(&ben, "/api/v1/rooms/by-handle/letters").await.problem(404, "unknown_conversation");
    node.create_room(&ben, "letters", json!({})).await.ok(201);
    change(&anna, json!({"handle": "letters"})).await.problem(409, "handle_taken");
    change(&anna, json!({})).await.problem(400, "invalid_field");
    change(&anna, json!({"posting": "moderators"})).await.ok(200);
    node.write(&ben, &room, "may I?").await.problem(403, "not_permitted");
    let events = node.events(&ben, &room).await.ok(200);
    assert_eq!(kinds(&events), ["room_created", "room_changed", "room_changed"]);
    node.stop().await;
}
