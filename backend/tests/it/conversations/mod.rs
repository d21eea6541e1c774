//! Messages and conversations over REST, without a consumer: all of it comes from the log.

mod changes;
mod list;
mod lists;
mod read;
mod receipts;
mod send;
mod stream;
mod stream_bounds;
mod stream_changes;

use serde_json::{Value, json};

use crate::client::Answer;
use crate::node::{Node, User};

async fn send(node: &Node, sender: &User, to: &User, key: Option<&str>, body: &str) -> Answer {
    let path = format!("/api/v1/users/{}/messages", to.id);
    let mut request = node.http.post(node.url(&path)).bearer_auth(&sender.token).json(&json!({"body": body}));
    if let Some(key) = key {
        request = request.header("Idempotency-Key", key);
    }
    Answer::of(request.send().await.unwrap()).await
}

fn bodies(page: &Value) -> Vec<&str> {
    page["messages"].as_array().unwrap().iter().map(|message| message["body"].as_str().unwrap()).collect()
}
