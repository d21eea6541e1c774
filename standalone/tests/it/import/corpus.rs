//! One room of a channel with years behind it, from a file through the log into each store; and how it is to
//! come there as one more, to open it, and to scroll to its start.
//!
//! `MILENA_TEST_CORPUS` names the file, of messages in one room (`scripts/long corpus FILE`); without it, a
//! small one is made up.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::Rest;
use crate::rooms::Replays;
use crate::world::{Cluster, Database, Kind, Program, Services, shared, tell, turn, until};

const MADE_UP_LINES: usize = 2_500;
const MADE_UP_PEOPLE: usize = 300;
const PAGE: usize = 50;

#[derive(Deserialize)]
struct Line {
    room: String,
    from: String,
    text: String,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_room_is_imported_into_each_store_and_opens_at_once() {
    let Some(services) = Services::shared(Kind::Postgres).await else { return };
    let _turn = turn().await;
    let mut cluster = Cluster::start(services, 1, 1).await;
    let file = corpus(cluster.folder());
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<Line> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let handle = lines[0].room.clone();

    let began = Instant::now();
    let import = cluster.launch("milena", "import").argument("import").argument("--external").argument(&file);
    let (told, importer_kib) = peak(Program::start(import)).await;
    let expected = format!("{} messages imported, 0 already there, 0 refused", lines.len());
    assert!(told.contains(&expected), "{told}");
    cluster.stored(lines.len(), 600).await;
    let seconds = began.elapsed().as_secs_f64();
    let database = &cluster.services.database;
    let of = format!("conversation_id = (SELECT id FROM conversations WHERE handle = '{handle}')");
    let bodies = format!("SELECT body FROM messages WHERE {of} AND kind = 'message' ORDER BY position");
    assert!(database.texts(&bodies).await.iter().eq(lines.iter().map(|line| &line.text)), "row for row");
    let people = lines.iter().map(|line| &line.from).collect::<HashSet<_>>().len();
    let members = format!("SELECT COUNT(*) FROM memberships WHERE {of} AND to_position IS NULL");
    assert_eq!(database.number_of(&members).await, people as i64 + 1, "they, and the server");
    let verified = cluster.command_within(600, &["verify"]).await;
    assert!(verified.stdout.contains("the store equals the log"), "{}{}", verified.stdout, verified.stderr);
    let another = Database::create_on(&shared(Kind::Postgres).await.expect("it is there")).await;
    Replays::of(&cluster).all_become_the_same(Some(another)).await;

    let rest = cluster.rest(0);
    let account = rest.register("newcomer").await;
    let me = rest.of(&account);
    let room: Value = me.get(&format!("rooms/by-handle/{handle}")).await.expect(200);
    let id: Uuid = room["id"].as_str().expect("an id").parse().unwrap();
    let began = Instant::now();
    let _: Value = me.post(&format!("rooms/{id}/join"), &json!({})).await.expect(200);
    let joined = began.elapsed();
    let (opened, pages, found) = scrolled(&me, id).await;
    assert!(found.iter().rev().eq(lines.iter().map(|line| &line.text)), "all of it, in its order");
    let listed = members_paged(&me, id).await;
    assert_eq!(listed, people + 2, "they, the server and I");
    let backend_kib = cluster.backends[0].program.footprint().rss_kib;
    let consumer_kib = cluster.consumers[0].footprint().rss_kib;
    tell(&format!(
        "{} messages of {people} people imported and stored in {seconds:.1} s; importer {} MB at most, \
         consumer {} MB, backend {} MB; joined in {joined:.1?}, opened in {opened:.1?}, {} pages to the \
         start: p50 {:.1?}, p99 {:.1?}, slowest {:.1?}",
        lines.len(),
        importer_kib >> 10,
        consumer_kib >> 10,
        backend_kib >> 10,
        pages.len(),
        pages[pages.len() / 2],
        pages[pages.len() * 99 / 100],
        pages[pages.len() - 1],
    ));
    cluster.backends[0].program.stop().await;
}

/// The file that is named, or one that is made up.
fn corpus(folder: &Path) -> PathBuf {
    if let Some(file) = std::env::var_os("MILENA_TEST_CORPUS") {
        return file.into();
    }
    let file = folder.join("corpus.jsonl");
    let line = |number: usize| {
        let from = format!("{}|away", number * 37 % MADE_UP_PEOPLE);
        let (id, text, sent_at) = (format!("n-{number}"), format!("line {number}"), "2004-11-15T12:18:00Z");
        json!({"id": id, "sent_at": sent_at, "room": "ubuntu", "from": from, "text": text})
    };
    let lines: Vec<String> = (0..MADE_UP_LINES).map(|number| line(number).to_string()).collect();
    std::fs::write(&file, lines.join("\n")).unwrap();
    file
}

/// Lets it end; what it said, and the memory that it had at most.
async fn peak(mut program: Program) -> (String, u64) {
    let status = format!("/proc/{}/status", program.id());
    let mut most_kib = 0;
    until("the import ends", 1_200, async || {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = peak.and_then(|peak| peak.trim().trim_end_matches("kB").trim().parse().ok());
        most_kib = most_kib.max(kib.unwrap_or(0));
        !program.is_running()
    })
    .await;
    (program.said(), most_kib)
}

/// From the newest page to the first message: how long the first took, all of them sorted, and what was read.
async fn scrolled(me: &Rest, room: Uuid) -> (Duration, Vec<Duration>, Vec<String>) {
    let (mut found, mut times, mut before) = (Vec::new(), Vec::new(), String::new());
    loop {
        let began = Instant::now();
        let page = me.page(room, &format!("limit={PAGE}{before}")).await;
        times.push(began.elapsed());
        found.extend(page.messages.iter().rev().map(|message| message.body.clone()));
        if !page.has_before {
            let opened = times[0];
            times.sort_unstable();
            return (opened, times, found);
        }
        before = format!("&before={}", page.messages[0].position);
    }
}

/// How many members the pages of the list have together.
async fn members_paged(me: &Rest, room: Uuid) -> usize {
    let (mut names, mut after) = (HashSet::new(), String::new());
    loop {
        let page: Value = me.get(&format!("rooms/{room}/members?limit=100{after}")).await.expect(200);
        let members = page["members"].as_array().expect("a list");
        names.extend(members.iter().map(|member| member["user"]["id"].to_string()));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return names.len(),
        }
    }
}
