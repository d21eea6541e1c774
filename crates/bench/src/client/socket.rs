//! One connection.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::{Context as _, bail};
use futures::{SinkExt, StreamExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::frame::{Frame, hello};

/// Small, because a bench holds tens of thousands.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// From where a connection comes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Origin {
    /// One of 127.0.0.0/8: a pair of addresses and the server's port has only so many ports of the client.
    pub address: Option<Ipv4Addr>,
    /// The kernel's receive buffer; small for clients that are going to stop reading.
    pub receive_buffer_bytes: Option<u32>,
    /// Names messages as clients of the first version do: the server has to look them up.
    pub without_prefix: bool,
}

/// A signed-in connection.
pub struct Socket {
    stream: WebSocketStream<TcpStream>,
    /// The last cursor that it was told.
    pub cursor: String,
    /// Whether all that was missed follows.
    pub resumed: bool,
    /// What `client_id`s begin with.
    pub client_id_prefix: String,
}

impl Socket {
    /// Connects and signs in.
    ///
    /// # Errors
    /// When the server refuses, or says something else than `welcome`.
    pub async fn open(
        gateway: SocketAddr,
        origin: Origin,
        token: &str,
        resume: Option<&str>,
    ) -> anyhow::Result<Self> {
        let tcp = TcpSocket::new_v4()?;
        if let Some(bytes) = origin.receive_buffer_bytes {
            tcp.set_recv_buffer_size(bytes)?;
        }
        if let Some(address) = origin.address {
            tcp.bind(SocketAddr::new(IpAddr::V4(address), 0))
                .with_context(|| format!("no port on {address}"))?;
        }
        let stream = tcp.connect(gateway).await.with_context(|| format!("no connection to {gateway}"))?;
        stream.set_nodelay(true)?;
        let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER_BYTES);
        let url = format!("ws://{gateway}/ws");
        let (stream, _) = tokio_tungstenite::client_async_with_config(url, stream, Some(config)).await?;
        let mut socket =
            Self { stream, cursor: String::new(), resumed: false, client_id_prefix: String::new() };
        socket.feed(hello(token, resume)).await?;
        socket.flush().await?;
        let Some(text) = socket.next().await else { bail!("the connection ended before `welcome`") };
        let frame = Frame::parse(&text)?;
        let (Some(cursor), "welcome") = (frame.cursor, frame.kind) else {
            bail!("instead of `welcome` came {}", text.as_str())
        };
        socket.cursor = cursor.to_owned();
        socket.resumed = frame.resumed.unwrap_or(false);
        if !origin.without_prefix {
            socket.client_id_prefix = frame.client_id_prefix.unwrap_or_default().to_owned();
        }
        Ok(socket)
    }

    /// Queues a text frame.
    ///
    /// # Errors
    /// When the connection is over.
    pub async fn feed(&mut self, text: String) -> anyhow::Result<()> {
        Ok(self.stream.feed(Message::text(text)).await?)
    }

    /// Writes what is queued.
    ///
    /// # Errors
    /// When the connection is over.
    pub async fn flush(&mut self) -> anyhow::Result<()> {
        Ok(self.stream.flush().await?)
    }

    /// The next text frame; `None` when the connection is over. Pings are answered on the way. May be dropped
    /// while it waits.
    pub async fn next(&mut self) -> Option<Utf8Bytes> {
        loop {
            match self.stream.next().await? {
                Ok(Message::Text(text)) => return Some(text),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }
}
