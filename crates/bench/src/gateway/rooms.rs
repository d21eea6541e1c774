//! `rooms`: messages to a room, as fast as its sockets take them, beside a bare loop of the same writes; how
//! long after its first socket the last one has a message; and what direct messages notice meanwhile.
//!
//! Who writes direct messages has a thread of its own, so that they do not wait for the bench's readers of
//! the room. They are measured in turns, without the room and beside a room that gets a fifth of what it can
//! take: beside a machine that is full, every latency is that of its queue.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::Args;
use futures::{StreamExt, TryStreamExt};
use milena_domain::limits::MEMBERS_ADDED_MAX;
use milena_domain::{ConversationId, UserId};
use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::fanout::{Arrivals, is_refusal, keep_busy, read};
use crate::client::{Crowd, Frame, Origin, Socket, body_of, send_in};
use crate::measure::latency::Latencies;
use crate::measure::process::{Meter, Span, add_spans};
use crate::measure::report::Report;
use crate::world::{Person, Place, World, post, raise_open_files, sign_up};
use crate::yardstick::BareFanout;

/// What the bench can be told.
#[derive(Debug, Args)]
pub struct Options {
    #[command(flatten)]
    place: Place,
    /// Members of the room, besides who writes; without it rooms of several sizes, and the last line is that
    /// of the largest with all sockets here.
    #[arg(long)]
    members: Option<usize>,
    /// How many of them are connected here [default: all].
    #[arg(long, requires = "members")]
    sockets: Option<usize>,
    /// Measured time of each of the four: the room, the bare loop, direct messages without and with the room.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Turns that they take.
    #[arg(long, default_value_t = 2)]
    rounds: u32,
    /// Messages under way in the room, when it is kept busy.
    #[arg(long, default_value_t = 4)]
    window: u64,
    /// Direct messages a second.
    #[arg(long, default_value_t = 200.0)]
    direct_rate: f64,
    /// People who write them.
    #[arg(long, default_value_t = 50)]
    direct_people: usize,
    /// Characters of a message.
    #[arg(long, default_value_t = 100)]
    body_bytes: usize,
}

/// Members and sockets.
const ROOMS: [(usize, usize); 6] =
    [(10, 1), (10, 10), (1_000, 100), (1_000, 1_000), (10_000, 1_000), (10_000, 10_000)];
/// Connections that are opened at the same time.
const PARALLEL: usize = 64;
/// The part of what it can take that a room gets beside direct messages.
const BESIDE: f64 = 0.2;
/// Direct messages may be this late after a turn.
const SETTLE: Duration = Duration::from_secs(10);
/// For the answer to a message of the room.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs it.
///
/// # Errors
/// When something is not there, a message was refused, or deliveries stop.
pub async fn run(options: &Options) -> anyhow::Result<Report> {
    let rooms = match options.members {
        Some(members) => vec![(members, options.sockets.unwrap_or(members))],
        None => ROOMS.to_vec(),
    };
    let most = rooms.iter().map(|room| room.1).max().unwrap_or_default();
    ensure!(rooms.iter().all(|room| room.1 >= 1 && room.1 <= room.0), "1 to all members are connected");
    raise_open_files(most + options.direct_people)?;
    // One room at a time, and nobody is in another one.
    let world = World::start(&options.place, 1, "[rooms]\njoin_at_registration = []").await?;
    let people = sign_up(&world.databases[0], options.direct_people).await?;
    let apart = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let gateway = world.gateways[0];
    let handle = apart.handle().clone();
    let connect = move || handle.block_on(Crowd::connect(gateway, people, |_| Origin::default()));
    let crowd = tokio::task::spawn_blocking(connect).await??;
    let mut bench = Bench { options, world, crowd: Arc::new(crowd), sent: 0 };
    let mut report = None;
    for (members, sockets) in rooms {
        let figures = bench.room(members, sockets).await?;
        eprintln!("{}", figures.line());
        report = Some(figures.report(bench.world.kind().as_str()));
    }
    apart.shutdown_background();
    report.context("no room was measured")
}

struct Bench<'a> {
    options: &'a Options,
    world: World,
    crowd: Arc<Crowd>,
    sent: u64,
}

/// Of one room.
#[derive(Default)]
struct Figures {
    members: usize,
    sockets: usize,
    deliveries_per_s: f64,
    bare_deliveries_per_s: f64,
    beside_per_s: f64,
    /// From the first socket that has a message to the last.
    spread: Latencies,
    accepted: Latencies,
    direct_accepted: Latencies,
    direct: Latencies,
    direct_without: Latencies,
    /// Beside a bare loop that writes as often as the room's messages came: what the machine does to a direct
    /// message, whoever writes to so many sockets.
    direct_beside_bare: Latencies,
    spans: Vec<Span>,
}

impl Figures {
    fn ratio(&self) -> f64 {
        self.deliveries_per_s / self.bare_deliveries_per_s
    }

    fn line(&self) -> String {
        format!(
            "{} members, {} here: {:.0} deliveries/s, {:.2} of a bare loop; first to last socket p99 {:.2} \
             ms; accepted p50 {:.2} ms, direct {:.2}; direct delivered p99 {:.2} ms beside {:.1} messages/s, \
             {:.2} beside a bare loop that writes them, {:.2} without",
            self.members,
            self.sockets,
            self.deliveries_per_s,
            self.ratio(),
            self.spread.percentile_ms(99.0),
            self.accepted.percentile_ms(50.0),
            self.direct_accepted.percentile_ms(50.0),
            self.direct.percentile_ms(99.0),
            self.beside_per_s,
            self.direct_beside_bare.percentile_ms(99.0),
            self.direct_without.percentile_ms(99.0),
        )
    }

    fn report(&self, broker: &str) -> Report {
        Report::new("rooms", broker)
            .figure("members", self.members)
            .figure("sockets", self.sockets)
            .figure("deliveries_per_s", self.deliveries_per_s)
            .figure("bare_deliveries_per_s", self.bare_deliveries_per_s)
            .figure("ratio", self.ratio())
            .figure("spread_p99_ms", self.spread.percentile_ms(99.0))
            .figure("room_messages_per_s", self.beside_per_s)
            .figure("accepted_p50_ms", self.accepted.percentile_ms(50.0))
            .figure("direct_accepted_p50_ms", self.direct_accepted.percentile_ms(50.0))
            .figure("direct_p99_ms", self.direct.percentile_ms(99.0))
            .figure("direct_p99_beside_bare_ms", self.direct_beside_bare.percentile_ms(99.0))
            .figure("direct_p99_without_ms", self.direct_without.percentile_ms(99.0))
            .processes(&self.spans)
    }
}

impl Bench<'_> {
    async fn room(&mut self, members: usize, sockets: usize) -> anyhow::Result<Figures> {
        let Options { rounds, window, seconds, body_bytes, .. } = *self.options;
        let gateway = self.world.gateways[0];
        let mut people = sign_up(&self.world.databases[0], members + 1).await?.into_iter();
        let owner = people.next().context("somebody who writes")?;
        let people: Vec<Person> = people.collect();
        let room = create(gateway, &owner, &people).await?;
        let arrivals = Arc::new(Arrivals::default());
        let (sample, mut samples) = mpsc::channel(1);
        let readers: Vec<Socket> = futures::stream::iter(&people[..sockets])
            .map(async |person| Socket::open(gateway, Origin::default(), &person.token, None).await)
            .buffer_unordered(PARALLEL)
            .try_collect()
            .await
            .context("a member could not connect")?;
        let count = sockets as u64;
        let reading: Vec<_> = readers
            .into_iter()
            .map(|socket| read(socket, Arc::clone(&arrivals), sample.clone(), count))
            .map(|reading| AbortOnDropHandle::new(tokio::spawn(reading)))
            .collect();
        let mut writer = Writer::start(gateway, &owner.token, room, body_bytes).await?;
        // One message first: the bare loop writes what it looks like.
        keep_busy(&arrivals, count, 1, Duration::ZERO, async || writer.send().await).await?;
        let text = samples.recv().await.context("no message came")?;

        let mut figures = Figures { members, sockets, ..Figures::default() };
        let turn = Duration::from_secs_f64(seconds / f64::from(rounds));
        for _ in 0..rounds {
            let meter = Meter::start(&self.world.watched())?;
            let delivered = keep_busy(&arrivals, count, window, turn, async || writer.send().await).await?;
            add_spans(&mut figures.spans, meter.read()?);
            figures.deliveries_per_s += delivered / f64::from(rounds);
        }
        writer.answers().await?;
        figures.beside_per_s = BESIDE * figures.deliveries_per_s / count as f64;
        for _ in 0..rounds {
            let direct = self.direct(turn).await?;
            figures.direct_without.add(&direct.delivered);
            let beside = paced(figures.beside_per_s, turn, async || {
                let begun = Instant::now();
                keep_busy(&arrivals, count, 1, Duration::ZERO, async || writer.send().await).await?;
                figures.spread.record(arrivals.spread());
                figures.accepted.record(writer.answers().await? - begun);
                Ok(())
            });
            let (direct, beside) = tokio::join!(self.direct(turn), beside);
            beside?;
            let direct = direct?;
            figures.direct.add(&direct.delivered);
            figures.direct_accepted.add(&direct.accepted);
        }
        // Last, and the room's sockets are closed before: both at once are more files than many machines
        // allow a process.
        drop((writer, reading));
        let mut bare = BareFanout::start(sockets, &text).await?;
        let written = bare.arrivals();
        let span = Duration::from_secs_f64(seconds);
        figures.bare_deliveries_per_s =
            keep_busy(&written, count, window, span, async || bare.write()).await?;
        let beside = paced(figures.beside_per_s, span, async || {
            keep_busy(&written, count, 1, Duration::ZERO, async || bare.write()).await.map(drop)
        });
        let (direct, beside) = tokio::join!(self.direct(span), beside);
        beside?;
        figures.direct_beside_bare.add(&direct?.delivered);
        Ok(figures)
    }

    /// Direct messages for so long.
    async fn direct(&mut self, span: Duration) -> anyhow::Result<crate::client::Counts> {
        let Options { direct_rate, body_bytes, .. } = *self.options;
        let count = (direct_rate * span.as_secs_f64()) as u64;
        let route = self.crowd.among_themselves(body_bytes);
        self.crowd.send_paced(direct_rate, self.sent, count, route).await?;
        self.sent += count;
        self.crowd.tally.settle(1, SETTLE).await;
        let counts = self.crowd.tally.take();
        let all = counts.accepted.count() == count && counts.delivered.count() == count;
        ensure!(all, "of {count} direct messages {} were delivered", counts.delivered.count());
        Ok(counts)
    }
}

/// Does it so often for so long; what takes longer than its share of the time is not made up for.
async fn paced(
    per_s: f64,
    span: Duration,
    mut once: impl AsyncFnMut() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut next = Instant::now();
    let until = next + span;
    while next < until {
        tokio::time::sleep_until(next.into()).await;
        next = Instant::now().max(next + Duration::from_secs_f64(1.0 / per_s));
        once().await?;
    }
    Ok(())
}

/// A room of `owner` with all of `people` in it.
pub(super) async fn create(
    gateway: SocketAddr,
    owner: &Person,
    people: &[Person],
) -> anyhow::Result<ConversationId> {
    let handle = format!("r{}", uuid::Uuid::now_v7().simple().to_string().split_at(14).1);
    let new = json!({"client_id": handle, "handle": handle, "title": "Bench"});
    let answer = post(gateway, &owner.token, "rooms", &new).await?;
    let id = answer["room"]["id"].as_str().with_context(|| format!("no room in {answer}"))?;
    for some in people.chunks(MEMBERS_ADDED_MAX) {
        let users: Vec<UserId> = some.iter().map(|person| person.id).collect();
        post(gateway, &owner.token, &format!("rooms/{id}/members"), &json!({"users": users})).await?;
    }
    Ok(id.parse()?)
}

/// Who writes to the room.
struct Writer {
    frames: mpsc::Sender<String>,
    /// When each message was accepted; bound: what may be under way.
    accepted: mpsc::Receiver<Instant>,
    room: ConversationId,
    body: String,
    prefix: String,
    number: u64,
    unanswered: u64,
    _task: AbortOnDropHandle<()>,
}

impl Writer {
    async fn start(
        gateway: SocketAddr,
        token: &str,
        room: ConversationId,
        body_bytes: usize,
    ) -> anyhow::Result<Self> {
        let mut socket = Socket::open(gateway, Origin::default(), token, None).await?;
        let prefix = socket.client_id_prefix.clone();
        let (frames, mut queued) = mpsc::channel::<String>(16);
        let (answer, accepted) = mpsc::channel(1 << 20);
        let task = tokio::spawn(async move {
            loop {
                let alive = tokio::select! {
                    frame = queued.recv() => match frame {
                        Some(frame) => socket.feed(frame).await.is_ok() && socket.flush().await.is_ok(),
                        None => false,
                    },
                    text = socket.next() => text.is_some_and(|text| {
                        let is_accepted = Frame::parse(&text).is_ok_and(|frame| frame.kind == "accepted");
                        !is_refusal(&text) && (!is_accepted || answer.try_send(Instant::now()).is_ok())
                    }),
                };
                if !alive {
                    return;
                }
            }
        });
        let (body, _task) = (body_of("0", body_bytes), AbortOnDropHandle::new(task));
        Ok(Self { frames, accepted, room, body, prefix, number: 0, unanswered: 0, _task })
    }

    async fn send(&mut self) -> anyhow::Result<()> {
        self.number += 1;
        self.unanswered += 1;
        let frame = send_in(self.room, &format!("{}{}", self.prefix, self.number), &self.body);
        self.frames.send(frame).await.context("the writer's connection ended, or a message was refused")
    }

    /// Waits for all answers; when the last one came.
    async fn answers(&mut self) -> anyhow::Result<Instant> {
        let mut last = Instant::now();
        while self.unanswered > 0 {
            let answer = tokio::time::timeout(PATIENCE, self.accepted.recv()).await;
            last = answer.ok().flatten().context("a message to the room was not accepted")?;
            self.unanswered -= 1;
        }
        Ok(last)
    }
}
