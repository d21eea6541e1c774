//! A data folder of the first version, as it lies on somebody's disk: it opens, is upgraded with everything
//! that was in it, and its log makes the same rows in an empty store of each kind.
//!
//! `MILENA_TEST_FIRST_VERSION` names an archive of such a folder, `scripts/long first-version FILE`; without
//! it nothing is tested here (the folder is real conversations, and no part of the project).

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::rooms::{must_equal, tables};
use crate::world::{Database, Kind, Milena, shared, tell};

/// What was there, each row as a text, in one order; names of columns that both versions have.
const BEFORE: [&str; 5] = [
    "SELECT hex(conversation_id) || position || hex(id) || hex(sender_id) || hex(recipient_id) || client_id \
     || sent_at_ms || body FROM messages ORDER BY 1",
    "SELECT hex(conversation_id) || hex(user_id) || last_read FROM members ORDER BY 1",
    "SELECT hex(id) || last_position || last_sent_at_ms FROM conversations ORDER BY 1",
    "SELECT hex(id) || username || display_name || password_hash FROM users ORDER BY 1",
    "SELECT topic || partition_id || epoch || next_offset FROM consumer_offsets ORDER BY 1",
];

async fn rows(database: &Database) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for sql in BEFORE {
        all.push(database.texts(sql).await);
    }
    all
}

fn unpack(archive: &Path, folder: &Path) {
    let unpacked = Command::new("tar").arg("xzf").arg(archive).arg("-C").arg(folder).status().unwrap();
    assert!(unpacked.success(), "the archive cannot be unpacked");
    let inner = std::fs::read_dir(folder).unwrap().next().expect("a folder in the archive").unwrap().path();
    std::fs::rename(inner, folder.join("data")).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_of_the_first_version_is_upgraded_whole() {
    let Some(archive) = std::env::var_os("MILENA_TEST_FIRST_VERSION") else { return };
    let folder = tempfile::tempdir().unwrap();
    unpack(Path::new(&archive), folder.path());
    let database = Database::in_data_folder(&folder.path().join("data"));
    let before = rows(&database).await;
    let marks = before[1].iter().filter(|row| !row.ends_with('0')).count();
    assert!(!before[0].is_empty() && marks > 0, "somebody lived there");

    let mut milena = Milena::start_on(folder, |launch| launch).await;
    milena.program.stop().await;
    for (found, expected) in rows(&database).await.iter().zip(&before) {
        assert!(found == expected, "{} rows instead of {}", found.len(), expected.len());
    }
    let verified = milena.command(&["verify"]).run(300).await;
    assert!(verified.stdout.contains("the store equals the log"), "{}{}", verified.stdout, verified.stderr);

    let expected = tables(database.url()).await;
    let file = milena.folder().join("replayed.db");
    let mut empty = vec![("SQLite", Database::of(&format!("sqlite:{}?mode=rwc", file.display())))];
    for (name, kind) in [("PostgreSQL", Kind::Postgres), ("MariaDB", Kind::MariaDb)] {
        if let Some(server) = shared(kind).await {
            empty.push((name, Database::create_on(&server).await));
        }
    }
    for (name, database) in &empty {
        let replay = ["replay", "--json", "--database", database.url()];
        let replayed = milena.command(&replay).run(600).await;
        let last = replayed.stdout.lines().last().unwrap_or_default();
        let told: Value = serde_json::from_str(last).expect("JSON");
        assert_eq!(told["inserted"], before[0].len(), "{name}: {told}");
        must_equal(name, &tables(database.url()).await, &expected);
        tell(&format!("the log of the first version into {name}: {told}"));
    }
    tell(&format!("{} messages, {} people, {marks} read marks", before[0].len(), before[3].len()));
}
