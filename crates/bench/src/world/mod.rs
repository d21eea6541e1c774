//! What a bench runs on: Milena's own programs as child processes, on the embedded log or on Apache Kafka.

mod files;
mod metrics;
mod people;
mod program;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use milena_settings::{DatabaseSettings, KafkaSettings, Secret, Settings};
use tempfile::TempDir;

pub use files::raise_open_files;
pub use metrics::{Metrics, post};
pub use people::{Person, sign_up};
pub use program::Program;

use crate::measure::process::Watched;

/// How long the programs may take until they serve.
const READY_LIMIT: Duration = Duration::from_secs(60);
/// Below the range that Linux gives to outgoing connections.
const FIRST_PORT: u16 = 10_000;

/// Which log, and with it which database and programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BrokerKind {
    /// The program `milena`: its own log, SQLite, backend and consumer in one process.
    Embedded,
    /// `backend` and `kafka-consumer` on Apache Kafka and PostgreSQL.
    Kafka,
}

impl BrokerKind {
    /// As it stands in the report.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Kafka => "kafka",
        }
    }
}

/// Where the programs and servers are.
#[derive(Debug, Clone, Args)]
pub struct Place {
    /// The log that is measured.
    #[arg(long, value_enum, default_value = "embedded")]
    pub broker: BrokerKind,
    /// Folder of milena, backend and kafka-consumer [default: that of milena-bench].
    #[arg(long, value_name = "DIR")]
    pub programs: Option<PathBuf>,
    /// Bootstrap servers, for --broker kafka.
    #[arg(long, env = "MILENA_BENCH_KAFKA", value_name = "HOST:PORT")]
    pub kafka: Option<String>,
    /// Kafka's process, whose CPU time and memory are reported.
    #[arg(long, env = "MILENA_BENCH_KAFKA_PID", value_name = "PID")]
    pub kafka_pid: Option<u32>,
    /// PostgreSQL, for --broker kafka.
    #[arg(long, env = "MILENA_BENCH_POSTGRES_URL", value_name = "URL", hide_env_values = true)]
    pub postgres_url: Option<String>,
    /// PostgreSQL's first process; its children are counted with it.
    #[arg(long, env = "MILENA_BENCH_POSTGRES_PID", value_name = "PID")]
    pub postgres_pid: Option<u32>,
}

/// Running programs that share a log and a database. They are killed, and their data removed, when it is
/// dropped.
pub struct World {
    kind: BrokerKind,
    programs: Vec<Program>,
    /// Where each backend serves.
    pub gateways: Vec<SocketAddr>,
    /// The log's address and topic; of the first program on the embedded log.
    pub kafka: KafkaSettings,
    /// The database of each backend, in their order.
    pub databases: Vec<DatabaseSettings>,
    servers: Vec<Watched>,
    _folder: TempDir,
}

impl World {
    /// Starts `nodes` backends (for the embedded log: programs that share nothing) and waits until they are
    /// ready. `settings`: lines of TOML in addition to the bench's own.
    ///
    /// # Errors
    /// A program cannot be started, or a server's address is not known.
    pub async fn start(place: &Place, nodes: usize, settings: &str) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("milena-bench.").tempdir()?;
        let mut world = match place.broker {
            BrokerKind::Embedded => Self::embedded(place, nodes, settings, folder)?,
            BrokerKind::Kafka => Self::on_kafka(place, nodes, settings, folder)?,
        };
        world.ready().await?;
        Ok(world)
    }

    fn embedded(place: &Place, nodes: usize, extra: &str, folder: TempDir) -> anyhow::Result<Self> {
        let mut kafka = Settings::defaults().kafka;
        let (mut programs, mut gateways, mut databases) = (Vec::new(), Vec::new(), Vec::new());
        for node in 0..nodes {
            let (http, log) = (free_address()?, free_address()?);
            if node == 0 {
                kafka.brokers = log.to_string();
            }
            let mut database = Settings::defaults().database;
            let data = folder.path().join(format!("data-{node}"));
            database.url = Secret::new(format!("sqlite:{}?mode=rw", data.join("milena.db").display()));
            let file = write_settings(folder.path(), node, extra)?;
            let mut command = program::command(place, "milena")?;
            command.arg("--data").arg(&data).arg("--config").arg(file);
            command.args(["--listen", &http.to_string(), "--broker", &log.to_string()]);
            // The bench's own clients look into the log too.
            command.env("MILENA__BROKER__AUTHENTICATION", "none");
            programs.push(Program::start(command, &name_of("milena", node), folder.path())?);
            gateways.push(http);
            databases.push(database);
        }
        let kind = BrokerKind::Embedded;
        Ok(Self { kind, programs, gateways, kafka, databases, servers: Vec::new(), _folder: folder })
    }

    fn on_kafka(place: &Place, nodes: usize, extra: &str, folder: TempDir) -> anyhow::Result<Self> {
        let needs = "is needed for --broker kafka (scripts/bench starts one)";
        let mut kafka = Settings::defaults().kafka;
        kafka.brokers = place.kafka.clone().with_context(|| format!("Kafka's address (--kafka) {needs}"))?;
        kafka.topic = format!("bench-{}", uuid::Uuid::now_v7().simple());
        kafka.dead_topic = format!("{}.dead", kafka.topic);
        kafka.signals_topic = format!("{}.signals", kafka.topic);
        let mut database = Settings::defaults().database;
        let url =
            place.postgres_url.clone().with_context(|| format!("PostgreSQL's (--postgres-url) {needs}"))?;
        database.url = Secret::new(url.clone());
        let shared = format!(
            "{extra}\n[kafka]\nbrokers = \"{}\"\ntopic = \"{topic}\"\ndead_topic = \"{topic}.dead\"\n\
             signals_topic = \"{topic}.signals\"\n\
             [database]\nurl = \"{url}\"\n[consumer]\ngroup = \"{topic}\"\n",
            kafka.brokers,
            topic = kafka.topic
        );
        let (mut programs, mut gateways) = (Vec::new(), Vec::new());
        let file = write_settings(folder.path(), 0, &shared)?;
        for node in 0..nodes {
            let http = free_address()?;
            let mut command = program::command(place, "backend")?;
            command.arg("--config").arg(&file).env("MILENA__HTTP__LISTEN", http.to_string());
            programs.push(Program::start(command, &name_of("backend", node), folder.path())?);
            gateways.push(http);
        }
        let mut command = program::command(place, "kafka-consumer")?;
        command.arg("--config").arg(&file).arg("run");
        programs.push(Program::start(command, "kafka-consumer", folder.path())?);
        let server = |name: &str, pid: Option<u32>| {
            pid.map(|pid| Watched { name: name.to_owned(), pid, is_measured: true })
        };
        let servers =
            [server("kafka", place.kafka_pid), server("postgres", place.postgres_pid)].into_iter().flatten();
        let servers = servers.collect();
        let databases = vec![database; nodes];
        Ok(Self { kind: BrokerKind::Kafka, programs, gateways, kafka, databases, servers, _folder: folder })
    }

    async fn ready(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + READY_LIMIT;
        for gateway in self.gateways.clone() {
            while metrics::get(gateway, "/readyz").await.is_err() {
                self.check()?;
                if Instant::now() > deadline {
                    bail!("http://{gateway} is not ready after {READY_LIMIT:?}");
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Ok(())
    }

    /// Whether all programs still run.
    ///
    /// # Errors
    /// Names one that does not, with the end of what it said.
    pub fn check(&mut self) -> anyhow::Result<()> {
        self.programs.iter_mut().try_for_each(Program::check)
    }

    /// Which log it is.
    #[must_use]
    pub const fn kind(&self) -> BrokerKind {
        self.kind
    }

    /// All processes that take part, and this one.
    #[must_use]
    pub fn watched(&self) -> Vec<Watched> {
        let bench = Watched { name: "bench".to_owned(), pid: std::process::id(), is_measured: false };
        let programs = self.programs.iter().map(Program::watched);
        programs.chain(self.servers.iter().cloned()).chain([bench]).collect()
    }

    /// The processes that hold connections.
    #[must_use]
    pub fn gateway_processes(&self) -> Vec<Watched> {
        self.programs.iter().take(self.gateways.len()).map(Program::watched).collect()
    }
}

fn name_of(program: &str, node: usize) -> String {
    if node == 0 { program.to_owned() } else { format!("{program}-{}", node + 1) }
}

/// The bench's people are many and all on one machine: what protects a server from one address or person
/// would measure the protection.
fn write_settings(folder: &Path, node: usize, extra: &str) -> anyhow::Result<PathBuf> {
    let file = folder.join(format!("settings-{node}.toml"));
    let text = format!(
        "[limits]\nsign_in_burst = 100000\nsign_in_per_minute = 100000\nsend_burst = 100000\n\
         send_per_second = 100000\nsend_bytes_burst = 4000000000\nsend_bytes_per_second = 4000000000\n\
         send_bytes_per_day = 4000000000\nrequest_burst = 100000\nrequest_per_second = 100000\n\
         frame_burst = 100000\nframe_per_second = 100000\n\
         [http]\nmax_connections = 100000\nmax_connections_per_address = 100000\n\
         [logging]\nfilter = \"warn\"\n{extra}\n"
    );
    std::fs::write(&file, text).with_context(|| format!("{} cannot be written", file.display()))?;
    Ok(file)
}

/// An address on which nothing listens.
fn free_address() -> anyhow::Result<SocketAddr> {
    for _ in 0..1_000 {
        let port = FIRST_PORT + rand::random_range(0..10_000);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            return Ok(address);
        }
    }
    bail!("found no free port from {FIRST_PORT} on")
}
