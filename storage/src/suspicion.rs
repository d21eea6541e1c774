//! Remembers that a call has just timed out, so that its connection is not trusted when it comes back to the pool.
//!
//! A call that is given up leaves its connection in the middle of an exchange. The pool tests it with a ping before it
//! is used again, but that ping has no time limit: behind a network that swallows packets it would hold a place in the
//! pool until TCP gives up, which takes a quarter of an hour. So, for a while after a timeout, returning
//! connections are first pinged *with* a limit and closed hard when they do not answer. At other times this costs
//! nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use sea_orm::sqlx::{self, Connection, Database};

/// How long after a timeout returning connections are tested.
const WATCH: Duration = Duration::from_secs(60);
/// How long a returning connection may take to answer.
const PING_LIMIT: Duration = Duration::from_secs(2);

/// Shared by the store (which reports timeouts) and the hooks of its pools (which ask).
#[derive(Debug, Clone)]
pub(crate) struct Suspicion {
    start: Instant,
    /// Milliseconds after `start` until which connections are tested; 0 for never.
    until_ms: Arc<AtomicU64>,
}

impl Suspicion {
    pub(crate) fn new() -> Self {
        Self { start: Instant::now(), until_ms: Arc::default() }
    }

    /// A call has timed out; to be reported *before* its future, and with it its connection, is dropped.
    pub(crate) fn raise(&self) {
        self.until_ms.store(as_ms(self.start.elapsed() + WATCH), Ordering::Release);
    }

    fn is_raised(&self) -> bool {
        as_ms(self.start.elapsed()) < self.until_ms.load(Ordering::Acquire)
    }

    /// The pool's hook for a connection that comes back.
    pub(crate) fn check<'c, DB: Database>(
        &self,
        connection: &'c mut DB::Connection,
    ) -> BoxFuture<'c, Result<bool, sqlx::Error>> {
        if !self.is_raised() {
            return Box::pin(std::future::ready(Ok(true)));
        }
        Box::pin(async move {
            match tokio::time::timeout(PING_LIMIT, connection.ping()).await {
                Ok(answer) => answer.map(|()| true),
                Err(_) => Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())),
            }
        })
    }
}

fn as_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
