//! The embedded log: a single-node broker that speaks the Kafka protocol.
//!
//! It exists so that one machine needs no Java and no Docker and yet runs the very same producer, tail and
//! consumer code as a team on Apache Kafka. It keeps what it confirmed, in order, once; it has no replication
//! and never pretends to. A request goes `server` (framing) → `api` (one file a request family) → `log`
//! (partitions on disk) or `group` (consumer groups); `catalogue` knows the topics.

mod api;
pub mod backup;
mod broker;
mod catalogue;
mod config;
mod error;
mod group;
mod lock;
mod log;
mod memory;
mod server;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

pub use config::{BrokerConfig, Credentials, SyncPolicy};
pub use error::BrokerError;
pub use lock::FolderLock;

use crate::broker::Shared;

/// How long `stop` waits for what is under way; a disk that hangs must not keep a program from ending.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// A running broker. Dropping it ends its tasks without waiting for them; [`Broker::stop`] ends it in good
/// order.
#[derive(Debug)]
pub struct Broker {
    address: SocketAddr,
    shared: Arc<Shared>,
    stopping: DropGuard,
}

/// Opens the data folder, recovers what a crash left behind, and starts to serve.
///
/// Must be called within a Tokio runtime, to which the broker's tasks then belong. Small batches are written
/// by these tasks themselves: a program that must go on while a disk hangs gives the broker a runtime of its
/// own.
///
/// # Errors
/// When the folder is in use, damaged or not writable, or the address cannot be listened on.
pub async fn start(config: BrokerConfig) -> Result<Broker, BrokerError> {
    let address = config.listen;
    if !address.ip().is_loopback() && !config.allow_remote {
        return Err(BrokerError::NotLoopback(address));
    }
    let listen = |source| BrokerError::Listen { address, source };
    let stopping = CancellationToken::new();
    let opening = stopping.clone();
    let data_dir = config.data_dir.clone();
    let began = Instant::now();
    let opened = tokio::task::spawn_blocking(move || Shared::open(config, opening));
    let (shared, journal) =
        opened.await.map_err(std::io::Error::other).map_err(BrokerError::storage(data_dir)).flatten()?;
    let listener = TcpListener::bind(address).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;

    shared.tasks.spawn(journal.serve(stopping.clone()));
    shared.tasks.spawn(Arc::clone(&shared.groups).keep_time(stopping.clone()));
    shared.tasks.spawn(retain(Arc::clone(&shared)));
    shared.tasks.spawn(server::serve(Arc::clone(&shared), listener));
    ::log::info!(
        address:%, folder:% = shared.config.data_dir.display(),
        opened_ms = began.elapsed().as_millis() as u64;
        "broker started"
    );
    Ok(Broker { address, shared, stopping: stopping.drop_guard() })
}

impl Broker {
    /// Where the broker listens, with the real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops to listen, ends all connections and tasks, and flushes everything to disk.
    ///
    /// Requests that wait at this moment are not answered; their clients try again elsewhere or later.
    pub async fn stop(self) {
        let Self { address, shared, stopping } = self;
        drop(stopping);
        shared.tasks.close();
        if tokio::time::timeout(STOP_TIMEOUT, shared.tasks.wait()).await.is_err() {
            ::log::warn!(address:%; "some tasks of the broker did not end in time");
        }
        if let Err(error) = tokio::task::spawn_blocking(move || shared.save()).await {
            ::log::error!(error:%; "the broker could not save its state");
        }
        ::log::info!(address:%; "broker stopped");
    }
}

/// Looks for old segments now and then until the broker stops.
async fn retain(shared: Arc<Shared>) {
    loop {
        tokio::select! {
            () = shared.stopping.cancelled() => return,
            () = tokio::time::sleep(shared.config.retention_check) => {}
        }
        let now_ms = unix_ms();
        let retaining = Arc::clone(&shared);
        if let Err(error) = tokio::task::spawn_blocking(move || retaining.retain(now_ms)).await {
            ::log::error!(error:%; "looking for old segments failed");
        }
    }
}

/// The time of day of this machine, in milliseconds since 1970.
fn unix_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_millis() as i64)
}

/// Cases of a property test: `PROPTEST_CASES`, or so many.
#[cfg(test)]
fn test_cases(usual: u32) -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(usual)
}
