//! Each message once, whatever the log repeats and whenever the program ends.

use milena_domain::{Body, ClientId, MessageEvent, Timestamp, UserId};
use milena_testkit::PushService;
use serde_json::json;

use super::{Fence, put, say, start, subscribed, words};
use crate::node::{Node, User};

fn event(from: &User, to: &User, name: &str, at: Timestamp) -> MessageEvent {
    let id = |user: &User| user.id.parse::<UserId>().unwrap();
    let (client_id, body) = (ClientId::new(name).unwrap(), Body::new(name).unwrap());
    MessageEvent::new(id(from), id(to), client_id, at, body)
}

async fn put_event(node: &Node, event: &MessageEvent) {
    put(node, event.conversation, &event.encode()).await;
}

#[tokio::test]
async fn what_the_log_repeats_and_what_is_old_is_not_pushed() {
    let node = start(|_| {}).await;
    let service = PushService::start().await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let mut fence = Fence::new(&node, &service, &anna).await;
    let device = subscribed(&node, &service, &ben).await;
    let now = Timestamp::now();
    // The same record three times, before and after the first is stored; one of before the time; one of
    // before the device; and one that only claims to be of next week.
    let once = event(&anna, &ben, "once", now);
    put_event(&node, &once).await;
    put_event(&node, &once).await;
    put_event(&node, &event(&anna, &ben, "old", now.plus_ms(-121_000))).await;
    put_event(&node, &event(&anna, &ben, "before the device", now.plus_ms(-60_000))).await;
    fence.passed(&node, &service).await;
    // What waits in its line when a newer one comes is passed over, and that is not what is asked here.
    service.until(&device.name, 1).await;
    put_event(&node, &once).await;
    put_event(&node, &event(&anna, &ben, "ahead", now.plus_ms(7 * 24 * 60 * 60 * 1_000))).await;
    fence.passed(&node, &service).await;
    service.until(&device.name, 2).await;
    let mut told = words(&device, &service.of("ben"));
    told.sort();
    assert_eq!(told, ["ahead", "once"]);
    node.stop().await;
}

#[tokio::test]
async fn a_restart_pushes_what_was_not_pushed_and_nothing_again() {
    let mut node = start(|_| {}).await;
    let service = PushService::start().await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let mut fence = Fence::new(&node, &service, &anna).await;
    let device = subscribed(&node, &service, &ben).await;
    say(&node, &anna, &ben, "before").await;
    fence.passed(&node, &service).await;
    service.until(&device.name, 1).await;
    assert_eq!(words(&device, &service.of("ben")), ["before"]);
    // Accepted, and not stored before the end.
    say(&node, &anna, &ben, "between").await;
    node = node.restart().await;
    fence.passed(&node, &service).await;
    service.until(&device.name, 2).await;
    assert_eq!(words(&device, &service.of("ben")), ["before", "between"]);
    node = node.restart().await;
    fence.passed(&node, &service).await;
    assert_eq!(words(&device, &service.of("ben")), ["before", "between"], "nothing again");
    let push = node.get(&ben, "/api/v1/me/push").await.ok(200);
    assert_eq!(push["subscriptions"][0]["host"], json!("127.0.0.1"));
    for push in service.of("ben") {
        service
            .claims(&push, node.get(&ben, "/api/v1/me/push").await.ok(200)["public_key"].as_str().unwrap());
    }
    node.stop().await;
}
