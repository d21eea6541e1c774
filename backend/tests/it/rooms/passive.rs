//! Large rooms that a client does not show: announced instead of told.

use serde_json::{Value, json};

use crate::node::{Node, User};
use crate::socket::Socket;

async fn passive(node: &Node, user: &User, resume: Option<&str>) -> (Socket, Value) {
    let mut socket = Socket::connect(node).await;
    let hello = json!({"type": "hello", "token": user.token, "resume": resume, "passive": true});
    let welcome = socket.hello(&hello).await;
    (socket, welcome)
}

#[tokio::test]
async fn what_is_not_shown_is_announced_and_what_names_one_is_told() {
    let node = Node::start_with(|settings| settings.chat.presence_members_max = 2).await;
    let [anna, ben, carl] = node.people(["anna", "ben", "carl"]).await;
    let large = node.room(&anna, "large", json!({"members": [ben.id, carl.id]})).await;
    let small = node.room(&anna, "small", json!({"members": [ben.id]})).await;
    let (mut bens, welcome) = passive(&node, &ben, None).await;
    let mut carls = Socket::sign_in(&node, &carl).await;
    let mut annas = Socket::sign_in(&node, &anna).await;

    let one = node.write(&anna, &large, "one").await.ok(202);
    let activity = bens.expect("activity").await;
    let expected = json!({
        "type": "activity", "conversation": large, "after": one["position"].as_u64().unwrap() - 1,
        "position": one["position"], "messages": 1, "at": one["sent_at"],
    });
    assert_eq!(activity, expected);
    // Who did not ask for it is told everything, and small rooms are told to everybody.
    assert_eq!(carls.expect("message").await["body"], "one");
    node.write(&anna, &small, "here").await.ok(202);
    assert_eq!(bens.expect("message").await["body"], "here");

    // What names him comes at once, behind what was not sent before it.
    node.write(&anna, &large, "two").await.ok(202);
    let three = node.write(&anna, &large, "three").await.ok(202);
    let named = json!({
        "type": "send", "client_id": "c-1", "conversation": large, "body": "you", "mentions": [ben.id],
    });
    annas.say(&named).await;
    let mut heard = bens.hear_until("message").await;
    assert_eq!(heard.pop().unwrap()["body"], "you");
    heard.retain(|frame| frame["type"] == "activity");
    let messages: u64 = heard.iter().map(|frame| frame["messages"].as_u64().unwrap()).sum();
    assert_eq!((messages, &heard.last().unwrap()["position"]), (2, &three["position"]));

    // What he shows is told; what was not sent until then is announced first.
    let four = node.write(&anna, &large, "four").await.ok(202);
    bens.say(&json!({"type": "watch", "conversations": [large]})).await;
    let heard = bens.hear_until("activity").await;
    assert_eq!(heard.last().unwrap()["position"], four["position"]);
    node.write(&anna, &large, "five").await.ok(202);
    let mut heard = bens.hear_until("message").await;
    assert_eq!(heard.pop().unwrap()["body"], "five");
    assert!(heard.iter().all(|frame| frame["type"] != "message"), "{heard:?}");

    // Whoever comes back later is told what was missed in the same way.
    drop(bens);
    let cursor = welcome["cursor"].as_str().unwrap();
    let (mut bens, again) = passive(&node, &ben, Some(cursor)).await;
    assert_eq!(again["resumed"], true);
    let (mut announced, mut told) = (0, Vec::new());
    while announced + told.len() < 7 {
        let frame = bens.hear().await;
        match frame["type"].as_str().unwrap() {
            "activity" => announced += frame["messages"].as_u64().unwrap() as usize,
            "message" => told.push(frame["body"].as_str().unwrap().to_owned()),
            _ => {}
        }
    }
    told.sort();
    assert_eq!((announced, told), (5, vec!["here".to_owned(), "you".to_owned()]));
    node.stop().await;
}
