//! Who has read a message, and who does not let others know; what an edited message said before.

use reqwest::Method;
use serde_json::{Value, json};

use crate::node::{Node, User};
use crate::rooms::hear;
use crate::socket::Socket;

async fn said(node: &Node, by: &User, path: &str, body: &str) -> (String, Value) {
    let path = format!("/api/v1/{path}/messages");
    let accepted = node.call(Method::POST, &path, Some(by), Some(&json!({"body": body}))).await.ok(202);
    (accepted["conversation"].as_str().unwrap().to_owned(), accepted["position"].clone())
}

async fn read(node: &Node, by: &User, conversation: &str, position: &Value) {
    let path = format!("/api/v1/conversations/{conversation}/read");
    node.call(Method::PUT, &path, Some(by), Some(&json!({"position": position}))).await.ok(204);
}

async fn readers(node: &Node, by: &User, conversation: &str, position: &Value) -> Vec<String> {
    let path = format!("/api/v1/conversations/{conversation}/messages/{position}/readers");
    let answer = node.get(by, &path).await.ok(200);
    let people = answer["readers"].as_array().unwrap().iter();
    people.map(|reader| reader["user"].as_str().unwrap().to_owned()).collect()
}

async fn show_receipts(node: &Node, by: &User, shows: bool) {
    let body = json!({"show_receipts": shows});
    let me = node.call(Method::PATCH, "/api/v1/me", Some(by), Some(&body)).await.ok(200);
    assert_eq!(me["show_receipts"], shows);
    assert_eq!(node.get(by, "/api/v1/me").await.ok(200)["show_receipts"], shows);
}

/// What comes until a `pong`, of this type.
async fn heard(socket: &mut Socket, kind: &str) -> Vec<Value> {
    socket.say(&json!({"type": "ping"})).await;
    let mut found = Vec::new();
    loop {
        match hear(socket).await {
            (of, _) if of == "pong" => return found,
            (of, frame) if of == kind => found.push(frame),
            _ => {}
        }
    }
}

#[tokio::test]
async fn members_of_small_rooms_know_who_has_read_what_unless_somebody_hides_it() {
    let node = Node::start().await;
    let [anna, ben, eve, joe] = node.people(["anna", "ben", "eve", "joe"]).await;
    let room = node.room(&anna, "letters", json!({"members": [ben.id, eve.id]})).await;
    let path = format!("conversations/{room}");
    let (_, one) = said(&node, &anna, &path, "one").await;
    let (_, two) = said(&node, &anna, &path, "two").await;
    let (mut of_anna, mut of_eve) = (Socket::sign_in(&node, &anna).await, Socket::sign_in(&node, &eve).await);
    assert!(readers(&node, &anna, &room, &one).await.is_empty());
    read(&node, &ben, &room, &one).await;
    for socket in [&mut of_anna, &mut of_eve] {
        let seen = heard(socket, "seen").await;
        assert_eq!(seen.len(), 1);
        let (of, by, place) = (&seen[0]["conversation"], &seen[0]["user"], &seen[0]["position"]);
        assert_eq!((of, by, place), (&json!(room), &json!(ben.id), &one));
    }
    for stored in [false, true] {
        if stored {
            node.store_all().await;
        }
        assert_eq!(readers(&node, &anna, &room, &one).await, [ben.id.as_str()], "stored: {stored}");
        assert!(readers(&node, &anna, &room, &two).await.is_empty());
    }
    // Who writes has read; an author is not among the readers of their own.
    let (_, three) = said(&node, &eve, &path, "three").await;
    let mut both = [ben.id.clone(), eve.id.clone()];
    both.sort();
    assert_eq!(readers(&node, &anna, &room, &one).await, both);
    assert_eq!(readers(&node, &ben, &room, &two).await, [eve.id.as_str()]);

    show_receipts(&node, &ben, false).await;
    assert_eq!(readers(&node, &anna, &room, &one).await, [eve.id.as_str()], "what he had read, too");
    assert!(readers(&node, &ben, &room, &one).await.is_empty(), "nor does he see others'");
    read(&node, &ben, &room, &three).await;
    assert!(heard(&mut of_anna, "seen").await.is_empty());
    let mut of_ben = Socket::sign_in(&node, &ben).await;
    read(&node, &eve, &room, &three).await;
    assert!(heard(&mut of_ben, "seen").await.is_empty());
    assert_eq!(heard(&mut of_anna, "seen").await.len(), 1);
    show_receipts(&node, &ben, true).await;
    assert_eq!(readers(&node, &anna, &room, &one).await, both);

    let readers_of = |position: &Value| format!("/api/v1/{path}/messages/{position}/readers");
    node.get(&joe, &readers_of(&one)).await.problem(403, "not_member");
    node.get(&ben, &readers_of(&json!(1))).await.problem(404, "not_found");
    let gone = format!("/api/v1/{path}/messages/{one}");
    node.call(Method::DELETE, &gone, Some(&anna), None).await.ok(200);
    node.get(&ben, &readers_of(&one)).await.problem(404, "not_found");
    node.stop().await;
}

#[tokio::test]
async fn between_two_people_a_mark_is_told_if_both_let_it() {
    let node = Node::start().await;
    let [anna, ben] = node.people(["anna", "ben"]).await;
    let (mut of_anna, mut of_ben) = (Socket::sign_in(&node, &anna).await, Socket::sign_in(&node, &ben).await);
    let to_ben = format!("users/{}", ben.id);
    let (conversation, one) = said(&node, &anna, &to_ben, "one").await;
    let other_last_read = async |user: &User| {
        let entry = node.get(user, &format!("/api/v1/conversations/{conversation}")).await.ok(200);
        entry["other_last_read"].clone()
    };
    read(&node, &ben, &conversation, &one).await;
    assert_eq!(heard(&mut of_anna, "seen").await.len(), 1);
    assert_eq!(readers(&node, &anna, &conversation, &one).await, [ben.id.as_str()]);
    assert_eq!(other_last_read(&anna).await, one);
    for hides in [&ben, &anna] {
        show_receipts(&node, hides, false).await;
        let (_, next) = said(&node, &anna, &to_ben, "next").await;
        read(&node, &ben, &conversation, &next).await;
        assert!(heard(&mut of_anna, "seen").await.is_empty());
        assert!(!heard(&mut of_ben, "read").await.is_empty(), "one's own other sockets know");
        assert_eq!(other_last_read(&anna).await, json!(0));
        assert!(readers(&node, &anna, &conversation, &one).await.is_empty());
        show_receipts(&node, hides, true).await;
        assert_eq!(other_last_read(&anna).await, next);
    }
    let body = json!({"show_receipts": "no"});
    let answer = node.call(Method::PATCH, "/api/v1/me", Some(&ben), Some(&body)).await;
    answer.field("show_receipts", "show_receipts must be true or false, not a string");
    node.stop().await;
}

#[tokio::test]
async fn what_messages_said_before_is_kept_for_authors_and_moderators() {
    let node = Node::start_with(|settings| settings.chat.keep_edits = true).await;
    let [anna, ben, eve] = node.people(["anna", "ben", "eve"]).await;
    let members = json!({"members": [ben.id, eve.id]});
    let room = node.room(&anna, "letters", members).await;
    let path = format!("conversations/{room}");
    let (_, one) = said(&node, &ben, &path, "first").await;
    let message = format!("/api/v1/{path}/messages/{one}");
    let edit = async |body: &str| {
        let body = json!({"body": body});
        node.call(Method::PATCH, &message, Some(&ben), Some(&body)).await.ok(200)["position"].clone()
    };
    let edits = async |user: &User, query: &str| {
        let answer = node.get(user, &format!("{message}/edits{query}")).await.ok(200);
        let edits = answer["edits"].as_array().unwrap().iter();
        let said: Vec<_> = edits.map(|edit| edit["body"].as_str().unwrap().to_owned()).collect();
        (said, answer["has_before"].as_bool().unwrap())
    };
    for stored in [false, true] {
        if stored {
            node.store_all_keeping_edits().await;
        }
        assert_eq!(edits(&ben, "").await, (vec!["first".to_owned()], false));
    }
    edit("second").await;
    edit("third").await;
    for stored in [false, true] {
        if stored {
            node.store_all_keeping_edits().await;
        }
        for user in [&ben, &anna] {
            assert_eq!(edits(user, "").await.0, ["first", "second", "third"], "stored: {stored}");
        }
        node.get(&eve, &format!("{message}/edits")).await.problem(403, "not_permitted");
    }
    let fourth = edit("fourth").await;
    assert_eq!(edits(&ben, "").await.0, ["first", "second", "third", "fourth"], "of both");
    assert_eq!(edits(&ben, "?limit=2").await, (vec!["third".to_owned(), "fourth".to_owned()], true));
    assert_eq!(edits(&ben, &format!("?limit=2&before={fourth}")).await.0, ["second", "third"]);
    // A deletion empties it at once, before and after it is stored.
    node.call(Method::DELETE, &message, Some(&ben), None).await.ok(200);
    for stored in [false, true] {
        if stored {
            node.store_all_keeping_edits().await;
            let (kept, _) =
                node.store().edits_of(room.parse().unwrap(), place(&one), None, 10).await.unwrap();
            assert!(kept.is_empty(), "{kept:?}");
        }
        node.get(&ben, &format!("{message}/edits")).await.problem(404, "not_found");
    }
    node.stop().await;

    let node = Node::start().await;
    let anna = node.register("anna").await;
    let room = node.room(&anna, "letters", json!({})).await;
    let (_, one) = said(&node, &anna, &format!("conversations/{room}"), "first").await;
    let edits = format!("/api/v1/conversations/{room}/messages/{one}/edits");
    node.get(&anna, &edits).await.problem(404, "not_found");
    node.stop().await;
}

fn place(position: &Value) -> milena_domain::Position {
    milena_domain::Position::from_u64(position.as_u64().unwrap()).unwrap()
}
