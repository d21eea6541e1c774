//! `milena` without a command: start everything, say where, stop in an order that loses nothing.

use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use milena_backend::App;
use milena_broker::Broker;
use milena_process::{answer, raise_open_files, say, start_logging, stop_on_signal};
use milena_settings::Settings;
use milena_storage::Store;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::cli::{LogAccessForm, Options};
use crate::{access, address, command, folder, settings};

/// Runs until a signal, with the tasks of the embedded log on `log`.
///
/// # Errors
/// One sentence for each thing that can be wrong: settings, folder in use, address taken, log and store that
/// do not belong together.
pub(crate) async fn run(options: &Options, log: &Handle) -> anyhow::Result<()> {
    let mut settings = settings::load(options)?;
    start_logging(&settings.logging.filter);
    let stop = CancellationToken::new();
    stop_on_signal(stop.clone()).context("signals cannot be received")?;

    let data = settings::data_folder(&options.data)?;
    let broker = address::start_broker(&settings.broker, &data, options.broker.is_some(), log).await?;
    let _database = folder::lock_database(&data)?;
    // Not before the folder is ours: who starts a second one is told that in one line.
    raise_open_files(settings.http.max_connections as u64);
    settings::use_data_folder(&mut settings, &data, broker.address())?;
    address::write_down(&data, broker.address())?;
    let store = open_store(&settings).await?;

    let outcome = serve(&settings, &store, &data, &broker, stop).await;
    broker.stop().await;
    store.close().await;
    outcome
}

/// Opens the database of the settings and brings its tables up to date.
///
/// # Errors
/// When it cannot be opened.
pub(crate) async fn open_store(settings: &Settings) -> anyhow::Result<Store> {
    Store::open(&settings.database).await.context("the database cannot be opened")
}

async fn serve(
    settings: &Settings,
    store: &Store,
    data: &Path,
    broker: &Broker,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let app = App::start_on(settings.clone(), store.clone(), vec![data.join("log")], stop.clone()).await?;
    milena_kafka_consumer::describe_metrics();
    announce(app.address(), data, broker.address());
    // The consumer stops after the backend, so that what was accepted last is stored too.
    let consumer_stop = CancellationToken::new();
    let consumer = spawn_consumer(settings, store, consumer_stop.clone(), stop.clone());
    let served = app.run().await.context("the server failed");
    consumer_stop.cancel();
    let consumed = consumer.await.context("the consumer failed")?;
    served?;
    consumed?;
    log::info!("stopped");
    Ok(())
}

/// Starts the consumer as a task. When it ends by itself, the program stops: messages would no longer be
/// stored.
pub(crate) fn spawn_consumer(
    settings: &Settings,
    store: &Store,
    consumer_stop: CancellationToken,
    program_stop: CancellationToken,
) -> JoinHandle<anyhow::Result<()>> {
    let (settings, store) = (settings.clone(), store.clone());
    tokio::spawn(async move {
        // Also when it panics.
        let _stop = program_stop.drop_guard();
        let outcome = milena_kafka_consumer::run(settings, store, consumer_stop).await;
        outcome.map(drop).context("the consumer stopped")
    })
}

/// What tools need to use the log of the folder, whether a program runs on it or not.
///
/// # Errors
/// When settings, folder or secret cannot be read.
pub(crate) fn print_log_access(options: &Options, form: LogAccessForm) -> anyhow::Result<ExitCode> {
    let settings = settings::load(options)?;
    let data = command::present_folder(options)?;
    let log = address::look_up(&data).unwrap_or(settings.broker.listen);
    answer(access::describe(form, log, &access::credentials(&data)?).trim_end());
    Ok(ExitCode::SUCCESS)
}

/// What a newcomer needs to know, on standard output.
fn announce(http: SocketAddr, data: &Path, broker: SocketAddr) {
    say(format!("Milena is ready: http://{http}"));
    say(format!("  data  {}", data.display()));
    say(format!("  log   {broker} (Kafka protocol, for tools on this machine; see milena log-access)"));
    say("  stop  Ctrl-C");
}
