//! One way to ask and write in a batch's transaction, whichever database it is.
//!
//! PostgreSQL's transaction is on a connection of the driver, because of COPY; that of the others is
//! sea-orm's.

use sea_orm::sqlx::postgres::PgArguments;
use sea_orm::sqlx::{self, Arguments, AssertSqlSafe, PgConnection};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, Value};
use uuid::Uuid;

use super::chunked::{chunks, repeated};
use crate::sql::{numbered, statement};
use crate::{StoreKind, WriteError};

pub(super) enum Connection<'c> {
    Orm(StoreKind, &'c DatabaseTransaction),
    Postgres(&'c mut PgConnection),
}

impl Connection<'_> {
    pub(super) fn kind(&self) -> StoreKind {
        match self {
            Self::Orm(kind, _) => *kind,
            Self::Postgres(_) => StoreKind::Postgres,
        }
    }

    /// `text` has a `?` for each value.
    pub(super) async fn query(
        &mut self,
        text: &str,
        values: Vec<Value>,
    ) -> Result<Vec<QueryResult>, WriteError> {
        match self {
            Self::Orm(kind, transaction) => {
                Ok(transaction.query_all_raw(statement(*kind, text, values)).await?)
            }
            Self::Postgres(connection) => {
                let query = sqlx::query_with(AssertSqlSafe(numbered(text)), arguments(values)?);
                let rows = query.fetch_all(&mut **connection).await?;
                Ok(rows.into_iter().map(QueryResult::from).collect())
            }
        }
    }

    /// Answers how many rows matched.
    pub(super) async fn execute(&mut self, text: &str, values: Vec<Value>) -> Result<u64, WriteError> {
        match self {
            Self::Orm(kind, transaction) => {
                Ok(transaction.execute_raw(statement(*kind, text, values)).await?.rows_affected())
            }
            Self::Postgres(connection) => {
                let query = sqlx::query_with(AssertSqlSafe(numbered(text)), arguments(values)?);
                Ok(query.execute(&mut **connection).await?.rows_affected())
            }
        }
    }

    /// `text` ends with `column {in}`: what has one of `ids` there.
    pub(super) async fn query_in(
        &mut self,
        text: &str,
        ids: &[Uuid],
    ) -> Result<Vec<QueryResult>, WriteError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        if let Self::Postgres(connection) = self {
            let text = text.replace("{in}", "= ANY($1)");
            let rows = sqlx::query(AssertSqlSafe(text)).bind(ids).fetch_all(&mut **connection).await?;
            return Ok(rows.into_iter().map(QueryResult::from).collect());
        }
        let mut found = Vec::new();
        for chunk in chunks(ids) {
            let text = text.replace("{in}", &format!("IN ({})", repeated("?", chunk.len())));
            found.extend(self.query(&text, chunk.iter().map(|id| Value::from(*id)).collect()).await?);
        }
        Ok(found)
    }

    /// `text` has a `?` for `of`, and then `column {in}`: what has one of `ids` there.
    pub(super) async fn query_in_of(
        &mut self,
        text: &str,
        of: Uuid,
        ids: &[Uuid],
    ) -> Result<Vec<QueryResult>, WriteError> {
        if let Self::Postgres(connection) = self {
            let text = numbered(text).replace("{in}", "= ANY($2)");
            let query = sqlx::query(AssertSqlSafe(text)).bind(of).bind(ids);
            let rows = query.fetch_all(&mut **connection).await?;
            return Ok(rows.into_iter().map(QueryResult::from).collect());
        }
        let mut found = Vec::new();
        for chunk in chunks(ids) {
            let text = text.replace("{in}", &format!("IN ({})", repeated("?", chunk.len())));
            let values = std::iter::once(of).chain(chunk.iter().copied()).map(Value::from);
            found.extend(self.query(&text, values.collect()).await?);
        }
        Ok(found)
    }

    /// What fits one of several conditions.
    pub(super) async fn query_any<T>(
        &mut self,
        text: &str,
        condition: &str,
        items: &[T],
        values: impl Fn(&T) -> Vec<Value>,
    ) -> Result<Vec<QueryResult>, WriteError> {
        let mut found = Vec::new();
        for chunk in chunks(items) {
            let text = format!("{text} {}", vec![condition; chunk.len()].join(" OR "));
            found.extend(self.query(&text, chunk.iter().flat_map(&values).collect()).await?);
        }
        Ok(found)
    }

    /// Several rows a statement: `head`, a `row` of placeholders each, `tail`.
    pub(super) async fn insert<T>(
        &mut self,
        head: &str,
        row: &str,
        tail: &str,
        items: &[T],
        values: impl Fn(&T) -> Vec<Value>,
    ) -> Result<(), WriteError> {
        for chunk in chunks(items) {
            let text = format!("{head} VALUES {} {tail}", repeated(row, chunk.len()));
            self.execute(&text, chunk.iter().flat_map(&values).collect()).await?;
        }
        Ok(())
    }
}

fn arguments(values: Vec<Value>) -> Result<PgArguments, WriteError> {
    let mut arguments = PgArguments::default();
    for value in values {
        let added = match value {
            Value::Bool(value) => arguments.add(value),
            Value::Int(value) => arguments.add(value),
            Value::BigInt(value) => arguments.add(value),
            Value::String(value) => arguments.add(value),
            Value::Uuid(value) => arguments.add(value),
            other => Err(format!("a value of a kind that the writer never binds: {other:?}").into()),
        };
        added.map_err(|error| WriteError::from(sqlx::Error::Encode(error)))?;
    }
    Ok(arguments)
}
