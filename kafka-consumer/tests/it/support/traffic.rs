//! Messages that keep coming, and how far they are stored.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::log::{Log, messages};
use crate::world::World;

/// Sends from message number `sent` until told to stop; answers the next number. Bad records and repeats are
/// among them.
pub(crate) async fn traffic(log: &Log, mut sent: u64, stop: &CancellationToken) -> u64 {
    while !stop.is_cancelled() {
        log.send(messages(sent..sent + 40)).await;
        log.send(messages(sent / 2..sent / 2 + 2)).await;
        log.send_raw(None, Some(b"bad")).await;
        sent += 40;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    sent
}

/// How many offsets are stored.
pub(crate) async fn progress(world: &World) -> i64 {
    let store = world.store().await;
    let position = store.log_position(&world.settings.kafka.topic).await.unwrap();
    store.close().await;
    position.next_offsets.values().sum()
}
