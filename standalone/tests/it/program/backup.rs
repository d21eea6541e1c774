//! `milena backup` while people write, and what `milena restore` makes of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::client::{Accepted, PASSWORD, Rest};
use crate::world::{Milena, number, tell, until};

/// Accepted before the backup begins.
const BEFORE: usize = 60;

/// What was accepted so far. Written by the one who writes, read by the test.
type Ledger = Arc<Mutex<Vec<Accepted>>>;

/// Writes until it is told to stop; now and then somebody new comes and writes too.
async fn writes(rest: Rest, to: Uuid, ledger: Ledger, stop: CancellationToken) {
    let mut writer = rest.of(&rest.register("ann").await);
    for n in 0.. {
        if stop.is_cancelled() {
            return;
        }
        if n % 25 == 24 {
            writer = rest.of(&rest.register(&format!("guest{n}")).await);
        }
        let accepted = writer.send_accepted(to, &format!("c-{n}"), &format!("letter {n}")).await;
        ledger.lock().unwrap().push(accepted);
    }
}

/// All that somebody was told, by the ids of the messages.
async fn told(rest: &Rest) -> BTreeSet<(Uuid, i64)> {
    let mut told = BTreeSet::new();
    for conversation in rest.conversations().await {
        for message in rest.messages_after(conversation.id, -1).await {
            assert!(told.insert((message.id, message.position)), "it comes twice");
        }
    }
    told
}

/// `milena` on what was restored: nothing accepted before is missing, nothing is there that nobody said, and
/// log and store are equal.
async fn holds(folder: TempDir, before: &[Accepted], all: &[Accepted]) {
    let milena = Milena::start_on(folder, |launch| launch).await;
    let rest = milena.rest();
    let bob = rest.of(&rest.login("bob", PASSWORD).await);
    let of = |accepted: &[Accepted]| -> BTreeSet<(Uuid, i64)> {
        accepted.iter().map(|accepted| (accepted.id, accepted.position)).collect()
    };
    let (before, all) = (of(before), of(all));
    until("bob has what was accepted before the backup", 60, async || told(&bob).await.is_superset(&before))
        .await;
    let told = told(&bob).await;
    // The last one may be in the log without its writer having heard of it.
    assert!(told.difference(&all).count() <= 1, "{:?}", told.difference(&all));
    rest.of(&rest.login("ann", PASSWORD).await).send_accepted(uuid_of(&bob).await, "anew", "hello").await;
    let verified = milena.command(&["verify", "--json"]).run(60).await;
    assert!(verified.status.success(), "{}{}", verified.stdout, verified.stderr);
    tell(&format!("{} accepted before, {} in the backup, {} in all", before.len(), told.len(), all.len()));
}

async fn uuid_of(rest: &Rest) -> Uuid {
    rest.get("me").await.body["id"].as_str().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn taken_while_people_write_it_has_all_that_was_accepted_before() {
    let milena = Milena::start().await;
    let (rest, ledger, stop) = (milena.rest(), Ledger::default(), CancellationToken::new());
    let bob = rest.register("bob").await;
    let writing = tokio::spawn(writes(rest, bob.person.id, Arc::clone(&ledger), stop.clone()));
    let count = || ledger.lock().unwrap().len();
    until("some are accepted", 60, async || count() >= BEFORE).await;
    let places = tempfile::tempdir().unwrap();
    let mut backups = Vec::new();
    for round in 0..number("MILENA_TEST_BACKUPS", 2) {
        let name =
            places.path().join(if round % 2 == 0 { format!("{round}.tar.gz") } else { round.to_string() });
        let before = ledger.lock().unwrap().clone();
        let made = milena.command(&["backup", name.to_str().unwrap(), "--json"]).run(60).await;
        assert!(made.status.success(), "{}", made.stderr);
        let said: Value = serde_json::from_str(&made.stdout).unwrap();
        assert!(said["bytes"].as_u64().unwrap() > 0 && said["files"].as_u64().unwrap() > 3, "{said}");
        backups.push((name, before));
    }
    let seen = count();
    until("more are accepted", 60, async || count() > seen + 20).await;
    stop.cancel();
    writing.await.unwrap();
    let all = ledger.lock().unwrap().clone();
    drop(milena);
    for (backup, before) in backups {
        let folder = tempfile::tempdir().unwrap();
        let restored =
            Milena::command_on(folder.path(), &["restore", backup.to_str().unwrap()]).run(60).await;
        assert!(restored.status.success(), "{}", restored.stderr);
        let data = folder.path().join("data");
        assert!(!data.join("search").exists() && !data.join("log.address").exists());
        holds(folder, &before, &all).await;
    }
    // Nothing is left of what was on its way.
    let left = fs::read_dir(places.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(left.filter(|name| name.to_string_lossy().contains("partial")).count(), 0);
}

async fn refused(folder: &Path, arguments: &[&str]) -> String {
    let finished = Milena::command_on(folder, arguments).run(60).await;
    assert!(!finished.status.success(), "{arguments:?}: {}", finished.stdout);
    assert_eq!(finished.stderr.trim_end().lines().count(), 1, "{}", finished.stderr);
    finished.stderr
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_done_is_said_and_leaves_nothing() {
    let places = tempfile::tempdir().unwrap();
    let place = |name: &str| places.path().join(name).to_str().unwrap().to_owned();
    let nothing = tempfile::tempdir().unwrap();
    let said = refused(nothing.path(), &["backup", &place("never.tar.gz")]).await;
    assert!(said.contains("is no data folder of milena"), "{said}");
    let folder = Milena::start().await.stop_and_keep().await;
    fs::write(place("there.tar.gz"), "something else").unwrap();
    let said = refused(folder.path(), &["backup", &place("there.tar.gz")]).await;
    assert!(said.contains("exists already"), "{said}");
    let said = refused(folder.path(), &["backup", &place("missing/x.tar.gz")]).await;
    assert!(said.contains("there is no folder"), "{said}");
    let inside = folder.path().join("data/backup");
    let said = refused(folder.path(), &["backup", inside.to_str().unwrap()]).await;
    assert!(said.contains("must not be inside"), "{said}");
    // Nobody runs on it: that makes no difference.
    let made = Milena::command_on(folder.path(), &["backup", &place("good.tar.gz")]).run(60).await;
    assert!(made.status.success() && made.stdout.contains("good.tar.gz"), "{}", made.stderr);
    let said = refused(folder.path(), &["restore", &place("good.tar.gz")]).await;
    assert!(said.contains("holds something already"), "{said}");
    let said = refused(nothing.path(), &["restore", &place("missing.tar.gz")]).await;
    assert!(said.contains("cannot be opened"), "{said}");
    let whole = fs::read(place("good.tar.gz")).unwrap();
    fs::write(place("half.tar.gz"), &whole[..whole.len() / 2]).unwrap();
    for bad in ["half.tar.gz", "there.tar.gz"] {
        let said = refused(nothing.path(), &["restore", &place(bad)]).await;
        assert!(said.contains("is no backup of milena"), "{said}");
    }
    assert_eq!(fs::read_dir(nothing.path()).unwrap().count(), 0, "nothing is left");
    let names =
        fs::read_dir(places.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
    assert_eq!(names.len(), 3, "{names:?}");
}
