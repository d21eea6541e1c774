//! Whose turn it is: so many requests of one signed-in person are worked on at once on this node, the others
//! of the same person wait, in the order in which they came. The database's connections are for everybody:
//! whoever asks for a hundred things at once waits for their own answers, not the others.
//!
//! Bounded: more than may wait are refused. Nothing is kept of a person without a request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use milena_domain::UserId;
use milena_settings::LimitSettings;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::refusal::{Code, Refusal};

/// When to try again: by then some of those who wait have had their turn.
const RETRY_AFTER_MS: u64 = 1_000;

/// The turns of all people; clones share them.
#[derive(Debug, Clone)]
pub struct Turns(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    people: Mutex<HashMap<UserId, Person>>,
    at_once: usize,
    waiting: usize,
}

#[derive(Debug)]
struct Person {
    /// Tokio's semaphore is fair: first come, first served.
    turns: Arc<Semaphore>,
    /// Who has a turn or waits for one.
    requests: usize,
}

/// A request's turn; it ends when this is dropped.
#[derive(Debug)]
pub struct Turn {
    // Dropped in this order: the turn is free before the place is.
    _permit: OwnedSemaphorePermit,
    _place: Place,
}

/// One of those who are counted.
#[derive(Debug)]
struct Place {
    shared: Arc<Shared>,
    user: UserId,
}

impl Turns {
    /// As the settings bound them.
    #[must_use]
    pub fn from_settings(settings: &LimitSettings) -> Self {
        Self(Arc::new(Shared {
            people: Mutex::default(),
            at_once: settings.requests_at_once as usize,
            waiting: settings.requests_waiting as usize,
        }))
    }

    /// Waits for the person's turn.
    ///
    /// # Errors
    /// `rate_limited` when too many of the same person wait already.
    pub async fn take(&self, user: UserId) -> Result<Turn, Refusal> {
        let (turns, place) = self.place(user)?;
        // Never closed.
        let permit = turns.acquire_owned().await.map_err(|_| too_many())?;
        Ok(Turn { _permit: permit, _place: place })
    }

    fn place(&self, user: UserId) -> Result<(Arc<Semaphore>, Place), Refusal> {
        let Shared { people, at_once, waiting } = &*self.0;
        let mut people = people.lock().unwrap_or_else(PoisonError::into_inner);
        let person = people
            .entry(user)
            .or_insert_with(|| Person { turns: Arc::new(Semaphore::new(*at_once)), requests: 0 });
        if person.requests >= at_once + waiting {
            return Err(too_many());
        }
        person.requests += 1;
        Ok((Arc::clone(&person.turns), Place { shared: Arc::clone(&self.0), user }))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut people = self.shared.people.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(person) = people.get_mut(&self.user) {
            person.requests -= 1;
            if person.requests == 0 {
                people.remove(&self.user);
            }
        }
    }
}

fn too_many() -> Refusal {
    Refusal::later(Code::RateLimited, "too many of your requests wait already", RETRY_AFTER_MS)
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use milena_settings::Settings;

    use super::*;

    fn turns(at_once: u32, waiting: u32) -> Turns {
        let mut settings = Settings::defaults().limits;
        (settings.requests_at_once, settings.requests_waiting) = (at_once, waiting);
        Turns::from_settings(&settings)
    }

    #[tokio::test]
    async fn a_few_at_once_then_in_order_then_refused() {
        let turns = turns(2, 2);
        let (busy, other) = (UserId::new(), UserId::new());
        let (first, second) = (turns.take(busy).await.unwrap(), turns.take(busy).await.unwrap());
        let (mut third, mut fourth) = (Box::pin(turns.take(busy)), Box::pin(turns.take(busy)));
        assert!(third.as_mut().now_or_never().is_none() && fourth.as_mut().now_or_never().is_none());
        let refused = turns.take(busy).await.unwrap_err();
        assert_eq!((refused.code, refused.retry_after_ms), (Code::RateLimited, Some(RETRY_AFTER_MS)));
        assert!(turns.take(other).now_or_never().unwrap().is_ok(), "others do not wait");

        drop(first);
        assert!(fourth.as_mut().now_or_never().is_none(), "it came after the third");
        let third = third.as_mut().now_or_never().expect("its turn").unwrap();
        // Who goes away while waiting leaves the place to others.
        drop(fourth);
        let fifth = Box::pin(turns.take(busy));
        drop((second, third));
        assert!(fifth.now_or_never().unwrap().is_ok());
        assert!(turns.0.people.lock().unwrap().is_empty(), "nothing is kept");
    }
}
