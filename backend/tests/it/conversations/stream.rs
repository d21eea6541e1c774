//! Server-sent events over several conversations.

use milena_testkit::{EventReader, StreamEvent};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::node::{Node, PATIENCE, User};

/// One event as it came.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) name: String,
    pub(super) id: String,
    pub(super) data: Value,
}

impl From<StreamEvent> for Event {
    fn from(event: StreamEvent) -> Self {
        let StreamEvent { name, id, data } = event;
        let data = if data.is_empty() { Value::Null } else { serde_json::from_str(&data).unwrap() };
        Self { name, id, data }
    }
}

pub(super) struct Stream {
    response: Response,
    reader: EventReader,
}

impl Stream {
    pub(super) async fn open(node: &Node, user: &User, query: &str, last: Option<&str>) -> Self {
        let mut request =
            node.http.get(node.url(&format!("/api/v1/events?{query}"))).bearer_auth(&user.token);
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last);
        }
        Self::of(request.send().await.unwrap())
    }

    pub(super) fn of(response: Response) -> Self {
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, reader: EventReader::default() }
    }

    /// The next event; `None` at the end.
    pub(super) async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.reader.take() {
                return Some(event.into());
            }
            let chunk = timeout(PATIENCE, self.response.chunk()).await.expect("something comes in time");
            self.reader.push(&chunk.ok()??);
        }
    }

    /// The next `id`: whatever comes before it is passed over.
    pub(super) async fn cursor(&mut self) -> String {
        loop {
            let event = self.next().await.expect("it goes on");
            if event.name.is_empty() {
                return event.id;
            }
        }
    }

    /// The next that is more than a cursor, and the newest cursor before it.
    pub(super) async fn happens(&mut self) -> (Event, Option<String>) {
        let mut cursor = None;
        loop {
            let event = self.next().await.expect("it goes on");
            if !event.name.is_empty() {
                return (event, cursor);
            }
            cursor = Some(event.id);
        }
    }

    pub(super) async fn body(&mut self) -> Value {
        let (event, _) = self.happens().await;
        assert_eq!((event.name.as_str(), &event.data["type"]), ("message", &json!("message")), "{event:?}");
        event.data["body"].clone()
    }
}

pub(super) async fn room(node: &Node, owner: &User, handle: &str, members: &[&User]) -> String {
    let members: Vec<&str> = members.iter().map(|user| user.id.as_str()).collect();
    let created = node.create_room(owner, handle, json!({"members": members})).await.ok(201);
    created["room"]["id"].as_str().unwrap().to_owned()
}

pub(super) async fn write(node: &Node, user: &User, room: &str, body: &str) {
    node.post(user, &format!("/api/v1/conversations/{room}/messages"), &json!({"body": body}), 202).await;
}

#[tokio::test]
async fn what_happens_comes_once_and_a_later_stream_goes_on() {
    let node = Node::start().await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let (one, two) = (room(&node, &anna, "one", &[&ben]).await, room(&node, &anna, "two", &[&ben]).await);
    let other = room(&node, &anna, "other", &[&ben]).await;
    for (room, body) in [(&one, "o1"), (&one, "o2"), (&two, "t1")] {
        write(&node, &anna, room, body).await;
    }
    let query = format!("conversation={one},{two}&prefetch=2");
    let mut stream = Stream::open(&node, &ben, &query, None).await;
    let mut first = Vec::new();
    for _ in 0..4 {
        let (event, _) = stream.happens().await;
        first.push(event.data["body"].as_str().unwrap_or(&event.name).to_owned());
    }
    first.sort();
    assert_eq!(first, ["event", "o1", "o2", "t1"], "two of each: of the second its creation, too");
    write(&node, &anna, &other, "not asked for").await;
    write(&node, &anna, &one, "o3").await;
    assert_eq!(stream.body().await, "o3");
    write(&node, &anna, &two, "t2").await;
    let (event, cursor) = stream.happens().await;
    assert_eq!(event.data["body"], "t2");
    // One that is true after "o3" or before, or after "t2".
    let cursor = match cursor {
        Some(cursor) => cursor,
        None => stream.next().await.unwrap().id,
    };
    drop(stream);

    write(&node, &anna, &two, "t3").await;
    let mut stream = Stream::open(&node, &ben, &query, Some(&cursor)).await;
    let mut missed = vec![stream.body().await];
    while missed.last() != Some(&json!("t3")) {
        missed.push(stream.body().await);
    }
    assert!(!missed.contains(&json!("o1")), "{missed:?}");

    // Whoever is sent away hears that, and nothing after it.
    node.call(Method::DELETE, &format!("/api/v1/rooms/{one}/members/{}", ben.id), Some(&anna), None)
        .await
        .ok(200);
    assert_eq!(stream.happens().await.0.data["event"]["kind"], "removed");
    assert_eq!(stream.happens().await.0.data["room"]["role"], json!(null));
    write(&node, &anna, &one, "without Ben").await;
    write(&node, &anna, &two, "t4").await;
    assert_eq!(stream.body().await, "t4");

    // A cursor that is none: the stream says so, and begins anew.
    let mut fresh = Stream::open(&node, &ben, &format!("conversation={two}&prefetch=1"), Some("x")).await;
    let (gap, _) = fresh.happens().await;
    assert_eq!(
        (gap.name.as_str(), &gap.data["conversation"], &gap.data["after"]),
        ("gap", &json!(two), &json!(0))
    );
    let (newest, _) = fresh.happens().await;
    assert_eq!((&newest.data["body"], &newest.data["position"]), (&json!("t4"), &gap.data["before"]));

    // The end of the session is the stream's, and so is the server's.
    node.call(Method::POST, "/api/v1/logout", Some(&ben), None).await.ok(204);
    while stream.next().await.is_some() {}
    let mut of_anna = Stream::open(&node, &anna, &format!("conversation={two}"), None).await;
    of_anna.next().await.unwrap();
    node.stop().await;
    while of_anna.next().await.is_some() {}
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_named() {
    let node = Node::start().await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let of_anna = room(&node, &anna, "one", &[]).await;
    let nobodys = uuid::Uuid::now_v7();
    let too_many: Vec<String> = (0..65).map(|_| uuid::Uuid::now_v7().to_string()).collect();
    for (query, field) in [
        (String::new(), "conversation"),
        ("conversation=x".to_owned(), "conversation"),
        (format!("conversation={}", too_many.join(",")), "conversation"),
        (format!("conversation={of_anna}&prefetch=65"), "prefetch"),
        (format!("conversation={of_anna}&prefetch=-1"), "prefetch"),
    ] {
        let refused = node.get(&anna, &format!("/api/v1/events?{query}")).await;
        assert_eq!(refused.problem(400, "invalid_field")["field"], field, "{query}");
    }
    node.get(&ben, &format!("/api/v1/events?conversation={of_anna}")).await.problem(403, "not_member");
    let unknown = node.get(&ben, &format!("/api/v1/events?conversation={nobodys}")).await;
    unknown.problem(404, "unknown_conversation");
    node.call(Method::GET, "/api/v1/events", None, None).await.problem(401, "unauthenticated");
    node.stop().await;
}
