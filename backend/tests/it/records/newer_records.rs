//! A newer program writes into a conversation what this one cannot read: the conversation is closed here,
//! everything else goes on. On the embedded log, and on Apache Kafka where there is one.

use milena_domain::{ConversationId, UserId, partition_of};
use rdkafka::ClientConfig;
use rdkafka::producer::{FutureProducer, FutureRecord};
use serde_json::{Value, json};

use crate::node::{Node, PATIENCE, User};
use crate::socket::Socket;

#[tokio::test]
async fn a_newer_version_closes_its_conversation_on_the_embedded_log() {
    closes_its_conversation(&json!({"v": 3, "type": "message", "words": ["from", "the", "future"]}), None)
        .await;
}

#[tokio::test]
async fn an_unknown_type_closes_its_conversation_on_kafka() {
    let Some(brokers) = milena_testkit::given(milena_testkit::Kind::Kafka) else {
        eprintln!("not run: MILENA_TEST_KAFKA is not set");
        return;
    };
    closes_its_conversation(&json!({"v": 2, "type": "sung", "melody": "la"}), Some(brokers)).await;
}

async fn post(node: &Node, from: &User, to: &User) -> (u16, Value) {
    let path = node.url(&format!("/api/v1/users/{}/messages", to.id));
    let request = node.http.post(path).bearer_auth(&from.token).json(&json!({"body": "x"}));
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn closes_its_conversation(newer: &Value, brokers: Option<String>) {
    let mut kafka = None;
    let node = Node::start_with(|settings| {
        if let Some(brokers) = brokers {
            settings.kafka.brokers = brokers;
            settings.kafka.topic = format!("newer-{}", UserId::new());
            settings.kafka.dead_topic = format!("{}-dead", settings.kafka.topic);
        }
        kafka = Some(settings.kafka.clone());
    })
    .await;
    let kafka = kafka.unwrap();
    let (anna, ben, cleo) =
        (node.register("anna").await, node.register("ben").await, node.register("cleo").await);
    assert_eq!(post(&node, &anna, &ben).await.0, 202);
    let mut bens = Socket::sign_in(&node, &ben).await;

    let id = |user: &User| user.id.parse::<UserId>().unwrap();
    let conversation = ConversationId::direct(id(&anna), id(&ben));
    let producer: FutureProducer =
        ClientConfig::new().set("bootstrap.servers", &kafka.brokers).create().unwrap();
    let (key, value) = (conversation.to_string(), newer.to_string());
    let partition = partition_of(conversation, kafka.partitions);
    let record = FutureRecord::to(&kafka.topic).key(&key).payload(&value).partition(partition);
    producer.send(record, PATIENCE).await.unwrap();
    node.until(async |node| {
        let ready = node.http.get(node.url("/readyz")).send().await.unwrap();
        assert_eq!(ready.status(), 200, "others go on");
        let ready: Value = ready.json().await.unwrap();
        (ready["events"] == "upgrade_needed").then_some(())
    })
    .await;

    // Nothing more is taken or told in this conversation.
    let (status, refusal) = post(&node, &anna, &ben).await;
    assert_eq!((status, &refusal["code"]), (503, &json!("upgrade_needed")), "{refusal}");
    assert!(refusal["retry_after_ms"].as_u64().unwrap() > 0);
    bens.send("1", &anna, "x").await;
    let rejected = bens.expect("rejected").await;
    assert_eq!((&rejected["code"], &rejected["temporary"]), (&json!("upgrade_needed"), &json!(true)));
    let path = format!("/api/v1/conversations/{conversation}");
    for path in [path.clone(), format!("{path}/messages")] {
        node.get(&anna, &path).await.problem(503, "upgrade_needed");
    }
    // What is told of all says that it is not all.
    assert_eq!(node.get(&anna, "/api/v1/conversations").await.ok(200)["complete"], false);

    // Others go on.
    let (status, accepted) = post(&node, &cleo, &ben).await;
    assert_eq!(status, 202, "{accepted}");
    assert_eq!(bens.expect("message").await["id"], accepted["id"]);
    let path = format!("/api/v1/conversations/{}/messages", accepted["conversation"].as_str().unwrap());
    assert_eq!(node.get(&cleo, &path).await.ok(200)["complete"], true);
    node.stop().await;
}
