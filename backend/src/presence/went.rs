//! Who went from this node, and when: noted at once, written down by the one task of [`super::Presence`].
//!
//! While the database is away they wait here, at most [`WENT_MAX`] of them; of the others it is not kept when
//! they were here last.

use std::sync::{Mutex, MutexGuard, PoisonError};

use milena_domain::{Timestamp, UserId};
use milena_storage::Store;

/// People who went and are not written down yet, at most.
const WENT_MAX: usize = 20_000;

/// Those who are not written down yet.
#[derive(Debug, Default)]
pub(super) struct Went(Mutex<Vec<(UserId, Timestamp)>>);

impl Went {
    /// These went at that time.
    pub(super) fn note(&self, people: impl IntoIterator<Item = (UserId, Timestamp)>) {
        let mut went = self.lock();
        let room = WENT_MAX.saturating_sub(went.len());
        went.extend(people.into_iter().take(room));
    }

    /// Writes them down; `false` when it is to be tried again.
    pub(super) async fn write_down(&self, store: &Store) -> bool {
        let went = std::mem::take(&mut *self.lock());
        if went.is_empty() {
            return true;
        }
        let written = store.seen(&went).await;
        if let Err(error) = &written {
            log::debug!(error:%; "when people were here last waits for the database");
            self.note(went);
        }
        written.is_ok()
    }

    // Nothing under the lock can panic half-way, so a poisoned lock still guards a consistent list.
    fn lock(&self) -> MutexGuard<'_, Vec<(UserId, Timestamp)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_wait_than_may() {
        let went = Went::default();
        let at = Timestamp::from_unix_ms(5);
        went.note((0..WENT_MAX - 1).map(|_| (UserId::new(), at)));
        went.note([(UserId::new(), at), (UserId::new(), at)]);
        assert_eq!(went.lock().len(), WENT_MAX);
    }
}
