//! Lists of messages apart from their timelines: pins, where somebody is named, who has reacted.

use milena_domain::record::{Action, Created, Emoji, Message, Role};
use milena_domain::{Body, ConversationId, Position, UserId};
use milena_storage::{MentionCursor, MessageNow, PositionRange, ReadMark, Store};
use sea_orm::ConnectionTrait;

use crate::database::{Server, TestDatabase};
use crate::letters::{TOPIC, user};
use crate::rooms::{Log, created, seat};

fn named(text: &str, who: &[u128]) -> Action {
    let mentions = who.iter().map(|number| user(*number)).collect();
    Action::Message(Message { mentions, ..Message::plain(Body::new(text).unwrap()) })
}

fn edited(target: milena_domain::record::Target, who: &[u128]) -> Action {
    let mentions = who.iter().map(|number| user(*number)).collect();
    Action::Edited { target, body: Body::new("again").unwrap(), mentions }
}

/// No table is read from end to end, whether or not its rows were counted.
fn no_scan(plan: &[String], tables: &[&str]) {
    for line in plan {
        let scans = line.contains("Seq Scan") || line.contains(" ALL ");
        let reads = tables.iter().any(|table| line.starts_with(&format!("SCAN {table}")));
        assert!(!reads && (!scans || line.contains("<derived")), "{line}: {plan:?}");
    }
}

async fn count_rows(database: &TestDatabase, tables: &str) -> Store {
    let count = match database.server {
        Server::MariaDb => format!("ANALYZE TABLE {tables}"),
        _ => "ANALYZE".to_owned(),
    };
    database.raw().await.execute_unprepared(&count).await.unwrap();
    // Connections read what was counted when they are made.
    database.connect().await
}

pub(super) async fn pins_are_listed_newest_first_as_far_as_they_are_visible(database: &TestDatabase) {
    let store = database.store().await;
    let mut log = Log::default();
    let room = log.create(1, Created { members: vec![seat(2, Role::Member)], ..created("letters") });
    let other = log.create(1, created("other"));
    let said: Vec<_> = (0..2_000).map(|number| log.say(room, 1, &format!("{number}"))).collect();
    let pin = |target, on| Action::Pinned { target, on };
    // The older message is pinned last, one is unpinned again, and one is gone.
    for place in [1_500, 20, 10, 5] {
        log.act(room, 1, pin(said[place], true));
    }
    log.act(room, 1, pin(said[20], false));
    log.act(room, 1, Action::Deleted { target: said[10], reason: None });
    log.act(room, 2, Action::Reacted { target: said[5], emoji: Emoji::new("👍").unwrap(), on: true });
    let elsewhere = log.say(other, 1, "elsewhere");
    log.act(other, 1, pin(elsewhere, true));
    log.write(&store).await;

    let store = count_rows(database, "messages, reactions").await;
    let places = |found: &[MessageNow]| found.iter().map(|now| now.placed.position).collect::<Vec<_>>();
    let found = store.pins(room, &[PositionRange::ALL], 100, &[user(2)]).await.unwrap();
    assert_eq!(places(&found), [said[5].position, said[1_500].position]);
    let life = found[0].life.as_ref().unwrap();
    assert_eq!((life.reactions[0].count, life.reactions[0].asked.len()), (1, 1));
    assert_eq!(places(&store.pins(room, &[PositionRange::ALL], 1, &[]).await.unwrap()), [said[5].position]);
    // As many ranges as take several statements, of which one has a pinned message.
    let range = |place: usize| PositionRange { from: said[place].position, to: Some(said[place].position) };
    let ranges: Vec<_> = (1_400..1_600).step_by(2).map(range).collect();
    assert_eq!(places(&store.pins(room, &ranges, 100, &[]).await.unwrap()), [said[1_500].position]);
    assert!(store.pins(room, &[], 100, &[]).await.unwrap().is_empty(), "nothing is visible");

    let plan = store.plan_of_pins(room).await.unwrap();
    assert!(plan.join("\n").contains("messages_pinned"), "{plan:?}");
    no_scan(&plan, &["messages"]);
}

async fn mentions(store: &Store, reader: u128, limit: usize) -> Vec<(ConversationId, Position)> {
    let (mut all, mut before): (Vec<MentionCursor>, _) = (Vec::new(), None);
    loop {
        let (page, more, _) = store.mentions_of(TOPIC, user(reader), before, limit).await.unwrap();
        before = page.last().copied();
        all.extend(page);
        if !more {
            return all.into_iter().map(|found| (found.conversation, found.position)).collect();
        }
    }
}

async fn unread(store: &Store, reader: u128, id: ConversationId) -> (u32, u32) {
    let (found, _) = store.conversation_of(TOPIC, user(reader), id).await.unwrap();
    let listed = store.conversations_of(TOPIC, user(reader), None, 10).await.unwrap().conversations;
    let found = found.unwrap();
    assert!(listed.contains(&found), "asked for in either way");
    (found.unread, found.mentions)
}

pub(super) async fn mentions_are_listed_newest_first_and_counted_until_they_are_read(
    database: &TestDatabase,
) {
    let store = database.store().await;
    let mut log = Log::default();
    let members = || vec![seat(2, Role::Member), seat(3, Role::Member)];
    let one = log.create(1, Created { members: members(), ..created("one") });
    let two = log.create(1, Created { members: members(), ..created("two") });
    let (first, _) = log.act(one, 1, named("first", &[2, 3]));
    let (second, id) = log.act(two, 1, named("second", &[2]));
    let second_target = milena_domain::record::Target { position: second, id };
    let third = log.say(one, 1, "third");
    log.act(one, 1, named("others", &[3]));
    let (direct, _) = log.say_to(1, 2, "psst");
    let (privately, _) = log.to(1, 2, named("privately", &[2, 1]));
    log.to(2, 1, named("oneself", &[2]));
    log.write(&store).await;
    let all = [(direct, privately), (two, second), (one, first)];
    for limit in [1, 2, 10] {
        let own = mentions(&store, 2, limit).await;
        assert_eq!(own[1..], all, "by {limit}");
    }
    assert_eq!(unread(&store, 2, one).await, (3, 1));
    assert_eq!(unread(&store, 3, one).await, (3, 2));
    assert_eq!(unread(&store, 2, direct).await, (2, 1), "what one wrote oneself is not unread");

    // An edit names others: whoever was named already is so once, and who is not any more is not.
    log.act(one, 1, edited(third, &[2]));
    log.act(one, 1, edited(third, &[2, 3]));
    log.act(two, 1, edited(second_target, &[3]));
    log.write(&store).await;
    assert_eq!(unread(&store, 2, one).await, (3, 2));
    assert_eq!(unread(&store, 2, two).await, (1, 0));
    assert_eq!(unread(&store, 3, two).await, (1, 1));
    let now = [(direct, privately), (one, third.position), (one, first)];
    assert_eq!(mentions(&store, 2, 2).await[1..], now, "in the order in which they were sent");
    let marks = [(one, first), (two, Position::ZERO), (direct, Position::ZERO)];
    let (after, log_position) = store.mentions_after(TOPIC, user(2), &marks).await.unwrap();
    assert_eq!(after.get(&one), Some(&vec![third.position]));
    assert_eq!((after.get(&two), after.get(&direct)), (None, Some(&vec![privately])));
    assert_eq!(log_position, store.log_position(TOPIC).await.unwrap());

    // What is read, or gone, counts no more.
    let mark = ReadMark { user: user(2), conversation: one, position: first };
    store.advance_reads(&[mark]).await.unwrap();
    assert_eq!(unread(&store, 2, one).await, (2, 1));
    log.act(one, 1, Action::Deleted { target: third, reason: None });
    log.write(&store).await;
    assert_eq!(unread(&store, 2, one).await, (1, 0));
    assert_eq!(mentions(&store, 2, 10).await[1..], [(direct, privately), (one, first)]);

    // A program of before knows of no time.
    let raw = database.raw().await;
    raw.execute_unprepared("UPDATE mentions SET sent_at_ms = NULL").await.unwrap();
    assert_eq!(mentions(&store, 2, 10).await[1..], [(direct, privately), (one, first)]);

    // Very many, in very many conversations: a page costs a page.
    for number in 0..300 {
        let room = log.create(1, created(&format!("room-{number}")));
        for _ in 0..10 {
            log.act(room, 1, named("hello", &[7]));
        }
    }
    log.write(&store).await;
    let store = count_rows(database, "mentions, messages").await;
    let (page, more, _) = store.mentions_of(TOPIC, user(7), None, 20).await.unwrap();
    assert_eq!((page.len(), more), (20, true));
    assert!(page.is_sorted_by(|one, next| one > next));
    for before in [None, page.last().copied()] {
        let plan = store.plan_of_mentions(user(7), before).await.unwrap();
        assert!(plan.join("\n").contains("mentions_in_order"), "{plan:?}");
        assert!(!plan.join("\n").contains("TEMP B-TREE"), "in the order of the index: {plan:?}");
        no_scan(&plan, &["mentions"]);
    }
}

/// 10,000 reactions of 5,000 people, in four kinds, of which the first has half of them.
pub(super) async fn a_message_of_many_reactions_costs_little(database: &TestDatabase) {
    const PEOPLE: u128 = 5_000;
    let store = database.store().await;
    let mut log = Log::default();
    let members = (2..=PEOPLE).map(|number| seat(number, Role::Member)).collect();
    let room = log.create(1, Created { members, ..created("letters") });
    let (loved, other) = (log.say(room, 1, "loved"), log.say(room, 1, "other"));
    log.write(&store).await;
    let kinds = ["👍", "❤️", "😂", "🎉"].map(|text| Emoji::new(text).unwrap());
    for number in 1..=PEOPLE {
        for emoji in [&kinds[0], &kinds[1 + (number % 3) as usize]] {
            log.act(room, number, Action::Reacted { target: loved, emoji: emoji.clone(), on: true });
        }
    }
    log.act(room, 2, Action::Reacted { target: other, emoji: kinds[0].clone(), on: true });
    log.write(&store).await;
    let store = count_rows(database, "reactions, messages").await;

    let began = std::time::Instant::now();
    let now = store.messages_now(room, &[loved.position], &[user(PEOPLE)]).await.unwrap();
    let took = began.elapsed();
    let reactions = &now[0].life.as_ref().unwrap().reactions;
    let counts: Vec<_> = reactions.iter().map(|group| (group.emoji.as_str(), group.count)).collect();
    assert_eq!(counts, [("👍", 5_000), ("😂", 1_667), ("🎉", 1_667), ("❤️", 1_666)]);
    let first: Vec<UserId> = reactions[0].first.iter().map(|(user, _)| *user).collect();
    assert_eq!(first, [1, 2, 3, 4, 5].map(user));
    let asked: Vec<_> = reactions.iter().map(|group| group.asked.len()).collect();
    assert_eq!(asked, [1, 0, 1, 0], "{reactions:?}");
    eprintln!("{:?}: 10,000 reactions to one message are grouped in {took:?}", database.server);
    let plan = store.plan_of_reactions(room, loved.position, user(1)).await.unwrap();
    assert!(plan.join("\n").contains("reactions_of_kind"), "{plan:?}");
    // PostgreSQL counts what is a whole table by going through it.
    if database.server != Server::Postgres {
        no_scan(&plan, &["reactions", "r "]);
    }

    // Who they are, page by page.
    let target = (room, loved.position);
    let (mut all, mut after) = (Vec::new(), Position::ZERO);
    loop {
        let page = store.reactions_to(TOPIC, target, None, after, 1_000).await.unwrap();
        all.extend(page.reactions);
        after = all.last().map_or(after, |put| put.position);
        if !page.has_more {
            break;
        }
    }
    assert_eq!(all.len(), 10_000);
    assert!(all.is_sorted_by_key(|put| put.position));
    let of_kind = store.reactions_to(TOPIC, target, Some("🎉"), Position::ZERO, 3).await.unwrap();
    assert_eq!(of_kind.reactions.iter().map(|put| put.user).collect::<Vec<_>>(), [2, 5, 8].map(user));
    assert!(of_kind.has_more);
    let rest =
        store.reactions_to(TOPIC, target, Some("🎉"), of_kind.reactions[2].position, 5_000).await.unwrap();
    assert_eq!((rest.reactions.len(), rest.has_more), (1_664, false));
}
