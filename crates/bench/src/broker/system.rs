//! The logs that are measured: how to reach them, and the processes of those that the bench starts itself.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;

/// As many as a topic of the programs has.
pub(super) const PARTITIONS: i32 = 12;
/// Starts on a clean folder; the median counts.
pub(super) const STARTS: usize = 7;

/// When the embedded log syncs.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sync {
    Always,
    Interval(Duration),
}

/// One log under test.
#[derive(Debug)]
pub(super) struct System {
    /// For people.
    pub(super) name: &'static str,
    /// What its figures' keys begin with.
    pub(super) prefix: &'static str,
    pub(super) bootstrap: String,
    /// Whose CPU and memory count; `None` where the process is not known.
    pub(super) pid: Option<u32>,
    /// Ends with the bench, however that ends.
    _server: Option<Server>,
}

impl System {
    pub(super) fn embedded(name: &'static str, sync: Sync, folder: &Path) -> anyhow::Result<Self> {
        let server = Server::start(&folder.join(name), sync)?;
        let prefix = match sync {
            Sync::Always => "",
            Sync::Interval(_) => "interval_",
        };
        Ok(Self {
            name,
            prefix,
            bootstrap: server.address.clone(),
            pid: Some(server.child.id()),
            _server: Some(server),
        })
    }

    pub(super) fn kafka(bootstrap: &str, pid: Option<u32>) -> Self {
        Self { name: "Apache Kafka", prefix: "kafka_", bootstrap: bootstrap.to_owned(), pid, _server: None }
    }

    /// What all clients of all logs have in common.
    pub(super) fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.bootstrap).set("broker.address.family", "v4");
        config
    }

    /// Runs `measure` on a new topic, and removes it.
    pub(super) fn with_topic(
        &self,
        name: &str,
        measure: impl FnOnce(&str) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let nanos = std::time::SystemTime::UNIX_EPOCH.elapsed()?.as_nanos();
        let topic = format!("bench-{name}-{nanos}");
        let admin: AdminClient<DefaultClientContext> = self.client().create()?;
        let options = AdminOptions::new();
        let new = NewTopic::new(&topic, PARTITIONS, TopicReplication::Fixed(1));
        let created = futures::executor::block_on(admin.create_topics([&new], &options))?;
        ensure!(created.iter().all(Result::is_ok), "{}: topic not created: {created:?}", self.name);
        let measured = measure(&topic);
        let _ = futures::executor::block_on(admin.delete_topics(&[&topic], &options));
        measured.with_context(|| self.name)
    }
}

/// The median time from starting the process to its listening, on a folder that is not there yet.
pub(super) fn start_ms(folder: &Path) -> anyhow::Result<f64> {
    let start = |number: usize| {
        let began = Instant::now();
        Server::start(&folder.join(format!("start-{number}")), Sync::Always)?;
        anyhow::Ok(began.elapsed().as_secs_f64() * 1e3)
    };
    let took = (0..STARTS).map(start).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(super::median(&took))
}

/// This very program in another process, serving a log.
#[derive(Debug)]
struct Server {
    child: Child,
    address: String,
    /// The server ends when this is closed.
    _stdin: ChildStdin,
}

impl Server {
    fn start(folder: &Path, sync: Sync) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("serve-broker").arg(folder);
        if let Sync::Interval(interval) = sync {
            command.arg("--sync-ms").arg(interval.as_millis().to_string());
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let stdin = child.stdin.take().context("the pipe is there")?;
        let mut address = String::new();
        BufReader::new(child.stdout.take().context("the pipe is there")?).read_line(&mut address)?;
        ensure!(!address.is_empty(), "the embedded log did not start (above)");
        Ok(Self { child, address: address.trim().to_owned(), _stdin: stdin })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
