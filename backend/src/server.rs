//! The accept loop around the routes: what `warp::serve` lacks.
//!
//! It sets `TCP_NODELAY`, bounds connections and the time for a request's headers (which also ends idle connections),
//! and drains: on stop no connection is taken, requests under way are answered, sockets end themselves, and what is left
//! after `http.drain_ms` is cut.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use milena_settings::HttpSettings;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::http::HttpService;
use crate::metrics;

/// Bytes of a request's headers, at most; hyper answers 431 beyond.
const HEADERS_MAX_BYTES: usize = 32 * 1024;
/// When the system has no file descriptors left, accepting again at once would only burn the processor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The other end of a request's connection.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Where the TCP connection comes from: a proxy's address if there is one.
    pub address: SocketAddr,
    /// Counts the connection while anybody holds it; a WebSocket keeps it beyond the request.
    pub slot: Arc<Slot>,
}

/// One of the connections that `http.max_connections` allows.
#[derive(Debug)]
pub struct Slot {
    _permit: OwnedSemaphorePermit,
}

impl Slot {
    fn new(permit: OwnedSemaphorePermit) -> Arc<Self> {
        metrics::connections(1.0);
        Arc::new(Self { _permit: permit })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        metrics::connections(-1.0);
    }
}

/// The tasks of all connections, WebSockets included; clones share them.
#[derive(Debug, Clone)]
pub struct Connections {
    tasks: TaskTracker,
    slots: Arc<Semaphore>,
    /// No new connections and requests.
    stopping: CancellationToken,
    /// The time to drain is over.
    cut: CancellationToken,
    header_timeout: Duration,
    drain: Duration,
}

impl Connections {
    /// None yet.
    #[must_use]
    pub fn new(settings: &HttpSettings, stopping: CancellationToken) -> Self {
        Self {
            tasks: TaskTracker::new(),
            slots: Arc::new(Semaphore::new(settings.max_connections.min(Semaphore::MAX_PERMITS))),
            stopping,
            cut: CancellationToken::new(),
            header_timeout: Duration::from_millis(settings.header_timeout_ms),
            drain: Duration::from_millis(settings.drain_ms),
        }
    }

    /// Whether the server stops.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stopping.is_cancelled()
    }

    /// Runs a connection's task, which is awaited on stop, and dropped when it takes too long then.
    pub fn spawn(&self, connection: impl Future<Output = ()> + Send + 'static) {
        let cut = self.cut.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = connection => {}
                () = cut.cancelled() => log::debug!("a connection was cut"),
            }
        });
    }
}

/// A server that accepts.
pub struct Server {
    address: SocketAddr,
    connections: Connections,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Starts to accept. Must be called within a runtime.
    #[must_use]
    pub fn start(listener: TcpListener, service: HttpService, connections: Connections) -> Self {
        let address = listener.local_addr().unwrap_or(SocketAddr::from(([0, 0, 0, 0], 0)));
        let accepting = tokio::spawn(accept(listener, service, connections.clone()));
        Self { address, connections, accepting }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting, lets requests and sockets end, and cuts what is left after the time to drain.
    pub async fn stop(self) {
        self.connections.stopping.cancel();
        if let Err(error) = self.accepting.await {
            log::error!(error:% = error; "the accept loop failed");
        }
        let tasks = &self.connections.tasks;
        tasks.close();
        if tokio::time::timeout(self.connections.drain, tasks.wait()).await.is_err() {
            log::warn!(connections = tasks.len(); "connections did not end in time and are cut");
            self.connections.cut.cancel();
            tasks.wait().await;
        }
    }
}

async fn accept(listener: TcpListener, service: HttpService, connections: Connections) {
    loop {
        let accepted = tokio::select! {
            () = connections.stopping.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, address)) => take(stream, address, &service, &connections),
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                log::warn!(error:% = error; "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn take(stream: TcpStream, address: SocketAddr, service: &HttpService, connections: &Connections) {
    let Ok(permit) = Arc::clone(&connections.slots).try_acquire_owned() else {
        metrics::connection_refused();
        return;
    };
    if let Err(error) = stream.set_nodelay(true) {
        log::debug!(error:% = error; "TCP_NODELAY could not be set");
    }
    let peer = Peer { address, slot: Slot::new(permit) };
    connections.spawn(serve(stream, peer, service.clone(), connections.clone()));
}

/// Serves one connection until it ends or becomes a WebSocket, which then has a task of its own.
async fn serve(stream: TcpStream, peer: Peer, service: HttpService, connections: Connections) {
    let answering = service_fn(move |mut request: hyper::Request<Incoming>| {
        let service = service.clone();
        request.extensions_mut().insert(peer.clone());
        async move { Ok::<_, Infallible>(service.answer(request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(connections.header_timeout)
        .max_buf_size(HEADERS_MAX_BYTES)
        .serve_connection(TokioIo::new(stream), answering)
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = connections.stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        log::debug!(error:% = error; "a connection broke");
    }
}

/// The client gave up while it waited: nothing is wrong with the listener.
fn is_of_one_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
