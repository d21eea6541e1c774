//! Waiting for what comes up later than the program: a broker, a topic's leaders, a database.

use std::fmt::Display;
use std::time::{Duration, Instant};

/// The first attempt may take so long, and so may the last; the log then says what is waited for. Each of the
/// others gets twice the time of the one before, as far as there is any left: what is there but slow (names,
/// TLS, a far cluster) gets through in the end.
const ATTEMPT: Duration = Duration::from_secs(5);
/// Between two attempts, at first and at most.
const PAUSE: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// One log line in so much time.
const REPORT_EVERY: Duration = Duration::from_secs(5);

/// Attempts something until it succeeds, fails for a reason that does not pass, or `patience` is over: then
/// the last error is the answer. Says in the log for what it waits. Each attempt is told how long it may
/// take.
///
/// # Errors
/// That of an attempt.
pub async fn patiently<T, E: Display, A: Future<Output = Result<T, E>>>(
    what: &str,
    patience: Duration,
    passes: impl Fn(&E) -> bool,
    mut attempt: impl FnMut(Duration) -> A,
) -> Result<T, E> {
    let deadline = Instant::now() + patience;
    let mut limit = ATTEMPT;
    let mut pause = PAUSE;
    let mut reported: Option<Instant> = None;
    loop {
        let error = match attempt(limit).await {
            Ok(done) => {
                if reported.is_some() {
                    log::info!("{what} is there");
                }
                return Ok(done);
            }
            Err(error) => error,
        };
        let left = deadline.saturating_duration_since(Instant::now());
        if !passes(&error) || left.is_zero() {
            return Err(error);
        }
        if reported.is_none_or(|last| last.elapsed() >= REPORT_EVERY) {
            reported = Some(Instant::now());
            log::warn!("waiting for {what}, for {} s at most: {error}", left.as_secs() + 1);
        }
        tokio::time::sleep(pause.min(left)).await;
        pause = (pause * 2).min(PAUSE_MAX);
        limit = (limit * 2).min(deadline.saturating_duration_since(Instant::now())).max(ATTEMPT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn attempts(passes: bool, succeed_at: u32, patience: Duration) -> (Result<u32, String>, u32) {
        let mut count = 0;
        let outcome = patiently(
            "something",
            patience,
            |_| passes,
            |_| {
                count += 1;
                let done =
                    if count == succeed_at { Ok(count) } else { Err(format!("attempt {count} failed")) };
                std::future::ready(done)
            },
        )
        .await;
        (outcome, count)
    }

    #[tokio::test]
    async fn what_passes_is_waited_for_within_limits() {
        let long = Duration::from_secs(60);
        assert_eq!(attempts(true, 3, long).await, (Ok(3), 3));
        assert_eq!(attempts(false, 3, long).await, (Err("attempt 1 failed".to_owned()), 1));
        assert_eq!(attempts(true, 2, Duration::ZERO).await, (Err("attempt 1 failed".to_owned()), 1));
        let (outcome, count) = attempts(true, 1_000, Duration::from_millis(250)).await;
        assert!(outcome.is_err() && (2..10).contains(&count), "{count}");
    }

    /// What needs more time than the first attempt has, such as TLS to a far cluster, is given it.
    #[tokio::test]
    async fn attempts_get_longer_up_to_the_time_that_is_left() {
        let limits = std::cell::RefCell::new(Vec::new());
        let needs = async |seconds: u64, patience: u64| {
            limits.borrow_mut().clear();
            let attempt = |limit: Duration| {
                limits.borrow_mut().push(limit);
                std::future::ready(if limit >= Duration::from_secs(seconds) { Ok(()) } else { Err("slow") })
            };
            patiently("it", Duration::from_secs(patience), |_| true, attempt).await
        };
        assert_eq!(needs(18, 60).await, Ok(()));
        assert_eq!(*limits.borrow(), [5, 10, 20].map(Duration::from_secs));
        assert_eq!(needs(6, 8).await, Ok(()));
        let second = limits.borrow()[1];
        assert!(second > Duration::from_secs(7) && second < Duration::from_secs(8), "{second:?}");
    }
}
