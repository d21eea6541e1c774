//! What a line of an import is: its message is named by sender and id, its people by their names letter by
//! letter. What cannot be stored as itself is refused, and what is counted is what is stored.

use std::path::{Path, PathBuf};

use crate::client::Rest;
use crate::world::{Database, Finished, Milena, until};

/// A line as the test writes it: id, from, to, text.
type Written<'a> = (&'a str, &'a str, &'a str, &'a str);

fn file(folder: &Path, name: &str, lines: &[Written<'_>]) -> PathBuf {
    let path = folder.join(name);
    let line = |(id, from, to, text): &Written<'_>| {
        let sent_at = "2010-11-11T12:23:00Z";
        serde_json::json!({ "id": id, "sent_at": sent_at, "from": from, "to": to, "text": text }).to_string()
    };
    std::fs::write(&path, lines.iter().map(line).collect::<Vec<_>>().join("\n")).unwrap();
    path
}

async fn import(folder: &Path, file: &Path, partitions: &str, arguments: &[&str]) -> Finished {
    let launch = Milena::import_launch(folder, file).variable("MILENA__KAFKA__PARTITIONS", partitions);
    arguments.iter().fold(launch, |launch, argument| launch.argument(*argument)).run(120).await
}

/// Sender, recipient and text of what is stored, by text.
async fn stored(folder: &Path) -> Vec<(String, String, String)> {
    let rows = Database::in_data_folder(&folder.join("data")).messages().await;
    let mut stored: Vec<_> = rows.into_iter().map(|row| (row.sender, row.recipient, row.body)).collect();
    stored.sort_by(|a, b| a.2.cmp(&b.2));
    stored
}

fn summary(finished: &Finished) -> &str {
    finished.stdout.lines().last().unwrap_or_default()
}

fn refused(finished: &Finished) -> Vec<&str> {
    finished.stderr.lines().filter(|line| line.starts_with("line ")).collect()
}

/// The store does not tell any more what such a line said; it is there all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_edited_or_deleted_since_is_there_already() {
    let folder = tempfile::tempdir().unwrap();
    let lines: &[Written<'_>] =
        &[("1", "ann", "bob", "first"), ("2", "ann", "bob", "second"), ("3", "ann", "bob", "third")];
    let path = file(folder.path(), "life.jsonl", lines);
    let first = Milena::import(folder.path(), &path, Some("imported people")).await;
    assert_eq!(
        summary(&first),
        "3 lines: 3 messages imported, 0 already there, 0 refused; 2 people created."
    );
    let mut milena = Milena::start_on(folder, |launch| launch).await;
    let account = milena.rest().login("ann", "imported people").await;
    let ann = milena.rest().of(&account);
    let conversation = ann.conversations().await[0].id;
    let messages = ann.messages_after(conversation, -1).await;
    let path_of =
        |number: usize| format!("conversations/{conversation}/messages/{}", messages[number].position);
    let edit = ann.request(reqwest::Method::PATCH, &path_of(0)).json(&serde_json::json!({"body": "edited"}));
    let delete = ann.request(reqwest::Method::DELETE, &path_of(1));
    for request in [edit, delete] {
        Rest::ask(request).await.expect::<serde_json::Value>(200);
    }
    let database = milena.database();
    let changed = "SELECT COUNT(*) FROM messages WHERE changed_position IS NOT NULL";
    until("both are stored", 30, async || database.number_of(changed).await == 2).await;
    milena.program.stop().await;
    let again = Milena::import(milena.folder(), &path, None).await;
    assert_eq!(
        summary(&again),
        "3 lines: 0 messages imported, 3 already there, 0 refused; 0 people created."
    );
    assert_eq!(again.status.code(), Some(0), "{}", again.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_names_one_message_whatever_the_partitions() {
    let lines: &[Written<'_>] = &[
        ("1", "ann", "bob", "first"),
        ("1", "ann", "eve", "to somebody else"),
        ("1", "ann", "bob", "another text"),
        ("1", "ann", "bob", "first"),
        ("1", "bob", "ann", "another sender"),
    ];
    for partitions in ["1", "7"] {
        let folder = tempfile::tempdir().unwrap();
        let path = file(folder.path(), "ids.jsonl", lines);
        let first = import(folder.path(), &path, partitions, &[]).await;
        assert_eq!(first.status.code(), Some(1), "{}", first.stderr);
        let said = "5 lines: 2 messages imported, 1 already there, 2 refused; 3 people created.";
        assert_eq!(summary(&first), said);
        assert_eq!(
            refused(&first),
            [
                "line 2: the id \"1\" already names a message of \"ann\" to somebody else (see --id-scope): \
                 line 1",
                r#"line 3: the id "1" already names a message of "ann" with another text or time: line 1"#,
            ]
        );
        let rows = stored(folder.path()).await;
        let bodies: Vec<&str> = rows.iter().map(|(_, _, body)| &**body).collect();
        assert_eq!(bodies, ["another sender", "first"]);

        let second = import(folder.path(), &path, partitions, &[]).await;
        let said = "5 lines: 0 messages imported, 3 already there, 2 refused; 0 people created.";
        assert_eq!(summary(&second), said);
        assert_eq!(stored(folder.path()).await, rows);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_of_a_conversation_and_passwords_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let lines: &[Written<'_>] = &[("1", "ann", "bob", "to bob"), ("1", "ann", "eve", "to eve")];
    let path = file(folder.path(), "ids.jsonl", lines);
    std::fs::write(folder.path().join("secret"), "from a file, not from ps\n").unwrap();
    let secret = folder.path().join("secret");
    let arguments = ["--id-scope", "conversation", "--password-file", secret.to_str().unwrap()];
    for said in ["2 messages imported, 0 already there", "0 messages imported, 2 already there"] {
        let finished = import(folder.path(), &path, "12", &arguments).await;
        assert!(finished.status.success(), "{}", finished.stderr);
        assert!(summary(&finished).contains(said), "{}", finished.stdout);
    }
    assert_eq!(stored(folder.path()).await.len(), 2);
    let milena = Milena::start_on(folder, |launch| launch).await;
    let rest: Rest = milena.rest();
    let ann = rest.login("ann", "from a file, not from ps").await;
    assert_eq!(rest.of(&ann).conversations().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_is_one_account_in_all_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let upper = file(path, "upper.jsonl", &[("1", "Ann", "|trey|", "from Ann"), ("2", "admin", "Ann", "hm")]);
    let lower =
        file(path, "lower.jsonl", &[("1", "ann", "|trey|", "from ann"), ("3", "|trey|", "Ann", "yes")]);
    let mut rows = Vec::new();
    for round in 0..2 {
        for (file, new, people) in [(&upper, 2, 3), (&lower, 2, 1)] {
            let finished = import(path, file, "12", &[]).await;
            assert!(finished.status.success(), "{}", finished.stderr);
            let said = match round {
                0 => format!("2 lines: {new} messages imported, 0 already there, 0 refused; {people} people"),
                _ => "2 lines: 0 messages imported, 2 already there, 0 refused; 0 people".to_owned(),
            };
            assert!(summary(&finished).starts_with(&said), "{}", finished.stdout);
        }
        if round == 0 {
            rows = stored(path).await;
        }
        assert_eq!(stored(path).await, rows);
    }
    let of = |text: &str| rows.iter().find(|(_, _, body)| body == text).expect("stored");
    assert_eq!(of("from Ann").0, "Ann");
    assert!(of("from ann").0.starts_with("ann-"), "another account: {}", of("from ann").0);
    assert!(of("hm").0.starts_with("admin-"), "a reserved name: {}", of("hm").0);
    assert_eq!(of("from Ann").1, of("from ann").1, "one |trey|");
    assert_eq!((&*of("yes").0, &*of("yes").1), (&*of("from Ann").1, "Ann"));
    // What maps the names outlives the rule that made the usernames.
    let database = Database::in_data_folder(&path.join("data"));
    assert_eq!(database.count("imported_people").await, 3);
}
