//! `throughput`: the highest rate of direct messages at which p99 of accepted and delivered stays below a
//! limit, beside what librdkafka's idempotent producer alone gets confirmed on the same machine.
//!
//! Open load: the rate doubles until it fails, then the range is halved; the best rate is held once more,
//! longer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use milena_storage::Store;

use crate::client::{Counts, Crowd, Origin, pair};
use crate::measure::process::Meter;
use crate::measure::report::Report;
use crate::measure::threads::ThreadMeter;
use crate::world::{Place, World, raise_open_files, sign_up};
use crate::yardstick::Bare;

/// What the bench can be told.
#[derive(Debug, Args)]
pub struct Options {
    #[command(flatten)]
    place: Place,
    /// Connected people.
    #[arg(long, default_value_t = 100)]
    connections: usize,
    /// Length of the last run, at the best rate; each try takes a quarter of it.
    #[arg(long, default_value_t = 20.0)]
    seconds: f64,
    /// The first rate that is tried, messages a second.
    #[arg(long, default_value_t = 2_000.0)]
    first_rate: f64,
    /// No rate beyond this one is tried.
    #[arg(long, default_value_t = 200_000.0)]
    max_rate: f64,
    /// p99 of accepted and of delivered must stay below this.
    #[arg(long, default_value_t = 100.0)]
    p99_limit_ms: f64,
    /// Halvings of the range between a rate that held and one that did not.
    #[arg(long, default_value_t = 4)]
    halvings: u32,
    /// Characters of a message.
    #[arg(long, default_value_t = 100)]
    body_bytes: usize,
}

/// What failed rates leave behind must be gone before the next try.
const SETTLE: Duration = Duration::from_secs(15);

/// As much as the consumer may be behind after a rate that was too high.
const CATCH_UP: Duration = Duration::from_secs(120);
const CATCH_UP_POLL: Duration = Duration::from_millis(100);

/// When the best rate does not hold for longer, it is lowered to this part of itself, at most so often.
const LESS: f64 = 0.85;
const LESS_TIMES: u32 = 8;

/// Runs it.
///
/// # Errors
/// When something is not there, or not even the first rate holds.
pub async fn run(options: &Options) -> anyhow::Result<Report> {
    ensure!(options.connections >= 2, "at least 2 connections");
    raise_open_files(options.connections)?;
    let world = World::start(&options.place, 1, "").await?;
    let people = sign_up(&world.databases[0], options.connections).await?;
    let ids = people.iter().map(|person| person.id).collect();
    let bare = Arc::new(Bare::start(&world.kafka, ids, false).await?);
    let crowd = Arc::new(Crowd::connect(world.gateways[0], people, |_| Origin::default()).await?);
    let store = Store::connect(&world.databases[0]).await?;
    let mut bench = Bench { options, crowd, store, topic: world.kafka.topic.clone(), sent: 0, accepted: 0 };

    let bare_before = alone(options, &bare).await?;
    let best = bench.search().await?;
    let (meter, threads) = (Meter::start(&world.watched())?, ThreadMeter::start(&world.watched()));
    let held = bench.try_rate(best, options.seconds).await?;
    let (spans, threads) = (meter.read()?, threads.read());
    let bare_after = alone(options, &bare).await?;
    // The limit is what the machine gave at its best.
    let limit = bare_before.max(bare_after);
    eprintln!("librdkafka alone: {bare_before:.0} messages/s before, {bare_after:.0} after");
    eprintln!("held {:.0}/s, accepted:  {}", held.per_second, held.counts.accepted.line());
    eprintln!("held {:.0}/s, delivered: {}", held.per_second, held.counts.delivered.line());
    let delivered = held.counts.delivered.count().max(1) as f64;
    eprintln!("CPU time for each message, by thread:");
    let by_thread = threads.iter().map(|(name, cpu_s)| (name, cpu_s * 1e6 / delivered));
    for (name, cpu_us) in by_thread.filter(|(_, cpu_us)| *cpu_us >= 0.5) {
        eprintln!("{cpu_us:8.1} us  {name}");
    }
    Ok(Report::new("throughput", world.kind().as_str())
        .figure("connections", options.connections)
        .figure("holds", held.holds)
        .figure("messages_per_s", held.per_second)
        .figure("accepted_p99_ms", held.counts.accepted.percentile_ms(99.0))
        .figure("delivered_p99_ms", held.counts.delivered.percentile_ms(99.0))
        .figure("bare_messages_per_s", limit)
        .figure("ratio", held.per_second / limit)
        .processes(&spans))
}

async fn alone(options: &Options, bare: &Arc<Bare>) -> anyhow::Result<f64> {
    let (bare, connections, body_bytes) = (Arc::clone(bare), options.connections, options.body_bytes);
    let span = Duration::from_secs_f64(options.seconds / 4.0);
    let work = move || bare.produce_flat_out(span, body_bytes, |number| pair(number, connections));
    tokio::task::spawn_blocking(work).await.context("the bare producer's thread failed")?
}

struct Bench<'a> {
    options: &'a Options,
    crowd: Arc<Crowd>,
    store: Store,
    topic: String,
    sent: u64,
    accepted: u64,
}

struct Try {
    per_second: f64,
    counts: Counts,
    holds: bool,
}

impl Bench<'_> {
    async fn search(&mut self) -> anyhow::Result<f64> {
        let seconds = self.options.seconds / 4.0;
        // Warms everything up; its outcome says nothing.
        self.try_rate(self.options.first_rate, seconds).await?;
        let (mut good, mut bad) = (None, None);
        let mut rate = self.options.first_rate;
        while bad.is_none() && rate <= self.options.max_rate {
            if self.try_rate(rate, seconds).await?.holds {
                good = Some(rate);
                rate *= 2.0;
            } else {
                bad = Some(rate);
            }
        }
        let (mut good, mut bad) =
            (good.context("not even the first rate holds (--first-rate)")?, bad.unwrap_or(rate));
        for _ in 0..self.options.halvings {
            let middle = f64::midpoint(good, bad);
            if self.try_rate(middle, seconds).await?.holds { good = middle } else { bad = middle }
        }
        // A short try can be lucky: the rate that is reported must hold for the whole last run too.
        for _ in 0..LESS_TIMES {
            if self.try_rate(good, self.options.seconds / 2.0).await?.holds {
                return Ok(good);
            }
            good *= LESS;
        }
        bail!("no rate holds for {} s: the machine is busy with something else", self.options.seconds / 2.0)
    }

    /// Until all that was accepted is stored: catching up with a rate that was too high would slow the next
    /// try down.
    async fn wait_for_store(&self) -> anyhow::Result<()> {
        let deadline = Instant::now() + CATCH_UP;
        loop {
            let stored: i64 = self.store.log_position(&self.topic).await?.next_offsets.values().sum();
            if stored.unsigned_abs() >= self.accepted {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "only {stored} of {} messages were stored", self.accepted);
            tokio::time::sleep(CATCH_UP_POLL).await;
        }
    }

    async fn try_rate(&mut self, rate: f64, seconds: f64) -> anyhow::Result<Try> {
        let count = (rate * seconds) as u64;
        let begun = Instant::now();
        self.crowd
            .send_paced(rate, self.sent, count, self.crowd.among_themselves(self.options.body_bytes))
            .await?;
        self.sent += count;
        self.crowd.tally.settle(1, SETTLE).await;
        let took = begun.elapsed().as_secs_f64();
        let counts = self.crowd.tally.take();
        self.accepted += counts.accepted.count();
        self.wait_for_store().await?;
        ensure!(counts.closed == 0, "{} connections ended under load", counts.closed);
        let (accepted, delivered) =
            (counts.accepted.percentile_ms(99.0), counts.delivered.percentile_ms(99.0));
        let complete = counts.accepted.count() == count && counts.delivered.count() == count;
        let holds = complete && accepted.max(delivered) < self.options.p99_limit_ms;
        eprintln!(
            "{rate:.0}/s: accepted p99 {accepted:.1} ms, delivered p99 {delivered:.1} ms, {} refused, \
             {} dropped: {}",
            counts.rejected,
            counts.dropped,
            if holds { "holds" } else { "does not hold" }
        );
        let per_second = counts.delivered.count().min(counts.accepted.count()) as f64 / took;
        Ok(Try { per_second, counts, holds })
    }
}
