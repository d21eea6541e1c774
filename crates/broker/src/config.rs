//! What an owner of the broker may choose, with the limits that keep one client from hurting the others.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// When appended batches reach the disk, and with that what a confirmation promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncPolicy {
    /// Every batch is on disk (`fdatasync`) before it is confirmed or shown to a reader. One sync covers all
    /// that wait.
    Always,
    /// Batches are confirmed once the operating system has them, and reach the disk at most this much later.
    /// A killed process loses nothing; a crash of the machine may lose the last interval.
    Interval(Duration),
}

/// What a client proves that it knows (SASL, SCRAM-SHA-256).
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The name.
    pub username: String,
    /// The password; it never travels.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("username", &self.username).finish_non_exhaustive()
    }
}

/// How a broker is started. `BrokerConfig::new` gives defaults that fit one machine.
#[derive(Debug, Clone)]
pub struct BrokerConfig {
    /// The folder that holds everything; created when missing, locked while the broker runs.
    pub data_dir: PathBuf,
    /// Where to listen; port 0 takes any free port. Anything but loopback needs `allow_remote`.
    pub listen: SocketAddr,
    /// When data reaches the disk.
    pub sync: SyncPolicy,
    /// Who may use the broker. Without it there is no SASL, and every program that reaches the port may do
    /// everything.
    pub credentials: Option<Credentials>,
    /// Serve only those who have proven that they know the credentials. Otherwise they may, and others are
    /// served too.
    pub require_authentication: bool,
    /// A connection that has not proven it by then ends.
    pub authentication_timeout: Duration,
    /// Connections that have not proven it yet, at a time; they count among `max_connections` too.
    pub max_strangers: usize,
    /// Listen on other addresses than loopback. There is no TLS: what is sent can be read on the way.
    pub allow_remote: bool,
    /// The host name that clients are told to connect to; by default the address that they reached.
    pub advertised_host: Option<String>,
    /// How long an empty group waits for further members before its first assignment.
    pub initial_rebalance_delay: Duration,
    /// A segment file is closed and a new one begun at this size.
    pub segment_bytes: u64,
    /// The largest record batch that a topic takes unless its own `max.message.bytes` says otherwise.
    pub max_batch_bytes: usize,
    /// The largest request; a larger one ends its connection.
    pub max_request_bytes: usize,
    /// The most memory that large requests being read and large answers being sent may hold together; beyond
    /// it they wait for each other.
    pub max_buffered_bytes: usize,
    /// How long a client that sends or reads slowly may keep others waiting for memory, before its connection
    /// ends.
    pub memory_patience: Duration,
    /// The largest answer to one fetch, whatever the client asks for (one batch may exceed it).
    pub max_fetch_bytes: usize,
    /// Further connections are closed at once. Each takes a file handle, of which systems often allow 1,024.
    pub max_connections: usize,
    /// Requests of one connection that may wait for their answers; beyond it the connection is not read.
    pub max_in_flight: usize,
    /// A connection is closed after this time without a request.
    pub max_idle: Duration,
    /// A request that has begun to arrive, or an answer that is being sent, must make it within this time.
    pub transfer_timeout: Duration,
    /// How often old segments are looked for.
    pub retention_check: Duration,
    /// Partitions of all topics together; topics beyond it are refused. Each takes a file handle, too.
    pub max_partitions: usize,
    /// Consumer groups, including those that only hold offsets.
    pub max_groups: usize,
}

impl BrokerConfig {
    /// A broker for one machine: loopback, any port, everything on disk before it is confirmed.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            sync: SyncPolicy::Always,
            credentials: None,
            require_authentication: true,
            authentication_timeout: Duration::from_secs(10),
            max_strangers: 100,
            allow_remote: false,
            advertised_host: None,
            initial_rebalance_delay: Duration::from_millis(20),
            segment_bytes: 128 << 20,
            max_batch_bytes: 1_048_588,
            max_request_bytes: 16 << 20,
            max_buffered_bytes: 64 << 20,
            memory_patience: Duration::from_secs(1),
            max_fetch_bytes: 2 << 20,
            max_connections: 400,
            max_in_flight: 64,
            max_idle: Duration::from_secs(600),
            transfer_timeout: Duration::from_secs(30),
            retention_check: Duration::from_secs(30),
            max_partitions: 400,
            max_groups: 10_000,
        }
    }
}
