//! `slow`: some clients stop reading under load; p99 of all others, and the backend's memory, beside the same
//! load with everybody reading.
//!
//! A slow client must fill its buffers to be noticed: those who stop are sent long messages by writers of
//! their own, in both runs. Only the messages among the others are measured. What a run leaves in the log,
//! the store and memory slows the next one down a little, whoever reads: so there are four, without, with,
//! with and without, and each kind counts as one.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::Args;
use tokio_util::sync::CancellationToken;

use crate::client::{Counts, Crowd, Order, Origin, Route};
use crate::measure::latency::Latencies;
use crate::measure::process::{Meter, Usage, Watched};
use crate::measure::report::Report;
use crate::world::{Metrics, Person, Place, World, raise_open_files, sign_up};

/// What the bench can be told.
#[derive(Debug, Args)]
pub struct Options {
    #[command(flatten)]
    place: Place,
    /// Connected people.
    #[arg(long, default_value_t = 2_000)]
    connections: usize,
    /// How many of a hundred stop reading.
    #[arg(long, default_value_t = 1.0)]
    slow_percent: f64,
    /// Length of each of the four runs.
    #[arg(long, default_value_t = 30.0)]
    seconds: f64,
    /// Messages a second among those who read, all together.
    #[arg(long, default_value_t = 500.0)]
    rate: f64,
    /// Messages a second to each who stops.
    #[arg(long, default_value_t = 20.0)]
    slow_rate: f64,
    /// Characters of a message to somebody who stops.
    #[arg(long, default_value_t = 8_000)]
    slow_body_bytes: usize,
}

const BODY_BYTES: usize = 100;
/// Clients that stop have as little room in the kernel as it gives.
const SMALL: Origin = Origin { address: None, receive_buffer_bytes: Some(4_096), without_prefix: false };
const WARM_UP_S: f64 = 5.0;
const SETTLE: Duration = Duration::from_secs(10);
const SAMPLE_EVERY: Duration = Duration::from_millis(100);
/// Whether somebody stops reading.
const RUNS: [bool; 4] = [false, true, true, false];

/// Runs it.
///
/// # Errors
/// When something is not there, or one of the others lost a message or the connection.
pub async fn run(options: &Options) -> anyhow::Result<Report> {
    let slow = ((options.connections as f64 * options.slow_percent / 100.0).round() as usize).max(1);
    ensure!(options.connections >= slow + 2, "at least 2 who read");
    raise_open_files(options.connections + slow)?;
    let world = World::start(&options.place, 1, "").await?;
    let gateway = world.gateways[0];
    let mut others = sign_up(&world.databases[0], options.connections + slow).await?;
    let writers = others.split_off(options.connections);
    let stoppers = others.split_off(options.connections - slow);
    let mut bench = Bench {
        options,
        gateway: world.gateway_processes()[0].clone(),
        others: Arc::new(Crowd::connect(gateway, others, |_| Origin::default()).await?),
        writers: Arc::new(Crowd::connect(gateway, writers, |_| Origin::default()).await?),
        stoppers,
        sent: 0,
    };
    bench.load(WARM_UP_S).await?;
    let meter = Meter::start(&world.watched())?;
    let (mut without, mut with, mut growth_kib) = (Latencies::default(), Latencies::default(), 0);
    for stop in RUNS {
        let readers = Crowd::connect(gateway, bench.stoppers.clone(), |_| SMALL).await?;
        let before = Usage::of(bench.gateway.pid)?.rss_kib;
        if stop {
            (0..slow).for_each(|client| readers.order(client, Order::StopReading));
        }
        let (counts, peak) = bench.load(options.seconds).await?;
        if stop {
            with.add(&counts.delivered);
            growth_kib = growth_kib.max(peak.saturating_sub(before));
        } else {
            without.add(&counts.delivered);
        }
    }
    let spans = meter.read()?;
    let metrics = Metrics::read(gateway).await?;
    let ended = |reason: &str| metrics.sum("milena_socket_ends_total", &format!("reason=\"{reason}\""));
    let cut_off = ended("slow") + ended("stuck");
    eprintln!("without, delivered: {}", without.line());
    eprintln!("with,    delivered: {}", with.line());
    let (p99, p99_without) = (with.percentile_ms(99.0), without.percentile_ms(99.0));
    Ok(Report::new("slow", world.kind().as_str())
        .figure("connections", options.connections)
        .figure("slow", slow)
        .figure("stopped", slow * RUNS.iter().filter(|stop| **stop).count())
        .figure("cut_off", cut_off)
        .figure("p99_ms", p99)
        .figure("p99_without_ms", p99_without)
        .figure("p99_ratio", p99 / p99_without)
        .figure("rss_growth_mb", growth_kib as f64 / 1024.0)
        .processes(&spans))
}

struct Bench<'a> {
    options: &'a Options,
    gateway: Watched,
    others: Arc<Crowd>,
    writers: Arc<Crowd>,
    stoppers: Vec<Person>,
    sent: u64,
}

impl Bench<'_> {
    /// Load for some time; what the others saw, and the most memory that the backend had.
    async fn load(&mut self, seconds: f64) -> anyhow::Result<(Counts, u64)> {
        let Options { rate, slow_rate, slow_body_bytes, .. } = *self.options;
        let targets: Vec<_> = self.stoppers.iter().map(|person| person.id).collect();
        let slow_rate = slow_rate * targets.len() as f64;
        let to_stoppers = move |number: u64| {
            let client = (number % targets.len() as u64) as usize;
            Route { from: client, to: targets[client], body_bytes: slow_body_bytes }
        };
        let first = self.sent;
        let (count, slow_count) = ((rate * seconds) as u64, (slow_rate * seconds) as u64);
        self.sent += count.max(slow_count);
        let stop = CancellationToken::new();
        let sampling = tokio::spawn(peak_kib(self.gateway.clone(), stop.clone()));
        let among = self.others.among_themselves(BODY_BYTES);
        let (chat, floods) = tokio::join!(
            self.others.send_paced(rate, first, count, among),
            self.writers.send_paced(slow_rate, first, slow_count, to_stoppers),
        );
        chat.and(floods)?;
        self.others.tally.settle(1, SETTLE).await;
        // Nobody counts what reaches those who stopped.
        self.writers.tally.settle(0, SETTLE).await;
        stop.cancel();
        let peak = sampling.await.context("the sampling task failed")?;
        let (counts, flood) = (self.others.tally.take(), self.writers.tally.take());
        ensure!(counts.closed + flood.closed == 0, "connections of others ended");
        ensure!(
            counts.delivered.count() == count && flood.accepted.count() == slow_count,
            "of {count} messages of others {} were delivered; of {slow_count} to those who stop {} were \
             accepted",
            counts.delivered.count(),
            flood.accepted.count()
        );
        Ok((counts, peak))
    }
}

/// The most memory that the process had until `stop`.
async fn peak_kib(process: Watched, stop: CancellationToken) -> u64 {
    let mut peak = 0;
    while let Ok(usage) = Usage::of(process.pid) {
        peak = peak.max(usage.rss_kib);
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(SAMPLE_EVERY) => {}
        }
    }
    peak
}
