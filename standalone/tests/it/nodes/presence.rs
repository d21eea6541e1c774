//! Who is on one backend is seen on the other, on Apache Kafka and PostgreSQL: also after the one was killed,
//! and by nobody whose business it is not.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::client::{Account, Incoming, Rest, Socket};
use crate::world::{Cluster, Kind, Services, tell};

/// What is told between backends takes milliseconds; test machines have pauses.
const SOON: Duration = Duration::from_secs(5);

/// The next frame of this type; others are passed over.
async fn next(socket: &mut Socket, kind: &str, patience: Duration) -> Value {
    let frame = async {
        loop {
            match socket.receive().await {
                Incoming::Frame(frame) if frame["type"] == kind => return frame,
                Incoming::Frame(_) => {}
                Incoming::Closed(code) => panic!("closed with {code:?} while {kind} was expected"),
            }
        }
    };
    timeout(patience, frame).await.unwrap_or_else(|_| panic!("no {kind} came in {patience:?}"))
}

async fn watch(socket: &mut Socket, user: &Account, conversation: &Value) -> Value {
    let watch = json!({"type": "watch", "users": [user.person.id], "conversations": [conversation]});
    socket.send(&watch).await.unwrap();
    next(socket, "presence", SOON).await
}

/// Until what is to be seen of the person is this; changes are told as they come.
async fn until_state(socket: &mut Socket, mut presence: Value, expected: &str, patience: Duration) -> Value {
    let began = Instant::now();
    while presence["users"][0]["state"] != expected {
        let left = patience.checked_sub(began.elapsed()).unwrap_or_default();
        presence = next(socket, "presence", left).await;
    }
    presence
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn is_told_between_backends_until_one_dies() {
    let Some(services) = Services::shared(Kind::Postgres).await else { return };
    let mut cluster = Cluster::start(services, 2, 1).await;
    let (here, there) = (cluster.rest(0), cluster.rest(1));
    let (ann, bob, eve) =
        (here.register("ann").await, there.register("bob").await, there.register("eve").await);
    let (mut anns, _) = Socket::signed_in(here.address(), &ann.token, None).await;
    let (mut bobs, _) = Socket::signed_in(there.address(), &bob.token, None).await;
    let (mut eves, _) = Socket::signed_in(there.address(), &eve.token, None).await;
    let answer = there.of(&bob).send(ann.person.id, "c-1", "hello").await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    let conversation = next(&mut anns, "message", SOON).await["conversation"].clone();

    // A backend that has just begun to hear the others knows their people with their next lease.
    let presence = watch(&mut bobs, &ann, &conversation).await;
    until_state(&mut bobs, presence, "online", Duration::from_secs(30)).await;
    // They are both in the first room, but it is nobody's business who writes in a conversation of two.
    watch(&mut eves, &ann, &conversation).await;

    let began = Instant::now();
    anns.send(&json!({"type": "typing", "conversation": conversation})).await.unwrap();
    let typing = next(&mut bobs, "typing", SOON).await;
    let typing_ms = began.elapsed().as_millis();
    assert_eq!((&typing["user"], &typing["on"]), (&json!(ann.person.id), &json!(true)));
    let began = Instant::now();
    anns.send(&json!({"type": "idle"})).await.unwrap();
    until_state(&mut bobs, Value::Null, "away", SOON).await;
    let away_ms = began.elapsed().as_millis();
    eves.send(&json!({"type": "ping"})).await.unwrap();
    let heard = async {
        loop {
            match eves.receive().await {
                Incoming::Frame(frame) if frame["type"] == "pong" => return,
                Incoming::Frame(frame) => assert_ne!(frame["type"], "typing", "{frame}"),
                Incoming::Closed(code) => panic!("closed with {code:?}"),
            }
        }
    };
    timeout(SOON, heard).await.expect("an answer");

    let killed = Instant::now();
    cluster.backends[0].program.kill();
    let gone = until_state(&mut bobs, Value::Null, "offline", Duration::from_secs(115)).await;
    let gone_s = killed.elapsed().as_secs_f64();
    assert!(gone["users"][0]["last_seen"].is_string(), "{gone}");
    // Its last lease was at most ten seconds old.
    assert!(gone_s > 75.0, "gone after {gone_s:.1} s");
    tell(&format!(
        "between backends: typing after {typing_ms} ms, away after {away_ms} ms; a killed backend's people \
         offline after {gone_s:.0} s"
    ));
}

/// What one says and wants on one backend is shown on the other, to whom it concerns.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_people_want_and_say_is_told_between_backends() {
    let Some(services) = Services::shared(Kind::Postgres).await else { return };
    let cluster = Cluster::start(services, 2, 1).await;
    let (here, there) = (cluster.rest(0), cluster.rest(1));
    let (ann, bob) = (here.register("ann").await, there.register("bob").await);
    let (mut desk, _) = Socket::signed_in(here.address(), &ann.token, None).await;
    let (mut phone, _) = Socket::signed_in(there.address(), &ann.token, None).await;
    let (mut bobs, _) = Socket::signed_in(there.address(), &bob.token, None).await;
    let answer = there.of(&bob).send(ann.person.id, "c-1", "hello").await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    let message = next(&mut desk, "message", SOON).await;
    let conversation = message["conversation"].clone();
    watch(&mut bobs, &ann, &conversation).await;

    // A backend hears the others some time after its start; until then what is told is lost, and every change
    // is told anew.
    let heard = async {
        for revision in 1_u64.. {
            let change = json!({"keywords": [format!("w{revision}")]});
            let request = here.of(&ann).request(Method::PATCH, "me/notifications").json(&change);
            let answer = Rest::ask(request).await;
            assert_eq!((answer.status, &answer.body["revision"]), (200, &json!(revision)));
            let own = next(&mut desk, "notifications", SOON).await;
            assert_eq!(own["general"]["keywords"], change["keywords"]);
            let began = Instant::now();
            let told = timeout(Duration::from_secs(1), next(&mut phone, "notifications", SOON)).await;
            if let Ok(told) = told {
                assert_eq!(told["general"]["keywords"], change["keywords"]);
                return (revision, began.elapsed().as_millis());
            }
        }
        unreachable!("numbers do not end");
    };
    let (revision, told_ms) = timeout(Duration::from_secs(60), heard).await.expect("it is heard");
    let path = format!("conversations/{}/notifications", conversation.as_str().unwrap());
    let answer = there.of(&ann).put(&path, &json!({"muted": true})).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let expected = json!({
        "type": "notifications", "revision": revision + 1, "conversation": conversation,
        "settings": {"level": null, "muted": true, "muted_until": null, "ignore_everyone": false},
    });
    for socket in [&mut desk, &mut phone] {
        assert_eq!(next(socket, "notifications", SOON).await, expected);
    }
    // He hears on his that it came to a device of hers on the other one.
    let received = json!({"type": "received", "conversation": conversation, "position": message["position"]});
    desk.send(&received).await.unwrap();
    let delivered = next(&mut bobs, "delivered", SOON).await;
    assert_eq!(delivered["position"], message["position"]);
    // Who comes on another backend knows whether they missed something.
    let (mut tablet, _) = Socket::signed_in(there.address(), &ann.token, None).await;
    let newest = next(&mut tablet, "notifications", SOON).await;
    assert_eq!(newest, json!({"type": "notifications", "revision": revision + 1}));

    let began = Instant::now();
    let answer = here.of(&ann).put("me/status", &json!({"emoji": "🌴", "text": "On holiday"})).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let status = json!({"emoji": "🌴", "text": "On holiday", "until": null});
    let said = async {
        loop {
            let presence = next(&mut bobs, "presence", SOON).await;
            if presence["users"][0]["status"] == status {
                return;
            }
        }
    };
    timeout(SOON, said).await.expect("he hears what she says");
    tell(&format!(
        "between backends: notification settings after {told_ms} ms, a status after {} ms",
        began.elapsed().as_millis()
    ));
}
