//! Databases of one test's own on a server that many tests use.

use sea_orm::{ConnectOptions, ConnectionTrait, Database, Statement};
use uuid::Uuid;

/// A database that was just created, and is empty. It stays behind with its server, unless the test drops it.
#[derive(Debug, Clone)]
pub struct NewDatabase {
    /// Where it is.
    pub url: String,
    /// What it is called there.
    pub name: String,
}

/// Creates a database on a PostgreSQL or MariaDB server; `options` end its `create database`.
///
/// # Panics
/// When the server does not let us.
pub async fn create_database(server: &str, prefix: &str, options: &str) -> NewDatabase {
    let name = format!("{prefix}_{}", Uuid::now_v7().simple());
    let mut connect = ConnectOptions::new(server);
    connect.max_connections(1).sqlx_logging(false);
    let admin = Database::connect(connect).await.unwrap();
    let create = format!("create database {name} {options}");
    admin.execute_raw(Statement::from_string(admin.get_database_backend(), create)).await.unwrap();
    admin.close().await.unwrap();
    let (base, query) = server.split_once('?').unwrap_or((server, ""));
    let (base, _) = base.rsplit_once('/').expect("the URL names a database");
    let query = if query.is_empty() { String::new() } else { format!("?{query}") };
    NewDatabase { url: format!("{base}/{name}{query}"), name }
}
