//! Exports of other chats, through the log into the database: what is stored is written down beside the
//! samples (`crates/import/tests/samples/*.stored`), people and rooms are called as the names file says, and
//! a second import adds nothing. `MILENA_BLESS=1` writes the expectations anew; whoever does so reads them.

use std::path::{Path, PathBuf};

use crate::world::{Database, Milena, turn};

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/import/tests/samples")
}

/// Every row of every timeline, with what it answers, whether it was edited, and who reacted.
const ROWS: &str = "SELECT COALESCE(c.handle || ' (' || c.visibility || ')', 'direct') || ' | ' || m.kind \
    || ' | ' \
    || COALESCE(u.username, 'the server') || ' | ' || m.sent_at_ms || ' | ' || m.body \
    || COALESCE((SELECT ' | answers ' || r.body FROM messages r WHERE r.conversation_id = m.conversation_id \
       AND r.position = json_extract(m.payload, '$.reply_to.position')), '') \
    || CASE WHEN m.edited_position IS NULL THEN '' ELSE ' | edited' END \
    || COALESCE((SELECT ' | ' || group_concat(e.emoji || p.username, ' ') FROM reactions e \
       JOIN users p ON p.id = e.user_id \
       WHERE e.conversation_id = m.conversation_id AND e.target_position = m.position), '') \
    FROM messages m JOIN conversations c ON c.id = m.conversation_id \
    LEFT JOIN users u ON u.id = m.sender_id \
    ORDER BY COALESCE(c.handle, ''), c.last_sent_at_ms, m.position";

/// Who is in which room now.
const MEMBERS: &str = "SELECT c.handle || ' | has | ' || u.username FROM memberships i \
    JOIN conversations c ON c.id = i.conversation_id JOIN users u ON u.id = i.user_id \
    WHERE i.to_position IS NULL ORDER BY c.handle, u.username";

const ROOMS: &str = "SELECT handle || ' | is | ' || title || ' | ' || COALESCE(topic, '') || ' | ' \
    || CASE WHEN archived THEN 'archived' ELSE 'open' END FROM conversations \
    WHERE handle IS NOT NULL ORDER BY handle";

/// How people are shown, and their ids in the form of names in texts.
const PEOPLE: &str =
    "SELECT lower(hex(id)) || '|' || username || '|' || display_name FROM users ORDER BY username";

async fn stored(database: &Database) -> String {
    let people = database.texts(PEOPLE).await;
    let mut rows = database.texts(ROWS).await;
    rows.extend(database.texts(MEMBERS).await);
    rows.extend(database.texts(ROOMS).await);
    let mut text = rows.join("\n").replace("\n> ", "\\n> ");
    for person in &people {
        let [id, username, shown] = person.splitn(3, '|').collect::<Vec<_>>()[..] else { panic!("{person}") };
        let [a, b, c, d, e] = [&id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]];
        text = text.replace(&format!("<@{a}-{b}-{c}-{d}-{e}>"), &format!("<@{username}>"));
        text.push_str(&format!("\n{username} | is shown as | {shown}"));
    }
    text + "\n"
}

/// Imports the sample twice; what is stored then is what is expected.
async fn moves_in(name: &str, path: &Path, arguments: &[&str]) -> String {
    let _turn = turn().await;
    let folder = tempfile::tempdir().unwrap();
    let database = Database::in_data_folder(&folder.path().join("data"));
    let launch = || {
        let launch = Milena::import_launch(folder.path(), path);
        arguments.iter().fold(launch, |launch, argument| launch.argument(*argument))
    };
    let looked = launch().argument("--dry-run").run(60).await;
    assert!(looked.stdout.contains("Nothing was imported."), "{}{}", looked.stdout, looked.stderr);
    assert!(!folder.path().join("data/milena.db").exists(), "a dry run opens no database");
    let first = launch().run(120).await;
    let said = format!("{}{}", first.stdout, first.stderr);
    let told = stored(&database).await;
    let expected = samples().join(format!("{name}.stored"));
    if std::env::var_os("MILENA_BLESS").is_some() {
        std::fs::write(&expected, &told).unwrap();
    }
    assert_eq!(told, std::fs::read_to_string(&expected).unwrap(), "{name}: {said}");
    assert_eq!(database.count("void_records").await, 0, "{said}");
    let log = "SELECT SUM(next_offset) FROM consumer_offsets";
    let before = database.number_of(log).await;
    let again = launch().run(120).await;
    assert_eq!(stored(&database).await, told, "{}{}", again.stdout, again.stderr);
    assert_eq!(database.number_of(log).await, before, "nothing goes into the log again: {}", again.stdout);
    assert!(
        again.stdout.contains(" 0 messages imported,") || again.stdout.contains(": 0 messages"),
        "{}",
        again.stdout
    );
    let verified = Milena::command_on(folder.path(), &["verify"]).run(60).await;
    assert!(verified.stdout.contains("the store equals the log"), "{}{}", verified.stdout, verified.stderr);
    said
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slack() {
    let said = moves_in("slack", &samples().join("slack"), &[]).await;
    assert!(said.contains("is a Slack export (--format slack)"), "{said}");
    assert!(said.contains("ops/2026-01-05.json, entry 6: the field `ts` is missing"), "{said}");
    assert!(said.contains("1 files (their names stay in the messages)"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mattermost() {
    moves_in("mattermost", &samples().join("mattermost/import.jsonl"), &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn zulip() {
    moves_in("zulip", &samples().join("zulip"), &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rocketchat() {
    moves_in("rocketchat-room", &samples().join("rocketchat/ops.json"), &["--public"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn discord() {
    moves_in("discord", &samples().join("discord"), &["--format", "discord", "--public"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn matrix() {
    moves_in("matrix", &samples().join("matrix/export.json"), &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn telegram() {
    moves_in("telegram", &samples().join("telegram/result.json"), &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatsapp() {
    let path = samples().join("whatsapp/WhatsApp Chat with Ops.txt");
    moves_in("whatsapp-android", &path, &["--zone", "Europe/Prague"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn irc() {
    moves_in("irc", &samples().join("irc"), &["--zone", "UTC"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_are_looked_at_and_changed_before() {
    let _turn = turn().await;
    let folder = tempfile::tempdir().unwrap();
    let names = folder.path().join("names.toml");
    let export = samples().join("slack");
    let launch = || Milena::import_launch(folder.path(), &export).argument("--names").argument(&names);
    let looked = launch().argument("--dry-run").run(60).await;
    for line in ["u1 [U1] -> u1", "secret [G1] -> secret", "messages: 7, of which 2 are replies and 1 name"] {
        assert!(looked.stdout.contains(line), "{line}: {}{}", looked.stdout, looked.stderr);
    }
    let text = std::fs::read_to_string(&names).unwrap();
    let text =
        text.replace("\"U1\" = \"u1\"", "\"U1\" = \"annie\"").replace("\"G1\" = \"secret\"", "\"G1\" = \"\"");
    std::fs::write(&names, text).unwrap();
    let import = launch().run(120).await;
    assert!(import.stdout.contains("5 messages imported"), "{}{}", import.stdout, import.stderr);
    let database = Database::in_data_folder(&folder.path().join("data"));
    assert_eq!(database.texts("SELECT username FROM users WHERE username = 'annie'").await.len(), 1);
    let handles = "SELECT handle FROM conversations WHERE handle IS NOT NULL ORDER BY handle";
    assert_eq!(database.texts(handles).await, ["ops"], "the room that was left out is not there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_private_is_never_written_into_a_public_room() {
    let _turn = turn().await;
    let folder = tempfile::tempdir().unwrap();
    let public = folder.path().join("lines.jsonl");
    let line =
        r#"{"id":"1","sent_at":"2026-01-05T08:00:00Z","room":"secret","from":"eve","text":"open to all"}"#;
    std::fs::write(&public, line).unwrap();
    Milena::import(folder.path(), &public, None).await;
    let import = Milena::import_launch(folder.path(), &samples().join("slack")).run(120).await;
    let told = "the room \"secret\" is private where it comes from and public here";
    assert!(import.stderr.contains(told), "{}{}", import.stdout, import.stderr);
    let database = Database::in_data_folder(&folder.path().join("data"));
    let leaked = "SELECT body FROM messages WHERE body = 'nobody reads this'";
    assert!(database.texts(leaked).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_use_gets_one_clear_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let whatsapp = samples().join("whatsapp/WhatsApp Chat with Ops.txt");
    for (path, arguments, expected) in [
        (whatsapp.clone(), vec![], "--zone Europe/Prague"),
        (whatsapp.clone(), vec!["--zone", "Praha"], "zone must be a name such as Europe/Prague"),
        (whatsapp, vec!["--format", "slack"], "has no channels.json"),
        (folder.path().to_owned(), vec![], "is no export that is known here; --format says which one it is"),
        (PathBuf::from("-"), vec!["--format", "slack"], "give its path, not standard input"),
        (
            samples().join("slack"),
            vec!["--names", "/nowhere/names.toml"],
            "the names file /nowhere/names.toml cannot",
        ),
    ] {
        let launch = Milena::import_launch(folder.path(), &path);
        let finished =
            arguments.iter().fold(launch, |launch, argument| launch.argument(*argument)).run(60).await;
        assert!(finished.stderr.contains(expected), "{arguments:?}: {}{}", finished.stdout, finished.stderr);
    }
}
