//! The commands as somebody tries them who has not read the manual, or whose servers are not there: one clear
//! sentence each, and an exit status.

use std::process::{Command, Output};

use milena_kafka::{Role, client_config};
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;

use crate::log::{Log, messages};
use crate::running::Running;
use crate::store::Database;
use crate::world::{World, until};

/// What is typed, what the environment says, how it ends, and a part of what is said.
struct Case {
    arguments: Vec<String>,
    environment: Vec<(&'static str, String)>,
    status: i32,
    says: &'static str,
}

impl Case {
    fn new(line: &str, status: i32, says: &'static str) -> Self {
        let arguments = line.split_whitespace().map(str::to_owned).collect();
        Self { arguments, environment: Vec::new(), status, says }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    async fn run(&self) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kafka-consumer"));
        command.args(&self.arguments).env_remove("RUST_LOG").envs(self.environment.iter().cloned());
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    /// One sentence on standard error, nothing on standard output. `run` also has log lines, which begin with
    /// a bracket; mistakes in the settings are told all at once, one a line.
    async fn fails_in_one_sentence(&self) -> String {
        let output = self.run().await;
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let context = format!("{:?} {:?}: {out}{err}", self.arguments, self.environment);
        assert_eq!(output.status.code(), Some(self.status), "{context}");
        let is_log_line = |line: &str| self.arguments[0] == "run" && line.starts_with('[');
        let lines: Vec<&str> = err.trim_end().lines().filter(|line| !is_log_line(line)).collect();
        assert!(lines[0].starts_with("kafka-consumer: ") && err.contains(self.says), "{context}");
        if lines[0].contains("the settings have") {
            assert!(lines[1..].iter().all(|line| line.starts_with("  - ")), "{context}");
        } else {
            assert_eq!(lines.len(), 1, "{context}");
        }
        assert!(out.is_empty(), "{context}");
        for noise in ["Error(", "Err(", "panicked", "RUST_BACKTRACE", "milena:milena", "hidden"] {
            assert!(!err.contains(noise), "{context}");
        }
        err.into_owned()
    }
}

/// Every command, complete.
const COMMANDS: [&str; 8] =
    ["run", "replay", "verify", "status", "dead list", "dead show 0", "dead retry --all", "new-epoch --yes"];

#[tokio::test]
async fn help_teaches_and_mistakes_in_the_line_are_named() {
    for (line, status, says) in [
        ("--help", 0, "Carries messages from Kafka"),
        ("--version", 0, "kafka-consumer 0"),
        ("run --help", 0, "starts each partition at the offset that the store has"),
        ("replay --help", 0, "--from stored to go on"),
        ("verify --help", 0, "exit status 1"),
        ("status --help", 0, "offsets and lag"),
        ("dead --help", 0, "could not be stored"),
        ("dead list --help", 0, "where it came from and why"),
        ("dead show --help", 0, "headers, key and value"),
        ("dead retry --help", 0, "back to the end of the message topic"),
        ("new-epoch --help", 0, "There is no way back"),
        ("", 2, "Usage"),
        ("stauts", 2, "similar subcommand exists: 'status'"),
        ("run --jsno", 2, "unexpected argument '--jsno'"),
        ("run now", 2, "unexpected argument 'now'"),
        ("replay --from yesterday", 2, "must be beginning, stored, an offset, or a time such as"),
        ("replay --until soon", 2, "must be a time such as 2026-01-31T12:00:00Z"),
        ("replay --partitions one", 2, "invalid value 'one'"),
        ("dead", 2, "Usage"),
        ("dead show", 2, "<LETTER>"),
        ("dead retry", 2, "<LETTERS>"),
        ("dead retry 1 --all", 2, "cannot be used with"),
    ] {
        let output = Case::new(line, status, says).run().await;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert_eq!(output.status.code(), Some(status), "{line}: {said}");
        assert!(said.contains(says), "{line}: {said}");
    }
}

#[tokio::test]
async fn mistakes_in_the_settings_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bad.toml");
    std::fs::write(&file, "[consumer]\nbatch_size = 5\n").unwrap();
    let database = format!("sqlite:{}?mode=rwc", folder.path().join("store.db").display());
    let with_file = |line: &str, says| Case::new(&format!("{line} --config {}", file.display()), 1, says);
    for case in [
        Case::new("status --config /nowhere/milena.toml", 1, "/nowhere/milena.toml"),
        with_file("status", "batch_size"),
        Case::new("status", 1, "consumer.batch_rows").with("MILENA__CONSUMER__BATCH_ROWS", "0"),
        Case::new("status", 1, "database.url must start with").with("MILENA__DATABASE__URL", "oracle://x"),
        Case::new("status --database sqlite:/nowhere/at/all.db", 1, "the database cannot be opened"),
        Case::new("status --database sqlite::memory:", 1, "name a file"),
        Case::new("status", 1, "MILENA__KAFKA__BROKERS?").with("MILENA_KAFKA_BROKERS", "hidden"),
        // Before anybody is asked whether there is such a broker; the value may be a password.
        Case::new("run", 1, "no property \"sasl.pasword\"")
            .with("MILENA__KAFKA__PROPERTIES__SASL__PASWORD", "hidden")
            .with("MILENA__DATABASE__URL", database.as_str()),
        Case::new("dead list", 1, "does not take the value of \"compression.codec\"")
            .with("MILENA__KAFKA__PROPERTIES__COMPRESSION__CODEC", "hidden"),
    ] {
        case.fails_in_one_sentence().await;
    }
}

/// Nobody answers: the sentence says who, and for the database why, which a pool alone would not tell.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_are_not_there_are_named() {
    let world = World::embedded().await;
    let settings = world.file(None).display().to_string();
    let no_kafka = COMMANDS.map(|command| {
        Case::new(&format!("{command} --config {settings}"), 1, "no Kafka broker answers at 127.0.0.1:1")
            .with("MILENA__KAFKA__BROKERS", "127.0.0.1:1")
            .with("MILENA__KAFKA__START_TIMEOUT_MS", "0")
    });
    let databases = ["postgres://u:hidden@127.0.0.1:1/d", "mysql://u:hidden@127.0.0.1:1/d"];
    let no_database = databases.into_iter().flat_map(|url| {
        let settings = &settings;
        ["run", "replay", "verify", "status", "new-epoch --yes"].map(move |command| {
            Case::new(&format!("{command} --config {settings}"), 1, "refused")
                .with("MILENA__DATABASE__URL", url)
                .with("MILENA__DATABASE__START_TIMEOUT_MS", "0")
        })
    });
    let cases: Vec<_> = no_kafka.into_iter().chain(no_database).collect();
    futures::future::join_all(cases.iter().map(Case::fails_in_one_sentence)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_named() {
    let Some(world) = World::servers().await else { return };
    let settings = world.file(None).display().to_string();
    for variable in ["MILENA_TEST_POSTGRES_URL", "MILENA_TEST_MARIADB_URL"] {
        let Some(url) = std::env::var(variable).ok().filter(|url| !url.is_empty()) else { continue };
        let wrong = url.replacen(":milena@", ":wrong@", 1);
        assert_ne!(wrong, url);
        let says =
            if variable.contains("POSTGRES") { "password authentication failed" } else { "Access denied" };
        let case =
            Case::new(&format!("status --config {settings}"), 1, says).with("MILENA__DATABASE__URL", wrong);
        case.fails_in_one_sentence().await;
    }
}

/// Before anything was ever sent: nothing is a mistake, and nothing is claimed that is not so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_log_is_no_mistake() {
    let world = World::embedded().await;
    let settings = world.file(None).display().to_string();
    for (line, says) in [
        ("status", "everything is stored"),
        ("verify", "the store equals the log"),
        ("replay", "0 records read"),
        ("replay --dry-run --from stored", "0 records read"),
        ("dead list", "0 dead letters"),
        ("dead retry --all", "0 sent again, 0 left"),
    ] {
        let output = Case::new(&format!("{line} --config {settings}"), 0, says).run().await;
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains(says), "{line}: {said}");
    }
}

/// Commands that only look do not create what they look at.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_topic_is_named() {
    let world = World::embedded().await;
    let settings = world.file(None).display().to_string();
    let cases: Vec<_> =
        ["status", "verify", "dead list", "dead show 0", "dead retry --all", "new-epoch --yes"]
            .map(|command| {
                Case::new(&format!("{command} --config {settings}"), 1, "does not exist")
                    .with("MILENA__KAFKA__TOPIC", "elsewhere")
                    .with("MILENA__KAFKA__DEAD_TOPIC", "elsewhere.dead")
            })
            .into_iter()
            .collect();
    for case in &cases {
        case.fails_in_one_sentence().await;
    }
}

/// A topic of another size than the settings say, partitions that it does not have, letters that are not
/// there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_fit_is_named() {
    let world = World::embedded().await;
    Log::of(&world).send(messages(0..10)).await;
    let settings = world.file(None).display().to_string();
    let case = |line: &str, says| Case::new(&format!("{line} --config {settings}"), 1, says);
    let resized = |line: &str| case(line, "partitions").with("MILENA__KAFKA__PARTITIONS", "5");
    for case in [
        resized("run"),
        resized("verify"),
        resized("replay"),
        case("replay --partitions 99", "has no partition 99"),
        case("dead show 7", "there is no dead letter 7"),
        case("dead retry 7", "there is no dead letter 7"),
    ] {
        case.fails_in_one_sentence().await;
    }
    // A database that is not Milena's is brought up to date, not mistaken: status says that nothing is
    // stored.
    let other = Database::sqlite(&world.folder.path().join("log"));
    let output = case(&format!("status --database {}", other.url()), "").run().await;
    assert!(String::from_utf8_lossy(&output.stdout).contains("10 records are not stored yet"));
}

/// A topic that takes small records only: nobody starts, instead of refusing every large batch for ever,
/// until what is named is set to what is named.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_that_is_too_small_is_named() {
    let worlds = [(Some(World::embedded().await), false), (World::servers().await, true)];
    for (world, is_apache) in worlds.into_iter().filter_map(|(world, kind)| Some((world?, kind))) {
        let topic = format!("{}-small", world.settings.kafka.topic);
        let admin: AdminClient<DefaultClientContext> =
            client_config(&world.settings.kafka, &Role::Admin).create().unwrap();
        let small = NewTopic::new(&topic, 12, TopicReplication::Fixed(1)).set("max.message.bytes", "20000");
        let made = admin.create_topics([&small], &AdminOptions::new()).await.unwrap();
        assert!(made.iter().all(Result::is_ok), "{made:?}");
        let settings = world.file(None).display().to_string();
        let says = "max.message.bytes of topic";
        let case = Case::new(&format!("run --config {settings}"), 1, says)
            .with("MILENA__KAFKA__TOPIC", topic.clone());
        let said = case.fails_in_one_sentence().await;
        if !is_apache {
            // The embedded broker has only the newer request for this, and librdkafka only the older one.
            continue;
        }
        let of_topic = format!(" of topic {topic}");
        let name = said[..said.find(&of_topic).unwrap()].rsplit(' ').next().unwrap();
        let (_, rest) = said.split_once("raise it, to ").expect("the cure");
        let value = rest.split_whitespace().next().unwrap();
        let raised = AlterConfig::new(ResourceSpecifier::Topic(&topic)).set(name, value);
        let altered = admin.alter_configs([&raised], &AdminOptions::new()).await.unwrap();
        assert!(altered.iter().all(Result::is_ok), "{altered:?}");
        let mut settings = world.settings.clone();
        settings.kafka.topic = topic;
        let consumer = Running::with(settings).await;
        until("it starts", 30, async || consumer.is_ready()).await;
        consumer.stop().await;
    }
}
