//! `serve-broker`: the embedded log alone in a process, to be measured from another.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use milena_broker::{BrokerConfig, SyncPolicy};

/// What the bench says.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Where the log is.
    folder: PathBuf,
    /// Sync at this interval, in milliseconds; without it always before the confirmation.
    #[arg(long)]
    sync_ms: Option<u64>,
}

/// Prints the address on a line, and serves until standard input is closed.
///
/// # Errors
/// When the log does not start.
pub fn run(options: Options) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut config = BrokerConfig::new(options.folder);
    if let Some(interval_ms) = options.sync_ms {
        config.sync = SyncPolicy::Interval(Duration::from_millis(interval_ms));
    }
    let broker = runtime.block_on(milena_broker::start(config))?;
    writeln!(std::io::stdout(), "{}", broker.address())?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    runtime.block_on(broker.stop());
    Ok(())
}
