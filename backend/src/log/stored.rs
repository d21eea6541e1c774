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
