//! The network between a store and its server, and what it does to them.

use std::net::SocketAddr;
use std::time::Duration;

use milena_settings::DatabaseSettings;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::database::{TestDatabase, settings};

/// What the wire does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Works,
    /// What the server says arrives in pieces of a few bytes, a millisecond apart.
    Drips,
    /// Connections stay open, and nothing passes.
    Swallows,
    /// Connections end, and new ones are ended at once.
    Cut,
}

/// A port that leads to the server. Ends with the test's runtime.
pub(crate) struct Wire {
    address: SocketAddr,
    state: watch::Sender<State>,
    /// How many directions of connections pass bytes on at the moment.
    passing: watch::Sender<usize>,
}

impl Wire {
    /// A wire to the server of this database, and how a store is told to use it.
    pub(crate) async fn to(database: &TestDatabase) -> (Self, DatabaseSettings) {
        Self::on("127.0.0.1:0", database).await.unwrap()
    }

    /// One that begins at another address of this machine.
    pub(crate) async fn on(
        address: &str,
        database: &TestDatabase,
    ) -> std::io::Result<(Self, DatabaseSettings)> {
        let (scheme, rest) = database.url.split_once("://").unwrap();
        let (login, place) = rest.split_once('@').unwrap();
        let (host, path) = place.split_once('/').unwrap();
        let server = host.parse().expect("the server's URL has an IP address and a port");
        let wire = Self::begin(address, server).await?;
        let settings = settings(&format!("{scheme}://{login}@{}/{path}", wire.address));
        Ok((wire, settings))
    }

    async fn begin(address: &str, server: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (state, passing) = (watch::Sender::new(State::Works), watch::Sender::new(0));
        let (states, counter) = (state.clone(), passing.clone());
        tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(carry(client, server, states.subscribe(), counter.clone()));
            }
        });
        Ok(Self { address, state, passing })
    }

    /// Returns when no connection does anymore what it did before.
    pub(crate) async fn set(&self, state: State) {
        self.state.send_replace(state);
        if matches!(state, State::Swallows | State::Cut) {
            self.passing.subscribe().wait_for(|count| *count == 0).await.unwrap();
        }
    }
}

async fn carry(
    client: TcpStream,
    server: SocketAddr,
    state: watch::Receiver<State>,
    passing: watch::Sender<usize>,
) {
    let server = TcpStream::connect(server).await.unwrap();
    client.set_nodelay(true).unwrap();
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        () = pass(from_client, to_server, state.clone(), &passing, 4_096) => {}
        () = pass(from_server, to_client, state, &passing, 24) => {}
    }
}

/// Until one side ends. What was read is always written, whatever becomes of the wire meanwhile. `drip` is
/// the size of a piece.
async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut state: watch::Receiver<State>,
    passing: &watch::Sender<usize>,
    drip: usize,
) {
    let mut buffer = [0; 4_096];
    loop {
        let now = *state.borrow_and_update();
        match now {
            State::Cut => return,
            State::Swallows => {
                if state.changed().await.is_err() {
                    return;
                }
            }
            State::Works | State::Drips => {
                let _passing = Passing::count(passing);
                let size = if now == State::Drips { drip } else { buffer.len() };
                let read = tokio::select! {
                    biased;
                    _ = state.changed() => continue,
                    read = from.read(&mut buffer[..size]) => read.unwrap_or(0),
                };
                if now == State::Drips && drip < buffer.len() {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                if read == 0 || to.write_all(&buffer[..read]).await.is_err() {
                    return;
                }
            }
        }
    }
}

struct Passing<'a>(&'a watch::Sender<usize>);

impl<'a> Passing<'a> {
    fn count(counter: &'a watch::Sender<usize>) -> Self {
        counter.send_modify(|count| *count += 1);
        Self(counter)
    }
}

impl Drop for Passing<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}
