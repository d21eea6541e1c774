//! `GET conversations/{id}/events`: all that happened in a room, page by page, to its first event.

use reqwest::Method;
use serde_json::{Value, json};

use super::kinds;
use crate::node::{Node, User};

/// The pages from here on, in the order in which they are asked for; each is oldest first.
async fn pages(node: &Node, user: &User, room: &str, direction: &str, from: Option<u64>) -> Vec<Vec<Value>> {
    let (mut pages, mut from): (Vec<Vec<Value>>, _) = (Vec::new(), from);
    loop {
        let place = from.map_or(String::new(), |from| format!("&{direction}={from}"));
        let path = format!("/api/v1/conversations/{room}/events?limit=10{place}");
        let page = node.get(user, &path).await.ok(200);
        assert_eq!(page["complete"], true);
        let events = page["events"].as_array().unwrap().clone();
        let has_more = page[format!("has_{direction}")] == true;
        let edge = if direction == "before" { events.first() } else { events.last() };
        from = edge.and_then(|event| event["position"].as_u64());
        assert!(!has_more || events.len() == 10, "a page before the last one is full");
        pages.push(events);
        if !has_more {
            return pages;
        }
    }
}

#[tokio::test]
async fn a_room_is_read_back_to_its_creation_and_forth_again() {
    let node = Node::start().await;
    let [anna, ben, carl] = node.people(["anna", "ben", "carl"]).await;
    let room = node.room(&anna, "letters", json!({"members": [ben.id]})).await;
    for number in 0..15 {
        node.write(&anna, &room, &number.to_string()).await.ok(202);
        // Every third time something else happens, too.
        match number % 3 {
            0 => node.join(&carl, &room).await.ok(200),
            1 => node.act(&carl, Method::POST, &room, "/leave").await.ok(200),
            _ => node.write(&ben, &room, "yes").await.ok(202),
        };
    }
    let all = node.events(&ben, &room).await.ok(200);
    let expected = all["events"].as_array().unwrap().clone();
    assert_eq!((expected.len(), kinds(&all)[0]), (31, "room_created"));

    let back = pages(&node, &ben, &room, "before", None).await;
    assert_eq!(back.iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 10, 1]);
    assert_eq!(
        back.into_iter().rev().flatten().collect::<Vec<_>>(),
        expected,
        "nothing twice, nothing left out"
    );
    let forth = pages(&node, &ben, &room, "after", Some(0)).await;
    let first = expected[0]["position"].as_u64().unwrap();
    let forth: Vec<Value> = forth.into_iter().flatten().collect();
    // Positions of the first epoch begin far above 0.
    assert!(first > 0);
    assert_eq!(forth, expected);
    node.stop().await;
}

/// The time before them ends their pages, and their own coming is the first of it.
#[tokio::test]
async fn who_sees_only_their_own_time_reads_back_to_their_coming() {
    let node = Node::start().await;
    let [anna, ben] = node.people(["anna", "ben"]).await;
    let room = node.room(&anna, "letters", json!({"history": "since_join"})).await;
    for number in 0..12 {
        node.write(&anna, &room, &format!("before {number}")).await.ok(202);
    }
    node.join(&ben, &room).await.ok(200);
    for number in 0..12 {
        node.write(&anna, &room, &format!("after {number}")).await.ok(202);
    }
    let back: Vec<Value> =
        pages(&node, &ben, &room, "before", None).await.into_iter().rev().flatten().collect();
    assert_eq!((back.len(), &back[0]["kind"]), (13, &json!("joined")));
    assert!(back[1..].iter().zip(0..).all(|(event, number)| event["body"] == format!("after {number}")));
    node.stop().await;
}
