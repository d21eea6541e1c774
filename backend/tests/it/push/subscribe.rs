//! `me/push`: subscribing, and what ends it.

use milena_testkit::{Device, PushService};
use reqwest::Method;
use serde_json::{Value, json};

use super::{start, subscribe};
use crate::client::Answer;
use crate::node::{Node, User};

const PATH: &str = "/api/v1/me/push/subscriptions";

async fn devices(node: &Node, user: &User) -> Vec<Value> {
    let push = node.get(user, "/api/v1/me/push").await.ok(200);
    push["subscriptions"].as_array().unwrap().clone()
}

async fn post(node: &Node, user: &User, body: &Value) -> Answer {
    node.call(Method::POST, PATH, Some(user), Some(body)).await
}

async fn again(node: &Node, user: &User) -> User {
    let answer = node.sign_in(&user.name, "correct horse").await.ok(200);
    let (id, name) = (user.id.clone(), user.name.clone());
    User { id, name, token: answer["token"].as_str().unwrap().to_owned() }
}

#[tokio::test]
async fn a_device_is_its_owners_until_its_session_ends() {
    let node = start(|_| {}).await;
    let service = PushService::start().await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let push = node.get(&anna, "/api/v1/me/push").await.ok(200);
    let key = push["public_key"].as_str().unwrap().to_owned();
    assert_eq!(push, json!({"public_key": key, "words": true, "subscriptions_max": 20, "subscriptions": []}));
    assert_eq!((key.len(), &key[..1]), (87, "B"), "an uncompressed point");
    node.call(Method::GET, "/api/v1/me/push", None, None).await.problem(401, "unauthenticated");

    let first = Device::at(&service, "first");
    let mut body = first.subscription();
    body["label"] = json!("Firefox\u{7} on Linux");
    let made = post(&node, &anna, &body).await.ok(201);
    let id = made["id"].as_str().unwrap().to_owned();
    let expected = json!({
        "id": id, "label": "Firefox on Linux", "host": "127.0.0.1", "words": true,
        "created_at": made["created_at"], "current": true,
    });
    assert_eq!(made, expected);
    // The same again is the same one, with what is new about it, and belongs to the session that asked.
    let elsewhere = again(&node, &anna).await;
    body["words"] = json!(false);
    let changed = post(&node, &elsewhere, &body).await.ok(200);
    assert_eq!(
        (&changed["id"], &changed["words"], &changed["current"]),
        (&json!(id), &json!(false), &json!(true))
    );
    assert_eq!(devices(&node, &anna).await[0]["current"], false);
    // Somebody else who knows the endpoint, and somebody else at the same browser.
    let mut stolen = Device::at(&service, "other").subscription();
    stolen["endpoint"] = body["endpoint"].clone();
    post(&node, &ben, &stolen).await.problem(409, "endpoint_taken");
    node.call(Method::DELETE, &format!("{PATH}/{id}"), Some(&ben), None).await.problem(404, "not_found");
    node.call(Method::DELETE, &format!("{PATH}/x"), Some(&ben), None).await.problem(400, "invalid_field");
    post(&node, &ben, &body).await.ok(201);
    assert_eq!((devices(&node, &anna).await.len(), devices(&node, &ben).await.len()), (0, 1));

    // Signing out, ending from elsewhere, and another password take the devices along.
    subscribe(&node, &anna, &Device::at(&service, "a-1")).await;
    subscribe(&node, &elsewhere, &Device::at(&service, "a-2")).await;
    let third = again(&node, &anna).await;
    let removed = subscribe(&node, &third, &Device::at(&service, "a-3")).await;
    assert_eq!(devices(&node, &third).await.len(), 3);
    let path = format!("{PATH}/{}", removed["id"].as_str().unwrap());
    node.call(Method::DELETE, &path, Some(&anna), None).await.ok(204);
    node.call(Method::DELETE, &path, Some(&anna), None).await.problem(404, "not_found");
    node.call(Method::POST, "/api/v1/logout", Some(&anna), None).await.ok(204);
    assert_eq!(devices(&node, &third).await.len(), 1);
    let password = json!({"current_password": "correct horse", "new_password": "battery staple"});
    let renewed = node.call(Method::PUT, "/api/v1/me/password", Some(&third), Some(&password)).await.ok(200);
    let third = User { token: renewed["token"].as_str().unwrap().to_owned(), ..third };
    assert_eq!(devices(&node, &third).await.len(), 0);
    subscribe(&node, &third, &Device::at(&service, "a-4")).await;
    assert_eq!(devices(&node, &third).await.len(), 1);
    node.stop().await;
}

#[tokio::test]
async fn what_is_wrong_is_named_and_so_many_are_enough() {
    let node = start(|_| {}).await;
    let service = PushService::start().await;
    let anna = node.register("anna").await;
    let good = Device::at(&service, "good").subscription();
    let with = |path: &str, value: Value| {
        let mut body = good.clone();
        *body.pointer_mut(path).unwrap() = value;
        body
    };
    let key = "keys.p256dh must be an uncompressed point of P-256, 65 bytes, in base64url";
    let secret = "keys.auth must be 16 bytes in base64url";
    for (body, field, detail) in [
        (json!({}), "endpoint", "endpoint is missing"),
        (json!({"endpoint": "https://push.example.com/"}), "keys", "keys is missing"),
        (with("/keys", json!([])), "keys", "keys must be an object"),
        (with("/keys/p256dh", json!(7)), "keys.p256dh", "keys.p256dh must be a string"),
        (with("/keys/p256dh", json!("B".repeat(87))), "keys.p256dh", key),
        (with("/keys/p256dh", json!("")), "keys.p256dh", key),
        (with("/keys/auth", json!("AAAA")), "keys.auth", secret),
        (with("/keys/auth", Value::Null), "keys.auth", "keys.auth must be a string"),
    ] {
        post(&node, &anna, &body).await.field(field, detail);
    }
    let inside = "endpoint must be at a host that can be reached from everywhere";
    for (endpoint, detail) in [
        ("http://push.example.com/", "endpoint must begin with https://"),
        ("https://192.168.0.1/", inside),
        ("https://169.254.169.254/latest/meta-data", inside),
        ("https://[::1]/", inside),
        ("https://[::ffff:127.0.0.1]/", inside),
        ("https://localhost/", inside),
        ("https://2130706433/", inside),
        ("https://metadata.internal/", inside),
        (
            "https://anna@push.example.com/",
            "endpoint must be an absolute address, without a user and a fragment",
        ),
        ("push", "endpoint must begin with https://"),
    ] {
        post(&node, &anna, &with("/endpoint", json!(endpoint))).await.field("endpoint", detail);
    }
    let long = format!("https://push.example.com/{}", "x".repeat(2_048));
    let detail = "endpoint must be at most 2048 characters";
    post(&node, &anna, &with("/endpoint", json!(long))).await.field("endpoint", detail);
    // Padded, as some clients write it.
    let auth = format!("{}==", good["keys"]["auth"].as_str().unwrap());
    post(&node, &anna, &with("/keys/auth", json!(auth))).await.ok(201);
    for number in 1..20 {
        subscribe(&node, &anna, &Device::at(&service, &format!("d-{number}"))).await;
    }
    post(&node, &anna, &Device::at(&service, "one-more").subscription())
        .await
        .problem(403, "too_many_subscriptions");
    assert_eq!(devices(&node, &anna).await.len(), 20);
    node.stop().await;
}

#[tokio::test]
async fn an_operator_can_switch_it_off() {
    let node = start(|settings| settings.push.enabled = false).await;
    let service = PushService::start().await;
    let anna = node.register("anna").await;
    let push = node.get(&anna, "/api/v1/me/push").await.ok(200);
    assert_eq!(push["public_key"], Value::Null);
    post(&node, &anna, &Device::at(&service, "a").subscription()).await.problem(404, "push_off");
    node.stop().await;
}
