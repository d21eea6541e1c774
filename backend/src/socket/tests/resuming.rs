//! Whatever happens to a connection, whoever comes back with the last cursor misses nothing.

use std::collections::BTreeSet;

use milena_domain::ConversationId;
use milena_settings::SocketSettings;
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::time::{Duration, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

use futures::{SinkExt, StreamExt};

use super::stand_in::{StandIn, person, read, written};
use super::{Client, Server, settings};

#[derive(Debug, Clone)]
enum Step {
    /// Messages to the client, and as many to others.
    Deliver(usize),
    /// Frames that the client reads, if they come soon.
    Read(usize),
    Sleep(u64),
    /// The client shows the conversation, or not any more.
    Show(bool),
    /// The line breaks.
    Drop,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (1_usize..12).prop_map(Step::Deliver),
        6 => (1_usize..20).prop_map(Step::Read),
        3 => (1_u64..3_000).prop_map(Step::Sleep),
        1 => any::<bool>().prop_map(Step::Show),
        1 => Just(Step::Drop),
    ];
    prop::collection::vec(step, 1..40)
}

/// A client that reconnects.
struct Reader {
    server: Server,
    client: Option<Client>,
    cursor: String,
    /// Offsets of the messages that it got.
    got: BTreeSet<u64>,
    /// Offsets of the messages for it.
    meant: BTreeSet<u64>,
    /// Whether it wants what it does not show to be announced only.
    is_passive: bool,
}

impl Reader {
    async fn connect(&mut self) {
        // A pipe and a queue so small that slow reading ends the connection now and then.
        let mut client = self.server.connect_through(700, None).await;
        let (resume, passive) = (&self.cursor, self.is_passive);
        let hello = json!({"type": "hello", "token": "anna", "resume": resume, "passive": passive});
        let hello = hello.to_string();
        client.stream.send(Message::Text(hello.into())).await.unwrap();
        self.client = Some(client);
    }

    /// Reads a frame; `false` when none comes within `patience`.
    async fn read(&mut self, patience: Duration) -> bool {
        if self.client.is_none() {
            self.connect().await;
        }
        let client = self.client.as_mut().expect("just connected");
        let Ok(next) = timeout(patience, client.stream.next()).await else { return false };
        match next {
            Some(Ok(Message::Text(text))) => self.take(&serde_json::from_str(&text).unwrap()),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Close(frame))) => {
                assert_eq!(u16::from(frame.unwrap().code), 4008);
                self.client = None;
            }
            Some(Ok(other)) => panic!("{other:?}"),
            Some(Err(_)) | None => self.client = None,
        }
        true
    }

    fn take(&mut self, frame: &Value) {
        match frame["type"].as_str().unwrap() {
            "message" => drop(self.got.insert(frame["position"].as_u64().unwrap() & ((1 << 40) - 1))),
            "activity" => {
                assert!(self.is_passive);
                let offset = |name: &str| frame[name].as_u64().unwrap() & ((1 << 40) - 1);
                // Nothing stands before the first.
                let first = if frame["after"] == 0 { 0 } else { offset("after") + 1 };
                let announced: Vec<u64> = self.meant.range(first..=offset("position")).copied().collect();
                assert!(!announced.is_empty());
                self.got.extend(announced);
            }
            "welcome" => {
                assert_eq!((&frame["resumed"], &frame["cursor"]), (&json!(true), &json!(self.cursor)));
            }
            "cursor" => {
                frame["cursor"].as_str().unwrap().clone_into(&mut self.cursor);
                let covered = self.covered();
                assert!(
                    self.meant.range(..covered).all(|offset| self.got.contains(offset)),
                    "the cursor {covered} covers what was not sent"
                );
            }
            other => panic!("{other}"),
        }
    }

    fn covered(&self) -> u64 {
        read(&self.cursor).unwrap().next_offsets[0] as u64
    }

    async fn run(mut self, steps: Vec<Step>) {
        let (anna, ben) = (person("anna"), person("ben"));
        // So long that a full queue is more than the write buffer holds: a burst then waits half-way for the
        // client.
        let body = "x".repeat(1_500);
        for step in steps {
            match step {
                Step::Deliver(count) => {
                    for _ in 0..count {
                        let position = self.server.node.deliver(&ben, &anna, &body);
                        self.meant.insert(position.offset() as u64);
                        self.server.node.deliver(&ben, &ben, "not for anna");
                    }
                }
                Step::Read(count) => {
                    for _ in 0..count {
                        if !self.read(Duration::from_millis(1)).await {
                            break;
                        }
                    }
                }
                Step::Sleep(ms) => sleep(Duration::from_millis(ms)).await,
                Step::Show(on) => {
                    if let Some(client) = &mut self.client {
                        let shown = [ConversationId::direct(anna.id, ben.id)];
                        let shown = if on { &shown[..] } else { &[] };
                        let watch = json!({"type": "watch", "conversations": shown}).to_string();
                        // The line may be broken by now.
                        let _ = client.stream.send(Message::Text(watch.into())).await;
                    }
                }
                Step::Drop => self.client = None,
            }
        }
        let end = written(&self.server.node.cursor());
        while self.cursor != end {
            assert!(self.read(Duration::from_secs(60)).await, "the last cursor comes");
        }
        assert_eq!(self.got, self.meant);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_is_missed_and_no_cursor_lies(steps in steps(), is_passive: bool) {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let small = SocketSettings { outbox_messages: 12, ..settings() };
            let server = Server::with(small, StandIn::default().large(is_passive));
            let cursor = written(&server.node.cursor());
            let (got, meant) = (BTreeSet::new(), BTreeSet::new());
            let reader = Reader { server, client: None, cursor, got, meant, is_passive };
            reader.run(steps).await;
        });
    }
}
