//! The handle that everybody holds: which database, its connections, and how long a call may take.

use std::fmt;
use std::future::Future;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use milena_settings::DatabaseSettings;
use sea_orm::{
    AccessMode, DatabaseConnection, DatabaseTransaction, DbErr, IsolationLevel, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};

use crate::abandoned::Abandoned;
use crate::connect::{self, Pools};
use crate::error::{Diagnosis, timed_out};
use crate::failure::Failure;
use crate::fitness;
use crate::hosts::Hosts;
use crate::writer::WriteBatch;
use crate::writer::known::Known;
use crate::{StorageError, migrations};

/// A batch, or the import's people, may take this long on top of the wait for a connection.
const BULK_LIMIT: Duration = Duration::from_secs(30);
/// Connections get this long to be closed in an orderly way.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);

/// How long the first connection's refusal is waited for, to be told.
const REFUSAL_LIMIT: Duration = Duration::from_secs(1);

/// The metric of calls, by kind: `answer` for a person's request, `bulk` for a batch. Counted by whatever
/// recorder the program has installed.
pub const CALLS: &str = "milena_store_calls_total";

/// Which database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    /// A file, for one machine.
    Sqlite,
    /// PostgreSQL 15 or newer.
    Postgres,
    /// MySQL 8 or MariaDB 10.6, or newer.
    MySql,
}

/// The relational store. Cheap to clone; the clones share their connections.
#[derive(Clone)]
pub struct Store {
    kind: StoreKind,
    pools: Pools,
    /// Its URL names one host: of several, the one that took writes at the start.
    settings: DatabaseSettings,
    abandoned: Abandoned,
    hosts: Option<Hosts>,
    trouble: Trouble,
    known: Remembered,
    keeps_edits: bool,
}

/// What the writer remembers between two batches. Shared by a store's clones; a batch takes out what concerns
/// its partitions, so that batches of others can be written at the same time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Remembered(Arc<Mutex<Known>>);

impl Remembered {
    pub(crate) fn take(&self, batch: &WriteBatch) -> Known {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take_parts(batch)
    }

    pub(crate) fn put(&self, known: Known) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).put_parts(known);
    }
}

/// Whether the database has refused something that a person has to mend. Shared by a store's clones.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trouble(Arc<AtomicBool>);

impl Trouble {
    pub(crate) fn clear(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the database that the URL names; `sqlite:PATH?mode=rwc` creates the file.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] when nobody answers within `acquire_timeout_ms`; [`StorageError::Unfit`]
    /// when the database, or the URL, cannot be used as it is; else what the database refused.
    pub async fn connect(settings: &DatabaseSettings) -> Result<Self, StorageError> {
        let kind = connect::kind_of(settings)?;
        let (settings, hosts) = connect::place(kind, settings).await?;
        let settings = &settings;
        let abandoned = Abandoned::new();
        // The pool has the same limit by itself, but not for every step of a connection to a server that
        // hangs.
        let limit = acquire_limit(settings) + Duration::from_millis(500);
        let opened = match tokio::time::timeout(limit, connect::open(kind, settings, &abandoned)).await {
            Ok(Err(error)) => Err(StorageError::from(error)),
            Ok(Ok(pools)) => Ok(pools),
            Err(_) => Err(timed_out(limit).into()),
        };
        let pools = match opened {
            Err(error) if error.is_temporary() => {
                return Err(connect::refusal(kind, settings, REFUSAL_LIMIT).await.map_or(error, Into::into));
            }
            opened => opened?,
        };
        let store = Self {
            kind,
            pools,
            settings: settings.clone(),
            abandoned,
            hosts,
            trouble: Trouble::default(),
            known: Remembered::default(),
            keeps_edits: false,
        };
        let fit = fitness::before_migration(kind, settings.url.expose(), store.reader());
        match tokio::time::timeout(limit, fit).await {
            Ok(Ok(())) => Ok(store),
            Ok(Err(error)) => {
                store.close().await;
                Err(error)
            }
            Err(_) => Err(timed_out(limit).into()),
        }
    }

    /// Connects, brings the schema up to date and looks whether the database takes what is written: all that
    /// a program needs before it starts.
    ///
    /// # Errors
    /// Those of [`Store::connect`], [`Store::migrate`] and [`Store::probe`].
    pub async fn open(settings: &DatabaseSettings) -> Result<Self, StorageError> {
        let store = Self::connect(settings).await?;
        let ready = match store.migrate().await {
            Ok(()) => store.probe().await,
            Err(error) => Err(error),
        };
        match ready {
            Ok(()) => Ok(store),
            Err(error) => {
                store.close().await;
                Err(error)
            }
        }
    }

    /// The folder of the database, where it is a file on this machine.
    #[must_use]
    pub fn folder(&self) -> Option<PathBuf> {
        (self.kind == StoreKind::Sqlite).then(|| connect::sqlite_folder(&self.settings)).flatten()
    }

    /// Brings the schema up to date and makes sure that epoch 1 and the server key exist. Several programs
    /// may do this at once: one works, the others wait for it.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] when the database is away; else a migration failed.
    pub async fn migrate(&self) -> Result<(), StorageError> {
        migrations::apply(self.kind, &self.settings).await
    }

    /// Asks whether the database answers.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] when it does not, within `acquire_timeout_ms`.
    pub async fn ping(&self) -> Result<(), StorageError> {
        self.answer(async { Ok(self.reader().ping().await?) }).await
    }

    /// Whether it has refused something that a person has to mend, and no [`Store::probe`] has succeeded
    /// since.
    #[must_use]
    pub fn is_in_trouble(&self) -> bool {
        self.trouble.0.load(Ordering::Relaxed)
    }

    pub(crate) fn trouble(&self) -> &Trouble {
        &self.trouble
    }

    /// Closes the connections of this and all cloned handles; later calls are refused. Takes 5 s at most:
    /// what has not ended by then is dropped.
    pub async fn close(self) {
        let close = async {
            // Readers first: SQLite cleans up its WAL when the last connection goes, and readers may not
            // write.
            self.pools.reader.close_by_ref().await?;
            self.pools.writer.close_by_ref().await
        };
        match tokio::time::timeout(CLOSE_LIMIT, close).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => log::warn!(error:%; "the database connections did not close"),
            Err(_) => log::warn!("the database connections did not close in time"),
        }
    }

    /// Which database this is.
    #[must_use]
    pub fn kind(&self) -> StoreKind {
        self.kind
    }

    /// The same, which keeps what edited messages said before, or does not: what it writes from now on.
    #[must_use]
    pub fn keeping_edits(self, keeps_edits: bool) -> Self {
        Self { keeps_edits, ..self }
    }

    pub(crate) const fn keeps_edits(&self) -> bool {
        self.keeps_edits
    }

    pub(crate) fn known(&self) -> &Remembered {
        &self.known
    }

    pub(crate) fn reader(&self) -> &DatabaseConnection {
        &self.pools.reader
    }

    pub(crate) fn writer(&self) -> &DatabaseConnection {
        &self.pools.writer
    }

    /// Runs a call of a person's request, bounded by `acquire_timeout_ms` in all.
    pub(crate) async fn answer<T, E: From<DbErr> + Diagnosis>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        calls("answer");
        self.within(acquire_limit(&self.settings), work).await
    }

    /// Runs a bulk call.
    pub(crate) async fn bulk<T, E: From<DbErr> + Diagnosis>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        calls("bulk");
        self.within(acquire_limit(&self.settings) + BULK_LIMIT, work).await
    }

    async fn within<T, E: From<DbErr> + Diagnosis>(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        // Declared in this order, the watch is dropped before what it watches over, also when the caller goes
        // away.
        let mut work = pin!(work);
        let mut watch = self.abandoned.watch();
        let answer = match tokio::time::timeout(limit, work.as_mut()).await {
            Ok(answer) => {
                watch.end();
                answer
            }
            Err(_) => Err(timed_out(limit).into()),
        };
        match answer.as_ref().err().and_then(Diagnosis::diagnosis) {
            Some(Failure::Repair) => self.trouble.0.store(true, Ordering::Relaxed),
            Some(_) => {
                if let Some(hosts) = &self.hosts {
                    hosts.look_again(self.writer().get_postgres_connection_pool().clone());
                }
            }
            None => {}
        }
        answer
    }

    /// A transaction in which all queries see the same moment.
    pub(crate) async fn snapshot(&self) -> Result<DatabaseTransaction, DbErr> {
        // SQLite: in WAL mode every read transaction is a snapshot, taken by its first query.
        let options = match self.kind {
            StoreKind::Sqlite => TransactionOptions::default(),
            StoreKind::Postgres | StoreKind::MySql => TransactionOptions {
                isolation_level: Some(IsolationLevel::RepeatableRead),
                access_mode: Some(AccessMode::ReadOnly),
                ..TransactionOptions::default()
            },
        };
        self.reader().begin_with_options(options).await
    }

    /// See [`begin_write`].
    pub(crate) async fn write_transaction(&self) -> Result<DatabaseTransaction, DbErr> {
        begin_write(self.kind, self.writer()).await
    }
}

/// A transaction that writes. READ COMMITTED: each statement sees what others have committed, which the
/// compare-and-set relies on, and MySQL takes no gap locks.
pub(crate) async fn begin_write(
    kind: StoreKind,
    connection: &DatabaseConnection,
) -> Result<DatabaseTransaction, DbErr> {
    let options = match kind {
        StoreKind::Sqlite => TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        },
        StoreKind::Postgres | StoreKind::MySql => TransactionOptions {
            isolation_level: Some(IsolationLevel::ReadCommitted),
            ..TransactionOptions::default()
        },
    };
    connection.begin_with_options(options).await
}

/// Counts a call of the store; each is one statement, or a few that belong together.
fn calls(kind: &'static str) {
    metrics::counter!(CALLS, "kind" => kind).increment(1);
}

fn acquire_limit(settings: &DatabaseSettings) -> Duration {
    Duration::from_millis(settings.acquire_timeout_ms)
}
