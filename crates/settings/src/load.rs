//! From texts to checked settings.
//!
//! Guarantees: every mistake is told, at once; a mistake names its key and an example of the right form, and
//! never what was given, which may be a password; a text is the text that was given, whatever it looks like.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use config::{Value, ValueKind};
use serde::de::DeserializeOwned;

use crate::given::{Given, Table};
use crate::{Mistakes, Settings};

/// `config/default.toml`, as compiled in.
pub const DEFAULTS: &str = include_str!("../../../config/default.toml");

/// Rooms that a registration brings somebody into, at most.
const FIRST_ROOMS_MAX: usize = 16;

/// Where settings come from besides the defaults.
#[derive(Debug, Default, Clone)]
pub struct Source<'a> {
    /// TOML of one program that begins otherwise than the others; empty for none.
    pub program_defaults: &'a str,
    /// A TOML file; it must exist.
    pub file: Option<&'a Path>,
    /// The environment; only names that begin with `MILENA__` count, and those that were meant to.
    pub environment: BTreeMap<OsString, OsString>,
}

impl<'a> Source<'a> {
    /// The process's environment and perhaps a file.
    #[must_use]
    pub fn process(file: Option<&'a Path>) -> Self {
        Self { program_defaults: "", file, environment: std::env::vars_os().collect() }
    }
}

impl Settings {
    /// Reads, merges and checks.
    ///
    /// # Errors
    /// All mistakes at once, each naming its key.
    pub fn load(source: &Source<'_>) -> Result<Self, Mistakes> {
        let mut given = Given::defaults([DEFAULTS, source.program_defaults]);
        if let Some(path) = source.file {
            given.read_file(path);
        }
        given.read_environment(&source.environment);
        let settings = sections(&mut given);
        let mut mistakes = given.mistakes;
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
        for (key, value_ms) in [
            ("kafka.start_timeout_ms", self.kafka.start_timeout_ms),
            ("database.start_timeout_ms", self.database.start_timeout_ms),
        ] {
            require(value_ms <= 3_600_000, &format!("{key} must be at most 3600000"));
        }
        require(self.database.max_connections >= 1, "database.max_connections must be at least 1");
        require((1..=3650).contains(&self.http.session_days), "http.session_days must be 1 to 3650");
        require(
            self.http.operations_listen.is_empty()
                || self.http.operations_listen.parse::<std::net::SocketAddr>().is_ok(),
            "http.operations_listen must be empty or an address such as 127.0.0.1:9464",
        );
        require((1..=3650).contains(&self.http.session_max_days), "http.session_max_days must be 1 to 3650");
        require(self.http.max_connections >= 1, "http.max_connections must be at least 1");
        require(
            self.http.max_connections_per_address >= 1,
            "http.max_connections_per_address must be at least 1",
        );
        require(
            (1..=100_000).contains(&self.chat.presence_members_max),
            "chat.presence_members_max must be 1 to 100000",
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
            self.rooms.join_at_registration.len() <= FIRST_ROOMS_MAX,
            &format!("rooms.join_at_registration must be at most {FIRST_ROOMS_MAX} handles"),
        );
        require(
            is_contact(&self.push.contact),
            "push.contact must be empty, or begin with mailto: or https:// and have no blanks",
        );
        require(!self.push.group.trim().is_empty(), "push.group must not be empty");
        require(self.push.group != self.consumer.group, "push.group must differ from consumer.group");
        require(
            self.limits.sign_in_burst >= 1 && self.limits.sign_in_per_minute >= 1,
            "limits.sign_in_burst and limits.sign_in_per_minute must be at least 1",
        );
        require(
            self.limits.send_burst >= 1 && self.limits.send_per_second >= 1,
            "limits.send_burst and limits.send_per_second must be at least 1",
        );
        // The largest message must fit, or it would be refused for ever.
        require(
            self.limits.send_bytes_burst >= 65_536 && self.limits.send_bytes_per_day >= 65_536,
            "limits.send_bytes_burst and limits.send_bytes_per_day must be at least 65536",
        );
        require(self.limits.send_bytes_per_second >= 1, "limits.send_bytes_per_second must be at least 1");
        require(
            self.limits.sign_in_account_burst >= 1 && self.limits.sign_in_account_per_minute >= 1,
            "limits.sign_in_account_burst and limits.sign_in_account_per_minute must be at least 1",
        );
        require(
            self.limits.request_burst >= 1 && self.limits.request_per_second >= 1,
            "limits.request_burst and limits.request_per_second must be at least 1",
        );
        require(
            (1..=1_000).contains(&self.limits.requests_at_once) && self.limits.requests_waiting <= 100_000,
            "limits.requests_at_once must be 1 to 1000, limits.requests_waiting at most 100000",
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

/// As a push service takes it: it stands in a token, and a header.
fn is_contact(text: &str) -> bool {
    let of = |scheme: &str| text.strip_prefix(scheme).is_some_and(|rest| rest.len() > 2);
    let is_plain = text.bytes().all(|b| b.is_ascii_graphic() && b != b'"');
    text.is_empty() || (is_plain && (of("mailto:") || of("https://")))
}

fn is_topic_name(name: &str) -> bool {
    (1..=249).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

/// Each section by itself, and each key of it, so that a mistake in one does not hide those in the others.
fn sections(given: &mut Given) -> Option<Settings> {
    let kafka = section(given, "kafka");
    let database = section(given, "database");
    let http = section(given, "http");
    let socket = section(given, "socket");
    let delivery = section(given, "delivery");
    let chat = section(given, "chat");
    let rooms = section(given, "rooms");
    let push = section(given, "push");
    let limits = section(given, "limits");
    let consumer = section(given, "consumer");
    let broker = section(given, "broker");
    let logging = section(given, "logging");
    Some(Settings {
        kafka: kafka?,
        database: database?,
        http: http?,
        socket: socket?,
        delivery: delivery?,
        chat: chat?,
        rooms: rooms?,
        push: push?,
        limits: limits?,
        consumer: consumer?,
        broker: broker?,
        logging: logging?,
    })
}

/// A key whose value has not the right form is a mistake, and the default takes its place, so that the other
/// keys are still looked at.
fn section<T: DeserializeOwned>(given: &mut Given, name: &str) -> Option<T> {
    let mut values = given.section(name);
    if !reads::<T>(&values) {
        let defaults = given.default_section(name);
        for (key, default) in defaults.iter().collect::<BTreeMap<_, _>>() {
            let mut alone = defaults.clone();
            alone.insert(key.clone(), values.get(key)?.clone());
            if !reads::<T>(&alone) {
                given.wrong_form(name, key, &default.kind);
                values.insert(key.clone(), default.clone());
            }
        }
    }
    let section = Value::new(None, ValueKind::Table(values)).try_deserialize();
    section.map_err(|_| given.mistakes.push(format!("[{name}] has not the right form"))).ok()
}

fn reads<T: DeserializeOwned>(values: &Table) -> bool {
    Value::new(None, ValueKind::Table(values.clone())).try_deserialize::<T>().is_ok()
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
            environment: pairs.iter().map(|(name, value)| (name.into(), value.into())).collect(),
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
        writeln!(file, "[kafka]\ntopic = \"from_file\"\npartitions = 3").unwrap();
        writeln!(file, "[kafka.properties]\n\"security.protocol\" = \"ssl\"").unwrap();
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
            ("MILENA__CONSUMER__BATCH_ROWS", "0"),
            ("MILENA__PUSH__CONTACT", "somebody"),
            ("MILENA__HTTP__TRUSTED_PROXIES", "10.0.0.0/8, proxy"),
            ("MILENA__ROOMS__JOIN_AT_REGISTRATION", "general,Lobby"),
        ]);
        let report = Settings::load(&source).unwrap_err().to_string();
        for expected in [
            "unknown key: kafka.topik (did you mean kafka.topic?)",
            "http.listen (MILENA__HTTP__LISTEN) must be an address and a port, such as 127.0.0.1:8080",
            "socket.max_in_flight (MILENA__SOCKET__MAX_IN_FLIGHT) must be a whole number, such as 64",
            "nonsense",
            "consumer.batch_rows must be 1 to 100000",
            "push.contact must be empty, or begin with mailto: or https://",
            "http.trusted_proxies (MILENA__HTTP__TRUSTED_PROXIES) must be a list of addresses and networks",
            "rooms.join_at_registration (MILENA__ROOMS__JOIN_AT_REGISTRATION) must be a list of handles",
        ] {
            assert!(report.contains(expected), "{expected} is missing in: {report}");
        }
        assert_eq!(report.lines().count(), 9, "{report}");
        for given in ["nowhere", "many", "proxy "] {
            assert!(!report.contains(given), "{given}: {report}");
        }
    }

    #[test]
    fn a_text_is_the_text_that_was_given() {
        let source = environment(&[
            ("MILENA__KAFKA__TOPIC", "0123"),
            ("MILENA__KAFKA__DEAD_TOPIC", "1e3"),
            ("MILENA__CONSUMER__GROUP", "007"),
            ("MILENA__DATABASE__URL", "postgres://u:1e5@h/d"),
            ("MILENA__KAFKA__PROPERTIES__SASL__PASSWORD", "1e5"),
            ("MILENA__KAFKA__PROPERTIES__SASL__USERNAME", "true"),
            ("MILENA__HTTP__ALLOWED_ORIGINS", "https://a.example, https://b.example ,"),
        ]);
        let settings = Settings::load(&source).unwrap();
        assert_eq!([&*settings.kafka.topic, &settings.kafka.dead_topic], ["0123", "1e3"]);
        assert_eq!(settings.consumer.group, "007");
        assert_eq!(settings.kafka.properties["sasl.password"], "1e5");
        assert_eq!(settings.kafka.properties["sasl.username"], "true");
        assert_eq!(settings.http.allowed_origins, ["https://a.example", "https://b.example"]);
    }

    #[test]
    fn a_file_is_read_as_people_write_them() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        write!(
            file,
            "\u{feff}[kafka]\npartitions = \"3\"\n[kafka.properties]\n\"socket.timeout.ms\" = 7000\n\
             ssl.endpoint = true\n[http]\nallowed_origins = [\" https://a.example\"]\n"
        )
        .unwrap();
        let source = Source { file: Some(file.path()), ..Source::default() };
        let settings = Settings::load(&source).unwrap();
        assert_eq!(settings.kafka.partitions, 3);
        assert_eq!(settings.kafka.properties["socket.timeout.ms"], "7000");
        assert_eq!(settings.kafka.properties["ssl.endpoint"], "true");
        assert_eq!(settings.http.allowed_origins, ["https://a.example"]);
    }

    #[test]
    fn no_mistake_shows_what_was_given() {
        for text in [
            "[kafka.properties]\n\"sasl.password\" = hunter2",
            "[kafka.properties]\n\"sasl.password\" = 'hunter2",
            "[kafka.properties]\n\"sasl.password\" = 1.5e5 # hunter2",
            "[kafka.properties]\n\"sasl.password\" = [\"hunter2\"]",
            "[database]\nurl = [\"hunter2\"]",
            "[database]\nurl = \"hunter2\"",
            "[http]\nsecure_cookies = \"hunter2\"\ntrusted_proxies = [\"hunter2\"]",
            "[broker]\nsync = \"hunter2\"\nlisten = \"hunter2\"",
            "hunter2",
        ] {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            writeln!(file, "{text}").unwrap();
            let source = Source { file: Some(file.path()), ..Source::default() };
            let report = Settings::load(&source).unwrap_err().to_string();
            assert!(!report.contains("hunter2") && !report.contains("1.5e5"), "{text}: {report}");
        }
    }

    #[test]
    fn near_misses_are_named_and_strangers_are_not() {
        for (wrong, right) in [
            ("MILENA_HTTP__LISTEN", "MILENA__HTTP__LISTEN"),
            ("MILENA_HTTP_LISTEN", "MILENA__HTTP__LISTEN"),
            ("MILENA__HTTP_LISTEN", "MILENA__HTTP__LISTEN"),
            ("MILENA__HTTP__LISTN", "http.listen"),
            ("MILENA_DATABASE_URL", "MILENA__DATABASE__URL"),
            ("MILENA_KAFKA__BROKER", "MILENA__KAFKA__BROKERS"),
            ("MILENA__CONFIG", "MILENA_CONFIG"),
            ("MILENA__KAFKA__PROPERTY__SASL__PASSWORD", "kafka.property"),
        ] {
            let report = Settings::load(&environment(&[(wrong, "hunter2")])).unwrap_err().to_string();
            assert!(report.contains(wrong) || report.contains("unknown"), "{wrong}: {report}");
            assert!(report.contains(right) && !report.contains("hunter2"), "{wrong}: {report}");
        }
        // What a service manager, a cluster, a test or another program may have there.
        for other in [
            "MILENA_CONFIG",
            "MILENA_IMPORT_PASSWORD",
            "MILENA_TEST_KAFKA",
            "MILENA_PORT",
            "MILENA_SERVICE_HOST",
            "MILENA_PORT_8080_TCP_ADDR",
            "MILENAS_SECRET",
            "HTTP__LISTEN",
        ] {
            assert!(Settings::load(&environment(&[(other, "x")])).is_ok(), "{other}");
        }
    }

    #[test]
    fn the_environment_may_hold_what_is_no_text() {
        use std::os::unix::ffi::OsStringExt;
        let strange = || std::ffi::OsString::from_vec(vec![b'a', 0xff]);
        let mut source = environment(&[]);
        source.environment.insert("SOMEBODYS".into(), strange());
        source.environment.insert(strange(), "x".into());
        assert!(Settings::load(&source).is_ok());
        source.environment.insert("MILENA__KAFKA__TOPIC".into(), strange());
        let report = Settings::load(&source).unwrap_err().to_string();
        assert!(report.contains("MILENA__KAFKA__TOPIC is not UTF-8"), "{report}");
    }

    #[test]
    fn rooms_of_a_registration_are_handles_some_or_none() {
        let given = |text: &str| {
            let settings = Settings::load(&environment(&[("MILENA__ROOMS__JOIN_AT_REGISTRATION", text)]));
            let handles = settings.map(|settings| settings.rooms.join_at_registration);
            handles.map(|handles| handles.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(given("general, news").unwrap(), ["general", "news"]);
        assert!(given("").unwrap().is_empty());
        let many: Vec<_> = (0..17).map(|number| format!("room-{number}")).collect();
        let report = given(&many.join(",")).unwrap_err().to_string();
        assert!(report.contains("rooms.join_at_registration must be at most 16 handles"), "{report}");
        assert_eq!(Settings::defaults().rooms.join_at_registration.len(), 1);
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
