//! Waiting for a condition, with a deadline, and for one's turn; and what tests are told and tell.

use std::time::{Duration, Instant};

const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Looks until it holds; panics with `what` when it does not within `seconds`.
pub async fn until(what: &str, seconds: u64, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    while !holds().await {
        assert!(Instant::now() < deadline, "not within {seconds} s: {what}");
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// A number from the environment, for shorter or longer runs.
///
/// # Panics
/// When it is none.
pub fn number<N: std::str::FromStr>(name: &str, default: N) -> N {
    let parse = |text: String| text.parse().ok().expect("a whole number");
    std::env::var(name).ok().map_or(default, parse)
}

/// A line of figures, past the capture of the tests' output.
pub fn tell(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Tests that saturate the machine take turns, so that their deadlines mean something.
pub async fn turn() -> tokio::sync::MutexGuard<'static, ()> {
    static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    TURN.lock().await
}
