use proptest::prelude::*;

use super::*;
use crate::record::Place;
use crate::{Epoch, MessageEvent};

fn user(n: u128) -> UserId {
    UserId::from_uuid(uuid::Uuid::from_u128(n))
}

fn target() -> Target {
    let id = MessageId::from_uuid(uuid::Uuid::from_u128(77));
    Target { position: Position::new(Epoch::FIRST, 5), id }
}

fn room() -> Created {
    Created {
        handle: Handle::new("letters").unwrap(),
        title: Title::new("Letters to Milena").unwrap(),
        topic: Some(Topic::new("1920").unwrap()),
        visibility: Visibility::Public,
        history: History::SinceJoin,
        posting: Posting::Members,
        members: vec![Seat { user: user(2), role: Role::Moderator, from: None }],
    }
}

/// One of each type; a new variant without a row fails `every_type_has_a_row`.
fn actions() -> Vec<Action> {
    let body = || Body::new("Dear \"Milena\"").unwrap();
    let (user_2, mentions) = (user(2), vec![user(2), user(3)]);
    vec![
        Action::Message(Message::plain(body())),
        Action::Message(Message {
            reply_to: Some(target()),
            mentions: mentions.clone(),
            everyone: true,
            ..Message::plain(body())
        }),
        Action::Edited { target: target(), body: body(), mentions },
        Action::Deleted { target: target(), reason: Some(Reason::new("spam").unwrap()) },
        Action::Reacted { target: target(), emoji: Emoji::new("❤️").unwrap(), on: false },
        Action::Pinned { target: target(), on: true },
        Action::RoomCreated(room()),
        Action::RoomChanged(RoomPatch { archived: Some(true), ..RoomPatch::default() }),
        Action::Joined,
        Action::Left,
        Action::MembersAdded { users: vec![user(4), user(5)] },
        Action::Removed { user: user_2 },
        Action::Banned { user: user_2 },
        Action::Unbanned { user: user_2 },
        Action::RoleChanged { user: user_2, role: Role::Owner },
        Action::Blocked { on: true },
        Action::RoomState(Box::new(Snapshot {
            room: room(),
            archived: false,
            created: Position::new(Epoch::FIRST, 1),
            last_seq: 9,
            banned: vec![user(6)],
            more: true,
        })),
    ]
}

fn event(action: Action) -> Event {
    let client_id = ClientId::new("c-1").unwrap();
    let place = match action {
        Action::Blocked { .. } => Place::Direct(user(2)),
        _ => Place::Room(ConversationId::room(user(1), &client_id)),
    };
    let at = Timestamp::from_unix_ms(1_700_000_000_123);
    Event::new(user(1), place, client_id, at, Position::new(Epoch::FIRST, 40), action)
}

fn decode(event: &Event, value: &[u8]) -> Result<Event, DecodeError> {
    Event::decode(Some(event.key().as_bytes()), Some(value))
}

fn text(event: &Event) -> String {
    String::from_utf8(event.encode()).unwrap()
}

#[test]
fn every_type_comes_back_as_it_was_written() {
    for action in actions() {
        let event = event(action);
        assert_eq!(decode(&event, &event.encode()), Ok(event.clone()), "{}", event.action.name());
    }
}

#[test]
fn every_type_has_a_row() {
    let mut names: Vec<&str> = actions().iter().map(Action::name).collect();
    names.dedup();
    for name in &names {
        assert_eq!(known(2, name), Ok(()), "{name}");
    }
    assert_eq!(names.len(), 16);
}

#[test]
fn the_written_form_is_fixed() {
    let event = event(Action::Reacted { target: target(), emoji: Emoji::new("👍").unwrap(), on: true });
    let (id, conversation, actor) = (event.id, event.conversation, event.actor);
    assert_eq!(
        text(&event),
        format!(
            concat!(
                r#"{{"v":2,"type":"reacted","id":"{}","conversation":"{}","actor":"{}","client_id":"c-1","#,
                r#""at":"2023-11-14T22:13:20.123Z","seen":1099511627816,"#,
                r#""target":{{"position":1099511627781,"id":"00000000-0000-0000-0000-00000000004d"}},"#,
                r#""emoji":"👍","on":true}}"#
            ),
            id, conversation, actor
        )
    );
}

#[test]
fn derived_ids_never_change() {
    // Written down once: stored data depends on these.
    let event = event(Action::Joined);
    assert_eq!(event.conversation.to_string(), "2d1f6609-542a-884f-8323-1d6247595ba2");
    assert_eq!(event.id.to_string(), "a2a94275-b0e3-8172-a102-9eda65a2cd16");
}

#[test]
fn version_1_is_read_for_ever() {
    let old = MessageEvent::new(
        user(1),
        user(2),
        ClientId::new("c-1").unwrap(),
        Timestamp::from_unix_ms(5),
        Body::new("hello").unwrap(),
    );
    let read = Event::decode(Some(old.key().as_bytes()), Some(&old.encode())).unwrap();
    assert_eq!((read.id, read.conversation, read.actor), (old.id, old.conversation, old.sender));
    assert_eq!((read.to, read.at, read.seen), (Some(old.to), old.sent_at, None));
    assert_eq!(read.action, Action::Message(Message::plain(old.body.clone())));
    let value = String::from_utf8(old.encode()).unwrap();
    let code = |value: &str| {
        Event::decode(Some(old.key().as_bytes()), Some(value.as_bytes())).map_err(|error| error.code())
    };
    assert_eq!(code(&value.replace("\"type\":\"message\"", "\"type\":\"joined\"")), Err("unknown_type"));
    assert_eq!(code(&value.replace("\"client_id\":\"c-1\"", "\"client_id\":\"c-2\"")), Err("foreign_id"));
    // What version 1 did not know it ignored, whatever form it had.
    let strange = value.replacen('{', r#"{"title":7,"on":"yes","members":{},"seen":"long ago","#, 1);
    assert_eq!(code(&strange), Ok(read));
    assert_eq!(code(&strange.replace("hello", "")), Err("malformed"));
}

#[test]
fn a_record_stands_where_its_conversation_lives_or_lived() {
    let good = event(Action::Joined);
    let (key, value) = (good.key(), good.encode());
    let home = |partitions| partition_of(good.conversation, partitions);
    let grown = Partitioning::new(24, [12]);
    for partition in 0..24 {
        let read = |read: Result<Event, DecodeError>, homes: &[i32]| {
            let astray = DecodeError::WrongPartition { found: partition, expected: home(24) };
            let expected = if homes.contains(&partition) { Ok(good.clone()) } else { Err(astray) };
            assert_eq!(read, expected, "{partition}");
        };
        read(Event::read(partition, 24, Some(key.as_bytes()), Some(&value)), &[home(24)]);
        let again = Event::read_again(partition, &grown, Some(key.as_bytes()), Some(&value));
        read(again, &[home(24), home(12)]);
    }
}

#[test]
fn what_a_newer_program_wrote_is_never_called_malformed() {
    let event = event(Action::Message(Message::plain(Body::new("hello").unwrap())));
    let code = |value: &str| decode(&event, value.as_bytes()).map_err(|error| error.code());
    assert_eq!(code(&text(&event).replace("\"v\":2", "\"v\":3")), Err("unknown_version"));
    let other_form = r#"{"v":3,"type":"message","body":{"rich":true}}"#;
    assert_eq!(code(other_form), Err("unknown_version"));
    let other_type = r#"{"v":2,"type":"poll_opened","body":{"rich":true}}"#;
    assert_eq!(code(other_type), Err("unknown_type"));
    assert_eq!(code(&text(&event).replacen('{', r#"{"added_later":[1],"#, 1)), Ok(event.clone()));
}

/// Nobody reads `files` and `enc` yet: a record that has them is the same without, and none is written with
/// them.
#[test]
fn what_is_reserved_changes_nothing_whatever_its_form() {
    let v1 = MessageEvent::new(
        user(1),
        user(2),
        ClientId::new("c-1").unwrap(),
        Timestamp::from_unix_ms(5),
        Body::new("hello").unwrap(),
    );
    let written = String::from_utf8(v1.encode()).unwrap();
    let v1 = (Event::decode(Some(v1.key().as_bytes()), Some(written.as_bytes())).unwrap(), written);
    let all = actions().into_iter().map(event).map(|event| (event.clone(), text(&event)));
    for (event, plain) in all.chain([v1]) {
        assert!(!plain.contains("\"files\"") && !plain.contains("\"enc\""), "{plain}");
        for reserved in [
            r#"{"files":[{"id":"a","name":"letter.pdf","bytes":3}],"enc":{"alg":"x","data":"AAAA"},"#,
            r#"{"files":7,"enc":"whatever","#,
            r#"{"files":null,"enc":[[]],"#,
        ] {
            let read = decode(&event, plain.replacen('{', reserved, 1).as_bytes());
            assert_eq!(read.as_ref(), Ok(&event), "{reserved}");
        }
    }
}

#[test]
fn bad_records_are_told_apart() {
    let good = event(Action::RoleChanged { user: user(2), role: Role::Owner });
    let refused = |value: &str| decode(&good, value.as_bytes()).unwrap_err();
    let code = |from: &str, to: &str| refused(&text(&good).replace(from, to)).code();
    assert_eq!(Event::decode(Some(b"k"), None).unwrap_err().code(), "no_value");
    assert_eq!(Event::decode(None, Some(&good.encode())).unwrap_err().code(), "wrong_key");
    assert_eq!(code("\"client_id\":\"c-1\"", "\"client_id\":\"c-2\""), "foreign_id");
    assert_eq!(code("\"role\":\"owner\"", "\"role\":\"king\""), "malformed");
    let without = refused(&text(&good).replace("\"role\":\"owner\"", "\"rank\":\"owner\""));
    assert_eq!(without.to_string(), "the record is malformed: missing field `role`");

    let elsewhere = Event { to: Some(user(3)), ..event(Action::Joined) };
    assert_eq!(decode(&elsewhere, &elsewhere.encode()).unwrap_err().code(), "foreign_id");
    let mut crowd = event(Action::MembersAdded { users: (0..501).map(user).collect() });
    assert_eq!(
        decode(&crowd, &crowd.encode()).unwrap_err().to_string(),
        "the record is malformed: users must be at most 500 (got 501)"
    );
    crowd.action = Action::MembersAdded { users: Vec::new() };
    assert_eq!(decode(&crowd, &crowd.encode()).unwrap_err().code(), "malformed");
}

#[test]
fn rooms_and_direct_conversations_keep_their_events() {
    let direct = |action| {
        let client_id = ClientId::new("c").unwrap();
        let at = Timestamp::from_unix_ms(0);
        Event::new(user(1), Place::Direct(user(2)), client_id, at, Position::ZERO, action)
    };
    for action in actions() {
        let event = direct(action);
        let read = decode(&event, &event.encode());
        let name = event.action.name();
        let fits = ["message", "edited", "deleted", "reacted", "pinned", "blocked", "room_created"];
        assert_eq!(read.is_ok(), fits.contains(&name), "{name}");
        assert_eq!(event.to.is_none(), name == "room_created", "{name}");
    }
    let stray = Event { to: None, ..direct(Action::Blocked { on: true }) };
    assert_eq!(decode(&stray, &stray.encode()).unwrap_err().code(), "malformed");
}

#[test]
fn the_largest_checkpoint_fits_into_a_record() {
    let seat = |n| Seat { user: user(n), role: Role::Moderator, from: Some(Position::MAX) };
    let members: Vec<Seat> = (0..SNAPSHOT_MEMBERS_MAX as u128).map(seat).collect();
    let banned: Vec<UserId> = (0..SNAPSHOT_MEMBERS_MAX as u128).map(user).collect();
    let (archived, created, last_seq) = (true, Position::MAX, u64::MAX >> 11);
    let room = Created { members, ..room() };
    let snapshot = Snapshot { room, archived, created, last_seq, banned, more: true };
    let event = event(Action::RoomState(Box::new(snapshot)));
    assert!(event.encode().len() < 1_000_000, "{}", event.encode().len());
    assert_eq!(decode(&event, &event.encode()), Ok(event.clone()));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(value in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Event::decode(Some(b"k"), Some(&value));
    }

    /// One byte of a good record damaged: read as something, or refused, and never as another's event.
    #[test]
    fn a_damaged_record_is_nobody_elses(
        which in 0_usize..17, at in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let event = event(actions().swap_remove(which));
        let mut value = event.encode();
        let at = at.index(value.len());
        value[at] = byte;
        if let Ok(read) = decode(&event, &value) {
            prop_assert_eq!((read.conversation, read.actor), (event.conversation, event.actor));
            prop_assert_eq!(read.id, event.id);
        }
    }
}

#[test]
fn a_time_far_after_the_record_was_written_is_not_believed() {
    let written = Timestamp::from_unix_ms(1_000_000_000_000);
    let of = |ahead_ms: i64| Event { at: written.plus_ms(ahead_ms), ..event(Action::Joined) };
    const HOUR_MS: i64 = 3_600_000;
    for ahead_ms in [-10 * HOUR_MS, 0, HOUR_MS] {
        assert_eq!(of(ahead_ms).believed(Some(written)), of(ahead_ms));
    }
    assert_eq!(of(HOUR_MS + 1).believed(Some(written)), of(0));
    assert_eq!(of(HOUR_MS + 1).believed(None), of(HOUR_MS + 1), "a record without a time proves nothing");
}

/// Limits by bytes count what an event takes before it is written: by its payload, and a sum for the rest.
#[test]
fn what_an_event_takes_of_the_log_is_known_before_it_is_written() {
    const REST: usize = 500;
    let many: Vec<UserId> = (0..500).map(user).collect();
    let members: Vec<Seat> =
        many.iter().map(|&user| Seat { user, role: Role::Moderator, from: None }).collect();
    let wide = Topic::new(&"\u{1f600}".repeat(250)).unwrap();
    let large = [
        Action::MembersAdded { users: many.clone() },
        Action::RoomCreated(Created { members, topic: Some(wide.clone()), ..room() }),
        Action::RoomChanged(RoomPatch { topic: Some(wide), ..RoomPatch::default() }),
        Action::Edited {
            target: target(),
            body: Body::new("x".repeat(8_000)).unwrap(),
            mentions: many[..50].to_vec(),
        },
        Action::Deleted { target: target(), reason: Some(Reason::new(&"é".repeat(250)).unwrap()) },
    ];
    for action in actions().into_iter().chain(large) {
        let (name, payload) = (action.name(), action.payload_bytes());
        let record = event(action).encode().len();
        assert!((payload..=payload + REST).contains(&record), "{name}: {payload} of {record}");
    }
}
