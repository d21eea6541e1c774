//! A WebSocket client that says what it expects.

use std::net::SocketAddr;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::node::{Node, PATIENCE, User};

pub(crate) struct Socket {
    pub(crate) stream: WebSocketStream<TcpStream>,
}

impl Socket {
    /// Upgrades, or says with which status the server refused.
    pub(crate) async fn open(address: SocketAddr, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        let connection = TcpSocket::new_v4().unwrap();
        // Small, so that a test of a slow reader need not send megabytes.
        connection.set_recv_buffer_size(16 * 1_024).unwrap();
        let connection = connection.connect(address).await.unwrap();
        let mut request = format!("ws://{address}/ws").into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match client_async(request, connection).await {
            Ok((stream, _)) => Ok(Self { stream }),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(other) => panic!("{other}"),
        }
    }

    pub(crate) async fn connect(node: &Node) -> Self {
        Self::open(node.address, &[]).await.unwrap()
    }

    /// Signed in; the `welcome` was heard.
    pub(crate) async fn sign_in(node: &Node, user: &User) -> Self {
        let mut socket = Self::connect(node).await;
        let welcome = socket.hello(&json!({"type": "hello", "token": user.token})).await;
        assert_eq!(welcome["user"]["username"], user.name.as_str());
        socket
    }

    /// Signed in with a cursor; also gives the `welcome`.
    pub(crate) async fn resume(node: &Node, user: &User, cursor: &str) -> (Self, Value) {
        let mut socket = Self::connect(node).await;
        let welcome = socket.hello(&json!({"type": "hello", "token": user.token, "resume": cursor})).await;
        (socket, welcome)
    }

    pub(crate) async fn hello(&mut self, hello: &Value) -> Value {
        self.say(hello).await;
        let welcome = self.hear().await;
        assert_eq!(welcome["type"], "welcome", "{welcome}");
        welcome
    }

    pub(crate) async fn say(&mut self, frame: &Value) {
        self.say_raw(Message::Text(frame.to_string().into())).await;
    }

    pub(crate) async fn say_raw(&mut self, message: Message) {
        self.stream.send(message).await.unwrap();
    }

    pub(crate) async fn send(&mut self, client_id: &str, to: &User, body: &str) {
        self.say(&json!({"type": "send", "client_id": client_id, "to": to.id, "body": body})).await;
    }

    /// The next text frame.
    pub(crate) async fn hear(&mut self) -> Value {
        loop {
            match self.next().await.expect("the connection lives") {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// The next text frame of this type; only cursors may come before it.
    pub(crate) async fn expect(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.hear().await;
            if frame["type"] == kind {
                return frame;
            }
            assert_eq!(frame["type"], "cursor", "{frame}");
        }
    }

    /// All text frames up to the next of this type.
    pub(crate) async fn hear_until(&mut self, kind: &str) -> Vec<Value> {
        let mut heard = vec![self.hear().await];
        while heard.last().is_some_and(|frame| frame["type"] != kind) {
            heard.push(self.hear().await);
        }
        heard
    }

    /// Reads to the end and says with which code the server closed; 1006 when it did not say.
    pub(crate) async fn ending(mut self) -> u16 {
        while let Some(message) = self.next().await {
            if let Message::Close(Some(frame)) = message {
                return frame.code.into();
            }
        }
        1006
    }

    async fn next(&mut self) -> Option<Message> {
        timeout(PATIENCE, self.stream.next()).await.expect("something comes in time")?.ok()
    }
}
