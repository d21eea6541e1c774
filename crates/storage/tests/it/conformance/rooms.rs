//! What a backend asks the store about rooms.

use milena_domain::record::{Action, Role};
use milena_domain::{ConversationId, Epoch, MessageId, Position};
use milena_storage::StoredPlace;

use crate::database::TestDatabase;
use crate::letters::{TOPIC, at, user};
use crate::rooms::{Log, created, seat};

fn offset(offset: i64) -> Position {
    Position::new(Epoch::FIRST, offset)
}

/// The roster with who is banned and who went, and the offsets of the same moment.
pub(super) async fn a_room_is_read_whole(database: &TestDatabase) {
    let store = database.store().await;
    let mut log = Log::default();
    let members = vec![seat(2, Role::Moderator), seat(3, Role::Member), seat(4, Role::Member)];
    let room = log.create(1, milena_domain::record::Created { members, ..created("letters") });
    log.act(room, 2, Action::Banned { user: user(3) });
    log.act(room, 4, Action::Left);
    let (joined, _) = log.act(room, 5, Action::Joined);
    log.say(room, 5, "hello");
    let last = log.say(room, 5, "again").position;
    let direct = log.say_to(1, 2, "psst").0;
    log.write(&store).await;

    let (found, position) = store.room_at(TOPIC, room).await.unwrap();
    let found = found.unwrap();
    assert_eq!(position.next_offsets[&0], 7);
    assert_eq!((found.room.handle.as_str(), found.room.members, found.room.owners), ("letters", 3, 1));
    assert_eq!((found.last_seq, found.last_position, found.last_sent_at), (2, last, at(5)));
    assert_eq!(found.folded, joined);
    let mut people = found.people;
    people.sort_unstable_by_key(|(user, _)| *user);
    let facts: Vec<_> = people
        .iter()
        .map(|(user, standing)| (*user, standing.membership.map(|m| (m.role, m.from)), standing.banned))
        .collect();
    let begun = offset(0);
    assert_eq!(
        facts,
        [
            (user(1), Some((Role::Owner, begun)), false),
            (user(2), Some((Role::Moderator, begun)), false),
            (user(3), None, true),
            (user(4), None, false),
            (user(5), Some((Role::Member, joined)), false),
        ]
    );
    assert_eq!(people[3].1.changed, Some(offset(2)));
    for none in [direct, ConversationId::direct(user(8), user(9))] {
        assert_eq!(store.room_at(TOPIC, none).await.unwrap().0, None);
    }
    let (rooms, position) = store.rooms_of(TOPIC, user(4), 10).await.unwrap();
    assert_eq!((rooms, position.next_offsets[&0]), (Vec::new(), 7));
    let gone = store.intervals_of(room, user(4)).await.unwrap();
    assert_eq!((gone.len(), gone[0].from, gone[0].to), (1, begun, Some(offset(2))));
}

pub(super) async fn events_of_all_kinds_are_found_by_id(database: &TestDatabase) {
    let store = database.store().await;
    let mut log = Log::default();
    let room = log.create(1, created("letters"));
    let target = log.say(room, 1, "hello");
    let (joined_at, joined) = log.act(room, 2, Action::Joined);
    let emoji = milena_domain::record::Emoji::new("🔑").unwrap();
    let (reacted_at, reacted) = log.act(room, 2, Action::Reacted { target, emoji, on: true });
    let (_, void) = log.act(room, 9, Action::Left);
    let direct = log.say_to(1, 2, "psst").0;
    let (blocked_at, blocked) = log.to(2, 1, Action::Blocked { on: true });
    log.say_to(3, 4, "hi");
    let (unblocked_at, _) = log.to(3, 4, Action::Blocked { on: true });
    let (_, _) = log.to(3, 4, Action::Blocked { on: false });
    log.write(&store).await;

    let stranger = MessageId::from_uuid(uuid::Uuid::from_u128(99));
    let mut found = store.events_by_id(&[target.id, joined, reacted, void, blocked, stranger]).await.unwrap();
    found.sort_unstable_by_key(|place| place.position);
    let place = |id, conversation, position, kind: Option<&str>| StoredPlace {
        id,
        conversation,
        position,
        kind: kind.map(str::to_owned),
    };
    assert_eq!(
        found,
        [
            place(target.id, room, target.position, Some("message")),
            place(joined, room, joined_at, Some("joined")),
            place(reacted, room, reacted_at, None),
            place(blocked, direct, blocked_at, None),
        ]
    );
    assert!(store.events_by_id(&[]).await.unwrap().is_empty());

    let blocks = store.blocks(TOPIC, 10).await.unwrap();
    assert_eq!((blocks.blocks, blocks.is_complete), (vec![(direct, user(2), blocked_at)], true));
    assert_eq!(blocks.log.next_offsets[&0], unblocked_at.offset() + 2);
    let none = store.blocks(TOPIC, 0).await.unwrap();
    assert!(none.blocks.is_empty() && !none.is_complete);
}
