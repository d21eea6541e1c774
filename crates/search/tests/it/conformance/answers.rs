//! What is found, where one may look, and in which order.

use std::sync::Arc;

use milena_domain::Timestamp;
use milena_domain::record::{History, Role};
use milena_search::{Ask, Change, Index, Key, Order, Scope};
use milena_timeline::Interval;

use super::Engine;
use crate::world::{
    BEGIN_MS, World, all_pages, ask, at, bodies, checkpoint, conversation, everywhere, message, put, user,
};

async fn filled<E: Engine>(engine: &E, changes: Vec<Change>) -> (E::Index, World) {
    let mut world = World::default();
    world.apply(&changes);
    let index = engine.open().await;
    index.write(changes).await.unwrap();
    index.commit(checkpoint(1)).await.unwrap();
    (index, world)
}

pub(crate) async fn every_language_is_found<E: Engine>() {
    let texts = [
        "Die Größe der Straße",
        "İSTANBUL'da bir gün",
        "السَّلامُ عليكم",
        "שָׁלוֹם עולם",
        "हिन्दी में",
        "ภาษาไทยง่าย",
        "你好，世界",
        "今天天气很好",
        "東京タワー",
        "학교에서 만나요",
        "see foo-bar/baz.rs",
        "use std::vec::Vec;",
        r"C:\Users\ann",
        "ok 👍🏽",
        "ann@example.org",
        "我用git的人",
        "git log --oneline",
    ];
    let changes = texts.iter().enumerate().map(|(n, text)| put(&message(1, n as i64, text))).collect();
    let engine = E::new().await;
    let (index, world) = filled(&engine, changes).await;
    for (query, found) in [
        ("grosse", vec!["Die Größe der Straße"]),
        ("stra", vec!["Die Größe der Straße"]),
        ("istanbul", vec!["İSTANBUL'da bir gün"]),
        ("السلام", vec!["السَّلامُ عليكم"]),
        ("שלום", vec!["שָׁלוֹם עולם"]),
        ("हिन्दी", vec!["हिन्दी में"]),
        ("हन्दी", vec![]),
        ("ไทย", vec!["ภาษาไทยง่าย"]),
        ("好", vec!["今天天气很好", "你好，世界"]),
        ("天", vec!["今天天气很好"]),
        ("天气", vec!["今天天气很好"]),
        ("天天气", vec!["今天天气很好"]),
        ("天天气很", vec!["今天天气很好"]),
        ("好世", vec![]),
        ("タワー", vec!["東京タワー"]),
        ("교에", vec!["학교에서 만나요"]),
        ("foo-bar/baz", vec!["see foo-bar/baz.rs"]),
        ("bar-foo", vec![]),
        ("foo-bar/ba", vec!["see foo-bar/baz.rs"]),
        ("\"foo bar ba\"", vec![]),
        ("std::vec", vec!["use std::vec::Vec;"]),
        (r"C:\Users", vec![r"C:\Users\ann"]),
        ("👍", vec!["ok 👍🏽"]),
        ("exam", vec!["ann@example.org"]),
        ("ann", vec!["ann@example.org", r"C:\Users\ann"]),
        ("ann -users", vec!["ann@example.org"]),
        ("-好 git", vec!["git log --oneline", "我用git的人"]),
        ("git 用", vec!["我用git的人"]),
        ("\"用 git 的\"", vec!["我用git的人"]),
    ] {
        assert_eq!(bodies(&index, &world, query).await, found, "{query}");
    }
}

pub(crate) async fn facts_and_days_are_found<E: Engine>() {
    let mut all: Vec<_> = (0..8).map(|n| message(1 + n as u128 % 2, n * 300, &format!("m{n}"))).collect();
    all[0].body = "m0 https://a.example".to_owned();
    all[1].author = user(3);
    all[2].to = Some(user(2));
    all[3].mentions = vec![user(4), user(2)];
    all[4].everyone = true;
    all[5].reply = true;
    (all[6].edited, all[6].pinned) = (true, true);
    all[7].reacted = true;
    let engine = E::new().await;
    let (index, world) = filled(&engine, all.iter().map(put).collect()).await;
    for (query, found) in [
        ("has:link", vec!["m0 https://a.example"]),
        ("from:u3", vec!["m1"]),
        ("from:u3 from:u9", vec!["m1"]),
        ("-from:u1", vec!["m1"]),
        ("to:me", vec!["m2"]),
        ("mentions:me", vec!["m4", "m3"]),
        ("is:reply", vec!["m5"]),
        ("is:edited has:pin", vec!["m6"]),
        ("is:edited is:reply", vec![]),
        ("has:reaction", vec!["m7"]),
        ("in:#c2 -has:reaction", vec!["m5", "m3", "m1"]),
        ("in:#c2 in:#c1 m4", vec!["m4"]),
        ("on:today", vec!["m6", "m5", "m4", "m3", "m2"]),
        ("after:today", vec!["m7"]),
        ("before:today -from:u3", vec!["m0 https://a.example"]),
        ("-on:today -in:#c1", vec!["m7", "m1"]),
        ("m1", vec!["m1"]),
    ] {
        assert_eq!(bodies(&index, &world, query).await, found, "{query}");
    }
}

pub(crate) async fn scope_is_kept<E: Engine>() {
    let all =
        (1..=4).flat_map(|place| (1..=9).map(move |offset| put(&message(place, offset, "word")))).collect();
    let engine = E::new().await;
    let (index, world) = filled(&engine, all).await;
    let interval = |from, to: Option<i64>| Interval { role: Role::Member, from: at(from), to: to.map(at) };
    let mut scope = Scope::default();
    scope.insert(conversation(1));
    scope.insert_room(conversation(2), History::SinceJoin, &[interval(2, Some(4)), interval(8, None)]);
    scope.insert_room(conversation(3), History::All, &[interval(2, Some(4))]);
    let mut wide = scope.clone();
    // So many that an engine may go another way.
    (100..300).for_each(|n| wide.insert(conversation(n)));
    for scope in [scope, wide].map(Arc::new) {
        for (query, in_first, in_second) in
            [("word", 9, vec![2, 3, 4, 8, 9]), ("in:#c2", 0, vec![2, 3, 4, 8, 9])]
        {
            let ask = ask(query, &scope, Order::Newest);
            let hits = index.search(ask.clone()).await.unwrap().hits;
            assert_eq!(hits, world.answer(&ask), "{query}");
            let of = |n| hits.iter().rev().filter(move |key| key.conversation == conversation(n));
            assert_eq!((of(1).count(), of(3).count(), of(4).count()), (in_first, 0, 0));
            assert_eq!(of(2).map(|key| key.position.offset()).collect::<Vec<_>>(), in_second);
        }
    }
}

pub(crate) async fn what_nobody_may_see_is_not_found<E: Engine>() {
    let engine = E::new().await;
    let (index, _) = filled(&engine, vec![put(&message(1, 1, "word"))]).await;
    for query in ["word", "-other", "in:#c1", "from:u1"] {
        let nothing = index.search(ask(query, &Arc::new(Scope::default()), Order::Newest)).await.unwrap();
        assert_eq!((nothing.hits.len(), nothing.next), (0, None), "{query}");
    }
}

pub(crate) async fn pages_are_the_whole_answer<E: Engine>() {
    // Equal times, so that only position and conversation tell them apart.
    let mut all: Vec<_> = (0..250).map(|n| message(1 + n as u128 % 3, n, "word and word")).collect();
    all.iter_mut().for_each(|one| one.sent_at = Timestamp::from_unix_ms(BEGIN_MS));
    let engine = E::new().await;
    let (index, world) = filled(&engine, all.iter().map(put).collect()).await;
    for order in [Order::Newest, Order::Relevance] {
        let ask = ask("word", &everywhere(), order);
        let expected: Vec<Key> = world.answer(&ask);
        assert_eq!(expected.len(), 250);
        for limit in [1, 7, 50, 100] {
            assert_eq!(all_pages(&index, &ask, limit).await, expected, "{order:?}, {limit} a page");
        }
        let most = index.search(Ask { limit: 1_000, ..ask }).await.unwrap();
        assert_eq!((most.hits.len(), most.next.is_some()), (100, true), "a page has a limit");
    }
}

pub(crate) async fn what_fits_better_comes_first<E: Engine>() {
    let long = "and so on ".repeat(20);
    let mut all = [
        message(1, 1, "the quick fox"),
        message(1, 2, "quick is the fox"),
        message(1, 3, &format!("the quick fox {long}")),
        message(1, 4, "quick foxes"),
        message(1, 5, "a quick pinned foxglove"),
    ];
    all[4].pinned = true;
    let engine = E::new().await;
    let (index, world) = filled(&engine, all.iter().map(put).collect()).await;
    let ask = ask("quick fox", &everywhere(), Order::Relevance);
    let hits = index.search(ask.clone()).await.unwrap().hits;
    assert_eq!(hits, world.answer(&ask));
    let order: Vec<i64> = hits.iter().map(|key| key.position.offset()).collect();
    assert_eq!(order, [1, 3, 2, 5, 4]);
}
