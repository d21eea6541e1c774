//! The writer judges as the fold does, however the log is cut into batches and however often it is read.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use milena_domain::limits::REPEAT_WINDOW_OFFSETS;
use milena_domain::record::{Action, Event, Message, Place, Placed, Target};
use milena_domain::{Body, ClientId, Epoch, Position, UserId};
use milena_storage::entities::{
    blocks, conversations, effective_events, members, memberships, mentions, message_edits, messages,
    reactions, room_authors, room_people, room_words, void_records,
};
use milena_storage::{OffsetAdvance, Store, WriteBatch, WriteError, WriteReport};
use milena_timeline::{Outcome, Standing};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use sea_orm::{ConnectionTrait, DatabaseConnection, EntityTrait};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::database::TestDatabase;
use crate::letters::{at, user};
use crate::story::{Line, Story};

/// A case of the golden vectors, as far as a store can tell it.
#[derive(Deserialize)]
struct Case {
    name: String,
    log: Vec<Line>,
}

fn stories() -> Vec<(String, Story)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../timeline/vectors");
    let mut stories = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let cases: Vec<Case> = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            for case in cases {
                // That a room can be full is the fold's rule; it takes ten thousands of people.
                if case.log.iter().any(|line| line.crowd.is_some_and(|crowd| crowd > 1_000)) {
                    continue;
                }
                let mut story = Story::of(&case.log);
                case.log.iter().for_each(|line| drop(story.tell(line)));
                if !has_a_lie(&story) {
                    stories.push((case.name, story));
                }
            }
        }
    }
    assert!(stories.len() > 20);
    stories
}

/// An id that counts twice in the fold, because a record lies about what was seen: the store refuses it, see
/// [`a_false_proof_is_named`].
fn has_a_lie(story: &Story) -> bool {
    let mut ids = HashSet::new();
    let effective = story.log.iter().filter(|(_, outcome)| matches!(outcome, Outcome::Effective(_)));
    !effective.map(|(placed, _)| placed.event.id).all(|id| ids.insert(id))
}

/// A store that is emptied for each log; the topic's name makes sure that nothing is remembered.
struct Runs<'d> {
    store: Store,
    raw: DatabaseConnection,
    runs: usize,
    database: &'d TestDatabase,
}

const TABLES: [&str; 15] = [
    "blocks",
    "conversations",
    "conversation_lists",
    "effective_events",
    "members",
    "memberships",
    "mentions",
    "message_edits",
    "messages",
    "reactions",
    "room_authors",
    "room_people",
    "room_words",
    "void_records",
    "consumer_offsets",
];

impl<'d> Runs<'d> {
    async fn new(database: &'d TestDatabase) -> Self {
        let store = database.store().await.keeping_edits(true);
        Self { store, raw: database.raw().await, runs: 0, database }
    }

    async fn begin(&mut self) -> String {
        for table in TABLES {
            self.raw.execute_unprepared(&format!("DELETE FROM {table}")).await.unwrap();
        }
        self.runs += 1;
        let topic = format!("run_{}", self.runs);
        self.store.note_partitions(&topic, Epoch::FIRST, 1).await.unwrap();
        topic
    }

    /// Every table, without the offsets.
    async fn dump(&self) -> Vec<String> {
        async fn rows<E: EntityTrait>(raw: &DatabaseConnection) -> Vec<String>
        where
            E::Model: std::fmt::Debug,
        {
            let mut rows: Vec<_> =
                E::find().all(raw).await.unwrap().iter().map(|row| format!("{row:?}")).collect();
            rows.sort_unstable();
            rows
        }
        let raw = &self.raw;
        let mut all = rows::<messages::Entity>(raw).await;
        all.extend(rows::<conversations::Entity>(raw).await);
        all.extend(rows::<members::Entity>(raw).await);
        all.extend(rows::<memberships::Entity>(raw).await);
        all.extend(rows::<room_people::Entity>(raw).await);
        all.extend(rows::<room_authors::Entity>(raw).await);
        all.extend(rows::<room_words::Entity>(raw).await);
        all.extend(rows::<reactions::Entity>(raw).await);
        all.extend(rows::<mentions::Entity>(raw).await);
        all.extend(rows::<message_edits::Entity>(raw).await);
        all.extend(rows::<void_records::Entity>(raw).await);
        all.extend(rows::<effective_events::Entity>(raw).await);
        all.extend(rows::<blocks::Entity>(raw).await);
        all
    }

    /// Writes a log in batches that end where `cuts` says; the reports of all.
    async fn write(&self, topic: &str, log: &[Placed], cuts: &[usize]) -> Vec<WriteReport> {
        let (mut reports, mut from) = (Vec::new(), 0);
        let mut first = 0;
        for &cut in cuts {
            let events = log[first..cut].to_vec();
            let to = events.last().map_or(from, |placed| placed.position.offset() + 1);
            let batch = batch_of(topic, from, to, events);
            reports.push(self.store.write_batch(&batch).await.unwrap());
            (from, first) = (to, cut);
        }
        reports
    }

    /// All of it, and each half of it, once more: nothing changes, and nothing counts twice.
    async fn replays_change_nothing(&self, topic: &str, name: &str, log: &[Placed], total: WriteReport) {
        let before = self.dump().await;
        let beside = self.database.connect().await;
        let middle = log.len() / 2;
        let mut reports = Vec::new();
        for part in [log, &log[..middle], &log[middle..]] {
            let mut batch = batch_of(topic, 0, 0, part.to_vec());
            batch.advances.clear();
            reports.push(beside.write_batch(&batch).await.unwrap());
        }
        assert!(reports.iter().all(|report| report.inserted == 0), "{name}: {reports:?}");
        assert_eq!(reports[0].void, total.void, "{name}");
        assert_eq!(reports[1].void + reports[2].void, total.void, "{name}");
        assert_eq!(self.dump().await, before, "{name}: a replay changed something");
    }
}

fn batch_of(topic: &str, from: i64, to: i64, events: Vec<Placed>) -> WriteBatch {
    let advances = vec![OffsetAdvance { partition: 0, from, to }];
    WriteBatch { topic: topic.to_owned(), epoch: Epoch::FIRST, events, advances }
}

fn report_of(outcome: &Outcome) -> WriteReport {
    let count = |is: bool| u64::from(is);
    WriteReport {
        inserted: count(matches!(outcome, Outcome::Effective(_))),
        repeats: count(matches!(outcome, Outcome::Repeat(_))),
        void: count(matches!(outcome, Outcome::Void(_))),
    }
}

fn sum<'r>(reports: impl IntoIterator<Item = &'r WriteReport>) -> WriteReport {
    reports.into_iter().fold(WriteReport::default(), |sum, report| WriteReport {
        inserted: sum.inserted + report.inserted,
        repeats: sum.repeats + report.repeats,
        void: sum.void + report.void,
    })
}

/// Event by event the store says what the fold says; in any other batches it becomes the same.
async fn agree(runs: &mut Runs<'_>, name: &str, story: &Story, cuts: &[Vec<usize>]) {
    let log: Vec<Placed> = story.log.iter().map(|(placed, _)| placed.clone()).collect();
    let expected: Vec<WriteReport> = story.log.iter().map(|(_, outcome)| report_of(outcome)).collect();
    let total = sum(&expected);
    let topic = runs.begin().await;
    let singly: Vec<usize> = (1..=log.len()).collect();
    assert_eq!(runs.write(&topic, &log, &singly).await, expected, "{name}: verdicts");
    let tables = runs.dump().await;
    check(runs, name, story).await;
    runs.replays_change_nothing(&topic, name, &log, total).await;
    for cuts in cuts {
        let topic = runs.begin().await;
        assert_eq!(sum(&runs.write(&topic, &log, cuts).await), total, "{name}: {cuts:?}");
        assert_eq!(runs.dump().await, tables, "{name}: {cuts:?}");
    }
}

/// The tables say what the state in memory says.
async fn check(runs: &Runs<'_>, name: &str, story: &Story) {
    let void = void_records::Entity::find().all(&runs.raw).await.unwrap();
    let void: BTreeMap<i64, String> = void.into_iter().map(|row| (row.position, row.reason)).collect();
    let expected: BTreeMap<i64, String> = story
        .log
        .iter()
        .filter_map(|(placed, outcome)| match outcome {
            Outcome::Void(void) => Some((placed.position.as_i64(), void.code().to_owned())),
            _ => None,
        })
        .collect();
    assert_eq!(void, expected, "{name}: void");
    let open: BTreeMap<String, String> = memberships::Entity::find()
        .all(&runs.raw)
        .await
        .unwrap()
        .into_iter()
        .filter(|row| row.to_position.is_none())
        .map(|row| {
            let person = &story.names[&UserId::from_uuid(row.user_id)];
            let from = Position::from_u64(row.from_position as u64).unwrap().offset();
            (person.clone(), format!("{} since {from}", row.role))
        })
        .collect();
    assert_eq!(open, story.members(), "{name}: members");
    let stored = conversations::Entity::find().all(&runs.raw).await.unwrap();
    let seq = stored.first().map_or(0, |row| row.last_seq);
    assert_eq!(seq as u64, story.last_seq(), "{name}: seq");
    let count = stored.first().map_or(0, |row| row.member_count);
    assert_eq!(count as usize, story.members().len(), "{name}: count");
    check_room(runs, name, story).await;
}

/// What a backend is given of the room is the state that the fold has of it.
async fn check_room(runs: &Runs<'_>, name: &str, story: &Story) {
    let Some((first, _)) = story.log.first() else { return };
    let (found, _) = runs.store.room_at("no topic", first.event.conversation).await.unwrap();
    assert_eq!(found.as_ref().map(|found| &found.room), story.state().room(), "{name}: room");
    let Some(found) = found else { return };
    let known = |people: &mut dyn Iterator<Item = (UserId, Standing)>| -> BTreeMap<_, _> {
        people
            .filter(|(_, standing)| *standing != Standing::default())
            .map(|(user, standing)| (user, (standing.membership, standing.banned, standing.changed)))
            .map(|(user, (membership, banned, changed))| {
                (user, format!("{membership:?} {banned} {changed:?}"))
            })
            .collect()
    };
    let expected = known(&mut story.state().people());
    assert_eq!(known(&mut found.people.into_iter()), expected, "{name}: people");
    assert_eq!(found.last_seq, story.last_seq(), "{name}: seq");
    for (user, membership) in story.state().members() {
        let intervals = runs.store.intervals_of(first.event.conversation, user).await.unwrap();
        let last = intervals.last().unwrap();
        let open = (last.role, last.from, last.to);
        assert_eq!(open, (membership.role, membership.from, None), "{name}: intervals");
        let earlier = intervals.iter().rev().skip(1);
        assert!(earlier.clone().all(|interval| interval.to.is_some_and(|to| to <= last.from)), "{name}");
        let (rooms, _) = runs.store.rooms_of("no topic", user, 10).await.unwrap();
        assert_eq!(rooms, [first.event.conversation], "{name}: rooms");
    }
}

/// Where a log of so many events is cut, at random.
fn cuts(runner: &mut TestRunner, length: usize) -> Vec<usize> {
    let inner = prop::collection::btree_set(1..=length, 0..6).new_tree(runner).unwrap().current();
    inner.into_iter().filter(|&cut| cut < length).chain([length]).collect()
}

pub(super) async fn the_golden_vectors_hold_in_the_store(database: &TestDatabase) {
    let mut runs = Runs::new(database).await;
    let mut runner = TestRunner::deterministic();
    for (name, story) in stories() {
        let length = story.log.len();
        agree(&mut runs, &name, &story, &[vec![length], cuts(&mut runner, length)]).await;
    }
}

const PEOPLE: [&str; 4] = ["ann", "bob", "carl", "dora"];

fn line(direct: bool, offset: i64, dice: &[usize; 5], earlier: &[Line]) -> Line {
    let [by, what, whom, which, choice] = *dice;
    let (by, whom) = if direct { (by % 2, (by + 1) % 2) } else { (by % PEOPLE.len(), whom % PEOPLE.len()) };
    let (by, whom) = (PEOPLE[by], PEOPLE[whom]);
    let named = &earlier[which % earlier.len()];
    let (target, on) = (named.at, choice % 2 == 0);
    let role = ["member", "moderator", "owner", "owner"][choice % 4];
    let (does, payload) = match what % 20 {
        0 if direct => ("blocked", json!({ "on": on })),
        0 => ("joined", json!({})),
        1 if !direct => ("left", json!({})),
        2 if !direct => ("members_added", json!({ "users": [whom] })),
        3 if !direct => ("removed", json!({ "user": whom })),
        4 if !direct => ("banned", json!({ "user": whom })),
        5 if !direct => ("unbanned", json!({ "user": whom })),
        6 if !direct => ("role_changed", json!({ "user": whom, "role": role })),
        7 if !direct => ("room_changed", json!({ "title": format!("T{choice}") })),
        8 if !direct => ("room_changed", json!({ "handle": format!("h{choice}") })),
        9..=11 => ("edited", json!({ "target": target, "body": "y", "mentions": [whom] })),
        12 | 13 => ("deleted", json!({ "target": target })),
        14 | 15 => ("reacted", json!({ "target": target, "emoji": "❤️", "on": on })),
        16 => ("pinned", json!({ "target": target, "on": on })),
        17 if by == named.by && named.payload.get("client_id").is_some() => {
            return Line { at: offset, ..named.clone() };
        }
        _ => ("message", json!({ "body": "x", "mentions": [whom], "reply_to": target })),
    };
    let mut payload: Map<String, Value> = payload.as_object().unwrap().clone();
    payload.insert("client_id".to_owned(), json!(format!("c{offset}")));
    if direct {
        payload.insert("to".to_owned(), json!(whom));
    }
    Line { at: offset, by: by.to_owned(), does: does.to_owned(), gives: String::new(), crowd: None, payload }
}

pub(super) async fn random_logs_of_all_kinds_agree(database: &TestDatabase) {
    let mut runs = Runs::new(database).await;
    let mut runner = TestRunner::deterministic();
    for case in 0..6 {
        let direct = case % 3 == 2;
        let dice = prop::collection::vec(prop::array::uniform5(any::<usize>()), 40..60)
            .new_tree(&mut runner)
            .unwrap()
            .current();
        let members = json!({ "members": { "bob": "moderator", "carl": "member" } });
        let mut begin = members.as_object().unwrap().clone();
        let does = if direct {
            begin = json!({ "body": "x", "to": "bob" }).as_object().unwrap().clone();
            "message"
        } else {
            "room_created"
        };
        let (by, gives) = ("ann".to_owned(), String::new());
        let first = Line { at: 1, by, does: does.to_owned(), gives, crowd: None, payload: begin };
        let mut lines = vec![first];
        let mut story = Story::of(&lines);
        drop(story.tell(&lines[0]));
        for (dice, offset) in dice.iter().zip(2..) {
            let line = line(direct, offset, dice, &lines);
            drop(story.tell(&line));
            lines.push(line);
        }
        let length = story.log.len();
        let several = [vec![length], cuts(&mut runner, length), cuts(&mut runner, length)];
        agree(&mut runs, &format!("random log {case}"), &story, &several).await;
    }
}

fn event(client_id: &str, offset: i64, seen: i64, action: Action) -> Placed {
    let position = |offset| Position::new(Epoch::FIRST, offset);
    let client_id = ClientId::new(client_id).unwrap();
    let event = Event::new(user(1), Place::Direct(user(2)), client_id, at(offset), position(seen), action);
    Placed { position: position(offset), event }
}

fn message(client_id: &str, offset: i64, body: &str) -> Placed {
    let message = Message { mentions: vec![user(2)], ..Message::plain(Body::new(body).unwrap()) };
    event(client_id, offset, offset, Action::Message(message))
}

pub(super) async fn a_deletion_leaves_no_text(database: &TestDatabase) {
    let mut runs = Runs::new(database).await;
    let first = message("a", 0, "SECRET one");
    let target = Target { position: first.position, id: first.event.id };
    let body = Body::new("SECRET two").unwrap();
    let emoji = milena_domain::record::Emoji::new("🔑").unwrap();
    let log = [
        first,
        event("b", 1, 1, Action::Edited { target, body, mentions: vec![user(2)] }),
        event("c", 2, 2, Action::Reacted { target, emoji, on: true }),
        event("d", 3, 3, Action::Deleted { target, reason: None }),
        message("e", 4, "what stays"),
    ];
    let mut dumps = Vec::new();
    for cuts in [vec![1, 2, 3, 4, 5], vec![5], vec![1, 5], vec![3, 5]] {
        let topic = runs.begin().await;
        runs.write(&topic, &log, &cuts).await;
        let dump = runs.dump().await;
        assert!(dump.iter().any(|row| row.contains("what stays")));
        assert!(!dump.iter().any(|row| row.contains("SECRET") || row.contains('🔑')), "{dump:?}");
        let mentions = mentions::Entity::find().all(&runs.raw).await.unwrap();
        assert!(mentions.iter().all(|row| row.position == log[4].position.as_i64()));
        let events = effective_events::Entity::find().all(&runs.raw).await.unwrap();
        assert!(events.len() == 3 && events.iter().all(|row| row.digest.is_none()), "{events:?}");
        dumps.push(dump);
    }
    assert!(dumps.iter().all(|dump| *dump == dumps[0]));
}

pub(super) async fn a_false_proof_is_named(database: &TestDatabase) {
    let mut runs = Runs::new(database).await;
    let topic = runs.begin().await;
    let far = REPEAT_WINDOW_OFFSETS + 10;
    let text = |client_id, offset, seen| {
        let plain = Message::plain(Body::new("x").unwrap());
        event(client_id, offset, seen, Action::Message(plain))
    };
    let honest = text("a", 0, 0);
    runs.write(&topic, std::slice::from_ref(&honest), &[1]).await;
    // In the window it is a repeat, whatever it claims; beyond it, a proof that reaches back is void, and one
    // that claims to have looked is a lie.
    let repeat = text("a", 5, 5);
    let report = runs.store.write_batch(&batch_of(&topic, 1, 6, vec![repeat])).await.unwrap();
    assert_eq!(report, WriteReport { inserted: 0, repeats: 1, void: 0 });
    let (good, stale, lie) = (text("b", far, far), text("a", far + 1, 0), text("a", far + 2, far));
    let events = vec![good.clone(), stale.clone(), lie.clone()];
    let error = runs.store.write_batch(&batch_of(&topic, 6, far + 3, events)).await.unwrap_err();
    let WriteError::FalseProof { conversation, position } = error else { panic!("{error}") };
    assert_eq!((conversation, position), (lie.event.conversation, lie.position));
    let report = runs.store.write_batch(&batch_of(&topic, 6, far + 3, vec![good, stale])).await.unwrap();
    assert_eq!(report, WriteReport { inserted: 1, repeats: 0, void: 1 });
}

/// What was lost from the store comes back where it was, and everything is numbered anew; also for a consumer
/// that has remembered the conversation.
pub(super) async fn a_lost_message_is_put_back(database: &TestDatabase) {
    let mut runs = Runs::new(database).await;
    let topic = runs.begin().await;
    let log: Vec<Placed> = (0..6).map(|n| message(&format!("m{n}"), n, "x")).collect();
    runs.write(&topic, &log[..5], &[2, 5]).await;
    let lost = format!("DELETE FROM messages WHERE position = {}", log[2].position.as_i64());
    assert_eq!(runs.raw.execute_unprepared(&lost).await.unwrap().rows_affected(), 1);
    let mut replay = batch_of(&topic, 0, 0, log[..5].to_vec());
    replay.advances.clear();
    let report = database.connect().await.write_batch(&replay).await.unwrap();
    assert_eq!(report, WriteReport { inserted: 1, repeats: 4, void: 0 });
    let next = batch_of(&topic, 5, 6, vec![log[5].clone()]);
    assert_eq!(runs.store.write_batch(&next).await.unwrap().inserted, 1);
    let mut rows = messages::Entity::find().all(&runs.raw).await.unwrap();
    rows.sort_by_key(|row| row.position);
    assert_eq!(rows.iter().map(|row| row.seq).collect::<Vec<_>>(), (1..=6).map(Some).collect::<Vec<_>>());
    let conversation = conversations::Entity::find().one(&runs.raw).await.unwrap().unwrap();
    assert_eq!(conversation.last_seq, 6);
}
