//! Nobody misses a change, however long they were away: whatever was done to messages that a client holds, it
//! comes to the same as the server, from memory and from the store after a crash, by socket and by stream,
//! and over REST; and words that were taken back are nowhere: in no answer, no frame, no row, and not in the
//! files of the database.

use std::fs;

use milena_testkit::{Held, compared};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::{Account, Incoming, Rest, Socket, Stream, Streamed};
use crate::world::{Database, Milena, until};

const MESSAGES: usize = 120;
/// A part of all that is taken back, and of nothing else.
const GONE: &str = "quokka";

/// What a client holds, and whose it is.
#[derive(Clone)]
struct Client {
    held: Held,
    owner: Uuid,
}

impl Client {
    fn take(&mut self, frame: &Value) {
        let held = &mut self.held;
        match frame["type"].as_str() {
            Some("message") => held.whole(frame),
            Some("changed") => held.whole(&frame["message"]),
            Some("edited" | "deleted" | "reacted") => held.change(frame, false),
            Some("event") => held.change(&frame["event"], false),
            other => panic!("{other:?} while coming back"),
        }
    }

    /// All that it shows.
    fn shows(&self) -> Vec<Value> {
        let now = |key| self.held.now(key, self.owner).expect("it is held");
        self.held.keys().map(|key| compared(&now(key))).collect()
    }
}

/// The same from `GET …/messages?at=`, which tells what is so now.
async fn asked(rest: &Rest, conversation: &str, positions: &[i64]) -> Vec<Value> {
    let mut all = Vec::new();
    for some in positions.chunks(50) {
        let at = some.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let page = rest.get(&format!("conversations/{conversation}/messages?at={at}")).await;
        let page: Value = page.expect(200);
        all.extend(page["messages"].as_array().expect("a list").iter().map(compared));
    }
    all
}

/// Everything that somebody may ask for, once: no answer has words that were taken back.
async fn is_in_no_answer(rest: &Rest, conversation: &str, positions: &[i64]) {
    let in_conversation = |what: &str| format!("conversations/{conversation}/{what}");
    let mut paths = vec!["conversations".to_owned(), "bootstrap".to_owned(), "mentions".to_owned()];
    paths.push(format!("conversations/{conversation}"));
    paths.extend(["changes", "changes?changed_after=0&limit=100", "pins"].map(in_conversation));
    let (first, last) = (positions[0], positions[positions.len() - 1]);
    for of in ["messages", "events"] {
        for page in [
            "limit=100".to_owned(),
            "after=0&limit=100".to_owned(),
            format!("before={last}&limit=100"),
            format!("after={first}&limit=100"),
            format!("around={}&limit=100", positions[5]),
            format!("around={}&limit=100", positions[100]),
        ] {
            paths.push(in_conversation(&format!("{of}?{page}")));
        }
    }
    for position in [positions[3], positions[5], positions[100]] {
        let of = |what: &str| in_conversation(&format!("messages/{position}{what}"));
        paths.extend(["", "/edits", "/reactions", "/receipts"].map(of));
        paths.push(in_conversation(&format!("messages?at={position}")));
    }
    let mut says_something = 0;
    for path in paths {
        let said = rest.get(&path).await.body.to_string();
        assert!(!said.contains(GONE), "{path}: {said}");
        says_something += usize::from(said.contains("m-1"));
    }
    assert!(says_something > 9, "the search finds words: in {says_something} answers");
    let stream = prefetched(rest, conversation).await;
    assert!(stream.contains("m-119") && !stream.contains(GONE), "{stream}");
}

/// The newest events as a stream begins with them.
async fn prefetched(rest: &Rest, conversation: &str) -> String {
    const EVENTS: usize = 64;
    let path = format!("events?conversation={conversation}&prefetch={EVENTS}");
    let mut answer = rest.request(reqwest::Method::GET, &path).send().await.expect("an answer");
    let mut said = Vec::new();
    while String::from_utf8_lossy(&said).matches("\ndata:").count() < EVENTS {
        said.extend(answer.chunk().await.expect("it goes on").expect("it goes on"));
    }
    String::from_utf8_lossy(&said).into_owned()
}

/// In no column of any table.
async fn is_in_no_row(database: &Database) {
    for table in database.texts("SELECT name FROM sqlite_master WHERE type = 'table'").await {
        for column in database.texts(&format!("SELECT name FROM pragma_table_info('{table}')")).await {
            let rows = format!("SELECT COUNT(*) FROM {table} WHERE CAST({column} AS TEXT) LIKE '%{GONE}%'");
            assert_eq!(database.number_of(&rows).await, 0, "{table}.{column}");
        }
    }
}

/// Comes back with `cursor` and takes everything up to the next one.
async fn resumed(milena: &Milena, account: &Account, cursor: &str, client: &mut Client) -> Vec<String> {
    let (mut socket, welcome) = Socket::signed_in(milena.address, &account.token, Some(cursor)).await;
    assert_eq!(welcome["resumed"], true);
    let mut kinds = Vec::new();
    loop {
        let Incoming::Frame(frame) = socket.receive().await else { panic!("the connection ended") };
        if frame["type"] == "cursor" {
            socket.close().await;
            return kinds;
        }
        assert!(!frame.to_string().contains(GONE), "{frame}");
        kinds.push(frame["type"].as_str().expect("a text").to_owned());
        client.take(&frame);
    }
}

/// The same by a stream, whose cursors are a socket's.
async fn streamed(rest: &Rest, conversation: &str, cursor: &str, client: &mut Client) -> Vec<String> {
    let mut stream = Stream::open(rest, conversation, Some(cursor)).await;
    let mut kinds = Vec::new();
    // It begins with the cursor that it was given.
    assert!(matches!(stream.next().await, Streamed::Cursor));
    loop {
        match stream.next().await {
            Streamed::Cursor => return kinds,
            Streamed::Frame(name, frame) => {
                assert_eq!(frame["type"], name.as_str());
                assert!(!frame.to_string().contains(GONE), "{frame}");
                kinds.push(name);
                client.take(&frame);
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
    let mut client = Client { held: Held::default(), owner: bob.person.id };
    let (mut places, mut conversation) = (Vec::new(), String::new());
    for number in 0..MESSAGES {
        let word = if [5, 100].contains(&number) { GONE } else { "m" };
        let body = format!("{word}-{number}");
        let sent = anns.send_accepted(bob.person.id, &format!("c-{number}"), &body).await;
        (conversation, _) = (sent.conversation.to_string(), places.push((sent.position, sent.id)));
        client.take(&socket.expect("message").await);
    }
    let cursor = socket.cursor().await;
    socket.close().await;
    let known = client.shows();

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
    edit(100, &format!("{GONE}, edited")).await;
    Rest::ask(anns.request(reqwest::Method::DELETE, &path(100))).await.expect::<Value>(200);
    let positions: Vec<i64> = places.iter().map(|place| place.0).collect();
    let truth = asked(&bobs, &conversation, &positions).await;
    assert_eq!(truth.len(), MESSAGES);
    let changed = known.iter().zip(&truth).filter(|(known, now)| known != now);
    assert_eq!(changed.count(), 5, "five were changed");
    for rest in [&anns, &bobs] {
        is_in_no_answer(rest, &conversation, &positions).await;
    }

    // From memory: one after the other, without the words that were taken back since.
    let mut from_memory = client.clone();
    let kinds = resumed(&milena, &bob, &cursor, &mut from_memory).await;
    let expected = ["edited", "edited", "deleted", "reacted", "event", "deleted"];
    assert_eq!(kinds, expected);
    assert_eq!(from_memory.shows(), truth);
    let mut by_stream = client.clone();
    assert_eq!(streamed(&bobs, &conversation, &cursor, &mut by_stream).await, expected);
    assert_eq!(by_stream.shows(), truth);

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
    let mut from_store = client.clone();
    let kinds = resumed(&milena, &bob, &cursor, &mut from_store).await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "changed").count(), 5, "{kinds:?}");
    assert_eq!(from_store.shows(), truth);
    let mut by_stream = client.clone();
    let kinds = streamed(&bobs, &conversation, &cursor, &mut by_stream).await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "changed").count(), 5, "{kinds:?}");
    assert_eq!(by_stream.shows(), truth);
    for rest in [&anns, &bobs] {
        is_in_no_answer(rest, &conversation, &positions).await;
    }

    // Over REST, two at a time.
    let (mut from_rest, mut after) = (client, *positions.last().expect("some"));
    loop {
        let asked = format!("conversations/{conversation}/changes?changed_after={after}&limit=2");
        let page: Value = bobs.get(&asked).await.expect(200);
        let messages = page["messages"].as_array().expect("a list");
        assert!(messages.len() <= 2);
        messages.iter().for_each(|message| from_rest.held.whole(message));
        let Some(next) = page["next"].as_i64() else { break };
        after = next;
    }
    assert_eq!(from_rest.shows(), truth);

    // Nor are they in the database: in no row, and, once it is closed, in no free place of its files.
    is_in_no_row(&database).await;
    assert!(!milena.program.said().contains(GONE), "nor does the program say them");
    let folder = milena.stop_and_keep().await;
    let mut files = 0;
    for file in fs::read_dir(folder.path().join("data")).expect("the folder is there") {
        let file = file.expect("a file").path();
        if file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("milena.db")) {
            files += 1;
            let bytes = fs::read(&file).expect("it is read");
            let is_there = bytes.windows(GONE.len()).any(|some| some == GONE.as_bytes());
            assert!(!is_there, "{}", file.display());
        }
    }
    assert!(files > 0);
}
