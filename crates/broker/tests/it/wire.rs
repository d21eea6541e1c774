//! The bare protocol, in every version that the broker says it has: what one client library happens to use is
//! not what the next one will.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::*;
use kafka_protocol::protocol::{Encodable, HeaderVersion, Request, StrBytes};
use kafka_protocol::records::{Compression, Record, RecordBatchEncoder, RecordEncodeOptions, TimestampType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{PATIENCE, TestBroker, create_topic};

/// A client without any cleverness.
pub(crate) struct Wire {
    stream: TcpStream,
    correlation_id: i32,
}

impl Wire {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.expect("connected"), correlation_id: 0 }
    }

    /// Sends bytes as they are.
    pub(crate) async fn send_raw(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// One frame without its length, `None` when the broker has closed.
    pub(crate) async fn receive_raw(&mut self) -> Option<Bytes> {
        let receive = async {
            let length = self.stream.read_u32().await.ok()?;
            let mut bytes = vec![0; length as usize];
            self.stream.read_exact(&mut bytes).await.ok()?;
            Some(Bytes::from(bytes))
        };
        tokio::time::timeout(PATIENCE, receive).await.expect("answered in time")
    }

    pub(crate) async fn send<R: Request>(&mut self, version: i16, request: &R) {
        let frame = self.frame(version, request);
        self.send_raw(&frame).await.expect("sent");
    }

    /// The bytes that `send` would send.
    pub(crate) fn frame<R: Request>(&mut self, version: i16, request: &R) -> Bytes {
        self.correlation_id += 1;
        let header = RequestHeader::default()
            .with_request_api_key(R::KEY)
            .with_request_api_version(version)
            .with_correlation_id(self.correlation_id)
            .with_client_id(Some(text("wire")));
        let mut body = BytesMut::new();
        header.encode(&mut body, R::header_version(version)).expect("header");
        request.encode(&mut body, version).expect("request");
        let mut frame = BytesMut::new();
        frame.put_u32(body.len() as u32);
        frame.put(body);
        frame.freeze()
    }

    pub(crate) async fn receive<R: Request>(&mut self, version: i16) -> R::Response {
        let mut bytes = self.receive_raw().await.expect("the connection is open");
        assert!(bytes.get_i32() <= self.correlation_id);
        if R::Response::header_version(version) >= 1 {
            assert_eq!(bytes.get_u8(), 0, "no tagged fields");
        }
        let response = kafka_protocol::protocol::Decodable::decode(&mut bytes, version).expect("an answer");
        assert!(bytes.is_empty(), "nothing is left");
        response
    }

    pub(crate) async fn ask<R: Request>(&mut self, version: i16, request: &R) -> R::Response {
        self.send(version, request).await;
        self.receive::<R>(version).await
    }
}

pub(crate) fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

pub(crate) fn topic_name() -> TopicName {
    TopicName(text("letters"))
}

/// One batch with so many records, and the sequence of an idempotent producer if wanted.
pub(crate) fn batch(records: usize, producer: Option<(i64, i16, i32)>) -> Bytes {
    batch_at(1_000, records, producer)
}

/// [`batch`] whose first record was made at `timestamp_ms`.
fn batch_at(timestamp_ms: i64, records: usize, producer: Option<(i64, i16, i32)>) -> Bytes {
    let (producer_id, producer_epoch, sequence) = producer.unwrap_or((-1, -1, -1));
    let record = |i: usize| Record {
        transactional: false,
        control: false,
        delete_horizon: false,
        partition_leader_epoch: -1,
        producer_id,
        producer_epoch,
        timestamp_type: TimestampType::Creation,
        offset: i as i64,
        sequence: sequence.wrapping_add(i as i32),
        timestamp: timestamp_ms + i as i64,
        key: None,
        value: Some(Bytes::from(format!("value {i}"))),
        headers: Default::default(),
    };
    let records: Vec<_> = (0..records).map(record).collect();
    let mut bytes = BytesMut::new();
    let options = RecordEncodeOptions { version: 2, compression: Compression::None };
    RecordBatchEncoder::encode(&mut bytes, &records, &options).expect("a batch");
    bytes.freeze()
}

pub(crate) fn produce(acks: i16, records: Bytes) -> ProduceRequest {
    let partition = PartitionProduceData::default().with_index(0).with_records(Some(records));
    let topic = TopicProduceData::default().with_name(topic_name()).with_partition_data(vec![partition]);
    ProduceRequest::default().with_acks(acks).with_timeout_ms(5_000).with_topic_data(vec![topic])
}

/// The error and the offset of the only partition.
pub(crate) fn produced(response: &ProduceResponse) -> (i16, i64) {
    let partition = &response.responses[0].partition_responses[0];
    (partition.error_code, partition.base_offset)
}

async fn broker_with_topic() -> (TestBroker, Wire) {
    let broker = TestBroker::start().await;
    create_topic(&broker.client(), "letters", 2).await;
    let wire = Wire::connect(broker.address()).await;
    (broker, wire)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_advertised_is_answered() {
    let (_broker, mut wire) = broker_with_topic().await;
    for version in 0..=4 {
        let response = wire.ask(version, &ApiVersionsRequest::default()).await;
        assert_eq!(response.error_code, 0);
        assert!(
            response.api_keys.iter().any(|api| api.api_key == ApiKey::Fetch as i16 && api.max_version == 12)
        );
        assert!(!response.api_keys.iter().any(|api| api.api_key == ApiKey::AddPartitionsToTxn as i16));
    }
    for version in 0..=12 {
        let asked = MetadataRequestTopic::default().with_name(Some(topic_name()));
        let response = wire.ask(version, &MetadataRequest::default().with_topics(Some(vec![asked]))).await;
        assert_eq!((response.topics[0].error_code, response.topics[0].partitions.len()), (0, 2));
        if version >= 10 {
            let by_id =
                MetadataRequestTopic::default().with_name(None).with_topic_id(response.topics[0].topic_id);
            let request = MetadataRequest::default().with_topics(Some(vec![by_id]));
            let by_id = wire.ask(version.max(12), &request).await;
            assert_eq!(by_id.topics[0].name, response.topics[0].name);
        }
    }
    for version in 0..=1 {
        let response = wire.ask(version, &DescribeClusterRequest::default()).await;
        assert_eq!(response.brokers.len(), 1);
    }
    for version in 0..=4 {
        let mut request = FindCoordinatorRequest::default();
        if version < 4 {
            request.key = text("readers");
        } else {
            request.coordinator_keys = vec![text("readers"), text("others")];
        }
        let response = wire.ask(version, &request).await;
        assert_eq!(response.coordinators.len(), if version < 4 { 0 } else { 2 });
        assert_eq!(response.error_code, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_version_of_api_versions_is_answered_in_version_0() {
    let broker = TestBroker::start().await;
    let mut wire = Wire::connect(broker.address()).await;
    wire.send_raw(&[0, 0, 0, 10, 0, 18, 0, 99, 0, 0, 0, 5, 0xff, 0xff]).await.expect("sent");
    let answer = wire.receive_raw().await.expect("answered");
    assert_eq!(&answer[..6], [0, 0, 0, 5, 0, 35]);
    assert_eq!(wire.ask(3, &ApiVersionsRequest::default()).await.error_code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn records_pass_in_every_version() {
    let (_broker, mut wire) = broker_with_topic().await;
    let mut next = 0;
    for version in 3..=11 {
        for acks in [-1, 1] {
            let response = wire.ask(version, &produce(acks, batch(2, None))).await;
            assert_eq!(produced(&response), (0, next), "version {version}");
            next += 2;
        }
        // No answer to this one; the next answer belongs to the next request.
        wire.send(version, &produce(0, batch(1, None))).await;
        next += 1;
        let response = wire.ask(version, &produce(7, batch(1, None))).await;
        assert_eq!(produced(&response).0, kafka_protocol::ResponseError::InvalidRequiredAcks.code());
    }
    for version in 4..=12 {
        let partition = FetchPartition::default().with_fetch_offset(3).with_partition_max_bytes(1 << 20);
        let topic = FetchTopic::default().with_topic(topic_name()).with_partitions(vec![partition]);
        let mut request =
            FetchRequest::default().with_max_wait_ms(100).with_min_bytes(1).with_max_bytes(1 << 20);
        request.topics = vec![topic];
        if version >= 7 {
            request.session_epoch = -1;
        }
        let response = wire.ask(version, &request).await;
        let partition = &response.responses[0].partitions[0];
        assert_eq!((partition.error_code, partition.high_watermark), (0, next));
        let mut records = partition.records.clone().expect("records");
        assert_eq!(records.get_i64(), 2, "the batch that holds offset 3 begins at 2");
    }
    for version in 1..=7 {
        for (time, offset) in [(-1, next), (-2, 0), (1_001, 1), (9_999, -1)] {
            let partition = ListOffsetsPartition::default().with_timestamp(time);
            let topic = ListOffsetsTopic::default().with_name(topic_name()).with_partitions(vec![partition]);
            let response = wire.ask(version, &ListOffsetsRequest::default().with_topics(vec![topic])).await;
            let partition = &response.topics[0].partitions[0];
            assert_eq!(
                (partition.error_code, partition.offset),
                (0, offset),
                "version {version} time {time}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_fetch_waits_and_gives_up() {
    let (_broker, mut wire) = broker_with_topic().await;
    let partition = FetchPartition::default().with_partition_max_bytes(1 << 20);
    let topic = FetchTopic::default().with_topic(topic_name()).with_partitions(vec![partition]);
    let request = FetchRequest::default()
        .with_max_wait_ms(200)
        .with_min_bytes(1)
        .with_max_bytes(1 << 20)
        .with_session_epoch(0)
        .with_topics(vec![topic]);
    let began = std::time::Instant::now();
    let response = wire.ask(12, &request).await;
    assert!(began.elapsed() >= Duration::from_millis(200));
    assert_eq!(response.session_id, 0, "there are no sessions");
    assert_eq!(response.responses[0].partitions[0].error_code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_batch_is_confirmed_with_its_first_offset() {
    let (broker, mut wire) = broker_with_topic().await;
    let id = wire.ask(4, &InitProducerIdRequest::default().with_transactional_id(None)).await.producer_id.0;
    let first = batch(3, Some((id, 0, 0)));
    for _ in 0..3 {
        assert_eq!(produced(&wire.ask(9, &produce(-1, first.clone())).await), (0, 0));
    }
    assert_eq!(produced(&wire.ask(9, &produce(-1, batch(2, Some((id, 0, 3))))).await), (0, 3));
    let gap = wire.ask(9, &produce(-1, batch(1, Some((id, 0, 9))))).await;
    assert_eq!(produced(&gap).0, kafka_protocol::ResponseError::OutOfOrderSequenceNumber.code());
    let broker = broker.restart().await;
    let mut wire = Wire::connect(broker.address()).await;
    assert_eq!(produced(&wire.ask(9, &produce(-1, first)).await), (0, 0), "after a restart");
    let other =
        wire.ask(0, &InitProducerIdRequest::default().with_transactional_id(None)).await.producer_id.0;
    assert_ne!(other, id, "an id is never given twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_writes_of_a_time_that_is_far_from_come() {
    const HOUR_MS: i64 = 3_600 * 1_000;
    let (_broker, mut wire) = broker_with_topic().await;
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
    for (timestamp_ms, refused) in [
        (now_ms - 20 * HOUR_MS, 0),
        (now_ms + HOUR_MS / 2, 0),
        (now_ms + 2 * HOUR_MS, ResponseError::InvalidTimestamp.code()),
        (i64::MAX / 2, ResponseError::InvalidTimestamp.code()),
    ] {
        let answer = wire.ask(9, &produce(-1, batch_at(timestamp_ms, 2, None))).await;
        assert_eq!(produced(&answer).0, refused, "{timestamp_ms}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_works_in_every_version() {
    let (_broker, mut wire) = broker_with_topic().await;
    for version in 0..=9 {
        let group = GroupId(text(&format!("group {version}")));
        let protocol = JoinGroupRequestProtocol::default()
            .with_name(text("range"))
            .with_metadata(Bytes::from_static(b"says"));
        let mut join = JoinGroupRequest::default()
            .with_group_id(group.clone())
            .with_session_timeout_ms(10_000)
            .with_protocol_type(text("consumer"))
            .with_protocols(vec![protocol]);
        if version >= 1 {
            join.rebalance_timeout_ms = 10_000;
        }
        let mut joined = wire.ask(version, &join).await;
        if version >= 4 {
            assert_eq!(joined.error_code, kafka_protocol::ResponseError::MemberIdRequired.code());
            join.member_id = joined.member_id.clone();
            joined = wire.ask(version, &join).await;
        }
        assert_eq!((joined.error_code, joined.generation_id), (0, 1));
        assert_eq!((joined.members.len(), &joined.leader), (1, &joined.member_id));
        let member_id = joined.member_id.clone();

        let sync_version = version.min(5);
        let assignment = SyncGroupRequestAssignment::default()
            .with_member_id(member_id.clone())
            .with_assignment(Bytes::from_static(b"read this"));
        let mut sync = SyncGroupRequest::default()
            .with_group_id(group.clone())
            .with_generation_id(1)
            .with_member_id(member_id.clone())
            .with_assignments(vec![assignment]);
        if sync_version >= 5 {
            sync.protocol_type = Some(text("consumer"));
            sync.protocol_name = Some(text("range"));
        }
        let synced = wire.ask(sync_version, &sync).await;
        assert_eq!((synced.error_code, synced.assignment.as_ref()), (0, b"read this".as_slice()));

        let heartbeat = HeartbeatRequest::default()
            .with_group_id(group.clone())
            .with_generation_id(1)
            .with_member_id(member_id.clone());
        assert_eq!(wire.ask(version.min(4), &heartbeat).await.error_code, 0);

        offsets_in_version(&mut wire, version.clamp(2, 9), &group, 1, &member_id).await;

        let described = wire
            .ask(version.min(6), &DescribeGroupsRequest::default().with_groups(vec![group.clone()]))
            .await;
        let described = &described.groups[0];
        assert_eq!((described.error_code, described.group_state.as_str()), (0, "Stable"));
        assert_eq!(described.members[0].member_assignment.as_ref(), b"read this");
        let listed = wire.ask(version.min(5), &ListGroupsRequest::default()).await;
        assert!(listed.groups.iter().any(|listed| listed.group_id == group));
        let delete = DeleteGroupsRequest::default().with_groups_names(vec![group.clone()]);
        let refused = wire.ask(version.min(2), &delete).await;
        assert_eq!(refused.results[0].error_code, kafka_protocol::ResponseError::NonEmptyGroup.code());

        let mut leave = LeaveGroupRequest::default().with_group_id(group.clone());
        if version < 3 {
            leave.member_id = member_id;
        } else {
            leave.members = vec![MemberIdentity::default().with_member_id(member_id)];
        }
        assert_eq!(wire.ask(version.min(5), &leave).await.error_code, 0);
        assert_eq!(wire.ask(version.min(2), &delete).await.results[0].error_code, 0);
        let gone = wire.ask(version.min(6), &DescribeGroupsRequest::default().with_groups(vec![group])).await;
        assert_eq!(gone.groups[0].group_state.as_str(), "Dead");
    }
}

async fn offsets_in_version(
    wire: &mut Wire,
    version: i16,
    group: &GroupId,
    generation: i32,
    member_id: &StrBytes,
) {
    let partition = OffsetCommitRequestPartition::default()
        .with_partition_index(1)
        .with_committed_offset(version.into())
        .with_committed_metadata(Some(text("kept")));
    let topic = OffsetCommitRequestTopic::default().with_name(topic_name()).with_partitions(vec![partition]);
    let commit = OffsetCommitRequest::default()
        .with_group_id(group.clone())
        .with_generation_id_or_member_epoch(generation)
        .with_member_id(member_id.clone())
        .with_topics(vec![topic]);
    assert_eq!(wire.ask(version, &commit).await.topics[0].partitions[0].error_code, 0);
    let stale = commit.with_generation_id_or_member_epoch(generation + 1);
    let refused = wire.ask(version, &stale).await.topics[0].partitions[0].error_code;
    assert_eq!(refused, kafka_protocol::ResponseError::IllegalGeneration.code());

    if version < 8 {
        let topic =
            OffsetFetchRequestTopic::default().with_name(topic_name()).with_partition_indexes(vec![0, 1]);
        let fetch = OffsetFetchRequest::default().with_group_id(group.clone()).with_topics(Some(vec![topic]));
        let fetched = wire.ask(version, &fetch).await;
        let offsets: Vec<_> =
            fetched.topics[0].partitions.iter().map(|found| found.committed_offset).collect();
        assert_eq!(offsets, [-1, version.into()]);
    } else {
        let topic =
            OffsetFetchRequestTopics::default().with_name(topic_name()).with_partition_indexes(vec![0, 1]);
        let asked = OffsetFetchRequestGroup::default().with_group_id(group.clone());
        let groups = vec![asked.clone().with_topics(Some(vec![topic])), asked.with_topics(None)];
        let fetched = wire.ask(version, &OffsetFetchRequest::default().with_groups(groups)).await;
        let offsets: Vec<_> =
            fetched.groups[0].topics[0].partitions.iter().map(|found| found.committed_offset).collect();
        assert_eq!(offsets, [-1, version.into()]);
        assert_eq!(fetched.groups[1].topics[0].partitions.len(), 1, "all that there are");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_are_made_and_unmade_in_every_version() {
    let (_broker, mut wire) = broker_with_topic().await;
    for version in 2..=7 {
        let name = TopicName(text(&format!("topic.{version}")));
        let topic = CreatableTopic::default()
            .with_name(name.clone())
            .with_num_partitions(3)
            .with_replication_factor(1);
        let request = CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(1_000);
        assert_eq!(wire.ask(version, &request).await.topics[0].error_code, 0);
        let exists = wire.ask(version, &request).await.topics[0].error_code;
        assert_eq!(exists, kafka_protocol::ResponseError::TopicAlreadyExists.code());
        let delete_version = version - 1;
        let mut delete = DeleteTopicsRequest::default().with_timeout_ms(1_000);
        if delete_version >= 6 {
            let topic = delete_topics_request::DeleteTopicState::default().with_name(Some(name));
            delete.topics = vec![topic];
        } else {
            delete.topic_names = vec![name];
        }
        assert_eq!(wire.ask(delete_version, &delete).await.responses[0].error_code, 0);
        let missing = wire.ask(delete_version, &delete).await.responses[0].error_code;
        assert_eq!(missing, kafka_protocol::ResponseError::UnknownTopicOrPartition.code());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_are_refused_clearly() {
    let (_broker, mut wire) = broker_with_topic().await;
    let refused = kafka_protocol::ResponseError::TransactionalIdAuthorizationFailed.code();
    let request =
        FindCoordinatorRequest::default().with_key_type(1).with_coordinator_keys(vec![text("letters")]);
    assert_eq!(wire.ask(4, &request).await.coordinators[0].error_code, refused);
    let request =
        InitProducerIdRequest::default().with_transactional_id(Some(TransactionalId(text("letters"))));
    assert_eq!(wire.ask(4, &request).await.error_code, refused);
}
