//! Whether the consumer does its work, for those who watch it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

/// Shared by the loops that set it and the endpoints that show it. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// Set by the ingest loop when the first partitions have a start.
    assigned: AtomicBool,
    /// For what the store is waited: a [`Waiting`]. Set by the writer, and before there is one.
    waiting: AtomicU8,
    /// Set while a partition that is held stands before a record that this program is too old for.
    halted: AtomicBool,
    /// Set when the consumer has ended.
    ended: AtomicBool,
}

/// For what the store is waited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Waiting {
    Nothing,
    /// It does not answer; that passes by itself.
    Unavailable,
    /// It refuses until somebody mends it.
    Repair,
}

impl Health {
    pub(crate) fn assigned(&self) {
        self.0.assigned.store(true, Ordering::Relaxed);
    }

    pub(crate) fn waiting(&self, waiting: Waiting) {
        self.0.waiting.store(waiting as u8, Ordering::Relaxed);
    }

    /// Nothing is assigned any more, and nothing waits.
    pub(crate) fn began_anew(&self) {
        self.0.assigned.store(false, Ordering::Relaxed);
        self.halted(false);
        self.waiting(Waiting::Nothing);
    }

    /// Whether a partition has what this program cannot read.
    pub(crate) fn halted(&self, halted: bool) {
        self.0.halted.store(halted, Ordering::Relaxed);
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
        } else if self.0.halted.load(Ordering::Relaxed) {
            Some("a partition has a record of a newer program: it waits until this one is upgraded")
        } else if self.is_waiting_for(Waiting::Unavailable) {
            Some("the database is not available")
        } else if self.is_waiting_for(Waiting::Repair) {
            Some("the database refuses what is written, and somebody has to mend it: the log says why")
        } else if !self.0.assigned.load(Ordering::Relaxed) {
            Some("no partition is assigned yet")
        } else {
            None
        }
    }
}

impl Health {
    fn is_waiting_for(&self, what: Waiting) -> bool {
        self.0.waiting.load(Ordering::Relaxed) == what as u8
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
        health.waiting(Waiting::Unavailable);
        assert!(health.is_alive() && health.why_not_ready().is_some());
        health.waiting(Waiting::Repair);
        assert!(health.is_alive() && health.why_not_ready().is_some_and(|reason| reason.contains("mend")));
        health.waiting(Waiting::Nothing);
        health.began_anew();
        assert_eq!(health.why_not_ready(), Some("no partition is assigned yet"));
        health.assigned();
        health.halted(true);
        assert!(
            health.is_alive() && health.why_not_ready().is_some_and(|reason| reason.contains("upgraded"))
        );
        health.halted(false);
        assert_eq!(health.why_not_ready(), None);
        health.ended();
        assert!(!health.is_alive());
    }
}
