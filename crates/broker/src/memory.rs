//! The memory of large requests and answers, shared by all connections.
//!
//! A request takes memory for what has really arrived of it, not for what it announces; an answer for what it
//! holds. When none is left, others wait, and transfers whose client has been slower than `patience` lose
//! their connections, the oldest first, one by one, until there is enough. So a client that sends or reads
//! slowly keeps others waiting for no longer than that, however many connections it opens.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Transfers up to this size take nothing of the common memory.
pub(crate) const FREE_BYTES: usize = 64 << 10;

/// All of it.
#[derive(Debug)]
pub(crate) struct Memory {
    total_bytes: usize,
    patience: Duration,
    state: Mutex<State>,
    /// Told to all who wait for memory whenever some came back.
    freed: Notify,
}

#[derive(Debug, Default)]
struct State {
    used_bytes: usize,
    next_id: u64,
    /// At most a few for each connection.
    transfers: HashMap<u64, Transfer>,
}

#[derive(Debug, Default)]
struct Transfer {
    bytes: usize,
    /// Since when the client is waited for; `None` while the broker itself is at work.
    waiting_since: Option<Instant>,
    /// Told to the connection when others need the memory more.
    given_up: CancellationToken,
}

/// A transfer lost its memory: its connection has to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GivenUp;

/// The part of the memory that one transfer holds; goes back when it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    memory: Arc<Memory>,
    id: u64,
    given_up: CancellationToken,
}

impl Memory {
    pub(crate) fn new(total_bytes: usize, patience: Duration) -> Arc<Self> {
        Arc::new(Self { total_bytes, patience, state: Mutex::default(), freed: Notify::new() })
    }

    /// A share that holds nothing yet.
    pub(crate) fn share(self: &Arc<Self>) -> Share {
        let transfer = Transfer::default();
        let given_up = transfer.given_up.clone();
        let mut state = self.lock();
        let id = state.next_id;
        state.next_id += 1;
        state.transfers.insert(id, transfer);
        Share { memory: Arc::clone(self), id, given_up }
    }

    /// Takes the bytes if they are there. Otherwise makes room and tells when to look again at the latest.
    fn try_take(&self, id: u64, bytes: usize) -> Result<(), Option<Instant>> {
        let mut state = self.lock();
        let free_bytes = self.total_bytes.saturating_sub(state.used_bytes);
        // A transfer that is alone may have all it wants, so that a small setting cannot block it for ever.
        let alone = state.transfers.iter().all(|(other, transfer)| *other == id || transfer.bytes == 0);
        if bytes <= free_bytes || alone {
            state.used_bytes += bytes;
            state.transfers.entry(id).or_default().bytes += bytes;
            return Ok(());
        }
        Err(self.make_room(&state, bytes - free_bytes))
    }

    /// Gives up the slowest transfers, as many as needed. Returns when the next one will have been too slow.
    fn make_room(&self, state: &State, mut missing_bytes: usize) -> Option<Instant> {
        let waiting = |transfer: &Transfer| transfer.waiting_since.filter(|_| transfer.bytes > 0);
        let mut slow: Vec<_> = state.transfers.values().filter_map(|t| Some((waiting(t)?, t))).collect();
        slow.sort_unstable_by_key(|(since, _)| *since);
        let now = Instant::now();
        for (since, transfer) in slow {
            let given_up_at = since + self.patience;
            if given_up_at > now {
                return Some(given_up_at);
            }
            transfer.given_up.cancel();
            missing_bytes = missing_bytes.saturating_sub(transfer.bytes);
            if missing_bytes == 0 {
                break;
            }
        }
        None
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is a single step, so a panic elsewhere leaves a sound state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    /// Takes more, as soon as there is some.
    ///
    /// # Errors
    /// When this transfer itself has been too slow and others need what it holds.
    pub(crate) async fn take(&self, bytes: usize) -> Result<(), GivenUp> {
        loop {
            // Registered before the look, so that nothing freed in between is missed.
            let mut freed = std::pin::pin!(self.memory.freed.notified());
            freed.as_mut().enable();
            let Err(again_at) = self.memory.try_take(self.id, bytes) else { return Ok(()) };
            let again = async {
                match again_at {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.given_up.cancelled() => return Err(GivenUp),
                () = freed => {}
                () = again => {}
            }
        }
    }

    /// Holds exactly so much from now on; more than before is taken without waiting.
    pub(crate) fn resize(&self, bytes: usize) {
        let mut state = self.memory.lock();
        let transfer = state.transfers.entry(self.id).or_default();
        let before = std::mem::replace(&mut transfer.bytes, bytes);
        state.used_bytes = (state.used_bytes + bytes).saturating_sub(before);
        drop(state);
        self.memory.freed.notify_waiters();
    }

    /// Whether from now on the client is waited for, or the broker at work.
    pub(crate) fn waits_for_client(&self, waits: bool) {
        let mut state = self.memory.lock();
        state.transfers.entry(self.id).or_default().waiting_since = waits.then(Instant::now);
    }

    /// Returns when the transfer has to end because others need what it holds.
    pub(crate) async fn given_up(&self) {
        self.given_up.cancelled().await;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut state = self.memory.lock();
        if let Some(transfer) = state.transfers.remove(&self.id) {
            state.used_bytes = state.used_bytes.saturating_sub(transfer.bytes);
        }
        drop(state);
        self.memory.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_millis(100);

    async fn holds(memory: &Arc<Memory>, bytes: usize, waits_for_client: bool) -> Share {
        let share = memory.share();
        share.waits_for_client(waits_for_client);
        share.take(bytes).await.expect("there is enough");
        share
    }

    async fn soon<Out>(wait: impl Future<Output = Out>) -> Option<Out> {
        tokio::time::timeout(Duration::from_secs(10), wait).await.ok()
    }

    #[tokio::test]
    async fn who_waits_goes_on_when_memory_comes_back() {
        let memory = Memory::new(100, PATIENCE);
        let first = holds(&memory, 80, false).await;
        let second = memory.share();
        let mut take = std::pin::pin!(second.take(50));
        assert!(
            tokio::time::timeout(3 * PATIENCE, &mut take).await.is_err(),
            "the broker is at work on the first"
        );
        first.resize(50);
        assert_eq!(soon(take).await, Some(Ok(())));
    }

    #[tokio::test]
    async fn only_as_many_slow_ones_are_given_up_as_needed_and_the_oldest_first() {
        let memory = Memory::new(100, PATIENCE);
        let mut slow = Vec::new();
        for _ in 0..4 {
            slow.push(holds(&memory, 25, true).await);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let began = Instant::now();
        let other = memory.share();
        let give_back = async {
            let youngest = slow.split_off(2);
            for share in &slow {
                share.given_up().await;
            }
            slow.clear();
            youngest
        };
        let (taken, youngest) = tokio::join!(soon(other.take(40)), soon(give_back));
        assert_eq!(taken, Some(Ok(())));
        assert!(began.elapsed() >= PATIENCE / 2, "a moment of patience");
        let youngest = youngest.expect("in time");
        assert!(youngest.iter().all(|share| !share.given_up.is_cancelled()));
    }

    #[tokio::test]
    async fn slow_ones_that_wait_for_each_other_do_not_wait_for_ever() {
        let memory = Memory::new(100, PATIENCE);
        let (first, second) = (holds(&memory, 50, true).await, holds(&memory, 50, true).await);
        let finish = |share: Share| async move { share.take(50).await.inspect(|()| drop(share)) };
        let ends = soon(async { tokio::join!(finish(first), finish(second)) }).await;
        assert!(matches!(ends, Some((Err(GivenUp), Ok(())))), "{ends:?}");
    }

    #[tokio::test]
    async fn one_alone_may_have_more_than_all() {
        let memory = Memory::new(100, PATIENCE);
        let alone = holds(&memory, 60, true).await;
        assert_eq!(soon(alone.take(1_000)).await, Some(Ok(())));
        drop(alone);
        assert_eq!(memory.lock().used_bytes, 0);
    }
}
