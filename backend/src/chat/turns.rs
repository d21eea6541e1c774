//! Turns at something: whoever has many sockets that come back at once waits behind oneself, not in front of
//! others; and whoever needs a room that is being loaded waits for that.

use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What is done for one person at a time on this node.
pub(super) const OF_ONE_PERSON: usize = 2;
/// Keys that are remembered, at most; who is forgotten while waiting gets new turns.
const KEYS: u64 = 100_000;
const FORGET_AFTER: Duration = Duration::from_secs(60);

/// The turns of all people, or at all rooms.
pub(super) struct Turns<K> {
    each: Cache<K, Arc<Semaphore>>,
    at_once: usize,
}

impl<K: Hash + Eq + Send + Sync + 'static> Turns<K> {
    /// `at_once` have their turn at the same time.
    pub(super) fn new(at_once: usize) -> Self {
        Self { each: Cache::builder().max_capacity(KEYS).time_to_idle(FORGET_AFTER).build(), at_once }
    }

    /// Waits for a turn of `key`, in the order of asking; it lasts until it is dropped.
    pub(super) async fn of(&self, key: K) -> OwnedSemaphorePermit {
        let turns = self.each.get_with(key, || Arc::new(Semaphore::new(self.at_once)));
        turns.acquire_owned().await.expect("never closed")
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use milena_domain::UserId;

    use super::*;

    #[tokio::test]
    async fn a_person_waits_behind_oneself_only() {
        let turns = Turns::new(OF_ONE_PERSON);
        let (ann, ben) = (UserId::new(), UserId::new());
        let (first, _second) = (turns.of(ann).await, turns.of(ann).await);
        let mut third = Box::pin(turns.of(ann));
        assert!(third.as_mut().now_or_never().is_none());
        assert!(turns.of(ben).now_or_never().is_some());
        drop(first);
        assert!(third.now_or_never().is_some());
    }
}
