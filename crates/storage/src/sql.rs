//! Statements in plain SQL for what an entity query cannot say, written once for all three databases.

use sea_orm::{DbBackend, Statement, Value};

use crate::StoreKind;

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

fn numbered(text: &str) -> String {
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

/// A `LIKE` pattern's text in which `%`, `_` and the escape character `!` stand for themselves.
pub(crate) fn escape_like(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '%' | '_' | '!') {
            escaped.push('!');
        }
        escaped.push(c);
    }
    escaped
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
    fn patterns_are_escaped() {
        assert_eq!(escape_like("50%_off!"), "50!%!_off!!");
    }
}
