//! `latency`: direct messages at a constant rate among connected people; send → accepted and send →
//! delivered, beside what librdkafka alone needs for the same records at the same rate.
//!
//! The two take turns in rounds, so that both meet the same moods of the machine.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::Args;

use crate::client::{Counts, Crowd, Origin, pair};
use crate::measure::process::{Meter, add_spans};
use crate::measure::report::Report;
use crate::world::{Place, World, raise_open_files, sign_up};
use crate::yardstick::{Bare, Confirmed};

/// What the bench can be told.
#[derive(Debug, Args)]
pub struct Options {
    #[command(flatten)]
    place: Place,
    /// Connected people.
    #[arg(long, default_value_t = 500)]
    connections: usize,
    /// Messages a second, all together.
    #[arg(long, default_value_t = 1_000.0)]
    rate: f64,
    /// Measured time with Milena; librdkafka alone gets half as much on top.
    #[arg(long, default_value_t = 60.0)]
    seconds: f64,
    /// Load before anything is measured, on both.
    #[arg(long, default_value_t = 5.0)]
    warm_up_seconds: f64,
    /// Turns that the two take.
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Characters of a message.
    #[arg(long, default_value_t = 100)]
    body_bytes: usize,
    /// Names messages without the prefix that the server gave: each is looked up in the store.
    #[arg(long)]
    without_prefix: bool,
}

/// Answers and deliveries may be this late after a round.
const SETTLE: Duration = Duration::from_secs(10);

/// Runs it.
///
/// # Errors
/// When something is not there, or a message was lost.
pub async fn run(options: &Options) -> anyhow::Result<Report> {
    ensure!(options.connections >= 2 && options.rounds >= 1, "at least 2 connections and 1 round");
    raise_open_files(options.connections)?;
    let world = World::start(&options.place, 1, "").await?;
    let people = sign_up(&world.databases[0], options.connections).await?;
    let ids = people.iter().map(|person| person.id).collect();
    let bare = Arc::new(Bare::start(&world.kafka, ids, true).await?);
    let origin = Origin { without_prefix: options.without_prefix, ..Origin::default() };
    let crowd = Arc::new(Crowd::connect(world.gateways[0], people, |_| origin).await?);

    let mut bench = Bench { options, bare, crowd, sent: 0 };
    bench.alone(options.warm_up_seconds).await?;
    bench.with_milena(options.warm_up_seconds).await?;
    let (mut limit, mut seen, mut spans) = (Confirmed::default(), Counts::default(), Vec::new());
    for _ in 0..options.rounds {
        let turn = options.seconds / f64::from(options.rounds);
        let confirmed = bench.alone(turn / 2.0).await?;
        limit.confirm.add(&confirmed.confirm);
        limit.consume.add(&confirmed.consume);
        let meter = Meter::start(&world.watched())?;
        let counts = bench.with_milena(turn).await?;
        add_spans(&mut spans, meter.read()?);
        seen.accepted.add(&counts.accepted);
        seen.delivered.add(&counts.delivered);
    }
    eprintln!("librdkafka alone, confirmed: {}", limit.confirm.line());
    eprintln!("librdkafka alone, consumed:  {}", limit.consume.line());
    eprintln!("Milena, accepted:            {}", seen.accepted.line());
    eprintln!("Milena, delivered:           {}", seen.delivered.line());
    Ok(Report::new("latency", world.kind().as_str())
        .figure("connections", options.connections)
        .figure("messages_per_s", options.rate)
        .figure("without_prefix", options.without_prefix)
        .figure("messages", seen.accepted.count())
        .figure("accepted_p50_ms", seen.accepted.percentile_ms(50.0))
        .figure("accepted_p99_ms", seen.accepted.percentile_ms(99.0))
        .figure("confirm_p50_ms", limit.confirm.percentile_ms(50.0))
        .figure("confirm_p99_ms", limit.confirm.percentile_ms(99.0))
        .figure("delivered_p50_ms", seen.delivered.percentile_ms(50.0))
        .figure("delivered_p99_ms", seen.delivered.percentile_ms(99.0))
        .figure("consume_p50_ms", limit.consume.percentile_ms(50.0))
        .figure("consume_p99_ms", limit.consume.percentile_ms(99.0))
        .processes(&spans))
}

struct Bench<'a> {
    options: &'a Options,
    bare: Arc<Bare>,
    crowd: Arc<Crowd>,
    sent: u64,
}

impl Bench<'_> {
    async fn alone(&self, seconds: f64) -> anyhow::Result<Confirmed> {
        let Options { rate, body_bytes, connections, .. } = *self.options;
        let bare = Arc::clone(&self.bare);
        let work = move || {
            let count = (rate * seconds) as u64;
            bare.produce_paced(rate, count, body_bytes, |number| pair(number, connections))?;
            bare.take()
        };
        tokio::task::spawn_blocking(work).await.context("the bare producer's thread failed")?
    }

    async fn with_milena(&mut self, seconds: f64) -> anyhow::Result<Counts> {
        let Options { rate, body_bytes, .. } = *self.options;
        let count = (rate * seconds) as u64;
        let route = self.crowd.among_themselves(body_bytes);
        self.crowd.send_paced(rate, self.sent, count, route).await?;
        self.sent += count;
        self.crowd.tally.settle(1, SETTLE).await;
        let counts = self.crowd.tally.take();
        let all = counts.accepted.count() == count && counts.delivered.count() == count;
        ensure!(
            all,
            "of {count} messages {} were accepted and {} delivered; {} refused ({}), {} connections ended",
            counts.accepted.count(),
            counts.delivered.count(),
            counts.rejected,
            counts.a_code.as_deref().unwrap_or("none"),
            counts.closed
        );
        Ok(counts)
    }
}
