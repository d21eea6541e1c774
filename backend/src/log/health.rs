//! Whether this node sees the log as it is now.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// Written by the tail and the delivery task, read by `/readyz` and by every answer that says whether it is
/// complete.
#[derive(Debug, Default, Clone)]
pub struct Health(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// The leaders of all partitions are connected, and what they had when that began was delivered.
    live: AtomicBool,
    /// Which connection to the leaders this is; one more each time that one was lost.
    connection: AtomicU64,
    /// Everything that was in the log at start was delivered.
    caught_up: AtomicBool,
    /// The log's disk, or the database's, has less room than the watermark.
    disk_low: AtomicBool,
    /// Why this program cannot go on; set at most once.
    broken: OnceLock<String>,
}

impl Health {
    /// A partition's leader is not connected any more: others may write what this node does not see.
    pub fn lost_connection(&self) {
        self.0.connection.fetch_add(1, Ordering::AcqRel);
        if self.0.live.swap(false, Ordering::AcqRel) {
            log::warn!("the log does not answer; messages are refused until it does");
        }
    }

    /// Which connection this is, for [`Health::reached_ends`].
    #[must_use]
    pub fn connection(&self) -> u64 {
        self.0.connection.load(Ordering::Acquire)
    }

    /// Everything was delivered that the log had when `connection` was made. Old news when that was lost
    /// since.
    pub fn reached_ends(&self, connection: u64) {
        self.0.caught_up.store(true, Ordering::Release);
        if connection == self.connection() && !self.0.live.swap(true, Ordering::AcqRel) {
            log::info!("the log answers");
        }
    }

    /// How much is free on a disk that has less than it should; `None` when all have enough.
    pub fn set_disk_low(&self, free_bytes: Option<u64>) {
        match (self.0.disk_low.swap(free_bytes.is_some(), Ordering::AcqRel), free_bytes) {
            (false, Some(free_bytes)) => {
                log::error!(
                    free_bytes;
                    "the disk is nearly full; new messages are refused until there is room"
                );
            }
            (true, None) => log::info!("the disk has room again"),
            _ => {}
        }
    }

    /// New messages are refused, because there is no room for them.
    #[must_use]
    pub fn is_disk_low(&self) -> bool {
        self.0.disk_low.load(Ordering::Acquire)
    }

    /// The log is not the one that the store belongs to any more.
    pub fn set_broken(&self, reason: impl Into<String>) {
        let reason = reason.into();
        log::error!(reason:% = reason; "the log cannot be followed any more");
        // A second reason adds nothing.
        let _ = self.0.broken.set(reason);
    }

    /// All partition leaders are connected, and what they had when that began was delivered.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.0.live.load(Ordering::Acquire)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_earlier_connection_reached_proves_nothing_about_this_one() {
        let health = Health::default();
        let first = health.connection();
        assert!(!health.is_current());
        health.reached_ends(first);
        assert!(health.is_current());
        health.lost_connection();
        assert!(!health.is_current() && health.is_caught_up());
        health.reached_ends(first);
        assert!(!health.is_current(), "others may have written in between");
        health.reached_ends(health.connection());
        assert!(health.is_current());
        health.set_broken("the topic is gone");
        assert!(!health.is_current());
    }
}
