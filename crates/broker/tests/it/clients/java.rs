//! Apache Kafka's own clients: the console and verifiable ones, and the tools, from the same jars as its
//! server.

use std::io::Write;
use std::time::UNIX_EPOCH;

use super::Target;
use super::program::{Finished, run};
use crate::support::{PASSWORD, required};

on_both_brokers!(
    topics_are_made_changed_described_and_deleted,
    console_clients_pass_on_everything_with_every_compression,
    verifiable_clients_and_the_groups_tool_agree,
    offsets_are_found_and_records_deleted,
    what_cannot_be_is_refused_at_once,
);

/// The jars are there when `scripts/kafka` has started a server; nothing is downloaded for a test in passing.
fn has_jars() -> bool {
    let named = std::env::var("MILENA_TEST_KAFKA").is_ok();
    assert!(named || !required(), "MILENA_TEST_KAFKA is required but not set");
    if !named {
        eprintln!("not run: without MILENA_TEST_KAFKA the Java clients may not be there");
    }
    named
}

/// What Java clients need to be let in.
fn properties() -> String {
    format!(
        "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=SCRAM-SHA-256\n\
         sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \
         username=\"milena\" password=\"{PASSWORD}\";\n"
    )
}

async fn tool(target: &Target, name: &str, arguments: &[&str], input: &str) -> Finished {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/kafka");
    let mut config = tempfile::NamedTempFile::new().expect("file");
    if !target.is_apache_kafka() {
        write!(config, "{}", properties()).expect("written");
    }
    let path = config.path().to_str().expect("text");
    let usual = ["tool", name, "--bootstrap-server", &target.bootstrap, "--command-config", path];
    run(script, &[&usual, arguments].concat(), input).await
}

async fn topics_are_made_changed_described_and_deleted(target: &Target) {
    if !has_jars() {
        return;
    }
    let letters = &*target.name("letters");
    let topics = async |arguments: &[&str]| tool(target, "kafka-topics", arguments, "").await;
    let create = ["--create", "--topic", letters, "--partitions", "2", "--config", "retention.ms=3600000"];
    assert!(topics(&create).await.good().contains(&format!("Created topic {letters}")));
    assert!(topics(&create).await.bad().contains("TopicExistsException"));
    topics(&["--alter", "--topic", letters, "--partitions", "3"]).await.good();
    let change = ["--alter", "--topic", letters, "--add-config", "max.message.bytes=2000"];
    tool(target, "kafka-configs", &change, "").await.good();
    target.knows(letters, 3).await;
    let described = topics(&["--describe", "--topic", letters]).await.good();
    for part in
        ["PartitionCount: 3", "ReplicationFactor: 1", "retention.ms=3600000", "max.message.bytes=2000"]
    {
        assert!(described.contains(part), "{part} is missing in {described}");
    }
    topics(&["--delete", "--topic", letters]).await.good();
    assert!(topics(&["--describe", "--topic", letters]).await.bad().contains("does not exist"));
}

async fn console_clients_pass_on_everything_with_every_compression(target: &Target) {
    if !has_jars() {
        return;
    }
    let letters = &*target.topic(1).await;
    let produce = async |(codec, acks): (&str, &str)| {
        let acks = format!("acks={acks}");
        let reader = ["--reader-property", "parse.key=true", "--reader-property", "parse.headers=true"];
        let arguments =
            [&["--topic", letters, "--compression-codec", codec, "--command-property", &acks], &reader[..]];
        let lines: String = (0..20).map(|i| format!("type:letter\t{codec}\tletter {i}\n")).collect();
        tool(target, "kafka-console-producer", &arguments.concat(), &lines).await.good();
    };
    let codecs = [("none", "1"), ("gzip", "all"), ("snappy", "all"), ("lz4", "1"), ("zstd", "all")];
    futures::future::join_all(codecs.map(produce)).await;
    let show = ["print.key=true", "print.headers=true", "print.timestamp=true"];
    let show: Vec<&str> = show.iter().flat_map(|show| ["--formatter-property", *show]).collect();
    let arguments = [&["--topic", letters, "--from-beginning", "--max-messages", "100"], &show[..]].concat();
    let read = tool(target, "kafka-console-consumer", &arguments, "").await.good();
    for (codec, _) in codecs {
        let of_codec: Vec<_> = read.lines().filter(|line| line.contains(&format!("\t{codec}\t"))).collect();
        assert_eq!(of_codec.len(), 20, "{read}");
        for (i, line) in of_codec.into_iter().enumerate() {
            assert!(line.starts_with("CreateTime:1"), "{line}");
            assert!(line.ends_with(&format!("\ttype:letter\t{codec}\tletter {i}")), "{line}");
        }
    }
}

async fn verifiable_clients_and_the_groups_tool_agree(target: &Target) {
    if !has_jars() {
        return;
    }
    let letters = &*target.topic(3).await;
    let produce = ["--topic", letters, "--max-messages", "1000", "--acks", "-1", "--repeating-keys", "10"];
    let said = tool(target, "kafka-verifiable-producer", &produce, "").await.good();
    assert!(said.contains("\"sent\":1000,\"acked\":1000"), "{said}");
    let consume =
        ["--topic", letters, "--group-id", letters, "--max-messages", "1000", "--assignment-strategy"];
    let strategy = "org.apache.kafka.clients.consumer.CooperativeStickyAssignor";
    let said =
        tool(target, "kafka-verifiable-consumer", &[&consume[..], &[strategy]].concat(), "").await.good();
    let events: Vec<serde_json::Value> =
        said.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    let read: u64 =
        events.iter().filter(|e| e["name"] == "records_consumed").filter_map(|e| e["count"].as_u64()).sum();
    assert_eq!(read, 1_000, "{said}");
    assert!(
        events.iter().any(|event| event["name"] == "offsets_committed" && event["success"] == true),
        "{said}"
    );

    let groups = async |arguments: &[&str]| tool(target, "kafka-consumer-groups", arguments, "").await;
    let lags = async || {
        let described = groups(&["--describe", "--group", letters]).await.good();
        let rows = described.lines().filter(|line| line.starts_with(letters));
        rows.map(|row| row.split_whitespace().nth(5).expect("LAG").parse::<u64>().expect("a number"))
            .collect::<Vec<_>>()
    };
    assert!(groups(&["--list"]).await.good().lines().any(|line| line == letters));
    assert_eq!(lags().await, [0, 0, 0]);
    groups(&["--reset-offsets", "--to-earliest", "--group", letters, "--topic", letters, "--execute"])
        .await
        .good();
    assert_eq!(lags().await.iter().sum::<u64>(), 1_000);
    let one = format!("{letters}:1");
    groups(&["--delete-offsets", "--group", letters, "--topic", &one]).await.good();
    assert_eq!(lags().await.len(), 2);
    groups(&["--delete", "--group", letters]).await.good();
    assert!(groups(&["--describe", "--group", letters]).await.said().contains("GroupIdNotFoundException"));
}

async fn offsets_are_found_and_records_deleted(target: &Target) {
    if !has_jars() {
        return;
    }
    let letters = &*target.topic(1).await;
    // Of late: what is older than a week Apache Kafka deletes when it next looks.
    let now_ms = UNIX_EPOCH.elapsed().expect("now").as_millis();
    let create_time = (now_ms - 60_000).to_string();
    // One record a millisecond at most, so each has a time of its own or shares it with the next.
    let produce = ["--topic", letters, "--max-messages", "40", "--message-create-time", &create_time];
    tool(target, "kafka-verifiable-producer", &produce, "").await.good();
    let find = async |time: &str| {
        let found = tool(target, "kafka-get-offsets", &["--topic", letters, "--time", time], "").await.good();
        found.trim().rsplit(':').next().expect("an offset").to_owned()
    };
    let (earliest, latest, first) = futures::join!(find("earliest"), find("latest"), find(&create_time));
    assert_eq!((&*earliest, &*latest, &*first), ("0", "40", "0"));
    assert!((0..40).contains(&find("max-timestamp").await.parse().expect("a number")));
    let mut file = tempfile::NamedTempFile::new().expect("file");
    let list =
        serde_json::json!({"version": 1, "partitions": [{"topic": letters, "partition": 0, "offset": 15}]});
    write!(file, "{list}").expect("written");
    let path = file.path().to_str().expect("text");
    let deleted = tool(target, "kafka-delete-records", &["--offset-json-file", path], "").await.good();
    assert!(deleted.contains("low_watermark: 15"), "{deleted}");
    assert_eq!(find("earliest").await, "15");
}

async fn what_cannot_be_is_refused_at_once(target: &Target) {
    if !has_jars() {
        return;
    }
    let letters = &*target.topic(1).await;
    let perf = async |record_size: &str, more: &[&str]| {
        let usual =
            ["--topic", letters, "--num-records", "3", "--throughput", "-1", "--record-size", record_size];
        tool(target, "kafka-producer-perf-test", &[&usual, more].concat(), "").await.said()
    };
    let roomy =
        ["--command-property", "max.request.size=9000000", "delivery.timeout.ms=30000", "linger.ms=0"];
    let in_transactions = ["--transactional-id", letters];
    let consume = ["--topic", letters, "--from-beginning", "--timeout-ms", "6000", "--max-messages", "3"];
    let newer = ["--command-property", "group.protocol=consumer"];
    let (too_large, transactional) = futures::join!(perf("3000000", &roomy), perf("10", &in_transactions));
    assert!(too_large.contains("RecordTooLargeException"), "{too_large}");
    let consumed = tool(target, "kafka-console-consumer", &[&consume[..], &newer].concat(), "").await.said();
    if target.is_apache_kafka() {
        assert!(transactional.contains("3 records sent"), "{transactional}");
        assert!(consumed.contains("Processed a total of 3 messages"), "{consumed}");
    } else {
        assert!(transactional.contains("TransactionalIdAuthorizationException"), "{transactional}");
        assert!(consumed.contains("Set group.protocol=classic"), "{consumed}");
    }
}
