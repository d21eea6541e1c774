//! From texts to checked settings.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use config::{Config, Environment, File, FileFormat, Map, Value, ValueKind};
use serde::de::DeserializeOwned;

use crate::{Mistakes, Settings};

/// `config/default.toml`, as compiled in.
pub const DEFAULTS: &str = include_str!("../../../config/default.toml");

/// Where settings come from besides the defaults.
#[derive(Debug, Default, Clone)]
pub struct Source<'a> {
    /// TOML of one program that begins otherwise than the others; empty for none.
    pub program_defaults: &'a str,
    /// A TOML file; it must exist.
    pub file: Option<&'a Path>,
    /// The environment; only names that begin with `MILENA__` count.
    pub environment: BTreeMap<String, String>,
}

impl<'a> Source<'a> {
    /// The process's environment and perhaps a file.
    #[must_use]
    pub fn process(file: Option<&'a Path>) -> Self {
        Self { program_defaults: "", file, environment: std::env::vars().collect() }
    }
}

impl Settings {
    /// Reads, merges and checks.
    ///
    /// # Errors
    /// All mistakes at once, each naming its key.
    pub fn load(source: &Source<'_>) -> Result<Self, Mistakes> {
        let fail = |error: config::ConfigError| Mistakes(vec![error.to_string()]);
        let defaults =
            Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml)).build().map_err(fail)?;
        let environment = Environment::with_prefix("MILENA")
            .prefix_separator("__")
            .separator("__")
            .try_parsing(true)
            .list_separator(",")
            .with_list_parse_key("http.allowed_origins")
            .with_list_parse_key("http.trusted_proxies")
            .source(Some(source.environment.clone().into_iter().collect()));
        let mut builder = Config::builder()
            .add_source(File::from_str(DEFAULTS, FileFormat::Toml))
            .add_source(File::from_str(source.program_defaults, FileFormat::Toml));
        if let Some(path) = source.file {
            builder = builder.add_source(File::from(path).format(FileFormat::Toml));
        }
        let merged = builder.add_source(environment).build().map_err(fail)?;
        let mut mistakes = unknown_keys(&defaults.cache, &merged.cache);
        let settings = sections(&merged, &mut mistakes);
        match settings {
            Some(settings) => {
                mistakes.extend(settings.contradictions());
                if mistakes.is_empty() { Ok(settings) } else { Err(Mistakes(mistakes)) }
            }
            None => Err(Mistakes(mistakes)),
        }
    }

    /// The compiled-in defaults alone.
    ///
    /// # Panics
    /// Never: a test loads them.
    #[must_use]
    pub fn defaults() -> Self {
        Self::load(&Source::default()).expect("the compiled-in defaults are valid")
    }

    /// What types cannot say: limits that must hold, each with its key.
    fn contradictions(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut require = |holds: bool, sentence: &str| {
            if !holds {
                found.push(sentence.to_owned());
            }
        };
        require(!self.kafka.brokers.trim().is_empty(), "kafka.brokers must name at least one host:port");
        require(
            is_topic_name(&self.kafka.topic),
            "kafka.topic must be 1 to 249 letters, digits, '.', '_' or '-'",
        );
        require(
            is_topic_name(&self.kafka.dead_topic),
            "kafka.dead_topic must be 1 to 249 letters, digits, '.', '_' or '-'",
        );
        require(self.kafka.topic != self.kafka.dead_topic, "kafka.dead_topic must differ from kafka.topic");
        let signals_topic = &self.kafka.signals_topic;
        require(
            signals_topic.is_empty() || is_topic_name(signals_topic),
            "kafka.signals_topic must be empty or 1 to 249 letters, digits, '.', '_' or '-'",
        );
        require(
            ![&self.kafka.topic, &self.kafka.dead_topic].contains(&signals_topic),
            "kafka.signals_topic must differ from kafka.topic and kafka.dead_topic",
        );
        require((1..=1024).contains(&self.kafka.partitions), "kafka.partitions must be 1 to 1024");
        require(self.kafka.replication_factor >= 1, "kafka.replication_factor must be at least 1");
        require(
            ["sqlite:", "postgres:", "postgresql:", "mysql:"]
                .iter()
                .any(|scheme| self.database.url.expose().starts_with(scheme)),
            "database.url must start with sqlite:, postgres:// or mysql://",
        );
        require(self.database.max_connections >= 1, "database.max_connections must be at least 1");
        require((1..=3650).contains(&self.http.session_days), "http.session_days must be 1 to 3650");
        require(self.http.max_connections >= 1, "http.max_connections must be at least 1");
        require(
            self.http.max_connections_per_address >= 1,
            "http.max_connections_per_address must be at least 1",
        );
        require(self.socket.heartbeat_ms >= 1_000, "socket.heartbeat_ms must be at least 1000");
        require(self.socket.outbox_messages >= 16, "socket.outbox_messages must be at least 16");
        require(self.socket.outbox_bytes >= 262_144, "socket.outbox_bytes must be at least 262144");
        require(self.socket.max_in_flight >= 1, "socket.max_in_flight must be at least 1");
        require(self.delivery.recent_bytes >= 1_048_576, "delivery.recent_bytes must be at least 1048576");
        require(
            (100..=60_000).contains(&self.delivery.send_timeout_ms),
            "delivery.send_timeout_ms must be 100 to 60000",
        );
        require(self.delivery.max_pending_sends >= 1, "delivery.max_pending_sends must be at least 1");
        require(self.delivery.stored_poll_ms >= 10, "delivery.stored_poll_ms must be at least 10");
        require(self.delivery.read_flush_ms >= 10, "delivery.read_flush_ms must be at least 10");
        require(self.delivery.tail_wait_ms <= 1_000, "delivery.tail_wait_ms must be at most 1000");
        require(
            self.limits.sign_in_burst >= 1 && self.limits.sign_in_per_minute >= 1,
            "limits.sign_in_burst and limits.sign_in_per_minute must be at least 1",
        );
        require(
            self.limits.send_burst >= 1 && self.limits.send_per_second >= 1,
            "limits.send_burst and limits.send_per_second must be at least 1",
        );
        require(
            self.limits.sign_in_account_burst >= 1 && self.limits.sign_in_account_per_minute >= 1,
            "limits.sign_in_account_burst and limits.sign_in_account_per_minute must be at least 1",
        );
        require(
            self.limits.request_burst >= 1 && self.limits.request_per_second >= 1,
            "limits.request_burst and limits.request_per_second must be at least 1",
        );
        require(
            self.limits.frame_burst >= 1 && self.limits.frame_per_second >= 1,
            "limits.frame_burst and limits.frame_per_second must be at least 1",
        );
        require(!self.consumer.group.trim().is_empty(), "consumer.group must not be empty");
        require((1..=100_000).contains(&self.consumer.batch_rows), "consumer.batch_rows must be 1 to 100000");
        require(self.consumer.batch_bytes >= 65_536, "consumer.batch_bytes must be at least 65536");
        require(
            (1..=60_000).contains(&self.consumer.batch_age_ms),
            "consumer.batch_age_ms must be 1 to 60000",
        );
        require(
            (1..=60_000).contains(&self.consumer.batch_idle_ms),
            "consumer.batch_idle_ms must be 1 to 60000",
        );
        require(
            self.consumer.listen.is_empty() || self.consumer.listen.parse::<std::net::SocketAddr>().is_ok(),
            "consumer.listen must be empty or an address such as 127.0.0.1:9100",
        );
        found
    }
}

fn is_topic_name(name: &str) -> bool {
    (1..=249).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

/// Each section by itself, so that a mistake in one does not hide those in the others.
fn sections(merged: &Config, mistakes: &mut Vec<String>) -> Option<Settings> {
    fn section<T: DeserializeOwned>(merged: &Config, name: &str, mistakes: &mut Vec<String>) -> Option<T> {
        merged.get(name).map_err(|error| mistakes.push(format!("{name}: {error}"))).ok()
    }
    let kafka = section(merged, "kafka", mistakes);
    let database = section(merged, "database", mistakes);
    let http = section(merged, "http", mistakes);
    let socket = section(merged, "socket", mistakes);
    let delivery = section(merged, "delivery", mistakes);
    let limits = section(merged, "limits", mistakes);
    let consumer = section(merged, "consumer", mistakes);
    let broker = section(merged, "broker", mistakes);
    let logging = section(merged, "logging", mistakes);
    Some(Settings {
        kafka: kafka?,
        database: database?,
        http: http?,
        socket: socket?,
        delivery: delivery?,
        limits: limits?,
        consumer: consumer?,
        broker: broker?,
        logging: logging?,
    })
}

fn unknown_keys(defaults: &Value, merged: &Value) -> Vec<String> {
    let (ValueKind::Table(known), ValueKind::Table(given)) = (&defaults.kind, &merged.kind) else {
        return vec!["the settings must be a table".to_owned()];
    };
    let mut unknown = BTreeSet::new();
    for (section, value) in given {
        let Some(known_section) = known.get(section) else {
            unknown.insert(format!("unknown section or key: {section}"));
            continue;
        };
        if let (ValueKind::Table(known_keys), ValueKind::Table(keys)) = (&known_section.kind, &value.kind) {
            unknown.extend(keys_not_in(known_keys, keys).map(|key| format!("unknown key: {section}.{key}")));
        }
    }
    unknown.into_iter().collect()
}

fn keys_not_in<'a>(
    known: &'a Map<String, Value>,
    given: &'a Map<String, Value>,
) -> impl Iterator<Item = &'a String> {
    given.keys().filter(|key| !known.contains_key(*key))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::time::Duration;

    use super::*;
    use crate::SyncMode;

    fn environment(pairs: &[(&str, &str)]) -> Source<'static> {
        Source {
            program_defaults: "",
            file: None,
            environment: pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
        }
    }

    #[test]
    fn the_defaults_are_valid() {
        let settings = Settings::defaults();
        assert_eq!(settings.kafka.partitions, 12);
        assert_eq!(settings.broker.sync, SyncMode::Always);
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "[kafka]\ntopic = \"from_file\"\npartitions = 3\n[kafka.properties]\n\"security.protocol\" = \"ssl\"")
            .unwrap();
        let mut source = environment(&[
            ("MILENA__KAFKA__TOPIC", "from_env"),
            ("MILENA__HTTP__LISTEN", "127.0.0.1:0"),
            ("MILENA__HTTP__ALLOWED_ORIGINS", "https://a.example,https://b.example"),
            ("MILENA__BROKER__SYNC", "100ms"),
            ("MILENA__HTTP__TRUSTED_PROXIES", "10.0.0.0/8,192.0.2.7"),
            ("UNRELATED", "x"),
        ]);
        source.file = Some(file.path());
        let settings = Settings::load(&source).unwrap();
        assert_eq!(settings.kafka.topic, "from_env");
        assert_eq!(settings.kafka.partitions, 3);
        assert_eq!(settings.kafka.properties["security.protocol"], "ssl");
        assert_eq!(settings.http.allowed_origins, ["https://a.example", "https://b.example"]);
        assert_eq!(settings.broker.sync, SyncMode::Interval(Duration::from_millis(100)));
        assert!(settings.http.trusted_proxies.contain([10, 1, 2, 3].into()));
        assert!(!settings.http.trusted_proxies.contain([127, 0, 0, 1].into()), "the default is replaced");
    }

    #[test]
    fn a_programs_own_defaults_are_below_file_and_environment() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "[delivery]\nsend_timeout_ms = 200").unwrap();
        let mut source = environment(&[("MILENA__DELIVERY__STORED_POLL_MS", "300")]);
        source.program_defaults =
            "[delivery]\nsend_timeout_ms = 100\nstored_poll_ms = 100\nread_flush_ms = 100";
        source.file = Some(file.path());
        let delivery = Settings::load(&source).unwrap().delivery;
        assert_eq!(
            (delivery.read_flush_ms, delivery.send_timeout_ms, delivery.stored_poll_ms),
            (100, 200, 300)
        );
    }

    #[test]
    fn every_mistake_is_reported_at_once() {
        let source = environment(&[
            ("MILENA__KAFKA__TOPIK", "x"),
            ("MILENA__HTTP__LISTEN", "nowhere"),
            ("MILENA__SOCKET__MAX_IN_FLIGHT", "many"),
            ("MILENA__NONSENSE", "1"),
        ]);
        let report = Settings::load(&source).unwrap_err().to_string();
        for expected in ["unknown key: kafka.topik", "http", "socket", "nonsense"] {
            assert!(report.contains(expected), "{expected} is missing in: {report}");
        }
    }

    #[test]
    fn limits_name_their_key() {
        let report =
            Settings::load(&environment(&[("MILENA__CONSUMER__BATCH_ROWS", "0")])).unwrap_err().to_string();
        assert!(report.contains("consumer.batch_rows must be 1 to 100000"), "{report}");
    }

    #[test]
    fn debug_shows_no_secret() {
        let mut source = environment(&[("MILENA__DATABASE__URL", "postgres://u:hunter2@h/d")]);
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "[kafka.properties]\n\"sasl.password\" = \"hunter3\"").unwrap();
        source.file = Some(file.path());
        let printed = format!("{:?}", Settings::load(&source).unwrap());
        assert!(!printed.contains("hunter"), "{printed}");
    }
}
