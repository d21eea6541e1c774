//! A file of messages in rooms, through the log into the database: row for row the file, its people in the
//! rooms since their first message, and nothing twice.

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
