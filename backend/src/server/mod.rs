//! The accept loop around the routes: what `warp::serve` lacks.
//!
//! It sets `TCP_NODELAY`, bounds connections and the time for a request's headers (which also ends idle
//! connections), and drains: on stop no connection is taken, requests under way are answered, sockets end
//! themselves, and what is left after `http.drain_ms` is cut. Connections beyond the limits are told why
//! (`refuse`); whose they are says `address`.

pub mod address;
pub mod places;
mod refuse;

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
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use warp::reply::Response;

use self::places::Place;
use self::places::Places;
use self::refuse::Refusals;
pub use self::refuse::too_many_connections;
use crate::metrics;

/// Bytes of a request's headers, at most; hyper answers 431 beyond.
const HEADERS_MAX_BYTES: usize = 32 * 1024;
/// When the system has no file descriptors left, accepting again at once would only burn the processor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// An answer of which the other side takes nothing for so long ends the connection.
const UNREAD_TIMEOUT: Duration = Duration::from_secs(30);

/// What answers the requests; cheap to clone.
pub trait Answer: Clone + Send + Sync + 'static {
    /// The answer to a request, which carries its [`Peer`] among its extensions.
    fn answer(&self, request: hyper::Request<Incoming>) -> impl Future<Output = Response> + Send;
}

/// The other end of a request's connection.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Where the TCP connection comes from: a proxy's address if there is one.
    pub address: SocketAddr,
    /// Counts the connection while anybody holds it; a WebSocket keeps it beyond the request.
    pub slot: Arc<Slot>,
}

/// One of the connections that the limits allow.
#[derive(Debug)]
pub struct Slot {
    _place: Place,
}

impl Slot {
    fn new(place: Place) -> Arc<Self> {
        metrics::connections(1.0);
        Arc::new(Self { _place: place })
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
    places: Places,
    refusals: Refusals,
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
            places: Places::new(settings),
            refusals: Refusals::new(),
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

    /// Cancelled when the server stops: whatever would go on for ever ends then.
    #[must_use]
    pub fn stopping(&self) -> CancellationToken {
        self.stopping.clone()
    }

    /// The places that connections take.
    #[must_use]
    pub const fn places(&self) -> &Places {
        &self.places
    }

    /// Runs a connection's task, which is awaited on stop, and dropped when it takes too long then.
    pub fn spawn(&self, connection: impl Future<Output = ()> + Send + 'static) {
        let cut = self.cut.clone();
        // Boxed: a future that is moved into another one takes its place twice, once where it came from and
        // once where it runs, for as long as the connection lives.
        let connection = Box::pin(connection);
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
    pub fn start(listener: TcpListener, service: impl Answer, connections: Connections) -> Self {
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

async fn accept(listener: TcpListener, service: impl Answer, connections: Connections) {
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

fn take(stream: TcpStream, address: SocketAddr, service: &impl Answer, connections: &Connections) {
    if let Err(error) = tune(&stream) {
        log::debug!(error:% = error; "the options of a connection could not be set");
    }
    match connections.places.take(address.ip()) {
        Ok(place) => {
            let peer = Peer { address, slot: Slot::new(place) };
            connections.spawn(serve(stream, peer, service.clone(), connections.clone()));
        }
        Err(why) => {
            metrics::connection_refused(why.label());
            if let Some(telling) = connections.refusals.tell(stream, why) {
                connections.spawn(telling);
            }
        }
    }
}

/// Small frames go out at once; bytes that nobody takes do not wait for ever.
fn tune(stream: &TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    SockRef::from(stream).set_tcp_user_timeout(Some(UNREAD_TIMEOUT))
}

/// Serves one connection until it ends or becomes a WebSocket, which then has a task of its own.
async fn serve(stream: TcpStream, peer: Peer, service: impl Answer, connections: Connections) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn connections_do_not_delay_and_do_not_wait_for_ever() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        assert!(!stream.nodelay().unwrap());
        tune(&stream).unwrap();
        assert!(stream.nodelay().unwrap());
        assert_eq!(SockRef::from(&stream).tcp_user_timeout().unwrap(), Some(UNREAD_TIMEOUT));
    }
}
