//! The commands besides `run`, as a person gives them, and where each is carried out. `milena` has them too,
//! on its own log and store.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use milena_domain::Timestamp;
use milena_settings::Settings;
use milena_storage::Store;
use tokio_util::sync::CancellationToken;

use super::{dead, new_epoch, replay, rewrite, status, verify};

/// What a shell shows for a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

/// How much of the log these commands show: they speak through their output.
pub const LOG_FILTER: &str = "warn,librdkafka=off";

/// Looks at log and store, or mends them.
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Read the log again, into this or another database
    ///
    /// Messages that are stored stay as they are; missing ones are stored. The consumer group is not touched,
    /// and consumers may go on meanwhile. Ctrl-C is safe: run it again with --from stored to go on.
    Replay(ReplayArgs),
    /// Prove that the store equals the log, or list where it does not (exit status 1)
    Verify(Json),
    /// Show log, store and group by partition: offsets and lag
    Status(Json),
    /// Look at what could not be stored, and give it another chance
    #[command(subcommand)]
    Dead(Dead),
    /// Begin to count positions anew, after the topic was recreated, restored or repartitioned, or its end
    /// was lost
    ///
    /// Stop all backends and consumers before. In the new epoch the log is read from its beginning again;
    /// messages that are stored stay where they are, new ones come behind them. There is no way back.
    NewEpoch {
        /// Do not ask
        #[arg(long)]
        yes: bool,
        /// Instead, write the log anew without the words of deleted messages, each record at its place: no
        /// epoch begins then. Cut off, the same command goes on
        #[arg(long)]
        without_deleted: bool,
    },
}

/// How to answer.
#[derive(Debug, Args)]
pub struct Json {
    /// One JSON object instead of text
    #[arg(long)]
    json: bool,
}

/// What to replay.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// Where to begin: beginning, stored (where the store ends), an offset, or a time such as
    /// 2026-01-31T12:00:00Z
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

/// Dead letters.
#[derive(Debug, Subcommand)]
pub enum Dead {
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

impl StoreCommand {
    /// Carries it out on the log and the database of `settings`. Answers 0; 1 when `verify` found
    /// differences; 130 when `stop` was cancelled before the end.
    ///
    /// # Errors
    /// One sentence for the person at the terminal.
    pub async fn execute(&self, settings: &Settings, stop: &CancellationToken) -> anyhow::Result<ExitCode> {
        // A replay ends by itself, in good order; of the others nothing is half done.
        let interrupted = async {
            match self {
                Self::Replay(_) => std::future::pending().await,
                _ => stop.cancelled().await,
            }
        };
        tokio::select! {
            finished = self.carry_out(settings, stop) => finished,
            () = interrupted => Ok(ExitCode::from(INTERRUPTED)),
        }
    }

    async fn carry_out(&self, settings: &Settings, stop: &CancellationToken) -> anyhow::Result<ExitCode> {
        match self {
            Self::Replay(args) => {
                if !args.execute(settings, stop).await? {
                    return Ok(ExitCode::from(INTERRUPTED));
                }
            }
            Self::Verify(Json { json }) => {
                let store = super::open(settings).await?;
                if !verify::verify(settings, &store, *json).await? {
                    return Ok(ExitCode::FAILURE);
                }
            }
            Self::Status(Json { json }) => {
                status::status(settings, &super::open(settings).await?, *json).await?;
            }
            Self::Dead(Dead::List(Json { json })) => dead::list(settings, *json).await?,
            Self::Dead(Dead::Show { letter }) => dead::show(settings, letter).await?,
            Self::Dead(Dead::Retry { letters, all }) => {
                dead::retry(settings, &super::open(settings).await?, letters, *all).await?;
            }
            Self::NewEpoch { yes, without_deleted } => {
                let store = super::open(settings).await?;
                if *without_deleted {
                    // Boxed: it is large, and the future of every command keeps it.
                    Box::pin(rewrite::rewrite(settings, &store, *yes)).await?;
                } else {
                    new_epoch::new_epoch(settings, &store, *yes).await?;
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl ReplayArgs {
    /// Answers whether it came to its end.
    async fn execute(&self, settings: &Settings, stop: &CancellationToken) -> anyhow::Result<bool> {
        let request = replay::Request {
            from: self.from,
            until: self.until,
            partitions: self.partitions.clone(),
            dry_run: self.dry_run,
            json: self.json.json,
        };
        let store: Store = super::open(settings).await?;
        let complete = replay::replay(settings, &store, &request, stop).await?;
        store.close().await;
        Ok(complete)
    }
}
