//! Rooms in the list of conversations and in the directory.

use milena_domain::limits::UNREAD_MAX_COUNT;
use milena_domain::record::{Action, Created, Handle, History, Role, RoomPatch, Topic, Visibility};
use milena_domain::{ConversationId, Position};
use milena_storage::{
    ConversationKind, ConversationSummary, DirectoryCursor, ListCursor, ReadMark, RoomSummary, Store, Touched,
};
use sea_orm::ConnectionTrait;

use crate::database::{Server, TestDatabase};
use crate::letters::{TOPIC, user};
use crate::rooms::{Log, created, seat};

fn room_of(found: &ConversationSummary) -> &RoomSummary {
    match &found.kind {
        ConversationKind::Room(room) => room,
        direct @ ConversationKind::Direct { .. } => panic!("no room: {direct:?}"),
    }
}

async fn summary(store: &Store, reader: u128, id: ConversationId) -> Option<ConversationSummary> {
    let (found, _) = store.conversation_of(TOPIC, user(reader), id).await.unwrap();
    let among = store.conversations_among(TOPIC, user(reader), &[id, id]).await.unwrap().conversations;
    assert_eq!(among, found.clone().into_iter().collect::<Vec<_>>(), "asked for in either way");
    found
}

pub(super) async fn people_and_rooms_are_one_list(database: &TestDatabase) {
    let store = database.store().await;
    let mut log = Log::default();
    // The time of each event is its offset.
    let quiet = log.create(1, created("quiet"));
    let old = log.create(2, created("old"));
    log.say(old, 2, "long ago");
    let direct = log.say_to(3, 1, "psst").0;
    let busy = log.create(1, Created { members: vec![seat(2, Role::Member)], ..created("busy") });
    log.say(busy, 2, "one");
    let (joined, _) = log.act(old, 1, Action::Joined);
    let left = log.create(2, Created { members: vec![seat(1, Role::Member)], ..created("left") });
    let (gone, _) = log.act(left, 1, Action::Left);
    let newest = log.say_to(1, 4, "hello").0;
    let last = log.say(busy, 2, "two");
    log.write(&store).await;

    let expected = [(busy, 10), (newest, 9), (old, 6), (direct, 3), (quiet, 0)];
    for limit in [1, 2, 3, 10] {
        let (mut listed, mut before) = (Vec::new(), None);
        loop {
            let page = store.conversations_of(TOPIC, user(1), before, limit).await.unwrap();
            assert!(page.conversations.len() <= limit);
            let Some(last) = page.conversations.last() else { break };
            before = Some(last.cursor());
            listed.extend(page.conversations);
        }
        let order: Vec<_> = listed.iter().map(|found| (found.id, found.last_sent_at.unix_ms())).collect();
        assert_eq!(order, expected, "by {limit}");
    }
    let found = summary(&store, 1, busy).await.unwrap();
    let room = room_of(&found);
    let facts = (room.room.handle.as_str(), room.role, room.room.members, room.last_seq);
    assert_eq!(facts, ("busy", Role::Owner, 2, 2));
    assert_eq!((room.from.offset(), room.joined.offset()), (4, 4));
    let message = found.last_message.unwrap();
    assert_eq!((message.id, message.recipient(), found.last_position), (last.id, None, last.position));
    let found = summary(&store, 1, quiet).await.unwrap();
    assert_eq!((found.last_message, found.last_position.offset(), found.unread), (None, 0, 0));
    assert_eq!(summary(&store, 1, left).await, None, "no longer in it");
    assert_eq!(summary(&store, 9, busy).await, None, "a stranger");

    let since = store.conversations_since(user(1), joined, 10).await.unwrap();
    let newest_of = |id| since.iter().find(|found| found.id == id).map(|found| found.last_position);
    assert_eq!(since.len(), 4);
    assert_eq!(since[0], Touched { id: busy, last_position: last.position, is_room: true });
    assert_eq!((newest_of(old), newest_of(left)), (Some(joined), Some(gone)));
    assert_eq!(newest_of(quiet), None);
}

async fn read(store: &Store, reader: u128, conversation: ConversationId, position: Position) -> bool {
    let mark = ReadMark { user: user(reader), conversation, position };
    store.advance_reads(&[mark]).await.unwrap()[0]
}

pub(super) async fn unread_messages_of_rooms_are_told_by_numbers(database: &TestDatabase) {
    let store = database.store().await;
    let mut log = Log::default();
    let members = vec![seat(2, Role::Member), seat(3, Role::Member)];
    let all = log.create(1, Created { members: members.clone(), ..created("all") });
    let since = log.create(
        1,
        Created { history: History::SinceJoin, members, visibility: Visibility::Public, ..created("since") },
    );
    let many = i64::from(UNREAD_MAX_COUNT) + 5;
    let mut said = Vec::new();
    for number in 0..many {
        said.push(log.say(all, 1, &format!("message {number}")));
        log.say(since, 1, "x");
    }
    let unread = async |reader, room| {
        let found = summary(&store, reader, room).await.unwrap();
        (found.unread, found.last_read)
    };
    log.write(&store).await;
    assert_eq!(unread(1, all).await, (0, said.last().unwrap().position), "all are their own");
    assert_eq!(unread(2, all).await.0, UNREAD_MAX_COUNT);

    // Whoever comes has read what was before them, and nothing of it is shown where they may not see it.
    let joined: Vec<_> = [all, since].map(|room| log.act(room, 4, Action::Joined).0).to_vec();
    log.write(&store).await;
    assert_eq!((unread(4, all).await, unread(4, since).await), ((0, joined[0]), (0, joined[1])));
    assert!(summary(&store, 4, all).await.unwrap().last_message.is_some());
    assert_eq!(summary(&store, 4, since).await.unwrap().last_message, None);
    let next: Vec<_> = (0..3).map(|_| log.say(all, 1, "next")).collect();
    log.say(since, 2, "next");
    // A new role is no coming.
    log.act(all, 1, Action::RoleChanged { user: user(4), role: Role::Moderator });
    log.write(&store).await;
    assert_eq!((unread(4, all).await.0, unread(4, since).await.0), (3, 1));
    assert!(summary(&store, 4, since).await.unwrap().last_message.is_some());
    let found = summary(&store, 4, all).await.unwrap();
    assert_eq!((room_of(&found).role, room_of(&found).joined), (Role::Moderator, joined[0]));
    assert!(room_of(&found).from > joined[0]);

    // Marks only grow, and may stand on what is no message.
    assert!(read(&store, 4, all, next[1].position).await);
    assert!(read(&store, 4, all, next[0].position).await);
    assert_eq!(unread(4, all).await, (1, next[1].position));
    assert!(read(&store, 2, all, said[said.len() - 3].position).await);
    assert_eq!(unread(2, all).await.0, 5);
    assert!(read(&store, 4, all, Position::MAX).await);
    assert_eq!(unread(4, all).await.0, 0);

    // Their own newest message, and what is deleted, is not unread.
    let own = log.say(all, 2, "mine");
    let after: Vec<_> = (0..3).map(|_| log.say(all, 1, "after")).collect();
    log.act(all, 1, Action::Deleted { target: after[1], reason: None });
    log.act(all, 1, Action::Deleted { target: next[0], reason: None });
    log.write(&store).await;
    assert_eq!(unread(2, all).await, (2, own.position));
    assert_eq!(unread(3, all).await.0, UNREAD_MAX_COUNT);

    // Who was never there has nothing to mark; who went may, and has again what comes when they are back.
    assert!(!read(&store, 9, all, own.position).await);
    log.act(all, 3, Action::Left);
    log.say(all, 1, "meanwhile");
    log.write(&store).await;
    assert!(read(&store, 3, all, own.position).await);
    let (back, _) = log.act(all, 3, Action::Joined);
    log.say(all, 1, "welcome back");
    log.write(&store).await;
    assert_eq!(unread(3, all).await, (1, back));
}

/// Somebody in fifty rooms of a thousand, where others write much: nothing is scanned.
pub(super) async fn a_page_with_rooms_costs_a_page(database: &TestDatabase) {
    let store = database.store().await;
    let mut log = Log::default();
    let mut mine = Vec::new();
    for number in 0..1_000_u128 {
        let members = if number % 20 == 0 { vec![seat(1, Role::Member)] } else { Vec::new() };
        let is_mine = !members.is_empty();
        let room = log.create(2 + number, Created { members, ..created(&format!("room-{number}")) });
        for _ in 0..4 {
            log.say(room, 2 + number, "x");
        }
        mine.extend(is_mine.then_some(room));
    }
    log.write(&store).await;
    let raw = database.raw().await;
    if database.server == Server::Postgres {
        // Small tables it reads as a whole, and is right.
        for ballast in [
            "INSERT INTO conversations (id, kind, last_position, last_sent_at_ms, created_at_ms) \
             SELECT gen_random_uuid(), 'direct', 1, 1, 1 FROM generate_series(1, 50000)",
            "INSERT INTO messages (conversation_id, position, id, sender_id, recipient_id, client_id, \
             sent_at_ms, body) SELECT id, 1, gen_random_uuid(), id, id, 'c', 1, 'x' FROM conversations",
            "INSERT INTO room_authors (conversation_id, user_id, position) \
             SELECT id, id, 1 FROM conversations",
            "INSERT INTO memberships (conversation_id, user_id, from_position, role) \
             SELECT id, id, 1, 'member' FROM conversations",
        ] {
            raw.execute_unprepared(ballast).await.unwrap();
        }
    }
    let analyze = match database.server {
        Server::MariaDb => {
            "ANALYZE TABLE memberships, conversations, messages, room_reads, room_authors, conversation_lists"
        }
        _ => "ANALYZE",
    };
    raw.execute_unprepared(analyze).await.unwrap();
    // Connections read what was counted when they are made.
    let store = database.connect().await;
    let middle = ListCursor { last_sent_at: crate::letters::at(2_500), id: mine[0] };
    for before in [None, Some(middle)] {
        let plan = store.plan_of_rooms(user(1), before).await.unwrap();
        for line in &plan {
            // What is chosen already is read as a whole, and tables that are empty may be.
            let chosen =
                ["<derived", "SCAN page", "SCAN placed", "SCAN numbered", "room_reads", "on mentions"];
            let scan = ["SCAN ", "Seq Scan", " ALL "].iter().any(|word| line.contains(word));
            assert!(!scan || chosen.iter().any(|word| line.contains(word)), "{line}\n{}", plan.join("\n"));
        }
        let page = store.conversations_of(TOPIC, user(1), before, 20).await.unwrap().conversations;
        let upper = before.map_or(mine.len(), |_| mine.len() / 2);
        let expected: Vec<_> = mine[..upper].iter().rev().take(20).copied().collect();
        assert_eq!(page.iter().map(|found| found.id).collect::<Vec<_>>(), expected);
        assert!(page.iter().all(|found| found.unread == 4));
    }
    let plan = store.plan_of_directory(None).await.unwrap().join("\n");
    assert!(plan.contains("conversations_directory"), "{plan}");
}

pub(super) async fn rooms_are_found_by_size_word_and_handle(database: &TestDatabase) {
    let store = database.store().await;
    let mut log = Log::default();
    let sized = |handle: &str, members: u128| Created {
        members: (100..99 + members).map(|number| seat(number, Role::Member)).collect(),
        ..created(handle)
    };
    let topic = Topic::new("Über Käse und Brot").unwrap();
    let cheese = log.create(1, Created { topic: Some(topic), ..sized("kaese", 3) });
    let bread = log.create(2, sized("bread-makers", 5));
    let small = log.create(3, sized("breadcrumbs", 1));
    let twin = log.create(4, sized("twins", 3));
    log.create(5, Created { visibility: Visibility::Private, ..sized("secret-bread", 9) });
    let closed = log.create(6, sized("closed-bread", 9));
    log.act(closed, 6, Action::RoomChanged(RoomPatch { archived: Some(true), ..RoomPatch::default() }));
    log.write(&store).await;

    let find = async |query: &str, before: Option<DirectoryCursor>, limit| -> Vec<ConversationId> {
        let found = store.public_rooms(query, before, limit).await.unwrap();
        found.into_iter().map(|(id, _)| id).collect()
    };
    let mut threes = [cheese, twin];
    threes.sort_unstable_by(|one, other| other.cmp(one));
    let everything = [bread, threes[0], threes[1], small];
    assert_eq!(find("", None, 10).await, everything);
    let (mut paged, mut before) = (Vec::new(), None);
    while let Some((id, room)) = store.public_rooms(" ", before, 1).await.unwrap().pop() {
        before = Some(DirectoryCursor { members: room.members, id });
        paged.push(id);
    }
    assert_eq!(paged, everything);
    assert_eq!(find("BREAD", None, 10).await, [bread, small]);
    let after_bread = Some(DirectoryCursor { members: 5, id: bread });
    assert_eq!(find("bread", after_bread, 10).await, [small]);
    assert_eq!(find("mak bread", None, 10).await, [bread]);
    assert_eq!(find("uber kas", None, 10).await, [cheese]);
    for nothing in ["bread cheese", "...", "crumbs", "secret"] {
        assert_eq!(find(nothing, None, 10).await, [], "{nothing}");
    }

    // The first who took a handle has it, also archived; the next one when they let go.
    let handle = |text: &str| Some(Handle::new(text).unwrap());
    let by_handle = async |text: &str| store.room_by_handle(text).await.unwrap();
    assert_eq!(by_handle("closed-bread").await, Some(closed));
    log.act(twin, 4, Action::RoomChanged(RoomPatch { handle: handle("kaese"), ..RoomPatch::default() }));
    log.write(&store).await;
    assert_eq!((by_handle("kaese").await, by_handle("twins").await), (Some(cheese), None));
    log.act(cheese, 1, Action::RoomChanged(RoomPatch { handle: handle("cheese"), ..RoomPatch::default() }));
    log.write(&store).await;
    assert_eq!((by_handle("kaese").await, by_handle("cheese").await), (Some(twin), Some(cheese)));
    // The title of the one, the handle of the other.
    let both = if threes[0] == cheese { [cheese, twin] } else { [twin, cheese] };
    assert_eq!(find("kaese", None, 10).await, both);
}
