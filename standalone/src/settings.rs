//! The settings of a program that brings its own broker and database.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context as _;
use milena_settings::{Secret, Settings, Source};

use crate::cli::Options;

/// Where this program begins otherwise than the others.
const OWN_DEFAULTS: &str = include_str!("../../config/milena.toml");

/// Reads the settings, with the command line on top.
///
/// # Errors
/// All mistakes at once.
pub(crate) fn load(options: &Options) -> anyhow::Result<Settings> {
    let source = Source { program_defaults: OWN_DEFAULTS, ..Source::process(options.config.as_deref()) };
    let mut settings = Settings::load(&source)?;
    if let Some(listen) = options.listen {
        settings.http.listen = listen;
    }
    if let Some(broker) = options.broker {
        settings.broker.listen = broker;
    }
    Ok(settings)
}

/// Points Kafka and database at the data folder.
///
/// # Errors
/// When the folder cannot be created or its path is not text.
pub(crate) fn use_data_folder(
    settings: &mut Settings,
    data: &Path,
    broker: SocketAddr,
) -> anyhow::Result<()> {
    let file = data.join("milena.db");
    let path = file.to_str().context("the data folder's path is not UTF-8")?;
    settings.database.url = Secret::new(format!("sqlite:{path}?mode=rwc"));
    settings.kafka.brokers = broker.to_string();
    settings.kafka.replication_factor = 1;
    Ok(())
}

/// Creates the data folder and gives its full path.
///
/// # Errors
/// Names the folder.
pub(crate) fn data_folder(data: &Path) -> anyhow::Result<std::path::PathBuf> {
    std::fs::create_dir_all(data)
        .with_context(|| format!("the data folder {} cannot be created", data.display()))?;
    data.canonicalize().with_context(|| format!("the data folder {} cannot be opened", data.display()))
}
