//! The folded names of people: written with every name, searched by index, filled in for those whom a program
//! of before has stored or renamed.

use std::collections::HashMap;

use milena_domain::{folded_name, word_starts, words};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, ExprTrait,
    QueryFilter, QueryOrder, QuerySelect, Select, Statement, Value,
};
use uuid::Uuid;

use crate::entities::{name_words, users};
use crate::sql::statement;
use crate::store::begin_write;
use crate::{StorageError, Store, StoreKind};

/// Raised when the folding changes: everybody's names are folded again then.
pub(crate) const FOLD_VERSION: i32 = 1;
/// People or words of one statement.
const CHUNK: usize = 500;
/// People who have a word of the query that are looked at, at most: who types two letters gets some of those
/// they begin.
pub(super) const CANDIDATES: i64 = 1_000;
/// Words of a query that are looked for; whoever types more is understood by these.
pub(super) const QUERY_WORDS: usize = 6;
/// A person may have several words with the same beginning.
const WORDS_A_PERSON: usize = 4;
/// Greater than every character of a name: ends the range of what begins with a text.
const END: char = '\u{10ffff}';

/// The words by which somebody is found.
pub(super) fn words_of(username: &str, display_name: &str) -> Vec<String> {
    words_in([username, display_name])
}

/// The words of some texts, each once, as they are stored to be found by.
pub(super) fn words_in<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut found: Vec<String> = texts.into_iter().flat_map(word_starts).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Stores words; in the transaction that stores the names.
pub(super) async fn insert_words(
    connection: &impl ConnectionTrait,
    rows: impl IntoIterator<Item = (Uuid, Vec<String>)>,
) -> Result<(), DbErr> {
    let rows: Vec<(Uuid, String)> =
        rows.into_iter().flat_map(|(user, words)| words.into_iter().map(move |word| (user, word))).collect();
    for chunk in rows.chunks(CHUNK) {
        let models = chunk
            .iter()
            .map(|(user, word)| name_words::ActiveModel { word: Set(word.clone()), user_id: Set(*user) });
        let nothing = OnConflict::columns([name_words::Column::Word, name_words::Column::UserId])
            .do_nothing_on([name_words::Column::Word])
            .to_owned();
        name_words::Entity::insert_many(models)
            .on_conflict(nothing)
            .exec_without_returning(connection)
            .await?;
    }
    Ok(())
}

/// Replaces the words of one person.
pub(super) async fn replace_words(
    connection: &impl ConnectionTrait,
    user: Uuid,
    words: Vec<String>,
) -> Result<(), DbErr> {
    name_words::Entity::delete_many().filter(name_words::Column::UserId.eq(user)).exec(connection).await?;
    insert_words(connection, [(user, words)]).await
}

/// Folds the names that are not folded, or not by this version, for an upgrade: some in each transaction.
pub(crate) async fn fold_all(kind: StoreKind, connection: &DatabaseConnection) -> Result<(), DbErr> {
    let mut after = Uuid::nil();
    loop {
        let transaction = begin_write(kind, connection).await?;
        let last = fold_some(&transaction, unfolded(), after).await?;
        transaction.commit().await?;
        let Some(last) = last else { return Ok(()) };
        after = last;
    }
}

/// Found by the index: nothing to do costs nothing.
fn unfolded() -> Select<users::Entity> {
    users::Entity::find().filter(users::Column::FoldVersion.lt(FOLD_VERSION))
}

/// People whom a program of before has renamed. Reads everybody.
fn renamed() -> Select<users::Entity> {
    users::Entity::find()
        .filter(Expr::col(users::Column::FoldedFrom).ne(Expr::col(users::Column::DisplayName)))
}

/// Folds the names of the next people of `which`; answers the last of them.
async fn fold_some(
    connection: &impl ConnectionTrait,
    which: Select<users::Entity>,
    after: Uuid,
) -> Result<Option<Uuid>, DbErr> {
    let people: Vec<(Uuid, String, String)> = which
        .select_only()
        .columns([users::Column::Id, users::Column::Username, users::Column::DisplayName])
        .filter(users::Column::Id.gt(after))
        .order_by_asc(users::Column::Id)
        .limit(CHUNK as u64)
        .into_tuple()
        .all(connection)
        .await?;
    let last = people.last().map(|(id, ..)| *id);
    let mut rows = Vec::with_capacity(people.len());
    for (id, username, display_name) in people {
        let updated = users::Entity::update_many()
            .col_expr(users::Column::NameFolded, Expr::value(folded_name(&display_name)))
            .col_expr(users::Column::FoldedFrom, Expr::value(display_name.as_str()))
            .col_expr(users::Column::FoldVersion, Expr::value(FOLD_VERSION))
            .filter(users::Column::Id.eq(id))
            // Whoever renames them meanwhile folds the new name.
            .filter(users::Column::DisplayName.eq(display_name.as_str()))
            .exec(connection)
            .await?;
        if updated.rows_affected == 1 {
            rows.push((id, words_of(&username, &display_name)));
        }
    }
    if !rows.is_empty() {
        name_words::Entity::delete_many()
            .filter(name_words::Column::UserId.is_in(rows.iter().map(|(id, _)| *id)))
            .exec(connection)
            .await?;
        insert_words(connection, rows).await?;
    }
    Ok(last)
}

impl Store {
    /// Folds the names of people whom programs of before have stored, and with `renamed_too` of those whom
    /// they have renamed; for these everybody is read once.
    ///
    /// # Errors
    /// The database's. The call can be repeated.
    pub async fn fold_names(&self, renamed_too: bool) -> Result<(), StorageError> {
        let which = if renamed_too { vec![unfolded(), renamed()] } else { vec![unfolded()] };
        for people in which {
            let mut after = Uuid::nil();
            loop {
                let chunk = self
                    // Boxed: the future of a whole transaction is large.
                    .bulk(Box::pin(async {
                        let transaction = self.write_transaction().await?;
                        let last = fold_some(&transaction, people.clone(), after).await?;
                        transaction.commit().await?;
                        Ok::<_, StorageError>(last)
                    }))
                    .await?;
                let Some(last) = chunk else { break };
                after = last;
            }
        }
        Ok(())
    }

    /// People of whose names each word of the query begins a word, in the order of the longest one.
    pub(super) async fn search_words(
        &self,
        query: &str,
        limit: usize,
    ) -> Result<Vec<users::Model>, StorageError> {
        let Some(statement) = words_query(self.kind(), query, limit) else { return Ok(Vec::new()) };
        let mut ids: Vec<Uuid> = Vec::new();
        for row in self.reader().query_all_raw(statement).await? {
            let id = row.try_get_by_index(0)?;
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        ids.truncate(limit);
        let rows =
            users::Entity::find().filter(users::Column::Id.is_in(ids.clone())).all(self.reader()).await?;
        let mut rows: HashMap<Uuid, users::Model> = rows.into_iter().map(|row| (row.id, row)).collect();
        Ok(ids.into_iter().filter_map(|id| rows.remove(&id)).collect())
    }

    /// People whose folded display name begins with the query.
    pub(super) async fn search_names(
        &self,
        query: &str,
        limit: u64,
    ) -> Result<Vec<users::Model>, StorageError> {
        let text = folded_name(query);
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let rows = users::Entity::find()
            .filter(users::Column::NameFolded.gte(text.as_str()))
            .filter(users::Column::NameFolded.lt(format!("{text}{END}")))
            .order_by_asc(users::Column::NameFolded)
            .limit(limit)
            .all(self.reader())
            .await?;
        Ok(rows)
    }

    /// How the database would look for people by the words of a query: for tests and operators.
    #[doc(hidden)]
    pub async fn plan_of_search(&self, query: &str) -> Result<Vec<String>, StorageError> {
        match words_query(self.kind(), query, 20) {
            Some(statement) => crate::sql::plan(self.kind(), self.reader(), statement).await,
            None => Ok(Vec::new()),
        }
    }
}

/// The words of a query that are looked for. The longest one leads: it has the fewest candidates, mostly.
pub(super) fn leading(mut words: Vec<String>) -> Vec<String> {
    words.sort_by_key(|word| std::cmp::Reverse(word.chars().count()));
    words.dedup();
    words.truncate(QUERY_WORDS);
    words
}

/// What begins with this word: from the first on, and before the second.
pub(super) fn beginning_with(word: &str) -> [Value; 2] {
    [word.into(), format!("{word}{END}").into()]
}

fn words_query(kind: StoreKind, query: &str, limit: usize) -> Option<Statement> {
    let words = leading(words(query));
    let first = words.first()?;
    let mut values = Vec::from(beginning_with(first));
    values.push(CANDIDATES.into());
    let others = &words[1..];
    values.extend(others.iter().flat_map(|word| beginning_with(word)));
    values.push(((limit * WORDS_A_PERSON) as i64).into());
    let also = vec![
        "EXISTS (SELECT 1 FROM name_words o WHERE o.user_id = c.user_id AND o.word >= ? AND o.word < ?)";
        others.len()
    ];
    let condition = if also.is_empty() { String::new() } else { format!("WHERE {}", also.join(" AND ")) };
    let text = format!(
        "SELECT c.user_id FROM (SELECT word, user_id FROM name_words WHERE word >= ? AND word < ? \
         ORDER BY word, user_id LIMIT ?) c {condition} ORDER BY c.word, c.user_id LIMIT ?"
    );
    Some(statement(kind, &text, values))
}
