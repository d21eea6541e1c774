//! What somebody reads is shown at once to their other devices and to the other person, whichever backends they are on.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::timeout;
use uuid::Uuid;

use crate::client::{Account, Incoming, Rest, Socket};
use crate::world::{Cluster, Database, Kind, Milena, OwnServer, Services, shared, tell, until};

/// Marks in a row that must each be heard once.
const MARKS: usize = 20;
/// A mark that is not heard by then is followed by another: signals have no promise, only the store has.
const PATIENCE: Duration = Duration::from_secs(1);

/// Ann reads what Bob writes.
struct Readers {
    anns: Socket,
    anns_other: Socket,
    bobs: Socket,
    bob: Rest,
    ann: Account,
    said: usize,
}

impl Readers {
    /// Ann reads on `here`; her other device and Bob are on `there`.
    async fn gather(here: &Rest, there: &Rest) -> Self {
        let (ann, bob) = (here.register("ann").await, here.register("bob").await);
        let signed_in = async |rest: &Rest, account: &Account| {
            Socket::signed_in(rest.address(), &account.token, None).await.0
        };
        Self {
            anns: signed_in(here, &ann).await,
            anns_other: signed_in(there, &ann).await,
            bobs: signed_in(there, &bob).await,
            bob: there.of(&bob),
            ann,
            said: 0,
        }
    }

    /// Bob writes, Ann reads it: up to where.
    async fn mark(&mut self) -> i64 {
        self.said += 1;
        let client_id = format!("c-{}", self.said);
        let mut sent = Value::Null;
        until("Bob's message is accepted", 60, async || {
            let answer = self.bob.send(self.ann.person.id, &client_id, "hello").await;
            sent = answer.body.clone();
            answer.status == 202
        })
        .await;
        let (conversation, position) = (&sent["conversation"], &sent["position"]);
        // Her node must know the message, or it takes the mark for an older one.
        while next(&mut self.anns, "message").await["position"] != *position {}
        let read = json!({"type": "read", "conversation": conversation, "position": position});
        self.anns.send(&read).await.unwrap();
        position.as_i64().expect("a position")
    }

    /// Marks until one is heard; says how long that took.
    async fn hear_again(&mut self) -> Duration {
        let began = Instant::now();
        loop {
            assert!(began.elapsed() < Duration::from_secs(60), "nothing is heard on the other backend");
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

    async fn each_mark_is_heard_once(&mut self) {
        for _ in 0..MARKS {
            let position = self.mark().await;
            for (socket, kind) in [(&mut self.bobs, "seen"), (&mut self.anns_other, "read")] {
                let frame = next(socket, kind).await;
                assert_eq!(frame["position"], position, "lost or repeated: {frame}");
            }
        }
        // And by nobody else: the device that read is told nothing.
        self.anns.send(&json!({"type": "ping"})).await.unwrap();
        let frame = any_of(&mut self.anns, &["read", "seen", "pong"]).await;
        assert_eq!(frame["type"], "pong", "{frame}");
    }

    /// Whoever looks later finds the newest mark in the store's answer.
    async fn the_store_has_the_newest(&mut self, other: &Rest) {
        let newest = self.mark().await;
        let conversation: Uuid = self.bob.conversations().await[0].id;
        let path = format!("conversations/{conversation}");
        until("the mark is stored", 20, async || {
            let seen: Value = self.bob.get(&path).await.body;
            seen["other_last_read"] == newest
        })
        .await;
        let list = other.of(&self.ann).conversations().await;
        assert_eq!(list[0].unread, 0, "unread on the other backend");
    }
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
    let cluster = Cluster::start(services, 2, 1).await;
    let mut readers = Readers::gather(&cluster.rest(0), &cluster.rest(1)).await;
    let first = readers.hear_again().await;
    readers.each_mark_is_heard_once().await;
    readers.the_store_has_the_newest(&cluster.rest(1)).await;

    kafka.kill().await;
    kafka.start_again().await;
    let again = readers.hear_again().await;
    readers.each_mark_is_heard_once().await;
    tell(&format!(
        "read marks on another backend: heard {first:.1?} after the start, {again:.1?} after Kafka's"
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn are_heard_in_milena() {
    let milena = Milena::start().await;
    let rest = milena.rest();
    let mut readers = Readers::gather(&rest, &rest).await;
    readers.each_mark_is_heard_once().await;
    readers.the_store_has_the_newest(&rest).await;
}
