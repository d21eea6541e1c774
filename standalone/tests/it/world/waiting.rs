//! Waiting for a condition, with a deadline.

use std::time::{Duration, Instant};

const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Looks until it holds; panics with `what` when it does not within `seconds`.
pub(crate) async fn until(what: &str, seconds: u64, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    while !holds().await {
        assert!(Instant::now() < deadline, "not within {seconds} s: {what}");
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}
