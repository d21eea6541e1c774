//! The WebSocket itself: small buffers, a time limit on every write, and a clean end.
//!
//! tungstenite's defaults are 128 KiB of read buffer a socket, an unlimited write buffer, and no close frame
//! when the other side breaks a limit; all three are different here.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use milena_domain::limits::FRAME_MAX_BYTES;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message, Utf8Bytes, error::ProtocolError};

use crate::registry::CloseCode;
use crate::wire::Frame;

/// Allocated for every socket, busy or not, and cleared for every read. A frame of usual length fits; a
/// longer one gets the room that it needs.
const READ_BUFFER_BYTES: usize = 512;
/// A burst is written to the socket in pieces of about this size.
const WRITE_BUFFER_BYTES: usize = 8 * 1024;
/// Never reached: a write waits until the buffer is empty before it adds more, and the largest frame is
/// smaller.
const MAX_WRITE_BUFFER_BYTES: usize = 4 * FRAME_MAX_BYTES;
/// How long the other side gets to answer our close frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Why a connection ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// We end it, and say why.
    Ours(CloseCode),
    /// The client said goodbye, with this code if any.
    Theirs(Option<u16>),
    /// It broke: normal in a world of lids and tunnels.
    Lost,
    /// A write took too long: nothing more can be said.
    Stuck,
}

impl End {
    /// A label for metrics and logs.
    pub(super) const fn label(&self) -> &'static str {
        match self {
            Self::Ours(code) => code.label(),
            Self::Theirs(_) => "client",
            Self::Lost => "lost",
            Self::Stuck => "stuck",
        }
    }
}

/// What arrived.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Incoming {
    /// A text frame.
    Text(Utf8Bytes),
    /// A ping, already answered, or a pong: the other side is alive.
    Sign,
}

/// A WebSocket on the server's side.
pub(super) struct Line<S> {
    stream: WebSocketStream<S>,
    write_timeout: Duration,
    unflushed: bool,
    /// Reading failed: what still arrives is not WebSocket frames that we understand.
    unreadable: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Line<S> {
    /// Takes over a socket after the handshake. `early` is copied: the buffer behind it is that of a
    /// request's headers, and would stay as the read buffer.
    pub(super) async fn new(io: S, early: Bytes, write_timeout: Duration) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(WRITE_BUFFER_BYTES)
            .max_write_buffer_size(MAX_WRITE_BUFFER_BYTES)
            .max_message_size(Some(FRAME_MAX_BYTES))
            .max_frame_size(Some(FRAME_MAX_BYTES));
        let stream =
            WebSocketStream::from_partially_read(io, early.to_vec(), Role::Server, Some(config)).await;
        Self { stream, write_timeout, unflushed: false, unreadable: false }
    }

    /// The next thing that arrives. May be dropped while waiting; nothing is lost.
    pub(super) async fn receive(&mut self) -> Result<Incoming, End> {
        let end = match self.stream.next().await {
            Some(Ok(Message::Text(text))) => return Ok(Incoming::Text(text)),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => return Ok(Incoming::Sign),
            Some(Ok(Message::Binary(_))) => return Err(End::Ours(CloseCode::BadFrame)),
            Some(Ok(Message::Close(frame))) => {
                return Err(End::Theirs(frame.map(|frame| frame.code.into())));
            }
            Some(Err(Error::Capacity(_))) => End::Ours(CloseCode::TooLarge),
            Some(Err(Error::Utf8(_))) => End::Ours(CloseCode::NotUtf8),
            Some(Err(Error::Protocol(error))) if error != ProtocolError::ResetWithoutClosingHandshake => {
                End::Ours(CloseCode::ProtocolError)
            }
            Some(Err(_)) | None => End::Lost,
        };
        self.unreadable = true;
        Err(end)
    }

    /// Queues a frame in the write buffer, and writes when that is full. Must not be dropped while waiting.
    pub(super) async fn feed(&mut self, frame: Frame) -> Result<(), End> {
        self.unflushed = true;
        in_time(self.write_timeout, self.stream.feed(frame.into())).await
    }

    /// Queues a ping.
    pub(super) async fn ping(&mut self) -> Result<(), End> {
        self.unflushed = true;
        in_time(self.write_timeout, self.stream.feed(Message::Ping(Bytes::new()))).await
    }

    /// Writes what is queued, if anything is.
    pub(super) async fn flush(&mut self) -> Result<(), End> {
        if self.unflushed {
            in_time(self.write_timeout, self.stream.flush()).await?;
            self.unflushed = false;
        }
        Ok(())
    }

    /// Ends the connection as `end` says, within a few seconds.
    pub(super) async fn finish(mut self, end: &End) {
        match end {
            End::Ours(code) => {
                let goodbye = CloseFrame { code: code.number().into(), reason: code.reason().into() };
                let said = self.stream.send(Message::Close(Some(goodbye)));
                // What a flood still brings is thrown away unread.
                self.unreadable |= *code == CloseCode::Flooding;
                if in_time(self.write_timeout, said).await.is_ok() {
                    let _ = timeout(CLOSE_TIMEOUT, self.see_off()).await;
                }
            }
            // Reading on writes the answer to the client's close frame.
            End::Theirs(_) => {
                let _ = timeout(CLOSE_TIMEOUT, self.see_off()).await;
            }
            End::Lost | End::Stuck => {}
        }
    }

    /// Reads until the other side has answered. A socket that is dropped with unread input is reset, and a
    /// reset can overtake our close frame: so also what is not understood is read to its end.
    async fn see_off(&mut self) {
        if self.unreadable {
            let io = self.stream.get_mut();
            if io.shutdown().await.is_ok() {
                let mut scrap = [0_u8; 4 * 1024];
                while io.read(&mut scrap).await.is_ok_and(|bytes| bytes > 0) {}
            }
        } else {
            while let Some(Ok(_)) = self.stream.next().await {}
        }
    }
}

async fn in_time(limit: Duration, write: impl Future<Output = Result<(), Error>>) -> Result<(), End> {
    match timeout(limit, write).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(End::Lost),
        Err(_) => Err(End::Stuck),
    }
}
