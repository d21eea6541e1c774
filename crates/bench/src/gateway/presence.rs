//! `presence`: people in rooms who watch each other, some of whom go, come and type; what that costs for each
//! of them, whatever the size of their rooms, and what everybody sees when all connections break at once.
//!
//! Everybody is connected, has one room open, and sees the faces of some of its members. With two backends
//! every second person is on the other one, and comes back to the one where they were not.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::Args;
use futures::{StreamExt, TryStreamExt};
use milena_domain::{ConversationId, UserId};
use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::idle::resident_kib;
use super::rooms::create;
use crate::client::{Frame, Origin, Socket};
use crate::measure::process::{Meter, Span, add_spans};
use crate::measure::report::Report;
use crate::world::{BrokerKind, Metrics, Person, Place, World, raise_open_files, sign_up};

/// What the bench can be told.
#[derive(Debug, Args)]
pub struct Options {
    #[command(flatten)]
    place: Place,
    /// People, all connected [default: 2,000 and then 10,000].
    #[arg(long)]
    people: Option<usize>,
    /// Members of each of their rooms [default: 50, then 200, then 500].
    #[arg(long)]
    members: Option<usize>,
    /// Measured time, once without and once with changes.
    #[arg(long, default_value_t = 30.0)]
    seconds: f64,
    /// Of 100 people, so many go or come in a minute.
    #[arg(long, default_value_t = 1.0)]
    changes_percent: f64,
    /// Of 100 people, so many type at any time.
    #[arg(long, default_value_t = 1.0)]
    typing_percent: f64,
    /// People whom each of them sees, besides the room.
    #[arg(long, default_value_t = 20)]
    watched: usize,
}

const PEOPLE: [usize; 2] = [2_000, 10_000];
const MEMBERS: [usize; 3] = [50, 200, 500];
/// Connections that are opened at the same time.
const PARALLEL: usize = 64;
/// Whoever goes stays away for about so long.
const AWAY: Duration = Duration::from_secs(10);
/// A client that types says so this often.
const TYPING_EVERY_S: f64 = 3.0;
/// For the answers to what everybody watches.
const PATIENCE: Duration = Duration::from_secs(60);
/// After a storm, for what may still be told of it: longer than a person's changes are kept together.
const SETTLE: Duration = Duration::from_secs(5);
/// Frames that wait for one client's task.
const FRAMES: usize = 16;

/// Runs it.
///
/// # Errors
/// When something is not there, or a connection was lost.
pub async fn run(options: &Options) -> anyhow::Result<Report> {
    let people = options.people.map_or(PEOPLE.to_vec(), |people| vec![people]);
    let members = options.members.map_or(MEMBERS.to_vec(), |members| vec![members]);
    ensure!(members.iter().all(|members| *members >= 2), "at least 2 members (--members)");
    let fits = |people: &usize| members.iter().all(|members| members <= people);
    ensure!(people.iter().all(fits), "at least as many people as a room has members (--people)");
    raise_open_files(people.iter().copied().max().unwrap_or_default())?;
    let mut report = None;
    for people in people {
        for members in &members {
            let figures = measure(options, people, *members).await?;
            eprintln!("{}", figures.line());
            report = Some(figures.report(options.place.broker.as_str()));
        }
    }
    report.context("nothing was measured")
}

/// Of so many people in rooms of one size.
struct Figures {
    people: usize,
    rooms: usize,
    members: usize,
    signals_per_s: f64,
    told_per_s: f64,
    cpu_us_per_person_s: f64,
    cpu_us_per_person_s_quiet: f64,
    storm_s: f64,
    storm_transitions: u64,
    rss_kib_per_person: f64,
    spans: Vec<Span>,
}

impl Figures {
    fn line(&self) -> String {
        format!(
            "{} people in {} rooms of {}: {:.1} signals/s, {:.1} frames/s; {:.1} µs of CPU time a person and \
             second, {:.1} without changes; {:.2} KiB each; all back after {:.1} s, {} seen to go",
            self.people,
            self.rooms,
            self.members,
            self.signals_per_s,
            self.told_per_s,
            self.cpu_us_per_person_s,
            self.cpu_us_per_person_s_quiet,
            self.rss_kib_per_person,
            self.storm_s,
            self.storm_transitions,
        )
    }

    fn report(&self, broker: &str) -> Report {
        Report::new("presence", broker)
            .figure("people", self.people)
            .figure("rooms", self.rooms)
            .figure("members", self.members)
            .figure("signals_per_s", self.signals_per_s)
            .figure("told_per_s", self.told_per_s)
            .figure("cpu_us_per_person_s", self.cpu_us_per_person_s)
            .figure("cpu_us_per_person_s_quiet", self.cpu_us_per_person_s_quiet)
            .figure("rss_kib_per_person", self.rss_kib_per_person)
            .figure("storm_s", self.storm_s)
            .figure("storm_transitions", self.storm_transitions)
            .processes(&self.spans)
    }
}

async fn measure(options: &Options, people: usize, members: usize) -> anyhow::Result<Figures> {
    let nodes = if options.place.broker == BrokerKind::Kafka { 2 } else { 1 };
    let world = World::start(&options.place, nodes, "[rooms]\njoin_at_registration = []").await?;
    let signed_up = sign_up(&world.databases[0], people).await?;
    let gateways = world.gateway_processes();
    let mut seats = Vec::with_capacity(people);
    let mut rooms = 0;
    for some in signed_up.chunks(members) {
        let (owner, others) = some.split_first().context("nobody")?;
        let room = create(world.gateways[0], owner, others).await?;
        seats.extend(seats_in(room, some, options.watched));
        rooms += 1;
    }
    let before_kib = resident_kib(&gateways)?;
    let mut house = House::connect(&world.gateways, seats, 0).await?;
    let rss_kib = resident_kib(&gateways)?.saturating_sub(before_kib);

    let span = Duration::from_secs_f64(options.seconds);
    let quiet = Meter::start(&world.watched())?;
    tokio::time::sleep(span).await;
    let quiet = quiet.read()?;

    let sent = signals(&world).await?;
    let told = house.seen.told.load(Ordering::Relaxed);
    let busy = Meter::start(&world.watched())?;
    house.live(options, span).await?;
    let mut spans = busy.read()?;
    let signals_per_s = (signals(&world).await? - sent) / options.seconds;
    let told_per_s = (house.seen.told.load(Ordering::Relaxed) - told) as f64 / options.seconds;

    let per_person = |spans: &[Span]| {
        let of_gateways = spans.iter().filter(|span| gateways.iter().any(|one| one.pid == span.watched.pid));
        of_gateways.map(|span| span.cpu_s).sum::<f64>() * 1e6 / people as f64 / options.seconds
    };
    let (cpu_us_per_person_s, cpu_us_per_person_s_quiet) = (per_person(&spans), per_person(&quiet));
    let storm = Meter::start(&world.watched())?;
    let (storm_s, storm_transitions) = house.storm(&world.gateways).await?;
    add_spans(&mut spans, storm.read()?);
    Ok(Figures {
        people,
        rooms,
        members,
        signals_per_s,
        told_per_s,
        cpu_us_per_person_s,
        cpu_us_per_person_s_quiet,
        storm_s,
        storm_transitions,
        rss_kib_per_person: rss_kib as f64 / people as f64,
        spans,
    })
}

/// What the backends have put into the topic of signals.
async fn signals(world: &World) -> anyhow::Result<f64> {
    let mut sum = 0.0;
    for gateway in &world.gateways {
        sum += Metrics::read(*gateway).await?.sum("milena_signals_total", "outcome=\"sent\"");
    }
    Ok(sum)
}

/// Somebody, and what their client shows.
struct Seat {
    person: Person,
    room: ConversationId,
    /// The frame that says it.
    watch: String,
}

/// The people of a room; each sees those who come after them, as far as there are any.
fn seats_in(room: ConversationId, people: &[Person], watched: usize) -> Vec<Seat> {
    let ids: Vec<UserId> = people.iter().map(|person| person.id).collect();
    let seat = |(number, person): (usize, &Person)| {
        let users: Vec<UserId> = ids.iter().cycle().skip(number + 1).take(watched).copied().collect();
        let watch = json!({"type": "watch", "users": users, "conversations": [room]}).to_string();
        Seat { person: person.clone(), room, watch }
    };
    people.iter().enumerate().map(seat).collect()
}

/// What all clients were told; each is written by their tasks.
#[derive(Debug, Default)]
struct Seen {
    /// Frames about who is here, and who types.
    told: AtomicU64,
    /// People who were said to be offline.
    gone: AtomicU64,
    /// Clients whose `watch` was answered.
    watching: AtomicU64,
    /// Connections that ended, or on which something was refused.
    lost: AtomicU64,
}

/// All of them, connected.
struct House {
    seats: Vec<Seat>,
    seen: Arc<Seen>,
    clients: Vec<Client>,
}

/// A client's task; what is sent to it goes to the server.
struct Client {
    frames: mpsc::Sender<String>,
    _task: AbortOnDropHandle<()>,
}

impl House {
    /// Connects everybody, `turn` places from where they are at home, and waits until all know what they
    /// watch.
    async fn connect(gateways: &[SocketAddr], seats: Vec<Seat>, turn: usize) -> anyhow::Result<Self> {
        let seen = Arc::new(Seen::default());
        let clients = connect(gateways, &seats, turn, &seen).await?;
        Ok(Self { seats, seen, clients })
    }

    fn say(&self, number: usize, frame: String) -> anyhow::Result<()> {
        let lost = self.seen.lost.load(Ordering::Relaxed);
        ensure!(lost == 0, "{lost} connections were lost, or refused something");
        self.clients[number].frames.try_send(frame).context("a client is far behind")
    }

    /// Some go and come, and some type, for so long.
    async fn live(&self, options: &Options, span: Duration) -> anyhow::Result<()> {
        let people = self.seats.len() as f64;
        let changes_per_s = people * options.changes_percent / 100.0 / 60.0;
        let typing_per_s = people * options.typing_percent / 100.0 / TYPING_EVERY_S;
        let changes = async {
            let (mut away, mut next) = (VecDeque::new(), 0);
            let away_max = (changes_per_s * AWAY.as_secs_f64()).ceil() as usize;
            every(changes_per_s, span, || {
                let (number, on) = match away.pop_front().filter(|_| away.len() + 1 >= away_max) {
                    Some(number) => (number, false),
                    None => (self.next(&mut next), true),
                };
                if on {
                    away.push_back(number);
                }
                self.say(number, json!({"type": "idle", "on": on}).to_string())
            })
            .await
        };
        let typing = async {
            let mut next = self.seats.len() / 2;
            every(typing_per_s, span, || {
                let number = self.next(&mut next);
                let conversation = self.seats[number].room;
                self.say(number, json!({"type": "typing", "conversation": conversation}).to_string())
            })
            .await
        };
        tokio::try_join!(changes, typing).map(drop)
    }

    /// One after the other, not those who are in one room.
    fn next(&self, at: &mut usize) -> usize {
        let number = *at % self.seats.len();
        *at += 1 + self.seats.len() / 7;
        number
    }

    /// All connections break and are opened anew, on the other backend where there is one. After how many
    /// seconds all are back, and how often somebody was said to have gone.
    async fn storm(&mut self, gateways: &[SocketAddr]) -> anyhow::Result<(f64, u64)> {
        self.clients.clear();
        self.seen = Arc::default();
        let begun = Instant::now();
        self.clients = connect(gateways, &self.seats, 1, &self.seen).await?;
        let took = begun.elapsed().as_secs_f64();
        tokio::time::sleep(SETTLE).await;
        ensure!(self.seen.lost.load(Ordering::Relaxed) == 0, "a connection was lost after the storm");
        Ok((took, self.seen.gone.load(Ordering::Relaxed)))
    }
}

async fn connect(
    gateways: &[SocketAddr],
    seats: &[Seat],
    turn: usize,
    seen: &Arc<Seen>,
) -> anyhow::Result<Vec<Client>> {
    let opening = seats.iter().enumerate().map(async |(number, seat)| {
        let gateway = gateways[(number + turn) % gateways.len()];
        let mut socket = Socket::open(gateway, Origin::default(), &seat.person.token, None).await?;
        socket.feed(seat.watch.clone()).await?;
        socket.flush().await?;
        let (frames, queued) = mpsc::channel(FRAMES);
        let task = tokio::spawn(client(socket, queued, Arc::clone(seen)));
        anyhow::Ok(Client { frames, _task: AbortOnDropHandle::new(task) })
    });
    let opening = futures::stream::iter(opening).buffered(PARALLEL);
    let clients: Vec<Client> = opening.try_collect().await.context("somebody could not connect")?;
    let deadline = Instant::now() + PATIENCE;
    while seen.watching.load(Ordering::Relaxed) < clients.len() as u64 {
        ensure!(Instant::now() < deadline, "not everybody was told whom they watch within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(clients)
}

/// One client: says what it is given, and reads all the time.
async fn client(mut socket: Socket, mut frames: mpsc::Receiver<String>, seen: Arc<Seen>) {
    let mut is_watching = false;
    loop {
        let is_alive = tokio::select! {
            frame = frames.recv() => match frame {
                Some(frame) => socket.feed(frame).await.is_ok() && socket.flush().await.is_ok(),
                None => return,
            },
            text = socket.next() => text.is_some_and(|text| seen.take(&text, &mut is_watching)),
        };
        if !is_alive {
            seen.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
    }
}

impl Seen {
    /// `false`: something was refused.
    fn take(&self, text: &str, is_watching: &mut bool) -> bool {
        let Ok(frame) = Frame::parse(text) else { return false };
        match frame.kind {
            "presence" => {
                let gone = text.matches(r#""state":"offline""#).count() as u64;
                self.gone.fetch_add(gone, Ordering::Relaxed);
                self.told.fetch_add(1, Ordering::Relaxed);
                if !std::mem::replace(is_watching, true) {
                    self.watching.fetch_add(1, Ordering::Relaxed);
                }
                true
            }
            "typing" | "here" => {
                self.told.fetch_add(1, Ordering::Relaxed);
                true
            }
            kind => kind != "error",
        }
    }
}

/// Does it so often for so long.
async fn every(
    per_s: f64,
    span: Duration,
    mut once: impl FnMut() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let begun = Instant::now();
    let mut done = 0.0;
    while begun.elapsed() < span {
        let due = begun + Duration::from_secs_f64(done / per_s.max(1e-3));
        if due >= begun + span {
            tokio::time::sleep_until((begun + span).into()).await;
            break;
        }
        tokio::time::sleep_until(due.into()).await;
        once()?;
        done += 1.0;
    }
    Ok(())
}
