//! `idle`: signed-in connections that do nothing; memory of the backend for each, and the CPU time of their
//! heartbeats.
//!
//! The clients live in processes of their own with source addresses of their own: one process may hold only
//! so many open files, and two addresses have only some 28,000 ports between them. Where one backend may not
//! hold them all, several do, and the memory of all is counted.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::Args;
use futures::{StreamExt, TryStreamExt};
use tokio_util::task::TaskTracker;

use crate::client::{Origin, Socket};
use crate::measure::process::{Meter, Span, Usage, Watched};
use crate::measure::report::Report;
use crate::world::{Person, Place, World, raise_open_files, sign_up};

/// What the bench can be told.
#[derive(Debug, Args)]
pub struct Options {
    #[command(flatten)]
    place: Place,
    /// Connections.
    #[arg(long, default_value_t = 10_000)]
    connections: usize,
    /// Observed time, in which only heartbeats pass.
    #[arg(long, default_value_t = 60.0)]
    seconds: f64,
    /// The server pings after this long without anything received.
    #[arg(long, default_value_t = 25_000)]
    heartbeat_ms: u64,
}

/// The subcommand that holds connections.
pub const HOLD: &str = "hold";
/// Connections of one process and source address.
const PER_HOLDER: usize = 10_000;
/// Connections that a holder opens at the same time.
const PARALLEL: usize = 64;
/// Memory has settled when it changed by less than this in a second.
const SETTLED_KIB: u64 = 512;
const SETTLE_LIMIT: Duration = Duration::from_secs(20);

/// Runs it.
///
/// # Errors
/// When something is not there, or a connection was lost.
pub async fn run(options: &Options) -> anyhow::Result<Report> {
    ensure!(options.connections > 0, "at least 1 connection");
    let sockets = raise_open_files(1_000)?;
    let nodes = options.connections.div_ceil(sockets);
    if nodes > 1 {
        eprintln!("one process may hold {sockets} sockets here: {nodes} backends share the connections");
    }
    let settings = format!("[socket]\nheartbeat_ms = {}\n", options.heartbeat_ms);
    let world = World::start(&options.place, nodes, &settings).await?;
    let share = options.connections.div_ceil(nodes);
    let mut people = Vec::new();
    for node in 0..nodes {
        let count = share.min(options.connections - node * share);
        people.push(sign_up(&world.databases[node], count).await?);
    }
    let gateways = world.gateway_processes();
    let before = resident_kib(&gateways)?;
    let begun = Instant::now();
    let mut holders = Vec::new();
    for (node, people) in people.iter().enumerate() {
        for some in people.chunks(PER_HOLDER) {
            let source = Ipv4Addr::new(127, 0, 0, 2 + holders.len() as u8);
            holders.push(Holder::start(world.gateways[node], source, some)?);
        }
    }
    for holder in &mut holders {
        holder.has_all().await?;
    }
    let connected_s = begun.elapsed().as_secs_f64();
    let connected = settled_kib(&gateways).await?;
    let meter = Meter::start(&world.watched())?;
    tokio::time::sleep(Duration::from_secs_f64(options.seconds)).await;
    let spans = meter.read()?;
    let after = resident_kib(&gateways)?;
    for holder in holders {
        holder.end().await?;
    }
    let each = (after.saturating_sub(before)) as f64 / options.connections as f64;
    let heartbeats = cpu_of(&spans, &gateways) / options.seconds;
    eprintln!(
        "connected in {connected_s:.1} s; {each:.2} KiB each; heartbeats take {heartbeats:.4} of a core"
    );
    Ok(Report::new("idle", world.kind().as_str())
        .figure("connections", options.connections)
        .figure("backends", nodes)
        .figure("connect_s", connected_s)
        .figure("rss_kib_per_connection", each)
        .figure(
            "rss_kib_per_connection_at_once",
            connected.saturating_sub(before) as f64 / options.connections as f64,
        )
        .figure("heartbeat_ms", options.heartbeat_ms)
        .figure("heartbeat_cores", heartbeats)
        .processes(&spans))
}

/// Memory of all of them together.
pub(super) fn resident_kib(processes: &[Watched]) -> anyhow::Result<u64> {
    processes.iter().map(|process| Ok(Usage::of(process.pid)?.rss_kib)).sum()
}

async fn settled_kib(processes: &[Watched]) -> anyhow::Result<u64> {
    let deadline = Instant::now() + SETTLE_LIMIT;
    let mut last = resident_kib(processes)?;
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = resident_kib(processes)?;
        if now.abs_diff(last) < SETTLED_KIB || Instant::now() > deadline {
            return Ok(now);
        }
        last = now;
    }
}

fn cpu_of(spans: &[Span], processes: &[Watched]) -> f64 {
    let of_one = |span: &&Span| processes.iter().any(|process| process.pid == span.watched.pid);
    spans.iter().filter(of_one).map(|span| span.cpu_s).sum()
}

/// A process that holds connections; it ends with its standard input, or with this value.
struct Holder {
    child: Child,
    input: ChildStdin,
    /// Read on a thread that may wait.
    output: Option<BufReader<ChildStdout>>,
    connections: usize,
}

impl Holder {
    fn start(gateway: SocketAddr, source: Ipv4Addr, people: &[Person]) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(HOLD).arg(gateway.to_string()).arg(source.to_string());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let input = child.stdin.take().context("a pipe")?;
        let output = child.stdout.take().map(BufReader::new);
        let mut holder = Self { child, input, output, connections: people.len() };
        let tokens: String = people.iter().map(|person| format!("{}\n", person.token)).collect();
        // An empty line ends the list.
        holder.input.write_all(format!("{tokens}\n").as_bytes())?;
        Ok(holder)
    }

    /// Waits until it says that it has all its connections.
    async fn has_all(&mut self) -> anyhow::Result<()> {
        let mut output = self.output.take().context("one question at a time")?;
        let reading = move || {
            let mut line = String::new();
            let outcome = output.read_line(&mut line).map(|_| line);
            (output, outcome)
        };
        let (output, line) = tokio::task::spawn_blocking(reading).await?;
        self.output = Some(output);
        let (line, wanted) = (line?, format!("held {}", self.connections));
        ensure!(
            line.trim() == wanted,
            "instead of {wanted:?} a process that holds connections said {line:?}"
        );
        Ok(())
    }

    async fn end(mut self) -> anyhow::Result<()> {
        // A line rather than the end of the input: what it still holds must be told.
        self.input.write_all(b"end\n")?;
        self.has_all().await.context("connections were lost while idle")
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the process does that holds connections: reads tokens up to an empty line, connects, says `held N`,
/// waits for a line, and says `held N` again with what is left.
///
/// # Errors
/// When a connection is refused.
#[allow(clippy::print_stdout, reason = "its parent reads that")]
pub async fn hold(gateway: SocketAddr, source: Ipv4Addr) -> anyhow::Result<()> {
    raise_open_files(0)?;
    let mut tokens: Vec<String> = Vec::new();
    for line in std::io::stdin().lock().lines() {
        match line? {
            line if line.is_empty() => break,
            token => tokens.push(token),
        }
    }
    let origin = Origin { address: Some(source), receive_buffer_bytes: None, without_prefix: false };
    let tasks = TaskTracker::new();
    let opening = futures::stream::iter(tokens).map(async |token: String| {
        let mut socket = Socket::open(gateway, origin, &token, None).await?;
        // From now on: a ping may come, and must be answered, while others still connect.
        tasks.spawn(async move { while socket.next().await.is_some() {} });
        anyhow::Ok(())
    });
    opening.buffer_unordered(PARALLEL).try_collect::<()>().await?;
    println!("held {}", tasks.len());
    let more = || std::io::stdin().lock().lines().next().is_some_and(|line| line.is_ok());
    if tokio::task::spawn_blocking(more).await? {
        println!("held {}", tasks.len());
    }
    Ok(())
}
