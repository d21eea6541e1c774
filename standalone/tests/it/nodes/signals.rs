//! What happens on one backend is noticed at once on the others: what somebody reads, and that a session was
//! ended.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::timeout;
use uuid::Uuid;

use crate::client::{Accepted, Account, Incoming, PASSWORD, Rest, Socket};
use crate::world::{Cluster, Database, Kind, Milena, OwnServer, Services, shared, tell, turn, until};

/// Marks in a row that must each be heard once.
const MARKS: usize = 20;
/// A mark that is not heard by then is followed by another: signals have no promise, only the store has.
const PATIENCE: Duration = Duration::from_secs(1);

/// A signal that the log did not take by then is dropped; and some time to arrive.
const KEPT_FOR: Duration = Duration::from_secs(8);

/// Ann reads what Bob writes: on one backend, while her other device and Bob are on another.
struct Readers {
    here: Rest,
    there: Rest,
    ann: Account,
    bob: Account,
    anns: Socket,
    anns_other: Socket,
    bobs: Socket,
    said: usize,
}

impl Readers {
    async fn gather(here: Rest, there: Rest) -> Self {
        let (ann, bob) = (here.register("ann").await, here.register("bob").await);
        let [anns, anns_other, bobs] = connect(&here, &there, &ann, &bob).await;
        Self { here, there, ann, bob, anns, anns_other, bobs, said: 0 }
    }

    /// After a time in which nobody answered the server's pings.
    async fn connect_again(&mut self) {
        let sockets = connect(&self.here, &self.there, &self.ann, &self.bob).await;
        [self.anns, self.anns_other, self.bobs] = sockets;
    }

    /// Bob writes until it is accepted: which conversation, and where.
    async fn say(&mut self) -> (Uuid, i64) {
        self.said += 1;
        let (bob, to, client_id) = (self.there.of(&self.bob), self.ann.person.id, format!("c-{}", self.said));
        let mut sent = Value::Null;
        until("Bob's message is accepted", 60, async || {
            let answer = bob.send(to, &client_id, "hello").await;
            sent = answer.body.clone();
            answer.status == 202
        })
        .await;
        let accepted: Accepted = serde_json::from_value(sent).expect("an answer");
        (accepted.conversation, accepted.position)
    }

    /// Bob writes, Ann reads it: up to where.
    async fn mark(&mut self) -> i64 {
        let (conversation, position) = self.say().await;
        // Her own mark is not told to the device that made it.
        loop {
            let frame = any_of(&mut self.anns, &["message", "read", "seen"]).await;
            assert_eq!(frame["type"], "message", "{frame}");
            if frame["position"] == position {
                break;
            }
        }
        let read = json!({"type": "read", "conversation": conversation, "position": position});
        self.anns.send(&read).await.unwrap();
        position
    }

    /// Marks until one is heard; says how long that took.
    async fn hear_again(&mut self) -> Duration {
        let began = Instant::now();
        loop {
            assert!(began.elapsed() < Duration::from_secs(120), "nothing is heard on the other backend");
            let position = self.mark().await;
            let heard = async {
                while next(&mut self.bobs, "seen").await["position"] != position {}
                while next(&mut self.anns_other, "read").await["position"] != position {}
            };
            if timeout(PATIENCE, heard).await.is_ok() {
                return began.elapsed();
            }
        }
    }

    /// In order and never twice. One may be lost: nothing is repeated when the log hesitates.
    async fn each_mark_is_heard_once(&mut self) {
        let mut lost = 0;
        for _ in 0..MARKS {
            let position = self.mark().await;
            for (socket, kind) in [(&mut self.bobs, "seen"), (&mut self.anns_other, "read")] {
                match timeout(KEPT_FOR, next(socket, kind)).await {
                    Ok(frame) => assert_eq!(frame["position"], position, "repeated or late: {frame}"),
                    Err(_) => lost += 1,
                }
            }
        }
        assert!(lost <= 2, "{lost} of {} were lost", 2 * MARKS);
    }

    /// Ann's other device signs in by itself, and she ends that session from here.
    async fn an_ended_session_loses_its_sockets(&self) {
        let stolen = self.there.login(&self.ann.person.username, PASSWORD).await;
        let (mut socket, _) = Socket::signed_in(self.there.address(), &stolen.token, None).await;
        let sessions = self.there.of(&stolen).get("sessions").await.body;
        let current =
            sessions["sessions"].as_array().expect("a list").iter().find(|it| it["current"] == true);
        let path = format!("sessions/{}", current.expect("its own")["id"].as_str().expect("an id"));
        let began = Instant::now();
        let ended = Rest::ask(self.here.of(&self.ann).request(Method::DELETE, &path)).await;
        assert_eq!((ended.status, socket.closed().await), (204, Some(4501)));
        // Without the signal it would be noticed by the look that each backend takes once a minute.
        assert!(began.elapsed() < Duration::from_secs(10), "closed after {:.1?}", began.elapsed());
        tell(&format!(
            "a session ended on the other backend: its socket closed after {:.1?}",
            began.elapsed()
        ));
        let answer = self.there.of(&stolen).get("me").await;
        assert_eq!(answer.status, 401, "{}", answer.body);
    }

    /// Whoever looks later finds the newest mark in the store's answer.
    async fn the_store_has_the_newest(&mut self) {
        let newest = self.mark().await;
        let bob = self.there.of(&self.bob);
        let path = format!("conversations/{}", bob.conversations().await[0].id);
        until("the mark is stored", 20, async || {
            let seen: Value = bob.get(&path).await.body;
            seen["other_last_read"] == newest
        })
        .await;
        let list = self.there.of(&self.ann).conversations().await;
        assert_eq!(list[0].unread, 0, "unread on the other backend");
    }
}

/// Ann's, her other device's and Bob's.
async fn connect(here: &Rest, there: &Rest, ann: &Account, bob: &Account) -> [Socket; 3] {
    let signed_in = async |rest: &Rest, account: &Account| {
        Socket::signed_in(rest.address(), &account.token, None).await.0
    };
    [signed_in(here, ann).await, signed_in(there, ann).await, signed_in(there, bob).await]
}

/// The next frame of this type; others are passed over.
async fn next(socket: &mut Socket, kind: &str) -> Value {
    any_of(socket, &[kind]).await
}

async fn any_of(socket: &mut Socket, kinds: &[&str]) -> Value {
    loop {
        let received = timeout(Duration::from_secs(20), socket.receive()).await;
        match received.unwrap_or_else(|_| panic!("none of {kinds:?} came")) {
            Incoming::Frame(frame) if kinds.iter().any(|kind| frame["type"] == *kind) => return frame,
            Incoming::Frame(_) => {}
            Incoming::Closed(code) => panic!("closed with {code:?} while {kinds:?} were expected"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn are_heard_on_another_backend_and_again_after_the_log_was_away() {
    let Some(mut kafka) = OwnServer::start(Kind::Kafka).await else { return };
    let Some(postgres) = shared(Kind::Postgres).await else { return };
    let services =
        Services { kafka: kafka.address().to_owned(), database: Database::create_on(&postgres).await };
    let _turn = turn().await;
    let cluster = Cluster::start(services, 2, 1).await;
    let mut readers = Readers::gather(cluster.rest(0), cluster.rest(1)).await;
    let first = readers.hear_again().await;
    readers.each_mark_is_heard_once().await;
    readers.the_store_has_the_newest().await;
    readers.an_ended_session_loses_its_sockets().await;

    kafka.kill().await;
    kafka.start_again().await;
    let (_, position) = readers.say().await;
    assert!(position > 0, "sends are accepted again");
    readers.connect_again().await;
    let again = readers.hear_again().await;
    readers.each_mark_is_heard_once().await;
    tell(&format!(
        "read marks on another backend: heard {first:.1?} after the start, {again:.1?} after Kafka's"
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn are_heard_in_milena() {
    let milena = Milena::start().await;
    let mut readers = Readers::gather(milena.rest(), milena.rest()).await;
    readers.each_mark_is_heard_once().await;
    readers.the_store_has_the_newest().await;
    readers.an_ended_session_loses_its_sockets().await;
}
