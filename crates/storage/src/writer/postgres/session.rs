//! One transaction on a connection of its own.
//!
//! A COPY that is abandoned half-way leaves its connection in a state that neither driver nor pool know how
//! to mend. So a connection goes back to the pool only after its transaction has ended in an orderly way; in
//! every other case (the caller gave up, the network failed) it is closed, and the server undoes what was not
//! committed.

use sea_orm::sqlx::pool::PoolConnection;
use sea_orm::sqlx::{self, Executor, PgConnection, Postgres};

use crate::{Store, WriteError, crash_point};

/// READ COMMITTED: each statement sees what others have committed, which the fence relies on.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

pub(super) struct Session {
    /// `None` once it went back to the pool.
    connection: Option<PoolConnection<Postgres>>,
}

impl Session {
    pub(super) async fn begin(store: &Store) -> Result<Self, WriteError> {
        let connection = store.writer().get_postgres_connection_pool().acquire().await?;
        let mut session = Self { connection: Some(connection) };
        session.run(BEGIN).await?;
        Ok(session)
    }

    pub(super) fn connection(&mut self) -> &mut PgConnection {
        self.connection.as_mut().expect("a session has its connection until its end")
    }

    /// Commits when `outcome` is good, else undoes everything; gives the connection back.
    pub(super) async fn end<T, E: From<WriteError>>(mut self, outcome: Result<T, E>) -> Result<T, E> {
        if outcome.is_ok() {
            crash_point("before_commit");
            self.run("COMMIT").await?;
            crash_point("after_commit");
        } else if let Err(error) = self.run("ROLLBACK").await {
            // What went wrong first is what matters; the connection is closed.
            log::debug!("a batch was not rolled back: {error}");
            return outcome;
        }
        self.connection = None;
        outcome
    }

    async fn run(&mut self, statement: &'static str) -> Result<(), WriteError> {
        self.connection().execute(sqlx::raw_sql(statement)).await?;
        Ok(())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            drop(connection.detach());
        }
    }
}
