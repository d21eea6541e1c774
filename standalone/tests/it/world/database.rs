//! A database of one test's own, read with plain SQL: what is stored is judged without Milena's own queries.

use std::path::Path;

use sea_orm::{ConnectOptions, ConnectionTrait, Database as Connector, DatabaseConnection, Statement};
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
        let name = format!("e2e_{}", Uuid::now_v7().simple());
        let admin = connect(server).await;
        let create = Statement::from_string(admin.get_database_backend(), format!("create database {name}"));
        admin.execute_raw(create).await.unwrap();
        admin.close().await.unwrap();
        let (base, _) = server.rsplit_once('/').expect("the URL names a database");
        Self { url: format!("{base}/{name}") }
    }

    /// The one that `milena` keeps in its data folder.
    pub(crate) fn in_data_folder(data: &Path) -> Self {
        Self { url: format!("sqlite:{}?mode=rw", data.join("milena.db").display()) }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Every message, by conversation, in its order.
    pub(crate) async fn messages(&self) -> Vec<Row> {
        let sql = "select m.conversation_id, m.position, m.id, s.username, r.username as recipient, m.client_id, \
                   m.sent_at_ms, m.body from messages m \
                   join users s on s.id = m.sender_id join users r on r.id = m.recipient_id \
                   order by m.conversation_id, m.position";
        let database = connect(&self.url).await;
        let statement = Statement::from_string(database.get_database_backend(), sql);
        let rows = database.query_all_raw(statement).await.unwrap();
        let read = |row: &sea_orm::QueryResult| -> Result<Row, sea_orm::DbErr> {
            Ok(Row {
                conversation: row.try_get_by_index(0)?,
                position: row.try_get_by_index(1)?,
                id: row.try_get_by_index(2)?,
                sender: row.try_get_by_index(3)?,
                recipient: row.try_get_by_index(4)?,
                client_id: row.try_get_by_index(5)?,
                sent_at_ms: row.try_get_by_index(6)?,
                body: row.try_get_by_index(7)?,
            })
        };
        let messages: Vec<Row> = rows.iter().map(|row| read(row).unwrap()).collect();
        database.close().await.unwrap();
        assert_eq!(messages.len() as i64, self.count("messages").await, "a message without its people");
        messages
    }

    /// Rows of a table.
    pub(crate) async fn count(&self, table: &str) -> i64 {
        self.number(&format!("select count(*) from {table}")).await.expect("the database answers")
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

fn options(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    options
}

async fn connect(url: &str) -> DatabaseConnection {
    Connector::connect(options(url)).await.unwrap()
}
