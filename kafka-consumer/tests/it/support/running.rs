//! The consumer in this process.

use std::time::Duration;

use milena_kafka_consumer::{ConsumerError, Health, Summary, run_watched};
use milena_settings::Settings;
use milena_storage::Store;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::world::World;

/// A consumer in this process.
pub(crate) struct Running {
    health: Health,
    stop: CancellationToken,
    task: JoinHandle<Result<Summary, ConsumerError>>,
}

impl Running {
    pub(crate) async fn start(world: &World) -> Self {
        Self::with(world.settings.clone()).await
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        let (health, stop) = (Health::default(), CancellationToken::new());
        let store = Store::connect(&settings.database).await.unwrap();
        let task = tokio::spawn(run_watched(settings, store, stop.clone(), health.clone()));
        Self { health, stop, task }
    }

    /// Whether it has partitions and stores.
    pub(crate) fn is_ready(&self) -> bool {
        self.health.why_not_ready().is_none()
    }

    /// It ends by itself, within so much time.
    pub(crate) async fn ended(self, within: Duration) -> Result<Summary, ConsumerError> {
        tokio::time::timeout(within, self.task).await.expect("the consumer ends").unwrap()
    }

    pub(crate) async fn stop(self) -> Summary {
        self.stop.cancel();
        self.task.await.unwrap().unwrap()
    }
}
