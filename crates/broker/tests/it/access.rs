//! Who is let in: clients that know the password, and nobody else.

use std::time::Duration;

use kafka_protocol::ResponseError;
use rdkafka::consumer::{BaseConsumer, Consumer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{PASSWORD, TestBroker, client, credentials, sasl};

/// Whether a client with that password is told of the topics.
async fn is_let_in(broker: &TestBroker, password: Option<&str>) -> bool {
    let mut config = client(broker.address());
    for (name, value) in password.iter().flat_map(|password| sasl(password)) {
        config.set(name, value);
    }
    let consumer: BaseConsumer = config.create().expect("client");
    let ask = move || consumer.fetch_metadata(None, Duration::from_secs(2)).is_ok();
    tokio::task::spawn_blocking(ask).await.expect("asked")
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_knows_the_password_is_let_in() {
    let asking = TestBroker::start_with(|config| config.credentials = Some(credentials())).await;
    assert!(is_let_in(&asking, Some(PASSWORD)).await);
    let refused = futures::join!(is_let_in(&asking, Some("another")), is_let_in(&asking, None));
    assert_eq!(refused, (false, false));
    let open = TestBroker::start_with(|config| {
        config.credentials = Some(credentials());
        config.require_authentication = false;
    })
    .await;
    let (known, stranger) = futures::join!(is_let_in(&open, Some(PASSWORD)), is_let_in(&open, None));
    assert!(known && stranger, "who need not prove it still may");
    assert!(!is_let_in(&open, Some("another")).await);
}

/// A request with its length: key, version, correlation id 7, no client id, body.
fn request(key: i16, version: i16, body: &[u8]) -> Vec<u8> {
    let header =
        [&key.to_be_bytes()[..], &version.to_be_bytes(), &7_i32.to_be_bytes(), &(-1_i16).to_be_bytes()];
    let frame = [&header.concat(), body].concat();
    [&(frame.len() as i32).to_be_bytes()[..], &frame].concat()
}

/// An answer without its length and correlation id; nothing when the connection has ended.
async fn answer(stream: &mut TcpStream) -> Vec<u8> {
    let mut length = [0; 4];
    if stream.read_exact(&mut length).await.is_err() {
        return Vec::new();
    }
    let mut bytes = vec![0; i32::from_be_bytes(length) as usize];
    stream.read_exact(&mut bytes).await.expect("whole");
    bytes.split_off(4)
}

const METADATA: i16 = 3;
const HANDSHAKE: i16 = 17;
const AUTHENTICATE: i16 = 36;

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_may_ask_for_nothing_and_not_stay() {
    let broker = TestBroker::start_with(|config| {
        config.credentials = Some(credentials());
        config.authentication_timeout = Duration::from_secs(3);
    })
    .await;
    let connect = async || TcpStream::connect(broker.address()).await.expect("connected");
    let ask = async |stream: &mut TcpStream, request: Vec<u8>| {
        stream.write_all(&request).await.expect("sent");
        answer(stream).await
    };
    let mut silent = connect().await;
    assert!(ask(&mut connect().await, request(METADATA, 1, &(-1_i32).to_be_bytes())).await.is_empty());
    let mut greedy = connect().await;
    greedy.write_all(&100_000_i32.to_be_bytes()).await.expect("sent");
    assert!(answer(&mut greedy).await.is_empty(), "nor send much");

    let mut stranger = connect().await;
    let plain = ask(&mut stranger, request(HANDSHAKE, 1, b"\x00\x05PLAIN")).await;
    assert_eq!(plain[..2], ResponseError::UnsupportedSaslMechanism.code().to_be_bytes());
    let bytes = |text: &str| [&(text.len() as i32).to_be_bytes()[..], text.as_bytes()].concat();
    let early = ask(&mut stranger, request(AUTHENTICATE, 1, &bytes("n,,n=milena,r=abc"))).await;
    assert_eq!(early[..2], ResponseError::IllegalSaslState.code().to_be_bytes());
    let chosen = ask(&mut stranger, request(HANDSHAKE, 1, b"\x00\x0dSCRAM-SHA-256")).await;
    assert_eq!(chosen[..2], [0, 0]);
    let first = ask(&mut stranger, request(AUTHENTICATE, 1, &bytes("n,,n=milena,r=abc"))).await;
    assert_eq!(first[..2], [0, 0]);
    let nonce = String::from_utf8_lossy(&first)
        .split("r=")
        .nth(1)
        .expect("r")
        .split(',')
        .next()
        .expect("nonce")
        .to_owned();
    // 32 zeros for a proof.
    let proof = format!("c=biws,r={nonce},p={}A=", "A".repeat(42));
    let refused = ask(&mut stranger, request(AUTHENTICATE, 1, &bytes(&proof))).await;
    assert_eq!(refused[..2], ResponseError::SaslAuthenticationFailed.code().to_be_bytes());
    assert!(String::from_utf8_lossy(&refused).contains("secret is wrong"));
    assert!(answer(&mut stranger).await.is_empty(), "and the connection ends");

    let ended = tokio::time::timeout(Duration::from_secs(30), answer(&mut silent)).await;
    assert!(ended.expect("it ends by itself").is_empty());
}

/// However many connect and say nothing, and however long they may: the oldest of them goes for whoever
/// comes.
#[tokio::test(flavor = "multi_thread")]
async fn strangers_cannot_keep_out_who_knows_the_password() {
    let broker = TestBroker::start_with(|config| {
        config.credentials = Some(credentials());
        config.max_connections = 12;
        config.max_strangers = 4;
        config.authentication_timeout = Duration::from_secs(600);
    })
    .await;
    let mut strangers = Vec::new();
    for _ in 0..40 {
        strangers.push(TcpStream::connect(broker.address()).await.expect("connected"));
    }
    assert!(is_let_in(&broker, Some(PASSWORD)).await);
    for stranger in &mut strangers[..36] {
        let ended = tokio::time::timeout(Duration::from_secs(30), answer(stranger)).await;
        assert!(ended.expect("the oldest are closed").is_empty());
    }
}
