//! The real program `kafka-consumer` as a child process.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use milena_settings::{DatabaseSettings, KafkaSettings};

use crate::measure::process::Usage;

const ANSWER: Duration = Duration::from_secs(2);

/// A running consumer; killed when dropped.
pub(super) struct Consumer {
    child: Child,
    log: PathBuf,
    metrics: SocketAddr,
}

impl Consumer {
    /// `settings`: lines of TOML for `[consumer]`. `folder` takes its settings and its output.
    pub(super) fn start(
        programs: Option<&Path>,
        folder: &Path,
        kafka: &KafkaSettings,
        database: &DatabaseSettings,
        group: &str,
        settings: &str,
    ) -> anyhow::Result<Self> {
        let own = std::env::current_exe().context("the folder of milena-bench is not known")?;
        let program = programs.or(own.parent()).unwrap_or(Path::new("")).join("kafka-consumer");
        if !program.exists() {
            bail!("{} is missing: build it, or name its folder with --programs", program.display());
        }
        let metrics = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let config = folder.join(format!("{group}.toml"));
        let text = format!(
            "[kafka]\nbrokers = \"{}\"\ntopic = \"{}\"\ndead_topic = \"{}\"\n[database]\nurl = \"{}\"\n\
             [consumer]\ngroup = \"{group}\"\nlisten = \"{metrics}\"\n{settings}\n",
            kafka.brokers,
            kafka.topic,
            kafka.dead_topic,
            database.url.expose()
        );
        std::fs::write(&config, text).with_context(|| format!("{} cannot be written", config.display()))?;
        let log = folder.join(format!("{group}.log"));
        let file = File::create(&log)?;
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("MILENA_")) {
                command.env_remove(name);
            }
        }
        command.arg("--config").arg(config).arg("run");
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let child = command.spawn().context("kafka-consumer cannot be started")?;
        Ok(Self { child, log, metrics })
    }

    /// Whether it still runs; else the end of what it said.
    pub(super) fn check(&mut self) -> anyhow::Result<()> {
        let Some(status) = self.child.try_wait()? else { return Ok(()) };
        let said = std::fs::read_to_string(&self.log).unwrap_or_default();
        bail!("kafka-consumer ended with {status}; it said:\n{said}")
    }

    pub(super) fn usage(&self) -> anyhow::Result<Usage> {
        Usage::of(self.child.id())
    }

    /// One of its own metrics, as it stands now.
    pub(super) fn metric(&self, name: &str) -> anyhow::Result<f64> {
        let mut stream = TcpStream::connect(self.metrics)?;
        stream.set_read_timeout(Some(ANSWER))?;
        write!(stream, "GET /metrics HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.metrics)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let value = answer.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        value.with_context(|| format!("kafka-consumer has no metric {name}"))
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
