//! What push services answer, and those that do not.

use std::time::{Duration, Instant};

use milena_testkit::{Device, PushService, Reply, tell};
use reqwest::Method;
use serde_json::json;
use tokio::net::TcpListener;

use super::{Fence, say, start, subscribe, subscribed, words};
use crate::node::{Node, User};
use crate::socket::Socket;

async fn devices(node: &Node, user: &User) -> usize {
    let push = node.get(user, "/api/v1/me/push").await.ok(200);
    push["subscriptions"].as_array().unwrap().len()
}

#[tokio::test]
async fn answers_are_heeded() {
    let node = start(|_| {}).await;
    let service = PushService::start().await;
    let elsewhere = PushService::start().await;
    let anna = node.register("anna").await;
    let mut fence = Fence::new(&node, &service, &anna).await;
    let location = ("location", format!("http://{}/moved", elsewhere.address));
    let mut people = Vec::new();
    for (name, replies) in [
        ("gone", vec![Reply::Status(410)]),
        ("unknown", vec![Reply::Status(404)]),
        (
            "busy",
            vec![Reply::With(429, "retry-after", "2".into()), Reply::With(503, "retry-after", "1".into())],
        ),
        ("never", vec![Reply::With(503, "retry-after", "600".into())]),
        ("small", vec![Reply::Status(413)]),
        ("tiny", vec![Reply::Status(413), Reply::Status(413)]),
        ("moved", vec![Reply::With(307, location.0, location.1.clone())]),
        ("forbidding", vec![Reply::Status(403)]),
        ("hanging", vec![Reply::Hang]),
    ] {
        let user = node.register(name).await;
        let device = subscribed(&node, &service, &user).await;
        service.replies(name, replies);
        say(&node, &anna, &user, "hello").await;
        people.push((user, device));
    }
    let began = Instant::now();
    fence.passed(&node, &service).await;
    assert!(began.elapsed() < Duration::from_secs(9), "nobody waits for the one that hangs");
    let device = |name: &str| &people.iter().find(|(user, _)| user.name == name).unwrap().1;

    // Later, when the service said; and once it has it, never again.
    let busy = service.until("busy", 3).await;
    let pauses: Vec<_> = busy.windows(2).map(|pair| pair[1].at - pair[0].at).collect();
    assert!(pauses[0] >= Duration::from_secs(2) && pauses[1] >= Duration::from_secs(1), "{pauses:?}");
    let small = service.until("small", 2).await;
    assert_eq!(words(device("small"), &small), ["hello", ""]);
    service.until("tiny", 2).await;
    fence.passed(&node, &service).await;
    for (name, count) in [
        ("gone", 1),
        ("unknown", 1),
        ("busy", 3),
        ("never", 1),
        ("small", 2),
        ("tiny", 2),
        ("moved", 1),
        ("forbidding", 1),
        ("hanging", 1),
    ] {
        assert_eq!(service.of(name).len(), count, "{name}");
    }
    assert_eq!(elsewhere.count(), 0, "nobody is asked where a service points to");
    for (user, _) in &people {
        let expected = usize::from(!["gone", "unknown"].contains(&user.name.as_str()));
        assert_eq!(devices(&node, user).await, expected, "{}", user.name);
    }
    node.stop().await;
}

/// Each time a service is asked it is looked first whether there is still something to tell; what the
/// database does not have yet counts too.
#[tokio::test]
async fn what_changes_while_a_service_is_busy_is_seen() {
    let node = start(|_| {}).await;
    let service = PushService::start().await;
    let names = ["leaver", "sent-away", "reader", "edited", "deleted", "signed-out", "coming", "control"];
    let anna = node.register("anna").await;
    let mut people = Vec::new();
    for name in names {
        let user = node.register(name).await;
        let device = subscribed(&node, &service, &user).await;
        service.replies(name, [Reply::With(429, "retry-after", "2".into())]);
        people.push((user, device));
    }
    let user = |name: &str| &people.iter().find(|(user, _)| user.name == name).unwrap().0;
    let members: Vec<_> = [user("leaver"), user("sent-away")].map(|user| &user.id).into();
    let room = node.room(&anna, "garden", json!({"members": members})).await;
    let path = format!("/api/v1/conversations/{room}/messages");
    let body = json!({"body": "both of you", "mentions": members});
    node.call(Method::POST, &path, Some(&anna), Some(&body)).await.ok(202);
    let mut said = Vec::new();
    for name in &names[2..] {
        said.push(say(&node, &anna, user(name), "hello").await);
    }
    node.store_all().await;
    for name in names {
        service.until(name, 1).await;
    }
    // Nothing of this is stored before they are asked again.
    let said = |name: &str| &said[names[2..].iter().position(|it| *it == name).unwrap()];
    let at = |name: &str| {
        let said = said(name);
        format!("/api/v1/conversations/{}", said["conversation"].as_str().unwrap())
    };
    let message = |name: &str| format!("{}/messages/{}", at(name), said(name)["position"]);
    node.act(user("leaver"), Method::POST, &room, "/leave").await.ok(200);
    node.act(&anna, Method::DELETE, &room, &format!("/members/{}", user("sent-away").id)).await.ok(200);
    let mark = json!({"position": said("reader")["position"]});
    node.call(Method::PUT, &format!("{}/read", at("reader")), Some(user("reader")), Some(&mark))
        .await
        .ok(204);
    let edit = json!({"body": "goodbye"});
    node.call(Method::PATCH, &message("edited"), Some(&anna), Some(&edit)).await.ok(200);
    node.call(Method::DELETE, &message("deleted"), Some(&anna), None).await.ok(200);
    node.call(Method::POST, "/api/v1/logout", Some(user("signed-out")), None).await.ok(204);
    let coming = Socket::sign_in(&node, user("coming")).await;
    service.until("control", 2).await;
    // All were told to come back at the same time: a round trip later they have been.
    node.store_all().await;
    say(&node, &anna, user("control"), "and now").await;
    node.store_all().await;
    service.until("control", 3).await;
    for name in names {
        let expected = match name {
            "edited" => 2,
            "control" => 3,
            _ => 1,
        };
        assert_eq!(service.of(name).len(), expected, "{name}");
    }
    let device = |name: &str| &people.iter().find(|(user, _)| user.name == name).unwrap().1;
    assert_eq!(words(device("edited"), &service.of("edited")), ["hello", "goodbye"]);
    drop(coming);
    node.stop().await;
}

/// Whoever has a thousand devices that nobody answers for costs themselves the pushes, and others nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_dead_endpoints_cost_nothing_else() {
    const PEOPLE: usize = 50;
    const DEVICES: usize = 20;
    let node = start(|settings| {
        settings.push.private_hosts = (0..=255).map(|number| format!("127.0.9.{number}")).collect();
        settings.push.private_hosts.push("127.0.0.1".to_owned());
    })
    .await;
    let service = PushService::start().await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let device = subscribed(&node, &service, &ben).await;
    // Takes connections and says nothing, for ever: the worst of them.
    let mut holes = Vec::new();
    for number in 0..50 {
        holes.push(TcpListener::bind(format!("127.0.9.{number}:0")).await.unwrap());
    }
    let measured = async |rounds: usize| {
        let (mut sends, mut pushes) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            let (began, before) = (Instant::now(), service.of("ben").len());
            say(&node, &anna, &ben, "meanwhile").await;
            sends.push(began.elapsed());
            node.store_all().await;
            service.until("ben", before + 1).await;
            pushes.push(began.elapsed());
        }
        sends.sort_unstable();
        pushes.sort_unstable();
        (sends[rounds / 2], sends[rounds - 1], pushes[rounds / 2], pushes[rounds - 1])
    };
    measured(5).await;
    let alone = measured(40).await;
    let mut dead = Vec::new();
    for person in 0..PEOPLE {
        let user = node.register(&format!("dead-{person}")).await;
        for number in 0..DEVICES {
            let hole = holes[(person * DEVICES + number) % holes.len()].local_addr().unwrap();
            let name = format!("{person}-{number}");
            subscribe(&node, &user, &Device::at_endpoint(format!("http://{hole}/{name}"), &name)).await;
        }
        dead.push(user);
    }
    for user in &dead {
        say(&node, &anna, user, "is anybody there?").await;
    }
    node.store_all().await;
    // They are being asked, as the first connection says.
    let first = holes.iter().map(|hole| Box::pin(hole.accept()));
    let (held, ..) = futures::future::select_all(first).await;
    let beside = measured(40).await;
    drop(held);
    tell(&format!(
        "{} dead endpoints: send p50 {:?} max {:?}, push p50 {:?} max {:?}; without them send p50 {:?} max \
         {:?}, push p50 {:?} max {:?}",
        PEOPLE * DEVICES,
        beside.0,
        beside.1,
        beside.2,
        beside.3,
        alone.0,
        alone.1,
        alone.2,
        alone.3
    ));
    let is_calm = |with: Duration, without: Duration| with < without * 3 + Duration::from_millis(100);
    assert!(is_calm(beside.0, alone.0) && is_calm(beside.2, alone.2), "{beside:?} {alone:?}");
    assert_eq!(words(&device, &service.of("ben")).len(), 85);
    let metrics = node.call(Method::GET, "/metrics", None, None).await.text;
    let waiting = metrics.lines().find(|line| line.starts_with("milena_push_waiting")).unwrap();
    assert!(waiting.split(' ').nth(1).unwrap().parse::<f64>().unwrap() > 0.0, "they still wait: {waiting}");
    assert_eq!(node.get(&anna, "/api/v1/me/push").await.ok(200)["subscriptions"], json!([]));
    node.stop().await;
}
