//! The store's side: the three databases, emptied, loaded by their own clients and counted.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::ValueEnum;
use milena_domain::{MessageEvent, Position};
use milena_settings::{DatabaseSettings, Secret, Settings};
use tokio::process::Command;

/// Rows of one statement for SQLite, whose own program reads SQL.
const SQL_ROWS: u64 = 500;
const COLUMNS: &str = "conversation_id, position, id, sender_id, recipient_id, client_id, sent_at_ms, body";

/// Which database takes the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum StoreKind {
    /// Against `COPY`.
    Postgres,
    /// Against `LOAD DATA LOCAL INFILE`.
    Mariadb,
    /// Against the program `sqlite3`: inserts of 500 rows in one transaction.
    Sqlite,
}

impl StoreKind {
    /// As it stands in the report.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Mariadb => "mariadb",
            Self::Sqlite => "sqlite",
        }
    }
}

/// An empty, migrated database.
pub(super) struct Database {
    kind: StoreKind,
    url: String,
}

impl Database {
    /// For SQLite a new file in `folder`.
    pub(super) fn new(kind: StoreKind, url: Option<&str>, folder: &Path) -> anyhow::Result<Self> {
        let url = match kind {
            StoreKind::Sqlite => format!("sqlite:{}?mode=rwc", folder.join("store.db").display()),
            _ => url
                .context("the database's address is missing; scripts/bench starts one and passes it")?
                .to_owned(),
        };
        Ok(Self { kind, url })
    }

    /// An empty one with this name on the same server; for SQLite a file beside it.
    pub(super) async fn beside(&self, name: &str) -> anyhow::Result<Self> {
        let name = name.replace('-', "_");
        let url = if self.kind == StoreKind::Sqlite {
            format!("sqlite:{}?mode=rwc", self.file().with_file_name(name).display())
        } else {
            self.ask(&format!("CREATE DATABASE {name}")).await?;
            let (server, _) = self.url.rsplit_once('/').context("the address names no database")?;
            format!("{server}/{name}")
        };
        Ok(Self { kind: self.kind, url })
    }

    /// Leaves nothing of one that was made [beside](Self::beside) this.
    pub(super) async fn remove(&self, other: Self) -> anyhow::Result<()> {
        match other.url.rsplit_once('/') {
            Some((_, name)) if self.kind != StoreKind::Sqlite => {
                self.ask(&format!("DROP DATABASE {name}")).await?;
            }
            _ => std::fs::remove_file(other.file())?,
        }
        Ok(())
    }

    pub(super) fn settings(&self) -> DatabaseSettings {
        DatabaseSettings { url: Secret::new(self.url.clone()), ..Settings::defaults().database }
    }

    /// A row in the form that the database's client loads. The texts of a bench have no character to be
    /// escaped.
    pub(super) fn write_row(
        &self,
        out: &mut impl Write,
        number: u64,
        event: &MessageEvent,
        position: Position,
    ) -> std::io::Result<()> {
        let [conversation, id, sender, to] =
            [event.conversation.as_uuid(), event.id.as_uuid(), event.sender.as_uuid(), event.to.as_uuid()]
                .map(uuid::Uuid::simple);
        let (position, sent_at) = (position.as_i64(), event.sent_at.unix_ms());
        let (client_id, body) = (event.client_id.as_str(), event.body.as_str());
        if self.kind != StoreKind::Sqlite {
            return writeln!(
                out,
                "{conversation}\t{position}\t{id}\t{sender}\t{to}\t{client_id}\t{sent_at}\t{body}"
            );
        }
        let insert = format!("INSERT INTO messages ({COLUMNS}) VALUES\n ");
        match number {
            0 => write!(out, "PRAGMA synchronous=FULL; BEGIN; {insert}")?,
            _ if number.is_multiple_of(SQL_ROWS) => write!(out, ";\n{insert}")?,
            _ => write!(out, ",\n ")?,
        }
        write!(
            out,
            "(x'{conversation}',{position},x'{id}',x'{sender}',x'{to}','{client_id}',{sent_at},'{body}')"
        )
    }

    pub(super) fn write_end(&self, out: &mut impl Write, count: u64) -> std::io::Result<()> {
        if self.kind == StoreKind::Sqlite && count > 0 { writeln!(out, ";\nCOMMIT;") } else { Ok(()) }
    }

    /// Leaves nothing in the tables, and nothing to be written behind the next measurement's back.
    pub(super) async fn clear(&self) -> anyhow::Result<()> {
        let tables = ["messages", "conversation_lists", "members", "conversations", "consumer_offsets"];
        let sql = match self.kind {
            StoreKind::Postgres => format!("TRUNCATE {}; CHECKPOINT", tables.join(", ")),
            StoreKind::Mariadb => tables.map(|table| format!("TRUNCATE {table};")).concat(),
            StoreKind::Sqlite => {
                tables.map(|table| format!("DELETE FROM {table};")).concat()
                    + "VACUUM; PRAGMA wal_checkpoint(TRUNCATE)"
            }
        };
        // psql runs several statements of one -c as one transaction, and a checkpoint is refused in one.
        for statement in sql.split(';').filter(|statement| !statement.trim().is_empty()) {
            self.ask(statement).await?;
        }
        Ok(())
    }

    pub(super) async fn count(&self) -> anyhow::Result<u64> {
        let answer = self.ask("SELECT COUNT(*) FROM messages").await?;
        answer.trim().parse().with_context(|| format!("'{answer}' is no count"))
    }

    /// Loads `file` with the database's own client and means.
    pub(super) async fn load(&self, file: &Path) -> anyhow::Result<Duration> {
        let path = file.display();
        let begun = Instant::now();
        match self.kind {
            StoreKind::Postgres => self.ask(&format!("\\copy messages ({COLUMNS}) FROM '{path}'")).await?,
            StoreKind::Mariadb => {
                self.ask(&format!(
                    "LOAD DATA LOCAL INFILE '{path}' INTO TABLE messages CHARACTER SET utf8mb4 \
                     (@c, position, @i, @s, @r, client_id, sent_at_ms, body) \
                     SET conversation_id = UNHEX(@c), id = UNHEX(@i), \
                     sender_id = UNHEX(@s), recipient_id = UNHEX(@r)"
                ))
                .await?
            }
            StoreKind::Sqlite => self.ask(&format!(".read {path}")).await?,
        };
        Ok(begun.elapsed())
    }

    async fn ask(&self, what: &str) -> anyhow::Result<String> {
        let mut command = match self.kind {
            StoreKind::Postgres => {
                let mut command = Command::new("psql");
                command.args(["-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d", &self.url, "-c", what]);
                command
            }
            StoreKind::Mariadb => self.mariadb(what)?,
            StoreKind::Sqlite => {
                let mut command = Command::new("sqlite3");
                command.args(["-batch", "-bail"]).arg(self.file()).arg(what);
                command
            }
        };
        let output =
            command.kill_on_drop(true).output().await.context("the database's own client is missing")?;
        if !output.status.success() {
            bail!("the database's client failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn mariadb(&self, what: &str) -> anyhow::Result<Command> {
        let parts = || {
            let (login, place) = self.url.strip_prefix("mysql://")?.split_once('@')?;
            let ((user, password), (address, name)) = (login.split_once(':')?, place.split_once('/')?);
            let (host, port) = address.split_once(':')?;
            Some([user, password, host, port, name])
        };
        let [user, password, host, port, name] =
            parts().context("the address must be mysql://user:password@host:port/name")?;
        let mut command = Command::new("mariadb");
        command.env("MYSQL_PWD", password).args([
            "--no-defaults",
            "--protocol=tcp",
            "--local-infile=1",
            "-N",
            "-B",
        ]);
        command.args([
            "--default-character-set=utf8mb4",
            "-h",
            host,
            "-P",
            port,
            "-u",
            user,
            name,
            "-e",
            what,
        ]);
        Ok(command)
    }

    fn file(&self) -> PathBuf {
        let path = self.url.trim_start_matches("sqlite:");
        PathBuf::from(path.split_once('?').map_or(path, |(path, _)| path))
    }
}
