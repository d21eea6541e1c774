//! Real servers, by the project's own scripts: shared ones that every test may use, and own ones to stop and
//! kill.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::{Path, PathBuf};
use std::process::Command;

use tokio::sync::Mutex;

/// Which program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Apache Kafka.
    Kafka,
    /// PostgreSQL.
    Postgres,
    /// MariaDB.
    MariaDb,
}

impl Kind {
    const fn script(self) -> &'static str {
        match self {
            Self::Kafka => "kafka",
            Self::Postgres => "postgres",
            Self::MariaDb => "mariadb",
        }
    }

    const fn variable(self) -> &'static str {
        match self {
            Self::Kafka => "MILENA_TEST_KAFKA",
            Self::Postgres => "MILENA_TEST_POSTGRES_URL",
            Self::MariaDb => "MILENA_TEST_MARIADB_URL",
        }
    }
}

/// Whether a server or client that is missing is a failure.
pub fn required() -> bool {
    std::env::var("MILENA_TEST_REQUIRE_SERVERS").is_ok_and(|value| value == "1")
}

/// The server of the environment, if it names one. Not to have one may be a failure ([`required`]).
///
/// # Panics
/// When it is one.
pub fn given(kind: Kind) -> Option<String> {
    let address = std::env::var(kind.variable()).ok().filter(|value| !value.is_empty());
    assert!(address.is_some() || !required(), "{} is required but not set", kind.variable());
    address
}

/// The address of a server that is only used, never stopped: the one of the environment, else one that is
/// started once for all tests of this process. `None`, with a line that says so, when there is none.
pub async fn shared(kind: Kind) -> Option<String> {
    if let Some(address) = given(kind) {
        return Some(address);
    }
    static STARTED: Mutex<Option<HashMap<Kind, Option<String>>>> = Mutex::const_new(None);
    let mut started = STARTED.lock().await;
    match started.get_or_insert_default().entry(kind) {
        Entry::Occupied(known) => known.get().clone(),
        // It ends with this process: see `--with` below.
        Entry::Vacant(place) => place.insert(start(kind, None).await.map(|server| server.address)).clone(),
    }
}

struct Started {
    address: String,
    /// Where a proxy connects to, for clients that are told the proxy's address; or where those sign in who
    /// are let in by ACLs.
    second: Option<String>,
    folder: PathBuf,
    process: u32,
}

async fn start(kind: Kind, folder: Option<&Path>) -> Option<Started> {
    start_with(kind, folder, None, &[]).await
}

async fn start_with(
    kind: Kind,
    folder: Option<&Path>,
    variable: Option<(&'static str, String)>,
    options: &[String],
) -> Option<Started> {
    let mut arguments = vec!["start".to_owned(), "--with".to_owned(), std::process::id().to_string()];
    if let Some(folder) = folder {
        arguments.extend(["--dir".to_owned(), folder.display().to_string()]);
    }
    arguments.extend_from_slice(options);
    match script(kind, arguments, variable).await {
        Ok(lines) => {
            let line = |names: &[&str]| {
                let value =
                    lines.lines().find_map(|line| names.iter().find_map(|name| line.strip_prefix(name)));
                value.expect("the script prints it").to_owned()
            };
            // Of several nodes the first.
            let process =
                line(&["PID="]).split(',').next().and_then(|id| id.parse().ok()).expect("a process id");
            let second = lines
                .lines()
                .find_map(|line| line.strip_prefix("PROXIED=").or_else(|| line.strip_prefix("SASL=")))
                .map(str::to_owned);
            let address = line(&["BOOTSTRAP=", "URL="]);
            Some(Started { address, second, folder: line(&["DIR="]).into(), process })
        }
        Err(problem) => {
            assert!(!required(), "scripts/{} failed: {problem}", kind.script());
            eprintln!("NOT RUN: scripts/{} cannot start a server: {problem}", kind.script());
            None
        }
    }
}

async fn script(
    kind: Kind,
    arguments: Vec<String>,
    variable: Option<(&'static str, String)>,
) -> Result<String, String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts").join(kind.script());
    let mut command = Command::new(script);
    command.args(arguments).envs(variable);
    let run = move || command.output();
    let output = tokio::task::spawn_blocking(run).await.unwrap().map_err(|error| error.to_string())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// A server of one test: killed, stopped and started again at will, gone at the end.
pub struct OwnServer {
    kind: Kind,
    started: Started,
}

impl OwnServer {
    /// `None` when it cannot be started here.
    pub async fn start(kind: Kind) -> Option<Self> {
        start(kind, None).await.map(|started| Self { kind, started })
    }

    /// On a port that others know already; several nodes take the ports after it.
    pub async fn start_at(kind: Kind, port: u16, nodes: usize) -> Option<Self> {
        let options = ["--port", &port.to_string(), "--nodes", &nodes.to_string()].map(str::to_owned);
        start_with(kind, None, None, &options).await.map(|started| Self { kind, started })
    }

    /// Apache Kafka with a second listener for those who come through a proxy on `port`.
    pub async fn kafka_behind(port: u16) -> Option<Self> {
        let variable = ("KAFKA_PROXY_PORT", port.to_string());
        let started = start_with(Kind::Kafka, None, Some(variable), &[]).await?;
        Some(Self { kind: Kind::Kafka, started })
    }

    /// Apache Kafka with a second listener at which these sign in (SASL PLAIN, each with its name as its
    /// password) and may do what ACLs allow. At the first one everybody may do everything.
    pub async fn kafka_with_users(users: &[&str]) -> Option<Self> {
        let variable = ("KAFKA_USERS", users.join(" "));
        let started = start_with(Kind::Kafka, None, Some(variable), &[]).await?;
        Some(Self { kind: Kind::Kafka, started })
    }

    /// Bootstrap servers, or a URL.
    pub fn address(&self) -> &str {
        &self.started.address
    }

    /// Where the proxy connects to.
    pub fn proxied(&self) -> &str {
        self.started.second.as_deref().expect("started behind a proxy")
    }

    /// Where its users sign in.
    pub fn for_users(&self) -> &str {
        self.started.second.as_deref().expect("started with users")
    }

    /// SIGKILL to all its processes.
    pub async fn kill(&self) {
        self.verb("kill").await;
    }

    /// An orderly stop.
    pub async fn stop(&self) {
        self.verb("stop").await;
    }

    /// The same port, the same data; answers when this returns.
    pub async fn start_again(&mut self) {
        let folder = self.started.folder.clone();
        let second = self.started.second.take();
        self.started = start(self.kind, Some(&folder)).await.expect("it started before");
        self.started.second = second;
    }

    /// SIGSTOP to all its processes: it accepts connections and never answers.
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    /// SIGCONT: it goes on as if no time had passed.
    pub fn go_on(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let main = self.started.process;
        let children =
            std::fs::read_to_string(format!("/proc/{main}/task/{main}/children")).unwrap_or_default();
        let processes = children.split_whitespace().map(str::to_owned).chain([main.to_string()]);
        // A child may have ended meanwhile.
        let _ = Command::new("kill").arg(signal).args(processes).output();
    }

    async fn verb(&self, verb: &str) {
        let arguments = vec![verb.to_owned(), "--dir".to_owned(), self.started.folder.display().to_string()];
        script(self.kind, arguments, None)
            .await
            .unwrap_or_else(|problem| panic!("{verb} {:?}: {problem}", self.kind));
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts").join(self.kind.script());
        let _ = Command::new(script).args(["kill", "--delete", "--dir"]).arg(&self.started.folder).output();
    }
}
