//! Bad records among good ones: the good ones are stored, exactly the bad ones are given away, as they were,
//! each with its reason and its origin.

use std::collections::BTreeMap;

use milena_domain::{Body, MessageEvent, Timestamp};
use milena_kafka::header;
use milena_storage::Page;
use rdkafka::Message;

use crate::in_both_worlds;
use crate::log::{Log, message, messages, user};
use crate::running::Running;
use crate::truth::{self, Place};
use crate::world::World;

in_both_worlds!(bad_records_stop_no_good_ones);

/// Good messages, of which `STEP` come between two bad ones.
const GOOD: u64 = 10_000;
const STEP: u64 = 500;

/// A record and the reason for which it is to be given away.
struct Poison {
    reason: &'static str,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
}

/// Everything that is wrong in itself, wherever it stands.
fn poisons(good: &MessageEvent) -> Vec<Poison> {
    let (key, text) = (good.key().into_bytes(), String::from_utf8(good.encode()).unwrap());
    let with = |from: &str, to: &str| {
        let changed = text.replace(from, to);
        assert_ne!(changed, text, "{from}");
        changed.into_bytes()
    };
    let sender = |id: &str| with(&format!("\"sender\":\"{}\"", good.sender), &format!("\"sender\":\"{id}\""));
    let of_value = |reason, value: Vec<u8>| Poison { reason, key: Some(key.clone()), value: Some(value) };
    let of_key = |key: Option<&[u8]>| Poison {
        reason: "wrong_key",
        key: key.map(<[u8]>::to_vec),
        value: Some(text.clone().into()),
    };
    vec![
        of_value("malformed", with("message 1", "message \\u00001")),
        of_value("malformed", with("message 1", "message \u{0}1")),
        of_value("malformed", [&text.as_bytes()[..text.len() - 6], b"\xff\xfe\"}"].concat()),
        of_value("malformed", b"{not json".to_vec()),
        of_value("malformed", Vec::new()),
        of_value("malformed", b"null".to_vec()),
        of_value("malformed", with("\"body\":", "\"text\":")),
        of_value("malformed", with("message 1000000", &"x".repeat(1_040_000))),
        of_value("malformed", with("\"v\":1", "\"v\":2")),
        of_value("foreign_id", sender(&user(9).to_string())),
        of_value("foreign_id", with("\"client_id\":\"c-1000000\"", "\"client_id\":\"c-1\"")),
        Poison { reason: "no_value", key: Some(key.clone()), value: None },
        of_key(None),
        of_key(Some(b"another key")),
        of_key(Some(b"")),
        of_key(Some(message(1_000_001).key().as_bytes())),
    ]
}

async fn bad_records_stop_no_good_ones(world: World) {
    let log = Log::of(&world);
    let good = message(1_000_000);
    let consumer = Running::start(&world).await;
    let mut bad = BTreeMap::new();
    let mut sent = 0;
    for poison in poisons(&good) {
        log.send(messages(sent..sent + STEP)).await;
        sent += STEP;
        let place = log.send_raw(poison.key.as_deref(), poison.value.as_deref()).await;
        bad.insert(place, poison.reason.to_owned());
    }
    bad.insert(log.send_astray(&good).await, "wrong_partition".to_owned());
    // The same name for another text: a repeat of a good one, and so no letter; the first text stays.
    let repeat = MessageEvent { body: Body::new("another text").unwrap(), ..message(3) };
    log.send([repeat]).await;
    // What claims to be of tomorrow is a good record of today.
    let tomorrow = Timestamp::now().plus_ms(24 * 3_600 * 1_000);
    log.send([MessageEvent { sent_at: tomorrow, ..message(1_000_002) }]).await;
    log.send(messages(sent..GOOD - 1)).await;
    truth::stored(&world).await;
    let summary = consumer.stop().await;
    assert_eq!((summary.inserted, summary.repeats, summary.dead_letters), (GOOD, 1, bad.len() as u64));
    assert_eq!(truth::equal(&world).await as u64, GOOD);
    let page = world.store().await.history(message(1_000_002).conversation, Page::Latest, 100).await;
    let newest_ms = page.unwrap().messages.iter().map(|message| message.sent_at.unix_ms()).max();
    assert!(newest_ms.unwrap() <= Timestamp::now().unix_ms(), "nobody believes in messages of tomorrow");
    assert_eq!(reasons(&world).await, bad, "origin and reason");
    let verified = crate::program::says(&world, &["verify"]).await;
    assert!(verified.contains("0 repeats, 1 altered repeats"), "{verified}");
    assert!(
        verified.contains(&format!("message {} is repeated with another text", message(3).id)),
        "{verified}"
    );
    assert!(verified.contains("the store equals the log"), "{verified}");
}

/// What the dead letters say of themselves.
async fn reasons(world: &World) -> BTreeMap<Place, String> {
    let letters = truth::read_all(&world.settings, &world.settings.kafka.dead_topic).await;
    let text = |letter: &rdkafka::message::OwnedMessage, name| {
        String::from_utf8(header(letter.headers().unwrap(), name).unwrap().to_vec()).unwrap()
    };
    letters
        .iter()
        .map(|letter| {
            let place = (
                text(letter, "dead.partition").parse().unwrap(),
                text(letter, "dead.offset").parse().unwrap(),
            );
            (place, text(letter, "dead.reason"))
        })
        .collect()
}
