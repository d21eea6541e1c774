//! Frames that nobody meant: whatever bytes come, a frame is taken as it was written, or refused. Each number
//! is an input of its own, so that a failure can be repeated.
//!
//! `MILENA_FUZZ_CASES` sets how many are tried (20,000 unless it is set).

use milena_domain::limits;
use milena_domain::record::Action;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use uuid::Uuid;

use super::rooms::KINDS;
use super::{ClientFrame, InRoom, Token};
use crate::chat::{Target, What};

fn cases() -> u64 {
    std::env::var("MILENA_FUZZ_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(20_000)
}

/// As a client would write it.
fn written(frame: &ClientFrame) -> Value {
    match frame {
        ClientFrame::Hello { token, resume, passive } => json!({
            "type": "hello",
            "token": token.as_ref().map(Token::expose),
            "resume": resume,
            "passive": passive,
        }),
        ClientFrame::Send { client_id, target, body, besides } => {
            let mut frame = json!({"type": "send", "client_id": client_id.as_str(), "body": body.as_str()});
            match target {
                Target::User(user) => frame["to"] = json!(user),
                Target::Conversation(conversation) => frame["conversation"] = json!(conversation),
            }
            if let Some(besides) = besides {
                frame["reply_to"] = json!(besides.reply_to);
                frame["mentions"] = json!(besides.mentions);
                frame["everyone"] = json!(besides.everyone);
            }
            frame
        }
        ClientFrame::Change { client_id, target, message, what } => {
            let mut frame = match what {
                What::Edit { body, mentions } => json!({"type": "edit", "body": body, "mentions": mentions}),
                What::Delete { reason } => json!({"type": "delete", "reason": reason}),
                What::React { emoji, on } => json!({"type": "react", "emoji": emoji, "on": on}),
                What::Pin { on } => json!({"type": "pin", "on": on}),
            };
            frame["client_id"] = json!(client_id);
            frame["target"] = json!(message);
            match target {
                Target::User(user) => frame["to"] = json!(user),
                Target::Conversation(conversation) => frame["conversation"] = json!(conversation),
            }
            frame
        }
        ClientFrame::InRoom { client_id, what } => {
            let mut frame = in_room(what);
            frame["client_id"] = json!(client_id);
            frame
        }
        ClientFrame::Read { conversation, position } => {
            json!({"type": "read", "conversation": conversation, "position": position})
        }
        ClientFrame::Received { conversation, position } => {
            json!({"type": "received", "conversation": conversation, "position": position})
        }
        ClientFrame::Watch { users, conversations } => {
            json!({"type": "watch", "users": users, "conversations": conversations})
        }
        ClientFrame::Idle { on } => json!({"type": "idle", "on": on}),
        ClientFrame::Typing { conversation, on } => {
            json!({"type": "typing", "conversation": conversation, "on": on})
        }
        ClientFrame::Ping => json!({"type": "ping"}),
    }
}

fn in_room(what: &InRoom) -> Value {
    let (room, action) = match what {
        InRoom::Create(created) => {
            let members: Vec<_> = created.members.iter().map(|seat| seat.user).collect();
            return json!({
                "type": "create_room", "handle": created.handle, "title": created.title,
                "topic": created.topic, "visibility": created.visibility, "history": created.history,
                "posting": created.posting, "members": members,
            });
        }
        InRoom::Act { room, action } => (room, action),
    };
    let mut frame = match action {
        Action::RoomChanged(patch) => json!({
            "type": "change_room", "handle": patch.handle, "title": patch.title, "topic": patch.topic,
            "visibility": patch.visibility, "posting": patch.posting, "archived": patch.archived,
        }),
        Action::Joined => json!({"type": "join_room"}),
        Action::Left => json!({"type": "leave_room"}),
        Action::MembersAdded { users } => json!({"type": "add_members", "users": users}),
        Action::Removed { user } => json!({"type": "remove_member", "user": user}),
        Action::Banned { user } => json!({"type": "ban", "user": user}),
        Action::Unbanned { user } => json!({"type": "unban", "user": user}),
        Action::RoleChanged { user, role } => json!({"type": "change_role", "user": user, "role": role}),
        other => panic!("no frame does this: {other:?}"),
    };
    frame["conversation"] = json!(room);
    frame
}

fn one_of<'a>(random: &mut SmallRng, all: &[&'a str]) -> &'a str {
    all[random.random_range(0..all.len())]
}

fn text(random: &mut SmallRng, most: usize) -> String {
    let length = random.random_range(0..=most);
    let wide = random.random_range(0..3) == 0;
    let any = |random: &mut SmallRng| random.random_range('\0'..='\u{10ffff}');
    (0..length).map(|_| if wide { any(random) } else { random.random_range(' '..='~') }).collect()
}

/// A value near to what a field may have.
fn value(random: &mut SmallRng) -> Value {
    match random.random_range(0..16) {
        0..6 => json!(Uuid::from_u128(random.random())),
        6..10 => json!(text(random, 70)),
        10 => json!(random.random::<u64>()),
        11 => json!(random.random_range(0..1_u64 << 54)),
        12 => json!(random.random::<f64>()),
        13 => match random.random_range(0..4) {
            0 => {
                let position = random.random_range(0..1_u64 << 54);
                json!({"position": position, "id": Uuid::from_u128(random.random())})
            }
            1 => json!([Uuid::from_u128(random.random()), Uuid::from_u128(random.random())]),
            _ => json!(random.random::<bool>()),
        },
        14 => Value::Null,
        _ => json!([{"type": "ping"}]),
    }
}

fn frame(random: &mut SmallRng) -> Vec<u8> {
    let kinds = [
        "hello", "send", "send", "edit", "delete", "react", "pin", "read", "received", "watch", "idle",
        "typing", "ping", "wave", "",
    ];
    let kind = if random.random_range(0..3) == 0 { one_of(random, &KINDS) } else { one_of(random, &kinds) };
    let mut frame = json!({"type": kind});
    // Most of what the kind needs, and something that it does not.
    let needed: &[&str] = match kind {
        "send" => &["client_id", "to", "body"],
        "edit" => &["client_id", "conversation", "target", "body"],
        "delete" | "pin" => &["client_id", "conversation", "target"],
        "react" => &["client_id", "to", "target", "emoji"],
        "read" | "received" => &["conversation", "position"],
        "create_room" => &["client_id", "handle", "title"],
        "change_room" => &["client_id", "conversation", "title"],
        "join_room" | "leave_room" => &["client_id", "conversation"],
        "add_members" => &["client_id", "conversation", "users"],
        "remove_member" | "ban" | "unban" => &["client_id", "conversation", "user"],
        "change_role" => &["client_id", "conversation", "user", "role"],
        "watch" => &["users", "conversations"],
        "typing" => &["conversation", "on"],
        "idle" => &["on"],
        "hello" => &["token", "resume"],
        _ => &[],
    };
    for name in needed {
        if random.random_range(0..10) > 0 {
            frame[*name] = match *name {
                // Any text is none of these.
                "role" => json!(one_of(random, &["owner", "moderator", "member"])),
                "handle" => json!(one_of(random, &["letters", "a.b-c_9", "No Handle"])),
                _ => value(random),
            };
        }
    }
    if random.random_range(0..3) == 0 {
        let names = [
            "to",
            "conversation",
            "retry",
            "position",
            "resume",
            "body",
            "more",
            "reply_to",
            "mentions",
            "everyone",
            "on",
            "reason",
            "members",
            "topic",
            "archived",
        ];
        let name = one_of(random, &names);
        frame[name] = value(random);
    }
    frame.to_string().into_bytes()
}

/// Bytes put in, taken out, changed: what a broken client or a hostile one makes of a frame.
fn damaged(random: &mut SmallRng) -> Vec<u8> {
    let mut bytes = frame(random);
    for _ in 0..random.random_range(0..3) {
        let place = random.random_range(0..=bytes.len());
        match random.random_range(0..4) {
            0 if place < bytes.len() => bytes[place] = random.random(),
            1 => bytes.insert(place, random.random()),
            2 if random.random_range(0..4) == 0 => bytes.truncate(place),
            3 if place < bytes.len() => drop(bytes.remove(place)),
            _ => {}
        }
    }
    bytes
}

/// Whether it is taken.
fn check(bytes: &[u8]) -> bool {
    // What is not UTF-8 ends the connection before it gets here.
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    match ClientFrame::parse(text) {
        Ok(frame) => {
            if let ClientFrame::Send { client_id, body, .. } = &frame {
                let chars = body.as_str().chars().count();
                assert!((limits::BODY_MIN_CHARS..=limits::BODY_MAX_CHARS).contains(&chars));
                assert!((1..=limits::CLIENT_ID_MAX_CHARS).contains(&client_id.as_str().len()));
                assert!(!body.as_str().contains('\0'));
            }
            assert_eq!(ClientFrame::parse(&written(&frame).to_string()), Ok(frame));
            true
        }
        Err(bad) => {
            assert!(!bad.refusal.message.is_empty() && bad.refusal.message.len() < 1_000, "{bad}");
            false
        }
    }
}

#[test]
fn damaged_frames_are_taken_as_written_or_refused() {
    let taken = (0..cases()).filter(|seed| check(&damaged(&mut SmallRng::seed_from_u64(*seed)))).count();
    println!("{taken} of {} damaged frames were still good", cases());
    assert!(taken > 0);
}

#[test]
fn any_bytes_are_taken_as_written_or_refused() {
    for seed in 0..cases() {
        let random = &mut SmallRng::seed_from_u64(seed);
        let mut bytes = vec![0; random.random_range(0..300)];
        random.fill(&mut bytes[..]);
        check(&bytes);
        check(String::from_utf8_lossy(&bytes).as_bytes());
    }
}
