//! A producer whose connections fell silent for good, as after a broker that hung, is replaced by one that
//! works.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use milena_broker::BrokerConfig;
use milena_domain::{Body, ClientId, Timestamp, UserId};
use milena_kafka::ensure_topics;
use milena_settings::Settings;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::*;
use crate::log::event::direct_message;

const SEND_TIMEOUT_MS: u64 = 500;
/// librdkafka does not give up a silent connection by itself while the test runs.
const PATIENT: [(&str, &str); 2] = [("socket.timeout.ms", "60000"), ("socket.max.fails", "0")];
const PATIENCE: Duration = Duration::from_secs(20);

/// Passes on what comes to `front`, but: while `silent`, connections of before go silent and stay so, new
/// ones are closed.
async fn relay(front: TcpListener, back: SocketAddr, silent: watch::Receiver<bool>) {
    while let Ok((mut client, _)) = front.accept().await {
        let mut silent = silent.clone();
        tokio::spawn(async move {
            if *silent.borrow() {
                return;
            }
            let mut server = TcpStream::connect(back).await.unwrap();
            let falls_silent = async { silent.wait_for(|silent| *silent).await.is_ok() };
            let is_silent = tokio::select! {
                _ = copy_bidirectional(&mut client, &mut server) => false,
                silent = falls_silent => silent,
            };
            if is_silent {
                // Open, and for ever without a word.
                std::future::pending::<()>().await;
            }
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_producer_that_confirms_nothing_any_more_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = BrokerConfig::new(folder.path());
    // Clients are told an address at which the relay listens: the same port of another loopback address.
    config.advertised_host = Some("127.0.0.2".to_owned());
    let broker = milena_broker::start(config).await.unwrap();
    let front = SocketAddr::from(([127, 0, 0, 2], broker.address().port()));
    let silent = watch::Sender::new(false);
    let relaying =
        tokio::spawn(relay(TcpListener::bind(front).await.unwrap(), broker.address(), silent.subscribe()));

    let Settings { mut kafka, mut delivery, .. } = Settings::defaults();
    kafka.brokers = front.to_string();
    for (name, value) in PATIENT {
        kafka.properties.insert(name.to_owned(), value.to_owned());
    }
    delivery.send_timeout_ms = SEND_TIMEOUT_MS;
    ensure_topics(&kafka, PATIENCE).await.unwrap();
    let (confirmed, mut confirmations) = mpsc::unbounded_channel();
    let producer = Producer::new(&kafka, &delivery, confirmed).unwrap();
    let user = UserId::new();
    let mut number = 0;
    let mut send = || {
        number += 1;
        let client_id = ClientId::new(&number.to_string()).unwrap();
        let body = Body::new("x").unwrap();
        producer.send(Arc::new(direct_message(user, user, client_id, Timestamp::now(), body)))
    };
    // The first may take longer than a send may: there is no connection yet.
    loop {
        send().unwrap();
        let first = timeout(PATIENCE, confirmations.recv()).await.unwrap();
        if matches!(first, Some(Confirmation::Confirmed { .. })) {
            break;
        }
    }

    silent.send_replace(true);
    send().unwrap();
    let lost = timeout(PATIENCE, confirmations.recv()).await.unwrap();
    assert!(matches!(lost, Some(Confirmation::Failed { .. })), "{lost:?}");

    // The log is well again; only what hung still hangs.
    silent.send_replace(false);
    let well = Instant::now();
    loop {
        // Refused or not, the next one may be for the new producer.
        let _ = send();
        match timeout(Duration::from_millis(200), confirmations.recv()).await {
            Ok(Some(Confirmation::Confirmed { .. })) => break,
            _ => assert!(well.elapsed() < PATIENCE, "sends are refused for ever though the log is well"),
        }
        sleep(Duration::from_millis(20)).await;
    }
    println!("sends work again {:.1?} after the log is well", well.elapsed());
    relaying.abort();
    drop(producer);
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_producer_that_failed_once_and_confirmed_since_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let broker = milena_broker::start(BrokerConfig::new(folder.path())).await.unwrap();
    let Settings { mut kafka, mut delivery, .. } = Settings::defaults();
    kafka.brokers = broker.address().to_string();
    delivery.send_timeout_ms = SEND_TIMEOUT_MS;
    ensure_topics(&kafka, PATIENCE).await.unwrap();
    let (confirmed, mut confirmations) = mpsc::unbounded_channel();
    let producer = Producer::new(&kafka, &delivery, confirmed).unwrap();
    let user = UserId::new();
    let mut number = 0;
    let mut send = || {
        number += 1;
        let client_id = ClientId::new(&number.to_string()).unwrap();
        producer.send(Arc::new(direct_message(
            user,
            user,
            client_id,
            Timestamp::now(),
            Body::new("x").unwrap(),
        )))
    };
    // The way to the log first: while there is none, sends fail, and who fails for long is replaced, rightly.
    let began = Instant::now();
    let (kept, failing_for) = loop {
        assert!(began.elapsed() < PATIENCE, "nothing is confirmed");
        let client = producer.client();
        client.client().context().progress.failed();
        send().unwrap();
        let outcome = timeout(PATIENCE, confirmations.recv()).await.unwrap();
        let is_confirmed = matches!(outcome, Some(Confirmation::Confirmed { .. }));
        if is_confirmed && Arc::ptr_eq(&client, &producer.client()) {
            let failing_for = client.client().context().progress.failing_for();
            break (client, failing_for);
        }
    };
    assert_eq!(failing_for, None, "it is well again");
    kept.client().context().progress.failed();
    assert!(Arc::ptr_eq(&kept, &producer.client()), "one failure is no reason yet");
    drop((kept, producer));
    broker.stop().await;
}

/// Somebody has lowered the topic's limit below what a batch of ours may be: of a batch that is too large,
/// only a message that is too large by itself is refused for good.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_in_a_batch_is_sent_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = BrokerConfig::new(folder.path());
    config.max_batch_bytes = 4_000;
    let broker = milena_broker::start(config).await.unwrap();
    let Settings { mut kafka, mut delivery, .. } = Settings::defaults();
    kafka.brokers = broker.address().to_string();
    kafka.properties.insert("linger.ms".to_owned(), "50".to_owned());
    delivery.send_timeout_ms = 5_000;
    // Not `ensure_topics`, which refuses such a limit.
    let admin: rdkafka::admin::AdminClient<_> =
        client_config(&kafka, &Role::Admin).create_with_context(Quiet::default()).unwrap();
    let topic = rdkafka::admin::NewTopic::new(&kafka.topic, 1, rdkafka::admin::TopicReplication::Fixed(1));
    admin.create_topics([&topic], &rdkafka::admin::AdminOptions::new()).await.unwrap();
    let (confirmed, mut confirmations) = mpsc::unbounded_channel();
    let producer = Producer::new(&kafka, &delivery, confirmed).unwrap();
    let user = UserId::new();
    let message = |number: usize, chars: usize| {
        let (client_id, body) = (ClientId::new(&number.to_string()), Body::new("x".repeat(chars)));
        Arc::new(direct_message(user, user, client_id.unwrap(), Timestamp::now(), body.unwrap()))
    };
    let mut waiting: Vec<_> = (0..20).map(|number| message(number, 300)).collect();
    waiting.push(message(20, 7_000));
    let (began, mut for_good) = (Instant::now(), Vec::new());
    while !waiting.is_empty() {
        assert!(began.elapsed() < PATIENCE, "{} are still not answered", waiting.len());
        for event in &waiting {
            producer.send(Arc::clone(event)).unwrap();
        }
        for _ in 0..waiting.len() {
            match timeout(PATIENCE, confirmations.recv()).await.unwrap().unwrap() {
                Confirmation::Confirmed { event, .. } => waiting.retain(|other| other.id != event.id),
                Confirmation::Failed { id, error, alone } => {
                    if !Refusal::not_confirmed(&error, alone).code.is_temporary() {
                        waiting.retain(|other| other.id != id);
                        for_good.push(id);
                    }
                }
            }
        }
    }
    assert_eq!(for_good, [message(20, 1).id]);
    drop((producer, admin));
    broker.stop().await;
}
