//! Records that nobody meant: whatever bytes lie in the log, a record is taken as it was written, or refused
//! with a reason. Each number is an input of its own, so that a failure can be repeated.
//!
//! `MILENA_FUZZ_CASES` sets how many are tried (20,000 unless it is set).

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use uuid::Uuid;

use crate::{Body, ClientId, DecodeError, Event, MessageEvent, Timestamp, UserId, limits};

fn cases() -> u64 {
    std::env::var("MILENA_FUZZ_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(20_000)
}

fn text(random: &mut SmallRng, most: usize, printable: bool) -> String {
    let length = random.random_range(1..=most);
    let any = |random: &mut SmallRng| match random.random_range(0..4) {
        0 => random.random_range('\u{1}'..='\u{10ffff}'),
        _ => random.random_range(' '..='~'),
    };
    (0..length).map(|_| if printable { random.random_range(' '..='~') } else { any(random) }).collect()
}

fn event(random: &mut SmallRng) -> MessageEvent {
    // Few people, so that ids which do not belong together are often good ones of somebody else.
    let mut user = || UserId::from_uuid(Uuid::from_u128(random.random_range(0..4)));
    let (sender, to) = (user(), user());
    let client_id = ClientId::new(&text(random, limits::CLIENT_ID_MAX_CHARS, true)).expect("printable ASCII");
    let body = Body::new(text(random, 60, false)).expect("within the limits");
    let sent_at = Timestamp::from_unix_ms(random.random_range(-1_000..4_000_000_000_000));
    MessageEvent::new(sender, to, client_id, sent_at, body)
}

/// A good record of which bytes were changed, put in, taken out, or a field given to another record.
fn damaged(random: &mut SmallRng) -> (Vec<u8>, Vec<u8>) {
    let (event, other) = (event(random), event(random));
    let (mut key, mut value) = (event.key().into_bytes(), event.encode());
    for _ in 0..random.random_range(0..4) {
        let place = random.random_range(0..=value.len());
        match random.random_range(0..6) {
            0 if place < value.len() => value[place] = random.random(),
            1 => value.insert(place, random.random()),
            2 if random.random_range(0..4) == 0 => value.truncate(place),
            3 if place < value.len() => drop(value.remove(place)),
            4 => key = other.key().into_bytes(),
            5 => {
                let text = String::from_utf8_lossy(&value).into_owned();
                value = text.replace(&event.id.to_string(), &other.id.to_string()).into_bytes();
            }
            _ => {}
        }
    }
    (key, value)
}

/// Whether it is taken.
fn check(key: &[u8], value: &[u8]) -> bool {
    assert_eq!(Event::decode(Some(key), None), Err(DecodeError::NoValue));
    match Event::decode(Some(key), Some(value)) {
        Ok(Event::Message(event)) => {
            let chars = event.body.as_str().chars().count();
            assert!((limits::BODY_MIN_CHARS..=limits::BODY_MAX_CHARS).contains(&chars));
            assert!((1..=limits::CLIENT_ID_MAX_CHARS).contains(&event.client_id.as_str().len()));
            assert_eq!(event.key().as_bytes(), key);
            assert_eq!(Event::decode(Some(key), Some(&event.encode())), Ok(Event::Message(event)));
            true
        }
        Err(error) => {
            assert!(!error.code().is_empty() && !error.to_string().is_empty());
            false
        }
    }
}

#[test]
fn damaged_records_are_taken_as_written_or_refused() {
    let taken = (0..cases())
        .filter(|seed| {
            let random = &mut SmallRng::seed_from_u64(*seed);
            let (key, value) = damaged(random);
            check(&key, &value)
        })
        .count();
    println!("{taken} of {} damaged records were still good", cases());
    assert!(taken > 0);
}

#[test]
fn any_bytes_are_taken_as_written_or_refused() {
    for seed in 0..cases() {
        let random = &mut SmallRng::seed_from_u64(seed);
        let mut bytes = vec![0; random.random_range(0..300)];
        random.fill(&mut bytes[..]);
        let key = bytes.split_off(bytes.len().saturating_sub(40));
        check(&key, &bytes);
    }
}
