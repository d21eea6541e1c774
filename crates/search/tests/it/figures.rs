//! How fast and how large: 200,000 made-up messages. Printed, not asserted; run by hand in a release build:
//! `cargo test --release -p milena-search --test it figures -- --ignored --nocapture`.

#![allow(clippy::print_stdout, reason = "figures are for whoever asks for them")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use milena_domain::Timestamp;
use milena_search::{Ask, Change, Index, Message, Order, Scope, TantivyIndex};

use crate::embedded::MEMORY_BYTES;
use crate::world::{BEGIN_MS, checkpoint, conversation, filter, message, user};

const MESSAGES: i64 = 200_000;
const COMMIT_EVERY: usize = 10_000;
const ROUNDS: usize = 100;

/// A generator that is the same everywhere (SplitMix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % below as u64) as usize
    }
}

/// Milliseconds that this process has computed for so far: what is left when others use the machine too.
pub(crate) fn cpu_ms() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    // utime and stime, in hundredths of a second (proc(5)).
    (fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()) * 10
}

/// Words as often as in a language: the n-th a share of 1/n.
fn word(dice: &mut Dice) -> String {
    let rank = 40_000_f64.powf(dice.next(1_000_000) as f64 / 1_000_000.0) as u64;
    let mut spelling = Dice(rank);
    let length = 2 + spelling.next(4) + usize::from(rank > 100) * 2;
    (0..length)
        .map(|n| {
            char::from(if n % 2 == 0 {
                b"bcdfghjklmnprstvwz"[spelling.next(18)]
            } else {
                b"aeiou"[spelling.next(5)]
            })
        })
        .collect()
}

fn messages() -> Vec<Message> {
    let mut dice = Dice(1);
    let one = |n: i64| {
        let length = 1 + dice.next(18);
        let words: Vec<String> = (0..length).map(|_| word(&mut dice)).collect();
        let mut message = message(1 + dice.next(2_000) as u128, n, &words.join(" "));
        message.author = user(1 + dice.next(500) as u128);
        message.sent_at = Timestamp::from_unix_ms(BEGIN_MS + n * 1_000);
        message
    };
    (0..MESSAGES).map(one).collect()
}

/// Writes them all, commits now and then, and waits for what is merged.
pub(crate) async fn fill(folder: &std::path::Path, messages: &[Message]) -> u64 {
    let index = TantivyIndex::open(folder, MEMORY_BYTES * 4).await.unwrap();
    let (began, cpu_began_ms) = (Instant::now(), cpu_ms());
    for (number, part) in messages.chunks(COMMIT_EVERY).enumerate() {
        for few in part.chunks(1_000) {
            let changes =
                few.iter().map(|message| Change::Put { message: message.clone(), at: message.position });
            index.write(changes.collect()).await.unwrap();
        }
        index.commit(checkpoint(number as i64)).await.unwrap();
    }
    let (took, cpu) = (began.elapsed(), Duration::from_millis(cpu_ms() - cpu_began_ms));
    let rate = |time: Duration| messages.len() as f64 / time.as_secs_f64();
    println!("index_rows_per_s {:.0}, of computing {:.0}", rate(took), rate(cpu));
    index.close().await.unwrap();
    let index = TantivyIndex::open(folder, MEMORY_BYTES).await.unwrap();
    index.commit(checkpoint(0)).await.unwrap();
    assert_eq!(index.count().await.unwrap(), messages.len() as u64);
    let mut kinds = std::collections::BTreeMap::<String, u64>::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let kind = entry.path().extension().unwrap_or_default().to_string_lossy().into_owned();
        *kinds.entry(kind).or_default() += entry.metadata().unwrap().len();
    }
    println!("bytes by kind of file: {kinds:?}");
    index.size_bytes().await.unwrap()
}

/// A query, of dice and of some message.
type Made = fn(&mut Dice, &Message) -> String;

#[tokio::test]
#[ignore = "figures, for a release build by hand"]
async fn figures() {
    let messages = messages();
    let text_bytes: usize = messages.iter().map(|message| message.body.len()).sum();
    let folder = tempfile::tempdir().unwrap();
    let index_bytes = fill(folder.path(), &messages).await;
    println!("messages {MESSAGES}, text {text_bytes} bytes ({} a message)", text_bytes / MESSAGES as usize);
    println!("index_bytes_per_text_byte {:.2}", index_bytes as f64 / text_bytes as f64);
    let index = TantivyIndex::open(folder.path(), MEMORY_BYTES).await.unwrap();
    let scope = |conversations| {
        let mut scope = Scope::default();
        (1..=conversations).for_each(|n| scope.insert(conversation(n)));
        Arc::new(scope)
    };
    let (everywhere, some) = (scope(2_000), scope(50));
    let mut dice = Dice(2);
    let kinds: [(&str, Made); 9] = [
        ("word", |dice, _| word(dice)),
        ("two words", |_, message| message.body.split(' ').take(2).collect::<Vec<_>>().join(" ")),
        ("phrase", |_, message| {
            format!("\"{}\"", message.body.split(' ').take(3).collect::<Vec<_>>().join(" "))
        }),
        ("beginning of two letters", |dice, _| word(dice)[..2].to_owned()),
        ("beginning of three letters", |dice, _| word(dice).chars().take(3).collect()),
        ("word and beginning, joined", |_, message| {
            let words: Vec<&str> = message.body.split(' ').take(2).collect();
            words.join("-")
        }),
        ("word without another", |dice, _| format!("{} -{}", word(dice), word(dice))),
        ("of a person", |dice, _| format!("from:u{} {}", 1 + dice.next(9), word(dice))),
        ("in a conversation", |dice, _| format!("in:#c{}", 1 + dice.next(9))),
    ];
    for (scope, where_to) in [(&everywhere, "2,000 conversations"), (&some, "50 conversations")] {
        for order in [Order::Newest, Order::Relevance] {
            for (kind, query) in kinds {
                let (mut times, cpu_began_ms) = (Vec::new(), cpu_ms());
                for _ in 0..ROUNDS {
                    let about = &messages[dice.next(messages.len())];
                    let filter = filter(&query(&mut dice, about));
                    let ask = Ask { filter, scope: Arc::clone(scope), order, after: None, limit: 20 };
                    let began = Instant::now();
                    index.search(ask).await.unwrap();
                    times.push(began.elapsed());
                }
                times.sort_unstable();
                let (p50, p99) = (times[ROUNDS / 2], times[ROUNDS * 99 / 100]);
                let cpu = (cpu_ms() - cpu_began_ms) as f64 / ROUNDS as f64;
                println!("{where_to}, {order:?}, {kind}: p50 {p50:.1?} p99 {p99:.1?} computing {cpu:.1}ms");
            }
        }
    }
}
