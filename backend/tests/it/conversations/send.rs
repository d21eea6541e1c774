//! Sending over REST: once, and for the time being not at all.

use reqwest::header;

use super::{bodies, send};
use crate::node::Node;

#[tokio::test]
async fn an_idempotency_key_is_one_message() {
    let node = Node::start().await;
    let (anna, ben, carl) =
        (node.register("anna").await, node.register("ben").await, node.register("carl").await);
    let first = send(&node, &anna, &ben, Some("once"), "hi").await.ok(202);
    for _ in 0..5 {
        assert_eq!(send(&node, &anna, &ben, Some("once"), "hi").await.ok(202), first);
    }
    send(&node, &anna, &carl, Some("once"), "hi").await.problem(409, "client_id_reused");
    let path = format!("/api/v1/conversations/{}/messages", first["conversation"].as_str().unwrap());
    assert_eq!(bodies(&node.get(&ben, &path).await.ok(200)), ["hi"]);

    let long = "x".repeat(65);
    send(&node, &anna, &ben, Some(&long), "hi")
        .await
        .field("Idempotency-Key", "Idempotency-Key must be 1 to 64 characters (got 65)");
    send(&node, &anna, &ben, Some(""), "hi")
        .await
        .field("Idempotency-Key", "Idempotency-Key must be 1 to 64 characters (got 0)");
    node.stop().await;
}

#[tokio::test]
async fn without_the_log_sending_is_temporary_and_reading_goes_on() {
    let mut node = Node::start_with(|settings| settings.delivery.send_timeout_ms = 500).await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let accepted = send(&node, &anna, &ben, None, "before").await.ok(202);
    node.stop_broker().await;
    let refused = send(&node, &anna, &ben, Some("later"), "after").await;
    assert!(!refused.header(header::RETRY_AFTER.as_str()).is_empty());
    refused.problem(503, "log_unavailable");
    let path = format!("/api/v1/conversations/{}/messages", accepted["conversation"].as_str().unwrap());
    assert_eq!(bodies(&node.get(&ben, &path).await.ok(200)), ["before"]);
    node.stop().await;
}
