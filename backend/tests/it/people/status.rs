//! What somebody says of themselves for a while, and who sees it.

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::Answer;
use crate::node::{Node, User};
use crate::socket::Socket;

const STATUS: &str = "/api/v1/me/status";

async fn say(node: &Node, user: &User, body: Value) -> Answer {
    node.call(Method::PUT, STATUS, Some(user), Some(&body)).await
}

/// What `user` says, as `viewer` sees it in the person's own place.
async fn seen(node: &Node, viewer: &User, user: &User) -> Option<Value> {
    let person = node.get(viewer, &format!("/api/v1/users/{}", user.id)).await.ok(200);
    person.get("status").cloned()
}

#[tokio::test]
async fn what_is_wrong_is_named_with_its_limit() {
    let node = Node::start().await;
    let anna = node.register("anna").await;
    assert_eq!(node.get(&anna, STATUS).await.ok(200), json!({"status": null}));
    for (body, field, problem) in [
        (json!({}), "text", "is missing; give text, an emoji, or both"),
        (json!({"text": "x".repeat(101)}), "text", "must be at most 100 characters (got 101)"),
        (json!({"text": "a\nb"}), "text", "must be one line without control characters"),
        (json!({"text": 5}), "text", "must be a string, not a number"),
        (json!({"emoji": "away"}), "emoji", "must be an emoji"),
        (json!({"text": "a", "until": "2020-01-01T00:00:00Z"}), "until", "must be in the future"),
    ] {
        say(&node, &anna, body).await.field(field, &format!("{field} {problem}"));
    }
    assert_eq!(node.get(&anna, STATUS).await.ok(200), json!({"status": null}));
    node.stop().await;
}

#[tokio::test]
async fn who_may_see_somebody_sees_what_they_say() {
    let node = Node::start().await;
    let [anna, ben, eve] = node.people(["anna", "ben", "eve"]).await;
    let room = node.room(&anna, "letters", json!({"members": [ben.id]})).await;
    let mut annas = Socket::sign_in(&node, &anna).await;
    annas.say(&json!({"type": "watch", "users": [ben.id]})).await;
    let watched = annas.expect("presence").await;
    assert_eq!(watched["users"], json!([{"user": ben.id, "state": "offline", "status": null}]));

    let until = "2999-11-29T12:00:00.000Z";
    let status = json!({"emoji": "🌴", "text": "On holiday", "until": until});
    let given = json!({"emoji": "🌴", "text": " On holiday ", "until": until});
    assert_eq!(say(&node, &ben, given).await.ok(200), json!({"status": status}));
    // Live to who watches him, and wherever he is shown.
    let told = annas.expect("presence").await;
    assert_eq!(told["users"], json!([{"user": ben.id, "state": "offline", "status": status}]));
    assert_eq!(seen(&node, &anna, &ben).await.as_ref(), Some(&status));
    let found = node.get(&anna, "/api/v1/users?query=ben").await.ok(200);
    assert_eq!(found["users"][0]["status"], status);
    let members = async |viewer: &User| {
        let members = node.get(viewer, &format!("/api/v1/rooms/{room}/members")).await.ok(200);
        let members = members["members"].as_array().unwrap().clone();
        members.into_iter().find(|member| member["user"]["id"] == json!(ben.id)).unwrap()["user"].clone()
    };
    assert_eq!(members(&anna).await["status"], status);
    assert_eq!(node.get(&ben, "/api/v1/bootstrap").await.ok(200)["me"]["status"], status);
    // She shares nothing with him.
    assert_eq!(seen(&node, &eve, &ben).await, None);
    assert_eq!(members(&eve).await.get("status"), None);
    let found = node.get(&eve, "/api/v1/users?query=ben").await.ok(200);
    assert_eq!(found["users"][0].get("status"), None);
    let mut eves = Socket::sign_in(&node, &eve).await;
    eves.say(&json!({"type": "watch", "users": [ben.id]})).await;
    let watched = eves.expect("presence").await;
    assert_eq!(watched["users"], json!([{"user": ben.id, "state": "offline", "status": null}]));

    // Whoever lets everybody see them, and whoever lets nobody.
    let audience = async |audience: &str| {
        let body = json!({ "audience": audience });
        node.call(Method::PATCH, "/api/v1/me/presence", Some(&ben), Some(&body)).await.ok(200);
    };
    audience("everybody").await;
    assert_eq!(seen(&node, &eve, &ben).await.as_ref(), Some(&status));
    audience("nobody").await;
    assert_eq!(seen(&node, &anna, &ben).await, None);
    assert_eq!(seen(&node, &ben, &ben).await.as_ref(), Some(&status));
    audience("shared").await;

    annas.say(&json!({"type": "watch", "users": [ben.id]})).await;
    let watched = annas.expect("presence").await;
    assert_eq!(watched["users"][0]["status"], status, "whoever looks later sees it, too");
    node.call(Method::DELETE, STATUS, Some(&ben), None).await.ok(204);
    let told = annas.expect("presence").await;
    assert_eq!(told["users"], json!([{"user": ben.id, "state": "offline", "status": null}]));
    assert_eq!(seen(&node, &anna, &ben).await, None);
    node.stop().await;
}

#[tokio::test]
async fn it_ends_by_itself() {
    let node = Node::start().await;
    let anna = node.register("anna").await;
    let soon = milena_domain::Timestamp::now().plus_ms(400);
    say(&node, &anna, json!({"text": "back in a moment", "until": soon})).await.ok(200);
    node.until(async |node| {
        let status = node.get(&anna, STATUS).await.ok(200)["status"].clone();
        status.is_null().then_some(())
    })
    .await;
    assert!(milena_domain::Timestamp::now() >= soon);
    node.stop().await;
}
