//! Remembers that a call has just been abandoned, so that its connection is not trusted when it comes back to
//! the pool.
//!
//! Callers go away in the midst of a call all the time: the server drops a request when its client closes the
//! connection. Three things can be wrong with what the call leaves behind, and the pool's own test, a ping,
//! sees none of them:
//!
//! - **It is out of step.** When it was stopped while it prepared a statement, or within a packet, the MySQL
//!   driver does not know which answers it still has to expect
//!   (<https://github.com/launchbadge/sqlx/issues/563>). The next caller would get no answer, or the one to
//!   another question.
//! - **It hangs.** The pool's ping has no time limit. On a connection out of step, or behind a network that
//!   swallows packets, it would hold a place in the pool for good, or until TCP gives up, which takes a
//!   quarter of an hour.
//! - **It is in a transaction.** A `BEGIN` that is abandoned before its answer came is executed all the same,
//!   but the driver does not count it and never rolls it back. What the next caller writes on this connection
//!   would then be confirmed and never committed.
//!
//! So, for a while after a call timed out or was abandoned, returning connections are rolled back and asked
//! for a number that was never asked for before, *with* a time limit, and closed hard when they do not answer
//! with this number. At other times this costs nothing.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::BoxFuture;
use sea_orm::sqlx::{self, AssertSqlSafe, ColumnIndex, Database, Decode, Executor, Row, Type};

/// How long returning connections are tested.
const WATCH: Duration = Duration::from_secs(60);
/// How long a returning connection may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// PostgreSQL writes a warning into its log for a ROLLBACK without a transaction, which is the usual case
/// here. With a BEGIN before it there always is one; inside of an open one BEGIN changes nothing. Where that
/// transaction has failed BEGIN is an error, and the connection is closed.
pub(crate) const UNDO_POSTGRES: &str = "BEGIN; ROLLBACK";
/// On MySQL a BEGIN would commit what is open; a ROLLBACK alone says nothing to anybody.
pub(crate) const UNDO_MYSQL: &str = "ROLLBACK";
/// Too large for 32 bits: every database then answers with 64.
const FIRST_NUMBER: i64 = 1 << 40;

/// Shared by the store, which notes abandoned calls, and the hooks of its pools, which ask.
#[derive(Debug, Clone)]
pub(crate) struct Abandoned {
    start: Instant,
    /// Milliseconds after `start` until which connections are tested; 0 for never.
    until_ms: Arc<AtomicU64>,
    /// The next number to ask for.
    number: Arc<AtomicI64>,
}

/// Notes an abandoned call unless [`Watch::end`] is called. It must be dropped *before* the future that it
/// watches over: that one gives its connection back.
pub(crate) struct Watch<'a>(Option<&'a Abandoned>);

impl Abandoned {
    pub(crate) fn new() -> Self {
        let number = Arc::new(AtomicI64::new(FIRST_NUMBER));
        Self { start: Instant::now(), until_ms: Arc::default(), number }
    }

    fn note(&self) {
        self.until_ms.store(as_ms(self.start.elapsed() + WATCH), Ordering::Release);
    }

    /// A call is noted as abandoned if the watch is dropped before its end.
    pub(crate) fn watch(&self) -> Watch<'_> {
        Watch(Some(self))
    }

    fn is_noted(&self) -> bool {
        as_ms(self.start.elapsed()) < self.until_ms.load(Ordering::Acquire)
    }

    /// The pool's hook for a connection that comes back: `undo` ends a transaction if there is one.
    pub(crate) fn check<'c, DB>(
        &self,
        connection: &'c mut DB::Connection,
        undo: &'static str,
    ) -> BoxFuture<'c, Result<bool, sqlx::Error>>
    where
        DB: Database,
        &'c mut DB::Connection: Executor<'c, Database = DB>,
        for<'r> i64: Decode<'r, DB> + Type<DB>,
        usize: ColumnIndex<DB::Row>,
    {
        if !self.is_noted() {
            return Box::pin(std::future::ready(Ok(true)));
        }
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let question = sqlx::raw_sql(AssertSqlSafe(format!("{undo}; SELECT {number}")));
        Box::pin(async move {
            // The driver may even panic over an answer that it takes for another one.
            let answer = AssertUnwindSafe(connection.fetch_all(question)).catch_unwind();
            let answer = tokio::time::timeout(ANSWER_LIMIT, answer)
                .await
                .map_err(|_| sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()))?;
            match answer.map_err(|_| out_of_step())??.as_slice() {
                [row] if row.try_get::<i64, _>(0)? == number => Ok(true),
                _ => Err(out_of_step()),
            }
        })
    }
}

fn out_of_step() -> sqlx::Error {
    sqlx::Error::Protocol("the connection is out of step".to_owned())
}

impl Watch<'_> {
    pub(crate) fn end(&mut self) {
        self.0 = None;
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if let Some(abandoned) = self.0 {
            abandoned.note();
        }
    }
}

fn as_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
