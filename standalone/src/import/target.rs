//! Where an import goes: the data folder, whether Milena runs on it or not, or a Kafka and a database
//! elsewhere.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use milena_broker::{Broker, FolderLock};
use milena_domain::check_log;
use milena_kafka::{ensure_topics, existing_partition_states, partition_states};
use milena_settings::Settings;
use milena_storage::Store;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::progress::Progress;
use crate::cli::Options;
use crate::{address, run, settings};

const LOG_TIMEOUT: Duration = Duration::from_secs(10);
/// How often the store is asked how far it is.
const POLL: Duration = Duration::from_millis(200);

/// An open target.
pub(crate) struct Target {
    /// With addresses filled in.
    pub(crate) settings: Settings,
    /// The database.
    pub(crate) store: Store,
    own: Option<Own>,
}

/// What this process started because nobody runs on the folder.
struct Own {
    broker: Broker,
    consumer: JoinHandle<anyhow::Result<()>>,
    stop: CancellationToken,
    _database: FolderLock,
}

impl Target {
    /// The Kafka and the database of the settings.
    ///
    /// # Errors
    /// When either does not answer, or they do not belong together.
    pub(crate) async fn external(settings: Settings) -> anyhow::Result<Self> {
        Self::open(settings).await
    }

    /// The data folder: joins the program that runs on it, or brings broker and consumer itself.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub(crate) async fn data_folder(
        options: &Options,
        mut settings: Settings,
        log: &Handle,
    ) -> anyhow::Result<Self> {
        let data: PathBuf = settings::data_folder(&options.data)?;
        let broker = address::open_log(options, &mut settings, &data, log).await?;
        let mut target = Self::open(settings).await?;
        if let Some((broker, database)) = broker {
            let stop = CancellationToken::new();
            let consumer = run::spawn_consumer(&target.settings, &target.store, stop.clone(), stop.clone());
            target.own = Some(Own { broker, consumer, stop, _database: database });
        }
        Ok(target)
    }

    async fn open(settings: Settings) -> anyhow::Result<Self> {
        let store = run::open_store(&settings).await?;
        ensure_topics(&settings.kafka, LOG_TIMEOUT).await?;
        let log = existing_partition_states(&settings.kafka, LOG_TIMEOUT).await?;
        let stored =
            store.log_position(&settings.kafka.topic).await.context("the database cannot be asked")?;
        let noted =
            store.noted_partitions(&settings.kafka.topic).await.context("the database cannot be asked")?;
        check_log(&settings.kafka.topic, settings.kafka.partitions, &log, noted.with(&stored))?;
        store
            .note_partitions(&settings.kafka.topic, stored.epoch, log.len())
            .await
            .context("the database cannot be written")?;
        Ok(Self { settings, store, own: None })
    }

    /// Waits until the store has everything that is in the log now, or until `stop`.
    ///
    /// # Errors
    /// When log or database cannot be asked, or the consumer of this process failed.
    pub(crate) async fn wait_until_stored(
        &self,
        progress: &Progress,
        stop: &CancellationToken,
    ) -> anyhow::Result<()> {
        let log = partition_states(&self.settings.kafka, LOG_TIMEOUT).await?;
        let ends: BTreeMap<i32, i64> = log
            .iter()
            // An empty partition has nothing to wait for, wherever its offsets begin.
            .filter(|(_, state)| state.high > state.low)
            .map(|(&partition, state)| (partition, state.high))
            .collect();
        if log.len() != self.settings.kafka.partitions {
            anyhow::bail!(
                "topic {} has got more partitions meanwhile; all lines read are in the log, and {} says \
                 how to go on",
                self.settings.kafka.topic,
                milena_domain::cure::command("new-epoch")
            );
        }
        let total: i64 = ends.values().sum();
        loop {
            let stored = self.store.log_position(&self.settings.kafka.topic).await?;
            let reached: i64 = ends
                .iter()
                .map(|(partition, end)| stored.next_offsets.get(partition).map_or(0, |next| *next.min(end)))
                .sum();
            progress.storing(reached.unsigned_abs(), total.unsigned_abs());
            if reached >= total {
                return Ok(());
            }
            if self.own.as_ref().is_some_and(|own| own.consumer.is_finished()) {
                anyhow::bail!("the consumer stopped before everything was stored");
            }
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }

    /// Stops what this process started.
    pub(crate) async fn close(self) {
        if let Some(Own { broker, consumer, stop, _database }) = self.own {
            stop.cancel();
            match consumer.await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => log::error!("{error:#}"),
                Err(error) => log::error!(error:% = error; "the consumer failed"),
            }
            broker.stop().await;
        }
        self.store.close().await;
    }
}
