//! Statements in plain SQL for what an entity query cannot say, written once for all three databases.

use sea_orm::{ConnectionTrait, DbBackend, Statement, Value};

use crate::{StorageError, StoreKind};

/// A statement with `?` for each value; PostgreSQL gets `$1`, `$2`… instead. The text must have no other `?`.
pub(crate) fn statement(kind: StoreKind, text: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    let text = if kind == StoreKind::Postgres { numbered(text) } else { text.to_owned() };
    Statement::from_sql_and_values(backend(kind), text, values)
}

pub(crate) fn backend(kind: StoreKind) -> DbBackend {
    match kind {
        StoreKind::Sqlite => DbBackend::Sqlite,
        StoreKind::Postgres => DbBackend::Postgres,
        StoreKind::MySql => DbBackend::MySql,
    }
}

/// `$1`, `$2`… for each `?`.
pub(crate) fn numbered(text: &str) -> String {
    let mut numbered = String::with_capacity(text.len() + 16);
    for (index, part) in text.split('?').enumerate() {
        if index > 0 {
            numbered.push('$');
            numbered.push_str(&index.to_string());
        }
        numbered.push_str(part);
    }
    numbered
}

/// How the database would answer a statement, a line each.
pub(crate) async fn plan(
    kind: StoreKind,
    connection: &impl ConnectionTrait,
    statement: Statement,
) -> Result<Vec<String>, StorageError> {
    let word = if kind == StoreKind::Sqlite { "EXPLAIN QUERY PLAN" } else { "EXPLAIN" };
    let explain = Statement { sql: format!("{word} {}", statement.sql), ..statement };
    let rows = connection.query_all_raw(explain).await?;
    rows.iter()
        .map(|row| match kind {
            StoreKind::Sqlite => Ok(row.try_get("", "detail")?),
            StoreKind::Postgres => Ok(row.try_get_by_index(0)?),
            StoreKind::MySql => {
                let text = |name| row.try_get::<Option<String>>("", name).map(Option::unwrap_or_default);
                let fields = [text("table")?, text("type")?, text("key")?, text("rows")?, text("Extra")?];
                Ok(fields.join(" "))
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_numbered_for_postgres() {
        assert_eq!(numbered("a = ? AND b = ? "), "a = $1 AND b = $2 ");
        assert_eq!(numbered("no values"), "no values");
    }
}
