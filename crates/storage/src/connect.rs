//! How each database is opened, and why so.
//!
//! **SQLite**: WAL, so that readers and the one writer do not wait for each other; one connection writes
//! (every write transaction is `BEGIN IMMEDIATE`, so that a lock is awaited at its start and never lost
//! half-way), a separate pool reads and is not able to write. Another process may use the same file:
//! `busy_timeout` makes each wait for the other. `synchronous=FULL` for the writer: with `NORMAL` a power cut
//! can take back the last commits. Messages would come again from the log, but a person who registered, or a
//! session, would not, and a message of somebody who does not exist is worse than one fsync a batch.
//!
//! **PostgreSQL, MySQL**: one pool. A connection that was idle for a second is pinged before use, so that a
//! server that restarted costs no failed call on a quiet system. Sessions carry limits of their own: a
//! statement or transaction that its client gave up is ended by the server and does not keep its locks.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use futures::future::BoxFuture;
use milena_settings::{DatabaseSettings, Secret};
use sea_orm::sqlx::mysql::MySqlConnectOptions;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::sqlx::{self, AssertSqlSafe, Connection, MySql, Postgres, SqliteConnection};
use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbErr, RuntimeErr};

use crate::StoreKind;
use crate::abandoned::{Abandoned, UNDO_MYSQL, UNDO_POSTGRES};
use crate::address::{Address, ipv6_of, unreadable};
use crate::hosts::{Hosts, postgres_options};

/// A statement, or a transaction between two statements, that takes longer is ended by the server.
pub(crate) const SERVER_LIMIT_S: u32 = 30;
const PING_WHEN_IDLE_FOR: Duration = Duration::from_secs(1);
const IDLE_TIMEOUT: Duration = Duration::from_secs(600);
const MAX_LIFETIME: Duration = Duration::from_secs(1_800);

/// The connections of one store. On PostgreSQL and MySQL both are the same pool.
#[derive(Debug, Clone)]
pub(crate) struct Pools {
    pub(crate) reader: DatabaseConnection,
    pub(crate) writer: DatabaseConnection,
}

pub(crate) fn kind_of(settings: &DatabaseSettings) -> Result<StoreKind, DbErr> {
    let url = settings.url.expose();
    let scheme = url.split(':').next().unwrap_or_default();
    match scheme {
        "sqlite" if is_in_memory(url) => {
            Err(refused("an in-memory database has no place for a second connection; name a file"))
        }
        "sqlite" => Ok(StoreKind::Sqlite),
        "postgres" | "postgresql" => Ok(StoreKind::Postgres),
        "mysql" => Ok(StoreKind::MySql),
        _ => Err(refused("database.url must start with sqlite:, postgres:// or mysql://")),
    }
}

/// The settings with a URL of one host, and the hosts when there are several.
pub(crate) async fn place(
    kind: StoreKind,
    settings: &DatabaseSettings,
) -> Result<(DatabaseSettings, Option<Hosts>), DbErr> {
    let mut settings = settings.clone();
    if kind == StoreKind::Sqlite {
        return Ok((settings, None));
    }
    let address = Address::parse(kind, settings.url.expose())?;
    for url in address.urls() {
        let read = match kind {
            StoreKind::MySql => mysql_options(url).map(drop),
            _ => postgres_options(url).map(drop),
        };
        read.map_err(|error| unreadable(&error.to_string()))?;
    }
    let hosts = if kind == StoreKind::Postgres { Hosts::of(&address) } else { None };
    let index = match &hosts {
        Some(hosts) => {
            hosts.primary().await.map_err(|error| DbErr::Conn(RuntimeErr::SqlxError(error.into())))?
        }
        None => 0,
    };
    settings.url = Secret::new(address.urls()[index].clone());
    Ok((settings, hosts))
}

fn mysql_options(url: &str) -> Result<MySqlConnectOptions, sqlx::Error> {
    let options = MySqlConnectOptions::from_str(url)?;
    Ok(match ipv6_of(url) {
        Some(address) => options.host(address),
        None => options,
    })
}

/// Whether the URL names no file. The same words in the name of a file or folder mean nothing.
fn is_in_memory(url: &str) -> bool {
    let name = url.trim_start_matches("sqlite:").trim_start_matches("//");
    let (path, query) = name.split_once('?').unwrap_or((name, ""));
    path.is_empty() || path == ":memory:" || query.split('&').any(|parameter| parameter == "mode=memory")
}

/// Where the file of an SQLite database is.
pub(crate) fn sqlite_folder(settings: &DatabaseSettings) -> Option<PathBuf> {
    let options: SqliteConnectOptions = settings.url.expose().parse().ok()?;
    let folder = options.get_filename().parent()?;
    // A name alone is a file in the working directory.
    Some(if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.to_owned() })
}

/// Opens the pools; the first connection of each is made at once.
pub(crate) async fn open(
    kind: StoreKind,
    settings: &DatabaseSettings,
    abandoned: &Abandoned,
) -> Result<Pools, DbErr> {
    match kind {
        StoreKind::Sqlite => {
            // The writer first: it makes the file and turns WAL on.
            let writer = Database::connect(sqlite_writer(settings)).await?;
            let reader = Database::connect(sqlite_reader(settings)).await?;
            Ok(Pools { reader, writer })
        }
        StoreKind::Postgres | StoreKind::MySql => {
            let options = server(kind, settings, abandoned, settings.max_connections, SERVER_LIMIT_S);
            let pool = Database::connect(options).await?;
            Ok(Pools { reader: pool.clone(), writer: pool })
        }
    }
}

/// Why no connection was to be had. The pool tries again until its time is up, and then only says that its
/// time is up; one attempt without it hears what the system or the server really says. `None` when this
/// attempt succeeds, or hears nothing within `limit` either.
pub(crate) async fn refusal(kind: StoreKind, settings: &DatabaseSettings, limit: Duration) -> Option<DbErr> {
    let url = settings.url.expose();
    let attempt = async {
        match kind {
            StoreKind::Sqlite => None,
            StoreKind::Postgres => match postgres_options(url) {
                Ok(options) => sqlx::PgConnection::connect_with(&options).await.err(),
                Err(error) => Some(error),
            },
            StoreKind::MySql => match mysql_options(url) {
                Ok(options) => sqlx::MySqlConnection::connect_with(&options).await.err(),
                Err(error) => Some(error),
            },
        }
    };
    let error = tokio::time::timeout(limit, attempt).await.ok()??;
    Some(DbErr::Conn(RuntimeErr::SqlxError(error.into())))
}

/// One connection of its own for migrations, which may build indexes for longer than any query may take.
pub(crate) async fn open_for_migration(
    kind: StoreKind,
    settings: &DatabaseSettings,
) -> Result<DatabaseConnection, DbErr> {
    let options = match kind {
        StoreKind::Sqlite => sqlite_writer(settings),
        StoreKind::Postgres | StoreKind::MySql => server(kind, settings, &Abandoned::new(), 1, 0),
    };
    Database::connect(options).await
}

fn common(settings: &DatabaseSettings, connections: u32) -> ConnectOptions {
    let wait = Duration::from_millis(settings.acquire_timeout_ms);
    let mut options = ConnectOptions::new(settings.url.expose());
    options
        .max_connections(connections)
        .acquire_timeout(wait)
        .connect_timeout(wait)
        .sqlx_logging(false)
        .record_stmt_in_spans(false);
    options
}

fn sqlite_writer(settings: &DatabaseSettings) -> ConnectOptions {
    let busy_timeout = Duration::from_millis(settings.acquire_timeout_ms);
    let mut options = common(settings, 1);
    options
        .test_before_acquire(false)
        .idle_timeout(None::<Duration>)
        .max_lifetime(None::<Duration>)
        .map_sqlx_sqlite_pool_opts(|pool| pool.after_release(|connection, _| has_no_transaction(connection)))
        .map_sqlx_sqlite_opts(move |sqlite| {
            sqlite
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(busy_timeout)
                // Checkpoint every 16 MiB instead of 4: bulk loads write each page once, not four times.
                .pragma("wal_autocheckpoint", "4000")
                .pragma("journal_size_limit", "67108864")
                // Words that somebody took back do not stay in free places of the file.
                .pragma("secure_delete", "on")
                // 8 MiB: with 32 a bulk load takes a tenth less CPU time, and every `milena` grows by the
                // difference.
                .pragma("cache_size", "-8192")
                .pragma("temp_store", "memory")
                .optimize_on_close(true, None)
        });
    options
}

/// On a full disk, and on other errors, SQLite ends a transaction by itself. The driver's ROLLBACK then
/// fails, and the driver goes on counting the transaction as open: later ones would be savepoints in it,
/// confirmed and never committed. Such a connection is closed.
fn has_no_transaction(connection: &mut SqliteConnection) -> BoxFuture<'_, Result<bool, sqlx::Error>> {
    Box::pin(async move {
        // A transaction that was dropped is rolled back by the connection's thread; the answer comes after
        // that.
        connection.ping().await?;
        Ok(!connection.is_in_transaction())
    })
}

fn sqlite_reader(settings: &DatabaseSettings) -> ConnectOptions {
    let busy_timeout = Duration::from_millis(settings.acquire_timeout_ms);
    let mut options = common(settings, settings.max_connections);
    options
        .test_before_acquire(false)
        .idle_timeout(None::<Duration>)
        .max_lifetime(None::<Duration>)
        .map_sqlx_sqlite_opts(move |sqlite| {
            sqlite
                .busy_timeout(busy_timeout)
                // 512 KiB each: the pages that all of them want are in the system's cache once.
                .pragma("cache_size", "-512")
                .pragma("temp_store", "memory")
                .pragma("query_only", "on")
        });
    options
}

/// `limit_s` of 0: no limit.
fn server(
    kind: StoreKind,
    settings: &DatabaseSettings,
    abandoned: &Abandoned,
    connections: u32,
    limit_s: u32,
) -> ConnectOptions {
    let mut options = common(settings, connections);
    options
        .test_before_acquire_if_idle_for(PING_WHEN_IDLE_FOR)
        .idle_timeout(IDLE_TIMEOUT)
        .max_lifetime(MAX_LIFETIME);
    let abandoned = abandoned.clone();
    let ipv6 = ipv6_of(settings.url.expose()).map(str::to_owned);
    if kind == StoreKind::Postgres {
        options.map_sqlx_postgres_opts(move |options| {
            // See `postgres_options`.
            let options = options.extra_float_digits(None);
            ipv6.iter().fold(options, |options, address| options.host(address))
        });
        let session = postgres_session(limit_s);
        options.set_application_name("milena");
        options.map_sqlx_postgres_pool_opts(move |pool| {
            let (session, abandoned) = (session.clone(), abandoned.clone());
            pool.after_connect(move |connection, _| prepare::<Postgres>(connection, session.clone()))
                .after_release(move |connection, _| abandoned.check::<Postgres>(connection, UNDO_POSTGRES))
        });
    } else {
        options.map_sqlx_mysql_opts(move |options| {
            ipv6.iter().fold(options, |options, address| options.host(address))
        });
        let session = mysql_session(limit_s);
        options.map_sqlx_mysql_pool_opts(move |pool| {
            let (session, abandoned) = (session.clone(), abandoned.clone());
            pool.after_connect(move |connection, _| prepare::<MySql>(connection, session.clone()))
                .after_release(move |connection, _| abandoned.check::<MySql>(connection, UNDO_MYSQL))
        });
    }
    options
}

fn prepare<'c, DB>(
    connection: &'c mut DB::Connection,
    session: String,
) -> BoxFuture<'c, Result<(), sqlx::Error>>
where
    DB: sqlx::Database,
    &'c mut DB::Connection: sqlx::Executor<'c, Database = DB>,
{
    Box::pin(async move {
        sqlx::Executor::execute(connection, sqlx::raw_sql(AssertSqlSafe(session))).await.map(|_| ())
    })
}

fn postgres_session(limit_s: u32) -> String {
    format!(
        "SET statement_timeout = '{limit_s}s'; SET idle_in_transaction_session_timeout = '{limit_s}s'; \
         SET client_min_messages = 'error'"
    )
}

/// Strict, so that a text which does not fit is an error and not cut. The limit of a statement has different
/// names in MariaDB (seconds, all statements) and MySQL (milliseconds, queries only). MariaDB also ends a
/// transaction whose client is silent for as long; MySQL knows nothing like it.
fn mysql_session(limit_s: u32) -> String {
    format!(
        "SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_TRANS_TABLES'), innodb_lock_wait_timeout = 10 \
         /*M!100101 , max_statement_time = {limit_s} */ \
         /*M!100301 , idle_write_transaction_timeout = {limit_s} */ /*!50708 , max_execution_time = {}000 */",
        limit_s
    )
}

fn refused(sentence: &str) -> DbErr {
    DbErr::Custom(sentence.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_only_a_name() {
        for url in
            ["sqlite::memory:", "sqlite://:memory:", "sqlite:x.db?mode=memory", "sqlite:", "sqlite:?mode=rwc"]
        {
            assert!(is_in_memory(url), "{url}");
        }
        for url in ["sqlite:/a/:memory:/x.db?mode=rwc", "sqlite:mode=memory?mode=rwc", "sqlite:///x.db"] {
            assert!(!is_in_memory(url), "{url}");
        }
    }
}
