//! Rooms over the WebSocket alone: everything that REST does, by frames, answered in order with sends.

use serde_json::{Value, json};

use super::{hear, kinds, until_event};
use crate::node::{Node, User};
use crate::socket::Socket;

/// A frame of this type with these fields besides.
fn frame(kind: &str, client_id: &str, more: Value) -> Value {
    let mut frame = json!({"type": kind, "client_id": client_id});
    frame.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    frame
}

/// The answer to the next frame that has one.
async fn answer(socket: &mut Socket) -> Value {
    loop {
        let (of, frame) = hear(socket).await;
        if ["accepted", "rejected", "error"].contains(&of.as_str()) {
            return frame;
        }
    }
}

async fn done(socket: &mut Socket, kind: &str, client_id: &str, more: Value) -> Value {
    socket.say(&frame(kind, client_id, more)).await;
    let accepted = answer(socket).await;
    assert_eq!((&accepted["type"], &accepted["client_id"]), (&json!("accepted"), &json!(client_id)));
    accepted
}

/// The code of a refusal that is for good; the frame's `client_id` comes with it.
async fn refused(socket: &mut Socket, kind: &str, client_id: &str, more: Value) -> String {
    socket.say(&frame(kind, client_id, more)).await;
    let rejected = answer(socket).await;
    assert_eq!(
        (&rejected["type"], &rejected["client_id"], &rejected["temporary"]),
        (&json!("rejected"), &json!(client_id), &json!(false)),
        "{rejected}"
    );
    rejected["code"].as_str().unwrap().to_owned()
}

/// The room as the next `room` frame tells it.
async fn told(socket: &mut Socket) -> Value {
    loop {
        let (of, frame) = hear(socket).await;
        if of == "room" {
            return frame["room"].clone();
        }
    }
}

async fn sockets(node: &Node, users: [&User; 3]) -> [Socket; 3] {
    let [one, two, three] = users;
    [Socket::sign_in(node, one).await, Socket::sign_in(node, two).await, Socket::sign_in(node, three).await]
}

#[tokio::test]
async fn all_that_is_done_in_rooms_is_done_over_the_socket() {
    let node = Node::start().await;
    let [anna, ben, carl] = node.people(["anna", "ben", "carl"]).await;
    let [mut of_anna, mut of_ben, mut of_carl] = sockets(&node, [&anna, &ben, &carl]).await;
    let creation = json!({"handle": "letters", "title": "Letters", "topic": "On letters"});
    let created = done(&mut of_anna, "create_room", "c-1", creation.clone()).await;
    let view = told(&mut of_anna).await;
    assert_eq!(
        (&view["id"], &view["handle"], &view["topic"], &view["role"]),
        (&created["conversation"], &json!("letters"), &json!("On letters"), &json!("owner"))
    );
    let again = done(&mut of_anna, "create_room", "c-1", creation).await;
    assert_eq!(again, created, "the same client_id is the same room");
    let room = &created["conversation"];
    let here = |more: Value| {
        let mut fields = json!({"conversation": room});
        fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        fields
    };

    let joined = done(&mut of_ben, "join_room", "j-1", here(json!({}))).await;
    assert_eq!(told(&mut of_ben).await["role"], "member");
    assert_eq!(until_event(&mut of_anna, "joined").await["position"], joined["position"]);
    for name in ["j-1", "j-2"] {
        let again = done(&mut of_ben, "join_room", name, here(json!({}))).await;
        assert_eq!(again["position"], joined["position"], "in it already");
    }
    done(&mut of_ben, "add_members", "a-1", here(json!({"users": [carl.id]}))).await;
    assert_eq!(told(&mut of_carl).await["members"], 3);
    let moderator = json!({"user": ben.id, "role": "moderator"});
    done(&mut of_anna, "change_role", "r-1", here(moderator)).await;
    assert_eq!(until_event(&mut of_ben, "role_changed").await["role"], "moderator");
    done(&mut of_ben, "remove_member", "d-1", here(json!({"user": carl.id}))).await;
    assert_eq!(until_event(&mut of_carl, "removed").await["user"], carl.id.as_str());
    done(&mut of_ben, "ban", "b-1", here(json!({"user": carl.id}))).await;
    assert_eq!(refused(&mut of_carl, "join_room", "j-1", here(json!({}))).await, "banned");
    done(&mut of_ben, "unban", "b-2", here(json!({"user": carl.id}))).await;
    done(&mut of_carl, "join_room", "j-1", here(json!({}))).await;
    assert_eq!(told(&mut of_carl).await["members"], 3);
    done(&mut of_carl, "leave_room", "l-1", here(json!({}))).await;
    assert_eq!(told(&mut of_carl).await["role"], json!(null));

    // Nobody waits for an answer: what one client does there stays in its order, whatever it is.
    for (kind, name, more) in [
        ("send", "m-1", json!({"body": "before"})),
        ("change_room", "p-1", json!({"title": "Post", "visibility": "private"})),
        ("send", "m-2", json!({"body": "after"})),
        ("change_room", "p-2", json!({"archived": true})),
    ] {
        of_anna.say(&frame(kind, name, here(more))).await;
    }
    for name in ["m-1", "p-1", "m-2", "p-2"] {
        let accepted = answer(&mut of_anna).await;
        assert_eq!((&accepted["type"], &accepted["client_id"]), (&json!("accepted"), &json!(name)));
    }
    let changed = until_event(&mut of_ben, "room_changed").await;
    assert_eq!((&changed["title"], &changed["client_id"]), (&json!("Post"), &json!(null)));
    assert_eq!(refused(&mut of_anna, "send", "m-3", here(json!({"body": "closed"}))).await, "archived");
    let room = room.as_str().unwrap();
    assert_eq!(
        kinds(&node.events(&anna, room).await.ok(200)),
        [
            "room_created",
            "joined",
            "members_added",
            "role_changed",
            "removed",
            "banned",
            "unbanned",
            "joined",
            "left",
            "message",
            "room_changed",
            "message",
            "room_changed",
        ]
    );
    node.stop().await;
}

#[tokio::test]
async fn what_is_refused_in_rooms_says_why_and_uses_up_no_name() {
    let node = Node::start().await;
    let [anna, ben, carl] = node.people(["anna", "ben", "carl"]).await;
    let [mut of_anna, mut of_ben, mut of_carl] = sockets(&node, [&anna, &ben, &carl]).await;
    let room = node.room(&anna, "letters", json!({"members": [ben.id]})).await;
    let hidden = node.room(&anna, "hidden", json!({"visibility": "private"})).await;
    let nobody = uuid::Uuid::now_v7();
    let here = |more: Value| {
        let mut fields = json!({"conversation": room});
        fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        fields
    };
    for (kind, more, code) in [
        ("join_room", json!({"conversation": hidden}), "unknown_conversation"),
        ("join_room", json!({"conversation": nobody}), "unknown_conversation"),
        ("leave_room", here(json!({})), "not_member"),
        ("change_room", here(json!({"title": "Mine"})), "not_permitted"),
        ("create_room", json!({"handle": "letters", "title": "Mine"}), "handle_taken"),
        ("create_room", json!({"handle": "other", "title": "x", "members": [nobody]}), "unknown_recipient"),
    ] {
        assert_eq!(refused(&mut of_carl, kind, "same", more.clone()).await, code, "{kind} {more}");
    }
    for (kind, more, code) in [
        ("change_room", json!({"archived": true}), "not_permitted"),
        ("remove_member", json!({"user": anna.id}), "not_permitted"),
        ("ban", json!({"user": carl.id}), "not_permitted"),
        ("unban", json!({"user": carl.id}), "not_permitted"),
        ("change_role", json!({"user": ben.id, "role": "owner"}), "not_permitted"),
        ("add_members", json!({"users": [nobody]}), "unknown_recipient"),
    ] {
        assert_eq!(refused(&mut of_ben, kind, "same", here(more)).await, code, "{kind}");
    }
    assert_eq!(refused(&mut of_anna, "leave_room", "same", here(json!({}))).await, "last_owner");
    // What was refused named nothing; what counts does, and for good.
    done(&mut of_carl, "join_room", "same", here(json!({}))).await;
    assert_eq!(refused(&mut of_carl, "leave_room", "same", here(json!({}))).await, "client_id_reused");

    // What cannot be taken names the field, by the rules of REST.
    for (kind, more, field) in [
        ("create_room", json!({"handle": "No Spaces", "title": "x"}), "handle"),
        ("create_room", json!({"handle": "fine"}), "title"),
        ("change_room", here(json!({})), "title"),
        ("change_room", here(json!({"archived": "yes"})), "archived"),
        ("join_room", json!({}), "conversation"),
        ("join_room", json!({"conversation": "x"}), "conversation"),
        ("add_members", here(json!({"users": []})), "users"),
        ("ban", here(json!({})), "user"),
        ("change_role", here(json!({"user": ben.id, "role": "king"})), "role"),
    ] {
        of_anna.say(&frame(kind, "bad", more)).await;
        let error = answer(&mut of_anna).await;
        assert_eq!(
            (&error["type"], &error["code"], &error["field"], &error["client_id"]),
            (&json!("error"), &json!("invalid_field"), &json!(field), &json!("bad")),
        );
    }
    of_anna.say(&json!({"type": "leave_room", "conversation": room})).await;
    assert_eq!(answer(&mut of_anna).await["field"], "client_id");
    node.stop().await;
}

/// Not read on while as many are under way as may be, and refused beyond the rate of sends.
#[tokio::test]
async fn what_is_done_in_rooms_has_the_limits_of_sends() {
    let node = Node::start_with(|settings| {
        settings.socket.max_in_flight = 1;
        settings.limits.send_burst = 3;
        settings.limits.send_per_second = 1;
    })
    .await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let creation = |number: u8| {
        let fields = json!({"handle": format!("room-{number}"), "title": "x"});
        frame("create_room", &format!("c-{number}"), fields)
    };
    let mut socket = Socket::sign_in(&node, &anna).await;
    for number in 0..2 {
        socket.say(&creation(number)).await;
    }
    socket.say(&json!({"type": "ping"})).await;
    let mut heard = Vec::new();
    while heard.last().is_none_or(|(of, _)| of != "pong") {
        let (of, frame) = hear(&mut socket).await;
        if of != "room" {
            heard.push((of, frame["client_id"].clone()));
        }
    }
    let accepted = |name: &str| ("accepted".to_owned(), json!(name));
    assert_eq!(heard, [accepted("c-0"), accepted("c-1"), ("pong".to_owned(), json!(null))]);

    let mut socket = Socket::sign_in(&node, &ben).await;
    let taken = async {
        for number in 2_u8.. {
            socket.say(&creation(number)).await;
            let answer = answer(&mut socket).await;
            if answer["type"] == "rejected" {
                return (number, answer);
            }
        }
        unreachable!("numbers end")
    };
    let (number, rejected) = taken.await;
    assert!(number >= 5, "three at once: {rejected}");
    assert_eq!((&rejected["code"], &rejected["temporary"]), (&json!("rate_limited"), &json!(true)));
    assert_eq!(rejected["client_id"], format!("c-{number}"));
    assert!((1..=1_001).contains(&rejected["retry_after_ms"].as_u64().unwrap()));
    node.stop().await;
}
