//! Where the embedded log listens: started here, written down in the data folder for other programs to find.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use milena_broker::{Broker, BrokerConfig, BrokerError, FolderLock, SyncPolicy};
use milena_settings::{BrokerAuthentication, BrokerSettings, Settings, SyncMode};
use tokio::runtime::Handle;

use crate::cli::Options;
use crate::{access, folder, settings};

/// Starts the broker on `data`, its tasks on `runtime`. When the default port is taken, any free one does,
/// because few people look for it.
///
/// # Errors
/// A sentence that names the folder or the address.
pub(crate) async fn start_broker(
    settings: &BrokerSettings,
    data: &Path,
    chosen: bool,
    runtime: &Handle,
) -> Result<Broker, BrokerError> {
    let credentials = access::credentials(data)?;
    let config = |listen: SocketAddr| {
        let mut config = BrokerConfig::new(data.join("log"));
        config.listen = listen;
        config.credentials = Some(credentials.clone());
        config.require_authentication = settings.authentication == BrokerAuthentication::Scram;
        config.sync = match settings.sync {
            SyncMode::Always => SyncPolicy::Always,
            SyncMode::Interval(interval) => SyncPolicy::Interval(interval),
        };
        config
    };
    let start = async |listen| {
        let starting = runtime.spawn(milena_broker::start(config(listen)));
        starting.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
    };
    match start(settings.listen).await {
        Err(BrokerError::Listen { address, source })
            if source.kind() == std::io::ErrorKind::AddrInUse && !chosen =>
        {
            log::info!(address:% = address; "the log's usual port is taken; using another one");
            start(SocketAddr::new(address.ip(), 0)).await
        }
        outcome => outcome,
    }
}

/// Points `settings` at the data folder: at the log of the program that runs on it, or at one that is started
/// here and is the caller's to stop.
///
/// # Errors
/// When the folder cannot be used.
pub(crate) async fn open_log(
    options: &Options,
    settings: &mut Settings,
    data: &Path,
    runtime: &Handle,
) -> anyhow::Result<Option<(Broker, FolderLock)>> {
    match start_broker(&settings.broker, data, options.broker.is_some(), runtime).await {
        Ok(broker) => {
            let database = folder::lock_database(data)?;
            settings::use_data_folder(settings, data, broker.address())?;
            write_down(data, broker.address())?;
            Ok(Some((broker, database)))
        }
        Err(BrokerError::InUse { .. }) => {
            let running = look_up(data).context("the data folder is in use, but not by milena")?;
            settings::use_data_folder(settings, data, running)?;
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

fn file(data: &Path) -> PathBuf {
    data.join("log.address")
}

/// Writes the address down.
///
/// # Errors
/// When the folder cannot be written.
pub(crate) fn write_down(data: &Path, address: SocketAddr) -> anyhow::Result<()> {
    let file = file(data);
    std::fs::write(&file, format!("{address}\n"))
        .with_context(|| format!("{} cannot be written", file.display()))
}

/// The address that the program which now owns the folder wrote down.
///
/// # Errors
/// When there is none.
pub(crate) fn look_up(data: &Path) -> anyhow::Result<SocketAddr> {
    let file = file(data);
    let text =
        std::fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    text.trim().parse().with_context(|| format!("{} does not hold an address", file.display()))
}
