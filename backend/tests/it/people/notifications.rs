//! Of what somebody wants to be told: in general and of a conversation, on all their devices.

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::Answer;
use crate::node::{Node, User};
use crate::socket::Socket;

const GENERAL: &str = "/api/v1/me/notifications";

async fn change(node: &Node, user: &User, body: Value) -> Answer {
    node.call(Method::PATCH, GENERAL, Some(user), Some(&body)).await
}

async fn set(node: &Node, user: &User, conversation: &str, body: Value) -> Answer {
    let path = format!("/api/v1/conversations/{conversation}/notifications");
    node.call(Method::PUT, &path, Some(user), Some(&body)).await
}

fn defaults() -> Value {
    json!({"level": null, "muted": false, "muted_until": null, "ignore_everyone": false})
}

#[tokio::test]
async fn what_is_wanted_in_general_is_kept_field_by_field() {
    let node = Node::start().await;
    let [anna, ben] = node.people(["anna", "ben"]).await;
    let mut expected = json!({
        "revision": 0, "direct": "all", "rooms": "mentions", "keywords": [], "dnd_until": null,
        "dnd_schedule": null, "push_words": true, "conversations": [],
    });
    assert_eq!(node.get(&anna, GENERAL).await.ok(200), expected);
    assert_eq!(change(&node, &anna, json!({})).await.ok(200), expected, "nothing was changed");
    let schedule = json!({
        "time_zone": "Europe/Prague",
        "windows": [{"days": ["mon", "fri"], "from": "22:00", "to": "07:00"}],
    });
    for (revision, (field, value)) in (1..).zip([
        ("direct", json!("mentions")),
        ("rooms", json!("nothing")),
        ("keywords", json!(["Käse", "on call"])),
        ("dnd_until", json!("2999-11-29T12:00:00.000Z")),
        ("dnd_schedule", schedule),
        ("push_words", json!(false)),
        ("dnd_until", Value::Null),
        ("dnd_schedule", Value::Null),
        ("keywords", json!([])),
    ]) {
        expected[field] = value.clone();
        expected["revision"] = json!(revision);
        assert_eq!(change(&node, &anna, json!({ field: value })).await.ok(200), expected);
    }
    let start = node.get(&anna, "/api/v1/bootstrap").await.ok(200);
    assert_eq!(start["notifications"], expected);
    let past = change(&node, &anna, json!({"dnd_until": "2020-01-01T00:00:00Z"})).await.ok(200);
    assert_eq!((&past["dnd_until"], &past["revision"]), (&Value::Null, &json!(10)));
    assert_eq!(node.get(&ben, GENERAL).await.ok(200)["revision"], 0, "it is hers alone");
    node.call(Method::GET, GENERAL, None, None).await.problem(401, "unauthenticated");
    node.stop().await;
}

#[tokio::test]
async fn what_is_wrong_is_named_with_its_limit() {
    let node = Node::start().await;
    let anna = node.register("anna").await;
    let words = |count: usize| (0..count).map(|number| format!("w{number}")).collect::<Vec<_>>();
    let schedule = |zone: &str, day: &str, from: &str, to: &str| {
        let window = json!({"days": [day], "from": from, "to": to});
        json!({"time_zone": zone, "windows": [window]})
    };
    for (field, value, problem) in [
        ("direct", json!("loud"), "must be one of all, mentions, nothing"),
        ("rooms", json!(5), "must be a string, not a number"),
        ("keywords", json!(words(51)), "must be at most 50 (got 51)"),
        ("keywords", json!(["x".repeat(65)]), "must have 1 to 64 characters each (got 65)"),
        ("push_words", json!("yes"), "must be true or false, not a string"),
        (
            "dnd_schedule",
            schedule("Mars/Olympus", "mon", "22:00", "07:00"),
            "must have an IANA time zone such as Europe/Prague (got \"Mars/Olympus\")",
        ),
        (
            "dnd_schedule",
            schedule("UTC", "monday", "22:00", "07:00"),
            "must have days of mon, tue, wed, thu, fri, sat, sun (got \"monday\")",
        ),
        (
            "dnd_schedule",
            schedule("UTC", "mon", "22:00", "7:00"),
            "must have times such as 07:30 (got \"7:00\")",
        ),
        ("dnd_schedule", json!({"time_zone": "UTC", "windows": []}), "must have 1 to 14 windows (got 0)"),
    ] {
        let refused = change(&node, &anna, json!({ field: value })).await;
        refused.field(field, &format!("{field} {problem}"));
    }
    for (field, value) in [("dnd_until", json!("soon")), ("dnd_until", json!(5)), ("dnd_schedule", json!([]))]
    {
        let refused = change(&node, &anna, json!({ field: value })).await.problem(400, "invalid_field");
        assert_eq!(refused["field"], field);
    }
    assert_eq!(node.get(&anna, GENERAL).await.ok(200)["revision"], 0);
    node.stop().await;
}

#[tokio::test]
async fn a_muted_conversation_is_counted_apart() {
    let node = Node::start().await;
    let [anna, ben, eve] = node.people(["anna", "ben", "eve"]).await;
    let room = node.room(&anna, "letters", json!({"members": [ben.id]})).await;
    let own = format!("/api/v1/conversations/{room}/notifications");
    let listed = async || {
        let list = node.get(&ben, "/api/v1/conversations").await.ok(200);
        (list["conversations"][0]["notifications"].clone(), list["totals"].clone())
    };
    node.write(&anna, &room, "one").await.ok(202);
    node.write(&anna, &room, "two").await.ok(202);
    assert_eq!(listed().await, (defaults(), json!({"calls": 2, "mentions": 0, "muted": 0})));
    let mut expected = defaults();
    expected["revision"] = json!(0);
    assert_eq!(node.get(&ben, &own).await.ok(200), expected);

    let muted = json!({"level": "all", "muted": true, "muted_until": null, "ignore_everyone": true});
    let mut expected = muted.clone();
    expected["revision"] = json!(1);
    let given = json!({"level": "all", "muted": true, "ignore_everyone": true});
    assert_eq!(set(&node, &ben, &room, given).await.ok(200), expected);
    assert_eq!(node.get(&ben, &own).await.ok(200), expected);
    assert_eq!(listed().await, (muted.clone(), json!({"calls": 0, "mentions": 0, "muted": 2})));
    // Who is named is called all the same.
    let mut annas = Socket::sign_in(&node, &anna).await;
    let named = json!({
        "type": "send", "client_id": "c-1", "conversation": room, "body": "you", "mentions": [ben.id],
    });
    annas.say(&named).await;
    annas.expect("accepted").await;
    assert_eq!(listed().await.1, json!({"calls": 1, "mentions": 1, "muted": 2}));
    for path in [format!("/api/v1/rooms/{room}"), "/api/v1/rooms/by-handle/letters".to_owned()] {
        assert_eq!(node.get(&ben, &path).await.ok(200)["notifications"], muted);
        assert_eq!(node.get(&anna, &path).await.ok(200)["notifications"], defaults(), "it is his alone");
        assert_eq!(node.get(&eve, &path).await.ok(200).get("notifications"), None, "she is not in it");
    }
    let all = node.get(&ben, GENERAL).await.ok(200);
    let mut of_room = muted;
    of_room["conversation"] = json!(room);
    assert_eq!((&all["revision"], &all["conversations"]), (&json!(1), &json!([of_room])));

    // What is absent is as in general again.
    let later = "2999-11-29T12:00:00.000Z";
    let until = set(&node, &ben, &room, json!({"muted_until": later})).await.ok(200);
    assert_eq!((&until["muted"], &until["muted_until"]), (&json!(true), &json!(later)));
    assert_eq!((&until["level"], &until["ignore_everyone"]), (&Value::Null, &json!(false)));
    let past = set(&node, &ben, &room, json!({"muted_until": "2020-01-01T00:00:00Z"})).await.ok(200);
    assert_eq!((&past["muted"], &past["revision"]), (&json!(false), &json!(3)));
    assert_eq!(listed().await, (defaults(), json!({"calls": 3, "mentions": 1, "muted": 0})));
    assert_eq!(node.get(&ben, GENERAL).await.ok(200)["conversations"], json!([]));

    let refused = set(&node, &ben, &room, json!({"muted": false, "muted_until": later})).await;
    refused.field("muted_until", "muted_until must be absent when `muted` is false");
    set(&node, &ben, &room, json!({"level": "x"}))
        .await
        .field("level", "level must be one of all, mentions, nothing");
    set(&node, &eve, &room, json!({"muted": true})).await.problem(403, "not_member");
    node.get(&eve, &own).await.problem(403, "not_member");
    let nowhere = set(&node, &eve, &anna.id, json!({"muted": true})).await;
    nowhere.problem(404, "unknown_conversation");
    node.stop().await;
}

#[tokio::test]
async fn all_devices_hear_of_a_change_and_know_whether_they_missed_one() {
    let node = Node::start().await;
    let [anna, ben] = node.people(["anna", "ben"]).await;
    let room = node.room(&anna, "letters", json!({"members": [ben.id]})).await;
    let mut desk = Socket::sign_in(&node, &ben).await;
    let mut phone = Socket::sign_in(&node, &ben).await;
    let mut annas = Socket::sign_in(&node, &anna).await;
    let changed = change(&node, &ben, json!({"keywords": ["letters"], "dnd_until": "2999-11-29T12:00:00Z"}));
    let mut general = changed.await.ok(200);
    let fields = general.as_object_mut().unwrap();
    fields.remove("conversations").unwrap();
    let revision = fields.remove("revision").unwrap();
    let expected = json!({"type": "notifications", "revision": revision, "general": general});
    for socket in [&mut desk, &mut phone] {
        assert_eq!(socket.expect("notifications").await, expected);
    }
    set(&node, &ben, &room, json!({"muted": true})).await.ok(200);
    let mut settings = defaults();
    settings["muted"] = json!(true);
    let expected =
        json!({"type": "notifications", "revision": 2, "conversation": room, "settings": settings});
    for socket in [&mut desk, &mut phone] {
        assert_eq!(socket.expect("notifications").await, expected);
    }
    // Whoever comes later is told how many changes there were.
    let mut tablet = Socket::sign_in(&node, &ben).await;
    assert_eq!(tablet.expect("notifications").await, json!({"type": "notifications", "revision": 2}));
    annas.say(&json!({"type": "ping"})).await;
    let heard = annas.hear_until("pong").await;
    assert!(heard.iter().all(|frame| frame["type"] != "notifications"), "{heard:?}");
    node.stop().await;
}
