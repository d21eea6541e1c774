"""The part of the client suite that confluent-kafka runs: confluent.py BOOTSTRAP (milena|apache-kafka) PREFIX
PROPERTIES, the last in JSON.

Every function whose name begins with "check_" is run on topics and groups of its own, prints "ok NAME", and
raises where the broker does not do what Apache Kafka does.
"""

import itertools
import json
import sys
import time

from confluent_kafka import (
    OFFSET_INVALID,
    Consumer,
    ConsumerGroupTopicPartitions,
    ConsumerGroupState,
    KafkaError,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
    ResourceType,
)

BOOTSTRAP, BROKER, PREFIX = sys.argv[1:4]
PROPERTIES = json.loads(sys.argv[4])
PATIENCE_S = 60
COMMON = {"bootstrap.servers": BOOTSTRAP, "broker.address.family": "v4", **PROPERTIES}
admin = AdminClient(COMMON)
numbers = itertools.count()


def until(what, holds):
    deadline = time.monotonic() + PATIENCE_S
    while not (value := holds()):
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.02)
    return value


def done(futures):
    """The one result of an admin request about one thing."""
    (future,) = futures.values()
    return future.result(PATIENCE_S)


def make_topic(name, partitions=1, **config):
    topic = f"{PREFIX}-{name}-{next(numbers)}"
    done(admin.create_topics([NewTopic(topic, partitions, 1, config=config)]))
    until("the topic appears", lambda: topic in admin.list_topics(timeout=PATIENCE_S).topics)
    return topic


def produce(topic, records, **config):
    """Sends (key, value, headers, timestamp) and gives the confirmed (partition, offset) in their order."""
    confirmed, failed = [], []

    def delivered(error, message):
        if error:
            failed.append(error)
        else:
            confirmed.append((message.partition(), message.offset()))

    producer = Producer({**COMMON, **config})
    for key, value, headers, timestamp in records:
        producer.produce(topic, value, key, headers=headers, timestamp=timestamp, on_delivery=delivered)
    assert producer.flush(PATIENCE_S) == 0
    if failed:
        raise KafkaException(failed[0])
    return confirmed


def plain(count, word="letter"):
    return [(None, f"{word} {i}", [], 0) for i in range(count)]


def member(group, **config):
    timeouts = {"heartbeat.interval.ms": 200, "session.timeout.ms": 6000}
    usual = {"group.id": group, "auto.offset.reset": "earliest", "enable.auto.commit": False}
    # With the newer protocol the broker sets the time-outs.
    return Consumer({**COMMON, **usual, **({} if "group.protocol" in config else timeouts), **config})


def read(consumer, count):
    messages = []
    deadline = time.monotonic() + PATIENCE_S
    while len(messages) < count:
        assert time.monotonic() < deadline, f"only {len(messages)} of {count} came"
        message = consumer.poll(0.1)
        if message is not None:
            if message.error():
                raise KafkaException(message.error())
            messages.append(message)
    return messages


def refused(code, act):
    try:
        act()
    except KafkaException as error:
        assert error.args[0].code() == code, error
    else:
        raise AssertionError(f"not refused with {code}")


def check_every_compression_and_acknowledgement():
    topic = make_topic("codecs")
    sent = []
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"]:
        for acks in ["0", "1", "all"]:
            records = plain(20, f"{codec} {acks} " + "again and again " * 20)
            produce(topic, records, **{"compression.type": codec, "acks": acks})
            sent += [value for _, value, _, _ in records]
            # Without acknowledgement the producer is done before the broker is.
            until("they arrive", lambda: len(sent) == end_of(topic))
    consumer = member(topic)
    consumer.assign([TopicPartition(topic, 0, 0)])
    assert [message.value().decode() for message in read(consumer, len(sent))] == sent
    consumer.close()


def end_of(topic, partition=0):
    asked = {TopicPartition(topic, partition): OffsetSpec.latest()}
    return done(admin.list_offsets(asked)).offset


def check_keys_headers_and_times():
    topic = make_topic("envelope")
    headers = [("type", b"letter"), ("empty", b""), ("none", None)]
    records = [("milena", "body", headers, 1_234_567), (None, None, [], 2_000_000)]
    produce(topic, records, **{"enable.idempotence": True})
    consumer = member(topic)
    consumer.assign([TopicPartition(topic, 0, 0)])
    first, second = read(consumer, 2)
    assert (first.key(), first.value(), first.headers()) == (b"milena", b"body", headers)
    assert (first.timestamp()[1], second.timestamp()[1]) == (1_234_567, 2_000_000)
    assert (second.key(), second.value(), second.headers()) == (None, None, None)
    consumer.close()


def check_offsets_by_time():
    topic = make_topic("times")
    produce(topic, [(None, str(i), [], 10_000 + i * 10) for i in range(500)])
    consumer = member(topic)
    for at, expected in [(0, 0), (10_001, 1), (12_340, 234), (14_990, 499)]:
        (found,) = consumer.offsets_for_times([TopicPartition(topic, 0, at)], timeout=PATIENCE_S)
        assert found.offset == expected, (at, found)
    consumer.close()
    for spec, expected in [
        (OffsetSpec.earliest(), 0),
        (OffsetSpec.latest(), 500),
        (OffsetSpec.for_timestamp(12_345), 235),
        (OffsetSpec.max_timestamp(), 499),
    ]:
        found = done(admin.list_offsets({TopicPartition(topic, 0): spec}))
        assert found.offset == expected, (spec, found)


def share(strategy, **second_config):
    """Two members share six partitions; the second leaves, and the first has all again."""
    topic = make_topic(f"share-{strategy}", 6)
    first = member(topic, **{"partition.assignment.strategy": strategy})
    second = member(topic, **{"partition.assignment.strategy": strategy, **second_config})
    partitions = lambda consumer: {each.partition for each in consumer.assignment()}

    def both_poll():
        for consumer in (first, second):
            message = consumer.poll(0.02)
            assert message is None or not message.error(), message and message.error()

    def shared():
        both_poll()
        one, other = partitions(first), partitions(second)
        return one and other and not one & other and len(one | other) == 6

    first.subscribe([topic])
    second.subscribe([topic])
    until("they share", shared)
    return topic, first, second, partitions


def check_groups_eager_and_cooperative():
    for strategy in ["range", "roundrobin", "cooperative-sticky"]:
        _, first, second, partitions = share(strategy)
        second.close()
        until("the first takes over", lambda: first.poll(0.02) is None and len(partitions(first)) == 6)
        first.close()


def check_static_members():
    topic, first, second, partitions = share("range", **{"group.instance.id": "stays"})
    mine, others = partitions(second), partitions(first)
    second.close()
    second = member(topic, **{"partition.assignment.strategy": "range", "group.instance.id": "stays"})
    second.subscribe([topic])
    quiet = lambda: second.poll(0.02) is None and first.poll(0.02) is None
    until("it is back", lambda: quiet() and partitions(second) == mine)
    assert partitions(first) == others
    second.close()
    first.close()


def check_committed_offsets():
    topic = make_topic("commits", 2)
    produce(topic, plain(10), **{"partitioner": "consistent"})
    consumer = member(topic)
    consumer.subscribe([topic])
    last = read(consumer, 10)[-1]
    consumer.commit(asynchronous=False)
    (committed,) = consumer.committed([TopicPartition(topic, last.partition())], timeout=PATIENCE_S)
    assert committed.offset == last.offset() + 1
    # While it has members, nobody else may move its offsets.
    moved = ConsumerGroupTopicPartitions(topic, [TopicPartition(topic, last.partition(), 3)])
    (answer,) = done(admin.alter_consumer_group_offsets([moved])).topic_partitions
    assert answer.error and answer.error.code() == KafkaError.UNKNOWN_MEMBER_ID, answer
    described = done(admin.describe_consumer_groups([topic]))
    assert described.state == ConsumerGroupState.STABLE and len(described.members) == 1, described
    consumer.close()
    done(admin.alter_consumer_group_offsets([moved]))
    listed = done(admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(topic)]))
    assert {(each.partition, each.offset) for each in listed.topic_partitions} >= {(last.partition(), 3)}
    consumer = member(topic)
    consumer.subscribe([topic])
    assert read(consumer, 1)[0].offset() == 3
    consumer.close()


def check_groups_are_listed_described_and_deleted():
    topic = make_topic("groups")
    produce(topic, plain(1))
    consumer = member(topic)
    consumer.subscribe([topic])
    read(consumer, 1)
    consumer.commit(asynchronous=False)
    refused(KafkaError.NON_EMPTY_GROUP, lambda: done(admin.delete_consumer_groups([topic])))
    consumer.close()
    listed = admin.list_consumer_groups().result(PATIENCE_S)
    assert not listed.errors
    (mine,) = [group for group in listed.valid if group.group_id == topic]
    assert mine.state == ConsumerGroupState.EMPTY, mine
    assert done(admin.describe_consumer_groups([topic])).state == ConsumerGroupState.EMPTY
    done(admin.delete_consumer_groups([topic]))
    refused(KafkaError.GROUP_ID_NOT_FOUND, lambda: done(admin.delete_consumer_groups([topic])))
    consumer = member(topic)
    (forgotten,) = consumer.committed([TopicPartition(topic, 0)], timeout=PATIENCE_S)
    assert forgotten.offset == OFFSET_INVALID
    consumer.close()


def check_topics_partitions_configs_and_delete_records():
    topic = make_topic("topics", 1, **{"retention.ms": "3600000"})
    done(admin.create_partitions([NewPartitions(topic, 3)]))
    listed = lambda: admin.list_topics(topic, timeout=PATIENCE_S).topics[topic]
    until("they appear", lambda: len(listed().partitions) == 3)
    refused(KafkaError.TOPIC_ALREADY_EXISTS, lambda: done(admin.create_topics([NewTopic(topic, 1, 1)])))
    change = ConfigEntry("max.message.bytes", "2000", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic)
    changed = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[change])
    done(admin.incremental_alter_configs([changed]))
    described = lambda: done(admin.describe_configs([resource]))
    config = until("it is set", lambda: (c := described())["max.message.bytes"].value == "2000" and c)
    assert config["retention.ms"].value == "3600000" and not config["retention.ms"].is_default
    produce(topic, [(None, "x", [], 0)] * 9, **{"sticky.partitioning.linger.ms": 0})
    consumer = member(topic)
    for partition in range(3):
        end = end_of(topic, partition)
        deleted = done(admin.delete_records([TopicPartition(topic, partition, end)]))
        assert deleted.low_watermark == end
        watermarks = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=PATIENCE_S)
        assert watermarks == (end, end)
    consumer.close()
    cluster = admin.describe_cluster().result(PATIENCE_S)
    assert len(cluster.nodes) == 1 and cluster.controller, cluster
    done(admin.delete_topics([topic]))
    until("it is gone", lambda: topic not in admin.list_topics(timeout=PATIENCE_S).topics)


def check_what_is_refused():
    topic = make_topic("refused", 1, **{"max.message.bytes": "2000"})
    refused(KafkaError.MSG_SIZE_TOO_LARGE, lambda: produce(topic, [(None, "x" * 5000, [], 0)]))
    nowhere, soon = f"{PREFIX}-nowhere", {"topic.metadata.propagation.max.ms": 100}
    refused(KafkaError.UNKNOWN_TOPIC_OR_PART, lambda: produce(nowhere, plain(1), **soon))
    refused(KafkaError.UNKNOWN_TOPIC_OR_PART, lambda: done(admin.delete_topics([nowhere])))
    create = lambda *new, **more: done(admin.create_topics([NewTopic(*new, **more)]))
    refused(KafkaError.INVALID_REPLICATION_FACTOR, lambda: create(f"{PREFIX}-three", 1, 3))
    refused(KafkaError.TOPIC_EXCEPTION, lambda: create("no good name", 1, 1))
    refused(KafkaError.INVALID_CONFIG, lambda: create(f"{PREFIX}-odd", 1, 1, config={"no.such": "1"}))


def check_what_only_apache_kafka_has():
    topic = make_topic("newer")
    began = time.monotonic()
    producer = Producer({**COMMON, "transactional.id": topic})
    consumer = member(topic, **{"group.protocol": "consumer"})
    consumer.subscribe([topic])
    if BROKER == "apache-kafka":
        producer.init_transactions(PATIENCE_S)
        until("it is assigned", lambda: consumer.poll(0.05) is None and consumer.assignment())
    else:
        code = KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
        refused(code, lambda: producer.init_transactions(PATIENCE_S))
        error = until("it is refused", lambda: (m := consumer.poll(0.05)) and m.error())
        assert error.code() == KafkaError._FATAL and "not supported" in error.str(), error
        assert time.monotonic() - began < 10, "at once, not after a time-out"
    consumer.close()


for name, check in list(globals().items()):
    if name.startswith("check_"):
        check()
        print(f"ok {name}", flush=True)
