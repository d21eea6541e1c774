//! What people's devices are told, by a push service of each test's own.

mod asked_again;
mod once;
mod services;
mod subscribe;

use milena_domain::{ConversationId, UserId, partition_of};
use milena_settings::Settings;
use milena_testkit::{Device, PushService, Pushed};
use rdkafka::ClientConfig;
use rdkafka::producer::{FutureProducer, FutureRecord};
use reqwest::Method;
use serde_json::{Value, json};

use crate::node::{Node, PATIENCE, User};

/// A node that pushes to this machine, and soon.
async fn start(adjust: impl FnOnce(&mut Settings)) -> Node {
    Node::start_with(|settings| {
        settings.push.private_hosts = vec!["127.0.0.1".to_owned()];
        settings.push.contact = "mailto:admin@example.org".to_owned();
        settings.delivery.stored_poll_ms = 20;
        settings.delivery.read_flush_ms = 20;
        adjust(settings);
    })
    .await
}

/// A device of somebody, named as they are.
async fn subscribed(node: &Node, service: &PushService, user: &User) -> Device {
    let device = Device::at(service, &user.name);
    subscribe(node, user, &device).await;
    device
}

/// The object that the server answers.
async fn subscribe(node: &Node, user: &User, device: &Device) -> Value {
    let path = "/api/v1/me/push/subscriptions";
    node.call(Method::POST, path, Some(user), Some(&device.subscription())).await.ok(201)
}

/// Sends, and gives what was accepted.
async fn say(node: &Node, from: &User, to: &User, words: &str) -> Value {
    let path = format!("/api/v1/users/{}/messages", to.id);
    node.call(Method::POST, &path, Some(from), Some(&json!({"body": words}))).await.ok(202)
}

/// A record of this conversation, as another program writes it.
async fn put(node: &Node, conversation: ConversationId, value: &[u8]) {
    let producer: FutureProducer =
        ClientConfig::new().set("bootstrap.servers", node.broker_address()).create().unwrap();
    let topic = Settings::defaults().kafka.topic;
    let (key, partition) = (conversation.to_string(), partition_of(conversation, Fence::PARTITIONS));
    let record = FutureRecord::to(&topic).key(&key).payload(value).partition(partition);
    producer.send(record, PATIENCE).await.unwrap();
}

/// The words of pushes, in the order of their arrival.
fn words(device: &Device, pushes: &[Pushed]) -> Vec<String> {
    pushes.iter().map(|push| device.open(push)["words"].as_str().unwrap_or_default().to_owned()).collect()
}

/// Pushes that come after whatever there is has been dealt with: from the same author to others, in each
/// partition of the log. What did not come by then does not come.
struct Fence {
    from: User,
    /// One a partition.
    devices: Vec<(User, Device)>,
    count: usize,
}

impl Fence {
    const PARTITIONS: usize = 3;

    async fn new(node: &Node, service: &PushService, from: &User) -> Self {
        let from = User { id: from.id.clone(), name: from.name.clone(), token: from.token.clone() };
        let id = |user: &User| user.id.parse::<UserId>().unwrap();
        let (mut devices, mut covered) = (Vec::new(), Vec::new());
        for number in 0.. {
            let user = node.register(&format!("fence-{number}")).await;
            let conversation = ConversationId::direct(id(&from), id(&user));
            let partition = partition_of(conversation, Self::PARTITIONS);
            if !covered.contains(&partition) {
                covered.push(partition);
                let device = subscribed(node, service, &user).await;
                devices.push((user, device));
            }
            if covered.len() == Self::PARTITIONS {
                break;
            }
        }
        Self { from, devices, count: 0 }
    }

    /// Stores what there is. A job that was begun before the first fence has until the second one is there.
    async fn passed(&mut self, node: &Node, service: &PushService) {
        node.store_all().await;
        for _ in 0..2 {
            self.count += 1;
            for (user, _) in &self.devices {
                say(node, &self.from, user, "fence").await;
            }
            node.store_all().await;
            for (_, device) in &self.devices {
                service.until(&device.name, self.count).await;
            }
        }
    }
}
