//! Whether the database can hold what Milena accepts: looked at before anything is accepted, and refused by
//! name.
//!
//! A database that takes most messages and refuses some is worse than none: the log has confirmed them,
//! people have seen them, and the consumer finds out.

use sea_orm::sqlx::{self, Connection, Executor, PgConnection, Row};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, Statement};

use crate::hosts::postgres_options;
use crate::sql::backend;
use crate::{StorageError, Store, StoreKind};

/// MySQL and MariaDB: what one statement may need, twice; see [`crate::writer`].
const PACKET_MIN_BYTES: u64 = 1 << 20;

/// What must hold before there is a schema.
pub(crate) async fn before_migration(
    kind: StoreKind,
    url: &str,
    connection: &DatabaseConnection,
) -> Result<(), StorageError> {
    match kind {
        StoreKind::Sqlite => Ok(()),
        StoreKind::Postgres => {
            // First: a pooler that loses statements would fail the next question for a reason that nobody
            // understands.
            keeps_sessions(url).await?;
            let encoding: String = ask(connection, kind, "SELECT current_setting('server_encoding')").await?;
            if encoding != "UTF8" {
                return Err(StorageError::Unfit(format!(
                    "the database has the encoding {encoding}, which does not hold every text: create it \
                     with CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0"
                )));
            }
            Ok(())
        }
        StoreKind::MySql => {
            let bytes: u64 = ask(connection, kind, "SELECT CAST(@@max_allowed_packet AS UNSIGNED)").await?;
            if bytes < PACKET_MIN_BYTES {
                return Err(StorageError::Unfit(format!(
                    "max_allowed_packet of the database server is {bytes} bytes: set it to \
                     {PACKET_MIN_BYTES} or more, so that every message fits"
                )));
            }
            Ok(())
        }
    }
}

async fn ask<T: sea_orm::TryGetable>(
    connection: &DatabaseConnection,
    kind: StoreKind,
    question: &str,
) -> Result<T, StorageError> {
    let statement = Statement::from_string(backend(kind), question);
    let row = connection.query_one_raw(statement).await?;
    let row = row.ok_or_else(|| StorageError::Other(DbErr::Custom("no answer to a setting".to_owned())))?;
    Ok(row.try_get_by_index(0)?)
}

/// A pooler that gives each transaction another server's session (PgBouncer's `pool_mode = transaction`) must
/// at least carry prepared statements along. Two connections tell: what one sets in its session, the other
/// finds while it is in a transaction, only if they share it.
async fn keeps_sessions(url: &str) -> Result<(), StorageError> {
    let options = postgres_options(url).map_err(driver)?;
    let mut first = PgConnection::connect_with(&options).await.map_err(driver)?;
    let mut second = PgConnection::connect_with(&options).await.map_err(driver)?;
    let carried = carries_statements(&mut first, &mut second).await;
    // What they left half-way is the pooler's or the server's to clean up.
    let _ = first.close().await;
    let _ = second.close().await;
    if carried? {
        return Ok(());
    }
    Err(StorageError::Unfit(
        "between here and PostgreSQL a pooler (PgBouncer with pool_mode = transaction) gives each \
         transaction another session and does not carry prepared statements along: set pool_mode = session, \
         or, from PgBouncer 1.21 on, max_prepared_statements = 200"
            .to_owned(),
    ))
}

async fn carries_statements(
    first: &mut PgConnection,
    second: &mut PgConnection,
) -> Result<bool, StorageError> {
    const PROBE: &str = "SELECT 1 + $1::bigint";
    let mark = "SET milena.pooled = 'yes'";
    first.execute(mark).await.map_err(driver)?;
    second.execute("BEGIN").await.map_err(driver)?;
    let seen = second
        .fetch_one("SELECT COALESCE(current_setting('milena.pooled', true), '')")
        .await
        .and_then(|row| row.try_get::<String, _>(0))
        .map_err(driver)?;
    if seen != "yes" {
        return Ok(true);
    }
    // The second holds the session of the first, which now gets another one for each statement.
    let mut works = true;
    for _ in 0..2 {
        let prepared = sqlx::query(PROBE).bind(1_i64).execute(&mut *second).await;
        works &= prepared.is_ok();
        second.execute("COMMIT").await.map_err(driver)?;
        let elsewhere = sqlx::query(PROBE).bind(1_i64).execute(&mut *first).await;
        works &= elsewhere.is_ok();
        first.execute("BEGIN").await.map_err(driver)?;
        let again = sqlx::query(PROBE).bind(1_i64).execute(&mut *second).await;
        works &= again.is_ok();
        first.execute("ROLLBACK").await.map_err(driver)?;
        second.execute("BEGIN").await.map_err(driver)?;
    }
    Ok(works)
}

fn driver(error: sqlx::Error) -> StorageError {
    DbErr::Conn(sea_orm::RuntimeErr::SqlxError(error.into())).into()
}

/// The tables that programs write after their start, and what is done to their rows besides inserting and
/// reading.
const TABLES: [(&str, Option<&str>, bool); 29] = [
    ("users", Some("username"), false),
    ("sessions", Some("user_agent"), true),
    ("conversations", Some("last_position"), false),
    ("members", Some("last_read"), false),
    ("messages", Some("changed_position"), false),
    ("consumer_offsets", Some("next_offset"), false),
    ("log_epochs", None, false),
    ("log_topics", None, false),
    ("conversation_lists", Some("last_sent_at_ms"), false),
    ("name_words", None, true),
    ("memberships", Some("to_position"), false),
    ("room_people", Some("changed_position"), false),
    ("room_reads", Some("last_read"), false),
    ("room_authors", Some("position"), false),
    ("room_words", None, true),
    ("reactions", Some("position"), true),
    ("mentions", None, true),
    ("void_records", None, false),
    ("effective_events", None, false),
    ("blocks", None, true),
    ("outbox", Some("leased_until_ms"), true),
    ("message_edits", None, true),
    ("hidden_receipts", None, true),
    ("person_presence", Some("seen_at_ms"), false),
    ("person_notifications", Some("revision"), false),
    ("conversation_notifications", Some("revision"), false),
    ("person_status", Some("until_ms"), true),
    ("push_subscriptions", Some("label"), true),
    ("push_positions", Some("next_position"), false),
];

impl Store {
    /// Does to every table what the programs do, on no row, and takes it back: a role without the rights, a
    /// file that cannot be written and a missing table are found here.
    ///
    /// # Errors
    /// [`StorageError::NeedsRepair`] says what a person has to mend; else the database's.
    pub async fn probe(&self) -> Result<(), StorageError> {
        let outcome = self.answer(self.touch_every_table()).await;
        if outcome.is_ok() {
            self.trouble().clear();
        }
        outcome
    }

    async fn touch_every_table(&self) -> Result<(), StorageError> {
        let transaction = self.write_transaction().await?;
        for (table, changed, deleted) in TABLES {
            let mut statements = vec![format!("INSERT INTO {table} SELECT * FROM {table} WHERE 1 = 0")];
            statements
                .extend(changed.map(|column| format!("UPDATE {table} SET {column} = {column} WHERE 1 = 0")));
            statements.extend(deleted.then(|| format!("DELETE FROM {table} WHERE 1 = 0")));
            for statement in statements {
                transaction.execute_unprepared(&statement).await?;
            }
        }
        transaction.rollback().await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use milena_settings::{DatabaseSettings, Secret};

    use super::*;

    /// Written before anything is accepted (the first start), or by a command of its own (`milena import`,
    /// `new-epoch`), which then says by itself what it may not do; and the list of the migrations.
    const OTHERS: [&str; 5] =
        ["server_keys", "imported_events", "imported_people", "log_rewrites", "seaql_migrations"];

    async fn names(store: &Store, text: &str) -> BTreeSet<String> {
        let statement = Statement::from_string(backend(store.kind()), text);
        let rows = store.reader().query_all_raw(statement).await.unwrap();
        rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
    }

    /// A table that a migration adds and nobody lists here would not be looked at: a role that may not write
    /// it would be found out when a message is accepted already.
    #[tokio::test]
    async fn every_table_is_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let settings = DatabaseSettings {
            url: Secret::new(format!("sqlite:{}/milena.db?mode=rwc", folder.path().display())),
            max_connections: 2,
            acquire_timeout_ms: 3_000,
            start_timeout_ms: 3_000,
        };
        let store = Store::open(&settings).await.unwrap();
        let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
        let listed = TABLES.iter().map(|(table, ..)| *table).chain(OTHERS);
        assert_eq!(names(&store, tables).await, listed.map(str::to_owned).collect());
        for (table, changed, _) in TABLES {
            let columns = names(&store, &format!("SELECT name FROM pragma_table_info('{table}')")).await;
            assert!(changed.is_none_or(|column| columns.contains(column)), "{table}: {columns:?}");
        }
        store.probe().await.unwrap();
        store.close().await;
    }
}
