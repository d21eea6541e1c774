//! Steps of a migration that can be taken again.
//!
//! MySQL's schema changes end every transaction, so a migration that is cut off there (killed, disconnected,
//! chosen as a deadlock's victim) has come half-way, and its row in the list of migrations is missing. The
//! next start takes it from the beginning: each step looks first whether it was taken.

use sea_orm_migration::prelude::*;

pub(super) async fn create_table(
    manager: &SchemaManager<'_>,
    mut table: TableCreateStatement,
) -> Result<(), DbErr> {
    manager.create_table(table.if_not_exists().to_owned()).await
}

pub(super) async fn add_column(
    manager: &SchemaManager<'_>,
    table: &'static str,
    name: &'static str,
    column: ColumnDef,
) -> Result<(), DbErr> {
    if manager.has_column(table, name).await? {
        return Ok(());
    }
    manager.alter_table(Table::alter().table(table).add_column(column).take()).await
}

pub(super) async fn create_index<const COLUMNS: usize>(
    manager: &SchemaManager<'_>,
    table: &'static str,
    name: &'static str,
    columns: [&'static str; COLUMNS],
) -> Result<(), DbErr> {
    if manager.has_index(table, name).await? {
        return Ok(());
    }
    let mut index = Index::create();
    index.name(name).table(table);
    for column in columns {
        index.col(column);
    }
    manager.create_index(index).await
}
