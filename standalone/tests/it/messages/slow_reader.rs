//! Who does not read is cut off, holds nobody up, and gets everything when it comes back.

use std::time::{Duration, Instant};

use crate::client::{Incoming, Message, Socket, send_frame};
use crate::world::{Milena, tell, turn};

const MESSAGES: usize = 800;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_stops_reading_is_cut_off_and_misses_nothing() {
    let _turn = turn().await;
    let folder = tempfile::tempdir().unwrap();
    let milena = Milena::start_on(folder, |launch| {
        launch
            .variable("MILENA__SOCKET__OUTBOX_BYTES", "262144")
            .variable("MILENA__LIMITS__SEND_BURST", "100000")
            .variable("MILENA__LIMITS__SEND_BYTES_BURST", "100000000")
            .variable("MILENA__LIMITS__FRAME_BURST", "100000")
    })
    .await;
    let (ann, bob) = (milena.rest().register("ann").await, milena.rest().register("bob").await);
    let (mut anns, _) = Socket::signed_in(milena.address, &ann.token, None).await;
    let (mut good, _) = Socket::signed_in(milena.address, &bob.token, None).await;
    let (mut lazy, welcome) = Socket::signed_in(milena.address, &bob.token, None).await;
    let cursor = welcome["cursor"].as_str().expect("a text").to_owned();

    // 32 kB each, 25 MB in all: more than the queue and what the system buffers on both sides.
    let body = "🐞".repeat(8_000);
    let began = Instant::now();
    let mut slowest = Duration::ZERO;
    for number in 0..MESSAGES {
        let sent = Instant::now();
        let client_id = format!("c-{number}");
        anns.send(&send_frame(bob.person.id, &client_id, &body, false)).await.unwrap();
        assert_eq!(anns.answer(&client_id).await["type"], "accepted");
        good.expect("message").await;
        slowest = slowest.max(sent.elapsed());
    }
    tell(&format!(
        "{MESSAGES} messages past a device that does not read: {:?}, slowest {slowest:?}",
        began.elapsed()
    ));
    assert!(slowest < Duration::from_secs(3), "the others waited for it: {slowest:?}");

    // It was cut off: it finds what the system had buffered, and the end.
    let mut found = 0;
    let code = loop {
        match lazy.receive().await {
            Incoming::Frame(_) => found += 1,
            Incoming::Closed(code) => break code,
        }
    };
    assert!(found < MESSAGES, "it was never cut off");
    assert!(matches!(code, Some(4008) | None), "closed with {code:?}");

    // Nothing is missing when it comes back: a gap that REST fills, and the newest page.
    let (mut lazy, welcome) = Socket::signed_in(milena.address, &bob.token, Some(&cursor)).await;
    assert_eq!(welcome["resumed"], true);
    let gap = lazy.expect("gap").await;
    let edge = |name: &str| gap[name].as_i64().expect("a position");
    let conversation = gap["conversation"].as_str().expect("an id").parse().unwrap();
    let bobs = milena.rest().of(&bob);
    let mut messages =
        bobs.try_messages_after(conversation, edge("after"), edge("before")).await.expect("complete");
    while messages.len() < MESSAGES {
        let frame = lazy.expect("message").await;
        messages.push(serde_json::from_value::<Message>(frame).expect("a message"));
    }
    assert!(messages.windows(2).all(|pair| pair[0].position < pair[1].position));
    assert!(messages.iter().all(|message| message.body == body));
    assert_eq!(messages.len(), MESSAGES);
    lazy.is_quiet().await;
}
