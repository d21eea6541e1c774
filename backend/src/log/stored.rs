//! How far the store is: asked once a second, so that memory knows what it may forget.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use milena_storage::Store;
use tokio_util::sync::CancellationToken;

use super::health::Health;
use super::recent::Recent;

/// Asks until `stop`. While the database is away memory simply keeps more.
pub async fn follow(
    store: Store,
    topic: String,
    interval: Duration,
    recent: Arc<RwLock<Recent>>,
    health: Health,
    stop: CancellationToken,
) {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let position = match store.log_position(&topic).await {
            Ok(position) => position,
            Err(error) => {
                log::debug!(error:% = error; "the store does not say how far it is");
                continue;
            }
        };
        if matches!(store.rewrite_stage(&topic).await, Ok(Some(_))) {
            health.set_broken("the log is being rewritten; start this program again when that is done");
            stop.cancel();
            return;
        }
        let mut recent = recent.write().unwrap_or_else(PoisonError::into_inner);
        if position.epoch != recent.epoch() {
            health.set_broken(format!("epoch {} of the log began; start this program again", position.epoch));
            stop.cancel();
            return;
        }
        for (partition, next_offset) in position.next_offsets {
            recent.set_stored(partition, next_offset);
        }
    }
}

#[cfg(test)]
mod tests {
    use milena_domain::{Epoch, Timestamp};
    use milena_settings::{Secret, Settings};
    use tokio::time::timeout;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    /// Positions of before and after the new epoch would be mixed: this program must not go on.
    #[tokio::test]
    async fn a_new_epoch_ends_the_program() {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings::defaults().database;
        settings.url = Secret::new(format!("sqlite:{}?mode=rwc", folder.path().join("store.db").display()));
        let store = Store::connect(&settings).await.unwrap();
        store.migrate().await.unwrap();
        let recent = Arc::new(RwLock::new(Recent::new(Epoch::FIRST, &[0], 1 << 20, 0)));
        let (health, stop) = (Health::default(), CancellationToken::new());
        let interval = Duration::from_millis(10);
        let following =
            follow(store.clone(), "log".to_owned(), interval, recent, health.clone(), stop.clone());
        let following = tokio::spawn(following);
        // Not at once: in the epoch of its start it goes on.
        assert!(timeout(10 * interval, stop.cancelled()).await.is_err() && health.broken().is_none());
        store.begin_epoch(Timestamp::now()).await.unwrap();
        timeout(PATIENCE, stop.cancelled()).await.expect("it stops the program");
        assert!(health.broken().is_some_and(|reason| reason.contains("epoch 2")), "{:?}", health.broken());
        following.await.unwrap();
    }
}
