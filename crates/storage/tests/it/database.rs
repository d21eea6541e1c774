//! A database of its own for each test, dropped at the end, also after a panic.

use milena_settings::{DatabaseSettings, Secret};
use milena_storage::Store;
use milena_testkit::{Kind, NewDatabase, create_database, given};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection};

/// Which database a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Server {
    Sqlite,
    Postgres,
    MariaDb,
}

/// An empty database.
pub(crate) struct TestDatabase {
    pub(crate) server: Server,
    pub(crate) url: String,
    name: String,
    /// Where databases are created and dropped; the folder, for SQLite.
    admin: Admin,
}

enum Admin {
    Folder(#[allow(dead_code, reason = "removed when dropped")] tempfile::TempDir),
    Url(String),
}

impl TestDatabase {
    /// `None` when no server of this kind is given.
    pub(crate) async fn create(server: Server) -> Option<Self> {
        let kind = match server {
            Server::Sqlite => {
                let folder = tempfile::tempdir().unwrap();
                let url = format!("sqlite:{}?mode=rwc", folder.path().join("store.db").display());
                return Some(Self { server, url, name: String::new(), admin: Admin::Folder(folder) });
            }
            Server::Postgres => Kind::Postgres,
            Server::MariaDb => Kind::MariaDb,
        };
        let Some(admin) = given(kind) else {
            eprintln!("skipped: there is no {kind:?}");
            return None;
        };
        let NewDatabase { url, name } = create_database(&admin, "milena_test", "").await;
        Some(Self { server, url, name, admin: Admin::Url(admin) })
    }

    pub(crate) fn settings(&self) -> DatabaseSettings {
        settings(&self.url)
    }

    /// One more store on this database: connections of its own, as another program has them.
    pub(crate) async fn connect(&self) -> Store {
        Store::connect(&self.settings()).await.unwrap()
    }

    /// A store with the schema in place.
    pub(crate) async fn store(&self) -> Store {
        let store = self.connect().await;
        store.migrate().await.unwrap();
        store
    }

    /// A connection beside the store's, for what the store does not offer.
    pub(crate) async fn raw(&self) -> DatabaseConnection {
        raw(&self.url).await
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Admin::Url(admin) = &self.admin else { return };
        let (admin, name, server) = (admin.clone(), self.name.clone(), self.server);
        // A runtime cannot wait for another one on its own thread.
        let dropper = std::thread::spawn(move || {
            let drop = match server {
                Server::Postgres => format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
                // A transaction that is still open would block this for a day.
                _ => format!("SET STATEMENT lock_wait_timeout = 5 FOR DROP DATABASE IF EXISTS {name}"),
            };
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap()
                .block_on(execute(&admin, &drop));
        });
        if dropper.join().is_err() {
            eprintln!("database {} was not dropped", self.name);
        }
    }
}

pub(crate) fn settings(url: &str) -> DatabaseSettings {
    DatabaseSettings {
        url: Secret::new(url),
        max_connections: 5,
        acquire_timeout_ms: 10_000,
        start_timeout_ms: 0,
    }
}

pub(crate) async fn raw(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await.unwrap()
}

async fn execute(url: &str, statement: &str) {
    let connection = raw(url).await;
    connection.execute_unprepared(statement).await.unwrap();
    connection.close().await.unwrap();
}
