//! How many are here in large rooms, and who, where it is asked for.

use reqwest::Method;
use serde_json::{Value, json};

use crate::node::Node;
use crate::socket::Socket;

/// The next count of the room, however many of the past come before it.
async fn until(socket: &mut Socket, online: u32, away: u32) -> Value {
    loop {
        let frame = socket.hear_until("here").await.pop().unwrap();
        if (&frame["online"], &frame["away"]) == (&json!(online), &json!(away)) {
            return frame;
        }
    }
}

#[tokio::test]
async fn large_rooms_tell_how_many_are_here() {
    let node = Node::start_with(|settings| settings.chat.presence_members_max = 2).await;
    let [anna, ben, carl, eve] = node.people(["anna", "ben", "carl", "eve"]).await;
    let small = node.room(&anna, "small", json!({"members": [ben.id]})).await;
    let large = node.room(&anna, "large", json!({"members": [ben.id, carl.id]})).await;
    let mut annas = Socket::sign_in(&node, &anna).await;
    annas.say(&json!({"type": "watch", "users": [anna.id], "conversations": [small, large]})).await;
    let expected = json!({"type": "here", "conversation": large, "online": 1, "away": 0});
    assert_eq!(until(&mut annas, 1, 0).await, expected);
    let mut bens = Socket::sign_in(&node, &ben).await;
    until(&mut annas, 2, 0).await;
    bens.say(&json!({"type": "idle"})).await;
    until(&mut annas, 1, 1).await;
    // Nobody is told who writes there; in the small one she is.
    for room in [&large, &small] {
        bens.say(&json!({"type": "typing", "conversation": room})).await;
    }
    let heard = annas.hear_until("typing").await;
    assert_eq!(heard.last().unwrap()["conversation"], json!(small));

    // Who asks for members may ask whether they are here, as far as it is theirs to know.
    let members = async |presence: &str, status: u16| {
        let path = format!("/api/v1/rooms/{large}/members?presence={presence}");
        let answer = node.get(&anna, &path).await;
        assert_eq!(answer.status, status);
        answer.json()["members"].clone()
    };
    let found = members("true", 200).await;
    let of = |found: &Value, id: &str| {
        let found = found.as_array().unwrap().iter().find(|member| member["user"]["id"] == id);
        found.unwrap()["presence"].clone()
    };
    assert_eq!(of(&found, &anna.id), json!({"state": "online"}));
    assert_eq!(of(&found, &ben.id), json!({"state": "away"}));
    assert_eq!(of(&found, &carl.id), json!({"state": "offline"}));
    assert_eq!(of(&members("false", 200).await, &ben.id), Value::Null);
    assert_eq!(members("maybe", 400).await, Value::Null);
    let body = json!({"audience": "nobody"});
    node.call(Method::PATCH, "/api/v1/me/presence", Some(&ben), Some(&body)).await.ok(200);
    assert_eq!(of(&members("true", 200).await, &ben.id), json!({"state": "offline"}));

    // It is nobody's business who is not in the room.
    let mut eves = Socket::sign_in(&node, &eve).await;
    eves.say(&json!({"type": "watch", "users": [eve.id], "conversations": [large]})).await;
    eves.say(&json!({"type": "ping"})).await;
    let heard = eves.hear_until("pong").await;
    assert!(heard.iter().all(|frame| frame["type"] != "here"), "{heard:?}");
    // And she is not counted.
    bens.say(&json!({"type": "idle", "on": false})).await;
    annas.say(&json!({"type": "watch", "users": [anna.id], "conversations": [large]})).await;
    let heard = annas.hear_until("here").await;
    assert!(heard.last().unwrap()["online"].as_u64().unwrap() <= 2, "{heard:?}");
    node.stop().await;
}

#[tokio::test]
async fn who_lets_nobody_see_them_is_not_counted() {
    let node = Node::start_with(|settings| settings.chat.presence_members_max = 2).await;
    let [anna, ben, carl] = node.people(["anna", "ben", "carl"]).await;
    let large = node.room(&anna, "large", json!({"members": [ben.id, carl.id]})).await;
    // Of who is in it, and lets nobody see them, the store knows.
    node.store_all().await;
    for (user, body) in [(&ben, json!({"audience": "nobody"})), (&carl, json!({"hidden": true}))] {
        node.call(Method::PATCH, "/api/v1/me/presence", Some(user), Some(&body)).await.ok(200);
    }
    let mut bens = Socket::sign_in(&node, &ben).await;
    let mut carls = Socket::sign_in(&node, &carl).await;
    // Both are known to be connected, and seen by themselves, if at all.
    for (socket, user, state) in [(&mut bens, &ben, "online"), (&mut carls, &carl, "offline")] {
        socket.say(&json!({"type": "watch", "users": [user.id]})).await;
        let mut seen = socket.expect("presence").await;
        while seen["users"][0]["state"] != state {
            seen = socket.expect("presence").await;
        }
    }
    let mut annas = Socket::sign_in(&node, &anna).await;
    annas.say(&json!({"type": "watch", "users": [anna.id], "conversations": [large]})).await;
    let heard = annas.hear_until("here").await;
    let count = heard.last().unwrap();
    assert!(count["online"].as_u64().unwrap() <= 1 && count["away"] == 0, "{heard:?}");
    until(&mut annas, 1, 0).await;
    node.stop().await;
}
