//! `status`, `verify`, `replay`, `dead` and `new-epoch` on the data folder: the consumer's own commands, on
//! the log of the `milena` that runs there, or on the embedded log started for the command.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use milena_kafka_consumer::cli::{LOG_FILTER, StoreCommand};
use milena_process::{start_logging, stop_on_signal};
use milena_settings::Secret;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::cli::Options;
use crate::{address, settings};

/// Carries out the command.
///
/// # Errors
/// When there is no data folder, when log or database cannot be opened, and what the command itself says.
pub(crate) async fn run(options: &Options, log: &Handle, command: &StoreCommand) -> anyhow::Result<ExitCode> {
    let mut settings = settings::load(options)?;
    start_logging(LOG_FILTER);
    let stop = CancellationToken::new();
    stop_on_signal(stop.clone()).context("signals cannot be received")?;
    let data = present_folder(options)?;
    let broker = address::open_log(options, &mut settings, &data, log).await?;
    if let Some(url) = &options.database {
        settings.database.url = Secret::new(url);
    }
    let outcome = command.execute(&settings, &stop).await;
    if let Some((broker, _database)) = broker {
        broker.stop().await;
    }
    outcome
}

/// The data folder, when there is one. What only looks must not create what it looks at: a misspelt folder
/// would seem to be an empty one.
pub(crate) fn present_folder(options: &Options) -> anyhow::Result<PathBuf> {
    if !["log", "milena.db"].iter().any(|part| options.data.join(part).exists()) {
        bail!("{} is no data folder of milena (--data names another one)", options.data.display());
    }
    settings::data_folder(&options.data)
}
