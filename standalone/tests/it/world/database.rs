//! A database of one test's own, read with plain SQL: what is stored is judged without Milena's own queries.

use std::collections::HashMap;
use std::path::Path;

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database as Connector, DatabaseConnection, DbErr, QueryResult, Statement,
};
use uuid::Uuid;

/// A stored message as SQL shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) conversation: Uuid,
    pub(crate) position: i64,
    pub(crate) id: Uuid,
    /// Usernames.
    pub(crate) sender: String,
    pub(crate) recipient: String,
    pub(crate) client_id: String,
    pub(crate) sent_at_ms: i64,
    pub(crate) body: String,
}

/// Where it is. On a server it stays behind with the server, in a folder it goes with the folder.
#[derive(Clone)]
pub(crate) struct Database {
    url: String,
}

impl Database {
    /// A new one on a PostgreSQL or MariaDB server.
    pub(crate) async fn create_on(server: &str) -> Self {
        Self { url: milena_testkit::create_database(server, "e2e", "").await.url }
    }

    /// One that is there, or will be.
    pub(crate) fn of(url: &str) -> Self {
        Self { url: url.to_owned() }
    }

    /// The one that `milena` keeps in its data folder.
    pub(crate) fn in_data_folder(data: &Path) -> Self {
        Self::at(&data.join("milena.db"))
    }

    /// An SQLite file.
    pub(crate) fn at(file: &Path) -> Self {
        Self { url: format!("sqlite:{}?mode=rw", file.display()) }
    }

    /// The same database through a proxy before its server.
    pub(crate) fn url_by(&self, proxy: std::net::SocketAddr) -> String {
        let (scheme_and_user, rest) = self.url.rsplit_once('@').expect("the URL names a user");
        let (_, name) = rest.split_once('/').expect("the URL names a database");
        format!("{scheme_and_user}@{proxy}/{name}")
    }

    /// Host and port of its server.
    pub(crate) fn server(&self) -> &str {
        let (_, rest) = self.url.rsplit_once('@').expect("the URL names a user");
        rest.split_once('/').expect("the URL names a database").0
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Every message between two people, by conversation, in its order. Two plain statements: no join depends
    /// on the server's statistics.
    pub(crate) async fn messages(&self) -> Vec<Row> {
        let sql = "\
            select conversation_id, position, id, sender_id, recipient_id, client_id, sent_at_ms, body \
            from messages \
            where conversation_id in (select id from conversations where kind = 'direct') \
            order by conversation_id, position";
        let database = connect(&self.url).await;
        let all = async |sql: &str| {
            let statement = Statement::from_string(database.get_database_backend(), sql);
            database.query_all_raw(statement).await.unwrap()
        };
        let named = |row: &QueryResult| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?));
        let people: Result<HashMap<Uuid, String>, DbErr> =
            all("select id, username from users").await.iter().map(named).collect();
        let people = people.unwrap();
        let messages = all(sql).await.iter().map(|row| message(row, &people).unwrap()).collect();
        database.close().await.unwrap();
        messages
    }

    /// Rows of a table.
    pub(crate) async fn count(&self, table: &str) -> i64 {
        self.number(&format!("select count(*) from {table}")).await.expect("the database answers")
    }

    /// What a query that answers a text a row says.
    pub(crate) async fn texts(&self, sql: &str) -> Vec<String> {
        let database = connect(&self.url).await;
        let statement = Statement::from_string(database.get_database_backend(), sql);
        let rows = database.query_all_raw(statement).await.unwrap();
        database.close().await.unwrap();
        rows.iter().map(|row| row.try_get_by_index(0).expect("a text")).collect()
    }

    /// What a query that answers one number says.
    pub(crate) async fn number_of(&self, sql: &str) -> i64 {
        self.number(sql).await.expect("the database answers")
    }

    /// The number of messages, or `None` while the database does not answer.
    pub(crate) async fn try_count_messages(&self) -> Option<i64> {
        self.number("select count(*) from messages").await
    }

    async fn number(&self, sql: &str) -> Option<i64> {
        let database = Connector::connect(options(&self.url)).await.ok()?;
        let statement = Statement::from_string(database.get_database_backend(), sql);
        let row = database.query_one_raw(statement).await.ok().flatten();
        let _ = database.close().await;
        row.map(|row| row.try_get_by_index(0).expect("a number"))
    }

    /// Changes rows behind the programs' back.
    pub(crate) async fn execute(&self, sql: &str) {
        let database = connect(&self.url).await;
        database.execute_raw(Statement::from_string(database.get_database_backend(), sql)).await.unwrap();
        database.close().await.unwrap();
    }
}

fn message(row: &QueryResult, people: &HashMap<Uuid, String>) -> Result<Row, DbErr> {
    let name = |id: Uuid| people.get(&id).cloned().expect("every message is of people who exist");
    Ok(Row {
        conversation: row.try_get_by_index(0)?,
        position: row.try_get_by_index(1)?,
        id: row.try_get_by_index(2)?,
        sender: name(row.try_get_by_index(3)?),
        recipient: name(row.try_get_by_index(4)?),
        client_id: row.try_get_by_index(5)?,
        sent_at_ms: row.try_get_by_index(6)?,
        body: row.try_get_by_index(7)?,
    })
}

fn options(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    options
}

async fn connect(url: &str) -> DatabaseConnection {
    Connector::connect(options(url)).await.unwrap()
}
