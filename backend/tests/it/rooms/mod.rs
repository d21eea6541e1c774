//! Rooms over REST and WebSocket, without a consumer: all of it comes from the log.

mod change;
mod create;
mod find;
mod frames;
mod history;
mod members;
mod passive;
mod resume;
mod send;

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::Answer;
use crate::node::{Node, User};
use crate::socket::Socket;

impl Node {
    /// A public room of `owner`; what `more` names is otherwise.
    pub(crate) async fn create_room(&self, owner: &User, handle: &str, more: Value) -> Answer {
        let mut body = json!({"client_id": format!("create-{handle}"), "handle": handle, "title": handle});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.call(Method::POST, "/api/v1/rooms", Some(owner), Some(&body)).await
    }

    /// The same, which works; its id.
    pub(crate) async fn room(&self, owner: &User, handle: &str, more: Value) -> String {
        let created = self.create_room(owner, handle, more).await.ok(201);
        created["room"]["id"].as_str().unwrap().to_owned()
    }

    /// Something that is done in a room.
    pub(crate) async fn act(&self, user: &User, method: Method, room: &str, what: &str) -> Answer {
        self.call(method, &format!("/api/v1/rooms/{room}{what}"), Some(user), None).await
    }

    pub(crate) async fn join(&self, user: &User, room: &str) -> Answer {
        self.act(user, Method::POST, room, "/join").await
    }

    pub(crate) async fn write(&self, user: &User, room: &str, body: &str) -> Answer {
        let path = format!("/api/v1/conversations/{room}/messages");
        self.call(Method::POST, &path, Some(user), Some(&json!({"body": body}))).await
    }

    /// What has happened in the room, as `user` may see it.
    pub(crate) async fn events(&self, user: &User, room: &str) -> Answer {
        self.get(user, &format!("/api/v1/conversations/{room}/events?limit=100")).await
    }

    /// The names of these people.
    pub(crate) async fn people<const COUNT: usize>(&self, names: [&str; COUNT]) -> [User; COUNT] {
        let all = futures::future::join_all(names.map(|name| self.register(name))).await;
        all.try_into().ok().unwrap()
    }
}

/// The kinds of events of an answer, in order.
pub(crate) fn kinds(events: &Value) -> Vec<&str> {
    events["events"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect()
}

/// The next frame of a room that is not a cursor: its type, and the kind of its event.
pub(crate) async fn hear(socket: &mut Socket) -> (String, Value) {
    loop {
        let frame = socket.hear().await;
        if frame["type"] != "cursor" {
            return (frame["type"].as_str().unwrap().to_owned(), frame);
        }
    }
}

/// Hears until this event comes, and gives it.
pub(crate) async fn until_event(socket: &mut Socket, kind: &str) -> Value {
    loop {
        let (of, frame) = hear(socket).await;
        if of == "event" && frame["event"]["kind"] == kind {
            return frame["event"].clone();
        }
    }
}
