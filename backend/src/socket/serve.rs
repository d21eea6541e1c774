//! From an upgraded connection to its end: sign in, go live, work, say goodbye.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use milena_domain::limits::FRAME_MAX_BYTES;
use milena_domain::{SessionCursor, UserId};
use milena_settings::{LimitSettings, Settings, SocketSettings};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::connection::{Connection, Counts};
use super::cursor_pace::CursorPace;
use super::frame_rate::FrameRate;
use super::heartbeat::Heartbeat;
use super::hello::{Hello, hello};
use super::line::{End, Line};
use super::node::{LiveNode, Node, Outcome};
use super::send_rate::SendRate;
use crate::auth::{Identity, Sessions};
use crate::chat::Chat;
use crate::metrics;
use crate::presence::Seen;
use crate::refusal::{Code, Refusal};
use crate::registry::{CloseCode, Outbox, Registration};
use crate::wire::frames::{error_frame, welcome_frame};
use crate::wire::rest::Limits;

/// A restart ends this many connections a millisecond, so that their clients do not all come back at once.
const RESTARTS_PER_MS: u32 = 2;

/// What all WebSockets of this node share; clones share it too.
#[derive(Clone)]
pub struct Sockets(Arc<Shared>);

struct Shared {
    node: Box<dyn Node>,
    settings: SocketSettings,
    limits: LimitSettings,
    /// What clients are told of the bounds.
    told: Limits,
    send_rate: Arc<SendRate>,
    /// Cancelled by the server when it stops.
    stop: CancellationToken,
    /// The longest that ending all connections may be spread over.
    max_spread: Duration,
    open: AtomicUsize,
}

impl Sockets {
    /// `stop` ends all connections with 1012, spread over at most half of the server's time to drain.
    #[must_use]
    pub fn new(
        chat: Chat,
        sessions: Sessions,
        send_rate: Arc<SendRate>,
        settings: &Settings,
        stop: CancellationToken,
    ) -> Self {
        let max_spread = Duration::from_millis(settings.http.drain_ms / 2);
        Self::with_node(
            Box::new(LiveNode { chat, sessions }),
            send_rate,
            (settings.socket.clone(), settings.limits.clone()),
            Limits::new(&settings.socket, &settings.chat),
            max_spread,
            stop,
        )
    }

    /// What bounds a connection.
    #[must_use]
    pub fn settings(&self) -> &SocketSettings {
        &self.0.settings
    }

    /// What bounds what a client sends.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.0.told
    }

    pub(super) fn with_node(
        node: Box<dyn Node>,
        send_rate: Arc<SendRate>,
        (settings, limits): (SocketSettings, LimitSettings),
        told: Limits,
        max_spread: Duration,
        stop: CancellationToken,
    ) -> Self {
        let open = AtomicUsize::new(0);
        Self(Arc::new(Shared { node, settings, limits, told, send_rate, stop, max_spread, open }))
    }

    /// Serves a connection from its upgrade to its end. Ends by itself, soon after `stop` at the latest: a
    /// server that awaits these tasks has drained its sockets.
    ///
    /// `cookie` is whom the session cookie of the upgrade request vouches for, after its `Origin` was
    /// checked.
    pub async fn serve(self, upgrade: OnUpgrade, cookie: Option<Box<Identity>>) {
        let patience = Duration::from_millis(self.0.settings.hello_timeout_ms);
        let upgraded = match timeout(patience, upgrade).await {
            Ok(Ok(upgraded)) => upgraded,
            Ok(Err(error)) => return log::debug!(error:% = error; "an upgrade failed"),
            Err(_) => return log::debug!("an upgrade took too long"),
        };
        // The TCP connection itself, without the layers in which HTTP wrapped it.
        match upgraded.downcast::<TokioIo<TcpStream>>() {
            Ok(parts) => self.serve_io(parts.io.into_inner(), parts.read_buf, cookie).await,
            Err(_) => log::error!("an upgraded connection is not the one that was accepted"),
        }
    }

    /// `early` is what came before the upgrade was answered.
    pub(super) async fn serve_io<S: AsyncRead + AsyncWrite + Unpin>(
        self,
        io: S,
        early: Bytes,
        cookie: Option<Box<Identity>>,
    ) {
        let shared = &*self.0;
        let _open = Open::new(&shared.open);
        let started = Instant::now();
        let write_timeout = Duration::from_millis(shared.settings.write_timeout_ms);
        let mut line = Line::new(io, early, write_timeout).await;
        let mut counts = Counts::default();
        let end = match shared.converse(&mut line, cookie, &mut counts).await {
            Ok(end) | Err(end) => end,
        };
        if end == End::Ours(CloseCode::TooLarge) {
            let refusal =
                Refusal::new(Code::TooLarge, format!("a frame may have at most {FRAME_MAX_BYTES} bytes"));
            let _ = line.feed(error_frame(&refusal, None)).await;
        }
        // Boxed, like the beginning.
        Box::pin(line.finish(&end)).await;
        metrics::socket_ended(end.label());
        log::debug!(
            end = end.label(), duration_ms = started.elapsed().as_millis() as u64,
            received = counts.received, sent = counts.sent; "a socket ended"
        );
    }
}

/// A connection that got its `welcome`.
struct Begun {
    user: UserId,
    registration: Registration,
    cursor: SessionCursor,
    replay: Option<Outcome>,
    appear: Option<Outcome>,
    seen: Option<Seen>,
}

impl Shared {
    /// Everything between the upgrade and the goodbye.
    async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        line: &mut Line<S>,
        cookie: Option<Box<Identity>>,
        counts: &mut Counts,
    ) -> Result<End, End> {
        let mut stop = std::pin::pin!(self.stopped());
        let frame_rate = FrameRate::from_settings(&self.limits);
        let outbox = Outbox::from_settings(&self.settings);
        // Boxed: what a connection needs for a moment must not take room as long as it lives.
        let beginning = Box::pin(self.begin(line, cookie, &frame_rate, &outbox));
        let Begun { user, registration, cursor, replay, appear, seen: _seen } = tokio::select! {
            biased;
            () = &mut stop => return Err(End::Ours(CloseCode::Restart)),
            begun = beginning => begun?,
        };
        let now = Instant::now();
        let interval = Duration::from_millis(self.settings.heartbeat_ms);
        let patience = Duration::from_millis(self.settings.pong_timeout_ms);
        let mut connection = Connection {
            line,
            node: &*self.node,
            settings: &self.settings,
            send_rate: &self.send_rate,
            frame_rate: &frame_rate,
            outbox: &outbox,
            user,
            id: registration.id(),
            heartbeat: Heartbeat::new(now, interval, patience, rand::random()),
            prefixed_at: now,
            pace: CursorPace::new(now, cursor, interval, rand::random()),
            counts,
        };
        Ok(connection.run(replay, appear, stop).await)
    }

    /// Signs in, goes live and says `welcome`.
    async fn begin<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        line: &mut Line<S>,
        cookie: Option<Box<Identity>>,
        frame_rate: &FrameRate,
        outbox: &Outbox,
    ) -> Result<Begun, End> {
        let limit = Duration::from_millis(self.settings.hello_timeout_ms);
        let Hello { identity, resume } = hello(line, &*self.node, frame_rate, cookie, limit).await?;
        let Identity { session, person } = *identity;
        let resume = resume.and_then(|text| self.node.open_cursor(person.id, &text));
        let attached = self.node.attach(person.id, session, outbox.clone(), resume.clone()).await;
        let live = attached.map_err(|refusal| {
            End::Ours(match refusal.code {
                Code::ShuttingDown => CloseCode::Restart,
                _ => CloseCode::StoreUnavailable,
            })
        })?;
        // A client that resumes has got nothing beyond its own cursor until the replay is over.
        let cursor = resume.filter(|_| live.resumed).unwrap_or(live.cursor);
        let sealed = self.node.seal_cursor(person.id, &cursor);
        let prefix = self.node.client_id_prefix(person.id);
        let heartbeat_ms = self.settings.heartbeat_ms;
        let welcome = welcome_frame(&person, &sealed, live.resumed, &prefix, (heartbeat_ms, &self.told));
        line.feed(welcome).await?;
        line.flush().await?;
        Ok(Begun {
            user: person.id,
            registration: live.registration,
            cursor,
            replay: live.replay,
            appear: live.appear,
            seen: live.seen,
        })
    }

    /// Waits for the server's stop, and then for this connection's turn.
    async fn stopped(&self) {
        self.stop.cancelled().await;
        let open = u32::try_from(self.open.load(Ordering::Relaxed)).unwrap_or(u32::MAX);
        let spread = (Duration::from_millis(1) / RESTARTS_PER_MS).saturating_mul(open).min(self.max_spread);
        sleep(spread.mul_f64(rand::random())).await;
    }
}

/// Counts a connection as open while it lives.
struct Open<'a>(&'a AtomicUsize);

impl<'a> Open<'a> {
    fn new(open: &'a AtomicUsize) -> Self {
        open.fetch_add(1, Ordering::Relaxed);
        Self(open)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
