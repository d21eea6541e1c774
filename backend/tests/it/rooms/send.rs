//! Messages in rooms: who hears them, who may read them, and what the list says.

use reqwest::Method;
use serde_json::json;

use super::{hear, kinds, until_event};
use crate::node::Node;
use crate::socket::Socket;

#[tokio::test]
async fn a_message_reaches_all_who_are_in_it_and_nobody_else() {
    let node = Node::start().await;
    let [anna, ben, carl, dora] = node.people(["anna", "ben", "carl", "dora"]).await;
    let room = node.room(&anna, "letters", json!({"members": [ben.id, carl.id]})).await;
    let (mut of_anna, mut of_ben) = (Socket::sign_in(&node, &anna).await, Socket::sign_in(&node, &ben).await);
    let (mut of_carl, mut of_dora) =
        (Socket::sign_in(&node, &carl).await, Socket::sign_in(&node, &dora).await);
    let send = json!({"type": "send", "client_id": "m-1", "conversation": room, "body": "Dear all"});
    of_anna.say(&send).await;
    let accepted = of_anna.expect("accepted").await;
    for socket in [&mut of_ben, &mut of_carl] {
        let message = socket.expect("message").await;
        assert_eq!(
            (&message["body"], &message["kind"], &message["sender"], &message["position"]),
            (&json!("Dear all"), &json!("room"), &json!(anna.id), &accepted["position"])
        );
        assert!(message.get("to").is_none() && message.get("client_id").is_none(), "{message}");
    }
    of_anna.say(&send).await;
    assert_eq!(of_anna.expect("accepted").await["position"], accepted["position"], "once");

    // Who is sent away hears that, and nothing after it.
    node.act(&anna, Method::DELETE, &room, &format!("/members/{}", carl.id)).await.ok(200);
    assert_eq!(until_event(&mut of_carl, "removed").await["user"], json!(carl.id));
    let told = of_carl.expect("room").await;
    assert_eq!((&told["room"]["role"], &told["room"]["members"]), (&json!(null), &json!(2)));
    node.write(&ben, &room, "without Carl").await.ok(202);
    assert_eq!(of_anna.expect("event").await["event"]["kind"], "removed");
    of_anna.expect("room").await;
    assert_eq!(of_anna.expect("message").await["body"], "without Carl");
    of_carl.say(&json!({"type": "send", "client_id": "m-2", "conversation": room, "body": "Why?"})).await;
    let (of, refused) = hear(&mut of_carl).await;
    assert_eq!(
        (of.as_str(), &refused["code"], &refused["temporary"]),
        ("rejected", &json!("not_member"), &json!(false))
    );

    // What comes next to a stranger is what comes to them.
    node.join(&dora, &room).await.ok(200);
    assert_eq!(until_event(&mut of_dora, "joined").await["actor"], json!(dora.id));
    node.stop().await;
}

/// The answer was lost, and they were sent away before they asked again.
#[tokio::test]
async fn what_counts_is_told_to_who_went_since() {
    let node = Node::start().await;
    let [anna, ben] = node.people(["anna", "ben"]).await;
    let mut of_ben = Socket::sign_in(&node, &ben).await;
    for (visibility, code) in [("public", "not_member"), ("private", "unknown_conversation")] {
        let more = json!({"members": [ben.id], "visibility": visibility});
        let room = node.room(&anna, visibility, more).await;
        let send = |name, body| {
            json!({
                "type": "send", "client_id": name, "conversation": room, "body": body,
            })
        };
        of_ben.say(&send("m-1", "Dear Anna")).await;
        let accepted = answer(&mut of_ben).await;
        assert_eq!(accepted["type"], "accepted", "{accepted}");
        node.act(&anna, Method::DELETE, &room, &format!("/members/{}", ben.id)).await.ok(200);
        until_event(&mut of_ben, "removed").await;
        of_ben.say(&send("m-1", "Dear Anna")).await;
        let again = answer(&mut of_ben).await;
        assert_eq!((&again["type"], &again["position"]), (&json!("accepted"), &accepted["position"]));
        of_ben.say(&send("m-1", "Dear Eve")).await;
        assert_eq!(answer(&mut of_ben).await["code"], "client_id_reused");
        of_ben.say(&send("m-2", "Why?")).await;
        let refused = answer(&mut of_ben).await;
        assert_eq!((&refused["code"], &refused["temporary"]), (&json!(code), &json!(false)));
    }
    node.stop().await;
}

/// The next answer to a send.
async fn answer(socket: &mut Socket) -> serde_json::Value {
    loop {
        let (of, frame) = hear(socket).await;
        if of == "accepted" || of == "rejected" {
            return frame;
        }
    }
}

#[tokio::test]
async fn who_sees_only_their_own_time_sees_no_more() {
    let node = Node::start().await;
    let [anna, ben] = node.people(["anna", "ben"]).await;
    let room = node.room(&anna, "letters", json!({"history": "since_join"})).await;
    node.write(&anna, &room, "before Ben").await.ok(202);
    node.join(&ben, &room).await.ok(200);
    node.write(&anna, &room, "with Ben").await.ok(202);
    node.act(&ben, Method::POST, &room, "/leave").await.ok(200);
    node.write(&anna, &room, "without Ben").await.ok(202);
    node.join(&ben, &room).await.ok(200);
    let seen = node.events(&ben, &room).await.ok(200);
    assert_eq!(kinds(&seen), ["joined", "message", "left", "joined"]);
    assert_eq!(seen["events"][1]["body"], "with Ben");
    let all = node.events(&anna, &room).await.ok(200);
    assert_eq!(kinds(&all), ["room_created", "message", "joined", "message", "left", "message", "joined"]);
    node.stop().await;
}

#[tokio::test]
async fn rooms_are_listed_beside_people_with_what_is_unread() {
    let node = Node::start().await;
    let [anna, ben] = node.people(["anna", "ben"]).await;
    let room = node.room(&anna, "letters", json!({})).await;
    node.write(&anna, &room, "before Ben").await.ok(202);
    node.join(&ben, &room).await.ok(200);
    let found = node.get(&ben, &format!("/api/v1/conversations/{room}")).await.ok(200);
    assert_eq!((&found["last_message"]["body"], &found["unread"]), (&json!("before Ben"), &json!(0)));
    for number in 0..3 {
        node.write(&anna, &room, &format!("m{number}")).await.ok(202);
    }
    node.post(&anna, &format!("/api/v1/users/{}/messages", ben.id), &json!({"body": "hi"}), 202).await;
    let list = node.get(&ben, "/api/v1/conversations").await.ok(200);
    let [of_person, of_room] = list["conversations"].as_array().unwrap().as_slice() else { panic!("{list}") };
    assert_eq!((&of_person["kind"], &of_person["room"]), (&json!("direct"), &json!(null)));
    assert_eq!(
        (&of_room["kind"], &of_room["person"], &of_room["room"]["handle"], &of_room["unread"]),
        (&json!("room"), &json!(null), &json!("letters"), &json!(3))
    );
    let last = &of_room["last_message"];
    assert_eq!((&last["body"], &last["position"]), (&json!("m2"), &of_room["last_position"]));
    let start = node.get(&ben, "/api/v1/bootstrap").await.ok(200);
    let me = node.get(&ben, "/api/v1/me").await.ok(200);
    assert_eq!((&start["conversations"], &start["me"]["id"]), (&list, &me["id"]));
    assert_eq!(
        (&start["me"]["username"], &start["limits"]["body_max_chars"]),
        (&json!("ben"), &json!(8_000))
    );
    let unread = async |user| {
        let list = node.get(user, "/api/v1/conversations").await.ok(200);
        let found = list["conversations"].as_array().unwrap().iter().find(|found| found["id"] == *room);
        found.unwrap()["unread"].clone()
    };
    assert_eq!(unread(&anna).await, 0, "one's own are read");
    let path = format!("/api/v1/conversations/{room}");
    let mark = json!({"position": last["position"]});
    node.call(Method::PUT, &format!("{path}/read"), Some(&ben), Some(&mark)).await.ok(204);
    assert_eq!(unread(&ben).await, 0);
    assert_eq!(node.get(&ben, &path).await.ok(200)["last_read"], last["position"]);
    node.write(&anna, &room, "more").await.ok(202);
    assert_eq!(unread(&ben).await, 1);
    node.write(&ben, &room, "I answer").await.ok(202);
    assert_eq!(unread(&ben).await, 0, "who writes has read");
    let messages = node.get(&ben, &format!("{path}/messages")).await.ok(200);
    let bodies: Vec<&str> =
        messages["messages"].as_array().unwrap().iter().map(|m| m["body"].as_str().unwrap()).collect();
    assert_eq!(bodies, ["before Ben", "m0", "m1", "m2", "more", "I answer"]);
    node.stop().await;
}
