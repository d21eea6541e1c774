//! `storm`: all clients lose their connections at once, miss some messages, and all come back in the same
//! moment by their cursors, while others go on chatting.
//!
//! What was missed is written straight into the log, in the form in which a backend writes it: the backend
//! under test reads it there like another node's. A client is back when it has seen all that it missed and
//! was told a cursor after it.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use futures::{StreamExt, TryStreamExt};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::client::{Counts, Crowd, Frame, Origin, Socket};
use crate::measure::latency::Latencies;
use crate::measure::process::Meter;
use crate::measure::report::Report;
use crate::world::{Metrics, Person, Place, World, raise_open_files, sign_up};
use crate::yardstick::Bare;

/// What the bench can be told.
#[derive(Debug, Args)]
pub struct Options {
    #[command(flatten)]
    place: Place,
    /// Clients that are dropped.
    #[arg(long, default_value_t = 10_000)]
    connections: usize,
    /// Messages that each of them misses.
    #[arg(long, default_value_t = 10)]
    behind: usize,
    /// Others, who stay and chat.
    #[arg(long, default_value_t = 100)]
    live: usize,
    /// Messages a second among those who stay.
    #[arg(long, default_value_t = 200.0)]
    live_rate: f64,
    /// Live load before the storm, to compare with.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
}

/// Connections that are opened at the same time, before the storm.
const PARALLEL: usize = 64;
/// A client whose attempt failed waits for this long, more or less, as the protocol asks for.
const BACKOFF: Duration = Duration::from_millis(250);
/// The storm is given up after this long.
const STORM_LIMIT: Duration = Duration::from_secs(120);
/// The store must have what was missed before the storm, within this time.
const STORED_LIMIT: Duration = Duration::from_secs(60);
const SETTLE: Duration = Duration::from_secs(10);
const BODY_BYTES: usize = 100;
/// They write what is missed, and are never connected.
const WRITERS: usize = 20;

/// Runs it.
///
/// # Errors
/// When something is not there, or somebody does not get all that was missed.
pub async fn run(options: &Options) -> anyhow::Result<Report> {
    ensure!(options.live >= 2 && options.behind >= 1, "at least 2 who stay and 1 missed message");
    raise_open_files(options.connections + options.live)?;
    let world = World::start(&options.place, 1, "").await?;
    let gateway = world.gateways[0];
    let mut people = sign_up(&world.databases[0], WRITERS + options.connections + options.live).await?;
    let live = people.split_off(WRITERS + options.connections);
    let ids = people.iter().map(|person| person.id).collect();
    let away = people.split_off(WRITERS);
    let cursors = connect_and_drop(gateway, &away).await?;
    let crowd = Arc::new(Crowd::connect(gateway, live, |_| Origin::default()).await?);

    write_missed(&world, ids, options).await?;
    let quiet = live_until(&crowd, options.live_rate, 0, async {
        tokio::time::sleep(Duration::from_secs_f64(options.seconds)).await;
        Ok(())
    });
    let ((), before) = quiet.await?;
    let (asked, meter) = (Metrics::read(gateway).await?, Meter::start(&world.watched())?);
    let storm = storm(gateway, away, cursors, options.behind);
    let (back, during) = live_until(&crowd, options.live_rate, 1 << 32, storm).await?;
    let spans = meter.read()?;
    let queries = Metrics::read(gateway).await?.sum("milena_store_calls_total", "kind=\"answer\"")
        - asked.sum("milena_store_calls_total", "kind=\"answer\"");
    eprintln!("back:                 {}", back.took.line());
    eprintln!("live before, delivered: {}", before.delivered.line());
    eprintln!("live during, delivered: {}", during.delivered.line());
    Ok(Report::new("storm", world.kind().as_str())
        .figure("clients", options.connections)
        .figure("behind", options.behind)
        .figure("resumed_s", back.all_after.as_secs_f64())
        .figure("resumed_p50_s", back.took.percentile_ms(50.0) / 1e3)
        .figure("attempts_failed", back.failed)
        .figure("live_p99_ms", during.delivered.percentile_ms(99.0))
        .figure("live_p99_before_ms", before.delivered.percentile_ms(99.0))
        .figure("queries", queries)
        .processes(&spans))
}

/// Everybody's cursor, from a connection that ends then.
async fn connect_and_drop(gateway: SocketAddr, people: &[Person]) -> anyhow::Result<Vec<String>> {
    // All are held until the last one is there, and then dropped together.
    let sockets: Vec<Socket> = futures::stream::iter(people.iter().map(|person| person.token.clone()))
        .map(async |token| Socket::open(gateway, Origin::default(), &token, None).await)
        .buffered(PARALLEL)
        .try_collect()
        .await
        .context("a client could not connect")?;
    Ok(sockets.into_iter().map(|socket| socket.cursor).collect())
}

/// Writes `behind` messages to each of those who are away, and waits until the store has them: a storm long
/// after.
async fn write_missed(
    world: &World,
    ids: Vec<milena_domain::UserId>,
    options: &Options,
) -> anyhow::Result<()> {
    let store = milena_storage::Store::connect(&world.databases[0]).await?;
    let missed = options.connections * options.behind;
    let away = options.connections;
    let writer = Bare::onto(&world.kafka, ids)?;
    // A client's messages come from several people, in several conversations.
    let route = move |number: u64| {
        let (client, turn) = (number as usize % away, number as usize / away);
        ((client + turn) % WRITERS, WRITERS + client)
    };
    let work = move || writer.produce_paced(20_000.0, missed as u64, BODY_BYTES, route);
    tokio::task::spawn_blocking(work).await.context("the writing thread failed")??;
    let deadline = Instant::now() + STORED_LIMIT;
    loop {
        let stored: i64 = store.log_position(&world.kafka.topic).await?.next_offsets.values().sum();
        if stored >= missed as i64 {
            break;
        }
        ensure!(
            Instant::now() < deadline,
            "the store has {stored} of {missed} messages after {STORED_LIMIT:?}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    store.close().await;
    Ok(())
}

/// Keeps those who stayed chatting until `work` is done.
async fn live_until<T>(
    crowd: &Arc<Crowd>,
    rate: f64,
    first: u64,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<(T, Counts)> {
    let done = AtomicBool::new(false);
    let chat = async {
        let mut number = first;
        while !done.load(Ordering::Relaxed) {
            let count = rate.ceil() as u64;
            crowd.send_paced(rate, number, count, crowd.among_themselves(BODY_BYTES)).await?;
            number += count;
        }
        anyhow::Ok(())
    };
    let work = async {
        let outcome = work.await;
        done.store(true, Ordering::Relaxed);
        outcome
    };
    let (outcome, chatted) = tokio::join!(work, chat);
    chatted?;
    crowd.tally.settle(1, SETTLE).await;
    let counts = crowd.tally.take();
    ensure!(counts.closed == 0, "{} live connections ended", counts.closed);
    ensure!(counts.delivered.count() == counts.sent, "live messages were lost or refused");
    Ok((outcome?, counts))
}

/// How all came back.
struct Back {
    /// From the start of the storm, client by client.
    took: Latencies,
    all_after: Duration,
    failed: u64,
}

async fn storm(
    gateway: SocketAddr,
    people: Vec<Person>,
    cursors: Vec<String>,
    behind: usize,
) -> anyhow::Result<Back> {
    let (failed, start) = (Arc::new(AtomicU64::new(0)), Arc::new(Barrier::new(people.len() + 1)));
    let mut clients = JoinSet::new();
    for (person, cursor) in people.into_iter().zip(cursors) {
        let (failed, start) = (Arc::clone(&failed), Arc::clone(&start));
        clients.spawn(async move {
            start.wait().await;
            let begun = Instant::now();
            let deadline = begun + STORM_LIMIT;
            loop {
                match come_back(gateway, &person.token, &cursor, behind).await {
                    // Stays connected, as clients do.
                    Ok(socket) => return Ok((begun.elapsed(), socket)),
                    Err(error) if Instant::now() > deadline => return Err(error),
                    Err(_) => {
                        failed.fetch_add(1, Ordering::Relaxed);
                        tokio::time::sleep(BACKOFF.mul_f64(0.5 + rand::random::<f64>())).await;
                    }
                }
            }
        });
    }
    start.wait().await;
    let (mut took, mut sockets, mut last) = (Latencies::default(), Vec::new(), Duration::ZERO);
    while let Some(client) = clients.join_next().await {
        let (after, socket) =
            client.context("a client's task failed")?.context("a client did not come back")?;
        took.record(after);
        last = last.max(after);
        sockets.push(socket);
    }
    Ok(Back { took, all_after: last, failed: failed.load(Ordering::Relaxed) })
}

/// Connects, and reads until everything missed was seen and a cursor came.
async fn come_back(gateway: SocketAddr, token: &str, cursor: &str, behind: usize) -> anyhow::Result<Socket> {
    let mut socket = Socket::open(gateway, Origin::default(), token, Some(cursor)).await?;
    ensure!(socket.resumed, "the cursor was not taken");
    let mut seen: HashSet<String> = HashSet::with_capacity(behind);
    loop {
        let text = socket.next().await.context("the connection ended during the replay")?;
        let frame = Frame::parse(&text)?;
        match (frame.kind, frame.body) {
            ("message", Some(body)) => drop(seen.insert(body.to_owned())),
            ("gap", _) => bail!("a gap: the replay should fit a page"),
            ("cursor", _) if seen.len() == behind => return Ok(socket),
            ("cursor", _) => bail!("a cursor after {} of {behind} missed messages", seen.len()),
            _ => {}
        }
    }
}
