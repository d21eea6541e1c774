//! Backends and consumers on Apache Kafka and a database server, each a process of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{Database, Finished, Kind, Launch, Program, free_address, log_counts, shared, until};
use crate::client::Rest;

/// Where log and store are.
#[derive(Clone)]
pub(crate) struct Services {
    pub(crate) kafka: String,
    pub(crate) database: Database,
}

/// A backend and where it listens, before and after every restart.
pub(crate) struct Backend {
    pub(crate) program: Program,
    pub(crate) address: SocketAddr,
}

/// Names and values.
pub(crate) type Variables = Vec<(&'static str, String)>;

/// Programs that share one topic and one database.
pub(crate) struct Cluster {
    pub(crate) services: Services,
    pub(crate) backends: Vec<Backend>,
    pub(crate) consumers: Vec<Program>,
    topic: String,
    folder: TempDir,
    /// Environment variables of the program with this name.
    variables: Box<dyn Fn(&str) -> Variables + Send + Sync>,
    /// The folder of the programs of another version, while those are started.
    other_version: Option<PathBuf>,
}

impl Cluster {
    /// Starts everything on a topic of its own; returns when the backends are ready.
    pub(crate) async fn start(services: Services, backends: usize, consumers: usize) -> Self {
        Self::start_with(services, backends, consumers, |_| Variables::new()).await
    }

    /// The same, with environment variables for the programs: `backend-1`, `consumer-1` and so on.
    pub(crate) async fn start_with(
        services: Services,
        backends: usize,
        consumers: usize,
        variables: impl Fn(&str) -> Variables + Send + Sync + 'static,
    ) -> Self {
        Self::start_tuned(services, backends, consumers, "", variables).await
    }

    /// The same, with lines for `[kafka.properties]`.
    pub(crate) async fn start_tuned(
        services: Services,
        backends: usize,
        consumers: usize,
        properties: &str,
        variables: impl Fn(&str) -> Variables + Send + Sync + 'static,
    ) -> Self {
        let mut cluster = Self::empty(services, properties, Box::new(variables));
        cluster.begin(backends, consumers).await;
        cluster
    }

    /// Programs of another version, from this folder, on a topic of its own.
    pub(crate) async fn start_other_version(
        services: Services,
        backends: usize,
        consumers: usize,
        programs: &Path,
    ) -> Self {
        let mut cluster = Self::empty(services, "", Box::new(|_| Variables::new()));
        cluster.other_version = Some(programs.to_owned());
        cluster.begin(backends, consumers).await;
        cluster.other_version = None;
        cluster
    }

    fn empty(
        services: Services,
        properties: &str,
        variables: Box<dyn Fn(&str) -> Variables + Send + Sync>,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let topic = format!("e2e-{}", uuid::Uuid::now_v7().simple());
        write_settings(folder.path(), &services, &topic, properties);
        let (backends, consumers) = (Vec::new(), Vec::new());
        Self { services, backends, consumers, topic, folder, variables, other_version: None }
    }

    async fn begin(&mut self, backends: usize, consumers: usize) {
        for number in 1..=backends {
            let address = free_address();
            let program = self.start_backend(&format!("backend-{number}"), address);
            self.backends.push(Backend { program, address });
        }
        for number in 1..=consumers {
            let program = self.start_consumer(&format!("consumer-{number}"));
            self.consumers.push(program);
        }
        for number in 0..backends {
            self.ready(number).await;
        }
    }

    fn start_backend(&self, name: &str, address: SocketAddr) -> Program {
        let launch = self.launch("backend", name);
        Program::start(launch.variable("MILENA__HTTP__LISTEN", address.to_string()))
    }

    fn start_consumer(&self, name: &str) -> Program {
        Program::start(self.launch("kafka-consumer", name).argument("run"))
    }

    /// Ends a backend in good order, and starts one of this version in its place.
    pub(crate) async fn replace_backend(&mut self, number: usize) {
        let address = self.backends[number].address;
        self.backends[number].program.stop().await;
        self.backends[number].program = self.start_backend(&format!("new-backend-{}", number + 1), address);
        self.ready(number).await;
    }

    /// The same of a consumer.
    pub(crate) async fn replace_consumer(&mut self, number: usize) {
        self.consumers[number].stop().await;
        self.consumers[number] = self.start_consumer(&format!("new-consumer-{}", number + 1));
    }

    /// Runs a program of another version on this log and store, to its end.
    pub(crate) async fn run_other_version(&self, program: PathBuf, arguments: &[&str]) -> Finished {
        let launch = Launch::of_another_version(program, "other-version", self.folder.path());
        let launch = launch.argument("--config").argument(settings_file(self.folder.path()));
        arguments.iter().fold(launch, |launch, argument| launch.argument(*argument)).run(60).await
    }

    /// How one of the programs is started on this log and store.
    pub(crate) fn launch(&self, program: &str, name: &str) -> Launch {
        let launch = match &self.other_version {
            Some(programs) => Launch::of_another_version(programs.join(program), name, self.folder.path()),
            None => Launch::new(program, name, self.folder.path())
                .variable("MILENA__PUSH__GROUP", format!("{}-push", self.topic))
                .variable("MILENA__PUSH__PRIVATE_HOSTS", "127.0.0.1"),
        };
        let launch = launch.argument("--config").argument(settings_file(self.folder.path()));
        let variables = (self.variables)(name);
        variables.into_iter().fold(launch, |launch, (name, value)| launch.variable(name, value))
    }

    /// Waits until a backend is ready.
    pub(crate) async fn ready(&mut self, number: usize) {
        let Backend { program, address } = &mut self.backends[number];
        let rest = Rest::new(*address);
        until("the backend is ready", 60, async || {
            assert!(program.is_running(), "the backend ended:\n{}", program.said());
            rest.is_ready().await
        })
        .await;
    }

    /// `milena import --external` into this log and store.
    pub(crate) async fn import(&self, file: &Path, password: &str) -> Finished {
        let launch = self.launch("milena", "import").argument("import").argument("--external").argument(file);
        launch.argument("--password").argument(password).run(300).await
    }

    /// Runs `kafka-consumer` with these arguments to its end.
    pub(crate) async fn command(&self, arguments: &[&str]) -> Finished {
        self.command_within(60, arguments).await
    }

    /// The same, with more time.
    pub(crate) async fn command_within(&self, seconds: u64, arguments: &[&str]) -> Finished {
        let launch = self.launch("kafka-consumer", "command");
        arguments.iter().fold(launch, |launch, argument| launch.argument(*argument)).run(seconds).await
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a setting into the file of all its programs, as a person does who is told to.
    pub(crate) fn set(&self, setting: &str, value: &str) {
        let (section, key) = setting.split_once('.').expect("SECTION.KEY");
        let file = settings_file(self.folder.path());
        let text = std::fs::read_to_string(&file).unwrap();
        let header = format!("[{section}]\n");
        assert!(text.contains(&header) && !text.contains(&format!("\n{key} = ")), "{text}");
        let changed = text.replacen(&header, &format!("{header}{key} = {value}\n"), 1);
        std::fs::write(file, changed).unwrap();
    }

    pub(crate) fn topic(&self) -> &str {
        &self.topic
    }

    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.backends.iter().map(|backend| backend.address).collect()
    }

    pub(crate) fn rest(&self, number: usize) -> Rest {
        Rest::new(self.backends[number].address)
    }

    /// Records in the log, and in the topic of what cannot be stored.
    pub(crate) async fn log_counts(&self) -> (i64, i64) {
        let dead = format!("{}.dead", self.topic);
        (log_counts(&self.services.kafka, &self.topic).await, log_counts(&self.services.kafka, &dead).await)
    }

    /// Waits until the store has so many messages.
    pub(crate) async fn stored(&self, count: usize, seconds: u64) {
        let database = &self.services.database;
        until("all accepted messages are stored", seconds, async || {
            database.try_count_messages().await.is_some_and(|stored| stored >= count as i64)
        })
        .await;
    }
}

fn settings_file(folder: &Path) -> std::path::PathBuf {
    folder.join("settings.toml")
}

/// The defaults, but for what makes a test wait or counts its many people as one attacker.
fn write_settings(folder: &Path, services: &Services, topic: &str, properties: &str) {
    let text = format!(
        "[kafka]\nbrokers = \"{}\"\ntopic = \"{topic}\"\ndead_topic = \"{topic}.dead\"\n\
         signals_topic = \"{topic}.signals\"\n\
         [kafka.properties]\n\"session.timeout.ms\" = \"6000\"\n{properties}\n\
         [database]\nurl = \"{}\"\n\
         [consumer]\ngroup = \"{topic}\"\n\
         [limits]\nsign_in_burst = 100000\nsign_in_per_minute = 100000\n\
         sign_in_account_burst = 100000\n",
        services.kafka,
        services.database.url(),
    );
    std::fs::write(settings_file(folder), text).unwrap();
}

impl Services {
    /// The shared log and a new database on a shared server; `None` when one of them is not there.
    pub(crate) async fn shared(store: Kind) -> Option<Self> {
        let kafka = shared(Kind::Kafka).await?;
        Some(Self { kafka, database: Database::create_on(&shared(store).await?).await })
    }
}
