//! One way to ask and write in a batch's transaction, whichever database it is.
//!
//! PostgreSQL's transaction is on a connection of the driver, because of COPY; that of the others is
//! sea-orm's.

use std::collections::BTreeMap;

use sea_orm::sqlx::postgres::PgArguments;
use sea_orm::sqlx::{self, Arguments, AssertSqlSafe, PgConnection};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, Value};
use uuid::Uuid;

use super::chunked::{chunks, repeated};
use super::postgres::unnest;
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

    /// The rows of a table that are about some people of some conversations: their ids, and `columns`.
    pub(super) async fn query_people(
        &mut self,
        columns: &str,
        table: &str,
        condition: &str,
        people: &BTreeMap<Uuid, Vec<Uuid>>,
    ) -> Result<Vec<QueryResult>, WriteError> {
        let select = format!("SELECT conversation_id, user_id, {columns} FROM {table}");
        if let Self::Postgres(connection) = self {
            let pairs = people.iter().flat_map(|(id, users)| users.iter().map(move |user| (*id, *user)));
            let (ids, users): (Vec<Uuid>, Vec<Uuid>) = pairs.unzip();
            let text = format!(
                "{select} JOIN UNNEST($1::uuid[], $2::uuid[]) AS asked (conversation_id, user_id) \
                 USING (conversation_id, user_id) WHERE {condition}"
            );
            let query = sqlx::query(AssertSqlSafe(text)).bind(ids).bind(users);
            let rows = query.fetch_all(&mut **connection).await?;
            return Ok(rows.into_iter().map(QueryResult::from).collect());
        }
        let mut found = Vec::new();
        for (id, users) in people {
            for chunk in chunks(users) {
                let users = repeated("?", chunk.len());
                let text =
                    format!("{select} WHERE {condition} AND conversation_id = ? AND user_id IN ({users})");
                let values = std::iter::once(id).chain(chunk).map(|id| Value::from(*id));
                found.extend(self.query(&text, values.collect()).await?);
            }
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
        if items.is_empty() {
            return Ok(());
        }
        if let Self::Postgres(connection) = self {
            let (text, arguments) = unnest::insert(head, tail, items.iter().map(values))?;
            sqlx::query_with(AssertSqlSafe(text), arguments).execute(&mut **connection).await?;
            return Ok(());
        }
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
