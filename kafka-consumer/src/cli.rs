//! The command line.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use milena_domain::cure;
use milena_process::patiently;
use milena_settings::{Secret, Settings, Source};
use milena_storage::{StorageError, Store};
use tokio_util::sync::CancellationToken;

pub use crate::commands::arguments::{Dead, Json, LOG_FILTER, ReplayArgs, StoreCommand};
use crate::health::{Health, Waiting};
use crate::{metrics, observe};

/// Carries messages from Kafka into PostgreSQL, MySQL/MariaDB or SQLite, in batches, each exactly once.
#[derive(Debug, Parser)]
#[command(name = "kafka-consumer", version, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: Common,
}

/// What all commands take.
#[derive(Debug, Args)]
struct Common {
    /// Settings file (TOML). Without it the compiled-in defaults hold; environment variables such as
    /// MILENA__KAFKA__BROKERS win over both
    #[arg(long, global = true, env = "MILENA_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Another database than the settings name: sqlite:PATH?mode=rwc, postgres://... or mysql://... (a
    /// password is better given in the environment: MILENA__DATABASE__URL)
    #[arg(long, global = true, value_name = "URL")]
    database: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Store what comes, until Ctrl-C or SIGTERM
    ///
    /// Joins the consumer group, starts each partition at the offset that the store has of it, and stops in
    /// good order: what was read is stored, nothing is stored twice. Any number may run at once, up to one a
    /// partition.
    Run,
    #[command(flatten)]
    Other(StoreCommand),
}

/// Runs the command that was given. Answers 0; 1 when `verify` found differences; 130 when it was
/// interrupted.
///
/// # Errors
/// One sentence for the person at the terminal.
pub async fn execute(cli: Cli) -> anyhow::Result<ExitCode> {
    let mut settings = Settings::load(&Source::process(cli.common.config.as_deref()))?;
    cure::set_form(cure::Kind::Cluster, &cli.common.as_options());
    if let Some(url) = cli.common.database {
        settings.database.url = Secret::new(url);
    }
    match cli.command {
        Command::Run => {
            milena_process::start_logging(&settings.logging.filter);
            // Boxed: it holds all settings, and would take their room in each future around it.
            Box::pin(run(settings)).await.map(|()| ExitCode::SUCCESS)
        }
        Command::Other(command) => {
            milena_process::start_logging(LOG_FILTER);
            command.execute(&settings, &on_signal()?).await
        }
    }
}

impl Common {
    /// As they are given again to a command that cures something.
    fn as_options(&self) -> Vec<(&'static str, &OsStr)> {
        let config = self.config.iter().map(|file| ("--config", file.as_os_str()));
        config.chain(self.database.iter().map(|url| ("--database", cure::without_secret(url)))).collect()
    }
}

async fn run(settings: Settings) -> anyhow::Result<()> {
    let shutdown = on_signal()?;
    let health = Health::default();
    let serving = serve(&settings, &health, &shutdown)?;
    health.waiting(Waiting::Unavailable);
    let patience = Duration::from_millis(settings.database.start_timeout_ms);
    let opening =
        patiently("the database", patience, StorageError::is_temporary, |_| Store::open(&settings.database));
    let opened = tokio::select! {
        () = shutdown.cancelled() => None,
        store = opening => Some(store.context("the database cannot be opened")?),
    };
    let Some(store) = opened else { return Ok(()) };
    health.waiting(Waiting::Nothing);
    let result = crate::run_watched(settings, store.clone(), shutdown.clone(), health).await;
    shutdown.cancel();
    store.close().await;
    if let Some(serving) = serving {
        let _ = serving.await;
    }
    let summary = result?;
    log::info!(
        inserted = summary.inserted, repeats = summary.repeats, void = summary.void,
        unanswered = summary.unanswered,
        dead_letters = summary.dead_letters, transactions = summary.transactions, retries = summary.retries,
        rebalances = summary.rebalances;
        "the consumer stopped"
    );
    Ok(())
}

/// Metrics and health, when an address is set.
fn serve(
    settings: &Settings,
    health: &Health,
    shutdown: &CancellationToken,
) -> anyhow::Result<Option<tokio::task::JoinHandle<()>>> {
    let listen = &settings.consumer.listen;
    if listen.is_empty() {
        return Ok(None);
    }
    let listener = std::net::TcpListener::bind(listen)
        .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
        .with_context(|| format!("consumer.listen = \"{listen}\" cannot be listened on"))?;
    metrics::install();
    let serving =
        observe::serve(tokio::net::TcpListener::from_std(listener)?, health.clone(), shutdown.clone());
    Ok(Some(tokio::spawn(serving)))
}

/// A token that the first Ctrl-C, SIGTERM or SIGHUP cancels.
fn on_signal() -> anyhow::Result<CancellationToken> {
    let token = CancellationToken::new();
    milena_process::stop_on_signal(token.clone()).context("signals cannot be received")?;
    Ok(token)
}
