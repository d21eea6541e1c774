//! One test's log and store, its own topic and database, and the settings that lead there.

use std::path::PathBuf;
use std::sync::Once;
use std::time::Duration;

use milena_broker::{Broker, BrokerConfig};
use milena_kafka::ensure_topics;
use milena_settings::{Settings, Source};
use milena_storage::Store;
use tempfile::TempDir;

use milena_testkit::{Kind, given};
pub(crate) use milena_testkit::{number, tell, turn, until};

use crate::store::Database;

pub(crate) struct World {
    pub(crate) settings: Settings,
    pub(crate) database: Database,
    /// Settings file and data; goes with the test.
    pub(crate) folder: TempDir,
    text: String,
    /// Only in the embedded world. It serves as long as it lives.
    _broker: Option<Broker>,
}

pub(crate) const PARTITIONS: usize = 12;

impl World {
    pub(crate) async fn embedded() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let broker = milena_broker::start(BrokerConfig::new(folder.path().join("log"))).await.unwrap();
        let database = Database::sqlite(folder.path());
        Self::new(broker.address().to_string(), database, folder, Some(broker)).await
    }

    /// `None` when there are no servers to test with.
    pub(crate) async fn servers() -> Option<Self> {
        let (brokers, url) = (given(Kind::Kafka)?, given(Kind::Postgres)?);
        let database = Database::on(&url).await;
        Some(Self::new(brokers, database, tempfile::tempdir().unwrap(), None).await)
    }

    /// The shared log, and a database of the test's choice.
    pub(crate) async fn with_database(database: Database) -> Option<Self> {
        let brokers = given(Kind::Kafka)?;
        Some(Self::new(brokers, database, tempfile::tempdir().unwrap(), None).await)
    }

    /// The embedded log, and a database of the test's choice.
    pub(crate) async fn embedded_with(database: Database) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let broker = milena_broker::start(BrokerConfig::new(folder.path().join("log"))).await.unwrap();
        Self::new(broker.address().to_string(), database, folder, Some(broker)).await
    }

    async fn new(brokers: String, database: Database, folder: TempDir, broker: Option<Broker>) -> Self {
        let world = Self::lay_out(brokers, database, folder, broker);
        ensure_topics(&world.settings.kafka, Duration::from_secs(20)).await.unwrap();
        world.store().await.migrate().await.unwrap();
        world
    }

    /// Settings alone: no topic, no table.
    pub(crate) fn lay_out(
        brokers: String,
        database: Database,
        folder: TempDir,
        broker: Option<Broker>,
    ) -> Self {
        log_once();
        let name = uuid::Uuid::now_v7().simple().to_string();
        let text = format!(
            "[kafka]\nbrokers = \"{brokers}\"\ntopic = \"t-{name}\"\ndead_topic = \"t-{name}.dead\"\n\
             partitions = {PARTITIONS}\n\
             [kafka.properties]\n\"session.timeout.ms\" = \"6000\"\n\
             [database]\nurl = \"{}\"\nmax_connections = 4\n\
             [consumer]\ngroup = \"g-{name}\"\nbatch_rows = 500\n\
             [logging]\nfilter = \"info,sqlx=warn,sea_orm_migration=warn\"\n",
            database.url()
        );
        let file = folder.path().join("settings.toml");
        std::fs::write(&file, &text).unwrap();
        let settings = Settings::load(&Source { file: Some(&file), ..Source::default() }).unwrap();
        Self { settings, database, folder, text, _broker: broker }
    }

    /// The settings in a file; with the name of a static group member, whose partitions wait for its return.
    pub(crate) fn file(&self, instance: Option<&str>) -> PathBuf {
        let Some(instance) = instance else { return self.folder.path().join("settings.toml") };
        let file = self.folder.path().join(format!("settings-{instance}.toml"));
        let property = format!("[kafka.properties]\n\"group.instance.id\" = \"{instance}\"\n");
        std::fs::write(&file, self.text.replace("[kafka.properties]\n", &property)).unwrap();
        file
    }

    /// Another value of `[consumer]`, from now on.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.text = self.text.replace("[consumer]\n", &format!("[consumer]\n{name} = {value}\n"));
        let file = self.folder.path().join("settings.toml");
        std::fs::write(&file, &self.text).unwrap();
        self.settings = Settings::load(&Source { file: Some(&file), ..Source::default() }).unwrap();
    }

    /// Another topic, from now on, as if this one had been lost.
    pub(crate) fn recreate_topic(&mut self) {
        let topic = self.settings.kafka.topic.clone();
        self.text = self.text.replace(&format!("\"{topic}\""), &format!("\"{topic}-anew\""));
        let file = self.folder.path().join("settings.toml");
        std::fs::write(&file, &self.text).unwrap();
        self.settings = Settings::load(&Source { file: Some(&file), ..Source::default() }).unwrap();
    }

    /// A new handle of the store.
    pub(crate) async fn store(&self) -> Store {
        Store::connect(&self.settings.database).await.unwrap()
    }
}

/// `RUST_LOG=info` shows what the consumers say.
fn log_once() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("off"))
            .is_test(true)
            .format_timestamp_millis()
            .try_init();
    });
}
