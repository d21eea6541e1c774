//! Waiting for what comes up later than the program: a broker, a topic's leaders, a database.

use std::fmt::Display;
use std::time::{Duration, Instant};

/// One attempt may take so long, also the last; the log then says what is waited for.
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
    let mut pause = PAUSE;
    let mut reported: Option<Instant> = None;
    loop {
        let error = match attempt(ATTEMPT).await {
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
            |limit| {
                assert_eq!(limit, ATTEMPT);
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
}
