//! Events of all types, bad records among them: every record is accounted for, and however the log comes into
//! a store, the tables are the same.

use milena_domain::record::{
    Action, Created, Emoji, Event, Handle, History, Message, Place, Posting, Role, Seat, Target, Title,
    Visibility,
};
use milena_domain::{Body, ClientId, ConversationId, Epoch, Position, Timestamp, UserId};
use milena_storage::entities::{
    blocks, conversations, effective_events, members, memberships, mentions, messages, reactions,
    room_people, void_records,
};
use sea_orm::{DatabaseConnection, EntityTrait};

use crate::in_both_worlds;
use crate::log::{Log, messages, user};
use crate::program::{json, program, says};
use crate::running::Running;
use crate::store::Database;
use crate::truth;
use crate::world::World;

in_both_worlds!(every_record_is_accounted_for, a_new_epoch_begins_with_what_was_known);

/// Somebody's events in one conversation, each with a name and a proof of its own.
struct Writer<'l> {
    log: &'l Log,
    count: u64,
    /// What was sent, effective or not.
    sent: Vec<Event>,
}

impl Writer<'_> {
    async fn send(&mut self, actor: UserId, place: Place, action: Action) -> Target {
        self.count += 1;
        let client_id = ClientId::new(&format!("r-{}", self.count)).unwrap();
        let at = Timestamp::from_unix_ms(1_700_000_000_000 + self.count as i64);
        // The whole log is far shorter than a window.
        let event = Event::new(actor, place, client_id, at, Position::new(Epoch::FIRST, 0), action);
        self.again(event).await
    }

    async fn again(&mut self, event: Event) -> Target {
        let (_, offset) = self.log.send_raw(Some(event.key().as_bytes()), Some(&event.encode())).await;
        let target = Target { position: Position::new(Epoch::FIRST, offset), id: event.id };
        self.sent.push(event);
        target
    }
}

fn says_so(text: &str) -> Action {
    Action::Message(Message::plain(Body::new(text).unwrap()))
}

/// A room and a direct conversation in which everything happens. Answers how many were sent, and how many of
/// them are void and repeats.
async fn story(log: &Log) -> (u64, u64, u64) {
    let mut writer = Writer { log, count: 0, sent: Vec::new() };
    let (ann, bob, carl, dora) = (user(1), user(2), user(3), user(4));
    let created = Action::RoomCreated(Created {
        handle: Handle::new("letters").unwrap(),
        title: Title::new("Letters").unwrap(),
        topic: None,
        visibility: Visibility::Public,
        history: History::SinceJoin,
        posting: Posting::Members,
        members: vec![Seat { user: bob, role: Role::Moderator, from: None }],
    });
    writer.send(ann, Place::Room(ConversationId::direct(ann, ann)), created).await;
    let room = Place::Room(writer.sent[0].conversation);
    let heart = Emoji::new("❤️").unwrap();
    let mut void = 0;
    writer.send(carl, room, Action::Joined).await;
    let first = writer.send(carl, room, says_so("first")).await;
    let second = writer.send(carl, room, says_so("second")).await;
    writer
        .send(
            carl,
            room,
            Action::Edited { target: first, body: Body::new("1st").unwrap(), mentions: vec![ann] },
        )
        .await;
    writer
        .send(
            carl,
            room,
            Action::Edited { target: first, body: Body::new("1.").unwrap(), mentions: Vec::new() },
        )
        .await;
    writer.send(ann, room, Action::Reacted { target: second, emoji: heart.clone(), on: true }).await;
    writer.send(bob, room, Action::Reacted { target: first, emoji: heart.clone(), on: true }).await;
    writer.send(bob, room, Action::Reacted { target: first, emoji: heart, on: false }).await;
    writer.send(ann, room, Action::Pinned { target: first, on: true }).await;
    writer.send(bob, room, Action::Deleted { target: second, reason: None }).await;
    writer.send(ann, room, Action::MembersAdded { users: vec![dora] }).await;
    writer.send(ann, room, Action::RoleChanged { user: dora, role: Role::Owner }).await;
    writer.send(bob, room, Action::Removed { user: carl }).await;
    // Too late, and not allowed.
    writer.send(carl, room, says_so("in flight")).await;
    writer
        .send(
            carl,
            room,
            Action::Edited { target: first, body: Body::new("x").unwrap(), mentions: Vec::new() },
        )
        .await;
    writer.send(bob, room, Action::RoleChanged { user: bob, role: Role::Owner }).await;
    void += 3;
    writer.send(bob, room, Action::Banned { user: carl }).await;
    writer.send(carl, room, Action::Joined).await;
    void += 1;
    writer.send(bob, room, Action::Unbanned { user: carl }).await;
    writer.send(carl, room, Action::Joined).await;
    writer.send(carl, room, says_so("again")).await;
    writer.send(carl, room, Action::Left).await;
    let direct = Place::Direct(dora);
    writer.send(ann, direct, says_so("dear")).await;
    writer.send(dora, Place::Direct(ann), Action::Blocked { on: true }).await;
    writer.send(ann, direct, says_so("hello?")).await;
    void += 1;
    writer.send(dora, Place::Direct(ann), Action::Blocked { on: false }).await;
    writer.send(ann, direct, says_so("thank you")).await;
    let named = Message {
        body: Body::new("see above").unwrap(),
        reply_to: Some(first),
        mentions: vec![bob, dora],
        everyone: true,
    };
    let named = writer.send(ann, room, Action::Message(named)).await;
    writer
        .send(dora, room, Action::Reacted { target: named, emoji: Emoji::new("👍").unwrap(), on: true })
        .await;
    // Said before, and what changes nothing.
    let mut repeats = 0;
    for number in [0, 2, 4, 24] {
        writer.again(writer.sent[number].clone()).await;
        repeats += 1;
    }
    writer.send(bob, room, Action::Joined).await;
    repeats += 1;
    (writer.sent.len() as u64, void, repeats)
}

async fn every_record_is_accounted_for(world: World) {
    let log = Log::of(&world);
    log.send(messages(0..50)).await;
    let (sent, void, repeats) = story(&log).await;
    log.send_raw(Some(b"k"), Some(b"bad")).await;
    log.send(messages(40..60)).await;
    let consumer = Running::start(&world).await;
    truth::stored(&world).await;
    let summary = consumer.stop().await;
    let read = 50 + sent + 1 + 20;
    assert_eq!((summary.void, summary.repeats, summary.dead_letters), (void, repeats + 10, 1));
    let stored = summary.inserted + summary.unanswered;
    assert_eq!(stored + summary.void + summary.repeats + summary.dead_letters, read);
    let told = says(&world, &["verify"]).await;
    let balance =
        format!("balance: {read} read = {stored} stored + {} repeats + {void} void + 1 dead", repeats + 10);
    assert!(told.contains(&balance), "{told}");
    assert!(told.contains("the store equals the log"), "{told}");

    // A dry run counts events of every kind: here there is nothing to store.
    let dry = json(&world, &["replay", "--dry-run", "--json"]).await;
    assert_eq!(
        (&dry["inserted"], &dry["already_there"], &dry["void"], &dry["dead_letters"]),
        (&0.into(), &(stored + repeats + 10).into(), &void.into(), &1.into()),
        "{dry}"
    );
    // Once more: nothing changes. Elsewhere, at once and record by record: the same tables.
    let before = tables(&world.database).await;
    let again = json(&world, &["replay", "--json"]).await;
    assert_eq!((&again["read"], &again["inserted"]), (&read.into(), &0.into()), "{again}");
    assert_eq!(tables(&world.database).await, before, "a second replay changes nothing");
    let elsewhere = tempfile::tempdir().unwrap();
    let mut databases = vec![Database::sqlite(elsewhere.path())];
    for variable in ["MILENA_TEST_POSTGRES_URL", "MILENA_TEST_MARIADB_URL"] {
        if let Some(url) = std::env::var(variable).ok().filter(|url| !url.is_empty()) {
            databases.push(Database::on(&url).await);
        }
    }
    for database in databases {
        let with = ["--json", "--database", database.url()];
        let found = json(&world, &[&["replay"], &with[..]].concat()).await;
        assert_eq!((&found["inserted"], &found["void"]), (&stored.into(), &void.into()), "{found}");
        let twice = json(&world, &[&["replay"], &with[..]].concat()).await;
        assert_eq!(twice["inserted"], 0, "{twice}");
        assert!(tables(&database).await == before, "{} differs", database.url());
        let verified = json(&world, &[&["verify"], &with[..]].concat()).await;
        assert_eq!(verified["difference_count"], 0, "{verified}");
        // One too many is counted; what should be otherwise is named.
        let harm = "insert into reactions (conversation_id, target_position, user_id, emoji, position) \
             select conversation_id, position, sender_id, 'x', position from messages \
             where kind = 'message' and changed_position is null and payload is null limit 1";
        harm_and_find(&world, &database, &[(harm, "reactions but the log has")]).await;
        harm_and_find(
            &world,
            &database,
            &[
                ("update messages set payload = '{}' where kind = 'room_created'", "room_created "),
                ("update messages set payload = null where body = 'see above'", "has another payload"),
                ("update mentions set position = position + 1", "mentions differ in the store"),
                ("update reactions set emoji = 'y'", "reactions differ in the store"),
                ("update messages set pinned_position = null where body = '1.'", "pin differ in the store"),
                ("update messages set edited_position = null where body = '1.'", "edits differ in the store"),
                (
                    "update messages set payload = null where deleted_position is not null",
                    "what it deletes is not deleted",
                ),
            ],
        )
        .await;
    }

    // What somebody changes by hand is named.
    for (harm, told) in [
        ("update messages set body = 'forged' where body = '1.'", "has another text"),
        ("update memberships set role = 'owner' where role = 'moderator'", "the membership of"),
        ("delete from void_records where reason = 'blocked'", "is void (blocked), which is not in the store"),
        (
            "update void_records set reason = 'full' where reason = 'banned'",
            "void (banned), but in the store as",
        ),
        (
            "insert into blocks select conversation_id, sender_id, position from messages \
             where kind = 'message' limit 1",
            "the log has no block by",
        ),
        ("update conversations set visibility = 'private' where kind = 'room'", "what it is differs"),
        ("delete from effective_events", "is not in the store"),
    ] {
        harm_and_find(&world, &world.database, &[(harm, told)]).await;
    }
}

/// The topic is lost, rooms and blocks are not: the new one begins with them, so consumers go on judging by
/// them, and a store that is made of the new log alone comes to the same verdicts.
async fn a_new_epoch_begins_with_what_was_known(mut world: World) {
    let log = Log::of(&world);
    story(&log).await;
    let (ann, bob, carl, dora) = (user(1), user(2), user(3), user(4));
    let mut before = Writer { log: &log, count: 1_000, sent: Vec::new() };
    let room = ConversationId::room(ann, &ClientId::new("r-1").unwrap());
    before.send(bob, Place::Room(room), Action::Banned { user: carl }).await;
    before.send(dora, Place::Direct(ann), Action::Blocked { on: true }).await;
    let consumer = Running::start(&world).await;
    truth::stored(&world).await;
    consumer.stop().await;

    world.recreate_topic();
    // Creates the topic, and finds nothing in it.
    assert_eq!(json(&world, &["replay", "--json"]).await["read"], 0);
    let told = says(&world, &["new-epoch", "--yes"]).await;
    assert!(told.contains("Rooms carried over: 1. Blocks carried over: 1.\nEpoch 2 has begun."), "{told}");
    let log = Log::of(&world);
    let mut after = Writer { log: &log, count: 2_000, sent: Vec::new() };
    let second = Epoch::new(2).unwrap();
    let mut expected = Vec::new();
    for (actor, place, action, counts) in [
        (bob, Place::Room(room), says_so("still here"), true),
        (carl, Place::Room(room), says_so("gone"), false),
        (carl, Place::Room(room), Action::Joined, false),
        (ann, Place::Direct(dora), says_so("blocked"), false),
        (bob, Place::Room(room), Action::RoleChanged { user: bob, role: Role::Owner }, false),
        (dora, Place::Room(room), Action::RoleChanged { user: bob, role: Role::Owner }, true),
        (dora, Place::Direct(ann), Action::Blocked { on: false }, true),
        (ann, Place::Direct(dora), says_so("not any more"), true),
    ] {
        after.count += 1;
        let client_id = ClientId::new(&format!("r-{}", after.count)).unwrap();
        let at = Timestamp::from_unix_ms(1_700_000_100_000);
        let event = Event::new(actor, place, client_id, at, Position::new(second, 0), action);
        expected.push((event.id, counts));
        after.again(event).await;
    }
    let consumer = Running::start(&world).await;
    truth::stored(&world).await;
    let summary = consumer.stop().await;
    assert_eq!((summary.inserted, summary.void, summary.repeats), (4, 4, 2), "{summary:?}");
    let told = says(&world, &["verify"]).await;
    assert!(told.contains("the store equals the log") && told.contains("2 of earlier epochs"), "{told}");
    let harm = "update conversations set title = 'x' where kind = 'room'";
    harm_and_find(&world, &world.database, &[(harm, "what it is differs")]).await;

    let elsewhere = tempfile::tempdir().unwrap();
    let database = Database::sqlite(elsewhere.path());
    let with = ["--json", "--database", database.url()];
    let found = json(&world, &[&["replay"], &with[..]].concat()).await;
    assert_eq!((&found["inserted"], &found["void"]), (&6.into(), &4.into()), "{found}");
    let verified = json(&world, &[&["verify"], &with[..]].concat()).await;
    assert_eq!(verified["difference_count"], 0, "{verified}");
    let ids: Vec<_> = expected.iter().map(|(id, _)| *id).collect();
    let settings = milena_settings::DatabaseSettings {
        url: milena_settings::Secret::new(database.url()),
        ..world.settings.database.clone()
    };
    let made_anew = milena_storage::Store::connect(&settings).await.unwrap();
    for store in [world.store().await, made_anew] {
        let there = store.events_by_id(&ids).await.unwrap();
        for (id, counts) in &expected {
            assert_eq!(there.iter().any(|place| place.id == *id), *counts, "{id}");
        }
        let (found, _) = store.room_at(&world.settings.kafka.topic, room).await.unwrap();
        let found = found.unwrap();
        let standing = |user: UserId| found.people.iter().find(|(who, _)| *who == user).unwrap().1;
        assert_eq!((found.room.handle.as_str(), found.room.members), ("letters", 3));
        assert!(standing(carl).banned && standing(carl).membership.is_none());
        assert_eq!(standing(bob).membership.unwrap().role, Role::Owner);
    }
}

/// Changes rows by hand, each in its way, and has `verify` name what is wrong then.
async fn harm_and_find(world: &World, database: &Database, harms: &[(&str, &str)]) {
    use sea_orm::ConnectionTrait;
    let connection = connect(database).await;
    for (harm, _) in harms {
        let done = connection.execute_unprepared(harm).await.unwrap();
        assert!(done.rows_affected() > 0, "{harm}");
    }
    connection.close().await.unwrap();
    let output = program(world, &["verify", "--database", database.url()]).await;
    let found = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{harms:?}: {found}");
    for (harm, told) in harms {
        assert!(found.contains(told), "{harm}: {found}");
    }
}

async fn connect(database: &Database) -> DatabaseConnection {
    sea_orm::Database::connect(database.url()).await.unwrap()
}

/// Every table that follows from the log, row by row.
async fn tables(database: &Database) -> Vec<String> {
    async fn rows<E: EntityTrait>(connection: &DatabaseConnection) -> Vec<String>
    where
        E::Model: std::fmt::Debug,
    {
        let mut rows: Vec<String> =
            E::find().all(connection).await.unwrap().iter().map(|row| format!("{row:?}")).collect();
        rows.sort();
        rows
    }
    let connection = connect(database).await;
    let mut all = Vec::new();
    all.extend(rows::<messages::Entity>(&connection).await);
    all.extend(rows::<conversations::Entity>(&connection).await);
    all.extend(rows::<members::Entity>(&connection).await);
    all.extend(rows::<memberships::Entity>(&connection).await);
    all.extend(rows::<room_people::Entity>(&connection).await);
    all.extend(rows::<reactions::Entity>(&connection).await);
    all.extend(rows::<mentions::Entity>(&connection).await);
    all.extend(rows::<blocks::Entity>(&connection).await);
    all.extend(rows::<void_records::Entity>(&connection).await);
    all.extend(rows::<effective_events::Entity>(&connection).await);
    connection.close().await.unwrap();
    all
}
