//! `fanout`: one person with many sockets; deliveries a second, beside a bare loop that writes the same bytes
//! to as many sockets.
//!
//! Both are kept busy by the same window: a few messages under way, the next one goes out when the oldest has
//! reached every socket. The readers are the same code in the same process.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::Args;
use futures::{StreamExt, TryStreamExt};
use tokio::sync::{Notify, mpsc};

use crate::client::{Frame, Origin, Socket, body_of, send};
use crate::measure::process::{Meter, add_spans};
use crate::measure::report::Report;
use crate::world::{Person, Place, World, raise_open_files, sign_up};
use crate::yardstick::BareFanout;

/// What the bench can be told.
#[derive(Debug, Args)]
pub struct Options {
    #[command(flatten)]
    place: Place,
    /// Sockets of the one person.
    #[arg(long, default_value_t = 5_000)]
    sockets: usize,
    /// Measured time of each of the two.
    #[arg(long, default_value_t = 20.0)]
    seconds: f64,
    /// Turns that the two take.
    #[arg(long, default_value_t = 2)]
    rounds: u32,
    /// Messages under way.
    #[arg(long, default_value_t = 4)]
    window: u64,
    /// Characters of a message.
    #[arg(long, default_value_t = 100)]
    body_bytes: usize,
}

/// Connections that are opened at the same time.
const PARALLEL: usize = 64;
/// Deliveries may pause this long before the bench gives up.
const PATIENCE: Duration = Duration::from_secs(20);

/// Counts deliveries, from all readers; wakes the one who sends.
#[derive(Debug)]
pub struct Arrivals {
    count: AtomicU64,
    arrived: Notify,
    began: Instant,
    /// When the newest message had its first socket and its last, in microseconds since `began`.
    first_us: AtomicU64,
    last_us: AtomicU64,
}

impl Default for Arrivals {
    fn default() -> Self {
        let [count, first_us, last_us] = [const { AtomicU64::new(0) }; 3];
        Self { count, arrived: Notify::new(), began: Instant::now(), first_us, last_us }
    }
}

impl Arrivals {
    /// One message reached one of `sockets` sockets.
    pub fn add(&self, sockets: u64) {
        let before = self.count.fetch_add(1, Ordering::Relaxed);
        let now_us = || self.began.elapsed().as_micros() as u64;
        if before.is_multiple_of(sockets) {
            self.first_us.store(now_us(), Ordering::Relaxed);
        }
        if (before + 1).is_multiple_of(sockets) {
            self.last_us.store(now_us(), Ordering::Relaxed);
            self.arrived.notify_one();
        }
    }

    /// From the first socket that had the newest message to the last, when only one was under way.
    pub(super) fn spread(&self) -> Duration {
        let [first, last] = [&self.first_us, &self.last_us].map(|at| at.load(Ordering::Relaxed));
        Duration::from_micros(last.saturating_sub(first))
    }

    fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}

/// Runs it.
///
/// # Errors
/// When something is not there, or deliveries stop.
pub async fn run(options: &Options) -> anyhow::Result<Report> {
    raise_open_files(2 * options.sockets)?;
    let world = World::start(&options.place, 1, "").await?;
    let mut people = sign_up(&world.databases[0], 2).await?.into_iter();
    let (sender, receiver) = (people.next().context("two people")?, people.next().context("two people")?);
    let gateway = world.gateways[0];
    let arrivals = Arc::new(Arrivals::default());
    let (sample, mut samples) = mpsc::channel(1);
    let readers: Vec<Socket> = futures::stream::iter(0..options.sockets)
        .map(async |_| Socket::open(gateway, Origin::default(), &receiver.token, None).await)
        .buffer_unordered(PARALLEL)
        .try_collect()
        .await
        .context("a reader could not connect")?;
    for socket in readers {
        tokio::spawn(read(socket, Arc::clone(&arrivals), sample.clone(), options.sockets as u64));
    }
    let mut writer = Writer::start(gateway, sender, &receiver, options).await?;
    // One message first: the bare loop writes what it looks like.
    let sockets = options.sockets as u64;
    keep_busy(&arrivals, sockets, 1, Duration::ZERO, async || writer.send().await).await?;
    let text = samples.recv().await.context("no message came")?;
    let mut bare = BareFanout::start(options.sockets, &text).await?;

    let (mut delivered, mut written, mut spans) = (0.0, 0.0, Vec::new());
    let turn = Duration::from_secs_f64(options.seconds / f64::from(options.rounds));
    for _ in 0..options.rounds {
        let meter = Meter::start(&world.watched())?;
        delivered +=
            keep_busy(&arrivals, sockets, options.window, turn, async || writer.send().await).await?;
        add_spans(&mut spans, meter.read()?);
        let arrivals = bare.arrivals();
        written += keep_busy(&arrivals, sockets, options.window, turn, async || bare.write()).await?;
    }
    let (delivered, written) = (delivered / f64::from(options.rounds), written / f64::from(options.rounds));
    Ok(Report::new("fanout", world.kind().as_str())
        .figure("sockets", options.sockets)
        .figure("frame_bytes", text.len())
        .figure("deliveries_per_s", delivered)
        .figure("bare_deliveries_per_s", written)
        .figure("ratio", delivered / written)
        .processes(&spans))
}

/// Sends for `span` (at least one message), with `window` messages under way; arrivals a second.
pub(super) async fn keep_busy(
    arrivals: &Arrivals,
    sockets: u64,
    window: u64,
    span: Duration,
    mut send: impl AsyncFnMut() -> anyhow::Result<()>,
) -> anyhow::Result<f64> {
    let (begun, before) = (Instant::now(), arrivals.count());
    let mut sent: u64 = 0;
    while sent == 0 || begun.elapsed() < span {
        send().await?;
        sent += 1;
        wait_for(arrivals, before + (sent + 1).saturating_sub(window) * sockets).await?;
    }
    wait_for(arrivals, before + sent * sockets).await?;
    Ok((arrivals.count() - before) as f64 / begun.elapsed().as_secs_f64())
}

async fn wait_for(arrivals: &Arrivals, count: u64) -> anyhow::Result<()> {
    while arrivals.count() < count {
        let woken = tokio::time::timeout(PATIENCE, arrivals.arrived.notified()).await;
        ensure!(woken.is_ok(), "no delivery for {PATIENCE:?}: {} of {count} came", arrivals.count());
    }
    Ok(())
}

/// Reads one of the person's sockets; the first message goes to `sample`.
pub(super) async fn read(
    mut socket: Socket,
    arrivals: Arc<Arrivals>,
    sample: mpsc::Sender<String>,
    sockets: u64,
) {
    while let Some(text) = socket.next().await {
        if text.starts_with(r#"{"type":"message""#) {
            if !sample.is_closed() {
                let _ = sample.try_send(text.as_str().to_owned());
            }
            arrivals.add(sockets);
        }
    }
}

/// The one who writes to the person with many sockets.
struct Writer {
    frames: mpsc::Sender<String>,
    to: milena_domain::UserId,
    body: String,
    number: u64,
}

impl Writer {
    async fn start(
        gateway: std::net::SocketAddr,
        sender: Person,
        receiver: &Person,
        options: &Options,
    ) -> anyhow::Result<Self> {
        let mut socket = Socket::open(gateway, Origin::default(), &sender.token, None).await?;
        let (frames, mut queued) = mpsc::channel::<String>(16);
        tokio::spawn(async move {
            loop {
                let alive = tokio::select! {
                    frame = queued.recv() => match frame {
                        Some(frame) => socket.feed(frame).await.is_ok() && socket.flush().await.is_ok(),
                        None => false,
                    },
                    answer = socket.next() => answer.is_some_and(|text| !is_refusal(&text)),
                };
                if !alive {
                    return;
                }
            }
        });
        Ok(Self { frames, to: receiver.id, body: body_of("0", options.body_bytes), number: 0 })
    }

    async fn send(&mut self) -> anyhow::Result<()> {
        self.number += 1;
        let frame = send(self.to, &self.number.to_string(), &self.body);
        self.frames.send(frame).await.context("the writer's connection ended, or a message was refused")
    }
}

pub(super) fn is_refusal(text: &str) -> bool {
    Frame::parse(text).is_ok_and(|frame| matches!(frame.kind, "rejected" | "error"))
}
