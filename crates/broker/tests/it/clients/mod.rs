//! The client suite: written once, run twice, on this broker and on a real Apache Kafka. Both must give the
//! same answers; where one cannot, the scenario says what each does, and the crate's README why. This broker
//! asks its clients for a password, as it does in `milena`.
//!
//! Each client has a file: librdkafka through `rdkafka`, kcat, confluent-kafka (Python), and Apache Kafka's
//! own tools. Apache Kafka is the one that `MILENA_TEST_KAFKA` names (`scripts/test rust` starts one,
//! `scripts/kafka start` too); without it only this broker is tested. With `MILENA_TEST_REQUIRE_SERVERS=1` a
//! missing server or client is a failure.

/// Makes two tests of each scenario: on this broker, and on Apache Kafka.
macro_rules! on_both_brokers {
    ($($scenario:ident),+ $(,)?) => {
        mod on_this_broker {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $scenario() {
                super::$scenario(&crate::clients::Target::this_broker().await).await;
            })+
        }
        mod on_apache_kafka {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $scenario() {
                if let Some(target) = crate::clients::Target::apache_kafka() {
                    super::$scenario(&target).await;
                }
            })+
        }
    };
}

mod confluent;
mod errors;
mod groups;
mod java;
mod kcat;
mod produce_consume;
mod program;
mod topics;

use std::time::Instant;

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};

use crate::support::{PASSWORD, PATIENCE, TestBroker, create_topic, credentials, sasl};

/// The broker that a scenario runs on.
pub(crate) struct Target {
    pub(crate) bootstrap: String,
    /// Keeps the broker of this test alive; none for Apache Kafka, which is shared.
    this_broker: Option<TestBroker>,
}

impl Target {
    pub(crate) async fn this_broker() -> Self {
        let broker = TestBroker::start_with(|config| config.credentials = Some(credentials())).await;
        Self { bootstrap: broker.address().to_string(), this_broker: Some(broker) }
    }

    pub(crate) fn apache_kafka() -> Option<Self> {
        let Some(bootstrap) = milena_testkit::given(milena_testkit::Kind::Kafka) else {
            eprintln!("not run: MILENA_TEST_KAFKA names no Apache Kafka");
            return None;
        };
        Some(Self { bootstrap, this_broker: None })
    }

    /// For the few things in which the two differ on purpose.
    pub(crate) fn is_apache_kafka(&self) -> bool {
        self.this_broker.is_none()
    }

    pub(crate) fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.bootstrap).set("broker.address.family", "v4");
        for (name, value) in self.access() {
            config.set(name, value);
        }
        config
    }

    /// The properties by which a client on librdkafka is let in.
    pub(crate) fn access(&self) -> Vec<(&'static str, &'static str)> {
        if self.is_apache_kafka() { Vec::new() } else { sasl(PASSWORD).to_vec() }
    }

    /// A name that no other run of the suite uses.
    pub(crate) fn name(&self, name: &str) -> String {
        static COUNTER: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let count = COUNTER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |now| now.as_millis());
        format!("{name}-{now}-{count}")
    }

    /// A new topic, by its name.
    pub(crate) async fn topic(&self, partitions: i32) -> String {
        let name = self.name("letters");
        create_topic(&self.client(), &name, partitions).await;
        self.knows(&name, partitions).await;
        name
    }

    /// Waits until the topic can be used: a cluster may need a moment until all of it knows the topic.
    pub(crate) async fn knows(&self, topic: &str, partitions: i32) {
        let (config, topic) = (self.client(), topic.to_owned());
        let known = move || {
            let consumer: BaseConsumer = config.create().expect("consumer");
            let answers = |partition| consumer.fetch_watermarks(&topic, partition, PATIENCE).is_ok();
            (0..partitions).all(answers)
        };
        let deadline = Instant::now() + PATIENCE;
        while !tokio::task::spawn_blocking(known.clone()).await.expect("asked") {
            assert!(Instant::now() < deadline, "the topic did not appear");
        }
    }
}
