//! Files that a crash or a bad disk left behind, and the order in which the disk is asked.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer;
use rdkafka::{Offset, TopicPartitionList};

use crate::support::{
    ChildBroker, TestBroker, client, create_topic, free_address, has_program, idempotent_producer, read,
    read_all, reader, send, until, watermarks,
};
use crate::wire::{Wire, batch, produce, produced};

fn last_segment(folder: &Path) -> PathBuf {
    let topic = fs::read_dir(folder.join("topics")).expect("topics").next().expect("one").expect("topic");
    let mut segments: Vec<_> = fs::read_dir(topic.path().join("0"))
        .expect("partition")
        .map(|entry| entry.expect("entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .collect();
    segments.sort();
    segments.pop().expect("a segment")
}

/// Records are confirmed, the broker is killed, the end of the log is damaged behind them: they are all still
/// there.
async fn confirmed_records_survive(damage: impl Fn(&Path)) {
    let folder = tempfile::tempdir().expect("folder");
    let address = free_address();
    let mut broker = ChildBroker::start(folder.path(), address);
    create_topic(&client(address), "letters", 1).await;
    let producer = idempotent_producer(&client(address));
    for i in 0..50 {
        assert_eq!(send(&producer, "letters", 0, &format!("{i}")).await, i);
    }
    broker.kill();
    damage(&last_segment(folder.path()));
    let broker = ChildBroker::start(folder.path(), address);
    assert_eq!(watermarks(&client(address), "letters", 0).await, (0, 50));
    assert_eq!(send(&producer, "letters", 0, "50").await, 50);
    let read = read_all(&client(address), "letters", 1, 51).await;
    assert!(read.iter().enumerate().all(|(i, record)| *record == (0, i as i64, i.to_string())));
    drop(broker);
}

fn append(path: &Path, bytes: &[u8]) {
    OpenOptions::new().append(true).open(path).and_then(|mut file| file.write_all(bytes)).expect("appended");
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_batch_at_the_end_is_cut_off() {
    confirmed_records_survive(|path| append(path, &batch(3, None)[..70])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_with_a_flipped_bit_is_cut_off() {
    let damage = |path: &Path| {
        let mut batch = batch(3, None).to_vec();
        batch[7] = 50;
        let last = batch.len() - 5;
        batch[last] ^= 4;
        append(path, &batch);
    };
    confirmed_records_survive(damage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn zeros_and_rubbish_are_cut_off() {
    confirmed_records_survive(|path| append(path, &[0; 5_000])).await;
    confirmed_records_survive(|path| append(path, &[0xa5; 777])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_index_is_rebuilt() {
    let broker = TestBroker::start_with(|config| config.segment_bytes = 4_000).await;
    create_topic(&broker.client(), "letters", 1).await;
    let producer = idempotent_producer(&broker.client());
    for i in 0..200 {
        send(&producer, "letters", 0, &format!("{i:030}")).await;
    }
    let folder = last_segment(broker.folder.path()).parent().expect("partition").to_owned();
    let TestBroker { broker, folder: data } = broker;
    broker.stop().await;
    for entry in fs::read_dir(folder).expect("partition") {
        let path = entry.expect("entry").path();
        if path.extension().is_some_and(|extension| extension != "log") {
            fs::remove_file(path).expect("removed");
        }
    }
    let broker = milena_broker::start(milena_broker::BrokerConfig::new(data.path())).await.expect("started");
    let read = read_all(&client(broker.address()), "letters", 1, 200).await;
    assert!(read.iter().enumerate().all(|(i, record)| *record == (0, i as i64, format!("{i:030}"))));
}

#[tokio::test]
async fn a_clean_folder_starts_quickly() {
    let mut quickest = Duration::MAX;
    // The quickest of some, because the machine may be busy with other tests.
    for _ in 0..5 {
        let folder = tempfile::tempdir().expect("folder");
        let began = Instant::now();
        let broker =
            milena_broker::start(milena_broker::BrokerConfig::new(folder.path())).await.expect("started");
        quickest = quickest.min(began.elapsed());
        broker.stop().await;
    }
    assert!(quickest < Duration::from_millis(200), "{quickest:?}");
}

#[tokio::test]
async fn a_damaged_catalogue_is_named() {
    let folder = tempfile::tempdir().expect("folder");
    fs::write(folder.path().join("catalogue.json"), "{ not json").expect("written");
    let refused =
        milena_broker::start(milena_broker::BrokerConfig::new(folder.path())).await.expect_err("refused");
    assert!(refused.to_string().contains("catalogue.json is damaged"), "{refused}");
}

/// Looks over the broker's shoulder: between writing a batch and answering for it lies a sync.
#[tokio::test(flavor = "multi_thread")]
async fn the_disk_is_synced_before_the_answer_is_sent() {
    let folder = tempfile::tempdir().expect("folder");
    let trace = folder.path().join("trace");
    if !has_program("strace") {
        return;
    }
    let (program, arguments) = crate::support::program();
    let mut command = Command::new("strace");
    command
        .args(["-f", "-e", "trace=pwrite64,fdatasync,sendto", "-o"])
        .arg(&trace)
        .arg(program)
        .args(arguments);
    let broker =
        ChildBroker::run(&mut command, &folder.path().join("data"), "127.0.0.1:0".parse().expect("address"));
    create_topic(&client(broker.address), "letters", 1).await;
    let mut wire = Wire::connect(broker.address).await;
    for i in 0..20 {
        assert_eq!(produced(&wire.ask(9, &produce(-1, batch(1, None))).await), (0, i));
    }
    let pid = fs::read_to_string(folder.path().join("data").join("lock")).expect("lock").trim().to_owned();
    Command::new("kill").arg(&pid).status().expect("terminated");
    until("the end", || fs::read_to_string(&trace).is_ok_and(|trace| trace.contains("+++ exited"))).await;
    let (mut writes, mut syncs, mut answers, mut unsynced) = (0, 0, 0, false);
    for line in fs::read_to_string(&trace).expect("trace").lines() {
        let done = line.contains(" = ") && !line.contains(" = -1");
        if line.contains("pwrite64(") {
            writes += 1;
            unsynced = true;
        } else if line.contains("fdatasync") && done {
            syncs += 1;
            unsynced = false;
        } else if line.contains("sendto(") {
            answers += 1;
            assert!(!unsynced, "an answer before the sync: {line}");
        }
    }
    assert!(
        writes >= 20 && syncs >= 20 && answers >= 20,
        "{writes} writes, {syncs} syncs, {answers} answers"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_begins_anywhere_across_many_segments() {
    let broker = TestBroker::start_with(|config| config.segment_bytes = 20_000).await;
    create_topic(&broker.client(), "letters", 1).await;
    let producer = idempotent_producer(broker.client().set("batch.num.messages", "7"));
    let sends = (0..3_000).map(|i| {
        let producer = producer.clone();
        async move { send(&producer, "letters", 0, &format!("{i:060}")).await }
    });
    futures::future::join_all(sends).await;
    let check = |config: rdkafka::config::ClientConfig| async move {
        let consumer = reader(&config, "letters", 1);
        tokio::task::spawn_blocking(move || {
            for start in [0, 1, 999, 1_500, 2_345, 2_999] {
                let mut list = TopicPartitionList::new();
                list.add_partition_offset("letters", 0, Offset::Offset(start)).expect("valid");
                consumer.assign(&list).expect("assigned");
                let records = read(&consumer, (3_000 - start) as usize);
                assert!(records.iter().zip(start..).all(|((_, offset, value), expected)| {
                    *offset == expected && *value == format!("{expected:060}")
                }));
            }
        })
        .await
        .expect("read");
    };
    check(broker.client()).await;
    let segments = |folder: &std::path::Path| {
        let topic =
            std::fs::read_dir(folder.join("topics")).expect("topics").next().expect("one").expect("topic");
        let files = std::fs::read_dir(topic.path().join("0")).expect("partition");
        files
            .filter(|file| file.as_ref().expect("file").path().extension().is_some_and(|e| e == "log"))
            .count()
    };
    assert!(segments(broker.folder.path()) > 5);
    let broker = broker.restart().await;
    check(broker.client()).await;
}

/// Writes so much, kills the broker, and starts it again: what is read then is about a segment, however long
/// the log.
async fn recovery_reads_one_segment(log_bytes: u64, segment_bytes: u64) -> (Duration, String) {
    let folder = tempfile::tempdir().expect("folder");
    let address = free_address();
    let mut broker = ChildBroker::start_with_segments(segment_bytes, folder.path(), address);
    create_topic(&client(address), "letters", 1).await;
    let mut wire = Wire::connect(address).await;
    let batch = batch(40_000, None);
    let batches = log_bytes / batch.len() as u64;
    for at in 0..batches as i64 {
        assert_eq!(produced(&wire.ask(9, &produce(-1, batch.clone())).await), (0, at * 40_000));
    }
    broker.kill();
    let began = Instant::now();
    let broker = ChildBroker::start_with_segments(segment_bytes, folder.path(), address);
    let took = began.elapsed();
    let io = fs::read_to_string(format!("/proc/{}/io", broker.id())).expect("the kernel counts");
    let read = io.lines().find_map(|line| line.strip_prefix("rchar: ")).expect("what was read");
    let read: u64 = read.parse().expect("a number");
    // Once to check the batches, once more at most to learn the producers; the rest is the program itself.
    assert!(read <= 2 * segment_bytes + (8 << 20), "{read} bytes were read");
    assert_eq!(watermarks(&client(address), "letters", 0).await, (0, batches as i64 * 40_000));
    (took, format!("{log_bytes} bytes in {batches} batches: started again after {took:?}, read {read} bytes"))
}

#[tokio::test(flavor = "multi_thread")]
async fn recovery_does_not_grow_with_the_log() {
    let (_, figures) = recovery_reads_one_segment(64 << 20, 4 << 20).await;
    println!("{figures}");
}

/// Ten gigabytes, or `MILENA_BROKER_LOG_GB`; run by `scripts/long broker-recovery`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "writes gigabytes"]
async fn recovery_of_a_large_log_is_bounded() {
    let gigabytes = std::env::var("MILENA_BROKER_LOG_GB").map_or(10, |gb| gb.parse().expect("a number"));
    let (took, figures) = recovery_reads_one_segment(gigabytes << 30, 128 << 20).await;
    println!("{figures}");
    assert!(took < Duration::from_secs(10), "{took:?}");
}
