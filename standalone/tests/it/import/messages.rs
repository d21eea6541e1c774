//! A file of real conversations through the log into all three databases: row for row equal to the file.

use std::collections::BTreeMap;
use std::io::Write;

use crate::client::{Message, Person, Rest};
use crate::ledger::{Corpus, Line};
use crate::world::{Cluster, Database, Finished, Kind, Milena, Program, Row, Services, tell, turn, until};

const PASSWORD: &str = "imported people";

/// Every line is a row, in the order of the file within each conversation, and there is nothing else.
async fn equals(database: &Database, corpus: &Corpus) {
    let rows = database.messages().await;
    assert_eq!(rows.len(), corpus.lines.len());
    let mut stored: BTreeMap<(String, String), Vec<Row>> = BTreeMap::new();
    for row in rows {
        let (one, two) = (row.sender.clone(), row.recipient.clone());
        stored.entry(if one <= two { (one, two) } else { (two, one) }).or_default().push(row);
    }
    let expected = corpus.conversations();
    assert_eq!(stored.len(), expected.len());
    assert_eq!(database.count("conversations").await, expected.len() as i64);
    assert_eq!(database.count("users").await, corpus.people() as i64);
    for (pair, lines) in expected {
        let rows = &stored[&pair];
        assert_eq!(rows.len(), lines.len(), "{pair:?}");
        assert!(rows.iter().all(|row| row.conversation == rows[0].conversation), "{pair:?}");
        for (row, line) in rows.iter().zip(lines) {
            let stored = (&row.client_id, &row.sender, &row.recipient, &row.body, row.sent_at_ms);
            assert_eq!(stored, (&line.id, &line.from, &line.to, &line.text, line.sent_at_ms()));
        }
    }
}

/// History of the longest conversation, forwards and backwards, is the file's.
async fn history_equals(rest: &Rest, corpus: &Corpus) {
    let conversations = corpus.conversations();
    let (pair, lines) = conversations.iter().max_by_key(|(_, lines)| lines.len()).expect("not empty");
    let account = rest.login(&pair.0, PASSWORD).await;
    let one = rest.of(&account);
    let list = one.conversations().await;
    let is_theirs = |person: &Person| person.username == pair.1;
    let found = list.iter().find(|conversation| conversation.person.as_ref().is_some_and(is_theirs));
    let conversation = found.expect("in the list").id;
    let expected: Vec<(&str, i64, bool)> =
        lines.iter().map(|line| (&*line.text, line.sent_at_ms(), line.from == pair.0)).collect();
    for messages in [one.messages_after(conversation, -1).await, one.messages_backwards(conversation).await] {
        assert!(messages.windows(2).all(|pair| pair[0].position < pair[1].position));
        // Only own messages tell their client_id.
        let own = |message: &Message| message.sender == account.person.id;
        assert!(messages.iter().all(|message| message.client_id.is_some() == own(message)));
        let shown: Vec<(&str, i64, bool)> = messages
            .iter()
            .map(|message| {
                let sent_at: jiff::Timestamp = message.sent_at.parse().expect("RFC 3339");
                (&*message.body, sent_at.as_millisecond(), own(message))
            })
            .collect();
        assert_eq!(shown, expected);
    }
}

fn succeeded(finished: &Finished, words: &str) {
    assert!(finished.status.success(), "{}{}", finished.stdout, finished.stderr);
    assert!(finished.stdout.contains(words), "{words:?} is missing in: {}", finished.stdout);
}

fn told(store: &str, corpus: &Corpus, first: &Finished, second: &Finished) {
    tell(&format!(
        "import into {store}: {} messages, {} conversations, {} people in {:.1} s; again in {:.1} s",
        corpus.lines.len(),
        corpus.conversations().len(),
        corpus.people(),
        first.took.as_secs_f64(),
        second.took.as_secs_f64()
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn into_the_data_folder() {
    let _turn = turn().await;
    let folder = tempfile::tempdir().unwrap();
    let corpus = Corpus::find(folder.path());
    let count = corpus.lines.len();
    // Nobody runs on the folder: the import brings broker and consumer itself.
    let first = Milena::import(folder.path(), &corpus.path, Some(PASSWORD)).await;
    succeeded(&first, &format!("{count} messages imported, 0 already there, 0 refused"));
    let database = Database::in_data_folder(&folder.path().join("data"));
    equals(&database, &corpus).await;

    // Now `milena` runs on it, and the import joins it.
    let milena = Milena::start_on(folder, |launch| launch).await;
    let second = Milena::import(milena.folder(), &corpus.path, Some(PASSWORD)).await;
    succeeded(&second, &format!("0 messages imported, {count} already there, 0 refused; 0 people created"));
    equals(&database, &corpus).await;
    history_equals(&milena.rest(), &corpus).await;
    told("SQLite", &corpus, &first, &second);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_was_killed_is_finished_by_the_next() {
    let _turn = turn().await;
    let folder = tempfile::tempdir().unwrap();
    let corpus = Corpus::find(folder.path());
    let database = Database::in_data_folder(&folder.path().join("data"));
    let stored = async || database.try_count_messages().await.unwrap_or(0);
    for part in [5, 2] {
        let mut import = Program::start(Milena::import_launch(folder.path(), &corpus.path));
        let enough = (corpus.lines.len() / part) as i64;
        until("a part of the file is stored", 120, async || stored().await >= enough).await;
        assert!(import.is_running(), "it ended before it could be killed");
        import.kill();
    }
    let finished = Milena::import(folder.path(), &corpus.path, None).await;
    succeeded(&finished, ", 0 refused");
    equals(&database, &corpus).await;
}

async fn into_a_server(kind: Kind) {
    let Some(services) = Services::shared(kind).await else { return };
    let _turn = turn().await;
    let folder = tempfile::tempdir().unwrap();
    let corpus = Corpus::find(folder.path());
    let count = corpus.lines.len();
    let cluster = Cluster::start(services, 1, 1).await;
    let first = cluster.import(&corpus.path, PASSWORD).await;
    succeeded(&first, &format!("{count} messages imported, 0 already there, 0 refused"));
    equals(&cluster.services.database, &corpus).await;
    let second = cluster.import(&corpus.path, PASSWORD).await;
    succeeded(&second, &format!("0 messages imported, {count} already there, 0 refused; 0 people created"));
    equals(&cluster.services.database, &corpus).await;
    history_equals(&cluster.rest(0), &corpus).await;
    assert_eq!(cluster.log_counts().await, (count as i64, 0), "records in the log, dead letters");
    told(&format!("{kind:?}"), &corpus, &first, &second);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn into_kafka_and_postgres() {
    into_a_server(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn into_kafka_and_mariadb() {
    into_a_server(Kind::MariaDb).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_line_is_reported_with_its_number_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let line = |number: usize| {
        let text = format!("text {number}");
        let (sent_at, from, to) = ("2010-11-11T12:23:00Z".to_owned(), "ann".to_owned(), "bob".to_owned());
        serde_json::to_vec(&Line { id: format!("m-{number}"), sent_at, from, to, text }).unwrap()
    };
    let bad: [(usize, &[u8]); 8] = [
        (3, b"{not json"),
        (5, b"\xff\xfe"),
        (8, br#"{"id":"x","sent_at":"2010-11-11T12:23:00Z","from":"ann","text":"no recipient"}"#),
        (13, br#"{"id":"x","sent_at":"yesterday","from":"ann","to":"bob","text":"no time"}"#),
        (21, br#"{"id":"x","sent_at":"2010-11-11T12:23:00Z","from":"ann","to":"bob","text":"a\u0000b"}"#),
        (34, br#"{"id":"","sent_at":"2010-11-11T12:23:00Z","from":"ann","to":"bob","text":"no id"}"#),
        (55, br#"{"id":"x","sent_at":"2010-11-11T12:23:00Z","from":"a","to":"b","room":"all","text":"t"}"#),
        (89, br#"{"id":"x","sent_at":"2010-11-11T12:23:00Z","from":"ann","to":"bob","text":""}"#),
    ];
    let path = folder.path().join("with-mistakes.jsonl");
    let mut file = std::fs::File::create(&path).unwrap();
    for number in 1..=100 {
        let good = line(number);
        let text = bad.iter().find(|(at, _)| *at == number).map_or(&*good, |(_, text)| text);
        file.write_all(text).unwrap();
        file.write_all(b"\n").unwrap();
    }
    let finished = Milena::import(folder.path(), &path, None).await;
    assert_eq!(finished.status.code(), Some(1), "{}", finished.stderr);
    let reported: Vec<&str> = finished.stderr.lines().filter(|line| line.starts_with("line ")).collect();
    assert_eq!(reported.len(), bad.len(), "{reported:?}");
    for (report, (number, _)) in reported.iter().zip(bad) {
        let rest = report.strip_prefix(&format!("line {number}: "));
        assert!(rest.is_some_and(|reason| reason.len() > 5), "{report:?} instead of line {number}");
    }
    let database = Database::in_data_folder(&folder.path().join("data"));
    let rows = database.messages().await;
    let stored: Vec<String> = rows.into_iter().map(|row| row.body).collect();
    let good = (1..=100).filter(|number| bad.iter().all(|(at, _)| at != number));
    assert_eq!(stored, good.map(|number| format!("text {number}")).collect::<Vec<_>>());
}
