//! Whether this node sees the log as it is now.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// Written by the tail and the delivery task, read by `/readyz` and by every answer that says whether it is complete.
#[derive(Debug, Default, Clone)]
pub struct Health(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// The leaders of all partitions are connected, as librdkafka said within the last second.
    live: AtomicBool,
    /// Everything that was in the log at start was delivered.
    caught_up: AtomicBool,
    /// Why this program cannot go on; set at most once.
    broken: OnceLock<String>,
}

impl Health {
    /// Says whether all partition leaders are connected.
    pub fn set_live(&self, live: bool) {
        if self.0.live.swap(live, Ordering::Relaxed) != live {
            if live {
                log::info!("the log answers");
            } else {
                log::warn!("the log does not answer; messages are refused until it does");
            }
        }
    }

    /// The tail has reached the end that the log had at start.
    pub fn set_caught_up(&self) {
        self.0.caught_up.store(true, Ordering::Release);
    }

    /// The log is not the one that the store belongs to any more.
    pub fn set_broken(&self, reason: impl Into<String>) {
        let reason = reason.into();
        log::error!(reason:% = reason; "the log cannot be followed any more");
        // A second reason adds nothing.
        let _ = self.0.broken.set(reason);
    }

    /// All partition leaders are connected.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.0.live.load(Ordering::Relaxed)
    }

    /// Everything that was in the log at start was delivered.
    #[must_use]
    pub fn is_caught_up(&self) -> bool {
        self.0.caught_up.load(Ordering::Acquire)
    }

    /// Why this program cannot go on.
    #[must_use]
    pub fn broken(&self) -> Option<&str> {
        self.0.broken.get().map(String::as_str)
    }

    /// What this node knows of the log is provably up to date.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.is_live() && self.is_caught_up() && self.broken().is_none()
    }
}
