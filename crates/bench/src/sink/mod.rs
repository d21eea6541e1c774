//! The consumer: how fast it catches up, and how soon a message is stored when it has caught up.
//!
//! The limit of the first is the database's own bulk load of the same rows into the same empty tables with
//! the same indexes, and reading the topic without storing anything. All three happen in the same run, one
//! after the other, on the same servers. With the programs of an older version at hand, theirs too: whether
//! storing became slower is a ratio of the same minutes, not a difference between two days.

mod database;
mod lengths;
mod letters;
mod program;
mod room_letters;
mod steady;
mod topic;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::bail;
use clap::Args;
use milena_settings::KafkaSettings;
use milena_storage::Store;
use tempfile::TempDir;

use self::database::{Database, StoreKind};
use self::program::Consumer;
use crate::measure::process::Usage;
use crate::measure::report::Report;

pub(crate) use steady::{Options as SteadyOptions, run as run_steady};

/// How often the consumer is asked how far it is, while everything runs flat out.
const LOOK: Duration = Duration::from_millis(20);
/// What the consumer counts of the rows that it has stored.
const ROWS: &str = "milena_consumer_rows_total";
/// Stored nothing new for this long: it will not end.
const STUCK: Duration = Duration::from_secs(60);

/// Where the servers and programs are.
#[derive(Debug, Clone, Args)]
pub(crate) struct Place {
    /// The database.
    #[arg(long, value_enum, default_value = "postgres")]
    store: StoreKind,
    /// Kafka's bootstrap servers.
    #[arg(long, env = "MILENA_BENCH_KAFKA", value_name = "HOST:PORT")]
    kafka: String,
    /// For --store postgres. Its tables are emptied.
    #[arg(long, env = "MILENA_BENCH_POSTGRES_URL", value_name = "URL", hide_env_values = true)]
    postgres_url: Option<String>,
    /// For --store mariadb. Its tables are emptied.
    #[arg(long, env = "MILENA_BENCH_MARIADB_URL", value_name = "URL", hide_env_values = true)]
    mariadb_url: Option<String>,
    /// PostgreSQL's first process, whose CPU time and that of its children is reported.
    #[arg(long, env = "MILENA_BENCH_POSTGRES_PID", value_name = "PID")]
    postgres_pid: Option<u32>,
    /// MariaDB's process.
    #[arg(long, env = "MILENA_BENCH_MARIADB_PID", value_name = "PID")]
    mariadb_pid: Option<u32>,
    /// Kafka's process, whose CPU time is reported.
    #[arg(long, env = "MILENA_BENCH_KAFKA_PID", value_name = "PID")]
    kafka_pid: Option<u32>,
    /// Folder of kafka-consumer [default: that of milena-bench].
    #[arg(long, value_name = "DIR")]
    programs: Option<PathBuf>,
    /// Lines of TOML for the consumer's section `[consumer]`, separated by semicolons.
    #[arg(long, default_value = "", value_name = "SETTINGS")]
    consumer: String,
}

impl Place {
    fn database(&self, folder: &Path) -> anyhow::Result<Database> {
        let url = match self.store {
            StoreKind::Postgres => self.postgres_url.as_deref(),
            StoreKind::Mariadb => self.mariadb_url.as_deref(),
            StoreKind::Sqlite => None,
        };
        Database::new(self.store, url, folder)
    }

    fn database_pid(&self) -> Option<u32> {
        match self.store {
            StoreKind::Postgres => self.postgres_pid,
            StoreKind::Mariadb => self.mariadb_pid,
            StoreKind::Sqlite => None,
        }
    }

    fn start(
        &self,
        folder: &Path,
        kafka: &KafkaSettings,
        database: &Database,
        group: &str,
    ) -> anyhow::Result<Consumer> {
        self.start_of(self.programs.as_deref(), folder, kafka, database, group)
    }

    fn start_of(
        &self,
        programs: Option<&Path>,
        folder: &Path,
        kafka: &KafkaSettings,
        database: &Database,
        group: &str,
    ) -> anyhow::Result<Consumer> {
        let settings = self.consumer.replace(';', "\n");
        Consumer::start(programs, folder, kafka, &database.settings(), group, &settings)
    }
}

/// Options of `sink`.
#[derive(Debug, Clone, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    place: Place,
    /// Messages.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    messages: u64,
    /// Rounds of loading, reading and consuming; each figure is the middle one.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    rounds: u64,
    /// Folder of an older kafka-consumer, which stores the same topic in the same rounds, in a database of
    /// its own.
    #[arg(long, value_name = "DIR")]
    old: Option<PathBuf>,
    /// Stores as many messages of rooms in each round too, from a topic and into a database of their own.
    #[arg(long)]
    rooms: bool,
}

/// The figures of one round.
struct Round {
    load_s: f64,
    read_s: f64,
    sink_s: f64,
    /// The older program's, when there is one.
    old: Option<Box<Self>>,
    /// Of as many messages in rooms, if that was asked for.
    rooms: Option<Box<Self>>,
    first_s: f64,
    consumer: Usage,
    database_cpu_s: f64,
    kafka_cpu_s: f64,
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sink_s, first_s, consumer, database_cpu_s, kafka_cpu_s, .. } = self;
        let cpu_s = consumer.cpu_s;
        write!(
            f,
            "consumed in {sink_s:.2} s (the first after {first_s:.2} s); CPU: consumer {cpu_s:.2} s, "
        )?;
        write!(f, "database {database_cpu_s:.2} s, Kafka {kafka_cpu_s:.2} s")
    }
}

/// `sink`.
pub(crate) async fn run(options: &Options) -> anyhow::Result<Report> {
    let (place, count) = (&options.place, options.messages);
    let folder = TempDir::with_prefix("milena-sink.")?;
    let database = place.database(folder.path())?;
    let store = Store::connect(&database.settings()).await?;
    store.migrate().await?;
    let kafka = topic::create(&place.kafka).await?;
    let rows = folder.path().join("rows");
    eprintln!("producing {count} messages");
    tokio::task::block_in_place(|| topic::fill(&kafka, count, &database, &rows))?;
    let rooms = if options.rooms {
        let kafka = topic::create(&place.kafka).await?;
        let records = tokio::task::block_in_place(|| topic::fill_rooms(&kafka, count))?;
        eprintln!("in rooms that is {records} records");
        Some((kafka, records))
    } else {
        None
    };
    let mut rounds = Vec::new();
    for number in 0..options.rounds {
        database.clear().await?;
        let load_s = database.load(&rows).await?.as_secs_f64();
        expect(&database, count).await?;
        eprintln!("loaded by the database's client in {load_s:.2} s");
        let read_s = tokio::task::block_in_place(|| topic::read(&kafka, count))?.as_secs_f64();
        database.clear().await?;
        let run = Run { place, folder: folder.path(), kafka: &kafka, count };
        let group = format!("{}-{number}", kafka.topic);
        let mut old = None;
        // In turns, so that neither always finds the servers warm from the other.
        if let (Some(programs), 1) = (&options.old, number % 2) {
            old = Some(run.consume_beside(Some(programs), &database, &format!("{group}-old")).await?);
        }
        let programs = place.programs.as_deref();
        let consumed = run.consume(programs, &database, &group).await?;
        expect(&database, count).await?;
        if let (Some(programs), 0) = (&options.old, number % 2) {
            old = Some(run.consume_beside(Some(programs), &database, &format!("{group}-old")).await?);
        }
        if let Some(old) = &old {
            eprintln!("the older program: {old}");
        }
        let mut in_rooms = None;
        if let Some((kafka, count)) = &rooms {
            let run = Run { kafka, count: *count, ..run };
            let stored = run.consume_beside(programs, &database, &format!("{group}-rooms")).await?;
            eprintln!("of rooms: {stored}");
            in_rooms = Some(Box::new(stored));
        }
        let round = Round { load_s, read_s, old: old.map(Box::new), rooms: in_rooms, ..consumed };
        eprintln!("{round}; {:.2} of the load's speed", round.load_s / round.sink_s);
        rounds.push(round);
    }
    store.close().await;
    Ok(report(place, count, &rounds))
}

async fn expect(database: &Database, count: u64) -> anyhow::Result<()> {
    let stored = database.count().await?;
    if stored != count {
        bail!("the store has {stored} messages, not {count}");
    }
    Ok(())
}

/// What all programs of a run have in common.
#[derive(Clone, Copy)]
struct Run<'a> {
    place: &'a Place,
    folder: &'a Path,
    kafka: &'a KafkaSettings,
    count: u64,
}

impl Run<'_> {
    /// The same in a database of its own, into tables that the program itself brings.
    async fn consume_beside(
        self,
        programs: Option<&Path>,
        database: &Database,
        group: &str,
    ) -> anyhow::Result<Round> {
        let beside = database.beside(group).await?;
        let round = self.consume(programs, &beside, group).await?;
        expect(&beside, self.count).await?;
        database.remove(beside).await?;
        Ok(round)
    }

    /// From the program's start until its last row is stored.
    async fn consume(
        self,
        programs: Option<&Path>,
        database: &Database,
        group: &str,
    ) -> anyhow::Result<Round> {
        let Self { place, folder, kafka, count } = self;
        let cpu_s =
            |pid: Option<u32>| pid.and_then(|pid| Usage::of_tree(pid).ok()).map_or(0.0, |usage| usage.cpu_s);
        let (database_before, kafka_before) = (cpu_s(place.database_pid()), cpu_s(place.kafka_pid));
        let begun = Instant::now();
        let mut consumer = place.start_of(programs, folder, kafka, database, group)?;
        let (mut stored, mut first_s, mut progress) = (0, 0.0, Instant::now());
        loop {
            // Its own count, which all versions have; before it has begun it answers nobody.
            let now = consumer.metric(ROWS).map_or(0, |rows| rows as u64);
            if now > stored {
                if stored == 0 {
                    first_s = begun.elapsed().as_secs_f64();
                }
                (stored, progress) = (now, Instant::now());
            }
            if stored >= count {
                break;
            }
            consumer.check()?;
            if progress.elapsed() > STUCK {
                bail!("kafka-consumer stored nothing for {STUCK:?}; {stored} of {count} are stored");
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(Round {
            load_s: 0.0,
            read_s: 0.0,
            sink_s: begun.elapsed().as_secs_f64(),
            old: None,
            rooms: None,
            first_s,
            consumer: consumer.usage()?,
            database_cpu_s: cpu_s(place.database_pid()) - database_before,
            kafka_cpu_s: cpu_s(place.kafka_pid) - kafka_before,
        })
    }
}

fn report(place: &Place, count: u64, rounds: &[Round]) -> Report {
    let middle = |figure: fn(&Round) -> f64| {
        let mut figures: Vec<f64> = rounds.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2]
    };
    let per_s = |seconds: f64| (count as f64 / seconds).round();
    let (load_s, sink_s) = (middle(|round| round.load_s), middle(|round| round.sink_s));
    let mut report = Report::new("sink", "kafka")
        .figure("store", place.store.as_str())
        .figure("messages", count)
        .figure("rounds", rounds.len())
        .figure("rows_per_s", per_s(sink_s))
        .figure("copy_rows_per_s", per_s(load_s))
        .figure("ratio", load_s / sink_s)
        .figure("read_rows_per_s", per_s(middle(|round| round.read_s)))
        .figure("first_rows_s", middle(|round| round.first_s))
        .figure("cpu_s", middle(|round| round.consumer.cpu_s))
        .figure("peak_rss_mb", middle(|round| round.consumer.peak_rss_kib as f64 / 1024.0))
        .figure("database_cpu_s", middle(|round| round.database_cpu_s))
        .figure("kafka_cpu_s", middle(|round| round.kafka_cpu_s));
    if rounds.iter().all(|round| round.rooms.is_some()) {
        let rooms_s = middle(|round| round.rooms.as_ref().map_or(f64::NAN, |rooms| rooms.sink_s));
        report = report.figure("room_rows_per_s", per_s(rooms_s)).figure("rooms_ratio", sink_s / rooms_s);
    }
    if rounds.iter().any(|round| round.old.is_none()) {
        return report;
    }
    let old_s = middle(|round| round.old.as_ref().map_or(f64::NAN, |old| old.sink_s));
    report.figure("old_rows_per_s", per_s(old_s)).figure("ratio_to_old", old_s / sink_s)
}
