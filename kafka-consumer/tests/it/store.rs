//! A database of one test's own.

use std::path::Path;

use sea_orm::{ConnectionTrait, Database as Connector, Statement};

/// Where it is. A PostgreSQL database is left behind with its throw-away server; a SQLite file goes with its
/// folder.
pub(crate) struct Database {
    url: String,
}

impl Database {
    pub(crate) fn sqlite(folder: &Path) -> Self {
        Self { url: format!("sqlite:{}?mode=rwc", folder.join("store.db").display()) }
    }

    /// A new one on a PostgreSQL or MariaDB server.
    pub(crate) async fn on(server: &str) -> Self {
        Self::on_with(server, "").await
    }

    /// With more to its `create database`.
    pub(crate) async fn on_with(server: &str, options: &str) -> Self {
        let name = format!("consumer_{}", uuid::Uuid::now_v7().simple());
        let admin = Connector::connect(server).await.unwrap();
        let create = format!("create database {name} {options}");
        admin.execute_raw(Statement::from_string(admin.get_database_backend(), create)).await.unwrap();
        admin.close().await.unwrap();
        let (base, _) = server.rsplit_once('/').unwrap();
        Self { url: format!("{base}/{name}") }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}
