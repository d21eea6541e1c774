//! Whether the consumer does its work, for those who watch it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Shared by the loops that set it and the endpoints that show it. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// Set by the ingest loop when the first partitions have a start.
    assigned: AtomicBool,
    /// Set by the writer while the store refuses for the time being.
    waiting: AtomicBool,
    /// Set when the consumer has ended.
    ended: AtomicBool,
}

impl Health {
    pub(crate) fn assigned(&self) {
        self.0.assigned.store(true, Ordering::Relaxed);
    }

    pub(crate) fn waiting(&self, waiting: bool) {
        self.0.waiting.store(waiting, Ordering::Relaxed);
    }

    /// Nothing is assigned any more, and nothing waits.
    pub(crate) fn began_anew(&self) {
        self.0.assigned.store(false, Ordering::Relaxed);
        self.waiting(false);
    }

    pub(crate) fn ended(&self) {
        self.0.ended.store(true, Ordering::Relaxed);
    }

    /// Whether the consumer runs at all. One that waits for the store does.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        !self.0.ended.load(Ordering::Relaxed)
    }

    /// `None` when it stores what comes; else what is missing, for people.
    #[must_use]
    pub fn why_not_ready(&self) -> Option<&'static str> {
        if !self.is_alive() {
            Some("the consumer has ended")
        } else if self.0.waiting.load(Ordering::Relaxed) {
            Some("the database is not available")
        } else if !self.0.assigned.load(Ordering::Relaxed) {
            Some("no partition is assigned yet")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_is_alive_but_not_ready() {
        let health = Health::default();
        assert!(health.is_alive() && health.why_not_ready().is_some());
        health.assigned();
        assert_eq!(health.why_not_ready(), None);
        health.waiting(true);
        assert!(health.is_alive() && health.why_not_ready().is_some());
        health.waiting(false);
        health.began_anew();
        assert_eq!(health.why_not_ready(), Some("no partition is assigned yet"));
        health.ended();
        assert!(!health.is_alive());
    }
}
