//! Many rows as one array a column: the statement's text is the same for any number of rows, so it is
//! prepared once, and there is no limit of parameters.

use sea_orm::Value;
use sea_orm::sqlx::postgres::PgArguments;
use sea_orm::sqlx::{self, Arguments};
use uuid::Uuid;

use crate::WriteError;

/// A column's values, of one type.
enum Column {
    Bool(Vec<Option<bool>>),
    Int(Vec<Option<i32>>),
    BigInt(Vec<Option<i64>>),
    Text(Vec<Option<String>>),
    Uuid(Vec<Option<Uuid>>),
}

impl Column {
    fn of(value: &Value) -> Result<Self, WriteError> {
        match value {
            Value::Bool(_) => Ok(Self::Bool(Vec::new())),
            Value::Int(_) => Ok(Self::Int(Vec::new())),
            Value::BigInt(_) => Ok(Self::BigInt(Vec::new())),
            Value::String(_) => Ok(Self::Text(Vec::new())),
            Value::Uuid(_) => Ok(Self::Uuid(Vec::new())),
            other => Err(unbound(other)),
        }
    }

    fn push(&mut self, value: Value) -> Result<(), WriteError> {
        match (self, value) {
            (Self::Bool(column), Value::Bool(value)) => column.push(value),
            (Self::Int(column), Value::Int(value)) => column.push(value),
            (Self::BigInt(column), Value::BigInt(value)) => column.push(value),
            (Self::Text(column), Value::String(value)) => column.push(value),
            (Self::Uuid(column), Value::Uuid(value)) => column.push(value),
            (_, other) => return Err(unbound(&other)),
        }
        Ok(())
    }

    const fn array(&self) -> &'static str {
        match self {
            Self::Bool(_) => "boolean[]",
            Self::Int(_) => "integer[]",
            Self::BigInt(_) => "bigint[]",
            Self::Text(_) => "text[]",
            Self::Uuid(_) => "uuid[]",
        }
    }

    fn bind(self, arguments: &mut PgArguments) -> Result<(), WriteError> {
        let bound = match self {
            Self::Bool(column) => arguments.add(column),
            Self::Int(column) => arguments.add(column),
            Self::BigInt(column) => arguments.add(column),
            Self::Text(column) => arguments.add(column),
            Self::Uuid(column) => arguments.add(column),
        };
        bound.map_err(|error| WriteError::from(sqlx::Error::Encode(error)))
    }
}

/// `head`, all rows, `tail`. Each row has a value for each of the head's columns, of the same type in all
/// rows.
pub(in super::super) fn insert(
    head: &str,
    tail: &str,
    rows: impl Iterator<Item = Vec<Value>>,
) -> Result<(String, PgArguments), WriteError> {
    let mut columns: Vec<Column> = Vec::new();
    for row in rows {
        if columns.is_empty() {
            columns = row.iter().map(Column::of).collect::<Result<_, _>>()?;
        }
        for (column, value) in columns.iter_mut().zip(row) {
            column.push(value)?;
        }
    }
    let arrays =
        columns.iter().enumerate().map(|(index, column)| format!("${}::{}", index + 1, column.array()));
    let text = format!("{head} SELECT * FROM UNNEST({}) {tail}", arrays.collect::<Vec<_>>().join(", "));
    let mut arguments = PgArguments::default();
    for column in columns {
        column.bind(&mut arguments)?;
    }
    Ok((text, arguments))
}

fn unbound(value: &Value) -> WriteError {
    let text = format!("a value of a kind that the writer never binds there: {value:?}");
    WriteError::from(sqlx::Error::Encode(text.into()))
}
