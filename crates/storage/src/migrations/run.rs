//! Runs the migrations so that several programs may start at once, and makes sure that the first epoch and
//! the server key exist.
//!
//! One lock a database: a write transaction (SQLite), an advisory lock that ends with the transaction
//! (PostgreSQL) or a named lock of the connection (MySQL, whose schema changes end every transaction). On the
//! first two all steps are applied or none. What takes the time of what is stored is filled in afterwards
//! ([`super::fill`]).

use std::time::Duration;

use milena_domain::{Epoch, Timestamp};
use milena_settings::DatabaseSettings;
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};
use sea_orm_migration::{IntoSchemaManagerConnection, MigratorTrait, SchemaManager};

use super::Migrator;
use super::fill::fill;
use crate::connect::open_for_migration;
use crate::entities::log_epochs;
use crate::queries::server_key::make_server_key;
use crate::sql::statement;
use crate::{StorageError, StoreKind};

/// "milena" in ASCII: the number of PostgreSQL's advisory lock.
const LOCK_NUMBER: i64 = 0x6d69_6c65_6e61;
const LOCK_WAIT: Duration = Duration::from_secs(60);

pub(crate) async fn apply(kind: StoreKind, settings: &DatabaseSettings) -> Result<(), StorageError> {
    let connection = open_for_migration(kind, settings).await?;
    let outcome = match kind {
        StoreKind::Sqlite | StoreKind::Postgres => in_transaction(kind, &connection).await,
        StoreKind::MySql => under_named_lock(&connection).await,
    };
    // After the schema's lock is free, and with it the tables.
    let outcome = match outcome {
        Ok(()) => fill(kind, &connection).await,
        error => error,
    };
    connection.close().await?;
    Ok(outcome?)
}

async fn in_transaction(kind: StoreKind, connection: &DatabaseConnection) -> Result<(), DbErr> {
    let mode = (kind == StoreKind::Sqlite).then_some(SqliteTransactionMode::Immediate);
    let options = TransactionOptions { sqlite_transaction_mode: mode, ..TransactionOptions::default() };
    let transaction = connection.begin_with_options(options).await?;
    if kind == StoreKind::Postgres {
        let wait = format!("SET LOCAL lock_timeout = '{}s'", LOCK_WAIT.as_secs());
        transaction.execute_unprepared(&wait).await?;
        transaction
            .execute_raw(statement(kind, "SELECT pg_advisory_xact_lock(?)", [LOCK_NUMBER.into()]))
            .await?;
    }
    up(&transaction).await?;
    begin_first_epoch(&transaction).await?;
    make_server_key(&transaction).await?;
    transaction.commit().await
}

async fn under_named_lock(connection: &DatabaseConnection) -> Result<(), DbErr> {
    // The pool has exactly one connection, so the lock and the work are on the same one. The name holds for
    // the whole server: it must tell databases apart.
    let seconds = i64::try_from(LOCK_WAIT.as_secs()).unwrap_or(i64::MAX);
    let lock = statement(
        StoreKind::MySql,
        "SELECT COALESCE(GET_LOCK(CONCAT('milena:', SHA1(DATABASE())), ?), 0) AS locked",
        [seconds.into()],
    );
    let locked: Option<i64> = match connection.query_one_raw(lock).await? {
        Some(row) => row.try_get_by_index(0)?,
        None => None,
    };
    if locked != Some(1) {
        return Err(DbErr::ConnectionAcquire(sea_orm::error::ConnAcquireErr::Timeout));
    }
    up(connection).await?;
    begin_first_epoch(connection).await?;
    make_server_key(connection).await?;
    // In every other case the connection is closed, which releases it too.
    let release = "DO RELEASE_LOCK(CONCAT('milena:', SHA1(DATABASE())))";
    connection.execute_unprepared(release).await?;
    Ok(())
}

/// Applies what is missing. A database that a newer program has upgraded is left as it is: its changes only
/// add, so that programs of both versions run side by side, and this one may be started again meanwhile.
async fn up<C: ConnectionTrait>(connection: &C) -> Result<(), DbErr>
where
    for<'a> &'a C: IntoSchemaManagerConnection<'a>,
{
    let manager = SchemaManager::new(connection);
    if manager.has_table("seaql_migrations").await? {
        let applied = Migrator::get_migration_models(connection).await?;
        let known = Migrator::migrations();
        let is_whole = known.iter().all(|known| applied.iter().any(|row| row.version == known.name()));
        if is_whole && applied.len() > known.len() {
            log::info!("a newer program has upgraded the database");
            return Ok(());
        }
    }
    Migrator::up(connection, None).await
}

async fn begin_first_epoch(connection: &impl ConnectionTrait) -> Result<(), DbErr> {
    if log_epochs::Entity::find().one(connection).await?.is_some() {
        return Ok(());
    }
    let first = log_epochs::ActiveModel {
        epoch: Set(i32::try_from(Epoch::FIRST.get()).unwrap_or(1)),
        began_at_ms: Set(Timestamp::now().unix_ms()),
    };
    log_epochs::Entity::insert(first).exec_without_returning(connection).await?;
    Ok(())
}
