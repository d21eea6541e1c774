//! The broker on its own, for tests, benchmarks and curious people: `broker DATA_DIR [ADDRESS]
//! [always|INTERVAL_MS]`.
//!
//! Prints its address on a line of its own and runs until it is interrupted or terminated.

use std::io::Write;
use std::time::Duration;

use anyhow::Context;
use milena_broker::{BrokerConfig, SyncPolicy};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("warn")).init();
    let mut arguments = std::env::args().skip(1);
    let mut config = BrokerConfig::new(arguments.next().context("usage: broker DATA_DIR [ADDRESS] [SYNC]")?);
    if let Some(address) = arguments.next() {
        config.listen = address.parse().context("the address looks like 127.0.0.1:9092")?;
    }
    config.sync = match arguments.next().as_deref() {
        None | Some("always") => SyncPolicy::Always,
        Some(ms) => SyncPolicy::Interval(Duration::from_millis(ms.parse().context("milliseconds")?)),
    };
    let broker = milena_broker::start(config).await?;
    writeln!(std::io::stdout(), "{}", broker.address())?;
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    broker.stop().await;
    Ok(())
}
