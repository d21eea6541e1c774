//! The frames that a bench sends and reads. Reading is borrowed and partial: the load generator shares the
//! machine with what it measures.

use milena_domain::{ConversationId, UserId};
use serde::Deserialize;
use serde_json::json;

/// A frame of the server, as far as benches look at it.
#[derive(Debug, Deserialize)]
pub struct Frame<'a> {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// Of `accepted` and `rejected`.
    pub client_id: Option<&'a str>,
    /// Of `rejected` and `error`.
    pub code: Option<&'a str>,
    /// Of `message`; benches write bodies that need no escapes.
    pub body: Option<&'a str>,
    /// Of `welcome` and `cursor`.
    pub cursor: Option<&'a str>,
    /// Of `welcome`.
    pub resumed: Option<bool>,
    /// Of `welcome` and `prefix`.
    pub client_id_prefix: Option<&'a str>,
}

impl<'a> Frame<'a> {
    /// Reads a frame.
    ///
    /// # Errors
    /// When it is not JSON with a type.
    pub fn parse(text: &'a str) -> anyhow::Result<Self> {
        Ok(serde_json::from_str(text)?)
    }
}

/// The first frame.
#[must_use]
pub fn hello(token: &str, resume: Option<&str>) -> String {
    json!({"type": "hello", "token": token, "resume": resume}).to_string()
}

/// A message. Bodies and client ids of benches need no escapes.
#[must_use]
pub fn send(to: UserId, client_id: &str, body: &str) -> String {
    format!(r#"{{"type":"send","client_id":"{client_id}","to":"{to}","body":"{body}"}}"#)
}

/// A message to a room.
#[must_use]
pub fn send_in(conversation: ConversationId, client_id: &str, body: &str) -> String {
    format!(r#"{{"type":"send","client_id":"{client_id}","conversation":"{conversation}","body":"{body}"}}"#)
}

/// A body of `bytes` characters (more when the stamp needs them) that begins with `stamp`.
#[must_use]
pub fn body_of(stamp: &str, bytes: usize) -> String {
    let mut body = String::with_capacity(bytes.max(stamp.len() + 1));
    body.push_str(stamp);
    body.push(' ');
    while body.len() < bytes {
        body.push(char::from(b'a' + (body.len() % 26) as u8));
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_what_the_protocol_says() {
        let to = UserId::new();
        let frame: serde_json::Value = serde_json::from_str(&send(to, "7.9", &body_of("9", 40))).unwrap();
        assert_eq!(frame["to"], to.to_string());
        assert_eq!(frame["body"].as_str().unwrap().len(), 40);
        let read = Frame::parse(r#"{"type":"accepted","client_id":"7.9","position":3}"#).unwrap();
        assert_eq!((read.kind, read.client_id, read.body), ("accepted", Some("7.9"), None));
    }
}
