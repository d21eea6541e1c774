//! Real conversations, found by brute force and by the index: 300 questions made of the messages themselves.
//!
//! The corpora are no part of the project. `MILENA_CORPORA` names the folder that has `sms-dm.jsonl.gz` and
//! `ubuntu-irc.jsonl.gz` (JSON lines with `sent_at`, `from`, `text`, and `to` or `room`); run by hand in a
//! release build: `cargo test --release -p milena-search --test it corpora -- --ignored --nocapture`.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use flate2::read::GzDecoder;
use jiff::tz::TimeZone;
use milena_domain::{ConversationId, Timestamp, UserId};
use milena_search::analyse::{Kind, Token, tokens};
use milena_search::{Ask, Index, Key, Known, Message, Order, Query, Scope, TantivyIndex};
use serde::Deserialize;

use crate::embedded::MEMORY_BYTES;
use crate::figures::{Dice, fill};
use crate::world::{all_pages, conversation, message, user};

const QUESTIONS: usize = 300;

#[derive(Deserialize)]
struct Line {
    sent_at: String,
    from: String,
    text: String,
    to: Option<String>,
    room: Option<String>,
}

/// All messages of the files, with their tokens, and who and what is called how.
#[derive(Default)]
struct Corpus {
    messages: Vec<Message>,
    tokens: Vec<Vec<Token>>,
    people: HashMap<String, UserId>,
    rooms: HashMap<String, ConversationId>,
}

impl Corpus {
    fn read(&mut self, path: &Path) {
        let file = GzDecoder::new(File::open(path).unwrap());
        for line in BufReader::new(file).lines() {
            let line: Line = serde_json::from_str(&line.unwrap()).unwrap();
            let author = self.person(&line.from);
            let to = line.to.as_ref().map(|name| self.person(name));
            let place = match (to, &line.room) {
                (Some(to), _) => ConversationId::direct(author, to),
                (None, Some(room)) => *self.rooms.entry(room.clone()).or_insert_with(|| conversation(1)),
                (None, None) => continue,
            };
            let mut message = message(1, self.messages.len() as i64, &line.text);
            message.conversation = place;
            message.author = author;
            message.to = to;
            message.sent_at = line.sent_at.parse().unwrap();
            self.tokens.push(tokens(&line.text));
            self.messages.push(message);
        }
    }

    fn person(&mut self, name: &str) -> UserId {
        let next = user(self.people.len() as u128 + 1);
        *self.people.entry(name.to_owned()).or_insert(next)
    }

    fn name_of(&self, person: UserId) -> &str {
        self.people.iter().find(|(_, id)| **id == person).map(|(name, _)| name).unwrap()
    }

    fn known(&self) -> Known {
        Known {
            me: self.messages[0].author,
            people: self.people.iter().map(|(name, id)| (name.clone(), vec![*id])).collect(),
            conversations: self.rooms.iter().map(|(name, id)| (format!("#{name}"), vec![*id])).collect(),
            zone: TimeZone::UTC,
            now: Timestamp::from_unix_ms(1_790_000_000_000),
        }
    }

    fn answer(&self, ask: &Ask) -> Vec<Key> {
        let all = self.messages.iter().zip(&self.tokens);
        let mut hits: Vec<Key> = all
            .filter(|(message, _)| ask.scope.allows(message.conversation, message.position))
            .filter_map(|(one, text)| Some(ask.filter.matches_tokens(one, text)?.key(one, ask.order)))
            .collect();
        hits.sort_unstable_by(|a, b| b.cmp(a));
        hits
    }
}

/// A question made of a message, which therefore answers it; `None` when the message has not what it takes.
fn question(kind: usize, corpus: &Corpus, dice: &mut Dice) -> Option<String> {
    let number = dice.next(corpus.messages.len());
    let (message, text) = (&corpus.messages[number], &corpus.tokens[number]);
    let words: Vec<&str> =
        text.iter().filter(|one| one.kind == Kind::Word).map(|one| one.text.as_str()).collect();
    let word = *words.get(dice.next(words.len().max(1)))?;
    let written = |from: &Token, to: &Token| message.body[from.bytes.start..to.bytes.end].replace('"', " ");
    let day = message.sent_at.to_string()[..10].to_owned();
    match kind {
        0 => Some(word.to_owned()),
        1 => Some(word.chars().take(3).collect()),
        2 => Some(format!("{word} {}", words.last()?)),
        3 | 4 => {
            let length = kind - 1;
            let from = dice.next(text.len().checked_sub(length)?.max(1));
            Some(format!("\"{}\"", written(text.get(from)?, text.get(from + length - 1)?)))
        }
        5 => Some(format!("{word} -{}", words.first()?)),
        6 => Some(format!("from:\"{}\" {word}", corpus.name_of(message.author))),
        7 => Some(format!("on:{day} {word}")),
        8 => Some(format!("has:link before:{day} {word}")),
        _ => Some(format!("in:#ubuntu after:{} {word} {}", &day[..4], words.first()?)),
    }
}

/// Some Chinese characters of a message, one to four.
fn chinese(corpus: &Corpus, dice: &mut Dice) -> Option<String> {
    let number = dice.next(corpus.messages.len());
    let body: Vec<char> = corpus.messages[number].body.chars().collect();
    let length = 1 + dice.next(4);
    let from = dice.next(body.len().checked_sub(length)? + 1);
    let part = &body[from..from + length];
    part.iter().all(|c| ('\u{4e00}'..='\u{9fff}').contains(c)).then(|| part.iter().collect())
}

#[tokio::test]
#[ignore = "needs corpora that are no part of the project, named by MILENA_CORPORA"]
async fn corpora() {
    let folder = std::env::var("MILENA_CORPORA").expect("MILENA_CORPORA names the folder with the corpora");
    let mut corpus = Corpus::default();
    for file in ["sms-dm.jsonl.gz", "ubuntu-irc.jsonl.gz"] {
        corpus.read(&Path::new(&folder).join(file));
    }
    let text_bytes: usize = corpus.messages.iter().map(|message| message.body.len()).sum();
    let place = tempfile::tempdir().unwrap();
    let index_bytes = fill(place.path(), &corpus.messages).await;
    println!("messages {}, text {text_bytes} bytes", corpus.messages.len());
    println!("index_bytes_per_text_byte {:.2}", index_bytes as f64 / text_bytes as f64);
    let index = TantivyIndex::open(place.path(), MEMORY_BYTES).await.unwrap();
    let known = corpus.known();
    let mut scope = Scope::default();
    corpus.messages.iter().for_each(|message| scope.insert(message.conversation));
    let scope = Arc::new(scope);
    let mut dice = Dice(7);
    let (mut asked, mut hits, mut times) = (0, 0, Vec::new());
    while asked < QUESTIONS {
        let is_chinese = asked % 3 == 0;
        let made =
            if is_chinese { chinese(&corpus, &mut dice) } else { question(asked % 10, &corpus, &mut dice) };
        // What a message says may also be an operator, or nothing that is searched for.
        let Some(query) = made else { continue };
        let Ok(parsed) = Query::parse(&query) else { continue };
        let filter = known.filter(&parsed).unwrap();
        let order = if asked % 2 == 0 { Order::Newest } else { Order::Relevance };
        let ask = Ask { filter, scope: Arc::clone(&scope), order, after: None, limit: 100 };
        let expected = corpus.answer(&ask);
        let began = Instant::now();
        let page = index.search(ask.clone()).await.unwrap();
        times.push(began.elapsed());
        assert_eq!(page.hits, expected[..expected.len().min(100)], "{query}");
        if expected.len() < 20_000 {
            assert_eq!(all_pages(&index, &ask, 100).await, expected, "{query}");
        }
        if is_chinese {
            // Without the analyser: whatever has these characters beside each other.
            let contains = corpus.messages.iter().filter(|message| message.body.contains(&query)).count();
            assert_eq!(contains, expected.len(), "{query}");
        }
        hits += expected.len();
        asked += 1;
    }
    times.sort_unstable();
    println!("{asked} questions, {hits} hits, all as the matcher says");
    println!("p50 {:.1?} p99 {:.1?}", times[asked / 2], times[asked * 99 / 100]);
}
