//! What somebody else writes into the log: who sees it, and who does not.

use milena_domain::record::{Action, Event, Message, Place};
use milena_domain::{Body, ClientId, Epoch, MessageEvent, Position, Timestamp, UserId, partition_of};
use milena_kafka::{Role, client_config};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions};
use rdkafka::client::DefaultClientContext;
use rdkafka::producer::{FutureProducer, FutureRecord};
use serde_json::{Value, json};

use crate::node::{Node, PATIENCE, User};
use crate::socket::Socket;

/// A good record in the wrong partition has no order beside the others of its conversation: nobody is shown
/// it, as nobody finds it in the history later. In its own partition the same record is a message.
#[tokio::test]
async fn a_record_in_the_wrong_partition_is_not_delivered() {
    const PARTITIONS: usize = 3;
    let node = Node::start_with(|settings| settings.kafka.partitions = PARTITIONS).await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let mut socket = Socket::sign_in(&node, &ben).await;
    let id = |text: &str| text.parse::<UserId>().unwrap();
    let from = |sender: UserId, name: &str| {
        let (client_id, body) = (ClientId::new(name).unwrap(), Body::new(name).unwrap());
        MessageEvent::new(sender, id(&ben.id), client_id, Timestamp::now(), body)
    };
    let event = |name: &str| from(id(&anna.id), name);
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
        let partition = (home + step) % PARTITIONS as i32;
        put(&event("astray"), partition).await;
        // Behind it one that belongs there: who hears that has passed the other.
        let mut strangers = std::iter::repeat_with(|| from(UserId::new(), "behind"));
        let behind = strangers.find(|event| partition_of(event.conversation, PARTITIONS) == partition);
        put(&behind.unwrap(), partition).await;
    }
    put(&event("home"), home).await;
    let mut bodies = Vec::new();
    while bodies.len() < PARTITIONS {
        bodies.push(socket.expect("message").await["body"].as_str().unwrap().to_owned());
    }
    bodies.sort();
    assert_eq!(bodies, ["behind", "behind", "home"]);
    let path = format!("/api/v1/conversations/{}/messages", event("home").conversation);
    let page = node.get(&anna, &path).await.ok(200);
    assert_eq!(page["messages"].as_array().unwrap().len(), 1, "{page}");
    node.stop().await;
}

/// What a later program adds under the reserved names is passed over, and the message is shown by its words.
#[tokio::test]
async fn a_message_with_reserved_fields_is_shown_by_its_words() {
    let node = Node::start_with(|settings| settings.kafka.partitions = 1).await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let mut socket = Socket::sign_in(&node, &ben).await;
    let id = |user: &User| user.id.parse::<UserId>().unwrap();
    let (place, client_id) = (Place::Direct(id(&ben)), ClientId::new("c-1").unwrap());
    let action = Action::Message(Message::plain(Body::new("see the attachment").unwrap()));
    let seen = Position::new(Epoch::FIRST, 0);
    let event = Event::new(id(&anna), place, client_id, Timestamp::now(), seen, action);
    let mut value: Value = serde_json::from_slice(&event.encode()).unwrap();
    value["files"] = json!([{"name": "letter.pdf"}]);
    value["enc"] = json!({"alg": "later"});
    let producer: FutureProducer =
        ClientConfig::new().set("bootstrap.servers", node.broker_address()).create().unwrap();
    let topic = milena_settings::Settings::defaults().kafka.topic;
    let (key, value) = (event.key(), value.to_string());
    producer.send(FutureRecord::to(&topic).key(&key).payload(&value), PATIENCE).await.unwrap();
    let heard = socket.expect("message").await;
    assert_eq!((&heard["body"], &heard["id"]), (&json!("see the attachment"), &json!(event.id)));
    assert!(heard.get("files").is_none() && heard.get("enc").is_none(), "{heard}");
    let path = format!("/api/v1/conversations/{}/messages", event.conversation);
    let page = node.get(&anna, &path).await.ok(200);
    assert_eq!(page["messages"][0]["body"], "see the attachment");
    node.stop().await;
}

/// Partitions added to a topic move conversations away from their order: the backend stops and names the way
/// out, also when nobody sends anything.
#[tokio::test]
async fn partitions_that_are_added_end_the_backend() {
    let mut kafka = None;
    let node = Node::start_with(|settings| {
        let refresh = "topic.metadata.refresh.interval.ms";
        settings.kafka.properties.insert(refresh.to_owned(), "500".to_owned());
        kafka = Some(settings.kafka.clone());
    })
    .await;
    let kafka = kafka.unwrap();
    let admin: AdminClient<DefaultClientContext> = client_config(&kafka, &Role::Admin).create().unwrap();
    let wanted = NewPartitions::new(&kafka.topic, 4);
    let grown = admin.create_partitions([&wanted], &AdminOptions::new()).await.unwrap();
    assert!(grown.iter().all(Result::is_ok), "{grown:?}");
    let error = node.ended().await.expect_err("it does not go on").to_string();
    for said in ["more partitions", "kafka.partitions", "new-epoch"] {
        assert!(error.contains(said), "{error}");
    }
}
