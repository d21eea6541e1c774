//! A file of messages in rooms, through the log into the database: row for row the file, its people in the
//! rooms since their first message, what happened in the rooms in its place, and nothing twice.

use std::collections::HashSet;

use crate::world::{Database, Milena, turn};

const PEOPLE: usize = 90;
const LINES: usize = 3_000;

fn line(number: usize) -> (String, &'static str, String, String) {
    let room = if number % 7 == 3 { "#Help & Co" } else { "ubuntu" };
    let from = format!("[{}|", number * 31 % PEOPLE);
    (format!("line-{number}"), room, from, format!("text {number} – ✓"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_join_with_their_first_message() {
    let _turn = turn().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rooms.jsonl");
    let mut text = String::new();
    for number in 0..LINES {
        let (id, room, from, body) = line(number);
        let line = serde_json::json!({
            "id": id, "sent_at": "2004-11-15T12:18:00Z", "room": room, "from": from, "text": body
        });
        text.push_str(&format!("{line}\n"));
    }
    let wrong = r#"{"id":"x","sent_at":"2004-11-15T12:18:00Z","room":"","from":"a","text":"t"}"#;
    std::fs::write(&file, format!("{text}{wrong}\n")).unwrap();
    let first = Milena::import(folder.path(), &file, None).await;
    let told = format!("{LINES} messages imported, 0 already there, 1 refused; {PEOPLE} people created");
    assert!(first.stdout.contains(&told), "{}{}", first.stdout, first.stderr);
    let refused = format!("line {}: room must be 1 to 64 characters", LINES + 1);
    assert!(first.stderr.contains(&refused), "{}", first.stderr);

    let database = Database::in_data_folder(&folder.path().join("data"));
    equals(&database).await;
    let again = Milena::import(folder.path(), &file, None).await;
    let told = format!("0 messages imported, {LINES} already there, 1 refused; 0 people created");
    assert!(again.stdout.contains(&told), "{}{}", again.stdout, again.stderr);
    equals(&database).await;
    let verified = Milena::command_on(folder.path(), &["verify"]).run(60).await;
    assert!(verified.stdout.contains("the store equals the log"), "{}{}", verified.stdout, verified.stderr);
}

async fn equals(database: &Database) {
    for (room, handle) in [("ubuntu", "handle = 'ubuntu'"), ("#Help & Co", "handle LIKE 'help---co-%'")] {
        let lines: Vec<_> = (0..LINES).map(line).filter(|line| line.1 == room).collect();
        let of = format!("conversation_id = (SELECT id FROM conversations WHERE {handle})");
        let messages = format!("SELECT body FROM messages WHERE {of} AND kind = 'message' ORDER BY position");
        let bodies: Vec<_> = lines.iter().map(|line| line.3.clone()).collect();
        assert!(database.texts(&messages).await == bodies, "{room}: row for row");
        let last = format!("SELECT MAX(seq) FROM messages WHERE {of}");
        assert_eq!(database.number_of(&last).await, bodies.len() as i64);
        let joined = format!("SELECT COUNT(*) FROM messages WHERE {of} AND kind = 'joined'");
        assert_eq!(database.number_of(&joined).await, people(&lines) as i64);
        // Whoever writes is in the room by then, and in it once, beside the server.
        let before = format!(
            "SELECT COUNT(*) FROM messages m WHERE {of} AND kind = 'message' AND NOT EXISTS \
             (SELECT 1 FROM memberships i WHERE i.conversation_id = m.conversation_id \
             AND i.user_id = m.sender_id AND i.from_position < m.position AND i.to_position IS NULL)"
        );
        assert_eq!(database.number_of(&before).await, 0);
        let members = format!("SELECT COUNT(*) FROM memberships WHERE {of}");
        assert_eq!(database.number_of(&members).await, people(&lines) as i64 + 1);
    }
    assert_eq!(database.count("users").await, PEOPLE as i64);
    assert_eq!(database.count("void_records").await, 0);
}

fn people(lines: &[(String, &'static str, String, String)]) -> usize {
    lines.iter().map(|line| &line.2).collect::<HashSet<_>>().len()
}

/// Lines of one room without id, time and room: what they say, and what becomes of them.
const HAPPENED: [(&str, Became); 17] = [
    (r#""from":"ann","event":"changed","title":"Operations","topic":"What is on fire""#, Became::Event),
    // Not there yet: would send him away in a second import, were it taken for news then.
    (r#""from":"bob","event":"left""#, Became::Nothing),
    (r#""from":"ann","event":"removed","user":"bob""#, Became::Nothing),
    (r#""from":"ann","event":"joined""#, Became::Event),
    (r#""from":"ann","text":"I am in""#, Became::Message),
    (r#""from":"bob","text":"and I join by this""#, Became::Message),
    (r#""from":"bob","event":"joined""#, Became::Nothing),
    (r#""from":"ann","event":"removed","user":"bob""#, Became::Event),
    (r#""from":"bob","text":"back by writing""#, Became::Message),
    (r#""from":"bob","event":"left""#, Became::Event),
    (r#""from":"eve","event":"joined""#, Became::Event),
    (r#""from":"bob","event":"changed","title":"Operations""#, Became::Nothing),
    (r#""from":"bob","event":"changed","title":"Ops","topic":"""#, Became::Event),
    (r#""from":"eve","event":"left""#, Became::Event),
    (r#""from":"eve","event":"left""#, Became::Nothing),
    (r#""from":"bob","event":"joined""#, Became::Event),
    (r#""from":"ann","text":"the end""#, Became::Message),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Became {
    Message,
    Event,
    Nothing,
}

fn count(what: Became) -> usize {
    HAPPENED.iter().filter(|(_, became)| *became == what).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happened_in_a_room_comes_along() {
    let _turn = turn().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("happened.jsonl");
    let line = |number: usize, rest: &str| {
        let time = r#""sent_at":"2026-01-05T08:00:00Z""#;
        format!("{{\"id\":\"{number}\",{time},\"room\":\"ops\",{rest}}}\n")
    };
    let mut text: String =
        HAPPENED.iter().enumerate().map(|(number, (rest, _))| line(number, rest)).collect();
    let bad = [
        (
            r#""from":"ann","event":"promoted""#,
            "event must be created, joined, left, removed, changed, edited or reacted",
        ),
        (r#""from":"ann","event":"removed""#, "the field `user` is missing"),
        (
            r#""from":"ann","event":"changed","user":"bob""#,
            "the field `title`, `topic` or `archived` is missing",
        ),
        (r#""from":"ann","event":"changed","title":"""#, "title must"),
        (r#""event":"joined""#, "missing field `from`"),
        (r#""from":"ann""#, "the field `text` is missing"),
        (r#""to":"bob","from":"ann","event":"joined""#, "the fields `to` and `room` exclude each other"),
    ];
    text.extend(bad.iter().map(|(rest, _)| line(99, rest)));
    // An id that names another event of the same person.
    text.push_str(&line(3, r#""from":"ann","event":"left""#));
    std::fs::write(&file, text).unwrap();

    let refused = bad.len() + 1;
    let database = Database::in_data_folder(&folder.path().join("data"));
    let mut before = None;
    for [new_messages, new_events] in [[count(Became::Message), count(Became::Event)], [0, 0]] {
        let import = Milena::import(folder.path(), &file, None).await;
        let [messages, events] = [count(Became::Message) - new_messages, count(Became::Event) - new_events];
        let told = [
            format!("{new_messages} messages imported, {messages} already there, {refused} refused;"),
            format!(
                "Room events: {new_events} imported, {events} already there, {} changed nothing.",
                count(Became::Nothing)
            ),
        ];
        assert!(told.iter().all(|told| import.stdout.contains(told)), "{}{}", import.stdout, import.stderr);
        for (number, (_, reason)) in bad.iter().enumerate() {
            let told = format!("line {}: ", HAPPENED.len() + number + 1);
            let told = import.stderr.lines().find_map(|line| line.strip_prefix(&told));
            assert!(told.is_some_and(|told| told.contains(reason)), "{reason}: {}", import.stderr);
        }
        assert!(import.stderr.contains("the id \"3\" already names"), "{}", import.stderr);

        let rows = "SELECT kind FROM messages WHERE conversation_id = \
             (SELECT id FROM conversations WHERE handle = 'ops') ORDER BY position";
        let happened = database.texts(rows).await;
        let expected = [
            "room_created",
            "room_changed",
            "joined",
            "message",
            "joined",
            "message",
            "removed",
            "joined",
            "message",
            "left",
            "joined",
            "room_changed",
            "left",
            "joined",
            "message",
        ];
        assert_eq!(happened, expected);
        let room = "SELECT title || '|' || COALESCE(topic, '') || '|' || member_count FROM conversations \
             WHERE handle = 'ops'";
        assert_eq!(database.texts(room).await, ["Ops||3"], "ann, bob and the server");
        let log = database.number_of("SELECT SUM(next_offset) FROM consumer_offsets").await;
        assert_eq!(*before.get_or_insert(log), log, "nothing goes into the log a second time");
    }
    assert_eq!(database.count("void_records").await, 0);
    let verified = Milena::command_on(folder.path(), &["verify"]).run(60).await;
    assert!(verified.stdout.contains("the store equals the log"), "{}{}", verified.stdout, verified.stderr);
}
