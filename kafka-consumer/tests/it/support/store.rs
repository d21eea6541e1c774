//! A database of one test's own.

use std::path::Path;

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
        Self { url: milena_testkit::create_database(server, "consumer", options).await.url }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}
