//! Whom a message calls is told it, in the form of the RFCs; and just before that it is asked again.

use milena_domain::record::{Action, Event, Place};
use milena_domain::{ClientId, Epoch, Position, Timestamp, UserId};
use milena_testkit::{Device, PushService};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Fence, put, say, start, subscribed, words};
use crate::node::{Node, User};
use crate::socket::Socket;

async fn act(node: &Node, user: &User, method: Method, path: &str, body: &Value, status: u16) -> Value {
    node.call(method, &format!("/api/v1/{path}"), Some(user), Some(body)).await.ok(status)
}

async fn say_there(node: &Node, from: &User, room: &str, body: Value) -> Value {
    act(node, from, Method::POST, &format!("conversations/{room}/messages"), &body, 202).await
}

#[tokio::test]
async fn a_push_is_as_the_rfcs_say_and_for_one_device() {
    let node = start(|_| {}).await;
    let service = PushService::start().await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let key = node.get(&ben, "/api/v1/me/push").await.ok(200)["public_key"].as_str().unwrap().to_owned();
    let (device, annas) = (subscribed(&node, &service, &ben).await, subscribed(&node, &service, &anna).await);
    let phone = Device::at(&service, "phone");
    let mut quiet = phone.subscription();
    quiet["words"] = json!(false);
    act(&node, &ben, Method::POST, "me/push/subscriptions", &quiet, 201).await;
    let said = say(&node, &anna, &ben, "Are you \"there\"? 😀").await;
    node.store_all().await;
    let push = service.until("ben", 1).await.remove(0);
    let expected = json!({
        "v": 1, "kind": "direct", "conversation": said["conversation"], "position": said["position"],
        "id": said["id"], "sent_at": said["sent_at"], "user": ben.id, "title": "anna", "sender": "anna",
        "words": "Are you \"there\"? 😀",
    });
    assert_eq!(device.open(&push), expected);
    let claims = service.claims(&push, &key);
    assert_eq!(claims["sub"], "mailto:admin@example.org");
    let ttl: u64 = push.header("ttl").parse().unwrap();
    assert!((1..=120).contains(&ttl), "{ttl}");
    assert_eq!((push.header("urgency"), push.header("topic").len()), ("high", 32));
    assert_eq!(push.header("content-type"), "application/octet-stream");
    assert!(push.header("cookie").is_empty() && push.header("referer").is_empty());

    // The other device is told no word and no name.
    let push = service.until("phone", 1).await.remove(0);
    let told = phone.open(&push);
    let mut keys: Vec<&str> = told.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["conversation", "id", "kind", "position", "sent_at", "user", "v"]);
    // Each conversation has a topic of its own, the same each time.
    let topic = push.header("topic").to_owned();
    say(&node, &anna, &ben, "Hello?").await;
    node.store_all().await;
    let again = service.until("ben", 2).await.remove(1);
    assert_eq!(again.header("topic"), topic);
    say(&node, &ben, &anna, "Yes").await;
    node.store_all().await;
    let answer = service.until("anna", 1).await.remove(0);
    assert_ne!(answer.header("topic"), topic, "it says nothing of who has to do with whom");
    assert_eq!(annas.open(&answer)["words"], "Yes");
    let metrics = node.get(&anna, "/metrics").await.text;
    assert!(metrics.contains("milena_push_total{outcome=\"pushed\"}"), "{metrics}");
    node.stop().await;
}

#[tokio::test]
async fn without_words_when_the_operator_says_so() {
    let node = start(|settings| settings.push.words = false).await;
    let service = PushService::start().await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let device = subscribed(&node, &service, &ben).await;
    assert_eq!(node.get(&ben, "/api/v1/me/push").await.ok(200)["words"], false);
    say(&node, &anna, &ben, "a secret").await;
    node.store_all().await;
    let told = device.open(&service.until("ben", 1).await[0]);
    assert!(
        told.get("words").is_none() && told.get("title").is_none() && told.get("sender").is_none(),
        "{told}"
    );
    node.stop().await;
}

/// Between its place in the log and the push: what changes all of that is the database's, which is moved by
/// hand here.
#[tokio::test]
async fn what_is_not_to_be_told_any_more_is_not() {
    let node = start(|_| {}).await;
    let service = PushService::start().await;
    let anna = node.register("anna").await;
    let mut fence = Fence::new(&node, &service, &anna).await;
    let mut people = Vec::new();
    for name in ["reader", "deleted", "edited", "blocking", "signed-out", "active", "idle", "writer"] {
        let user = node.register(name).await;
        let device = subscribed(&node, &service, &user).await;
        people.push((user, device));
    }
    let of = |name: &str| people.iter().find(|(user, _)| user.name == name).unwrap();
    let user = |name: &str| &of(name).0;
    let mut active = Socket::sign_in(&node, user("active")).await;
    let mut idle = Socket::sign_in(&node, user("idle")).await;
    idle.say(&json!({"type": "idle"})).await;
    idle.say(&json!({"type": "ping"})).await;
    idle.hear_until("pong").await;

    let mut said = Vec::new();
    for (person, _) in &people {
        said.push(say(&node, &anna, person, &format!("to {}", person.name)).await);
    }
    let said = |name: &str| &said[people.iter().position(|(user, _)| user.name == name).unwrap()];
    let place = |name: &str| {
        let said = said(name);
        format!("conversations/{}/messages/{}", said["conversation"].as_str().unwrap(), said["position"])
    };
    let read = format!("conversations/{}/read", said("reader")["conversation"].as_str().unwrap());
    let up_to = json!({"position": said("reader")["position"]});
    act(&node, user("reader"), Method::PUT, &read, &up_to, 204).await;
    act(&node, &anna, Method::DELETE, &place("deleted"), &json!({}), 200).await;
    let words_now = json!({"id": said("edited")["id"], "body": "in other words"});
    act(&node, &anna, Method::PATCH, &place("edited"), &words_now, 200).await;
    block(&node, user("blocking"), &anna).await;
    act(&node, user("signed-out"), Method::POST, "logout", &Value::Null, 204).await;
    say(&node, user("writer"), &anna, "I have seen it").await;
    active.expect("message").await;

    fence.passed(&node, &service).await;
    for name in ["reader", "deleted", "blocking", "signed-out", "active", "writer"] {
        let pushes = service.of(name);
        assert!(pushes.is_empty(), "{name} was told {:?}", words(&of(name).1, &pushes));
    }
    for (name, expected) in [("edited", "in other words"), ("idle", "to idle")] {
        assert_eq!(words(&of(name).1, &service.of(name)), [expected], "{name}");
    }
    // Who goes away is told what comes then.
    active.say(&json!({"type": "idle"})).await;
    active.say(&json!({"type": "ping"})).await;
    active.hear_until("pong").await;
    say(&node, &anna, user("active"), "still there?").await;
    fence.passed(&node, &service).await;
    assert_eq!(words(&of("active").1, &service.of("active")), ["still there?"]);
    node.stop().await;
}

/// As another program writes it: no door of this one does yet.
async fn block(node: &Node, who: &User, whom: &User) {
    let id = |user: &User| user.id.parse::<UserId>().unwrap();
    let (place, client_id) = (Place::Direct(id(whom)), ClientId::new("b-1").unwrap());
    let seen = Position::new(Epoch::FIRST, 0);
    let action = Action::Blocked { on: true };
    let event = Event::new(id(who), place, client_id, Timestamp::now(), seen, action);
    put(node, event.conversation, &event.encode()).await;
}

#[tokio::test]
async fn in_a_room_those_are_told_whom_it_calls_while_they_are_in_it() {
    let node = start(|_| {}).await;
    let service = PushService::start().await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let (cleo, dora) = (node.register("cleo").await, node.register("dora").await);
    let mut fence = Fence::new(&node, &service, &anna).await;
    let mut devices = Vec::new();
    for user in [&anna, &ben, &cleo, &dora] {
        devices.push(subscribed(&node, &service, user).await);
    }
    let [_, bens, cleos, _] = devices.try_into().ok().unwrap();
    let members = [&ben, &cleo, &dora].map(|user| &user.id);
    let more = json!({"title": "The Garden", "visibility": "private", "members": members});
    let garden = node.room(&anna, "garden", more).await;
    say_there(&node, &anna, &garden, json!({"body": "just so"})).await;
    let body = format!("<@{}>, @cleo and @dora?", ben.id);
    let named = json!({"body": body, "mentions": [ben.id, cleo.id, dora.id]});
    say_there(&node, &anna, &garden, named).await;
    // Before anything of it is told: cleo goes, dora is sent away.
    node.act(&cleo, Method::POST, &garden, "/leave").await.ok(200);
    node.act(&anna, Method::DELETE, &garden, &format!("/members/{}", dora.id)).await.ok(200);
    fence.passed(&node, &service).await;
    assert_eq!(words(&bens, &service.of("ben")), ["@ben, @cleo and @dora?"]);
    assert!(service.of("cleo").is_empty() && service.of("dora").is_empty(), "who has gone is told nothing");
    assert!(service.of("anna").is_empty(), "nor is who wrote it");
    let told = bens.open(&service.of("ben")[0]);
    assert_eq!(
        (&told["kind"], &told["title"], &told["sender"]),
        (&json!("mention"), &json!("The Garden"), &json!("anna"))
    );

    // Who comes back is told what comes then, not what was before; an answer calls whom it answers.
    let bens_words = say_there(&node, &ben, &garden, json!({"body": "here"})).await;
    let target = json!({"position": bens_words["position"], "id": bens_words["id"]});
    let answer = json!({"body": "good", "reply_to": target});
    say_there(&node, &anna, &garden, answer).await;
    let everyone = json!({"body": "everybody!", "everyone": true});
    let users = json!({"users": [cleo.id]});
    act(&node, &anna, Method::POST, &format!("rooms/{garden}/members"), &users, 200).await;
    say_there(&node, &anna, &garden, everyone).await;
    fence.passed(&node, &service).await;
    let kinds: Vec<Value> = service.of("ben").iter().map(|push| bens.open(push)["kind"].clone()).collect();
    assert!(kinds == ["mention", "reply", "mention"] || kinds == ["mention", "mention"], "{kinds:?}");
    assert_eq!(words(&cleos, &service.of("cleo")), ["everybody!"]);
    assert!(service.of("dora").is_empty());
    node.stop().await;
}
