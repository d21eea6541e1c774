//! What two people, or one with two devices, do to one message at the same moment through two backends: one
//! of them comes first in the log, both are answered as it was, and every socket, every page and every store
//! that is made of the log comes to the same.
//!
//! `MILENA_TEST_RACES` sets how often each happens.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use milena_testkit::{Held, compared};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::client::{Account, Incoming, Rest, Socket};
use crate::rooms::{Oracle, Replays};
use crate::world::{Cluster, Kind, Services, number, turn, until};

const RACES: usize = 8;
/// Places in one question.
const AT_ONCE: usize = 50;

/// Where it stands, or the code of a refusal for good.
type Answered = Result<i64, String>;

/// A message of a race, as the answers make it.
#[derive(Debug)]
struct Expected {
    /// `None` when it is deleted.
    body: Option<String>,
    /// Somebody reacted to it.
    reacted: bool,
}

/// A socket, and the messages that it holds.
struct Watcher {
    held: Arc<Mutex<Held>>,
    task: JoinHandle<()>,
    who: Uuid,
}

impl Watcher {
    async fn open(rest: &Rest, who: &Account) -> Self {
        let (mut socket, _) = Socket::signed_in(rest.address(), &who.token, None).await;
        let held = Arc::new(Mutex::new(Held::default()));
        let holds = Arc::clone(&held);
        let task = tokio::spawn(async move {
            while let Incoming::Frame(frame) = socket.receive().await {
                let mut held = holds.lock().unwrap();
                match frame["type"].as_str().unwrap_or_default() {
                    "message" => held.whole(&frame),
                    "edited" | "deleted" | "reacted" => held.change(&frame, false),
                    "event" if frame["event"]["kind"] == "pinned" => held.change(&frame["event"], false),
                    "gap" => panic!("nothing was missed: {frame}"),
                    _ => {}
                }
            }
        });
        Self { held, task, who: who.person.id }
    }

    fn now(&self, key: (Uuid, i64)) -> Option<Value> {
        self.held.lock().unwrap().now(key, self.who)
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn key(message: &Value) -> (Uuid, i64) {
    let conversation = serde_json::from_value(message["conversation"].clone()).expect("an id");
    (conversation, message["position"].as_i64().expect("a position"))
}

/// Asks under one name until the answer is for good.
async fn answered(rest: &Rest, method: Method, path: &str, body: Value) -> Answered {
    let name = Uuid::now_v7().to_string();
    loop {
        let request = rest.request(method.clone(), path).header("idempotency-key", &name).json(&body);
        let answer = Rest::ask(request).await;
        match answer.status {
            200 => return Ok(answer.body["position"].as_i64().expect("a position")),
            429 | 503 => tokio::time::sleep(Duration::from_millis(20)).await,
            _ => return Err(answer.code().to_owned()),
        }
    }
}

/// The two nodes, and who is there.
struct Scene {
    nodes: [Rest; 2],
    /// Owns the room.
    ann: Account,
    /// Writes.
    ben: Account,
    room: Uuid,
    /// By conversation and place.
    expected: BTreeMap<(Uuid, i64), Expected>,
    /// How each race ended, and how often.
    outcomes: BTreeMap<&'static str, usize>,
}

impl Scene {
    /// Somebody, on this node or the other one.
    fn at(&self, node: usize, who: &Account) -> Rest {
        self.nodes[node % 2].of(who)
    }

    async fn says(&self, round: usize, conversation: Uuid, body: &str) -> i64 {
        let path = format!("conversations/{conversation}/messages");
        let answer = self.at(round, &self.ben).post(&path, &json!({"body": body})).await;
        answer.expect::<Value>(202)["position"].as_i64().expect("a position")
    }

    fn happened(&mut self, what: &'static str) {
        *self.outcomes.entry(what).or_default() += 1;
    }

    /// Ben edits; he, or who keeps order, deletes.
    async fn edit_against_deletion(&mut self, round: usize, conversation: Uuid, by: &Account) {
        let place = self.says(round, conversation, "first words").await;
        let path = format!("conversations/{conversation}/messages/{place}");
        let (editor, deleter) = (self.at(round, &self.ben), self.at(round + 1, by));
        let edit = answered(&editor, Method::PATCH, &path, json!({"body": "other words"}));
        let deletion = answered(&deleter, Method::DELETE, &path, Value::Null);
        let (edit, deletion) = tokio::join!(edit, deletion);
        let deleted = deletion.expect("whoever may delete it does");
        match edit {
            Ok(edited) => {
                assert!(edited < deleted, "an edit that was accepted stands before the deletion");
                self.happened("edited, then deleted");
            }
            Err(code) => {
                assert_eq!(code, "deleted");
                self.happened("deleted, and not edited");
            }
        }
        self.expected.insert((conversation, place), Expected { body: None, reacted: false });
    }

    /// Ben edits on two devices.
    async fn two_edits(&mut self, round: usize, conversation: Uuid) {
        let place = self.says(round, conversation, "first words").await;
        let path = format!("conversations/{conversation}/messages/{place}");
        let (one, other) = (self.at(round, &self.ben), self.at(round + 1, &self.ben));
        let edits = tokio::join!(
            answered(&one, Method::PATCH, &path, json!({"body": "one says"})),
            answered(&other, Method::PATCH, &path, json!({"body": "other says"})),
        );
        let (one, other) = (edits.0.expect("he may"), edits.1.expect("he may"));
        assert_ne!(one, other);
        let body = if one > other { "one says" } else { "other says" };
        self.happened(if one > other { "the first asked edits last" } else { "the second asked edits last" });
        let body = Some(body.to_owned());
        self.expected.insert((conversation, place), Expected { body, reacted: false });
    }

    /// Ben reacts while Ann sends him away.
    async fn reaction_against_removal(&mut self, round: usize) {
        let room = self.room;
        let place = self.says(round, room, "first words").await;
        let (reacter, owner) = (self.at(round, &self.ben), self.at(round + 1, &self.ann));
        let reaction = format!("conversations/{room}/messages/{place}/reactions/%F0%9F%91%8D");
        let removal = format!("rooms/{room}/members/{}", self.ben.person.id);
        let (reaction, removal) = tokio::join!(
            answered(&reacter, Method::PUT, &reaction, Value::Null),
            answered(&owner, Method::DELETE, &removal, Value::Null),
        );
        let removed = removal.expect("she may");
        let reacted = match reaction {
            Ok(at) => {
                assert!(at < removed, "a reaction that was accepted stands before the removal");
                self.happened("reacted, then removed");
                true
            }
            Err(code) => {
                assert_eq!(code, "not_member");
                self.happened("removed, and did not react");
                false
            }
        };
        let body = Some("first words".to_owned());
        self.expected.insert((room, place), Expected { body, reacted });
        let back = json!({"users": [self.ben.person.id]});
        owner.post(&format!("rooms/{room}/members"), &back).await.expect::<Value>(200);
    }

    /// What a node answers of all of them, in their order; by two ways.
    async fn asked(&self, rest: &Rest) -> Vec<Value> {
        let mut by_conversation: BTreeMap<Uuid, Vec<i64>> = BTreeMap::new();
        for (conversation, place) in self.expected.keys() {
            by_conversation.entry(*conversation).or_default().push(*place);
        }
        let (mut all, mut in_history) = (Vec::new(), Vec::new());
        for (conversation, places) in by_conversation {
            for some in places.chunks(AT_ONCE) {
                let at = some.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
                let path = format!("conversations/{conversation}/messages?at={at}");
                let page: Value = rest.get(&path).await.expect(200);
                all.extend(page["messages"].as_array().expect("a list").iter().map(compared));
            }
            let mut after = 0;
            loop {
                let path = format!("conversations/{conversation}/events?after={after}&limit=100");
                let page: Value = rest.get(&path).await.expect(200);
                let events = page["events"].as_array().expect("a list");
                in_history.extend(events.iter().filter(|event| event["kind"] == "message").cloned());
                match events.last().filter(|_| page["has_after"] == true) {
                    Some(last) => after = last["position"].as_i64().expect("a position"),
                    None => break,
                }
            }
        }
        let said = |message: &Value| {
            let fields = ["position", "body", "edited", "deleted", "pinned", "changed"];
            fields.map(|field| message[field].clone())
        };
        let in_history: Vec<_> = in_history.iter().map(said).collect();
        assert_eq!(in_history, all.iter().map(said).collect::<Vec<_>>(), "two ways, one answer");
        all
    }

    fn must_be_expected(&self, answers: &[Value]) {
        assert_eq!(answers.len(), self.expected.len());
        for answer in answers {
            let expected = &self.expected[&key(answer)];
            assert_eq!(answer["deleted"].is_object(), expected.body.is_none(), "{answer}");
            assert_eq!(answer["body"], expected.body.as_deref().unwrap_or_default(), "{expected:?}");
            let count = answer["reactions"].as_array().map_or(0, Vec::len);
            assert_eq!(count, usize::from(expected.reacted), "{expected:?} {answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_done_at_once_through_two_backends_ends_in_one_way() {
    let Some(services) = Services::shared(Kind::Postgres).await else { return };
    let _turn = turn().await;
    let cluster = Cluster::start_with(services, 2, 1, |_| Vec::new()).await;
    let nodes = [cluster.rest(0), cluster.rest(1)];
    let (ann, ben) = (nodes[0].register("ann").await, nodes[1].register("ben").await);
    let carl = nodes[0].register("carl").await;
    let room = json!({
        "client_id": "room", "handle": "conflicts", "title": "Conflicts",
        "members": [ben.person.id, carl.person.id],
    });
    let created: Value = nodes[0].of(&ann).post_until_taken("rooms", &room).await.expect(201);
    let room: Uuid = serde_json::from_value(created["room"]["id"].clone()).expect("an id");
    let first = nodes[1].of(&ben).send_accepted(carl.person.id, "first", "hello").await;
    let direct = first.conversation;
    let watchers = [Watcher::open(&nodes[0], &carl).await, Watcher::open(&nodes[1], &carl).await];

    let (expected, outcomes) = (BTreeMap::new(), BTreeMap::new());
    let mut scene = Scene { nodes, ann: ann.clone(), ben: ben.clone(), room, expected, outcomes };
    for round in 0..number("MILENA_TEST_RACES", RACES) {
        scene.edit_against_deletion(round, room, &ben).await;
        scene.edit_against_deletion(round, direct, &ben).await;
        scene.edit_against_deletion(round, room, &ann).await;
        scene.two_edits(round, room).await;
        scene.two_edits(round, direct).await;
        scene.reaction_against_removal(round).await;
    }

    let body = Some("hello".to_owned());
    scene.expected.insert((direct, first.position), Expected { body, reacted: false });
    let answers = scene.asked(&scene.at(0, &carl)).await;
    scene.must_be_expected(&answers);
    assert_eq!(scene.asked(&scene.at(1, &carl)).await, answers, "both nodes");
    let shown: Vec<&Value> =
        answers.iter().filter(|answer| key(answer) != (direct, first.position)).collect();
    for watcher in &watchers {
        let holds = |answer: &Value| watcher.now(key(answer)).as_ref().map(compared).as_ref() == Some(answer);
        until("each socket comes to the same", 30, async || shown.iter().all(|answer| holds(answer))).await;
    }
    let oracle = Oracle::read(&cluster.services.kafka, cluster.topic()).await;
    let replays = Replays::of(&cluster);
    replays.live_equals(&oracle).await;
    replays.all_become_the_same(None).await;
    // And from the store alone.
    assert_eq!(scene.asked(&scene.at(0, &carl)).await, answers, "once all is stored");
    println!("{:?}", scene.outcomes);
}
