//! Connections over an in-memory pipe, with a stand-in for the node and the clock under the test's control.

mod autobahn;
mod closing;
mod cursors;
mod ordering;
mod resuming;
mod signing_in;
mod stand_in;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use milena_settings::{LimitSettings, Settings, SocketSettings};
use milena_storage::Person;
use serde_json::{Value, json};
use tokio::io::DuplexStream;
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_util::sync::CancellationToken;

use self::stand_in::StandIn;
use super::{SendRate, Sockets};
use crate::auth::Identity;
use crate::wire::rest::Limits;

fn settings() -> SocketSettings {
    SocketSettings {
        hello_timeout_ms: 10_000,
        heartbeat_ms: 25_000,
        pong_timeout_ms: 10_000,
        write_timeout_ms: 5_000,
        outbox_messages: 100,
        outbox_bytes: 100_000,
        max_in_flight: 8,
    }
}

/// A server with its stand-in node.
struct Server {
    node: StandIn,
    sockets: Sockets,
    stop: CancellationToken,
}

impl Server {
    fn start() -> Self {
        Self::with(settings(), StandIn::default())
    }

    fn with(settings: SocketSettings, node: StandIn) -> Self {
        let limits = LimitSettings {
            send_burst: 500,
            send_per_second: 1,
            frame_burst: 4_000,
            frame_per_second: 1,
            ..Settings::defaults().limits
        };
        Self::with_limits(settings, limits, node)
    }

    fn with_limits(settings: SocketSettings, limits: LimitSettings, node: StandIn) -> Self {
        let stop = CancellationToken::new();
        let rate = Arc::new(SendRate::from_settings(&limits));
        let spread = Duration::from_millis(2_500);
        let node_box = Box::new(node.clone());
        let told = Limits::new(&settings, &Settings::defaults().chat);
        let sockets = Sockets::with_node(node_box, rate, (settings, limits), told, spread, stop.clone());
        Self { node, sockets, stop }
    }

    /// A connection whose pipe holds `pipe` bytes in each direction.
    async fn connect_through(&self, pipe: usize, cookie: Option<Identity>) -> Client {
        let (ours, theirs) = tokio::io::duplex(pipe);
        let serving = self.sockets.clone().serve_io(theirs, Bytes::new(), cookie.map(Box::new));
        let bytes = size_of_val(&serving);
        assert!(bytes <= IDLE_TASK_MAX_BYTES, "{bytes} bytes for each connection, whatever it does");
        let task = tokio::spawn(serving);
        Client { stream: WebSocketStream::from_raw_socket(ours, Role::Client, None).await, task }
    }

    async fn connect(&self) -> Client {
        self.connect_through(1 << 20, None).await
    }

    /// A connection that got its `welcome`.
    async fn sign_in(&self, person: &Person) -> Client {
        let mut client = self.connect().await;
        client.say(&json!({"type": "hello", "token": person.username})).await;
        assert_eq!(client.hear().await["type"], "welcome");
        client
    }
}

/// What a connection's task takes as long as it lives; with tens of thousands of idle ones it is what counts.
const IDLE_TASK_MAX_BYTES: usize = 2_000;

struct Client {
    stream: WebSocketStream<DuplexStream>,
    task: JoinHandle<()>,
}

impl Client {
    async fn say(&mut self, frame: &Value) {
        self.say_raw(Message::Text(frame.to_string().into())).await;
    }

    async fn say_raw(&mut self, message: Message) {
        self.stream.send(message).await.unwrap();
    }

    /// The next text frame.
    async fn hear(&mut self) -> Value {
        loop {
            match self.stream.next().await.expect("the connection lives").unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// The next text frame that is not a cursor.
    async fn hear_news(&mut self) -> Value {
        loop {
            let frame = self.hear().await;
            if frame["type"] != "cursor" {
                return frame;
            }
        }
    }

    /// Reads to the end and says with which code the server closed; 1006 when it did not say.
    async fn ending(mut self) -> u16 {
        let mut code = 1006;
        while let Some(Ok(message)) = self.stream.next().await {
            if let Message::Close(Some(frame)) = message {
                code = frame.code.into();
            }
        }
        self.task.await.unwrap();
        code
    }

    fn send_frame(client_id: &str, to: &Person, body: &str) -> Value {
        json!({"type": "send", "client_id": client_id, "to": to.id, "body": body})
    }
}

#[tokio::test]
async fn an_idle_connection_is_small() {
    let server = Server::start();
    let (_ours, theirs) = tokio::io::duplex(64);
    let task = server.sockets.serve_io(theirs, Bytes::new(), None);
    // Beside this: a read buffer of 512 bytes, what the client made us buffer, and about 2 KiB in small
    // pieces.
    let bytes = size_of_val(&task);
    assert!(bytes <= 2_560, "{bytes} bytes");
}
