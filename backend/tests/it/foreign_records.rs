//! What somebody else writes into the log: who sees it, and who does not.

use milena_domain::{Body, ClientId, MessageEvent, SessionCursor, Timestamp, UserId, partition_of};
use rdkafka::ClientConfig;
use rdkafka::producer::{FutureProducer, FutureRecord};

use crate::node::{Node, PATIENCE};
use crate::socket::Socket;

/// A good record in the wrong partition has no order beside the others of its conversation: nobody is shown it, as
/// nobody finds it in the history later. In its own partition the same record is a message.
#[tokio::test]
async fn a_record_in_the_wrong_partition_is_not_delivered() {
    const PARTITIONS: usize = 3;
    let node = Node::start_with(|settings| settings.kafka.partitions = PARTITIONS).await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let mut socket = Socket::sign_in(&node, &ben).await;
    let id = |text: &str| text.parse::<UserId>().unwrap();
    let event = |name: &str| {
        MessageEvent::new(
            id(&anna.id),
            id(&ben.id),
            ClientId::new(name).unwrap(),
            Timestamp::now(),
            Body::new(name).unwrap(),
        )
    };
    let producer: FutureProducer =
        ClientConfig::new().set("bootstrap.servers", node.broker_address()).create().unwrap();
    let topic = milena_settings::Settings::defaults().kafka.topic;
    let put = async |event: &MessageEvent, partition: i32| {
        let (key, value) = (event.key(), event.encode());
        let record = FutureRecord::to(&topic).key(&key).payload(&value).partition(partition);
        producer.send(record, PATIENCE).await.unwrap();
    };
    let home = partition_of(event("home").conversation, PARTITIONS);
    for step in 1..PARTITIONS as i32 {
        put(&event("astray"), (home + step) % PARTITIONS as i32).await;
    }
    put(&event("home"), home).await;
    // Everything that the socket hears, until a cursor covers all the records.
    let mut bodies = Vec::new();
    loop {
        let frame = socket.hear().await;
        if frame["type"] == "cursor" {
            let cursor = SessionCursor::decode(frame["cursor"].as_str().unwrap()).unwrap();
            if cursor.next_offsets.iter().sum::<i64>() == PARTITIONS as i64 {
                break;
            }
        } else {
            bodies.push(frame["body"].clone());
        }
    }
    assert_eq!(bodies, ["home"]);
    let path = format!("/api/v1/conversations/{}/messages", event("home").conversation);
    let page = node.get(&anna, &path).await.ok(200);
    assert_eq!(page["messages"].as_array().unwrap().len(), 1, "{page}");
    node.stop().await;
}
