//! What a crowd has seen: latencies and counts.
//!
//! Every message carries the moment at which it was meant to be sent, in microseconds since the tally's
//! epoch, in its `client_id` and at the start of its body: whoever sees it knows how long it took, without
//! shared tables.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::frame::Frame;
use crate::measure::latency::Latencies;

/// Written by all clients for some instructions at a time, read by the bench.
#[derive(Debug)]
pub struct Tally {
    epoch: Instant,
    counts: Mutex<Counts>,
}

/// What was counted since the last [`Tally::take`].
#[derive(Debug, Clone, Default)]
pub struct Counts {
    /// Sends that were handed to a client.
    pub sent: u64,
    /// From the intended moment to `accepted`.
    pub accepted: Latencies,
    /// From the intended moment to the `message` at the recipient.
    pub delivered: Latencies,
    /// Refusals.
    pub rejected: u64,
    /// Sends that could not be handed to their client, because it was too far behind or gone.
    pub dropped: u64,
    /// Connections that ended by themselves.
    pub closed: u64,
    /// One of the codes of the refusals.
    pub a_code: Option<String>,
}

impl Default for Tally {
    fn default() -> Self {
        Self { epoch: Instant::now(), counts: Mutex::default() }
    }
}

impl Tally {
    /// The stamp of a moment.
    #[must_use]
    pub fn stamp_us(&self, moment: Instant) -> u64 {
        moment.saturating_duration_since(self.epoch).as_micros() as u64
    }

    /// A frame came.
    pub fn take_frame(&self, text: &str) {
        let Ok(frame) = Frame::parse(text) else { return };
        match (frame.kind, frame.client_id, frame.body) {
            ("accepted", Some(client_id), _) => {
                if let Some(took) = self.since(client_id.rsplit('.').next()) {
                    self.counts().accepted.record(took);
                }
            }
            ("message", _, Some(body)) => {
                if let Some(took) = self.since(body.split(' ').next()) {
                    self.counts().delivered.record(took);
                }
            }
            ("rejected" | "error", _, _) => {
                let mut counts = self.counts();
                counts.rejected += 1;
                counts.a_code = frame.code.map(str::to_owned);
            }
            _ => {}
        }
    }

    fn since(&self, stamp: Option<&str>) -> Option<Duration> {
        let intended = self.epoch + Duration::from_micros(stamp?.parse().ok()?);
        Some(intended.elapsed())
    }

    /// The counts so far; begins anew.
    pub fn take(&self) -> Counts {
        std::mem::take(&mut self.counts())
    }

    /// Waits until every send has its answer, and every accepted one was delivered `copies` times, or `limit`
    /// is over.
    pub async fn settle(&self, copies: u64, limit: Duration) {
        let deadline = Instant::now() + limit;
        let settled = || {
            let counts = self.counts();
            let answered = counts.accepted.count() + counts.rejected;
            answered >= counts.sent && counts.delivered.count() >= counts.accepted.count() * copies
        };
        while !settled() && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// For a short change.
    pub fn counts(&self) -> MutexGuard<'_, Counts> {
        // Nothing panics while it is held.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latency_counts_from_the_stamp() {
        let tally = Tally::default();
        let stamp = tally.stamp_us(Instant::now());
        std::thread::sleep(Duration::from_millis(20));
        tally.take_frame(&format!(r#"{{"type":"accepted","client_id":"3.{stamp}"}}"#));
        tally.take_frame(&format!(r#"{{"type":"message","body":"{stamp} abc"}}"#));
        tally.take_frame(r#"{"type":"rejected","client_id":"4","code":"overloaded"}"#);
        tally.take_frame("not JSON");
        let counts = tally.take();
        assert_eq!((counts.accepted.count(), counts.delivered.count(), counts.rejected), (1, 1, 1));
        assert!(counts.accepted.percentile_ms(50.0) >= 20.0);
        assert_eq!(counts.a_code.as_deref(), Some("overloaded"));
        assert_eq!(tally.take().accepted.count(), 0);
    }
}
