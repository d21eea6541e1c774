//! One event stream.

use std::time::Duration;

use milena_testkit::EventReader;
use reqwest::{Method, Response};
use serde_json::Value;
use tokio::time::timeout;

use super::Rest;

/// Far more than anything here should take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What came: a frame under its name, or a cursor, from which nobody here goes on.
#[derive(Debug)]
pub(crate) enum Streamed {
    Frame(String, Value),
    Cursor,
}

/// An open stream.
pub(crate) struct Stream {
    response: Response,
    reader: EventReader,
}

impl Stream {
    /// Of these conversations, from where an earlier one ended.
    pub(crate) async fn open(rest: &Rest, conversations: &str, last: Option<&str>) -> Self {
        let mut request = rest.request(Method::GET, &format!("events?conversation={conversations}"));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        // An endless answer has no time limit as a whole.
        let response = request.timeout(Duration::from_secs(86_400)).send().await.expect("an answer");
        assert_eq!(response.status(), 200);
        Self { response, reader: EventReader::default() }
    }

    pub(crate) async fn next(&mut self) -> Streamed {
        loop {
            if let Some(event) = self.reader.take() {
                if event.name.is_empty() {
                    return Streamed::Cursor;
                }
                return Streamed::Frame(event.name, serde_json::from_str(&event.data).expect("JSON"));
            }
            let chunk = timeout(PATIENCE, self.response.chunk()).await.expect("something comes in time");
            self.reader.push(&chunk.expect("the stream goes on").expect("the stream goes on"));
        }
    }
}
