//! kcat: a librdkafka of some years ago, as Debian has it, and the tool that people reach for first.

use super::Target;
use super::program::{Finished, run};
use crate::support::has_program;

on_both_brokers!(
    records_pass_with_every_compression_and_acknowledgement,
    keys_headers_and_times_are_kept,
    a_group_goes_on_where_it_was,
    topics_are_listed_and_offsets_found_by_time,
);

async fn kcat(target: &Target, arguments: &[&str], input: &str) -> Finished {
    let access: Vec<String> = target.access().iter().map(|(name, value)| format!("{name}={value}")).collect();
    let access: Vec<&str> = access.iter().flat_map(|property| ["-X", property]).collect();
    let usual = ["-b", &target.bootstrap, "-X", "broker.address.family=v4"];
    let arguments = [&usual, &access[..], arguments].concat();
    run("kcat", &arguments, input).await
}

async fn records_pass_with_every_compression_and_acknowledgement(target: &Target) {
    if !has_program("kcat") {
        return;
    }
    let letters = &*target.topic(1).await;
    let mut expected = String::new();
    // Who asks for no confirmation knows nothing of the order: such letters come last.
    for (codec, acks) in [("none", "all"), ("gzip", "1"), ("lz4", "all"), ("zstd", "all"), ("snappy", "0")] {
        let lines: String = (0..20).map(|i| format!("{codec} with acks {acks}, letter {i}\n")).collect();
        let acks = format!("acks={acks}");
        kcat(target, &["-P", "-t", letters, "-p", "0", "-z", codec, "-X", &acks], &lines).await.good();
        expected.push_str(&lines);
    }
    let read =
        kcat(target, &["-C", "-t", letters, "-p", "0", "-o", "beginning", "-c", "100", "-q"], "").await;
    assert_eq!(read.good(), expected);
}

async fn keys_headers_and_times_are_kept(target: &Target) {
    if !has_program("kcat") {
        return;
    }
    let letters = &*target.topic(3).await;
    let produce = ["-P", "-t", letters, "-K", ":", "-H", "type=letter", "-H", "lang=de", "-X"];
    let idempotent = [&produce[..], &["enable.idempotence=true"]].concat();
    kcat(target, &idempotent, "milena:one\nfranz:two\nmilena:three\n").await.good();
    let format = "%k %s %h %p %T\n";
    let read =
        kcat(target, &["-C", "-t", letters, "-o", "beginning", "-c", "3", "-q", "-f", format], "").await;
    let read = read.good();
    let lines: Vec<Vec<&str>> = read.lines().map(|line| line.split(' ').collect()).collect();
    let of = |value: &str| lines.iter().find(|line| line[1] == value).expect("the record is there");
    for (key, value) in [("milena", "one"), ("franz", "two"), ("milena", "three")] {
        let line = of(value);
        assert_eq!((line[0], line[2]), (key, "type=letter,lang=de"));
        let age_ms = std::time::SystemTime::UNIX_EPOCH.elapsed().expect("now").as_millis() as i64
            - line[4].parse::<i64>().expect("a time");
        assert!((0..600_000).contains(&age_ms), "{line:?}");
    }
    assert_eq!(of("one")[3], of("three")[3], "a key lives in one partition");
}

async fn a_group_goes_on_where_it_was(target: &Target) {
    if !has_program("kcat") {
        return;
    }
    let letters = &*target.topic(1).await;
    kcat(target, &["-P", "-t", letters], "1\n2\n3\n4\n5\n").await.good();
    let member = ["-G", letters, "-q", "-X", "auto.offset.reset=earliest", "-c"];
    let first = kcat(target, &[&member[..], &["2", letters]].concat(), "").await.good();
    assert_eq!(first, "1\n2\n");
    let second = kcat(target, &[&member[..], &["3", letters]].concat(), "").await.good();
    assert_eq!(second, "3\n4\n5\n");
}

async fn topics_are_listed_and_offsets_found_by_time(target: &Target) {
    if !has_program("kcat") {
        return;
    }
    let letters = &*target.topic(2).await;
    let listed = kcat(target, &["-L", "-J", "-t", letters], "").await.good();
    let listed: serde_json::Value = serde_json::from_str(&listed).expect("JSON");
    assert_eq!(listed["topics"][0]["topic"], *letters);
    assert_eq!(listed["topics"][0]["partitions"].as_array().map(Vec::len), Some(2));
    kcat(target, &["-P", "-t", letters, "-p", "1"], "then\n").await.good();
    for (time_ms, offset) in [(1, 0), (9_999_999_999_999_u64, -1)] {
        let query = format!("{letters}:1:{time_ms}");
        let found = kcat(target, &["-Q", "-t", &query], "").await.good();
        assert!(found.contains(&format!("[1] offset {offset}")), "{found}");
    }
}
