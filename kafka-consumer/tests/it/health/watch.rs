//! What those see who watch it: metrics, health, and at most a line a second.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::child::Consumer;
use crate::log::{Log, messages};
use crate::world::{World, turn, until};
use crate::{in_both_worlds, truth};

in_both_worlds!(a_working_consumer_is_seen_at_work);

async fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// The value of a metric without labels.
fn value(metrics: &str, name: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
    line.unwrap_or_else(|| panic!("{name} is missing:\n{metrics}")).parse().unwrap()
}

async fn a_working_consumer_is_seen_at_work(world: World) {
    let _turn = turn().await;
    let log = Log::of(&world);
    let listen = ("MILENA__CONSUMER__LISTEN", "127.0.0.1:0".to_owned());
    let mut consumer = Consumer::start_with(&world, None, &[listen]);
    let line = consumer.says("metrics and health are served", 30).await;
    let address = line.split_once("address=").unwrap().1.split_whitespace().next().unwrap().to_owned();
    assert!(get(&address, "/healthz").await.starts_with("HTTP/1.1 200"));
    until("it is ready", 40, async || get(&address, "/readyz").await.starts_with("HTTP/1.1 200")).await;
    let lines_before = consumer.said().len();
    let began = Instant::now();
    let mut sent = 0;
    while began.elapsed() < Duration::from_secs(4) {
        log.send(messages(sent..sent + 50)).await;
        sent += 50;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    log.send(messages(0..3)).await;
    log.send_raw(None, Some(b"bad")).await;
    truth::stored(&world).await;
    let mut metrics = String::new();
    until("the metrics have it all", 20, async || {
        metrics = get(&address, "/metrics").await;
        value(&metrics, "milena_consumer_dead_letters_total") == 1.0
            && value(&metrics, "milena_consumer_lag_records") == 0.0
    })
    .await;
    assert_eq!(value(&metrics, "milena_consumer_rows_total"), sent as f64);
    assert_eq!(value(&metrics, "milena_consumer_duplicates_total"), 3.0);
    assert_eq!(value(&metrics, "milena_consumer_partitions"), crate::world::PARTITIONS as f64);
    assert!(value(&metrics, "milena_consumer_rebalances_total") >= 1.0);
    assert_eq!(value(&metrics, "milena_consumer_retries_total"), 0.0);
    assert_eq!(value(&metrics, "milena_consumer_fenced_total"), 0.0);
    let transactions = value(&metrics, "milena_consumer_transactions_total");
    assert!(transactions > 1.0 && transactions < sent as f64);
    assert!(value(&metrics, "milena_consumer_batch_rows_count") >= 1.0);
    assert!(value(&metrics, "milena_consumer_write_seconds_count") >= 1.0);
    // One line a second, and one for the dead letter.
    let lines = consumer.said().len() - lines_before;
    let seconds = began.elapsed().as_secs() as usize;
    assert!((1..=seconds + 2).contains(&lines), "{lines} lines in {seconds} s: {:?}", consumer.said());
    assert!(consumer.stop().await.success());
}
