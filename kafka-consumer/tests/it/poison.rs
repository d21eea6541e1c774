//! Bad records among good ones: the good ones are stored, exactly the bad ones are given away, as they were.

use crate::in_both_worlds;
use crate::log::{Log, message, messages, user};
use crate::steady::Running;
use crate::truth;
use crate::world::World;

in_both_worlds!(bad_records_stop_no_good_ones);

async fn bad_records_stop_no_good_ones(world: World) {
    let log = Log::of(&world);
    let good = message(1_000_000);
    let (key, text) = (good.key(), String::from_utf8(good.encode()).unwrap());
    let key = key.as_bytes();
    let stranger =
        text.replace(&format!("\"sender\":\"{}\"", good.sender), &format!("\"sender\":\"{}\"", user(9)));
    let large = text.replace("message 1000000", &"x".repeat(990_000));
    let values: Vec<Vec<u8>> = vec![
        text.replace("message", "mess\\u0000age").into_bytes(),
        text.replace("message 1", "message \u{0}1").into_bytes(),
        [&text.as_bytes()[..text.len() - 6], b"\xff\xfe\"}"].concat(),
        b"{not json".to_vec(),
        b"".to_vec(),
        b"null".to_vec(),
        text.replace("\"v\":1", "\"v\":2").into_bytes(),
        text.replace("\"type\":\"message\"", "\"type\":\"reaction\"").into_bytes(),
        text.replace("\"body\":", "\"text\":").into_bytes(),
        stranger.into_bytes(),
        large.into_bytes(),
    ];
    let consumer = Running::start(&world).await;
    let mut bad = 0;
    for (step, value) in (0_u64..).zip(&values) {
        log.send(messages(step * 100..(step + 1) * 100)).await;
        log.send_raw(Some(key), Some(value)).await;
        bad += 1;
    }
    log.send_raw(Some(key), None).await;
    log.send_raw(None, Some(text.as_bytes())).await;
    log.send_raw(Some(b"another key"), Some(text.as_bytes())).await;
    log.send_raw(Some(b""), Some(text.as_bytes())).await;
    bad += 4;
    log.send(messages(1_100..1_200)).await;
    truth::stored(&world).await;
    let summary = consumer.stop().await;
    assert_eq!((summary.inserted, summary.dead_letters), (1_200, bad));
    assert_eq!(truth::equal(&world).await, 1_200);
}
