//! One client: requests are begun in the order they come and answered in that order, while their waiting
//! overlaps.
//!
//! Bounded: the size of a request, the requests in flight, the time in which a request must arrive and an
//! answer be taken; and what large ones hold together, by `memory`. A client that breaks a bound loses its
//! own connection and nothing else.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use kafka_protocol::messages::{ApiKey, ResponseKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::access::{Access, Passage};
use super::frame::{self, FrameError, PREFIX_BYTES, Request};
use super::strangers::Place;
use crate::api::{self, Answer, Client, Reply};
use crate::broker::Shared;
use crate::memory::{FREE_BYTES, GivenUp, Share};

/// Buffers grow by what has arrived, never by what was announced.
const READ_BYTES: usize = 16 << 10;
/// Only requests that carry records may be larger, because parts of the others are kept: what members of
/// groups say about themselves, for instance.
const MAX_CONTROL_BYTES: usize = 1 << 20;

/// Far more than anybody needs to prove who it is.
const MAX_STRANGER_BYTES: usize = 16 << 10;
/// How long a client that was refused may take to read that.
const REFUSED_FOR: std::time::Duration = std::time::Duration::from_secs(1);

/// An answer that is ready or still being waited for.
struct Outgoing {
    correlation_id: i32,
    version: i16,
    answer: Answer,
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum ConnectionError {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error("a request of {0} bytes is too large")]
    TooLarge(i64),
    #[error("a request or an answer took too long")]
    TooSlow,
    #[error("it did not prove that it knows the secret of this log")]
    Stranger,
    #[error("it was refused: {0}")]
    Refused(#[from] super::scram::ScramError),
    #[error("a large request or answer took too long while others waited for its memory")]
    GivenUp,
}

impl From<GivenUp> for ConnectionError {
    fn from(GivenUp: GivenUp) -> Self {
        Self::GivenUp
    }
}

/// Serves the client until it goes, breaks a rule, or the broker stops.
///
/// `stranger` is its place among those who have not proven who they are, given up when it has; when a newer
/// connection takes the place before, this one ends.
pub(super) async fn serve(shared: Arc<Shared>, stream: TcpStream, peer: SocketAddr, stranger: Option<Place>) {
    let displaced = stranger.as_ref().map_or_else(CancellationToken::new, Place::displaced);
    let result = tokio::select! {
        () = shared.stopping.cancelled() => return,
        () = displaced.cancelled() => {
            log::debug!(peer:%; "it had not proven who it is, and made room for another");
            return;
        }
        result = Box::pin(run(&shared, stream, peer, stranger)) => result,
    };
    match result {
        Ok(()) | Err(ConnectionError::Io(_)) => log::debug!(peer:%; "client gone"),
        Err(error) => log::warn!(peer:%, error:%; "connection ended"),
    }
}

async fn run(
    shared: &Arc<Shared>,
    stream: TcpStream,
    peer: SocketAddr,
    mut stranger: Option<Place>,
) -> Result<(), ConnectionError> {
    stream.set_nodelay(true)?;
    let endpoint = api::Endpoint::of(&shared.config, stream.local_addr()?);
    let (read, write) = stream.into_split();
    // From the reading half to the writing half of this connection. When it is full the client is not read.
    let (sender, receiver) = mpsc::channel(shared.config.max_in_flight.max(1));
    let mut reader = Reader { shared, stream: read, buffer: BytesMut::new() };
    let mut access = Access::new(shared.verifier.as_ref(), shared.config.require_authentication);
    let mut known_by = Box::pin(tokio::time::sleep(shared.config.authentication_timeout));
    let reading = async {
        loop {
            let next = tokio::select! {
                next = reader.next(access.is_open()) => next?,
                () = &mut known_by, if !access.is_open() => return Err(ConnectionError::Stranger),
            };
            let Some((frame, share)) = next else { break };
            let request = match frame::decode(frame) {
                Err(FrameError::ApiVersions { correlation_id, version }) => {
                    log::debug!(peer:%, version; "unknown version of ApiVersions");
                    let answer = Answer::from(api::unsupported_version());
                    let _ = sender.send(Outgoing { correlation_id, version: 0, answer }).await;
                    continue;
                }
                request => request?,
            };
            let Request { correlation_id, version, client_id, body } = request;
            let body = match access.pass(version, body) {
                Passage::Serve(body) => body,
                Passage::Answer(response) => {
                    if access.is_open() {
                        stranger = None;
                    }
                    let answer = Answer::Now(Box::new(response_alone(response)));
                    let _ = sender.send(Outgoing { correlation_id, version, answer }).await;
                    continue;
                }
                Passage::Refuse(response, error) => {
                    let answer = Answer::Now(Box::new(response_alone(response)));
                    let _ = sender.send(Outgoing { correlation_id, version, answer }).await;
                    // Ends when the client has had its answer and closes, or after a moment.
                    let _ = timeout(REFUSED_FOR, reader.next(false)).await;
                    return Err(error.into());
                }
                Passage::Stranger => return Err(ConnectionError::Stranger),
            };
            let client = Client { id: client_id, host: peer.ip().to_string(), endpoint: endpoint.clone() };
            let answer = api::dispatch(shared, &client, version, body).await;
            drop(share);
            if sender.send(Outgoing { correlation_id, version, answer }).await.is_err() {
                break;
            }
        }
        Ok(())
    };
    tokio::select! {
        result = reading => result,
        result = write_all(shared, write, receiver) => result,
    }
}

fn response_alone(response: ResponseKind) -> Reply {
    Reply { response, share: None }
}

struct Reader<'a> {
    shared: &'a Shared,
    stream: OwnedReadHalf,
    buffer: BytesMut,
}

impl Reader<'_> {
    /// The next request without its prefix and with its share of the common memory; `None` when the client
    /// has closed or was idle for too long.
    async fn next(&mut self, known: bool) -> Result<Option<(Bytes, Option<Share>)>, ConnectionError> {
        let config = &self.shared.config;
        if self.buffer.is_empty() {
            let first = timeout(config.max_idle, self.more(PREFIX_BYTES)).await;
            if first.unwrap_or(Ok(0))? == 0 {
                return Ok(None);
            }
        }
        timeout(config.transfer_timeout, self.fill(PREFIX_BYTES))
            .await
            .map_err(|_| ConnectionError::TooSlow)??;
        let length = self.buffer.get_i32();
        let length = usize::try_from(length)
            .ok()
            .filter(|length| *length <= config.max_request_bytes)
            .ok_or(ConnectionError::TooLarge(length.into()))?;
        if !known && length > MAX_STRANGER_BYTES {
            return Err(ConnectionError::TooLarge(length as i64));
        }
        if length > MAX_CONTROL_BYTES {
            let key = timeout(config.transfer_timeout, self.peek_key())
                .await
                .map_err(|_| ConnectionError::TooSlow)??;
            if key != ApiKey::Produce as i16 {
                return Err(ConnectionError::TooLarge(length as i64));
            }
        }
        let share = timeout(config.transfer_timeout, self.receive(length))
            .await
            .map_err(|_| ConnectionError::TooSlow)??;
        Ok(Some((self.buffer.split_to(length).freeze(), share)))
    }

    /// The kind of the request that begins in the buffer.
    async fn peek_key(&mut self) -> Result<i16, ConnectionError> {
        self.fill(size_of::<i16>()).await?;
        Ok(self.buffer.as_ref().get_i16())
    }

    /// Reads a whole request into the buffer. A large one takes memory in the measure in which it comes.
    async fn receive(&mut self, length: usize) -> Result<Option<Share>, ConnectionError> {
        self.fill(length.min(FREE_BYTES)).await?;
        if length <= FREE_BYTES {
            return Ok(None);
        }
        let share = self.shared.memory.share();
        share.waits_for_client(true);
        while self.buffer.len() < length {
            let arrived = self.buffer.len();
            let more = arrived.min(length - arrived);
            share.take(more).await?;
            tokio::select! {
                () = share.given_up() => return Err(ConnectionError::GivenUp),
                filled = self.fill(arrived + more) => filled?,
            }
        }
        share.waits_for_client(false);
        Ok(Some(share))
    }

    /// Reads until `length` bytes are in the buffer.
    async fn fill(&mut self, length: usize) -> Result<(), ConnectionError> {
        while self.buffer.len() < length {
            if self.more(length - self.buffer.len()).await? == 0 {
                return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
            }
        }
        Ok(())
    }

    /// Reads once. The buffer grows at most to double of what has arrived.
    async fn more(&mut self, wanted: usize) -> std::io::Result<usize> {
        let grow = wanted.min(self.buffer.len().max(READ_BYTES));
        self.buffer.reserve(grow);
        self.stream.read_buf(&mut self.buffer).await
    }
}

async fn write_all(
    shared: &Shared,
    mut stream: OwnedWriteHalf,
    mut answers: mpsc::Receiver<Outgoing>,
) -> Result<(), ConnectionError> {
    while let Some(Outgoing { correlation_id, version, answer }) = answers.recv().await {
        let Reply { response, share } = match answer {
            Answer::Nothing => continue,
            Answer::Now(reply) => *reply,
            Answer::Later(reply) => reply.await,
        };
        let bytes = frame::encode(correlation_id, version, &response)?;
        drop(response);
        let sent = timeout(shared.config.transfer_timeout, stream.write_all(&bytes));
        let sent = match &share {
            None => sent.await,
            Some(share) => {
                share.waits_for_client(true);
                tokio::select! {
                    () = share.given_up() => return Err(ConnectionError::GivenUp),
                    sent = sent => sent,
                }
            }
        };
        sent.map_err(|_| ConnectionError::TooSlow)??;
    }
    Ok(())
}
