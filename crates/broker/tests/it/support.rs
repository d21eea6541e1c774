//! Clients and brokers for the tests.

use std::io::{BufRead, BufReader, Lines};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use milena_broker::{Broker, BrokerConfig, Credentials, SyncPolicy};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{Offset, TopicPartitionList};

/// Long enough for a busy machine; nothing here should come near it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) use milena_testkit::{free_address, required};

/// Whether the program is installed; says so where it is not, and fails where it must be.
pub(crate) fn has_program(name: &str) -> bool {
    let found =
        Command::new("which").arg(name).stdout(Stdio::null()).status().is_ok_and(|status| status.success());
    assert!(found || !required(), "{name} is required but not installed");
    if !found {
        eprintln!("not run: {name} is not installed");
    }
    found
}

/// The password of brokers that ask for one.
pub(crate) const PASSWORD: &str = "s3cret=with=signs";

pub(crate) fn credentials() -> Credentials {
    Credentials { username: "milena".to_owned(), password: PASSWORD.to_owned() }
}

/// What a client on librdkafka needs to be let in with that password.
pub(crate) fn sasl(password: &str) -> [(&str, &str); 4] {
    [
        ("security.protocol", "SASL_PLAINTEXT"),
        ("sasl.mechanism", "SCRAM-SHA-256"),
        ("sasl.username", "milena"),
        ("sasl.password", password),
    ]
}

/// A broker in this process on a folder of its own.
pub(crate) struct TestBroker {
    pub(crate) broker: Broker,
    pub(crate) folder: tempfile::TempDir,
}

impl TestBroker {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut BrokerConfig)) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let mut config = BrokerConfig::new(folder.path());
        change(&mut config);
        Self { broker: milena_broker::start(config).await.expect("started"), folder }
    }

    /// Stops in good order and starts again on the same folder, on another port.
    pub(crate) async fn restart(self) -> Self {
        let Self { broker, folder } = self;
        broker.stop().await;
        Self {
            broker: milena_broker::start(BrokerConfig::new(folder.path())).await.expect("restarted"),
            folder,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.broker.address()
    }

    pub(crate) fn client(&self) -> ClientConfig {
        client(self.address())
    }
}

/// A broker in a process of its own, to be killed.
pub(crate) struct ChildBroker {
    child: Child,
    pub(crate) address: SocketAddr,
    /// Kept open, because a process whose output nobody takes does not end well.
    _output: Lines<BufReader<ChildStdout>>,
}

impl ChildBroker {
    pub(crate) fn start(folder: &Path, listen: SocketAddr) -> Self {
        Self::start_with(SyncPolicy::Always, folder, listen)
    }

    pub(crate) fn start_with(sync: SyncPolicy, folder: &Path, listen: SocketAddr) -> Self {
        let (program, arguments) = program();
        let mut command = Command::new(program);
        if let SyncPolicy::Interval(interval) = sync {
            command.env(CHILD_INTERVAL_MS, interval.as_millis().to_string());
        }
        Self::run(command.args(arguments), folder, listen)
    }

    /// The same with segments of another size.
    pub(crate) fn start_with_segments(segment_bytes: u64, folder: &Path, listen: SocketAddr) -> Self {
        let (program, arguments) = program();
        let mut command = Command::new(program);
        command.args(arguments).env(CHILD_SEGMENT_BYTES, segment_bytes.to_string());
        Self::run(&mut command, folder, listen)
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Runs a command that ends in running `program`.
    pub(crate) fn run(command: &mut Command, folder: &Path, listen: SocketAddr) -> Self {
        let child =
            command.env(CHILD_FOLDER, folder).env(CHILD_LISTEN, listen.to_string()).stdout(Stdio::piped());
        let mut child = child.spawn().expect("started");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let address_in = |line: String| line.split(CHILD_ADDRESS).nth(1)?.trim().parse().ok();
        let address = lines.find_map(|line| address_in(line.expect("its output")));
        Self { address: address.expect("it says where it listens"), child, _output: lines }
    }

    /// As `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it ran until now");
        self.child.wait().expect("waited for");
    }
}

impl Drop for ChildBroker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const CHILD_FOLDER: &str = "MILENA_BROKER_CHILD_FOLDER";
const CHILD_LISTEN: &str = "MILENA_BROKER_CHILD_LISTEN";
const CHILD_INTERVAL_MS: &str = "MILENA_BROKER_CHILD_INTERVAL_MS";
const CHILD_SEGMENT_BYTES: &str = "MILENA_BROKER_CHILD_SEGMENT_BYTES";
const CHILD_ADDRESS: &str = "broker listens on ";

/// This very program, told to run nothing but `a_broker_to_be_killed`: so the broker in the other process is
/// always the one that these tests were built with.
pub(crate) fn program() -> (PathBuf, [&'static str; 4]) {
    let program = std::env::current_exe().expect("this program");
    (program, ["--exact", "support::a_broker_to_be_killed", "--ignored", "--nocapture"])
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "not a test: the body of the processes that other tests start and kill"]
async fn a_broker_to_be_killed() {
    let (Ok(folder), Ok(listen)) = (std::env::var(CHILD_FOLDER), std::env::var(CHILD_LISTEN)) else { return };
    let mut config = BrokerConfig::new(folder);
    config.listen = listen.parse().expect("an address");
    if let Ok(interval_ms) = std::env::var(CHILD_INTERVAL_MS) {
        config.sync = SyncPolicy::Interval(Duration::from_millis(interval_ms.parse().expect("a number")));
    }
    if let Ok(segment_bytes) = std::env::var(CHILD_SEGMENT_BYTES) {
        config.segment_bytes = segment_bytes.parse().expect("a number");
    }
    let broker = milena_broker::start(config).await.expect("started");
    println!("{CHILD_ADDRESS}{}", broker.address());
    tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).expect("signals").recv().await;
    broker.stop().await;
}

pub(crate) fn client(address: SocketAddr) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", address.to_string()).set("broker.address.family", "v4");
    config
}

pub(crate) fn idempotent_producer(config: &ClientConfig) -> FutureProducer {
    config
        .clone()
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("linger.ms", "2")
        .set("message.timeout.ms", "60000")
        .create()
        .expect("producer")
}

pub(crate) fn admin(config: &ClientConfig) -> AdminClient<DefaultClientContext> {
    config.create().expect("admin client")
}

pub(crate) async fn create_topic(config: &ClientConfig, name: &str, partitions: i32) {
    let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
    let created = admin(config).create_topics([&topic], &AdminOptions::new()).await.expect("answered");
    assert_eq!(created, [Ok(name.to_owned())]);
}

/// Sends one record and gives the partition and offset that it was confirmed with.
pub(crate) async fn send(producer: &FutureProducer, topic: &str, partition: i32, value: &str) -> i64 {
    let record = FutureRecord::<(), str>::to(topic).partition(partition).payload(value);
    let delivery = producer.send(record, PATIENCE).await.expect("confirmed");
    delivery.offset
}

/// A consumer that is told what to read, from the beginning.
pub(crate) fn reader(config: &ClientConfig, topic: &str, partitions: i32) -> BaseConsumer {
    let consumer: BaseConsumer = config
        .clone()
        .set("group.id", "reader")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "false")
        .create()
        .expect("consumer");
    let mut list = TopicPartitionList::new();
    for partition in 0..partitions {
        list.add_partition_offset(topic, partition, Offset::Beginning).expect("valid");
    }
    consumer.assign(&list).expect("assigned");
    consumer
}

/// A record as the tests compare it: partition, offset, value.
pub(crate) type Read = (i32, i64, String);

/// Reads until there are `count` records.
pub(crate) fn read(consumer: &BaseConsumer, count: usize) -> Vec<Read> {
    let deadline = Instant::now() + PATIENCE;
    let mut records = Vec::with_capacity(count);
    while records.len() < count {
        assert!(Instant::now() < deadline, "only {} of {count} records came", records.len());
        match consumer.poll(Duration::from_millis(100)) {
            None => {}
            Some(Err(error)) => eprintln!("consumer: {error}"),
            Some(Ok(message)) => {
                let value = message.payload_view::<str>().expect("has a value").expect("text");
                records.push((message.partition(), message.offset(), value.to_owned()));
            }
        }
    }
    records
}

/// Reads everything there is, off the async threads.
pub(crate) async fn read_all(config: &ClientConfig, topic: &str, partitions: i32, count: usize) -> Vec<Read> {
    let consumer = reader(config, topic, partitions);
    tokio::task::spawn_blocking(move || read(&consumer, count)).await.expect("read")
}

/// First and next offset of a partition.
pub(crate) async fn watermarks(config: &ClientConfig, topic: &str, partition: i32) -> (i64, i64) {
    let consumer: BaseConsumer = config.create().expect("consumer");
    let topic = topic.to_owned();
    let fetch = move || consumer.fetch_watermarks(&topic, partition, PATIENCE).expect("watermarks");
    tokio::task::spawn_blocking(fetch).await.expect("fetched")
}

/// Waits until something holds, looking often.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "{what} did not happen");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
