//! Apache Kafka that lets nobody do what no ACL allows: each program works with the rights that the manual
//! names for it and no others, and one that lacks what it begins with says so.
//!
//! The rights are those of the table in docs/OPERATIONS.md, read from there.

use std::path::Path;

use milena_testkit::OwnServer;
use rdkafka::ClientConfig;
use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use reqwest::Method;

use crate::client::Rest;
use crate::program::cures::worked;
use crate::world::{
    Database, Device, Launch, Program, PushService, Right, TOPICS, allow, free_address, of_the_manual, until,
};

const PARTITIONS: i32 = 12;

/// Users with all rights of the manual but some: `PROGRAM-without-N`.
fn without(program: &str, number: usize) -> String {
    format!("{program}-without-{number}")
}

/// Settings of somebody who signs in at Kafka.
fn settings(folder: &Path, brokers: &str, user: &str, database: &Path) -> std::path::PathBuf {
    let file = folder.join(format!("{user}.toml"));
    let text = format!(
        "[kafka]\nbrokers = \"{brokers}\"\nstart_timeout_ms = 3000\n\
         [kafka.properties]\n\"security.protocol\" = \"SASL_PLAINTEXT\"\n\"sasl.mechanism\" = \"PLAIN\"\n\
         \"sasl.username\" = \"{user}\"\n\"sasl.password\" = \"{user}\"\n\
         [database]\nurl = \"sqlite:{}?mode=rwc\"\n",
        database.display()
    );
    std::fs::write(&file, text).unwrap();
    file
}

fn admin(brokers: &str, user: &str) -> AdminClient<DefaultClientContext> {
    ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("security.protocol", "SASL_PLAINTEXT")
        .set("sasl.mechanism", "PLAIN")
        .set("sasl.username", user)
        .set("sasl.password", user)
        .create()
        .unwrap()
}

/// What the manual says that the operator does: the topics are made, looked at, and changed.
async fn operate(brokers: &str) {
    let (admin, options) = (admin(brokers, "operator"), AdminOptions::new());
    let topics = TOPICS.map(|topic| NewTopic::new(topic, PARTITIONS, TopicReplication::Fixed(1)));
    let made = admin.create_topics(&topics, &options).await.unwrap();
    assert!(made.iter().all(Result::is_ok), "{made:?}");
    until("the topics are known", 30, async || {
        let named = TOPICS.map(ResourceSpecifier::Topic);
        admin.describe_configs(&named, &options).await.is_ok_and(|all| all.iter().all(Result::is_ok))
    })
    .await;
    let change = AlterConfig::new(ResourceSpecifier::Topic(TOPICS[2])).set("retention.ms", "3600000");
    let altered = admin.alter_configs([&change], &options).await.unwrap();
    assert!(altered.iter().all(Result::is_ok), "{altered:?}");
    let grown = admin.create_partitions([&NewPartitions::new(TOPICS[2], 13)], &options).await.unwrap();
    assert!(grown.iter().all(Result::is_ok), "{grown:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_program_works_with_the_rights_that_the_manual_names() {
    let manual = of_the_manual();
    let names: Vec<&str> = manual.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["backend", "consumer", "import", "erasure", "the operator"]);
    // Without the right of what it does first: it reads, or it only writes.
    let mut lacking: Vec<(&str, usize)> = Vec::new();
    for (program, rights) in &manual[..3] {
        let first = if program == "import" { "Write" } else { "Read" };
        // What is told to devices waits for somebody who has one.
        let is_later = |right: &Right| [TOPICS[1], "milena-push"].contains(&right.name.as_str());
        let tried = |right: &Right| right.operation == first && !is_later(right);
        lacking.extend((0..rights.len()).filter(|at| tried(&rights[*at])).map(|at| (program.as_str(), at)));
    }
    let mut users: Vec<String> =
        ["backend", "consumer", "import", "erasure", "operator"].map(str::to_owned).into();
    users.extend(lacking.iter().map(|(program, at)| without(program, *at)));
    let named: Vec<&str> = users.iter().map(String::as_str).collect();
    let Some(kafka) = OwnServer::kafka_with_users(&named).await else { return };
    let mut given = Vec::new();
    for (program, rights) in &manual {
        let user = program.trim_start_matches("the ");
        given.extend(rights.iter().map(|right| (user.to_owned(), right.clone())));
        for (_, left_out) in lacking.iter().filter(|(of, _)| of == program) {
            let others = rights.iter().enumerate().filter(|(at, _)| at != left_out);
            given.extend(others.map(|(_, right)| (without(program, *left_out), right.clone())));
        }
    }
    allow(kafka.address(), &given).await;
    let brokers = kafka.for_users();
    operate(brokers).await;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let database = path.join("milena.db");
    let launch = |program: &str, user: &str, database: &Path| {
        Launch::new(program, user, path)
            .argument("--config")
            .argument(settings(path, brokers, user, database))
            .variable("MILENA__HTTP__LISTEN", "127.0.0.1:0")
            .variable("MILENA__PUSH__PRIVATE_HOSTS", "127.0.0.1")
    };
    let address = free_address();
    let backend =
        launch("backend", "backend", &database).variable("MILENA__HTTP__LISTEN", address.to_string());
    let mut backend = Program::start(backend);
    until("the backend is ready", 60, async || {
        assert!(backend.is_running(), "{}", backend.said());
        Rest::new(address).is_ready().await
    })
    .await;
    let mut consumer = Program::start(launch("kafka-consumer", "consumer", &database).argument("run"));
    let (ann, bob) = (Rest::new(address).register("ann").await, Rest::new(address).register("bob").await);
    let service = PushService::start().await;
    let device = Device::at(&service, "bobs");
    let subscribed = Rest::new(address).of(&bob);
    let subscribed = subscribed.post("me/push/subscriptions", &device.subscription()).await;
    assert_eq!(subscribed.status, 201, "{}", subscribed.body);
    let sent = Rest::new(address).of(&ann).send_accepted(bob.person.id, "c-1", "with rights").await;
    assert_eq!(device.open(&service.until("bobs", 1).await[0])["words"], "with rights");
    let file = path.join("messages.jsonl");
    let line = r#"{"id":"1","sent_at":"2026-01-01T00:00:00Z","from":"carl","to":"dora","text":"imported"}"#;
    std::fs::write(&file, line).unwrap();
    let import = |user: &str, database: &Path| {
        launch("milena", user, database).argument("import").argument("--external").argument(&file)
    };
    worked(&import("import", &database).run(60).await, "1 messages imported");
    let stored = Database::at(&database);
    until("all is stored", 30, async || stored.try_count_messages().await == Some(2)).await;
    for (arguments, says) in [
        (&["status"] as &[&str], "everything is stored"),
        (&["verify"], "the store equals the log"),
        (&["replay"], "2 already there"),
        (&["dead", "list"], "0 dead letters"),
        (&["dead", "retry", "--all"], "0 sent again"),
    ] {
        let launch = launch("kafka-consumer", "consumer", &database);
        let launch = arguments.iter().fold(launch, |launch, argument| launch.argument(*argument));
        worked(&launch.run(60).await, says);
    }
    let message = format!("conversations/{}/messages/{}", sent.conversation, sent.position);
    let deleted = Rest::ask(Rest::new(address).of(&ann).request(Method::DELETE, &message)).await;
    assert_eq!(deleted.status, 200, "{deleted:?}");
    backend.stop().await;
    consumer.stop().await;
    let erasure = |argument: &str| {
        launch("kafka-consumer", "erasure", &database).argument("new-epoch").argument(argument)
    };
    worked(&erasure("--without-deleted").argument("--yes").run(120).await, "was written anew");

    // And now each without one of them, all at once.
    let mut programs = Vec::new();
    for (program, at) in lacking {
        let right = &manual.iter().find(|(name, _)| name == program).unwrap().1[at];
        let (user, other) = (without(program, at), path.join(format!("{}.db", without(program, at))));
        let launch = match program {
            "backend" => launch("backend", &user, &other),
            "consumer" => launch("kafka-consumer", &user, &other).argument("run"),
            _ => import(&user, &other),
        };
        programs.push((Program::start(launch), user, right));
    }
    for (mut program, user, right) in programs {
        // Who cannot even begin ends, and names the topic.
        let is_named = |said: &str| right.kind == "group" || said.contains(&right.name);
        until(&format!("{user} says what it may not: {right}"), 60, async || {
            let is_over = !program.is_running();
            let said = program.said();
            let is_told = said.to_lowercase().contains("authoriz");
            assert!(!is_over || (is_told && is_named(&said)), "without {right}: {said}");
            is_told
        })
        .await;
    }
}
