//! Programs of the first version, replaced one by one while people go on writing: in the order of
//! docs/OPERATIONS.md, "Upgrade", and what stands there of old programs beside new ones is seen to be so.
//!
//! `MILENA_TEST_OLD_PROGRAMS` names a folder with `backend` and `kafka-consumer` of that version,
//! `scripts/long rolling-upgrade`; without it nothing is tested here (building them takes longer than the
//! rest of the suite).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::client::{Account, Rest};
use crate::ledger::{Crowd, audit};
use crate::rooms::{must_equal, tables};
use crate::world::{Cluster, Database, Kind, Services, number, shared, tell, turn};

const PEOPLE: usize = 60;
/// Messages of all together, a second, while programs are replaced.
const PER_SECOND: f64 = 150.0;
/// Messages that must be accepted between two steps.
const BETWEEN: usize = 500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_are_replaced_one_by_one_while_people_write() {
    let Some(old) = std::env::var_os("MILENA_TEST_OLD_PROGRAMS").map(PathBuf::from) else { return };
    for (name, kind) in [("PostgreSQL", Kind::Postgres), ("MariaDB", Kind::MariaDb)] {
        let Some(services) = Services::shared(kind).await else { continue };
        let _turn = turn().await;
        replaced(name, kind, services, &old).await;
    }
}

async fn replaced(name: &str, kind: Kind, services: Services, old: &Path) {
    let mut cluster = Cluster::start_other_version(services, 2, 2, old).await;
    let crowd = Crowd::gather(&cluster.addresses(), PEOPLE).await;
    // What the old consumers stored by themselves.
    crowd.talk(number("MILENA_TEST_MESSAGES", 20_000), 1).join_all().await;
    crowd.all_accepted(300).await;
    cluster.stored(crowd.sent().len(), 120).await;
    let before = crowd.sent().len();
    let marks = read_something(&cluster, &crowd).await;

    let stop = CancellationToken::new();
    let writing = tokio::spawn({
        let (crowd, stop) = (Arc::clone(&crowd), stop.clone());
        async move { crowd.chat(PER_SECOND, 2, stop).await }
    });
    on(&crowd).await;
    cluster.replace_consumer(0).await;
    on(&crowd).await;
    old_ones_cannot_start_again(&cluster, old).await;
    cluster.replace_consumer(1).await;
    on(&crowd).await;
    cluster.replace_backend(0).await;
    let beside = Beside::begin(&cluster).await;
    on(&crowd).await;
    cluster.replace_backend(1).await;
    on(&crowd).await;
    assert!(!writing.is_finished(), "people wrote to the end");
    stop.cancel();
    writing.await.unwrap();
    crowd.all_accepted(120).await;
    crowd.settle(3).await;
    beside.end(&cluster).await;

    cluster.stored(crowd.sent().len() + Beside::ROWS, 120).await;
    let mut rows = cluster.services.database.messages().await;
    rows.retain(|row| crowd.members.iter().any(|member| member.account.person.username == row.sender));
    audit(&crowd, &rows).must_agree(&format!("{name}, programs replaced one by one"));
    for (member, path, position) in marks {
        let read = cluster.rest(0).of(&crowd.members[member].account).get(&path).await.expect::<Value>(200);
        assert!(read["last_read"].as_i64() >= Some(position), "{name}: {read} instead of {position}");
    }

    assert_eq!(cluster.log_counts().await.1, 0, "{name}: dead letters");
    let verified = cluster.command_within(300, &["verify"]).await;
    assert!(verified.stdout.contains("the store equals the log"), "{}{}", verified.stdout, verified.stderr);
    // The log read by one new program alone makes the same of it.
    let empty = Database::create_on(&shared(kind).await.expect("it was there")).await;
    let replayed = cluster.command_within(300, &["replay", "--json", "--database", empty.url()]).await;
    assert!(replayed.status.success(), "{}{}", replayed.stdout, replayed.stderr);
    must_equal(name, &tables(cluster.services.database.url()).await, &tables(empty.url()).await);
    tell(&format!("{name}: {before} messages stored by old programs, {} accepted in all", rows.len()));
}

/// People go on writing, and are answered.
async fn on(crowd: &Crowd) {
    let count = crowd.progress.count();
    crowd.progress.reaches(count + BETWEEN, 60).await;
}

/// Some people read all that they have, through an old backend: who, where, and up to what.
async fn read_something(cluster: &Cluster, crowd: &Crowd) -> Vec<(usize, String, i64)> {
    let mut marks = Vec::new();
    for member in 0..10 {
        let rest = cluster.rest(member % 2).of(&crowd.members[member].account);
        for conversation in rest.conversations().await {
            let path = format!("conversations/{}", conversation.id);
            let position = conversation.last_position;
            let answer = rest.put(&format!("{path}/read"), &json!({"position": position})).await;
            assert_eq!(answer.status, 204, "{}", answer.body);
            marks.push((member, path, position));
        }
    }
    marks
}

/// What OPERATIONS says of programs of the first version once a newer one has migrated the database.
async fn old_ones_cannot_start_again(cluster: &Cluster, old: &Path) {
    for (program, arguments) in [("kafka-consumer", &["run"] as &[&str]), ("backend", &[])] {
        let refused = cluster.run_other_version(old.join(program), arguments).await;
        assert!(!refused.status.success(), "an old {program} started");
        assert!(refused.stderr.contains("this migration has been applied"), "{program}: {}", refused.stderr);
    }
}

/// Two people, of whom one is at a new backend and one at an old one.
struct Beside {
    at_new: Account,
    at_old: Account,
    room: String,
}

impl Beside {
    /// What they leave in the store: the room, a message in it, and one from each to the other.
    const ROWS: usize = 4;

    async fn begin(cluster: &Cluster) -> Self {
        let (new, old) = (cluster.rest(0), cluster.rest(1));
        let (at_new, at_old) = (new.register("at-new").await, old.register("at-old").await);
        let creation = json!({
            "client_id": "c-1", "handle": "letters", "title": "Letters", "members": [at_old.person.id],
        });
        let created: Value = new.of(&at_new).post_until_taken("rooms", &creation).await.expect(201);
        let room = created["room"]["id"].as_str().expect("an id").to_owned();
        let messages = format!("conversations/{room}/messages");
        let said = new.of(&at_new).post(&messages, &json!({"body": "in the room"})).await;
        assert_eq!(said.status, 202, "{}", said.body);
        // The old backend knows of no rooms, and goes on with what two people say to each other.
        assert_eq!(old.of(&at_old).get(&format!("rooms/{room}")).await.status, 404);
        assert_eq!(old.of(&at_old).get(&messages).await.status, 404);
        for (rest, from, to) in [(&new, &at_new, &at_old), (&old, &at_old, &at_new)] {
            rest.of(from).send_accepted(to.person.id, "d-1", "between versions").await;
        }
        let this = Self { at_new, at_old, room };
        this.both_have(&new, &this.at_new).await;
        this.both_have(&old, &this.at_old).await;
        this
    }

    /// What was said between the versions is in somebody's history at once, wherever they ask.
    async fn both_have(&self, rest: &Rest, who: &Account) {
        let rest = rest.of(who);
        let list = rest.conversations().await;
        let direct = list.iter().find(|one| one.person.is_some()).expect("they wrote to each other");
        crate::world::until("both messages are there", 20, async || {
            rest.try_messages_after(direct.id, 0, i64::MAX).await.is_some_and(|all| all.len() == 2)
        })
        .await;
    }

    /// All is upgraded: who was at an old backend has the room, and everything in it.
    async fn end(&self, cluster: &Cluster) {
        let rest = cluster.rest(1).of(&self.at_old);
        let path = format!("conversations/{}/events", self.room);
        let page: Value = Rest::ask(rest.request(Method::GET, &path)).await.expect(200);
        let kinds: Vec<&str> =
            page["events"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect();
        assert_eq!((kinds, &page["complete"]), (vec!["room_created", "message"], &json!(true)));
        assert!(rest.conversations().await.iter().any(|one| one.person.is_none()), "the room is listed");
        self.both_have(&cluster.rest(0), &self.at_new).await;
    }
}
