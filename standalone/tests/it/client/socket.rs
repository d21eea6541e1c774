//! One WebSocket connection, frame by frame.

use std::net::SocketAddr;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{self, Message};

use super::pending::Target;

/// Far more than anything here should take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What came.
#[derive(Debug)]
pub(crate) enum Incoming {
    Frame(Value),
    /// The connection is over; the close code if there was one.
    Closed(Option<u16>),
}

/// An open connection.
pub(crate) struct Socket {
    stream: WebSocketStream<TcpStream>,
    /// When something arrived last, pings too.
    heard_at: Instant,
    /// From `welcome`.
    client_id_prefix: String,
}

impl Socket {
    /// Upgrades, without signing in.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self, tungstenite::Error> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (socket, _) = tokio_tungstenite::client_async(format!("ws://{address}/ws"), stream).await?;
        Ok(Self { stream: socket, heard_at: Instant::now(), client_id_prefix: String::new() })
    }

    /// Opens and says `hello`; gives `welcome` too.
    pub(crate) async fn signed_in(address: SocketAddr, token: &str, resume: Option<&str>) -> (Self, Value) {
        let mut socket = Self::open(address).await.unwrap();
        socket.send(&hello(token, resume)).await.unwrap();
        let welcome = socket.expect("welcome").await;
        socket.client_id_prefix = welcome["client_id_prefix"].as_str().expect("a text").to_owned();
        (socket, welcome)
    }

    /// A `client_id` that proves to be new.
    pub(crate) fn client_id(&self, rest: &str) -> String {
        format!("{}{rest}", self.client_id_prefix)
    }

    pub(crate) async fn send(&mut self, frame: &Value) -> Result<(), tungstenite::Error> {
        self.send_text(&frame.to_string()).await
    }

    pub(crate) async fn send_text(&mut self, text: &str) -> Result<(), tungstenite::Error> {
        self.stream.send(Message::text(text)).await
    }

    pub(crate) async fn send_bytes(&mut self, bytes: Vec<u8>) -> Result<(), tungstenite::Error> {
        self.stream.send(Message::binary(bytes)).await
    }

    /// The next frame or the end. Pings are answered on the way. May be dropped while it waits.
    pub(crate) async fn receive(&mut self) -> Incoming {
        loop {
            let next = self.stream.next().await;
            self.heard_at = Instant::now();
            match next {
                Some(Ok(Message::Text(text))) => {
                    return Incoming::Frame(serde_json::from_str(&text).expect("every frame is JSON"));
                }
                Some(Ok(Message::Close(frame))) => {
                    return Incoming::Closed(frame.map(|frame| frame.code.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Incoming::Closed(None),
            }
        }
    }

    /// When something arrived last.
    pub(crate) const fn heard_at(&self) -> Instant {
        self.heard_at
    }

    /// The next frame that is not a `cursor`; it must be of this type.
    pub(crate) async fn expect(&mut self, kind: &str) -> Value {
        loop {
            match self.soon(kind).await {
                Incoming::Frame(frame) if frame["type"] == "cursor" && kind != "cursor" => {}
                Incoming::Frame(frame) => {
                    assert_eq!(frame["type"], kind, "{frame}");
                    return frame;
                }
                Incoming::Closed(code) => panic!("closed with {code:?} while {kind} was expected"),
            }
        }
    }

    /// The answer to an own message: `accepted` or `rejected`. Other frames before it are passed over.
    pub(crate) async fn answer(&mut self, client_id: &str) -> Value {
        loop {
            match self.soon("an answer").await {
                Incoming::Frame(frame) => {
                    let answers = frame["type"] == "accepted" || frame["type"] == "rejected";
                    if answers && frame["client_id"] == client_id {
                        return frame;
                    }
                }
                Incoming::Closed(code) => {
                    panic!("closed with {code:?} while the answer to {client_id} was expected")
                }
            }
        }
    }

    /// The end of the connection, whatever comes before it.
    pub(crate) async fn closed(&mut self) -> Option<u16> {
        loop {
            if let Incoming::Closed(code) = self.soon("the end").await {
                return code;
            }
        }
    }

    /// Asserts that the connection is alive and that nothing else was on its way: a `pong` is the next frame.
    pub(crate) async fn is_quiet(&mut self) {
        self.send(&json!({"type": "ping"})).await.unwrap();
        self.expect("pong").await;
    }

    /// The last cursor, which comes at most a second after the last message.
    pub(crate) async fn cursor(&mut self) -> String {
        self.expect("cursor").await["cursor"].as_str().expect("a text").to_owned()
    }

    /// Writes the same frame again and again, as fast as it goes, until the server has had enough; says how
    /// many, and with which code it was closed.
    pub(crate) async fn flood(self, text: &str) -> (usize, Option<u16>) {
        let (mut write, mut read) = self.stream.split();
        let reading = async {
            let mut code = None;
            while let Some(Ok(message)) = read.next().await {
                if let Message::Close(Some(frame)) = message {
                    code = Some(frame.code.into());
                }
            }
            code
        };
        let mut sent = 0;
        let writing = async {
            while write.send(Message::text(text)).await.is_ok() {
                sent += 1;
            }
        };
        // Reading first: writing, which is nearly always possible, would leave it no turn.
        let (code, ()) = timeout(PATIENCE, futures::future::join(reading, writing)).await.expect("it ends");
        (sent, code)
    }

    /// The connection below the frames.
    pub(crate) fn into_inner(self) -> TcpStream {
        self.stream.into_inner()
    }

    /// Ends it from this side.
    pub(crate) async fn close(mut self) {
        let _ = self.stream.close(None).await;
    }

    async fn soon(&mut self, what: &str) -> Incoming {
        let received = timeout(PATIENCE, self.receive()).await;
        received.unwrap_or_else(|_| panic!("{what} did not come within {PATIENCE:?}"))
    }
}

/// The first frame.
pub(crate) fn hello(token: &str, resume: Option<&str>) -> Value {
    json!({"type": "hello", "token": token, "resume": resume})
}

/// A message to a person, or into a room.
pub(super) fn send_to(target: Target, client_id: &str, body: &str, retry: bool) -> Value {
    match target {
        Target::Person(to) => send_frame(to, client_id, body, retry),
        Target::Room(room) => json!({
            "type": "send", "client_id": client_id, "conversation": room, "body": body, "retry": retry,
        }),
    }
}

/// A message to a person.
pub(crate) fn send_frame(to: uuid::Uuid, client_id: &str, body: &str, retry: bool) -> Value {
    json!({"type": "send", "client_id": client_id, "to": to, "body": body, "retry": retry})
}
