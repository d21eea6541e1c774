//! Somebody is sent out of a room through one backend while they flood it through the other: whatever was
//! accepted stands before their removal, whatever stands after it was refused, and nobody hears more; nor is
//! more in any store that is made of the log.
//!
//! `MILENA_TEST_REMOVALS` sets how often it happens.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::{JoinHandle, JoinSet};

use crate::client::{Account, Incoming, Rest, Socket};
use crate::rooms::{Oracle, Replays};
use crate::world::{Cluster, Kind, Services, turn, until};

const REMOVALS: usize = 8;
/// Sends that are under way at the same time.
const AT_ONCE: usize = 4;

fn removals() -> usize {
    std::env::var("MILENA_TEST_REMOVALS").map_or(REMOVALS, |text| text.parse().expect("a whole number"))
}

fn position(value: &Value) -> i64 {
    value["position"].as_i64().unwrap_or_else(|| panic!("no position in {value}"))
}

/// A socket, and where the messages stand that it was sent.
struct Listener {
    heard: Arc<Mutex<Vec<i64>>>,
    task: JoinHandle<()>,
}

impl Listener {
    async fn open(rest: &Rest, who: &Account) -> Self {
        let (mut socket, _) = Socket::signed_in(rest.address(), &who.token, None).await;
        let heard = Arc::new(Mutex::new(Vec::new()));
        let list = Arc::clone(&heard);
        let task = tokio::spawn(async move {
            while let Incoming::Frame(frame) = socket.receive().await {
                if frame["type"] == "message" {
                    list.lock().unwrap().push(position(&frame));
                }
            }
        });
        Self { heard, task }
    }

    fn heard(&self) -> Vec<i64> {
        self.heard.lock().unwrap().clone()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Writes until that is refused for good; gives where what was accepted stands.
async fn flood(rest: Rest, room: String, accepted: Arc<AtomicUsize>) -> Vec<i64> {
    let mut places = Vec::new();
    loop {
        let answer = rest.post(&format!("conversations/{room}/messages"), &json!({"body": "again"})).await;
        match (answer.status, answer.code()) {
            (202, _) => {
                places.push(position(&answer.body));
                accepted.fetch_add(1, Ordering::Relaxed);
            }
            (403, "not_member") => return places,
            (429 | 503, _) => tokio::time::sleep(Duration::from_millis(20)).await,
            other => panic!("{other:?}: {}", answer.body),
        }
    }
}

/// All messages of somebody in the room, as `rest` tells them.
async fn messages_of(rest: &Rest, room: &str, who: &Account) -> BTreeSet<i64> {
    let (mut after, mut found) = (0, BTreeSet::new());
    loop {
        let path = format!("conversations/{room}/messages?after={after}&limit=100");
        let page: Value = rest.get(&path).await.expect(200);
        let messages = page["messages"].as_array().unwrap();
        let own = messages.iter().filter(|message| message["sender"] == who.person.id.to_string());
        found.extend(own.map(position));
        match messages.last() {
            Some(last) if page["has_after"] == true => after = position(last),
            _ => return found,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_counts_after_a_removal() {
    let Some(services) = Services::shared(Kind::Postgres).await else { return };
    let _turn = turn().await;
    let cluster = Cluster::start_with(services, 2, 1, |_| Vec::new()).await;
    let (one, other) = (cluster.rest(0), cluster.rest(1));
    let (ann, ben, carl) = (one.register("ann").await, one.register("ben").await, one.register("carl").await);
    let room = json!({
        "client_id": "room", "handle": "races", "title": "Races", "members": [ben.person.id, carl.person.id],
    });
    let created: Value = one.of(&ann).post_until_taken("rooms", &room).await.expect(201);
    let room = created["room"]["id"].as_str().unwrap().to_owned();
    let listeners = [Listener::open(&one, &carl).await, Listener::open(&other, &carl).await];
    let of_ben = Listener::open(&other, &ben).await;

    let owner = one.of(&ann);
    let (mut accepted, mut apart) = (BTreeSet::new(), Vec::new());
    let mut since = position(&created);
    for round in 0..removals() {
        let count = Arc::new(AtomicUsize::new(0));
        let mut floods = JoinSet::new();
        for _ in 0..AT_ONCE {
            floods.spawn(flood(other.of(&ben), room.clone(), Arc::clone(&count)));
        }
        until("Ben floods the room", 30, async || count.load(Ordering::Relaxed) >= 2 + round % 7).await;
        let path = format!("rooms/{room}/members/{}", ben.person.id);
        let removed: Value = Rest::ask(owner.request(Method::DELETE, &path)).await.expect(200);
        let removed = position(&removed);
        let places: Vec<i64> = floods.join_all().await.into_iter().flatten().collect();
        assert!(
            places.iter().all(|place| since < *place && *place < removed),
            "{since} {places:?} {removed}"
        );
        accepted.extend(places);
        let path = format!("conversations/{room}/messages");
        owner.post(&path, &json!({"body": "without Ben"})).await.expect::<Value>(202);
        let path = format!("rooms/{room}/members");
        let back: Value = owner.post(&path, &json!({"users": [ben.person.id]})).await.expect(200);
        since = position(&back);
        apart.push(removed..since);
    }

    let total = accepted.len() + removals();
    let heard = |listener: &Listener| listener.heard().len() >= total;
    until("both sockets have heard all", 30, async || listeners.iter().all(heard)).await;
    let text = "SELECT COUNT(*) FROM messages WHERE kind = 'message'";
    let database = &cluster.services.database;
    until("all is stored", 60, async || database.number_of(text).await == total as i64).await;
    for listener in &listeners {
        let heard = listener.heard();
        let once: BTreeSet<i64> = heard.iter().copied().collect();
        assert_eq!(once.len(), heard.len(), "once each");
        assert_eq!(once.len(), total, "what was accepted, and nothing else");
        assert!(accepted.is_subset(&once));
    }
    for rest in [&one, &other] {
        assert_eq!(messages_of(&rest.of(&carl), &room, &ben).await, accepted);
    }
    let told = of_ben.heard();
    assert!(told.iter().all(|place| !apart.iter().any(|away| away.contains(place))), "{told:?} {apart:?}");
    // The log itself, and every store that is made of it: nothing of Ben's stands where he was away.
    let oracle = Oracle::read(&cluster.services.kafka, cluster.topic()).await;
    let of_ben = oracle.rows().filter(|(_, row)| row.kind == "message" && row.actor == ben.person.id);
    assert_eq!(of_ben.map(|(_, row)| row.position).collect::<BTreeSet<_>>(), accepted);
    let replays = Replays::of(&cluster);
    replays.live_equals(&oracle).await;
    replays.all_become_the_same(None).await;
    println!("{} removals, {} messages accepted before them, none after", removals(), accepted.len());
}
