//! Messages of a conversation over REST, page by page.

use reqwest::Method;
use serde_json::{Value, json};

use super::{bodies, send};
use crate::node::Node;

#[tokio::test]
async fn a_message_is_sent_listed_read_and_paged() {
    let node = Node::start().await;
    let (anna, ben, carl) =
        (node.register("anna").await, node.register("ben").await, node.register("carl").await);
    let first = send(&node, &anna, &ben, Some("k-1"), "m0").await.ok(202);
    assert_eq!(first["client_id"], "k-1");
    let conversation = first["conversation"].as_str().unwrap();
    let path = format!("/api/v1/conversations/{conversation}");
    for number in 1..6 {
        let answer = node
            .call(
                Method::POST,
                &format!("{path}/messages"),
                Some(&anna),
                Some(&json!({"body": format!("m{number}")})),
            )
            .await
            .ok(202);
        assert_eq!(answer["conversation"], conversation);
        assert!(!answer["client_id"].as_str().unwrap().is_empty());
    }

    let page = node.get(&ben, &format!("{path}/messages?limit=2")).await.ok(200);
    assert_eq!(
        (bodies(&page), &page["has_before"], &page["has_after"]),
        (vec!["m4", "m5"], &json!(true), &json!(false))
    );
    assert_eq!(page["complete"], true);
    let newest = &page["messages"][1];
    assert_eq!(
        (&newest["sender"], &newest["to"], &newest["kind"]),
        (&json!(anna.id), &json!(ben.id), &json!("direct"))
    );
    assert!(newest.get("client_id").is_none(), "only to its sender");
    let own = node.get(&anna, &format!("{path}/messages?limit=1")).await.ok(200);
    assert!(own["messages"][0]["client_id"].is_string());

    let at = |index: usize| page["messages"][index]["position"].as_u64().unwrap();
    let older = node.get(&ben, &format!("{path}/messages?before={}&limit=100", at(0))).await.ok(200);
    assert_eq!((bodies(&older), &older["has_before"]), (vec!["m0", "m1", "m2", "m3"], &json!(false)));
    let newer = node.get(&ben, &format!("{path}/messages?after={}", first["position"])).await.ok(200);
    assert_eq!(bodies(&newer), ["m1", "m2", "m3", "m4", "m5"]);
    let around = node.get(&ben, &format!("{path}/messages?around={}&limit=2", at(0))).await.ok(200);
    assert!(bodies(&around).contains(&"m4"));

    let list = node.get(&ben, "/api/v1/conversations").await.ok(200);
    let entry = &list["conversations"][0];
    assert_eq!(
        (&entry["id"], &entry["unread"], &entry["person"]["username"], &entry["last_message"]["body"]),
        (&json!(conversation), &json!(6), &json!("anna"), &json!("m5"))
    );
    assert_eq!(
        (&list["next"], &list["complete"], &entry["kind"]),
        (&Value::Null, &json!(true), &json!("direct"))
    );
    node.call(Method::PUT, &format!("{path}/read"), Some(&ben), Some(&json!({"position": at(1)})))
        .await
        .ok(204);
    let entry = node.get(&ben, &path).await.ok(200);
    assert_eq!((&entry["unread"], &entry["last_read"]), (&json!(0), &json!(at(1))));
    let sender = node.get(&anna, &path).await.ok(200);
    assert_eq!((&sender["other_last_read"], &entry["other_last_read"]), (&json!(at(1)), &json!(0)));

    // Nobody else: and it looks as if there was nothing.
    for (method, path, body) in [
        (Method::GET, path.clone(), None),
        (Method::GET, format!("{path}/messages"), None),
        (Method::POST, format!("{path}/messages"), Some(json!({"body": "let me in"}))),
        (Method::PUT, format!("{path}/read"), Some(json!({"position": 1}))),
    ] {
        node.call(method, &path, Some(&carl), body.as_ref()).await.problem(404, "unknown_conversation");
    }
    assert_eq!(node.get(&carl, "/api/v1/conversations").await.ok(200)["conversations"], json!([]));
    node.stop().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_named() {
    let node = Node::start().await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let to_ben = format!("/api/v1/users/{}/messages", ben.id);
    for (body, detail) in [
        (json!({}), "body is missing"),
        (json!({"body": 5}), "body must be a string, not a number"),
        (json!({"body": ""}), "body must be 1 to 8000 characters (got 0)"),
        (json!({"body": "x".repeat(8_001)}), "body must be 1 to 8000 characters (got 8001)"),
        (json!({"body": "a\0b"}), "body must not contain the character U+0000"),
    ] {
        node.call(Method::POST, &to_ben, Some(&anna), Some(&body)).await.field("body", detail);
    }
    node.call(Method::POST, &to_ben, Some(&anna), Some(&json!({"body": "\u{1F600}".repeat(8_000)})))
        .await
        .ok(202);
    node.call(Method::POST, "/api/v1/users/ben/messages", Some(&anna), Some(&json!({"body": "x"})))
        .await
        .field("id", "id must be a UUID");
    let nobody = format!("/api/v1/users/{}/messages", uuid::Uuid::now_v7());
    node.call(Method::POST, &nobody, Some(&anna), Some(&json!({"body": "x"})))
        .await
        .problem(404, "unknown_recipient");

    let accepted = send(&node, &anna, &ben, None, "x").await.ok(202);
    let path = format!("/api/v1/conversations/{}", accepted["conversation"].as_str().unwrap());
    for (query, field, detail) in [
        ("limit=0", "limit", "limit must be 1 to 100"),
        ("limit=101", "limit", "limit must be 1 to 100"),
        ("limit=x", "limit", "limit must be 1 to 100"),
        ("before=-1", "before", "before must be a position: a whole number from 0 to 9007199254740991"),
        (
            "after=9007199254740992",
            "after",
            "after must be a position: a whole number from 0 to 9007199254740991",
        ),
        ("before=1&after=2", "after", "after cannot be combined with before or around"),
        ("before=1&around=2", "around", "around cannot be combined with before or after"),
    ] {
        node.get(&anna, &format!("{path}/messages?{query}")).await.field(field, detail);
    }
    node.get(&anna, "/api/v1/conversations?limit=501").await.field("limit", "limit must be 1 to 500");
    node.get(&anna, "/api/v1/conversations?before=x")
        .await
        .field("before", "before must be `next` of an earlier answer");
    let read = format!("{path}/read");
    for (body, detail) in [
        (json!({}), "position is missing"),
        (json!({"position": "1"}), "position must be a number, not a string"),
        (json!({"position": -1}), "position must be a whole number from 0"),
        (json!({"position": 1.5}), "position must be a whole number from 0"),
        (json!({"position": 9_007_199_254_740_992_u64}), "position must be at most 9007199254740991"),
    ] {
        node.call(Method::PUT, &read, Some(&anna), Some(&body)).await.field("position", detail);
    }
    node.stop().await;
}
