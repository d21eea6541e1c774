//! Who may be asked now: so many requests at once, so few of one service, and few of those services that
//! have not answered lately.
//!
//! Whoever subscribes may name a host that swallows everything, and a thousand times. Requests to services
//! that have not answered share a small part of the places, so those that answer never wait behind them; and
//! a device that does not answer is left alone for a while, longer each time.

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// Requests to services that answer.
const AT_ONCE: usize = 64;
/// Requests to others.
const UNKNOWN_AT_ONCE: usize = 16;
/// Requests to one service.
const OF_ONE: usize = 16;
/// Services that are remembered.
const SERVICES: u64 = 10_000;
/// A service that answered counts as one that answers for so long.
const ANSWERS_FOR: Duration = Duration::from_secs(60 * 60);
/// Devices that did not answer.
const RESTING: u64 = 50_000;
const REST: Duration = Duration::from_secs(60);
const REST_MAX: Duration = Duration::from_secs(60 * 60);

/// All places; shared by all jobs.
pub(crate) struct Slots {
    known: Arc<Semaphore>,
    unknown: Arc<Semaphore>,
    answers: Cache<String, ()>,
    services: Cache<String, Arc<Semaphore>>,
    /// By the endpoint's hash: how often in a row there was no answer, and until when it is left alone.
    resting: Cache<[u8; 32], (u32, Instant)>,
}

/// A place; dropping it gives it back.
pub(crate) struct Slot(#[expect(dead_code, reason = "held")] [OwnedSemaphorePermit; 2]);

impl Slots {
    pub(crate) fn new() -> Self {
        let answers = Cache::builder().max_capacity(SERVICES).time_to_live(ANSWERS_FOR).build();
        let services = Cache::builder().max_capacity(SERVICES).time_to_idle(ANSWERS_FOR).build();
        let resting = Cache::builder().max_capacity(RESTING).time_to_live(2 * REST_MAX).build();
        let (known, unknown) = (Semaphore::new(AT_ONCE).into(), Semaphore::new(UNKNOWN_AT_ONCE).into());
        Self { known, unknown, answers, services, resting }
    }

    /// Waits for a place among the requests to the service at `origin`, and then among all.
    pub(crate) async fn take(&self, origin: &str) -> Slot {
        let service = self.services.get_with_by_ref(origin, || Arc::new(Semaphore::new(OF_ONE)));
        let of_service = service.acquire_owned().await.expect("never closed");
        let all = if self.answers.contains_key(origin) { &self.known } else { &self.unknown };
        let of_all = Arc::clone(all).acquire_owned().await.expect("never closed");
        Slot([of_service, of_all])
    }

    /// For how long a device is still left alone.
    pub(crate) fn rests(&self, endpoint: &[u8; 32]) -> Option<Duration> {
        let (_, until) = self.resting.get(endpoint)?;
        let left = until.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    /// The service answered, whatever it said.
    pub(crate) fn answered(&self, origin: &str, endpoint: &[u8; 32]) {
        self.answers.insert(origin.to_owned(), ());
        self.resting.invalidate(endpoint);
    }

    /// It did not.
    pub(crate) fn did_not_answer(&self, origin: &str, endpoint: [u8; 32]) {
        self.answers.invalidate(origin);
        let times = self.resting.get(&endpoint).map_or(0, |(times, _)| times);
        let rest = REST.saturating_mul(1_u32.checked_shl(times).unwrap_or(u32::MAX)).min(REST_MAX);
        self.resting.insert(endpoint, (times + 1, Instant::now() + rest));
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    /// A place, if there is one now; without tokio's own rule that a task is to make a pause.
    fn at_once(slots: &Slots, origin: &str) -> Option<Slot> {
        tokio::task::unconstrained(slots.take(origin)).now_or_never()
    }

    #[tokio::test]
    async fn services_that_do_not_answer_leave_room_for_those_that_do() {
        let (slots, good) = (Slots::new(), "https://good.example");
        slots.answered(good, &[0; 32]);
        let mut held = Vec::new();
        for number in 0..1_000 {
            held.extend(at_once(&slots, &format!("https://dead-{number}.example")));
        }
        assert_eq!(held.len(), UNKNOWN_AT_ONCE);
        for _ in 0..OF_ONE {
            held.push(at_once(&slots, good).expect("there is room"));
        }
        assert!(at_once(&slots, good).is_none(), "so many of one");
        held.clear();
        assert!(at_once(&slots, "https://dead-9.example").is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_device_that_does_not_answer_rests_longer_each_time() {
        let (slots, device) = (Slots::new(), [7; 32]);
        for rest in [REST, 2 * REST, 4 * REST] {
            assert_eq!(slots.rests(&device), None);
            slots.did_not_answer("https://a.example", device);
            tokio::time::advance(rest - Duration::from_secs(1)).await;
            assert_eq!(slots.rests(&device), Some(Duration::from_secs(1)), "{rest:?}");
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        slots.did_not_answer("https://a.example", device);
        slots.answered("https://a.example", &device);
        assert_eq!(slots.rests(&device), None);
    }
}
