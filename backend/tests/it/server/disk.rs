//! Room on the disk: what one person may take of it, and what happens when there is little left.

use reqwest::Method;
use serde_json::json;

use crate::node::{Node, User};

async fn send(node: &Node, from: &User, to: &User, text: &str) -> crate::client::Answer {
    let path = format!("/api/v1/users/{}/messages", to.id);
    node.call(Method::POST, &path, Some(from), Some(&json!({"body": text}))).await
}

#[tokio::test]
async fn nobody_fills_the_disk_alone() {
    let node = Node::start_with(|settings| {
        settings.limits.send_bytes_burst = 65_536;
        settings.limits.send_bytes_per_second = 1_000;
    })
    .await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let letter = "x".repeat(8_000);
    for _ in 0..7 {
        send(&node, &anna, &ben, &letter).await.ok(202);
    }
    let mut refused = send(&node, &anna, &ben, &letter).await;
    if refused.status == 202 {
        // This machine is slow enough for another one to fit.
        refused = send(&node, &anna, &ben, &letter).await;
    }
    let refused = refused.problem(429, "rate_limited");
    assert!((1..=8_501).contains(&refused["retry_after_ms"].as_u64().unwrap()), "{refused}");
    send(&node, &ben, &anna, &letter).await.ok(202);
    node.stop().await;
}

#[tokio::test]
async fn a_disk_with_little_room_takes_no_messages_and_all_else_goes_on() {
    let node = Node::start_with(|settings| settings.limits.min_free_disk_bytes = u64::MAX).await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let refused = send(&node, &anna, &ben, "hi").await.problem(503, "storage_low");
    assert!(refused["retry_after_ms"].as_u64().unwrap() >= 1_000, "{refused}");
    let state = node.get(&anna, "/readyz").await.ok(200);
    assert_eq!((&state["disk"], &state["ready"]), (&json!("low"), &json!(true)));
    node.sign_in("anna", "correct horse").await.ok(200);
    node.get(&anna, "/api/v1/conversations").await.ok(200);
    node.stop().await;
}
