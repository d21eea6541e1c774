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

/// The values, filled up with the last one to a power of two: connections remember a handful of statements,
/// not one for every number of values. Empty for none.
pub(crate) fn padded<T>(values: &[T]) -> impl ExactSizeIterator<Item = &T> {
    let count = if values.is_empty() { 0 } else { values.len().next_power_of_two() };
    (0..count).map(|index| &values[index.min(values.len() - 1)])
}

/// What follows an insert into `table`, whose key is conversation and person: of two values in `column` the
/// greater one stays.
pub(crate) fn keep_greatest(kind: StoreKind, table: &str, column: &str) -> String {
    match kind {
        StoreKind::MySql => {
            format!("ON DUPLICATE KEY UPDATE {column} = GREATEST({column}, VALUES({column}))")
        }
        StoreKind::Sqlite | StoreKind::Postgres => format!(
            "ON CONFLICT (conversation_id, user_id) DO UPDATE SET {column} = excluded.{column} \
             WHERE {table}.{column} < excluded.{column}"
        ),
    }
}

/// A join whose left side is read first, where a database has a word for that. PostgreSQL has none, and
/// weighs the bounds themselves.
pub(crate) const fn joined_in_order(kind: StoreKind) -> &'static str {
    match kind {
        StoreKind::Sqlite => "CROSS JOIN",
        StoreKind::Postgres => "JOIN",
        StoreKind::MySql => "STRAIGHT_JOIN",
    }
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

    #[test]
    fn values_are_filled_up_to_a_power_of_two() {
        let filled = |values: &[u8]| padded(values).copied().collect::<Vec<_>>();
        assert_eq!([filled(&[]), filled(&[1]), filled(&[1, 2])], [vec![], vec![1], vec![1, 2]]);
        assert_eq!(filled(&[1, 2, 3, 4, 5]), [1, 2, 3, 4, 5, 5, 5, 5]);
    }
}
