//! Random logs of one room, against an oracle that knows nothing of states: it looks
//! through the events that counted so far, each time from the beginning.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

mod story;

use milena_domain::UserId;
use milena_domain::record::{Action, Role};
use milena_timeline::Outcome;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use story::{Line, Story, Verdict};

const PEOPLE: [&str; 5] = ["ann", "bob", "carl", "dora", "eve"];

/// What somebody tries; each number picks a person, an earlier event or a choice, by remainder.
#[derive(Debug, Clone)]
struct Attempt {
    by: usize,
    what: usize,
    whom: usize,
    which: usize,
    choice: usize,
    again: bool,
}

fn attempts() -> impl Strategy<Value = Vec<Attempt>> {
    let attempt =
        (0..5_usize, 0..24_usize, 0..5_usize, any::<usize>(), 0..4_usize, prop::bool::weighted(0.1))
            .prop_map(|(by, what, whom, which, choice, again)| Attempt {
                by,
                what,
                whom,
                which,
                choice,
                again,
            });
    prop::collection::vec(attempt, 1..80)
}

fn line(attempt: &Attempt, at: i64, earlier: &[Line]) -> Line {
    let (by, whom) = (PEOPLE[attempt.by], PEOPLE[attempt.whom]);
    if attempt.again
        && let Some(line) = earlier.get(attempt.which % earlier.len().max(1))
    {
        // The same client_id, which for a creation means the same room.
        let client_id =
            line.payload.get("client_id").cloned().unwrap_or_else(|| json!(format!("c{}", line.at)));
        let mut line = Line { at, ..line.clone() };
        line.payload.insert("client_id".to_owned(), client_id);
        return line;
    }
    let target = earlier.get(attempt.which % earlier.len().max(1)).map_or(0, |line| line.at);
    let on = attempt.choice.is_multiple_of(2);
    let role = ["member", "moderator", "owner", "owner"][attempt.choice];
    let (does, payload) = match attempt.what {
        0 => ("joined", json!({})),
        1 => ("left", json!({})),
        2 => ("members_added", json!({ "users": [whom, PEOPLE[(attempt.whom + 1) % 5]] })),
        3 => ("removed", json!({ "user": whom })),
        4 => ("banned", json!({ "user": whom })),
        5 => ("unbanned", json!({ "user": whom })),
        6 | 7 => ("role_changed", json!({ "user": whom, "role": role })),
        8 => ("room_changed", json!({ "archived": attempt.choice == 0 })),
        9 => ("room_changed", json!({ "visibility": if on { "public" } else { "private" } })),
        10 => ("room_changed", json!({ "posting": if on { "members" } else { "moderators" } })),
        13 | 14 => ("edited", json!({ "target": target, "body": "y" })),
        15 => ("deleted", json!({ "target": target })),
        16 | 17 => ("reacted", json!({ "target": target, "emoji": "❤️", "on": on })),
        18 => ("pinned", json!({ "target": target, "on": on })),
        _ => ("message", json!({ "body": "x" })),
    };
    let payload: Map<String, Value> = payload.as_object().unwrap().clone();
    Line { at, by: by.to_owned(), does: does.to_owned(), gives: String::new(), crowd: None, payload }
}

/// Somebody's role just before the end of what was told, by looking through everything that counted.
fn role_of(story: &Story, user: UserId) -> Option<Role> {
    let mut role = None;
    for (placed, outcome) in &story.log {
        if !matches!(outcome, Outcome::Effective(_)) {
            continue;
        }
        let by_them = placed.event.actor == user;
        match &placed.event.action {
            Action::RoomCreated(_) if by_them => role = Some(Role::Owner),
            Action::RoomCreated(created) => {
                role = created.members.iter().find(|seat| seat.user == user).map(|seat| seat.role);
            }
            Action::Joined if by_them => role = Some(Role::Member),
            Action::Left if by_them => role = None,
            Action::MembersAdded { users }
                if users.contains(&user) && !banned(story, user, placed.position) =>
            {
                role = role.or(Some(Role::Member));
            }
            Action::Removed { user: gone } | Action::Banned { user: gone } if *gone == user => role = None,
            Action::RoleChanged { user: who, role: now } if *who == user => role = Some(*now),
            _ => {}
        }
    }
    role
}

fn banned(story: &Story, user: UserId, before: milena_domain::Position) -> bool {
    let bans = story
        .log
        .iter()
        .filter(|(placed, outcome)| placed.position < before && matches!(outcome, Outcome::Effective(_)));
    bans.fold(false, |banned, (placed, _)| match &placed.event.action {
        Action::Banned { user: who } if *who == user => true,
        Action::Unbanned { user: who } if *who == user => false,
        _ => banned,
    })
}

fn create(story: &mut Story) -> Line {
    let members = json!({ "members": { "bob": "moderator", "carl": "member" } });
    let payload = members.as_object().unwrap().clone();
    let (by, does) = ("ann".to_owned(), "room_created".to_owned());
    let line = Line { at: 1, by, does, gives: String::new(), crowd: None, payload };
    assert_eq!(story.tell(&line), [(1, Verdict::Effective)]);
    line
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn only_members_have_their_way(attempts in attempts()) {
        let mut story = Story::default();
        let mut lines = vec![create(&mut story)];
        let mut messages = 0;
        for (attempt, at) in attempts.iter().zip(2..) {
            let line = line(attempt, at, &lines);
            let actor = story.user(&line.by);
            let (role, kept_away) = (role_of(&story, actor), banned(&story, actor, story::at(at)));
            let (_, verdict) = story.tell(&line).remove(0);
            if verdict == Verdict::Effective {
                let needed = match line.does.as_str() {
                    "joined" => {
                        prop_assert!(role.is_none() && !kept_away, "{line:?}");
                        None
                    }
                    "removed" | "banned" | "unbanned" => Some(Role::Moderator),
                    "role_changed" | "room_changed" => Some(Role::Owner),
                    _ => Some(Role::Member),
                };
                prop_assert!(role >= needed, "{line:?} by {role:?}");
                messages += u64::from(line.does == "message");
            }
            // What the state says of everybody is what the log says, and a room has an owner.
            let members = story.members();
            for name in PEOPLE {
                let user = story.user(name);
                let told = members.get(name).and_then(|text| text.split(' ').next());
                let role = role_of(&story, user).map(|role| serde_json::to_value(role).unwrap());
                prop_assert_eq!(role.as_ref().and_then(Value::as_str), told);
            }
            prop_assert!(members.values().any(|text| text.starts_with("owner")));
            lines.push(line);
        }
        prop_assert_eq!(story.last_seq(), messages);
        story.partial_states_agree();
    }
}
