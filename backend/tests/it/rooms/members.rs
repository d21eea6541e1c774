//! Coming and going: `join`, `leave`, `members`, `bans`, and what each may do.

use reqwest::Method;
use serde_json::{Value, json};

use super::kinds;
use crate::client::Answer;
use crate::node::{Node, User};

async fn add(node: &Node, by: &User, room: &str, whom: &[&User]) -> Answer {
    let users: Vec<&str> = whom.iter().map(|user| user.id.as_str()).collect();
    let path = format!("/api/v1/rooms/{room}/members");
    node.call(Method::POST, &path, Some(by), Some(&json!({"users": users}))).await
}

async fn role(node: &Node, by: &User, room: &str, whom: &User, role: &str) -> Answer {
    let path = format!("/api/v1/rooms/{room}/members/{}", whom.id);
    node.call(Method::PUT, &path, Some(by), Some(&json!({"role": role}))).await
}

async fn remove(node: &Node, by: &User, room: &str, whom: &User) -> Answer {
    node.act(by, Method::DELETE, room, &format!("/members/{}", whom.id)).await
}

async fn ban(node: &Node, by: &User, room: &str, whom: &User) -> Answer {
    node.act(by, Method::PUT, room, &format!("/bans/{}", whom.id)).await
}

#[tokio::test]
async fn people_come_and_go() {
    let node = Node::start().await;
    let [anna, ben, carl] = node.people(["anna", "ben", "carl"]).await;
    let room = node.room(&anna, "letters", json!({})).await;
    node.write(&ben, &room, "not yet").await.problem(403, "not_member");
    let joined = node.join(&ben, &room).await.ok(200);
    assert_eq!((&joined["room"]["role"], &joined["room"]["members"]), (&json!("member"), &json!(2)));
    assert_eq!(node.join(&ben, &room).await.ok(200)["position"], joined["position"], "in it already");
    node.write(&ben, &room, "hello").await.ok(202);
    add(&node, &ben, &room, &[&carl]).await.ok(200);
    let left = node.act(&ben, Method::POST, &room, "/leave").await.ok(200);
    assert_eq!((&left["room"]["role"], &left["room"]["members"]), (&json!(null), &json!(2)));
    node.write(&ben, &room, "still here?").await.problem(403, "not_member");
    node.events(&ben, &room).await.problem(403, "not_member");
    let events = node.events(&carl, &room).await.ok(200);
    assert_eq!(kinds(&events), ["room_created", "joined", "message", "members_added", "left"]);
    // What else happened is passed over where messages are asked for.
    let page = node.get(&carl, &format!("/api/v1/conversations/{room}/messages?limit=1")).await.ok(200);
    assert_eq!((&page["messages"][0]["body"], &page["has_before"]), (&json!("hello"), &json!(false)));
    node.act(&anna, Method::POST, &room, "/leave").await.problem(403, "last_owner");
    role(&node, &anna, &room, &carl, "owner").await.ok(200);
    node.act(&anna, Method::POST, &room, "/leave").await.ok(200);
    assert_eq!(node.get(&anna, &format!("/api/v1/rooms/{room}")).await.ok(200)["members"], 1);
    node.stop().await;
}

#[tokio::test]
async fn who_may_send_whom_away() {
    let node = Node::start().await;
    let [anna, ben, carl, dora] = node.people(["anna", "ben", "carl", "dora"]).await;
    let room = node.room(&anna, "letters", json!({"members": [ben.id, carl.id]})).await;
    remove(&node, &ben, &room, &carl).await.problem(403, "not_permitted");
    ban(&node, &ben, &room, &carl).await.problem(403, "not_permitted");
    role(&node, &ben, &room, &ben, "owner").await.problem(403, "not_permitted");
    role(&node, &anna, &room, &ben, "moderator").await.ok(200);
    remove(&node, &ben, &room, &carl).await.ok(200);
    remove(&node, &ben, &room, &anna).await.problem(403, "not_permitted");
    node.write(&carl, &room, "hey").await.problem(403, "not_member");
    // What needs a role is refused to whoever has none, in the room or not.
    for stranger in [&carl, &dora] {
        remove(&node, stranger, &room, &anna).await.problem(403, "not_permitted");
        ban(&node, stranger, &room, &ben).await.problem(403, "not_permitted");
        role(&node, stranger, &room, &ben, "member").await.problem(403, "not_permitted");
        add(&node, stranger, &room, &[&carl]).await.problem(403, "not_member");
    }
    node.join(&carl, &room).await.ok(200);
    ban(&node, &ben, &room, &carl).await.ok(200);
    ban(&node, &ben, &room, &dora).await.ok(200);
    node.join(&carl, &room).await.problem(403, "banned");
    node.join(&dora, &room).await.problem(403, "banned");
    assert_eq!(node.get(&carl, &format!("/api/v1/rooms/{room}")).await.ok(200)["banned"], true);
    node.act(&ben, Method::DELETE, &room, &format!("/bans/{}", carl.id)).await.ok(200);
    assert_eq!(node.join(&carl, &room).await.ok(200)["room"]["members"], 3);

    // What nobody may do to a room that is closed.
    let path = format!("/api/v1/rooms/{room}");
    node.call(Method::PATCH, &path, Some(&anna), Some(&json!({"archived": true}))).await.ok(200);
    node.write(&carl, &room, "anybody?").await.problem(403, "archived");
    node.call(Method::PATCH, &path, Some(&anna), Some(&json!({"archived": false}))).await.ok(200);
    node.write(&carl, &room, "anybody?").await.ok(202);
    node.stop().await;
}

/// Only whoever is in it, or may find it, hears who is in it.
#[tokio::test]
async fn members_are_named_to_whom_it_concerns() {
    let node = Node::start().await;
    let [anna, ben, carl] = node.people(["anna", "ben", "carl"]).await;
    let room = node.room(&anna, "hidden", json!({"visibility": "private", "members": [ben.id]})).await;
    let path = format!("/api/v1/rooms/{room}/members");
    let named = node.get(&ben, &path).await.ok(200);
    let members: Vec<(&Value, &Value)> = named["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|member| (&member["user"]["username"], &member["role"]))
        .collect();
    assert_eq!(members, [(&json!("anna"), &json!("owner")), (&json!("ben"), &json!("member"))]);
    assert_eq!((&named["total"], &named["next"]), (&json!(2), &json!(null)));
    node.get(&carl, &path).await.problem(404, "unknown_conversation");
    add(&node, &ben, &room, &[&carl]).await.ok(200);
    role(&node, &anna, &room, &carl, "moderator").await.ok(200);
    let pages = [None, Some(()), Some(())];
    let (mut names, mut next) = (Vec::new(), String::new());
    for page in pages {
        let after = page.map_or(String::new(), |()| format!("&after={next}"));
        let list = node.get(&carl, &format!("{path}?limit=1{after}")).await.ok(200);
        names.push(list["members"][0]["user"]["username"].as_str().unwrap().to_owned());
        next = list["next"].as_str().unwrap_or_default().to_owned();
    }
    assert_eq!((names, next.as_str()), (vec!["anna".to_owned(), "carl".to_owned(), "ben".to_owned()], ""));
    let found = node.get(&carl, &format!("{path}?q=BE")).await.ok(200);
    assert_eq!(found["members"].as_array().unwrap().len(), 1);
    // The server, which owns the first rooms, has a name too; nobody writes to it.
    let server = "00000000-0000-8000-8000-000000000001";
    let named = node.get(&anna, &format!("/api/v1/users/{server}")).await.ok(200);
    assert_eq!(named["display_name"], "Milena");
    let letter = json!({"body": "hello?"});
    let to = format!("/api/v1/users/{server}/messages");
    node.call(Method::POST, &to, Some(&anna), Some(&letter)).await.problem(404, "unknown_recipient");
    // Whoever went learns nothing more, however often they go.
    for _ in 0..2 {
        let left = node.act(&ben, Method::POST, &room, "/leave").await.ok(200);
        assert_eq!(left["room"], json!(null));
    }
    node.stop().await;
}
