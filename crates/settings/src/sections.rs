//! The typed sections. What each key means stands in `config/default.toml`; units are in the names.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use milena_domain::record::Handle;
use serde::{Deserialize, Deserializer, de};

use crate::{Networks, PublicUrl, Secret, public_url};

/// Everything. A program reads the sections that concern it.
#[derive(Debug, Clone, Deserialize)]
#[allow(missing_docs, reason = "documented in config/default.toml, which a test holds equal to these fields")]
pub struct Settings {
    pub kafka: KafkaSettings,
    pub database: DatabaseSettings,
    pub http: HttpSettings,
    pub socket: SocketSettings,
    pub delivery: DeliverySettings,
    pub chat: ChatSettings,
    pub rooms: RoomSettings,
    pub push: PushSettings,
    pub limits: LimitSettings,
    pub consumer: ConsumerSettings,
    pub broker: BrokerSettings,
    pub logging: LoggingSettings,
}

macro_rules! section {
    ($(#[$doc:meta])* $name:ident { $($(#[$attribute:meta])* $field:ident: $kind:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Deserialize)]
        #[allow(missing_docs, reason = "documented in config/default.toml")]
        pub struct $name { $($(#[$attribute])* pub $field: $kind),* }
    };
}

/// `[kafka]`
#[derive(Clone, Deserialize)]
#[allow(missing_docs, reason = "documented in config/default.toml")]
pub struct KafkaSettings {
    pub brokers: String,
    pub topic: String,
    pub dead_topic: String,
    pub signals_topic: String,
    pub partitions: usize,
    pub replication_factor: i32,
    pub start_timeout_ms: u64,
    #[serde(deserialize_with = "properties")]
    pub properties: BTreeMap<String, String>,
}

impl fmt::Debug for KafkaSettings {
    /// Properties may hold passwords and keys: only their names are shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaSettings")
            .field("brokers", &self.brokers)
            .field("topic", &self.topic)
            .field("dead_topic", &self.dead_topic)
            .field("signals_topic", &self.signals_topic)
            .field("partitions", &self.partitions)
            .field("replication_factor", &self.replication_factor)
            .field("start_timeout_ms", &self.start_timeout_ms)
            .field("properties", &self.properties.keys().collect::<Vec<_>>())
            .finish()
    }
}

section! {
    /// `[database]`
    DatabaseSettings { url: Secret, max_connections: u32, acquire_timeout_ms: u64, start_timeout_ms: u64 }
}
section! {
    /// `[http]`
    HttpSettings {
        listen: SocketAddr, operations_listen: String,
        #[serde(deserialize_with = "public_url::optional")]
        public_url: Option<PublicUrl>,
        allowed_hosts: Vec<String>, allowed_origins: Vec<String>,
        secure_cookies: SecureCookies, session_days: u32, session_max_days: u32,
        max_connections: usize, max_connections_per_address: usize, trusted_proxies: Networks,
        header_timeout_ms: u64, drain_ms: u64,
    }
}
section! {
    /// `[socket]`
    SocketSettings {
        hello_timeout_ms: u64, heartbeat_ms: u64, pong_timeout_ms: u64, write_timeout_ms: u64,
        outbox_messages: usize, outbox_bytes: usize, max_in_flight: usize,
    }
}
section! {
    /// `[delivery]`
    DeliverySettings {
        recent_bytes: usize, send_timeout_ms: u64, max_pending_sends: usize, stored_poll_ms: u64,
        read_flush_ms: u64, tail_wait_ms: u64,
    }
}
section! {
    /// `[chat]`
    ChatSettings { edit_limit_seconds: u32, keep_edits: bool, presence_members_max: u32 }
}
section! {
    /// `[rooms]`
    RoomSettings { join_at_registration: Vec<Handle> }
}
section! {
    /// `[push]`
    PushSettings { enabled: bool, contact: String, words: bool, private_hosts: Vec<String>, group: String }
}
section! {
    /// `[limits]`
    LimitSettings {
        sign_in_burst: u32, sign_in_per_minute: u32,
        sign_in_account_burst: u32, sign_in_account_per_minute: u32,
        send_burst: u32, send_per_second: u32, send_bytes_burst: u32, send_bytes_per_second: u32,
        send_bytes_per_day: u32, min_free_disk_bytes: u64, request_burst: u32, request_per_second: u32,
        requests_at_once: u32, requests_waiting: u32, frame_burst: u32, frame_per_second: u32,
    }
}
section! {
    /// `[consumer]`
    ConsumerSettings {
        group: String, batch_rows: usize, batch_bytes: usize, batch_age_ms: u64, batch_idle_ms: u64,
        drain_ms: u64, listen: String,
    }
}
section! {
    /// `[broker]`
    BrokerSettings { listen: SocketAddr, sync: SyncMode, authentication: BrokerAuthentication }
}
section! {
    /// `[logging]`
    LoggingSettings { filter: String }
}

/// When cookies get the `Secure` attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecureCookies {
    /// When the request came over TLS, as a reverse proxy says.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Who may use the embedded log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum BrokerAuthentication {
    /// Who knows its secret.
    #[serde(rename = "scram")]
    Scram,
    /// Every program on the machine.
    #[serde(rename = "none")]
    None,
}

/// When the embedded log syncs to disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncMode {
    /// Before each confirmation.
    Always,
    /// At this interval; a power cut can lose what was confirmed since.
    Interval(Duration),
}

impl<'de> Deserialize<'de> for SyncMode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "always" {
            return Ok(Self::Always);
        }
        text.strip_suffix("ms")
            .and_then(|number| number.parse().ok())
            .filter(|ms| (1..=60_000).contains(ms))
            .map(|ms| Self::Interval(Duration::from_millis(ms)))
            .ok_or_else(|| de::Error::custom("must be \"always\" or an interval from \"1ms\" to \"60000ms\""))
    }
}

/// librdkafka takes texts; people write numbers and booleans too. A name with dots comes nested from the
/// file.
fn properties<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Property {
        Text(String),
        Number(i64),
        Flag(bool),
        Nested(BTreeMap<String, Property>),
    }
    fn flatten(prefix: &str, tree: BTreeMap<String, Property>, flat: &mut BTreeMap<String, String>) {
        for (name, property) in tree {
            let name = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
            match property {
                Property::Text(text) => drop(flat.insert(name, text)),
                Property::Number(number) => drop(flat.insert(name, number.to_string())),
                Property::Flag(flag) => drop(flat.insert(name, flag.to_string())),
                Property::Nested(tree) => flatten(&name, tree, flat),
            }
        }
    }
    let mut flat = BTreeMap::new();
    flatten("", BTreeMap::deserialize(deserializer)?, &mut flat);
    Ok(flat)
}
