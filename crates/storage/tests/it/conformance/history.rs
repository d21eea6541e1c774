use std::collections::HashSet;

use milena_domain::{ConversationId, Epoch, MAX_OFFSET, MessageId, Position};
use milena_storage::{HistoryPage, Page, Store};

use crate::database::TestDatabase;
use crate::letters::{MessageRow, batch, row, row_with, user, write};

fn offsets(page: &HistoryPage) -> Vec<i64> {
    page.messages.iter().map(|message| message.position.offset()).collect()
}

fn position(offset: i64) -> Position {
    Position::new(Epoch::FIRST, offset)
}

/// Messages of 1 and 2 at every third offset, and others between them.
async fn thirty_messages(store: &Store) -> ConversationId {
    let rows =
        (0..90).map(|offset| row(1, if offset % 3 == 0 { 2 } else { 3 }, &format!("{offset}"), offset));
    write(store, rows.collect()).await;
    ConversationId::direct(user(1), user(2))
}

pub(super) async fn paging_both_ways_gives_every_message_once(database: &TestDatabase) {
    let store = database.store().await;
    let conversation = thirty_messages(&store).await;
    let all: Vec<i64> = (0..90).step_by(3).collect();
    for limit in [1, 7, 29, 30, 31, 100] {
        let mut backwards = Vec::new();
        let mut page = Page::Latest;
        loop {
            let found = store.history(conversation, page, limit).await.unwrap();
            assert!(found.messages.len() <= limit);
            assert_eq!(found.has_after, !backwards.is_empty());
            backwards.splice(0..0, offsets(&found));
            if !found.has_before {
                break;
            }
            page = Page::Before(found.messages[0].position);
        }
        assert_eq!(backwards, all, "backwards by {limit}");

        let mut forwards = Vec::new();
        let mut page = Page::After(Position::ZERO);
        loop {
            let found = store.history(conversation, page, limit).await.unwrap();
            assert_eq!(found.has_before, !forwards.is_empty());
            forwards.extend(offsets(&found));
            if !found.has_after {
                break;
            }
            page = Page::After(found.messages.last().unwrap().position);
        }
        assert_eq!(forwards, all, "forwards by {limit}");
    }
    let latest = store.history(conversation, Page::Latest, 0).await.unwrap();
    assert_eq!(offsets(&latest), [87], "a limit of 0 counts as 1");

    let nothing = store.history(ConversationId::direct(user(8), user(9)), Page::Latest, 10).await.unwrap();
    assert_eq!(nothing, HistoryPage { messages: Vec::new(), has_before: false, has_after: false });
    let beyond = store.history(conversation, Page::After(Position::MAX), 10).await.unwrap();
    assert_eq!((offsets(&beyond), beyond.has_before, beyond.has_after), (Vec::new(), true, false));
    let before_all = store.history(conversation, Page::Before(Position::ZERO), 10).await.unwrap();
    assert_eq!(
        (offsets(&before_all), before_all.has_before, before_all.has_after),
        (Vec::new(), false, true)
    );
}

pub(super) async fn a_page_around_a_position(database: &TestDatabase) {
    let store = database.store().await;
    let conversation = thirty_messages(&store).await;
    let around = async |offset, limit| {
        store.history(conversation, Page::Around(position(offset)), limit).await.unwrap()
    };

    let middle = around(45, 5).await;
    assert_eq!(offsets(&middle), [39, 42, 45, 48, 51]);
    assert!(middle.has_before && middle.has_after);
    assert_eq!(offsets(&around(46, 4).await), [42, 45, 48, 51], "no message has the position itself");

    let start = around(0, 5).await;
    assert_eq!((offsets(&start), start.has_before, start.has_after), (vec![0, 3, 6, 9, 12], false, true));
    let end = around(87, 5).await;
    assert_eq!((offsets(&end), end.has_before, end.has_after), (vec![75, 78, 81, 84, 87], true, false));
    let beyond = around(1_000, 3).await;
    assert_eq!((offsets(&beyond), beyond.has_before, beyond.has_after), (vec![81, 84, 87], true, false));
    let all = around(45, 100).await;
    assert_eq!((all.messages.len(), all.has_before, all.has_after), (30, false, false));
    let exactly_all = around(45, 30).await;
    assert_eq!(
        (exactly_all.messages.len(), exactly_all.has_before, exactly_all.has_after),
        (30, false, false)
    );
    assert_eq!(offsets(&around(45, 1).await), [45]);
}

pub(super) async fn texts_come_back_exactly(database: &TestDatabase) {
    let store = database.store().await;
    let bodies = [
        " ".to_owned(),
        "  blanks around  \n".to_owned(),
        "a\tb\r\nc\u{1}\u{7f}".to_owned(),
        "😀".repeat(8_000),
        "\u{10ffff}\u{feff}é e\u{301} ﷺ \u{202e}rtl".to_owned(),
        r#"'; DROP TABLE messages; -- ? $1 ?1 "x" \' \\ %s {}"#.to_owned(),
        "x".repeat(8_000),
    ];
    // Client ids that a careless comparison would take for the same.
    let client_ids = ["a", "A", "a ", " a", "a_", "a%", "~!@#$^&*()"];
    let rows: Vec<MessageRow> = (0..)
        .zip(bodies.iter().zip(client_ids))
        .map(|(offset, (body, client_id))| row_with(1, 2, client_id, position(offset), -offset, body))
        .collect();
    let report = write(&store, rows.clone()).await;
    assert_eq!((report.inserted, report.repeats), (7, 0));
    let stored = store.history(rows[0].conversation, Page::Latest, 100).await.unwrap().messages;
    for (row, stored) in rows.iter().zip(&stored) {
        assert_eq!(stored.body, row.body, "{}", row.client_id.as_str());
        assert_eq!(stored.client_id, row.client_id);
        assert_eq!(
            (stored.id, stored.conversation, stored.position),
            (row.id, row.conversation, row.position)
        );
        assert_eq!((stored.sender, stored.to, stored.sent_at), (row.sender, row.to, row.sent_at));
    }
    assert_eq!(stored.len(), rows.len());
}

pub(super) async fn epochs_and_large_positions_keep_their_order(database: &TestDatabase) {
    let store = database.store().await;
    let last_epoch = Epoch::new(8_191).unwrap();
    let places = [
        Position::new(Epoch::FIRST, 0),
        Position::new(Epoch::FIRST, MAX_OFFSET),
        Position::new(Epoch::new(2).unwrap(), 0),
        Position::new(last_epoch, MAX_OFFSET - 1),
        Position::MAX,
    ];
    let rows: Vec<_> =
        (0..).zip(places).map(|(index, place)| row_with(1, 2, &format!("{index}"), place, 1, "x")).collect();
    let conversation = rows[0].conversation;
    write(&store, rows).await;
    let all = store.history(conversation, Page::Latest, 10).await.unwrap();
    assert_eq!(all.messages.iter().map(|message| message.position).collect::<Vec<_>>(), places);
    let after = store.history(conversation, Page::After(places[3]), 10).await.unwrap();
    assert_eq!(after.messages[0].position, Position::MAX);
    let before = store.history(conversation, Page::Before(Position::MAX), 1).await.unwrap();
    assert_eq!(before.messages[0].position, places[3]);
    let around = store.history(conversation, Page::Around(Position::MAX), 3).await.unwrap();
    assert_eq!(around.messages.last().unwrap().position, Position::MAX);
}

pub(super) async fn messages_are_found_by_id(database: &TestDatabase) {
    let store = database.store().await;
    let rows: Vec<_> = (0..700).map(|offset| row(1, 2, &format!("{offset}"), offset)).collect();
    let unknown = row(1, 2, "unknown", 0).id;
    store.write_batch(&batch(0, 0, 700, rows.clone())).await.unwrap();
    let found = store.message(rows[123].id).await.unwrap().unwrap();
    assert_eq!((found.position.offset(), found.body.as_str()), (123, "letter 123"));
    assert_eq!(store.message(unknown).await.unwrap(), None);

    let ids: Vec<MessageId> = rows.iter().map(|row| row.id).chain([unknown]).collect();
    let existing = store.existing_messages(&ids).await.unwrap();
    assert_eq!(existing, rows.iter().map(|row| row.id).collect::<HashSet<_>>());
    assert!(store.existing_messages(&[]).await.unwrap().is_empty());
}
