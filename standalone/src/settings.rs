//! The settings of a program that brings its own broker and database.

use std::net::SocketAddr;
use std::path::Path;

use milena_settings::{Secret, Settings, Source};

use crate::cli::Options;
use crate::{access, folder};

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
/// When its path is not text, or its secret cannot be read.
pub(crate) fn use_data_folder(
    settings: &mut Settings,
    data: &Path,
    broker: SocketAddr,
) -> anyhow::Result<()> {
    settings.database.url = Secret::new(folder::database_url(data)?);
    settings.kafka.brokers = broker.to_string();
    settings.kafka.replication_factor = 1;
    access::use_credentials(settings, &access::credentials(data)?);
    Ok(())
}

/// Creates the data folder, for its owner only, and gives its full path.
///
/// # Errors
/// Names the folder.
pub(crate) fn data_folder(data: &Path) -> anyhow::Result<std::path::PathBuf> {
    folder::open(data)
}
