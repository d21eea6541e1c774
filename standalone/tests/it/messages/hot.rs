//! One message that a thousand things happen to: whoever opens its conversation, or comes back to it, gets
//! what it is now, in a page and a resume that do not grow with what became of it.
//!
//! `MILENA_TEST_HOT_EDITS` (1000) sets how often it is edited.

use std::time::Instant;

use serde_json::{Value, json};

use crate::client::{Incoming, Socket};
use crate::world::{Milena, until};

/// What one answers of changes, at most, in a resume (PROTOCOL, resume).
const TOLD_MAX: usize = 100;

fn edits() -> usize {
    std::env::var("MILENA_TEST_HOT_EDITS").map_or(1_000, |number| number.parse().expect("a number"))
}

/// What a client that comes back is sent: how many frames, their bytes, and what the message says then.
struct Resumed {
    frames: usize,
    bytes: usize,
    body: Option<String>,
    asks_for_changes: bool,
}

async fn resumed(milena: &Milena, token: &str, cursor: &str) -> Resumed {
    let (mut socket, welcome) = Socket::signed_in(milena.address, token, Some(cursor)).await;
    assert_eq!(welcome["resumed"], true);
    let mut resumed = Resumed { frames: 0, bytes: 0, body: None, asks_for_changes: false };
    loop {
        let Incoming::Frame(frame) = socket.receive().await else { panic!("the connection ended") };
        let said = match frame["type"].as_str() {
            Some("cursor") => break,
            Some("gap") => {
                resumed.asks_for_changes |= frame["changes_after"].is_i64();
                None
            }
            Some("changed") => frame["message"]["body"].as_str(),
            _ => frame["body"].as_str(),
        };
        resumed.frames += 1;
        resumed.bytes += frame.to_string().len();
        resumed.body = said.map(str::to_owned).or(resumed.body);
    }
    socket.close().await;
    resumed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_edited_a_thousand_times_stays_one_message() {
    let folder = tempfile::tempdir().unwrap();
    let mut milena = Milena::start_on(folder, |launch| {
        let launch = launch.variable("MILENA__CHAT__KEEP_EDITS", "true");
        launch
            .variable("MILENA__LIMITS__SEND_BURST", "100000")
            .variable("MILENA__LIMITS__FRAME_BURST", "100000")
    })
    .await;
    let (ann, bob) = (milena.rest().register("ann").await, milena.rest().register("bob").await);
    let (anns, bobs) = (milena.rest().of(&ann), milena.rest().of(&bob));
    let (mut listening, _) = Socket::signed_in(milena.address, &bob.token, None).await;
    let mut hot = None;
    for number in 0..60 {
        let sent = anns.send_accepted(bob.person.id, &format!("m-{number}"), "a message").await;
        listening.expect("message").await;
        hot = if number == 30 { Some(sent) } else { hot };
    }
    let hot = hot.expect("the thirtieth");
    let cursor = listening.cursor().await;
    listening.close().await;

    let began = Instant::now();
    let edits = edits();
    let (mut socket, _) = Socket::signed_in(milena.address, &ann.token, None).await;
    let body = |number: usize| format!("edited {number} times");
    for number in 1..=edits {
        let client_id = socket.client_id(&format!("e-{number}"));
        let edit = json!({
            "type": "edit", "client_id": client_id, "conversation": hot.conversation,
            "target": {"position": hot.position, "id": hot.id}, "body": body(number),
        });
        socket.send(&edit).await.unwrap();
        let answer = loop {
            let Incoming::Frame(frame) = socket.receive().await else { panic!("the connection ended") };
            if frame["client_id"] == client_id.as_str() {
                break frame;
            }
        };
        assert_eq!(answer["type"], "accepted", "{answer}");
    }
    let edited_in = began.elapsed();
    let last = Some(body(edits));

    let page = async || {
        let path = format!("conversations/{}/messages?around={}&limit=50", hot.conversation, hot.position);
        let began = Instant::now();
        let page: Value = bobs.get(&path).await.expect(200);
        let took = began.elapsed();
        let messages = page["messages"].as_array().expect("a list");
        let own = messages.iter().find(|message| message["position"] == hot.position).expect("it is there");
        assert_eq!(own["body"].as_str().map(str::to_owned), last);
        (took, page.to_string().len())
    };
    let (page_took, page_bytes) = page().await;
    let began = Instant::now();
    let from_memory = resumed(&milena, &bob.token, &cursor).await;
    let memory_took = began.elapsed();
    assert!(from_memory.frames <= TOLD_MAX + 1, "{} frames", from_memory.frames);
    assert!(from_memory.body == last || from_memory.asks_for_changes);

    let database = milena.database();
    until("all is stored", 60, async || {
        let body = format!("SELECT COUNT(*) FROM messages WHERE body = '{}'", body(edits));
        database.number_of(&body).await == 1
    })
    .await;
    milena.program.kill();
    milena.start_again().await;
    let (stored_page_took, stored_page_bytes) = page().await;
    assert!(stored_page_bytes.abs_diff(page_bytes) < 1_000, "{stored_page_bytes} and {page_bytes}");
    let began = Instant::now();
    let from_store = resumed(&milena, &bob.token, &cursor).await;
    let store_took = began.elapsed();
    assert_eq!((from_store.frames, &from_store.body), (1, &last), "one a message");
    eprintln!(
        "edited {edits} times in {edited_in:.1?}: page of 50 {page_took:.1?} from memory, \
         {stored_page_took:.1?} after a restart, {page_bytes} bytes; resume {memory_took:.1?}, {} frames, \
         {} bytes, from the store {store_took:.1?} with {} frame, {} bytes",
        from_memory.frames, from_memory.bytes, from_store.frames, from_store.bytes
    );
}
