//! Nobody reads, writes or overhears a conversation that they are not in.

use serde_json::json;
use uuid::Uuid;

use crate::client::{Answer, Socket, send_frame};
use crate::world::Milena;

const SECRET: &str = "dear Milena";

fn is_unknown(answer: &Answer) {
    assert_eq!((answer.status, answer.code()), (404, "unknown_conversation"), "{answer:?}");
    assert!(!answer.body.to_string().contains(SECRET));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_third_person_hears_and_reads_nothing_and_cannot_write() {
    let milena = Milena::start().await;
    let rest = milena.rest();
    let (ann, bob, eve) =
        (rest.register("ann").await, rest.register("bob").await, rest.register("eve").await);
    let (mut anns, _) = Socket::signed_in(milena.address, &ann.token, None).await;
    let (mut eves, _) = Socket::signed_in(milena.address, &eve.token, None).await;
    let mut conversation = None;
    for number in 0..50 {
        let frame = send_frame(bob.person.id, &format!("c-{number}"), SECRET, false);
        anns.send(&frame).await.unwrap();
        let accepted = anns.expect("accepted").await;
        conversation = accepted["conversation"].as_str().map(|id| id.parse::<Uuid>().unwrap());
    }
    let conversation = conversation.expect("there was one");
    let position = rest.of(&bob).conversations().await[0].last_position;
    rest.of(&bob).put(&format!("conversations/{conversation}/read"), &json!({"position": position})).await;
    // Neither the messages, nor the answers, nor who read what.
    eves.is_quiet().await;

    // By REST: the conversation looks exactly like one that does not exist.
    let eve_rest = rest.of(&eve);
    for query in ["", "?before=9007199254740991", "?after=0", &format!("?around={position}")] {
        is_unknown(&eve_rest.get(&format!("conversations/{conversation}/messages{query}")).await);
    }
    is_unknown(&eve_rest.get(&format!("conversations/{conversation}")).await);
    is_unknown(
        &eve_rest.post(&format!("conversations/{conversation}/messages"), &json!({"body": "x"})).await,
    );
    is_unknown(
        &eve_rest.put(&format!("conversations/{conversation}/read"), &json!({"position": position})).await,
    );
    assert!(eve_rest.conversations().await.is_empty());
    let nowhere = Uuid::now_v7();
    let (foreign, missing) = (
        eve_rest.get(&format!("conversations/{conversation}")).await.body,
        eve_rest.get(&format!("conversations/{nowhere}")).await.body,
    );
    assert_eq!(foreign, missing, "the answer tells that the conversation exists");

    // By WebSocket.
    let intrusion =
        json!({"type": "send", "client_id": "e-1", "conversation": conversation, "body": "let me in"});
    eves.send(&intrusion).await.unwrap();
    let rejected = eves.answer("e-1").await;
    assert_eq!((&rejected["type"], &rejected["code"]), (&json!("rejected"), &json!("unknown_conversation")));
    eves.send(&json!({"type": "read", "conversation": conversation, "position": position})).await.unwrap();
    assert_eq!(eves.expect("error").await["code"], "unknown_conversation");

    // With somebody else's cursor, Eve is sent what is hers: nothing.
    let (mut bobs, _) = Socket::signed_in(milena.address, &bob.token, None).await;
    anns.send(&send_frame(bob.person.id, "c-live", SECRET, false)).await.unwrap();
    bobs.expect("message").await;
    let cursor = bobs.cursor().await;
    anns.send(&send_frame(bob.person.id, "c-later", SECRET, false)).await.unwrap();
    bobs.expect("message").await;
    let (mut eves, welcome) = Socket::signed_in(milena.address, &eve.token, Some(&cursor)).await;
    assert_eq!(welcome["resumed"], false, "it is sealed for him");
    eves.is_quiet().await;

    // Another person's session cannot be seen or ended.
    let sessions = rest.of(&bob).get("sessions").await.expect::<serde_json::Value>(200);
    let session = sessions["sessions"][0]["id"].as_str().expect("an id").to_owned();
    let ended = eve_rest.request(reqwest::Method::DELETE, &format!("sessions/{session}"));
    assert_eq!(crate::client::Rest::ask(ended).await.status, 404);
    assert_eq!(rest.of(&bob).get("me").await.status, 200);

    // Nothing of Eve's is in there.
    let history = rest.of(&bob).messages_after(conversation, -1).await;
    assert_eq!(history.len(), 52);
    assert!(history.iter().all(|message| message.sender == ann.person.id && message.client_id.is_none()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_id_names_a_message_of_its_own_sender_only() {
    let milena = Milena::start().await;
    let rest = milena.rest();
    let (ann, bob, eve) =
        (rest.register("ann").await, rest.register("bob").await, rest.register("eve").await);
    let first = rest.of(&ann).send_accepted(bob.person.id, "shared-name", "from Ann").await;
    let second = rest.of(&eve).send_accepted(bob.person.id, "shared-name", "from Eve").await;
    assert_ne!((first.id, first.conversation), (second.id, second.conversation));
    let bodies = |messages: Vec<crate::client::Message>| -> Vec<String> {
        messages.into_iter().map(|message| message.body).collect()
    };
    assert_eq!(bodies(rest.of(&ann).messages_after(first.conversation, -1).await), ["from Ann"]);
    assert_eq!(bodies(rest.of(&eve).messages_after(second.conversation, -1).await), ["from Eve"]);
}
