//! One person's turns: whoever has many sockets that come back at once waits behind oneself, not in front of
//! others.

use std::sync::Arc;
use std::time::Duration;

use milena_domain::UserId;
use moka::sync::Cache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What is done for one person at a time on this node.
const AT_ONCE: usize = 2;
/// People who are remembered, at most; who is forgotten while waiting gets new turns.
const PEOPLE: u64 = 100_000;
const FORGET_AFTER: Duration = Duration::from_secs(60);

/// The turns of all people.
pub(super) struct Turns(Cache<UserId, Arc<Semaphore>>);

impl Default for Turns {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(PEOPLE).time_to_idle(FORGET_AFTER).build())
    }
}

impl Turns {
    /// Waits for a turn of `user`, in the order of asking; it lasts until it is dropped.
    pub(super) async fn of(&self, user: UserId) -> OwnedSemaphorePermit {
        let turns = self.0.get_with(user, || Arc::new(Semaphore::new(AT_ONCE)));
        turns.acquire_owned().await.expect("never closed")
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_person_waits_behind_oneself_only() {
        let turns = Turns::default();
        let (ann, ben) = (UserId::new(), UserId::new());
        let (first, _second) = (turns.of(ann).await, turns.of(ann).await);
        let mut third = Box::pin(turns.of(ann));
        assert!(third.as_mut().now_or_never().is_none());
        assert!(turns.of(ben).now_or_never().is_some());
        drop(first);
        assert!(third.now_or_never().is_some());
    }
}
