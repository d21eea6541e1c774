use milena_domain::limits::UNREAD_MAX_COUNT;
use milena_domain::{ConversationId, Epoch, Position, UserId};
use milena_storage::{ConversationKind, ConversationSummary, ListCursor, ReadMark, Touched};
use sea_orm::ConnectionTrait;

use crate::database::{Server, TestDatabase};
use crate::letters::{MessageRow, TOPIC, at, row, row_with, user, write};

fn other_of(found: &ConversationSummary) -> UserId {
    match &found.kind {
        ConversationKind::Direct { other, .. } => *other,
        ConversationKind::Room(room) => panic!("a room: {room:?}"),
    }
}

pub(super) async fn the_list_is_paged_newest_first(database: &TestDatabase) {
    let store = database.store().await;
    // Two messages with each of 20 people; five conversations share each last moment. Lists tell times to a
    // span of five minutes, and the second messages are of another span than the first.
    let mut rows = Vec::new();
    for offset in 0..40_i64 {
        let other = 100 + (offset % 20) as u128;
        let position = Position::new(Epoch::FIRST, offset);
        let sent_at_ms = offset / 5 * 100_000;
        rows.push(row_with(other, 1, &format!("{offset}"), position, sent_at_ms, &format!("m{offset}")));
    }
    let mut expected: Vec<_> = rows[20..].iter().map(|row| (row.sent_at, row.conversation)).collect();
    expected.sort_unstable_by(|a, b| b.cmp(a));
    // So that the writer remembers what it listed.
    store.note_partitions(TOPIC, Epoch::FIRST, 1).await.unwrap();
    for some in rows.chunks(10) {
        write(&store, some.to_vec()).await;
    }

    for limit in [1, 3, 20, 500] {
        let mut listed = Vec::new();
        let mut before = None;
        loop {
            let page = store.conversations_of(TOPIC, user(1), before, limit).await.unwrap();
            assert!(page.conversations.len() <= limit);
            assert_eq!(page.log.next_offsets[&0], 40);
            let Some(last) = page.conversations.last() else { break };
            before = Some(ListCursor { last_sent_at: last.last_sent_at, id: last.id });
            listed.extend(page.conversations);
        }
        let order: Vec<_> = listed.iter().map(|found| (found.last_sent_at, found.id)).collect();
        assert_eq!(order, expected, "by {limit}");
        for found in &listed {
            let last = rows.iter().rfind(|row| row.conversation == found.id).unwrap();
            assert_eq!(other_of(found), last.sender);
            assert_eq!(found.last_position, last.position);
            let message = found.last_message.as_ref().unwrap();
            assert_eq!((message.id, &message.body), (last.id, &last.body));
            assert_eq!((found.last_read, found.unread), (Position::ZERO, 2));
        }
    }

    let last_of = |id| rows.iter().rfind(|row| row.conversation == id).unwrap().position;
    let touched = |id| Touched { id, last_position: last_of(id), is_room: false };
    let mut by_position: Vec<_> = expected.iter().map(|(_, id)| touched(*id)).collect();
    by_position.sort_unstable_by_key(|touched| std::cmp::Reverse(touched.last_position));
    let since = async |first, limit| store.conversations_since(user(1), first, limit).await.unwrap();
    assert_eq!(since(Position::ZERO, 7).await, by_position[..7]);
    let fifth = by_position[4].last_position;
    let next = Position::from_u64(fifth.get() + 1).unwrap();
    assert_eq!(since(fifth, 100).await, by_position[..5], "that position too");
    assert_eq!(since(next, 100).await, by_position[..4]);
}

/// A page of a list of 20,000 is read from the index, first or deep; what an older consumer stores without
/// the lists is listed by the next look.
pub(super) async fn a_page_costs_a_page(database: &TestDatabase) {
    const MANY: i64 = 20_000;
    // Six a minute: lists tell times to five minutes.
    const APART_MS: i64 = 10_000;
    let store = database.store().await;
    let rows = |range: std::ops::Range<i64>| {
        let row = |offset| MessageRow {
            sent_at: at(offset * APART_MS),
            ..row(1_000 + offset as u128, 1, &format!("{offset}"), offset)
        };
        range.map(row).collect::<Vec<_>>()
    };
    for start in (0..MANY).step_by(5_000) {
        write(&store, rows(start..start + 5_000)).await;
    }
    let raw = database.raw().await;
    let middle = ListCursor { last_sent_at: at(MANY / 2 * APART_MS), id: row(1_000, 1, "x", 0).conversation };
    // By the index whether or not the rows were counted; PostgreSQL counts them by itself.
    for counted in [database.server == Server::Postgres, true] {
        if counted {
            let count = match database.server {
                Server::MariaDb => "ANALYZE TABLE conversation_lists, conversations, members, messages",
                _ => "ANALYZE",
            };
            raw.execute_unprepared(count).await.unwrap();
        }
        // Connections read what was counted when they are made.
        let store = database.connect().await;
        for before in [None, Some(middle)] {
            let plan = store.plan_of_list(user(1), before).await.unwrap().join("\n");
            assert!(plan.contains("conversation_lists_in_order"), "counted {counted}: {plan}");
            for scan in ["SCAN conversation", "SCAN m", "Seq Scan", " ALL  "] {
                let derived =
                    plan.lines().filter(|line| !line.contains("<derived") && !line.starts_with("SCAN page"));
                let derived = derived.filter(|line| !line.starts_with("SCAN l"));
                // Nobody is named: PostgreSQL goes through a table that is empty.
                let derived = derived.filter(|line| !line.contains("Seq Scan on mentions"));
                assert!(!derived.into_iter().any(|line| line.contains(scan)), "{scan}: {plan}");
            }
            let page = store.conversations_of(TOPIC, user(1), before, 20).await.unwrap().conversations;
            let newest = before.map_or((MANY - 1) * APART_MS, |_| page[0].last_sent_at.unix_ms());
            let expected: Vec<i64> = (0..20).map(|back| newest - back * APART_MS).collect();
            assert_eq!(page.iter().map(|found| found.last_sent_at.unix_ms()).collect::<Vec<_>>(), expected);
        }
        store.close().await;
    }

    // An older consumer: rows, and the offset alone.
    assert!(!store.mend_lists().await.unwrap(), "nothing to mend");
    write(&store, rows(MANY..MANY + 1)).await;
    let newest = row(1_000 + MANY as u128, 1, "x", 0).conversation;
    for unlisted in [
        "DELETE FROM conversation_lists WHERE last_sent_at_ms = 199800000",
        "UPDATE consumer_offsets SET listed_offset = 20000",
    ] {
        raw.execute_unprepared(unlisted).await.unwrap();
    }
    let first = async || store.conversations_of(TOPIC, user(1), None, 1).await.unwrap().conversations[0].id;
    assert_ne!(first().await, newest);
    assert!(store.mend_lists().await.unwrap());
    assert_eq!(first().await, newest);
    assert!(!store.mend_lists().await.unwrap());
    // The next batch of a consumer of today goes on from there.
    write(
        &store,
        rows(0..1)
            .into_iter()
            .map(|row| MessageRow { position: at_offset(MANY + 1), id: other(), ..row })
            .collect(),
    )
    .await;
    assert!(!store.mend_lists().await.unwrap());
}

fn at_offset(offset: i64) -> Position {
    Position::new(Epoch::FIRST, offset)
}

fn other() -> milena_domain::MessageId {
    milena_domain::MessageId::from_uuid(uuid::Uuid::from_u128(77))
}

pub(super) async fn unread_messages_are_counted_up_to_the_limit(database: &TestDatabase) {
    let store = database.store().await;
    let limit = i64::from(UNREAD_MAX_COUNT);
    // Every other message is one's own and does not count.
    let rows: Vec<_> = (0..2 * limit + 10)
        .map(|offset| {
            let (sender, to) = if offset % 2 == 0 { (2, 1) } else { (1, 2) };
            row(sender, to, &format!("{offset}"), offset)
        })
        .collect();
    let conversation = rows[0].conversation;
    write(&store, rows).await;
    let unread = async |reader: u128| {
        let (found, _) = store.conversation_of(TOPIC, user(reader), conversation).await.unwrap();
        found.unwrap().unread
    };
    assert_eq!(unread(1).await, UNREAD_MAX_COUNT, "1,005 are unread");
    for (read_up_to, expected) in
        [(8, UNREAD_MAX_COUNT), (10, 999), (11, 999), (12, 998), (2 * limit + 7, 1), (2 * limit + 8, 0)]
    {
        let position = Position::new(Epoch::FIRST, read_up_to);
        let stored =
            store.advance_reads(&[ReadMark { user: user(1), conversation, position }]).await.unwrap();
        assert_eq!(stored, [true]);
        assert_eq!(unread(1).await, expected, "read up to {read_up_to}");
    }
    let beyond = ReadMark { user: user(1), conversation, position: Position::MAX };
    store.advance_reads(&[beyond]).await.unwrap();
    assert_eq!(unread(1).await, 0);
    assert_eq!(unread(2).await, UNREAD_MAX_COUNT, "each member reads for themselves");
}

pub(super) async fn notes_to_self_have_one_member(database: &TestDatabase) {
    let store = database.store().await;
    write(&store, vec![row(1, 1, "milk", 0), row(1, 1, "bread", 1), row(1, 2, "hello", 2)]).await;
    let notes = ConversationId::direct(user(1), user(1));
    assert_eq!(store.members(notes).await.unwrap(), [user(1)]);
    let listing = store.conversations_of(TOPIC, user(1), None, 10).await.unwrap();
    assert_eq!(listing.conversations.len(), 2);
    let found = &listing.conversations[1];
    assert_eq!((found.id, other_of(found), found.unread), (notes, user(1), 0));
    assert_eq!(found.last_message.as_ref().unwrap().body.as_str(), "letter 1");
    let since = store.conversations_since(user(1), Position::ZERO, 10).await.unwrap();
    let last_position = Position::new(Epoch::FIRST, 1);
    assert!(since.contains(&Touched { id: notes, last_position, is_room: false }));
}

pub(super) async fn many_conversations_are_found_by_their_ids(database: &TestDatabase) {
    let store = database.store().await;
    // More than one statement asks for, every third of them stored.
    let others: Vec<u128> = (2..602).collect();
    let rows: Vec<_> = (0..)
        .zip(others.iter().step_by(3))
        .map(|(at, other)| row(1, *other, &format!("c-{at}"), at))
        .collect();
    let stored: std::collections::HashSet<_> = rows.iter().map(|row| row.conversation).collect();
    let count = rows.len();
    write(&store, rows).await;
    let ids: Vec<_> = others.iter().map(|other| ConversationId::direct(user(1), user(*other))).collect();
    let found = store.conversations_among(TOPIC, user(1), &ids).await.unwrap();
    assert_eq!(found.log.next_offsets[&0], count as i64);
    let found: Vec<_> = found.conversations.iter().map(|found| found.id).collect();
    assert_eq!(found.len(), stored.len(), "each once");
    assert!(found.iter().all(|id| stored.contains(id)));
    let none = store.conversations_among(TOPIC, user(1), &[]).await.unwrap();
    assert!(none.conversations.is_empty());
}

pub(super) async fn strangers_see_nothing(database: &TestDatabase) {
    let store = database.store().await;
    write(&store, vec![row(1, 2, "secret", 0)]).await;
    let conversation = ConversationId::direct(user(1), user(2));
    let mut members = store.members(conversation).await.unwrap();
    members.sort_unstable();
    assert_eq!(members, [user(1), user(2)]);
    assert!(store.members(ConversationId::direct(user(1), user(3))).await.unwrap().is_empty());

    let (found, log) = store.conversation_of(TOPIC, user(2), conversation).await.unwrap();
    let found = found.unwrap();
    assert_eq!((found.id, other_of(&found), found.last_sent_at), (conversation, user(1), at(0)));
    assert_eq!(log.next_offsets[&0], 1);
    let (none, log) = store.conversation_of(TOPIC, user(3), conversation).await.unwrap();
    assert_eq!((none, log.next_offsets[&0]), (None, 1));
    assert!(store.conversations_of(TOPIC, user(3), None, 10).await.unwrap().conversations.is_empty());
    assert!(
        store.conversations_among(TOPIC, user(3), &[conversation]).await.unwrap().conversations.is_empty()
    );
    assert!(store.conversations_since(user(3), Position::ZERO, 10).await.unwrap().is_empty());
    let elsewhere = store.conversations_of("another_topic", user(1), None, 10).await.unwrap();
    assert!(elsewhere.log.next_offsets.is_empty(), "offsets belong to their topic");
}
