//! The command line.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use milena_settings::{Settings, Source};
use milena_storage::Store;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

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
    /// Settings file (TOML). Without it the compiled-in defaults hold; environment variables MILENA__SECTION__KEY win
    /// over both.
    #[arg(long, global = true, env = "MILENA_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Store what comes, until Ctrl-C or SIGTERM.
    ///
    /// Joins the consumer group, starts each partition at the offset that the store has of it, and stops in good
    /// order: what was read is stored, nothing is stored twice. Any number may run at once, up to one a partition.
    Run,
}

/// Runs the command that was given.
///
/// # Errors
/// One sentence for the person at the terminal.
pub async fn execute(cli: Cli) -> anyhow::Result<()> {
    let settings = Settings::load(&Source::process(cli.common.config.as_deref()))?;
    env_logger::Builder::new()
        .parse_filters(&std::env::var("RUST_LOG").unwrap_or_else(|_| settings.logging.filter.clone()))
        .format_timestamp_millis()
        .init();
    match cli.command {
        Command::Run => run(settings).await,
    }
}

async fn run(settings: Settings) -> anyhow::Result<()> {
    let shutdown = on_signal()?;
    let store = open(&settings).await?;
    let summary = crate::run(settings, store.clone(), shutdown).await?;
    let _ = store.close().await;
    log::info!(
        inserted = summary.inserted, duplicates = summary.duplicates, dead_letters = summary.dead_letters,
        transactions = summary.transactions, retries = summary.retries, rebalances = summary.rebalances;
        "the consumer stopped"
    );
    Ok(())
}

async fn open(settings: &Settings) -> anyhow::Result<Store> {
    let store = Store::connect(&settings.database).await.context("the database cannot be opened")?;
    store.migrate().await.context("the database cannot be brought up to date")?;
    Ok(store)
}

/// A token that the first Ctrl-C or SIGTERM cancels. The second ends the process at once, as the default would.
fn on_signal() -> anyhow::Result<CancellationToken> {
    let token = CancellationToken::new();
    let mut interrupt = signal(SignalKind::interrupt()).context("signals cannot be received")?;
    let mut terminate = signal(SignalKind::terminate()).context("signals cannot be received")?;
    let cancelled = token.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        log::info!("stopping: what was read is being stored");
        cancelled.cancel();
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        log::warn!("stopped at once, on the second signal");
        std::process::exit(130);
    });
    Ok(token)
}
