//! What waits for a device in one conversation: one push at a time, in the order of the messages, and of what
//! has gathered meanwhile only the newest.
//!
//! A push service keeps, of what it could not hand over yet, the one that came last, and so does the screen:
//! two under way at once could leave the older one there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use milena_domain::{ConversationId, Position};
use tokio::sync::{Mutex as Turns, OwnedMutexGuard};
use uuid::Uuid;

type Key = (Uuid, ConversationId);

/// All lines, by device and conversation; bounded by the jobs. Locked for a map operation.
#[derive(Debug, Default)]
pub(super) struct Lines(Mutex<HashMap<Key, Line>>);

#[derive(Debug)]
struct Line {
    newest: Position,
    is_urgent: bool,
    places: usize,
    /// Held by whoever is told to the service now; the others wait in their order.
    turn: Arc<Turns<()>>,
}

/// A place in a line; dropping it leaves the line.
#[derive(Debug)]
pub(super) struct Place {
    lines: Arc<Lines>,
    key: Key,
    position: Position,
    is_urgent: bool,
    turn: Arc<Turns<()>>,
}

impl Lines {
    /// A message for a device joins the line of its conversation.
    pub(super) fn join(self: &Arc<Self>, key: Key, position: Position, is_urgent: bool) -> Place {
        let mut lines = self.lines();
        let line = lines.entry(key).or_insert_with(|| Line {
            newest: position,
            is_urgent,
            places: 0,
            turn: Arc::default(),
        });
        line.places += 1;
        if line.newest < position {
            (line.newest, line.is_urgent) = (position, is_urgent);
        }
        Place { lines: Arc::clone(self), key, position, is_urgent, turn: Arc::clone(&line.turn) }
    }

    /// Nothing under the lock can panic half-way.
    fn lines(&self) -> MutexGuard<'_, HashMap<Key, Line>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Waits until those before it have been told, or given up.
    pub(super) async fn turn(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.turn).lock_owned().await
    }

    /// Whether a newer one is there that says as much; what is urgent is not passed over for what is not.
    pub(super) fn is_superseded(&self) -> bool {
        let lines = self.lines.lines();
        let Some(line) = lines.get(&self.key) else { return false };
        line.newest > self.position && (line.is_urgent || !self.is_urgent)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut lines = self.lines.lines();
        if let Some(line) = lines.get_mut(&self.key) {
            line.places -= 1;
            if line.places == 0 {
                lines.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use milena_domain::{Epoch, UserId};

    use super::*;

    #[test]
    fn one_at_a_time_in_order_and_the_newest_of_what_has_gathered() {
        let lines = Arc::new(Lines::default());
        let user = UserId::from_uuid(Uuid::nil());
        let here = (Uuid::nil(), ConversationId::direct(user, user));
        let place = |at, is_urgent| lines.join(here, Position::new(Epoch::FIRST, at), is_urgent);
        let first = place(1, true);
        let turn = first.turn().now_or_never().expect("nobody is before it");
        let (second, third, quiet) = (place(2, true), place(3, true), place(4, false));
        assert!(second.turn().now_or_never().is_none(), "the first one is under way");
        assert!(!first.is_superseded() && !third.is_superseded(), "what is newer is not urgent");
        drop(quiet);
        drop(turn);
        drop(first);
        let turn = second.turn().now_or_never().expect("it is the next");
        drop(turn);
        let other = lines.join((Uuid::max(), here.1), Position::new(Epoch::FIRST, 1), true);
        assert!(other.turn().now_or_never().is_some(), "another device has a line of its own");
        drop((second, third, other));
        assert!(lines.lines().is_empty());
    }
}
