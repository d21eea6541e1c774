//! Latencies without coordinated omission.
//!
//! Load is open: [`Schedule`] says when each request is *meant* to go out, whatever became of those before
//! it, and its latency counts from that moment. A system that stalls for a second is charged for everything
//! that had to wait, not for the one request that met the stall.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

/// From 1 µs to 10 minutes with 3 significant digits; what is longer counts as 10 minutes.
const LONGEST_US: u64 = 600_000_000;

/// When each request of a constant rate is meant to go out.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    start: Instant,
    interval_ns: f64,
}

impl Schedule {
    /// `per_second` requests a second from `start` on, evenly spread.
    pub fn new(start: Instant, per_second: f64) -> Self {
        Self { start, interval_ns: 1e9 / per_second }
    }

    /// The moment of request `number`, counted from 0.
    pub fn at(&self, number: u64) -> Instant {
        self.start + Duration::from_nanos((number as f64 * self.interval_ns) as u64)
    }

    /// Runs `send` for the requests 0 to `count`, each at its moment, late ones at once. Blocks this thread,
    /// which sleeps between: its clock is finer than the millisecond of the async timers.
    ///
    /// # Errors
    /// The first that `send` gives.
    pub fn run<E>(&self, count: u64, mut send: impl FnMut(u64) -> Result<(), E>) -> Result<(), E> {
        for number in 0..count {
            let wait = self.at(number).saturating_duration_since(Instant::now());
            if !wait.is_zero() {
                std::thread::sleep(wait);
            }
            send(number)?;
        }
        Ok(())
    }
}

/// A distribution of latencies, in an HDR histogram of fixed memory (about 200 KiB).
#[derive(Debug, Clone)]
pub struct Latencies(Histogram<u64>);

impl Default for Latencies {
    fn default() -> Self {
        Self(Histogram::new_with_max(LONGEST_US, 3).expect("the bounds are valid"))
    }
}

impl Latencies {
    /// Something that was meant to begin at `intended` is done now.
    pub fn record_since(&mut self, intended: Instant) {
        self.record(intended.elapsed());
    }

    /// Something took this long.
    pub fn record(&mut self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(LONGEST_US);
        self.0.saturating_record(us.clamp(1, LONGEST_US));
    }

    /// Adds another distribution.
    pub fn add(&mut self, other: &Self) {
        self.0.add(&other.0).expect("all have the same bounds");
    }

    /// How many were recorded.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The latency that `percent` of all do not exceed, in milliseconds; 0 when nothing was recorded.
    pub fn percentile_ms(&self, percent: f64) -> f64 {
        self.0.value_at_quantile(percent / 100.0) as f64 / 1e3
    }

    /// The usual line for people.
    pub fn line(&self) -> String {
        format!(
            "{} samples: p50 {:.2} ms, p90 {:.2}, p99 {:.2}, p99.9 {:.2}, longest {:.2}",
            self.count(),
            self.percentile_ms(50.0),
            self.percentile_ms(90.0),
            self.percentile_ms(99.0),
            self.percentile_ms(99.9),
            self.0.max() as f64 / 1e3,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_what_was_recorded() {
        let mut latencies = Latencies::default();
        (1..=1_000).for_each(|ms| latencies.record(Duration::from_millis(ms)));
        for percent in [50.0, 90.0, 99.0] {
            let off = (latencies.percentile_ms(percent) - percent * 10.0).abs() / (percent * 10.0);
            assert!(off < 0.002, "{percent}: {}", latencies.percentile_ms(percent));
        }
        let mut twice = latencies.clone();
        twice.add(&latencies);
        assert_eq!(twice.count(), 2_000);
        assert!(twice.line().starts_with("2000 samples: p50 "));
    }

    #[test]
    fn what_is_too_long_is_not_lost() {
        let mut latencies = Latencies::default();
        latencies.record(Duration::from_secs(3_600));
        latencies.record(Duration::ZERO);
        assert_eq!(latencies.count(), 2);
        assert!(latencies.percentile_ms(100.0) >= 599_000.0);
    }

    #[test]
    fn a_stall_is_charged_to_everything_that_had_to_wait() {
        let mut latencies = Latencies::default();
        let schedule = Schedule::new(Instant::now(), 1_000.0);
        let sent: Result<(), ()> = schedule.run(100, |number| {
            if number == 0 {
                std::thread::sleep(Duration::from_millis(100));
            }
            latencies.record_since(schedule.at(number));
            Ok(())
        });
        sent.unwrap();
        // One request stalled; evenly spread over the stall, half of the others waited more than half of it.
        assert!(latencies.percentile_ms(50.0) >= 49.0, "{}", latencies.line());
    }
}
