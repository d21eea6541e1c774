//! `backend`: REST, WebSocket and the browser client, on Kafka and a database of their own.
//!
//! Exit status: 0 after an orderly stop, 1 when something it needs is not there or fails, 2 when the command
//! line or the settings are wrong.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use milena_backend::App;
use milena_domain::cure;
use milena_process::patiently;
use milena_settings::{Settings, Source};
use milena_storage::{StorageError, Store};
use tokio_util::sync::CancellationToken;

const WRONG_SETTINGS: u8 = 2;

/// Serves REST, WebSocket and the browser client.
#[derive(Debug, Parser)]
#[command(
    name = "backend",
    version,
    after_help = "Settings also come from the environment: MILENA__SECTION__KEY, for example \
                  MILENA__HTTP__LISTEN=0.0.0.0:8080.\nExit status: 0 after an orderly stop, 1 when it cannot \
                  start or go on, 2 when the command line or the settings are wrong."
)]
struct Cli {
    /// Settings file (TOML); see config/default.toml for what can be set.
    #[arg(long, value_name = "FILE", env = "MILENA_CONFIG")]
    config: Option<PathBuf>,
    /// Check the settings and end.
    #[arg(long)]
    check_config: bool,
}

fn main() -> ExitCode {
    milena_process::create_private_files();
    let cli = Cli::parse();
    let config = cli.config.iter().map(|file| ("--config", file.as_os_str()));
    cure::set_form(cure::Kind::Cluster, &config.collect::<Vec<_>>());
    let settings = match Settings::load(&Source::process(cli.config.as_deref())) {
        Ok(settings) => settings,
        Err(mistakes) => {
            return ended(&format!("backend: {mistakes}"), ExitCode::from(WRONG_SETTINGS));
        }
    };
    if cli.check_config {
        return ended("backend: the settings are valid", ExitCode::SUCCESS);
    }
    milena_process::start_logging(&settings.logging.filter);
    milena_process::raise_open_files(settings.http.max_connections as u64);
    match run(settings) {
        Ok(()) => {
            milena_process::settle();
            ExitCode::SUCCESS
        }
        Err(error) => {
            let sentence = format!("backend: {}", milena_process::sentence(error.as_ref()));
            ended(&sentence, ExitCode::FAILURE)
        }
    }
}

/// The last words, and the status that goes with them.
fn ended(words: &str, code: ExitCode) -> ExitCode {
    milena_process::complain(words);
    milena_process::settle();
    code
}

#[tokio::main]
async fn run(settings: Settings) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    milena_process::stop_on_signal(stop.clone()).context("signals cannot be received")?;
    let patience = Duration::from_millis(settings.database.start_timeout_ms);
    let opening =
        patiently("the database", patience, StorageError::is_temporary, |_| Store::open(&settings.database));
    let opened = tokio::select! {
        () = stop.cancelled() => None,
        store = opening => Some(store.context("the database cannot be opened (database.url)")?),
    };
    let Some(store) = opened else { return Ok(()) };
    // Kafka may come up later than this program: a signal ends the wait.
    let started = tokio::select! {
        () = stop.cancelled() => None,
        app = Box::pin(App::start(settings, store.clone(), stop.clone())) => Some(app?),
    };
    let Some(app) = started else {
        store.close().await;
        return Ok(());
    };
    let outcome = app.run().await;
    store.close().await;
    Ok(outcome?)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
