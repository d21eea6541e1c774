//! A message's life through each door: replies and mentions, edits, deletions, reactions and pins.

use reqwest::Method;
use serde_json::{Value, json};

use crate::node::{Node, User};
use crate::rooms::{hear, kinds, until_event};
use crate::socket::Socket;

/// Says something, and gives the message's reference.
async fn said(socket: &mut Socket, more: Value) -> Value {
    let mut frame = json!({"type": "send"});
    frame.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    socket.say(&frame).await;
    let accepted = answer(socket).await;
    assert_eq!(accepted["type"], "accepted", "{accepted}");
    json!({"position": accepted["position"], "id": accepted["id"]})
}

/// The next answer to something that was sent.
async fn answer(socket: &mut Socket) -> Value {
    until(socket, &["accepted", "rejected", "error"]).await
}

async fn until(socket: &mut Socket, wanted: &[&str]) -> Value {
    loop {
        let (of, frame) = hear(socket).await;
        if wanted.contains(&of.as_str()) {
            return frame;
        }
    }
}

/// The messages at these places, as somebody sees them.
async fn at(node: &Node, user: &User, conversation: &Value, message: &Value) -> Value {
    let conversation = conversation.as_str().unwrap();
    let path = format!("/api/v1/conversations/{conversation}/messages?at={}", message["position"]);
    let page = node.get(user, &path).await.ok(200);
    page["messages"].get(0).cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_message_between_two_is_answered_edited_reacted_to_pinned_and_deleted() {
    let node = Node::start().await;
    let [anna, ben] = node.people(["anna", "ben"]).await;
    let (mut phone, mut laptop) = (Socket::sign_in(&node, &anna).await, Socket::sign_in(&node, &anna).await);
    let mut of_ben = Socket::sign_in(&node, &ben).await;
    let first = said(&mut phone, json!({"client_id": "m-1", "to": ben.id, "body": "Dear Ben"})).await;
    let conversation = until(&mut of_ben, &["message"]).await["conversation"].clone();

    let reply = json!({
        "client_id": "m-2", "conversation": conversation, "body": "Dear Anna", "reply_to": first,
        "mentions": [anna.id],
    });
    let second = said(&mut of_ben, reply.clone()).await;
    let heard = until(&mut phone, &["message"]).await;
    assert_eq!((&heard["reply_to"], &heard["mentions"]), (&first, &json!([anna.id])));
    assert_eq!(said(&mut of_ben, reply).await, second, "once");

    // Edits: the words everywhere, and the preview.
    let edit = json!({
        "type": "edit", "client_id": "e-1", "conversation": conversation, "target": first,
        "body": "Dearest Ben", "mentions": [ben.id],
    });
    phone.say(&edit).await;
    let accepted = answer(&mut phone).await;
    assert_eq!(accepted["type"], "accepted", "{accepted}");
    for (socket, own) in [(&mut laptop, true), (&mut of_ben, false)] {
        let edited = until(socket, &["edited"]).await;
        assert_eq!(
            (&edited["target"], &edited["body"], &edited["mentions"], &edited["position"], &edited["actor"]),
            (&first, &json!("Dearest Ben"), &json!([ben.id]), &accepted["position"], &json!(anna.id))
        );
        assert_eq!(edited.get("client_id").is_some(), own, "{edited}");
    }
    phone.say(&edit).await;
    assert_eq!(answer(&mut phone).await["position"], accepted["position"], "once");
    let now = at(&node, &ben, &conversation, &first).await;
    assert_eq!(
        (&now["body"], &now["edited"], &now["changed"], &now["mentions"]),
        (&json!("Dearest Ben"), &accepted["position"], &accepted["position"], &json!([ben.id]))
    );
    of_ben
        .say(&json!({
            "type": "edit", "client_id": "e-2", "conversation": conversation, "target": first, "body": "mine"
        }))
        .await;
    assert_eq!(answer(&mut of_ben).await["code"], "not_permitted");

    // Reactions: counted, with whose they are; the same again is so already.
    let react = |name: &str, emoji: &str, on: bool| {
        json!({
            "type": "react", "client_id": name, "conversation": conversation, "target": first,
            "emoji": emoji, "on": on,
        })
    };
    of_ben.say(&react("r-1", "\u{1f44d}", true)).await;
    let put = answer(&mut of_ben).await;
    let reacted = until(&mut phone, &["reacted"]).await;
    assert_eq!((&reacted["emoji"], &reacted["on"], &reacted["target"]), (&json!("👍"), &json!(true), &first));
    phone.say(&react("r-2", "\u{1f44d}", true)).await;
    answer(&mut phone).await;
    of_ben.say(&react("r-3", "\u{1f44d}", true)).await;
    assert_eq!(answer(&mut of_ben).await["position"], put["position"]);
    of_ben.say(&react("r-4", "\u{2764}\u{fe0f}", true)).await;
    answer(&mut of_ben).await;
    phone.say(&react("r-5", "\u{1f44d}", false)).await;
    answer(&mut phone).await;
    let now = at(&node, &ben, &conversation, &first).await;
    assert_eq!(
        now["reactions"],
        json!([
            {"emoji": "👍", "count": 1, "mine": true, "users": [ben.id]},
            {"emoji": "❤️", "count": 1, "mine": true, "users": [ben.id]},
        ])
    );

    // Pins stand in the timeline.
    let path = |rest: &str| {
        let conversation = conversation.as_str().unwrap();
        format!("/api/v1/conversations/{conversation}/messages/{}{rest}", first["position"])
    };
    let pinned = node.call(Method::PUT, &path("/pin"), Some(&ben), None).await.ok(200);
    let heard = until_event(&mut phone, "pinned").await;
    assert_eq!(
        (&heard["target"], &heard["on"], &heard["position"]),
        (&first, &json!(true), &pinned["position"])
    );
    assert_eq!(at(&node, &anna, &conversation, &first).await["pinned"], pinned["position"]);
    let events = format!("/api/v1/conversations/{}/events", conversation.as_str().unwrap());
    assert_eq!(kinds(&node.get(&anna, &events).await.ok(200)), ["message", "message", "pinned"]);

    // A deletion leaves who, when and where, and nothing else, anywhere.
    node.call(Method::DELETE, &path(""), Some(&ben), None).await.problem(403, "not_permitted");
    let deleted = node.call(Method::DELETE, &path(""), Some(&anna), None).await.ok(200);
    assert_eq!(until(&mut of_ben, &["deleted"]).await["position"], deleted["position"]);
    let now = at(&node, &ben, &conversation, &first).await;
    assert_eq!(now["deleted"], json!({"position": deleted["position"], "by": anna.id}));
    assert_eq!(now["body"], "");
    for gone in ["reactions", "pinned", "edited", "mentions"] {
        assert_eq!(now.get(gone), None, "{gone}");
    }
    of_ben.say(&react("r-6", "\u{1f44d}", true)).await;
    assert_eq!(answer(&mut of_ben).await["code"], "deleted");
    phone
        .say(&json!({
            "type": "edit", "client_id": "e-3", "conversation": conversation, "target": first, "body": "again"
        }))
        .await;
    assert_eq!(answer(&mut phone).await["code"], "deleted");
    assert_eq!(
        node.call(Method::DELETE, &path(""), Some(&anna), None).await.ok(200)["position"],
        deleted["position"]
    );
    let messages = node.get(&ben, &events.replace("/events", "/messages")).await.ok(200);
    assert_eq!(messages["messages"].as_array().unwrap().len(), 1, "only what has words");
    phone
        .say(&json!({
            "type": "send", "client_id": "m-1", "to": ben.id, "body": "Dear Ben",
        }))
        .await;
    assert_eq!(answer(&mut phone).await["position"], first["position"], "it was sent, whatever became of it");
    node.stop().await;
}

/// Whoever comes back with an old cursor, reads, lists or asks: the words are gone.
#[tokio::test]
async fn deleted_words_are_in_no_answer_and_no_frame() {
    const SECRET: [&str; 2] = ["the first secret", "the second secret"];
    let node = Node::start().await;
    let [anna, ben] = node.people(["anna", "ben"]).await;
    let room = node.room(&anna, "letters", json!({"members": [ben.id]})).await;
    for place in [json!({"to": ben.id}), json!({"conversation": room})] {
        let mut of_ben = Socket::connect(&node).await;
        let welcome = of_ben.hello(&json!({"type": "hello", "token": ben.token})).await;
        drop(of_ben);
        let mut of_anna = Socket::sign_in(&node, &anna).await;
        let mut frame = place.clone();
        frame["client_id"] = json!(format!("m-{place}").chars().take(60).collect::<String>());
        frame["body"] = json!(SECRET[0]);
        let message = said(&mut of_anna, frame).await;
        let mut edit = place.clone();
        for (name, value) in [
            ("type", json!("edit")),
            ("client_id", json!("e")),
            ("target", message.clone()),
            ("body", json!(SECRET[1])),
        ] {
            edit[name] = value;
        }
        edit["client_id"] = json!(format!("e-{}", message["position"]));
        of_anna.say(&edit).await;
        let conversation = answer(&mut of_anna).await["conversation"].clone();
        let mut delete = place.clone();
        delete["type"] = json!("delete");
        delete["client_id"] = json!(format!("d-{}", message["position"]));
        delete["target"] = message.clone();
        of_anna.say(&delete).await;
        assert_eq!(answer(&mut of_anna).await["type"], "accepted");

        let mut heard = String::new();
        let mut of_ben = Socket::connect(&node).await;
        let hello = json!({"type": "hello", "token": ben.token, "resume": welcome["cursor"]});
        assert_eq!(of_ben.hello(&hello).await["resumed"], true);
        loop {
            let (of, frame) = hear(&mut of_ben).await;
            heard.push_str(&frame.to_string());
            if of == "deleted" {
                break;
            }
        }
        let id = conversation.as_str().unwrap();
        for path in [
            "/api/v1/conversations".to_owned(),
            "/api/v1/bootstrap".to_owned(),
            format!("/api/v1/conversations/{id}"),
            format!("/api/v1/conversations/{id}/messages"),
            format!("/api/v1/conversations/{id}/events"),
            format!("/api/v1/conversations/{id}/messages?at={}", message["position"]),
            format!("/api/v1/conversations/{id}/events?around={}", message["position"]),
        ] {
            heard.push_str(&node.get(&ben, &path).await.ok(200).to_string());
        }
        for secret in SECRET {
            assert!(!heard.contains(secret), "{secret} in {heard}");
        }
        assert!(heard.contains("\"deleted\""), "{heard}");
    }
    node.stop().await;
}

#[tokio::test]
async fn in_a_room_moderators_delete_and_everybody_else_only_their_own() {
    let node = Node::start().await;
    let [anna, ben, carl] = node.people(["anna", "ben", "carl"]).await;
    let room = node.room(&anna, "letters", json!({"members": [ben.id, carl.id]})).await;
    let mut of_ben = Socket::sign_in(&node, &ben).await;
    let (mut of_anna, mut of_carl) =
        (Socket::sign_in(&node, &anna).await, Socket::sign_in(&node, &carl).await);
    let frame = json!({"client_id": "m-1", "conversation": room, "body": "Dear all", "everyone": true});
    let message = said(&mut of_ben, frame).await;
    assert_eq!(until(&mut of_carl, &["message"]).await["everyone"], true);
    let delete = json!({
        "type": "delete", "client_id": "d", "conversation": room, "target": message, "reason": "off topic",
    });
    of_carl.say(&delete).await;
    assert_eq!(answer(&mut of_carl).await["code"], "not_permitted");
    of_anna.say(&delete).await;
    let deleted = answer(&mut of_anna).await;
    for socket in [&mut of_ben, &mut of_carl] {
        let heard = until(socket, &["deleted"]).await;
        assert_eq!((&heard["reason"], &heard["position"]), (&json!("off topic"), &deleted["position"]));
    }
    let now = at(&node, &ben, &json!(room), &message).await;
    assert_eq!(
        now["deleted"],
        json!({"position": deleted["position"], "by": anna.id, "reason": "off topic"})
    );
    let list = node.get(&ben, &format!("/api/v1/conversations/{room}")).await.ok(200);
    assert_eq!(list["last_message"], json!(null), "{list}");

    // At most twenty different ones.
    let other = said(&mut of_ben, json!({"client_id": "m-2", "conversation": room, "body": "again"})).await;
    for number in 0..21_u32 {
        let emoji = char::from_u32(0x1f400 + number).unwrap();
        of_carl
            .say(&json!({
                "type": "react", "client_id": format!("r-{number}"), "conversation": room, "target": other,
                "emoji": emoji.to_string(),
            }))
            .await;
        let answered = answer(&mut of_carl).await;
        let expected = if number < 20 { "accepted" } else { "rejected" };
        assert_eq!(answered["type"], expected, "{answered}");
        if number == 20 {
            assert_eq!(answered["code"], "too_many_reactions");
        }
    }
    node.stop().await;
}

/// In a room that shows only the time of one's membership, a change of what was before is not told.
#[tokio::test]
async fn whoever_does_not_see_a_message_hears_nothing_of_its_changes() {
    let node = Node::start().await;
    let [anna, ben] = node.people(["anna", "ben"]).await;
    let room = node.room(&anna, "letters", json!({"history": "since_join"})).await;
    let mut of_anna = Socket::sign_in(&node, &anna).await;
    let message =
        said(&mut of_anna, json!({"client_id": "m-1", "conversation": room, "body": "before Ben"})).await;
    node.join(&ben, &room).await.ok(200);
    let mut of_ben = Socket::connect(&node).await;
    let cursor = of_ben.hello(&json!({"type": "hello", "token": ben.token})).await["cursor"].clone();
    let edit = |name: &str, target: &Value, body: &str| {
        json!({
            "type": "edit", "client_id": name, "conversation": room, "target": target, "body": body,
        })
    };
    of_anna.say(&edit("e-1", &message, "of Ben")).await;
    assert_eq!(answer(&mut of_anna).await["type"], "accepted");
    let told = until(&mut of_ben, &["edited", "gap"]).await;
    assert_eq!((&told["type"], &told["after"]), (&json!("gap"), &told["before"]));
    assert_eq!(told["changes_after"], told["after"]);
    assert_eq!(at(&node, &ben, &json!(room), &message).await, json!(null));
    of_ben
        .say(&json!({
            "type": "react", "client_id": "r", "conversation": room, "target": message, "emoji": "👀",
        }))
        .await;
    assert_eq!(answer(&mut of_ben).await["code"], "not_permitted");
    let path = format!("/api/v1/conversations/{room}/changes");
    assert_eq!(node.get(&ben, &path).await.ok(200)["messages"], json!([]), "not when one asks, either");
    let all = node.get(&anna, &path).await.ok(200);
    assert_eq!((&all["messages"][0]["body"], &all["next"]), (&json!("of Ben"), &json!(null)));

    // Nor does somebody who comes back hear it.
    let (mut back, welcome) = Socket::resume(&node, &ben, cursor.as_str().unwrap()).await;
    assert_eq!(welcome["resumed"], true);
    let told = until(&mut back, &["edited", "gap"]).await;
    assert_eq!((&told["type"], &told["after"]), (&json!("gap"), &told["before"]), "{told}");
    drop(back);
    let seen =
        said(&mut of_anna, json!({"client_id": "m-2", "conversation": room, "body": "with Ben"})).await;
    of_anna.say(&edit("e-2", &seen, "with dear Ben")).await;
    assert_eq!(until(&mut of_ben, &["edited"]).await["body"], "with dear Ben");
    node.stop().await;
}

#[tokio::test]
async fn what_cannot_be_taken_is_named() {
    let node = Node::start().await;
    let [anna, ben] = node.people(["anna", "ben"]).await;
    let mut socket = Socket::sign_in(&node, &anna).await;
    let message = said(&mut socket, json!({"client_id": "m", "to": ben.id, "body": "Dear Ben"})).await;
    let change = |kind: &str, field: &str, value: Value| {
        let mut frame = json!({
            "type": kind, "client_id": "c", "to": ben.id, "target": message, "body": "b", "emoji": "👍",
        });
        frame[field] = value;
        frame
    };
    let many: Vec<_> = (0..51).map(|_| uuid::Uuid::now_v7()).collect();
    for (frame, field) in [
        (change("edit", "target", json!(5)), "target"),
        (change("edit", "target", json!({"position": 5})), "target"),
        (change("edit", "body", json!("")), "body"),
        (change("edit", "mentions", json!(many)), "mentions"),
        (change("react", "emoji", json!("two words")), "emoji"),
        (change("react", "on", json!("yes")), "on"),
        (change("delete", "reason", json!("x".repeat(251))), "reason"),
        (json!({"type": "send", "client_id": "c", "to": ben.id, "body": "b", "reply_to": "x"}), "reply_to"),
    ] {
        socket.say(&frame).await;
        let error = answer(&mut socket).await;
        assert_eq!((&error["code"], &error["field"]), (&json!("invalid_field"), &json!(field)), "{frame}");
    }
    let elsewhere = json!({"position": message["position"], "id": uuid::Uuid::now_v7()});
    socket.say(&change("edit", "target", elsewhere)).await;
    assert_eq!(answer(&mut socket).await["code"], "not_permitted", "a place alone names no message");
    let everyone = json!({"type": "send", "client_id": "c-2", "to": ben.id, "body": "b", "everyone": true});
    socket.say(&everyone).await;
    assert_eq!(answer(&mut socket).await["field"], "everyone");
    node.stop().await;
}
