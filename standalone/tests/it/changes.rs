//! Nobody misses a change, however long they were away: whatever was done to messages that a client holds, it
//! comes to the same as the server, from memory and from the store after a crash, by socket and by stream,
//! and over REST; and words that were taken back are nowhere.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::client::{Account, Incoming, Rest, Socket, Stream, Streamed};
use crate::world::{Database, Milena, until};

const MESSAGES: usize = 120;

/// Messages as a client holds them, by place.
#[derive(Default)]
struct Held(BTreeMap<i64, Value>);

impl Held {
    fn take(&mut self, frame: Value) {
        match frame["type"].as_str() {
            Some("message") => self.replace(frame),
            Some("changed") => self.replace(frame["message"].clone()),
            Some("edited" | "deleted" | "reacted") => self.change(&frame),
            Some("event") => self.change(&frame["event"]),
            other => panic!("{other:?} while coming back"),
        }
    }

    fn replace(&mut self, message: Value) {
        let newest = |message: &Value| message["changed"].as_i64().or(message["position"].as_i64());
        let position = message["position"].as_i64().expect("a place");
        let is_older = self.0.get(&position).is_some_and(|held| newest(held) >= newest(&message));
        if !is_older {
            self.0.insert(position, message);
        }
    }

    fn change(&mut self, frame: &Value) {
        let target = frame["target"]["position"].as_i64().expect("a place");
        let at = frame["position"].as_i64().expect("a place");
        let held = self.0.get_mut(&target).expect("it holds what is changed");
        if held["deleted"].is_object() || at <= held["changed"].as_i64().unwrap_or(target) {
            return;
        }
        held["changed"] = at.into();
        match frame["type"].as_str().or(frame["kind"].as_str()) {
            Some("edited") => held["body"] = frame["body"].clone(),
            Some("reacted") => held["reactions"] = json!([{"emoji": frame["emoji"], "count": 1}]),
            Some("pinned") => held["pinned"] = at.into(),
            _ => {
                let id = &held["id"];
                *held = json!({"position": target, "id": id, "body": "", "deleted": {}, "changed": at});
            }
        }
    }

    /// What is compared: the words, whether they were taken back, what stands beside them.
    fn told(&self) -> BTreeMap<i64, (String, bool, String, bool)> {
        let told = |message: &Value| {
            let reactions = message["reactions"].as_array().map_or(Vec::new(), |all| {
                all.iter().map(|one| format!("{}{}", one["emoji"], one["count"])).collect()
            });
            let body = message["body"].as_str().unwrap_or_default().to_owned();
            (body, message["deleted"].is_object(), reactions.concat(), message["pinned"].is_i64())
        };
        self.0.iter().map(|(position, message)| (*position, told(message))).collect()
    }

    /// From `GET …/messages?at=`, which tells what is so now.
    async fn asked(rest: &Rest, conversation: &str, positions: &[i64]) -> Self {
        let mut held = Self::default();
        for some in positions.chunks(50) {
            let at = some.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
            let page = rest.get(&format!("conversations/{conversation}/messages?at={at}")).await;
            for message in page.expect::<Value>(200)["messages"].as_array().expect("a list") {
                held.replace(message.clone());
            }
        }
        held
    }
}

/// Comes back with `cursor` and takes everything up to the next one.
async fn resumed(milena: &Milena, account: &Account, cursor: &str, held: &mut Held) -> Vec<String> {
    let (mut socket, welcome) = Socket::signed_in(milena.address, &account.token, Some(cursor)).await;
    assert_eq!(welcome["resumed"], true);
    let mut kinds = Vec::new();
    loop {
        let Incoming::Frame(frame) = socket.receive().await else { panic!("the connection ended") };
        if frame["type"] == "cursor" {
            socket.close().await;
            return kinds;
        }
        kinds.push(frame["type"].as_str().expect("a text").to_owned());
        held.take(frame);
    }
}

/// The same by a stream, whose cursors are a socket's.
async fn streamed(rest: &Rest, conversation: &str, cursor: &str, held: &mut Held) -> Vec<String> {
    let mut stream = Stream::open(rest, conversation, Some(cursor)).await;
    let mut kinds = Vec::new();
    // It begins with the cursor that it was given.
    assert!(matches!(stream.next().await, Streamed::Cursor));
    loop {
        match stream.next().await {
            Streamed::Cursor => return kinds,
            Streamed::Frame(name, frame) => {
                assert_eq!(frame["type"], name.as_str());
                kinds.push(name);
                held.take(frame);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_was_away_hears_of_every_change() {
    let folder = tempfile::tempdir().unwrap();
    let mut milena =
        Milena::start_on(folder, |launch| launch.variable("MILENA__DELIVERY__RECENT_BYTES", "1048576")).await;
    let (ann, bob) = (milena.rest().register("ann").await, milena.rest().register("bob").await);
    let (anns, bobs) = (milena.rest().of(&ann), milena.rest().of(&bob));
    let (mut socket, _) = Socket::signed_in(milena.address, &bob.token, None).await;
    let (mut held, mut places, mut conversation) = (Held::default(), Vec::new(), String::new());
    for number in 0..MESSAGES {
        let sent = anns.send_accepted(bob.person.id, &format!("c-{number}"), &format!("m-{number}")).await;
        (conversation, _) = (sent.conversation.to_string(), places.push((sent.position, sent.id)));
        held.take(socket.expect("message").await);
    }
    let cursor = socket.cursor().await;
    socket.close().await;
    let known = held.told();

    // What is done while bob is away, to messages that he holds.
    let path = |number: usize| format!("conversations/{conversation}/messages/{}", places[number].0);
    let edit = async |number: usize, body: &str| {
        let request = anns.request(reqwest::Method::PATCH, &path(number)).json(&json!({"body": body}));
        Rest::ask(request).await.expect::<Value>(200)
    };
    let put = async |what: String| anns.put(&what, &json!({})).await.expect::<Value>(200);
    edit(3, "edited").await;
    edit(3, "edited again").await;
    Rest::ask(anns.request(reqwest::Method::DELETE, &path(5))).await.expect::<Value>(200);
    put(format!("{}/reactions/%F0%9F%91%8D", path(7))).await;
    put(format!("{}/pin", path(9))).await;
    edit(100, "to be taken back").await;
    Rest::ask(anns.request(reqwest::Method::DELETE, &path(100))).await.expect::<Value>(200);
    let positions: Vec<i64> = places.iter().map(|place| place.0).collect();
    let truth = Held::asked(&bobs, &conversation, &positions).await.told();
    assert_eq!(truth.len(), MESSAGES);
    assert_eq!(truth.iter().filter(|(place, now)| known[place] != **now).count(), 5, "five were changed");

    // From memory: one after the other, without the words that were taken back since.
    let mut from_memory = Held(held.0.clone());
    let kinds = resumed(&milena, &bob, &cursor, &mut from_memory).await;
    let expected = ["edited", "edited", "deleted", "reacted", "event", "deleted"];
    assert_eq!(kinds, expected);
    assert_eq!(from_memory.told(), truth);
    let mut by_stream = Held(held.0.clone());
    assert_eq!(streamed(&bobs, &conversation, &cursor, &mut by_stream).await, expected);
    assert_eq!(by_stream.told(), truth);

    // From the store, in the next life of a server whose memory is full of other things: one a message.
    let carl = milena.rest().register("carl").await;
    let large = "🐢".repeat(8_000);
    for number in 0..60 {
        // While memory is full of what is not stored yet, it waits.
        until("a large message is taken", 20, async || {
            anns.send(carl.person.id, &format!("l-{number}"), &large).await.status == 202
        })
        .await;
    }
    let database = milena.database();
    let stored = async |database: &Database| database.try_count_messages().await.unwrap_or(0);
    until("all of it is stored", 60, async || stored(&database).await >= (MESSAGES + 60) as i64).await;
    milena.program.kill();
    milena.start_again().await;
    let mut from_store = Held(held.0.clone());
    let kinds = resumed(&milena, &bob, &cursor, &mut from_store).await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "changed").count(), 5, "{kinds:?}");
    assert_eq!(from_store.told(), truth);
    let mut by_stream = Held(held.0.clone());
    let kinds = streamed(&bobs, &conversation, &cursor, &mut by_stream).await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "changed").count(), 5, "{kinds:?}");
    assert_eq!(by_stream.told(), truth);

    // Over REST, two at a time.
    let (mut from_rest, mut after) = (Held(held.0), *positions.last().expect("some"));
    loop {
        let asked = format!("conversations/{conversation}/changes?changed_after={after}&limit=2");
        let page: Value = bobs.get(&asked).await.expect(200);
        let messages = page["messages"].as_array().expect("a list");
        assert!(messages.len() <= 2);
        messages.iter().for_each(|message| from_rest.replace(message.clone()));
        let Some(next) = page["next"].as_i64() else { break };
        after = next;
    }
    assert_eq!(from_rest.told(), truth);

    // Words that were taken back are in no row, and neither is what they were before or after.
    for gone in ["m-5", "m-100", "to be taken back"] {
        let rows = format!("SELECT COUNT(*) FROM messages WHERE body = '{gone}' OR payload LIKE '%{gone}%'");
        assert_eq!(database.number_of(&rows).await, 0, "{gone}");
    }
}
