//! Lists of messages apart from their conversations: pins, where one is named, who has reacted. The same from
//! memory, from the store, and from both.

use reqwest::Method;
use serde_json::{Value, json};

use crate::node::{Node, User};
use crate::rooms::hear;
use crate::socket::Socket;

async fn said(node: &Node, by: &User, room: &str, body: Value) -> Value {
    let path = format!("/api/v1/conversations/{room}/messages");
    let accepted = node.call(Method::POST, &path, Some(by), Some(&body)).await.ok(202);
    accepted["position"].clone()
}

async fn change(node: &Node, by: &User, method: Method, room: &str, rest: &str, body: Option<Value>) {
    let path = format!("/api/v1/conversations/{room}/messages/{rest}");
    node.call(method, &path, Some(by), body.as_ref()).await.ok(200);
}

async fn places(node: &Node, by: &User, path: &str) -> Value {
    let answer = node.get(by, &format!("/api/v1/{path}")).await.ok(200);
    let messages = answer["messages"].as_array().unwrap();
    Value::Array(messages.iter().map(|message| message["position"].clone()).collect())
}

async fn mentions(node: &Node, by: &User, room: &str) -> (Value, Value) {
    let listed = node.get(by, "/api/v1/conversations").await.ok(200)["conversations"].clone();
    let listed = listed.as_array().unwrap().iter().find(|entry| entry["id"] == room).unwrap().clone();
    let one = node.get(by, &format!("/api/v1/conversations/{room}")).await.ok(200);
    assert_eq!((&listed["unread"], &listed["mentions"]), (&one["unread"], &one["mentions"]));
    (listed["unread"].clone(), listed["mentions"].clone())
}

#[tokio::test]
async fn pins_and_reactions_are_listed_from_memory_and_store() {
    let node = Node::start().await;
    let [anna, ben, eve] = node.people(["anna", "ben", "eve"]).await;
    let room = node.room(&anna, "letters", json!({"members": [ben.id]})).await;
    let one = said(&node, &anna, &room, json!({"body": "one"})).await;
    let two = said(&node, &anna, &room, json!({"body": "two"})).await;
    let pins = format!("conversations/{room}/pins");
    for place in [&two, &one] {
        change(&node, &anna, Method::PUT, &room, &format!("{place}/pin"), None).await;
    }
    for user in [&anna, &ben] {
        change(&node, user, Method::PUT, &room, &format!("{one}/reactions/%F0%9F%91%8D"), None).await;
    }
    let reactions = format!("/api/v1/conversations/{room}/messages/{one}/reactions");
    let people = async |user: &User, query: &str| {
        let answer = node.get(user, &format!("{reactions}?{query}")).await.ok(200);
        let people = answer["reactions"].as_array().unwrap().iter();
        let people: Vec<_> = people.map(|put| put["user"].as_str().unwrap().to_owned()).collect();
        (people, answer["next"].clone())
    };
    for stored in [false, true] {
        if stored {
            node.store_all().await;
        }
        assert_eq!(places(&node, &ben, &pins).await, json!([one, two]), "stored: {stored}");
        assert_eq!(places(&node, &ben, &format!("{pins}?limit=1")).await, json!([one]));
        assert_eq!(people(&ben, "").await, (vec![anna.id.clone(), ben.id.clone()], Value::Null));
        let (first, next) = people(&ben, "limit=1").await;
        assert_eq!(first, [anna.id.as_str()]);
        let rest = people(&ben, &format!("limit=1&after={}", next.as_str().unwrap())).await;
        assert_eq!(rest, (vec![ben.id.clone()], Value::Null));
    }
    // Beyond the store: one pin less, one more; one reaction less, one more.
    let three = said(&node, &ben, &room, json!({"body": "three"})).await;
    change(&node, &ben, Method::PUT, &room, &format!("{three}/pin"), None).await;
    change(&node, &ben, Method::DELETE, &room, &format!("{one}/pin"), None).await;
    change(&node, &anna, Method::DELETE, &room, &format!("{one}/reactions/%F0%9F%91%8D"), None).await;
    change(&node, &ben, Method::PUT, &room, &format!("{one}/reactions/%E2%9D%A4"), None).await;
    for stored in [false, true] {
        if stored {
            node.store_all().await;
        }
        assert_eq!(places(&node, &ben, &pins).await, json!([three, two]), "stored: {stored}");
        assert_eq!(people(&ben, "").await.0, [ben.id.as_str(), ben.id.as_str()]);
        assert_eq!(people(&ben, "emoji=%E2%9D%A4").await.0, [ben.id.as_str()]);
        assert!(people(&ben, "emoji=%F0%9F%98%82").await.0.is_empty());
    }
    change(&node, &anna, Method::DELETE, &room, &two.to_string(), None).await;
    assert_eq!(places(&node, &ben, &pins).await, json!([three]), "what was deleted is gone");
    let of = |place: &Value| format!("/api/v1/conversations/{room}/messages/{place}/reactions");
    for place in [&two, &json!(1)] {
        node.get(&ben, &of(place)).await.problem(404, "not_found");
    }
    node.get(&eve, &format!("/api/v1/{pins}")).await.problem(403, "not_member");
    node.get(&eve, &reactions).await.problem(403, "not_member");
    node.stop().await;
}

/// A room that shows members only the time of their own.
#[tokio::test]
async fn nobody_is_listed_what_they_may_not_see() {
    let node = Node::start().await;
    let [anna, ben] = node.people(["anna", "ben"]).await;
    let room = node.room(&anna, "private", json!({"history": "since_join"})).await;
    let before = said(&node, &anna, &room, json!({"body": "before", "mentions": [ben.id]})).await;
    change(&node, &anna, Method::PUT, &room, &format!("{before}/pin"), None).await;
    node.join(&ben, &room).await.ok(200);
    let after = said(&node, &anna, &room, json!({"body": "after", "mentions": [ben.id]})).await;
    change(&node, &anna, Method::PUT, &room, &format!("{after}/pin"), None).await;
    let pins = format!("conversations/{room}/pins");
    let reactions = format!("/api/v1/conversations/{room}/messages/{before}/reactions");
    for stored in [false, true] {
        if stored {
            node.store_all().await;
        }
        assert_eq!(places(&node, &ben, &pins).await, json!([after]), "stored: {stored}");
        assert_eq!(places(&node, &ben, "mentions").await, json!([after]));
        node.get(&ben, &reactions).await.problem(404, "not_found");
        assert_eq!(mentions(&node, &ben, &room).await, (json!(1), json!(1)));
    }
    node.act(&ben, Method::POST, &room, "/leave").await.ok(200);
    for stored in [false, true] {
        if stored {
            node.store_all().await;
        }
        assert_eq!(places(&node, &ben, "mentions").await, json!([]), "whoever went sees nothing");
    }
    node.stop().await;
}

#[tokio::test]
async fn mentions_are_listed_counted_and_told_to_those_newly_named() {
    let node = Node::start().await;
    let [anna, ben, eve] = node.people(["anna", "ben", "eve"]).await;
    let room = node.room(&anna, "letters", json!({"members": [ben.id, eve.id]})).await;
    let other = node.room(&anna, "other", json!({"members": [ben.id]})).await;
    let mut of_ben = Socket::sign_in(&node, &ben).await;
    let one = said(&node, &anna, &room, json!({"body": "one", "mentions": [ben.id]})).await;
    let two = said(&node, &anna, &other, json!({"body": "two", "mentions": [ben.id]})).await;
    let three = said(&node, &anna, &room, json!({"body": "three"})).await;
    for stored in [false, true] {
        if stored {
            node.store_all().await;
        }
        assert_eq!(places(&node, &ben, "mentions").await, json!([two, one]), "stored: {stored}");
        let first = node.get(&ben, "/api/v1/mentions?limit=1").await.ok(200);
        let next = first["next"].as_str().unwrap();
        assert_eq!(places(&node, &ben, &format!("mentions?limit=1&before={next}")).await, json!([one]));
        assert_eq!(mentions(&node, &ben, &room).await, (json!(2), json!(1)));
        assert_eq!(mentions(&node, &eve, &room).await, (json!(2), json!(0)));
    }
    // Edits name anew: ben in the third and no more in the first, eve in both.
    let edit = |mentions: Value| json!({"body": "again", "mentions": mentions});
    change(&node, &anna, Method::PATCH, &room, &three.to_string(), Some(edit(json!([ben.id])))).await;
    change(&node, &anna, Method::PATCH, &room, &three.to_string(), Some(edit(json!([eve.id, ben.id])))).await;
    change(&node, &anna, Method::PATCH, &room, &one.to_string(), Some(edit(json!([eve.id])))).await;
    let mut names = Vec::new();
    while names.len() < 3 {
        let (of, frame) = hear(&mut of_ben).await;
        if of == "edited" {
            names.push((frame["named"].clone(), frame["unnamed"].clone()));
        }
    }
    let nobody = Value::Null;
    assert_eq!(names[0], (json!([ben.id]), nobody.clone()));
    assert_eq!(names[1], (json!([eve.id]), nobody), "whoever was named already is not told again");
    assert_eq!(names[2], (json!([eve.id]), json!([ben.id])));
    for stored in [false, true] {
        if stored {
            node.store_all().await;
        }
        assert_eq!(places(&node, &ben, "mentions").await, json!([three, two]), "stored: {stored}");
        assert_eq!(mentions(&node, &ben, &room).await, (json!(2), json!(1)));
        assert_eq!(mentions(&node, &eve, &room).await, (json!(2), json!(2)));
    }
    change(&node, &anna, Method::DELETE, &room, &three.to_string(), None).await;
    assert_eq!(mentions(&node, &eve, &room).await.1, json!(1));
    // Whoever writes has read.
    said(&node, &eve, &room, json!({"body": "yes"})).await;
    assert_eq!(mentions(&node, &eve, &room).await, (json!(0), json!(0)));
    said(&node, &anna, &room, json!({"body": "four", "mentions": [eve.id]})).await;
    for stored in [false, true] {
        if stored {
            node.store_all().await;
        }
        assert_eq!(mentions(&node, &eve, &room).await, (json!(1), json!(1)), "stored: {stored}");
    }
    node.get(&ben, "/api/v1/mentions?before=x")
        .await
        .field("before", "before must be `next` of an earlier answer");
    node.stop().await;
}

#[tokio::test]
async fn what_was_sent_too_long_ago_is_not_edited() {
    let node = Node::start_with(|settings| settings.chat.edit_limit_seconds = 1).await;
    let [anna, ben] = node.people(["anna", "ben"]).await;
    let room = node.room(&anna, "letters", json!({"members": [ben.id]})).await;
    let one = said(&node, &anna, &room, json!({"body": "one"})).await;
    let body = json!({"body": "again"});
    change(&node, &anna, Method::PATCH, &room, &one.to_string(), Some(body.clone())).await;
    let path = format!("/api/v1/conversations/{room}/messages/{one}");
    let refused = async |node: &Node| {
        let answer = node.call(Method::PATCH, &path, Some(&anna), Some(&body)).await;
        (answer.status == 403).then_some(answer)
    };
    node.until(refused).await.problem(403, "edit_too_late");
    change(&node, &ben, Method::PUT, &room, &format!("{one}/pin"), None).await;
    change(&node, &anna, Method::DELETE, &room, &one.to_string(), None).await;
    let limits = node.get(&anna, "/api/v1/bootstrap").await.ok(200)["limits"].clone();
    assert_eq!((&limits["edit_limit_ms"], &limits["pins_max"]), (&json!(1_000), &json!(100)));
    node.stop().await;
}
