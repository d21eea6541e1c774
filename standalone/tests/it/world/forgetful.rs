//! A proxy before Kafka that, while it is told to, hands out metadata without a single broker, as Kafka
//! itself may do for a moment after it was suspended.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use kafka_protocol::ResponseError;
use kafka_protocol::messages::{ApiKey, BrokerId, MetadataResponse, ResponseHeader};
use kafka_protocol::protocol::{Decodable, Encodable};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::free_address;

/// Versions of the metadata requests of one connection that are not answered yet, by correlation id.
type Asked = Arc<Mutex<HashMap<i32, i16>>>;

/// What Kafka is like behind the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mind {
    /// As it is.
    Clear,
    /// Metadata names no broker.
    Forgetful,
}

/// It and its connections end when dropped.
pub(crate) struct ForgetfulKafka {
    address: SocketAddr,
    /// From the test to new connections: empty until it is known where to connect to.
    target: watch::Sender<String>,
    /// From the test to every connection; each change ends those that there are.
    mind: watch::Sender<Mind>,
    task: JoinHandle<()>,
}

impl Drop for ForgetfulKafka {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl ForgetfulKafka {
    /// Listens; connections wait until [`ForgetfulKafka::aim`].
    pub(crate) async fn start() -> Self {
        let address = free_address();
        let listener = TcpListener::bind(address).await.unwrap();
        let (target, mind) = (watch::Sender::new(String::new()), watch::Sender::new(Mind::Clear));
        let (target_now, mind_now) = (target.subscribe(), mind.subscribe());
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(relay(client, target_now.clone(), mind_now.clone()));
                while connections.try_join_next().is_some() {}
            }
        });
        Self { address, target, mind, task }
    }

    /// In front of `target`, from now on.
    pub(crate) fn aim(&self, target: impl ToString) {
        self.target.send_replace(target.to_string());
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on; all connections end.
    pub(crate) fn set(&self, mind: Mind) {
        self.mind.send_replace(mind);
    }
}

async fn relay(client: TcpStream, mut target: watch::Receiver<String>, mut mind: watch::Receiver<Mind>) {
    let Ok(target) = target.wait_for(|target| !target.is_empty()).await.map(|target| target.clone()) else {
        return;
    };
    let now = *mind.borrow_and_update();
    let Ok(server) = TcpStream::connect(target).await else { return };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let asked = Asked::default();
    tokio::select! {
        _ = upwards(from_client, to_server, Arc::clone(&asked)) => {}
        _ = downwards(from_server, to_client, asked, now == Mind::Forgetful) => {}
        _ = mind.changed() => {}
    }
}

async fn upwards(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, asked: Asked) -> std::io::Result<()> {
    loop {
        let request = read_frame(&mut from).await?;
        // Api key, version, correlation id.
        if let [k0, k1, v0, v1, c0, c1, c2, c3, ..] = request[..]
            && i16::from_be_bytes([k0, k1]) == ApiKey::Metadata as i16
        {
            let correlation = i32::from_be_bytes([c0, c1, c2, c3]);
            asked.lock().unwrap().insert(correlation, i16::from_be_bytes([v0, v1]));
        }
        write_frame(&mut to, &request).await?;
    }
}

async fn downwards(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    asked: Asked,
    forgetful: bool,
) -> std::io::Result<()> {
    loop {
        let mut answer = read_frame(&mut from).await?;
        let correlation = answer.first_chunk().map_or(-1, |bytes| i32::from_be_bytes(*bytes));
        let version = asked.lock().unwrap().remove(&correlation);
        if let Some(version) = version.filter(|_| forgetful) {
            answer = without_brokers(answer, version);
        }
        write_frame(&mut to, &answer).await?;
    }
}

/// The topics stay, without leaders.
fn without_brokers(answer: Vec<u8>, version: i16) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(answer);
    let header_version = ApiKey::Metadata.response_header_version(version);
    let header = ResponseHeader::decode(&mut bytes, header_version).unwrap();
    let mut metadata = MetadataResponse::decode(&mut bytes, version).unwrap();
    metadata.brokers.clear();
    for partition in metadata.topics.iter_mut().flat_map(|topic| &mut topic.partitions) {
        partition.leader_id = BrokerId(-1);
        partition.error_code = ResponseError::LeaderNotAvailable.code();
    }
    let mut changed = Vec::new();
    header.encode(&mut changed, header_version).unwrap();
    metadata.encode(&mut changed, version).unwrap();
    changed
}

async fn read_frame(from: &mut OwnedReadHalf) -> std::io::Result<Vec<u8>> {
    let length = from.read_u32().await?;
    let mut frame = vec![0; length as usize];
    from.read_exact(&mut frame).await?;
    Ok(frame)
}

async fn write_frame(to: &mut OwnedWriteHalf, frame: &[u8]) -> std::io::Result<()> {
    let length = u32::try_from(frame.len()).expect("it came with such a length");
    to.write_all(&[&length.to_be_bytes(), frame].concat()).await
}
