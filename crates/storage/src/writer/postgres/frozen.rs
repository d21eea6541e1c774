//! A consumer that is stopped (SIGSTOP, a suspended machine) in the midst of a COPY, and what it holds.
//!
//! PostgreSQL waits for the rest of a COPY's rows without looking at `statement_timeout`, and the session is
//! not "idle in transaction" either; the stopped program's kernel goes on answering keep-alives. So its locks
//! on the stored offsets would stay for as long as it is stopped, and whoever took its partitions over could
//! not write. A session like that has long broken the limit that every statement of ours has, and is ended
//! from outside.

use sea_orm::sqlx;

use crate::connect::SERVER_LIMIT_S;
use crate::{StorageError, Store};

/// Sessions of this program's role are visible and may be ended without further rights.
const END: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
    WHERE datname = current_database() AND usename = current_user AND application_name = 'milena' \
    AND pid <> pg_backend_pid() AND state = 'active' AND wait_event = 'ClientRead' \
    AND query_start < now() - make_interval(secs => $1)";

/// Ends sessions whose statement has waited for its client for longer than any statement may take. What goes
/// wrong here is only noted: the batch that was refused is tried again anyway.
pub(in super::super) async fn end_sessions(store: &Store) {
    let pool = store.writer().get_postgres_connection_pool();
    let ending = async {
        let (ended,): (i64,) = sqlx::query_as(END)
            .bind(f64::from(SERVER_LIMIT_S))
            .fetch_one(pool)
            .await
            .map_err(|error| sea_orm::DbErr::Exec(sea_orm::RuntimeErr::SqlxError(error.into())))?;
        Ok::<_, StorageError>(ended)
    };
    match store.answer(ending).await {
        Ok(0) => {}
        Ok(sessions) => log::warn!(sessions; "ended sessions of a consumer that stopped while it wrote"),
        Err(error) => log::debug!(error:%; "whether somebody holds up the writing is not known"),
    }
}
