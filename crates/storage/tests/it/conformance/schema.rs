use std::collections::BTreeSet;

use milena_domain::{Epoch, Position};
use milena_storage::ReadMark;
use milena_storage::entities::{
    blocks, consumer_offsets, conversation_lists, conversation_notifications, conversations,
    effective_events, hidden_receipts, imported_events, imported_people, log_epochs, log_rewrites,
    log_topics, members, memberships, mentions, message_edits, messages, name_words, outbox,
    person_notifications, person_presence, person_status, push_positions, push_subscriptions, reactions,
    room_authors, room_people, room_reads, room_words, server_keys, sessions, users, void_records,
};
use milena_storage::migrations::Migrator;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseConnection, EntityName, EntityTrait, IdenStatic,
    IntoActiveModel, Iterable, ModelTrait, QueryFilter, QueryOrder, Statement,
};
use sea_orm_migration::MigratorTrait;

use crate::database::{Server, TestDatabase};
use crate::letters::{TOPIC, row, user, write};

pub(super) async fn migrations_go_up_and_down_and_up(database: &TestDatabase) {
    let store = database.store().await;
    write(&store, vec![row(1, 2, "a", 0)]).await;
    let raw = database.raw().await;
    let steps = u32::try_from(Migrator::migrations().len()).unwrap();
    Migrator::down(&raw, Some(steps)).await.unwrap();
    assert!(users::Entity::find().one(&raw).await.is_err(), "the table is gone");
    assert!(messages::Entity::find().one(&raw).await.is_err(), "the table is gone");

    store.migrate().await.unwrap();
    let log = store.log_position(TOPIC).await.unwrap();
    assert_eq!(log.epoch, Epoch::FIRST);
    assert!(log.next_offsets.is_empty());
    assert_eq!(write(&store, vec![row(1, 2, "a", 0)]).await.inserted, 1);
}

/// Noted once in each epoch, by whoever is first.
pub(super) async fn a_topics_partitions_are_noted_once(database: &TestDatabase) {
    let store = database.store().await;
    let second = Epoch::new(2).unwrap();
    for (topic, epoch, partitions) in [
        (TOPIC, Epoch::FIRST, 12),
        (TOPIC, Epoch::FIRST, 24),
        (TOPIC, second, 24),
        ("other", Epoch::FIRST, 3),
    ] {
        store.note_partitions(topic, epoch, partitions).await.unwrap();
    }
    let noted = store.noted_partitions(TOPIC).await.unwrap();
    assert_eq!((noted.of(Epoch::FIRST), noted.of(second)), (Some(12), Some(24)));
    assert_eq!(noted.of(Epoch::new(3).unwrap()), None);
    assert_eq!(noted.partitioning(24), milena_domain::Partitioning::new(24, [12]));
}

/// As on MySQL, where each step of a migration lasts: what was taken without being written down is taken
/// again.
pub(super) async fn a_migration_that_was_cut_off_goes_on(database: &TestDatabase) {
    let store = database.store().await;
    write(&store, vec![row(1, 2, "a", 0)]).await;
    let key = store.server_key().await.unwrap().subkey("test/v1").mac(&[]);
    let raw = database.raw().await;
    let newer = "DELETE FROM seaql_migrations WHERE version > 'm20261122'";
    assert!(raw.execute_unprepared(newer).await.unwrap().rows_affected() >= 6);
    raw.execute_unprepared("DROP TABLE conversation_lists").await.unwrap();
    raw.execute_unprepared("UPDATE consumer_offsets SET listed_offset = 0").await.unwrap();
    database.connect().await.migrate().await.unwrap();
    assert_eq!(conversation_lists::Entity::find().all(&raw).await.unwrap().len(), 2);
    assert_eq!(store.server_key().await.unwrap().subkey("test/v1").mac(&[]), key);
}

/// This program may be started again while a newer one runs beside it; one that lacks steps of its own may
/// not.
pub(super) async fn a_newer_programs_migrations_are_left_alone(database: &TestDatabase) {
    let store = database.store().await;
    let raw = database.raw().await;
    let newer = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29991231_000000_later', 0)";
    raw.execute_unprepared(newer).await.unwrap();
    store.migrate().await.unwrap();
    let own = "DELETE FROM seaql_migrations WHERE version = 'm20261128_203000_session_ends'";
    raw.execute_unprepared(own).await.unwrap();
    store.migrate().await.unwrap_err();
}

pub(super) async fn several_programs_migrate_at_once(database: &TestDatabase) {
    let programs = (0..4).map(|_| async {
        let store = database.connect().await;
        store.migrate().await.unwrap();
        store.server_key().await.unwrap().subkey("test/v1").mac(&[])
    });
    let tags = futures::future::join_all(programs).await;
    assert!(tags.iter().all(|tag| *tag == tags[0]), "all have the same key");
    let store = database.store().await;
    assert_eq!(store.log_position(TOPIC).await.unwrap().epoch, Epoch::FIRST);
    let epochs = log_epochs::Entity::find().all(&database.raw().await).await.unwrap();
    assert_eq!(epochs.len(), 1);
    let keys = server_keys::Entity::find().all(&database.raw().await).await.unwrap();
    assert!(keys.len() == 1 && keys[0].secret.len() == 32 && keys[0].secret != [0; 32]);
    store.migrate().await.unwrap();
    assert_eq!(store.server_key().await.unwrap().subkey("test/v1").mac(&[]), tags[0], "for good");
}

/// The same columns, and a row of each entity comes back as it was.
pub(super) async fn entities_match_the_schema(database: &TestDatabase) {
    let _store = database.store().await;
    let raw = database.raw().await;
    let id = |number| uuid::Uuid::from_u128(u128::MAX - number);
    check(
        database,
        &raw,
        users::Model {
            id: id(1),
            username: "Anna".into(),
            username_folded: "anna".into(),
            display_name: "Änna 😀".into(),
            display_name_folded: "änna 😀".into(),
            password_hash: None,
            created_at_ms: -1,
            name_folded: "anna".into(),
            folded_from: "Änna 😀".into(),
            fold_version: 1,
        },
    )
    .await;
    check(
        database,
        &raw,
        sessions::Model {
            id: id(2),
            token_hash: (0..32).collect(),
            user_id: id(1),
            created_at_ms: 1,
            last_seen_at_ms: 2,
            expires_at_ms: 253_402_207_199_999,
            ends_at_ms: None,
            user_agent: String::new(),
        },
    )
    .await;
    let conversation = conversations::Model {
        id: id(3),
        kind: "direct".into(),
        title: Some("Room".into()),
        last_position: (1 << 53) - 1,
        last_sent_at_ms: 5,
        created_at_ms: 6,
        handle: Some("h".repeat(32)),
        topic: Some("😀".repeat(250)),
        archived: true,
        member_count: i32::MAX,
        folded_position: (1 << 53) - 1,
        ..Default::default()
    };
    check(database, &raw, conversation).await;
    let member =
        members::Model { conversation_id: id(3), user_id: id(1), joined_at_ms: 0, last_read: (1 << 53) - 1 };
    check(database, &raw, member).await;
    let listed = conversation_lists::Model { conversation_id: id(3), user_id: id(1), last_sent_at_ms: 5 };
    check(database, &raw, listed).await;
    check(database, &raw, name_words::Model { word: "王".repeat(32), user_id: id(1) }).await;
    let name = format!("{} ", "😀".repeat(63));
    let imported = imported_people::Model { name_hash: (0..32).collect(), name, user_id: id(1) };
    check(database, &raw, imported).await;
    check(database, &raw, imported_events::Model { id: id(1) }).await;
    let seen_at_ms = Some(253_402_207_199_999);
    let presence =
        person_presence::Model { user_id: id(1), hidden: true, audience: "everybody".into(), seen_at_ms };
    check(database, &raw, presence).await;
    let general = person_notifications::Model {
        user_id: id(1),
        revision: i64::MAX,
        changed_revision: 7,
        direct_level: "mentions".into(),
        rooms_level: "nothing".into(),
        keywords: format!("[\"{}\"]", "😀".repeat(64 * 50)),
        dnd_until_ms: Some(253_402_207_199_999),
        dnd_schedule: Some("x".repeat(4_000)),
        push_words: false,
    };
    check(database, &raw, general).await;
    let own = conversation_notifications::Model {
        user_id: id(1),
        conversation_id: id(3),
        revision: i64::MAX,
        level: Some("mentions".into()),
        muted: true,
        muted_until_ms: Some(253_402_207_199_999),
        ignore_everyone: true,
    };
    check(database, &raw, own).await;
    let status = person_status::Model {
        user_id: id(1),
        emoji: Some("👩‍👩‍👧‍👦".into()),
        words: Some("😀".repeat(100)),
        until_ms: Some(253_402_207_199_999),
    };
    check(database, &raw, status).await;
    check(
        database,
        &raw,
        messages::Model {
            conversation_id: id(3),
            position: (1 << 53) - 1,
            id: id(4),
            sender_id: id(1),
            recipient_id: id(5),
            client_id: "~".repeat(64),
            sent_at_ms: -62_167_219_200_000,
            body: "😀".repeat(8_000),
            kind: "message".into(),
            payload: Some("{}".repeat(20_000)),
            seq: Some(i64::MAX),
            changed_position: Some((1 << 53) - 1),
            ..Default::default()
        },
    )
    .await;
    let offset = consumer_offsets::Model {
        topic: "t".repeat(249),
        partition_id: 1_023,
        epoch: 8_191,
        next_offset: 1 << 40,
        listed_offset: 7,
        rewritten: 1,
    };
    check(database, &raw, offset).await;
    check(database, &raw, log_epochs::Model { epoch: 8_191, began_at_ms: 1 }).await;
    let topic = log_topics::Model { topic: "t".repeat(249), epoch: 8_191, partitions: 1_024 };
    check(database, &raw, topic).await;
    let place = (1 << 53) - 1;
    let interval = memberships::Model {
        conversation_id: id(3),
        user_id: id(1),
        from_position: place,
        to_position: None,
        role: "moderator".into(),
    };
    check(database, &raw, interval).await;
    let person = room_people::Model {
        conversation_id: id(3),
        user_id: id(1),
        banned: true,
        changed_position: Some(place),
    };
    check(database, &raw, person).await;
    let read = room_reads::Model { conversation_id: id(3), user_id: id(1), last_read: place };
    check(database, &raw, read).await;
    let author = room_authors::Model { conversation_id: id(3), user_id: id(1), position: place };
    check(database, &raw, author).await;
    check(database, &raw, room_words::Model { word: "ß".repeat(32), conversation_id: id(3) }).await;
    let reaction = reactions::Model {
        conversation_id: id(3),
        target_position: place,
        user_id: id(1),
        emoji: "😀".repeat(16),
        position: place,
    };
    check(database, &raw, reaction).await;
    let mention =
        mentions::Model { user_id: id(1), conversation_id: id(3), position: place, sent_at_ms: Some(place) };
    check(database, &raw, mention).await;
    let void = void_records::Model {
        conversation_id: id(3),
        position: place,
        id: id(9),
        reason: "too_many_reactions".into(),
    };
    check(database, &raw, void).await;
    let event = effective_events::Model {
        id: id(9),
        conversation_id: id(3),
        position: place,
        digest: Some(i64::MIN),
        target_position: Some(place),
    };
    let said = message_edits::Model {
        conversation_id: id(3),
        target_position: place,
        position: place,
        at_ms: place,
        body: "😀".repeat(8_000),
    };
    check(database, &raw, said).await;
    check(database, &raw, hidden_receipts::Model { user_id: id(1) }).await;
    let rewrite = log_rewrites::Model { topic: "t".repeat(249), stage: 4, began_at_ms: place };
    check(database, &raw, rewrite).await;
    check(database, &raw, event).await;
    check(database, &raw, blocks::Model { conversation_id: id(3), user_id: id(1), position: place }).await;
    let fact = outbox::Model {
        id: id(1),
        kind: "person".into(),
        payload: "x".repeat(70_000),
        created_at_ms: 1,
        leased_until_ms: 2,
    };
    check(database, &raw, fact).await;
    let device = push_subscriptions::Model {
        id: id(7),
        user_id: id(1),
        session_id: id(2),
        endpoint_hash: (0..32).collect(),
        endpoint: "e".repeat(2_048),
        p256dh: "B".repeat(88),
        auth: "a".repeat(24),
        label: "😀".repeat(200),
        words: true,
        created_at_ms: place,
    };
    check(database, &raw, device).await;
    let pushed = push_positions::Model { topic: "t".repeat(249), partition_id: 1, next_position: place };
    check(database, &raw, pushed).await;
    let key = server_keys::Model { number: 2, secret: (0..32).collect(), created_at_ms: 1 };
    check(database, &raw, key).await;
}

async fn check<M>(database: &TestDatabase, raw: &DatabaseConnection, row: M)
where
    M: ModelTrait + PartialEq + std::fmt::Debug + IntoActiveModel<<M::Entity as EntityTrait>::ActiveModel>,
    M::Entity: EntityTrait<Model = M>,
    <M::Entity as EntityTrait>::ActiveModel: ActiveModelTrait<Entity = M::Entity> + Send,
{
    let table = M::Entity::default().table_name().to_owned();
    let declared: BTreeSet<String> =
        <M::Entity as EntityTrait>::Column::iter().map(|column| column.as_str().to_owned()).collect();
    assert_eq!(columns(database, raw, &table).await, declared, "columns of {table}");

    let mut new = row.clone().into_active_model();
    for column in <M::Entity as EntityTrait>::Column::iter() {
        new.set(column, row.get(column));
    }
    M::Entity::insert(new).exec_without_returning(raw).await.unwrap();
    let stored = M::Entity::find().all(raw).await.unwrap();
    assert!(stored.contains(&row), "{table}: {stored:?}");
}

async fn columns(database: &TestDatabase, raw: &DatabaseConnection, table: &str) -> BTreeSet<String> {
    let query = match database.server {
        Server::Sqlite => format!("SELECT name FROM pragma_table_info('{table}')"),
        Server::Postgres => format!(
            "SELECT column_name::text FROM information_schema.columns \
             WHERE table_schema = current_schema() AND table_name = '{table}'"
        ),
        Server::MariaDb => format!(
            "SELECT CAST(column_name AS CHAR) FROM information_schema.columns \
             WHERE table_schema = DATABASE() AND table_name = '{table}'"
        ),
    };
    let rows = raw.query_all_raw(Statement::from_string(raw.get_database_backend(), query)).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

/// What a program of before stores has no number, before the upgrade and beside it; every message gets one,
/// dense and in order, also when numbering was cut off, and whoever has read keeps their mark.
pub(super) async fn messages_of_before_are_numbered(database: &TestDatabase) {
    let store = database.store().await;
    let rows: Vec<_> =
        (0..40).map(|offset| row(1, 2 + offset as u128 % 3, &format!("{offset}"), offset)).collect();
    let conversation = rows[0].conversation;
    write(&store, rows).await;
    let mark = ReadMark { user: user(1), conversation, position: Position::new(Epoch::FIRST, 9) };
    store.advance_reads(&[mark]).await.unwrap();
    let raw = database.raw().await;
    // As a store of before is, and cut off in the midst of one conversation.
    let before = "UPDATE messages SET seq = NULL";
    raw.execute_unprepared(before).await.unwrap();
    raw.execute_unprepared("UPDATE conversations SET last_seq = 0, numbered_position = 0").await.unwrap();
    assert_eq!(store.number_messages().await.unwrap(), 40);
    check_numbers(&raw).await;
    let cut_off = "UPDATE conversations SET last_seq = last_seq - 3, numbered_position = last_position - 9";
    raw.execute_unprepared(cut_off).await.unwrap();
    let unnumbered = "UPDATE messages SET seq = NULL WHERE position > \
        (SELECT numbered_position FROM conversations WHERE id = conversation_id)";
    assert_eq!(raw.execute_unprepared(unnumbered).await.unwrap().rows_affected(), 9);
    database.connect().await.migrate().await.unwrap();
    check_numbers(&raw).await;
    assert_eq!(store.number_messages().await.unwrap(), 0);
    let (found, _) = store.conversation_of(TOPIC, user(1), conversation).await.unwrap();
    assert_eq!(found.unwrap().last_read.offset(), 9);
}

async fn check_numbers(raw: &DatabaseConnection) {
    let found = conversations::Entity::find().all(raw).await.unwrap();
    assert_eq!(found.len(), 3);
    for conversation in found {
        let rows = messages::Entity::find()
            .filter(messages::Column::ConversationId.eq(conversation.id))
            .order_by_asc(messages::Column::Position)
            .all(raw)
            .await
            .unwrap();
        let numbers: Vec<_> = rows.iter().map(|row| row.seq).collect();
        let dense: Vec<_> = (1..=rows.len() as i64).map(Some).collect();
        assert_eq!(numbers, dense);
        assert_eq!(conversation.last_seq, rows.len() as i64);
        assert_eq!(conversation.numbered_position, conversation.last_position);
    }
}
