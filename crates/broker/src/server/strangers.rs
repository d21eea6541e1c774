//! The places of connections that have not proven who they are.
//!
//! They are few, so that strangers cannot take the places of all others. The newest always gets one, at the
//! cost of the oldest: whoever knows the secret says so at once, and whoever has been silent for longest will
//! hardly say it any more. So no number of silent connections keeps those out who know it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

/// One log line about displaced connections in so much time, however many there are.
const REPORT_EVERY: Duration = Duration::from_secs(10);

/// All of them.
#[derive(Debug, Clone)]
pub(super) struct Strangers(Arc<Mutex<Places>>);

#[derive(Debug)]
struct Places {
    max: usize,
    next: u64,
    /// By the order in which they came.
    held: BTreeMap<u64, CancellationToken>,
    displaced: u64,
    reported: Option<Instant>,
}

/// A connection's place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    number: u64,
    displaced: CancellationToken,
    strangers: Strangers,
}

impl Strangers {
    pub(super) fn new(max: usize) -> Self {
        let places = Places { max: max.max(1), next: 0, held: BTreeMap::new(), displaced: 0, reported: None };
        Self(Arc::new(Mutex::new(places)))
    }

    /// A place for a connection that has just come; when all are taken, that of the oldest.
    pub(super) fn admit(&self) -> Place {
        let displaced = CancellationToken::new();
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = places.next;
        places.next += 1;
        while places.held.len() >= places.max {
            let Some((_, oldest)) = places.held.pop_first() else { break };
            oldest.cancel();
            places.displaced += 1;
        }
        places.held.insert(number, displaced.clone());
        places.report();
        Place { number, displaced, strangers: self.clone() }
    }
}

impl Places {
    fn report(&mut self) {
        if self.displaced > 0 && self.reported.is_none_or(|last| last.elapsed() >= REPORT_EVERY) {
            log::warn!(
                connections = self.displaced, max_strangers = self.max;
                "too many connections that have not proven who they are; the oldest were closed"
            );
            (self.displaced, self.reported) = (0, Some(Instant::now()));
        }
    }
}

impl Place {
    /// Is cancelled when the place went to a newer connection. Never, once it was given up.
    pub(super) fn displaced(&self) -> CancellationToken {
        self.displaced.clone()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.strangers.0.lock().unwrap_or_else(PoisonError::into_inner).held.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_makes_room_and_who_gave_up_its_place_is_left_alone() {
        let strangers = Strangers::new(2);
        let known = strangers.admit();
        let it = known.displaced();
        drop(known);
        let (first, second) = (strangers.admit(), strangers.admit());
        assert!(!first.displaced().is_cancelled());
        let third = strangers.admit();
        assert!(first.displaced().is_cancelled() && !second.displaced().is_cancelled());
        drop(third);
        let fourth = strangers.admit();
        assert!(!second.displaced().is_cancelled() && !fourth.displaced().is_cancelled());
        assert!(!it.is_cancelled());
    }
}
