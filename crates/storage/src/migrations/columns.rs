//! Columns and tables that mean the same on all three databases.
//!
//! Texts are compared exactly everywhere: MySQL's tables are `utf8mb4_bin` (its default would treat `a`, `A`
//! and `ä` as equal), SQLite compares bytes, PostgreSQL has only deterministic collations. UUIDs take 16
//! bytes and sort by them.

use sea_orm::DbBackend;
use sea_orm_migration::prelude::*;

/// Kafka's own limit of a topic's name.
pub(super) const TOPIC_MAX_CHARS: u32 = 249;

/// A table with the texts' rule above.
pub(super) fn table(backend: DbBackend, name: &'static str) -> TableCreateStatement {
    let mut table = Table::create();
    table.table(name);
    if backend == DbBackend::MySql {
        table.engine("InnoDB").character_set("utf8mb4").collate("utf8mb4_bin");
    }
    table
}

/// A table that is read by its primary key only: SQLite stores it in that order and needs no second tree.
pub(super) fn clustered_table(backend: DbBackend, name: &'static str) -> TableCreateStatement {
    let mut table = table(backend, name);
    if backend == DbBackend::Sqlite {
        table.extra("WITHOUT ROWID");
    }
    table
}

pub(super) fn uuid(backend: DbBackend, name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    match backend {
        // sea-query's own choice would have text affinity.
        DbBackend::Sqlite => column.blob(),
        _ => column.uuid(),
    };
    column.not_null().take()
}

/// SHA-256.
pub(super) fn hash(backend: DbBackend, name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    match backend {
        DbBackend::Sqlite => column.blob(),
        _ => column.binary_len(32),
    };
    column.not_null().take()
}

/// Milliseconds since 1970, a position or an offset.
pub(super) fn number(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().take()
}

/// A partition or an epoch.
pub(super) fn small_number(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).integer().not_null().take()
}

/// A text of at most `max` characters.
pub(super) fn short_text(name: &'static str, max: u32) -> ColumnDef {
    ColumnDef::new(name).string_len(max).not_null().take()
}

/// An ASCII text that is searched by prefix: byte order, so that a range of the index is exactly a prefix.
pub(super) fn key_text(backend: DbBackend, name: &'static str, max: u32) -> ColumnDef {
    match backend {
        DbBackend::Postgres => {
            ColumnDef::new(name).custom(format!("varchar({max}) COLLATE \"C\"")).not_null().take()
        }
        _ => short_text(name, max),
    }
}

/// A text of up to 8,000 characters of four bytes, and room for more.
pub(super) fn long_text(backend: DbBackend, name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    match backend {
        DbBackend::MySql => column.custom("mediumtext"),
        _ => column.text(),
    };
    column.not_null().take()
}
