//! The command line.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use milena_domain::Timestamp;
use milena_settings::{Secret, Settings, Source};
use milena_storage::Store;
use tokio_util::sync::CancellationToken;

use crate::commands::{dead, new_epoch, replay, status, verify};
use crate::health::Health;
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
    /// Another database than the settings name: sqlite:PATH?mode=rwc, postgres://... or mysql://... (a password is better
    /// given in the environment: MILENA__DATABASE__URL)
    #[arg(long, global = true, value_name = "URL")]
    database: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Store what comes, until Ctrl-C or SIGTERM
    ///
    /// Joins the consumer group, starts each partition at the offset that the store has of it, and stops in good
    /// order: what was read is stored, nothing is stored twice. Any number may run at once, up to one a partition.
    Run,
    /// Read the log again, into this or another database
    ///
    /// Messages that are stored stay as they are; missing ones are stored. The consumer group is not touched, and
    /// consumers may go on meanwhile. Ctrl-C is safe: run it again with --from stored to go on.
    Replay(ReplayArgs),
    /// Prove that the store equals the log, or list where it does not (exit status 1)
    Verify(Json),
    /// Show log, store and group by partition: offsets and lag
    Status(Json),
    /// Look at what could not be stored, and give it another chance
    #[command(subcommand)]
    Dead(Dead),
    /// Begin to count positions anew, after the topic was recreated, restored or repartitioned
    ///
    /// Stop all backends and consumers before. In the new epoch the log is read from its beginning again; messages that
    /// are stored stay where they are, new ones come behind them. There is no way back.
    NewEpoch {
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
struct Json {
    /// One JSON object instead of text
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct ReplayArgs {
    /// Where to begin: beginning, stored (where the store ends), an offset, or a time such as 2026-01-31T12:00:00Z
    #[arg(long, default_value = "beginning", value_name = "WHERE")]
    from: replay::Start,
    /// Stop before the first record of this time; without it, at the log's end as of now
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<Timestamp>,
    /// Only these partitions, such as 0,3
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    partitions: Option<Vec<i32>>,
    /// Store nothing, only count
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    json: Json,
}

#[derive(Debug, Subcommand)]
enum Dead {
    /// One line a dead letter: where it came from and why
    List(Json),
    /// One dead letter whole: headers, key and value
    Show {
        /// Its name in `dead list`
        letter: String,
    },
    /// Send dead letters that can be read by now back to the end of the message topic
    Retry {
        /// Their names in `dead list`
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        letters: Vec<String>,
        /// All that can be read
        #[arg(long)]
        all: bool,
    },
}

fn time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "must be a time such as 2026-01-31T12:00:00Z".to_owned())
}

/// What a shell shows for a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

/// Runs the command that was given. Answers 0; 1 when `verify` found differences; 130 when `replay` was interrupted.
///
/// # Errors
/// One sentence for the person at the terminal.
pub async fn execute(cli: Cli) -> anyhow::Result<ExitCode> {
    let mut settings = Settings::load(&Source::process(cli.common.config.as_deref()))?;
    if let Some(url) = cli.common.database {
        settings.database.url = Secret::new(url);
    }
    milena_process::start_logging(log_filter(&settings, &cli.command));
    match cli.command {
        Command::Run => run(settings).await?,
        Command::Replay(args) => {
            let request = replay::Request {
                from: args.from,
                until: args.until,
                partitions: args.partitions,
                dry_run: args.dry_run,
                json: args.json.json,
            };
            let store = open(&settings).await?;
            let complete = replay::replay(&settings, &store, &request, &on_signal()?).await?;
            store.close().await;
            if !complete {
                return Ok(ExitCode::from(INTERRUPTED));
            }
        }
        Command::Verify(Json { json }) => {
            let store = open(&settings).await?;
            if !verify::verify(&settings, &store, json).await? {
                return Ok(ExitCode::FAILURE);
            }
        }
        Command::Status(Json { json }) => status::status(&settings, &open(&settings).await?, json).await?,
        Command::Dead(Dead::List(Json { json })) => dead::list(&settings, json).await?,
        Command::Dead(Dead::Show { letter }) => dead::show(&settings, &letter).await?,
        Command::Dead(Dead::Retry { letters, all }) => dead::retry(&settings, &letters, all).await?,
        Command::NewEpoch { yes } => new_epoch::new_epoch(&settings, &open(&settings).await?, yes).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Only `run` tells what it does; the others speak through their output.
fn log_filter<'a>(settings: &'a Settings, command: &Command) -> &'a str {
    if matches!(command, Command::Run) { &settings.logging.filter } else { "warn,librdkafka=off" }
}

async fn run(settings: Settings) -> anyhow::Result<()> {
    let shutdown = on_signal()?;
    let health = Health::default();
    let serving = serve(&settings, &health, &shutdown)?;
    let store = open(&settings).await?;
    let result = crate::run_watched(settings, store.clone(), shutdown.clone(), health).await;
    shutdown.cancel();
    store.close().await;
    if let Some(serving) = serving {
        let _ = serving.await;
    }
    let summary = result?;
    log::info!(
        inserted = summary.inserted, duplicates = summary.duplicates, dead_letters = summary.dead_letters,
        transactions = summary.transactions, retries = summary.retries, rebalances = summary.rebalances;
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

async fn open(settings: &Settings) -> anyhow::Result<Store> {
    let store = Store::connect(&settings.database).await.context("the database cannot be opened")?;
    store.migrate().await.context("the database cannot be brought up to date")?;
    Ok(store)
}

/// A token that the first Ctrl-C or SIGTERM cancels.
fn on_signal() -> anyhow::Result<CancellationToken> {
    let token = CancellationToken::new();
    milena_process::stop_on_signal(token.clone()).context("signals cannot be received")?;
    Ok(token)
}
