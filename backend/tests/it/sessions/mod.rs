//! Registering, signing in and out, sessions and passwords.

mod cookies;
mod list;
mod lockout;
mod passwords;
mod register;
mod sign_in;

use reqwest::Method;
use serde_json::Value;

use crate::client::Answer;
use crate::node::Node;

async fn register(node: &Node, body: Value) -> Answer {
    node.call(Method::POST, "/api/v1/register", None, Some(&body)).await
}
