//! Random messages, changes, deaths and questions: the index says what the matcher says of all messages, in
//! the same order.

use std::sync::Arc;

use milena_domain::record::{History, Role};
use milena_search::{Change, Index, Order, Query, Scope};
use milena_timeline::Interval;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};

use super::Engine;
use crate::world::{World, all_pages, at, checkpoint, conversation, known, message, user};

/// Worlds, and questions to each.
const WORLDS: usize = 8;
const QUESTIONS: usize = 40;

/// Words that share beginnings, characters, cases and parts, so that questions find something.
const WORDS: &[&str] = &[
    "fox",
    "Foxes",
    "FÖX",
    "foo",
    "foo-bar",
    "foo-bar/baz",
    "bar",
    "a",
    "ab",
    "abc",
    "std::vec",
    "vec",
    "C:\\Users",
    "1.27",
    "1",
    "Straße",
    "strasse",
    "你好",
    "你好吗",
    "好",
    "好吗",
    "吗",
    "你",
    "世界",
    "用git",
    "git",
    "東京",
    "京",
    "학교에서",
    "교에",
    "ไทย",
    "ภาษาไทย",
    "👍",
    "👍🏽",
    "❤️",
    "😂😂",
    "don't",
    "السلام",
    "हिन्दी",
    "https://a.example",
];

fn body() -> impl Strategy<Value = String> {
    let piece =
        (prop::sample::select(WORDS), prop::sample::select(&[" ", " ", " ", "", ", ", "-", "。"][..]));
    prop::collection::vec(piece, 1..9)
        .prop_map(|pieces| pieces.iter().map(|(word, between)| format!("{word}{between}")).collect())
}

fn a_message() -> impl Strategy<Value = milena_search::Message> {
    let flags = prop::array::uniform5(prop::bool::weighted(0.2));
    let who = (1..4_u128, prop::option::weighted(0.3, 1..4_u128), prop::collection::vec(1..4_u128, 0..2));
    (1..5_u128, 0..40_i64, body(), flags, who, 0..4_i64).prop_map(
        |(place, offset, body, flags, who, late)| {
            let mut message = message(place, offset, &body);
            // Some at the same time.
            message.sent_at = message.sent_at.plus_ms(-late * 60_000);
            [message.everyone, message.reply, message.edited, message.reacted, message.pinned] = flags;
            message.author = user(who.0);
            message.to = who.1.map(user);
            message.mentions = who.2.into_iter().map(user).collect();
            message
        },
    )
}

#[derive(Debug, Clone)]
enum Step {
    Change(Change),
    Commit,
    Die,
}

fn step() -> impl Strategy<Value = Step> {
    let place = (1..5_u128, 0..40_i64);
    prop_oneof![
        30 => a_message().prop_map(|message| Step::Change(Change::Put { at: message.position, message })),
        6 => place.prop_map(|(place, offset)| Step::Change(Change::Remove {
            conversation: conversation(place), position: at(offset), at: at(offset)
        })),
        2 => Just(Step::Commit),
        1 => Just(Step::Die),
    ]
}

fn query() -> impl Strategy<Value = String> {
    let word = || prop::sample::select(WORDS).prop_map(str::to_owned);
    let part = word().prop_flat_map(|word| {
        let chars: Vec<char> = word.chars().collect();
        (0..chars.len(), 1..=4_usize)
            .prop_map(move |(from, length)| chars.iter().skip(from).take(length).collect())
    });
    let operator = prop::sample::select(
        &[
            "from:u1",
            "-from:u1",
            "from:u2",
            "in:#c1",
            "-in:#c2",
            "to:me",
            "mentions:me",
            "has:link",
            "has:reaction",
            "-has:pin",
            "is:reply",
            "-is:edited",
            "before:today",
            "on:today",
            "after:yesterday",
        ][..],
    );
    let term = prop_oneof![
        4 => word(),
        3 => part,
        2 => (word(), word()).prop_map(|(a, b)| format!("\"{a} {b}\"")),
        2 => body().prop_map(|body| format!("\"{}\"", body.replace('"', ""))),
        2 => word().prop_map(|word| format!("-{word}")),
        2 => operator.prop_map(str::to_owned),
    ];
    prop::collection::vec(term, 1..4).prop_map(|terms| terms.join(" "))
}

fn scope() -> impl Strategy<Value = Scope> {
    let ends = (0..40_i64, prop::option::of(0..40_i64));
    let seen = prop_oneof![Just(None), prop::collection::vec(ends, 0..3).prop_map(Some)];
    (prop::collection::vec(seen, 0..5), any::<bool>()).prop_map(|(rooms, is_wide)| {
        let mut scope = Scope::default();
        for (n, seen) in (1..).zip(rooms) {
            let interval = |(from, to): (i64, Option<i64>)| Interval {
                role: Role::Member,
                from: at(from),
                to: to.map(at),
            };
            match seen {
                None => scope.insert(conversation(n)),
                Some(ends) => {
                    let intervals: Vec<_> = ends.into_iter().map(interval).collect();
                    scope.insert_room(conversation(n), History::SinceJoin, &intervals);
                }
            }
        }
        if is_wide {
            (100..200).for_each(|n| scope.insert(conversation(n)));
        }
        scope
    })
}

pub(crate) async fn answers_are_what_the_matcher_says<E: Engine>() {
    let mut runner = TestRunner::new(Config::default());
    let mut found = 0;
    for _ in 0..WORLDS {
        let steps = prop::collection::vec(step(), 20..150).new_tree(&mut runner).unwrap().current();
        let engine = E::new().await;
        let (index, world) = live(&engine, &steps).await;
        assert_eq!(index.count().await.unwrap(), world.messages.len() as u64);
        for _ in 0..QUESTIONS {
            let (query, scope, order, limit) =
                (query(), scope(), prop::sample::select(&[Order::Newest, Order::Relevance][..]), 1..30_usize)
                    .new_tree(&mut runner)
                    .unwrap()
                    .current();
            let Ok(parsed) = Query::parse(&query) else { continue };
            let filter = known().filter(&parsed).unwrap();
            let ask = milena_search::Ask { filter, scope: Arc::new(scope), order, after: None, limit };
            let expected = world.answer(&ask);
            found += expected.len();
            let answered = all_pages(&index, &ask, limit).await;
            assert_eq!(answered, expected, "{query:?}, {order:?}, in {:?}, of {world:#?}", ask.scope);
        }
    }
    assert!(found > WORLDS * QUESTIONS, "questions that find nothing prove nothing (found {found})");
}

/// Does the steps, and after each death goes on where the index says.
async fn live<E: Engine>(engine: &E, steps: &[Step]) -> (E::Index, World) {
    let changes: Vec<Change> = steps
        .iter()
        .filter_map(|step| match step {
            Step::Change(change) => Some(change.clone()),
            _ => None,
        })
        .collect();
    let mut index = engine.open().await;
    let mut written = 0;
    for step in steps {
        match step {
            Step::Change(_) => {
                index.write(vec![changes[written].clone()]).await.unwrap();
                written += 1;
            }
            Step::Commit => index.commit(checkpoint(written as i64)).await.unwrap(),
            Step::Die => {
                drop(index);
                index = engine.open().await;
                let committed = index.checkpoint().await.unwrap().map_or(0, |last| last.next_offsets[&0]);
                let from = usize::try_from(committed).unwrap();
                index.write(changes[from..written].to_vec()).await.unwrap();
            }
        }
    }
    index.commit(checkpoint(written as i64)).await.unwrap();
    let mut world = World::default();
    world.apply(&changes[..written]);
    (index, world)
}
