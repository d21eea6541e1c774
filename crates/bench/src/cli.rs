//! The command line: a subcommand a bench.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::{Parser, Subcommand};
use tokio_util::sync::CancellationToken;

use crate::broker;
use crate::gateway;
use crate::measure::process::Usage;
use crate::measure::report::Report;
use crate::sink;
use crate::yardstick;

/// Measures Milena. `scripts/bench` starts the servers that a bench needs.
#[derive(Debug, Parser)]
#[command(name = "milena-bench", version)]
pub struct Cli {
    /// Also write the JSON of the last line to this file.
    #[arg(long, global = true, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

/// The benches, and what they start in processes of their own.
#[derive(Debug, Subcommand)]
enum Command {
    #[command(flatten)]
    Bench(Bench),
    /// The embedded log alone, for the process that measures it.
    #[command(hide = true)]
    ServeBroker(broker::serve::Options),
}

/// The benches.
#[derive(Debug, Subcommand)]
enum Bench {
    /// What this machine lets a bench do: file descriptors, and this program's own memory.
    Machine,
    /// How fast the consumer catches up, beside the database's own bulk load and reading alone.
    Sink(sink::Options),
    /// Accepted → stored at a constant rate, and transactions a second.
    SinkSteady(sink::SteadyOptions),
    /// The embedded log beside Apache Kafka: confirmations, throughput, start, idle cost, memory.
    Broker(broker::Options),
    /// Send → accepted and send → delivered at a constant rate, beside librdkafka alone.
    Latency(gateway::latency::Options),
    /// The highest rate that holds with p99 below a limit, beside librdkafka alone.
    Throughput(gateway::throughput::Options),
    /// Deliveries to one person's many sockets, beside a bare loop of writes.
    Fanout(gateway::fanout::Options),
    /// Messages to rooms, small and large, beside a bare loop of writes and beside direct messages.
    Rooms(gateway::rooms::Options),
    /// People in rooms who watch each other, go, come and type; and all connections break at once.
    Presence(gateway::presence::Options),
    /// Memory and CPU time of connections that do nothing.
    Idle(gateway::idle::Options),
    /// All clients come back at once, each some messages behind.
    Storm(gateway::storm::Options),
    /// Some clients stop reading; what the others notice.
    Slow(gateway::slow::Options),
    /// Holds idle connections, for `idle`.
    #[command(name = gateway::idle::HOLD, hide = true)]
    Hold { gateway: SocketAddr, source: Ipv4Addr },
    /// Writes to sockets in a bare loop, for `fanout`.
    #[command(name = yardstick::fanout::COMMAND, hide = true)]
    BareFanout { sockets: usize },
}

impl Bench {
    /// `None` for the processes that only help a bench.
    async fn run(&self) -> anyhow::Result<Option<Report>> {
        let report = match self {
            Self::Machine => machine(),
            Self::Sink(options) => sink::run(options).await,
            Self::SinkSteady(options) => sink::run_steady(options).await,
            Self::Latency(options) => gateway::latency::run(options).await,
            Self::Throughput(options) => gateway::throughput::run(options).await,
            Self::Fanout(options) => gateway::fanout::run(options).await,
            Self::Rooms(options) => gateway::rooms::run(options).await,
            Self::Presence(options) => gateway::presence::run(options).await,
            Self::Idle(options) => gateway::idle::run(options).await,
            Self::Storm(options) => gateway::storm::run(options).await,
            Self::Slow(options) => gateway::slow::run(options).await,
            Self::Hold { gateway, source } => {
                return gateway::idle::hold(*gateway, *source).await.map(|()| None);
            }
            Self::BareFanout { sockets } => return yardstick::fanout::run(*sockets).map(|()| None),
            Self::Broker(options) => {
                let options = options.clone();
                tokio::task::spawn_blocking(move || broker::run(&options)).await?
            }
        };
        report.map(Some)
    }
}

impl Cli {
    /// Runs the chosen bench and prints its last line.
    ///
    /// # Errors
    /// One sentence for whatever stopped it.
    pub fn run(self) -> anyhow::Result<()> {
        let bench = match self.command {
            Command::Bench(bench) => bench,
            Command::ServeBroker(options) => return broker::serve::run(options),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let report = runtime.block_on(async {
            let stop = CancellationToken::new();
            milena_process::stop_on_signal(stop.clone()).context("signals cannot be received")?;
            // A bench that is dropped kills the programs that it started.
            tokio::select! {
                report = bench.run() => report,
                () = stop.cancelled() => bail!("interrupted"),
            }
        });
        // A bench that blocks a thread is not waited for.
        runtime.shutdown_background();
        report?.map_or(Ok(()), |report| report.print(self.out.as_deref()))
    }
}

fn machine() -> anyhow::Result<Report> {
    let (_, hard) = rlimit::Resource::NOFILE.get()?;
    let usage = Usage::of(std::process::id())?;
    Ok(Report::new("machine", "none")
        .figure("cores", std::thread::available_parallelism()?.get())
        .figure("open_files_hard_limit", hard)
        .figure("rss_mb", usage.rss_kib as f64 / 1024.0))
}
