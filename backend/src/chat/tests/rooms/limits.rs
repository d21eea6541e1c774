//! How many rooms somebody can be in, whichever way they would come into one more.

use milena_domain::record::{Action, Created, Event, Handle, Place, Role, RoomPatch, Seat, Title};
use milena_domain::{ClientId, ConversationId, Epoch, Position, Timestamp, UserId};

use super::super::node::Node;
use super::super::shared::{Log, MemoryStore, PARTITIONS, user};
use super::steps::created;
use crate::chat::rooms::ROOMS_OF_ONE_MAX;
use crate::chat::{Chat, RoomChange};
use crate::refusal::{Code, Refusal};

/// A public room of nobody else.
fn alone() -> Created {
    Created { members: Vec::new(), ..created(0) }
}

/// What would come of it; nothing is written.
async fn outcome(chat: &Chat, change: RoomChange) -> Result<(), Refusal> {
    chat.prepare_room_change(change).await.map(drop)
}

fn creation(actor: UserId, members: &[UserId]) -> RoomChange {
    let seat = |user: &UserId| Seat { user: *user, role: Role::Member, from: None };
    let handle = Handle::new("one-more").unwrap();
    let created = Created { handle, members: members.iter().map(seat).collect(), ..alone() };
    RoomChange::creation(actor, ClientId::new("one more").unwrap(), created, None)
}

#[tokio::test]
async fn nobody_is_in_more_rooms_than_they_may() {
    let (full, other, newcomer) = (user(0), user(1), user(2));
    let (mut log, store) = (Log::default(), MemoryStore::default());
    let mut create = |owner: UserId, number: usize| {
        let name = ClientId::new(&format!("room-{number}")).unwrap();
        let room = ConversationId::room(owner, &name);
        let (seen, action) = (Position::new(Epoch::FIRST, 0), Action::RoomCreated(alone()));
        log.append(Event::new(owner, Place::Room(room), name, Timestamp::from_unix_ms(0), seen, action));
        room
    };
    let owned = (0..ROOMS_OF_ONE_MAX).map(|number| create(full, number)).last().unwrap();
    let elsewhere = create(other, 0);
    (0..PARTITIONS).for_each(|partition| store.consume(&log, partition, usize::MAX));
    let node = Node::start(&log, store, 1 << 20).await;
    let chat = &node.chat;
    let act = |actor: UserId, room: ConversationId, action: Action| {
        let client_id = ClientId::new("one more").unwrap();
        outcome(chat, RoomChange { actor, room, client_id, action, connection: None })
    };
    let refused = |outcome: Result<(), Refusal>| outcome.map_err(|refusal| (refusal.code, refusal.field));
    let too_many = |field: Option<&'static str>| Err((Code::TooManyRooms, field));

    // The store knows it of whoever is not here.
    assert_eq!(refused(outcome(chat, creation(full, &[])).await), too_many(None));
    assert_eq!(refused(outcome(chat, creation(other, &[newcomer, full])).await), too_many(Some("members")));
    assert_eq!(refused(act(full, elsewhere, Action::Joined).await), too_many(None));
    let users = vec![newcomer, full];
    assert_eq!(refused(act(other, elsewhere, Action::MembersAdded { users }).await), too_many(Some("users")));
    // What brings them into none goes on.
    let title = RoomPatch { title: Some(Title::new("Full").unwrap()), ..RoomPatch::default() };
    assert_eq!(act(full, owned, Action::RoomChanged(title)).await, Ok(()));

    // Of whoever is here the node knows it, up to the last room that they may be in.
    for (count, expected) in [(ROOMS_OF_ONE_MAX - 1, Ok(())), (ROOMS_OF_ONE_MAX, too_many(None))] {
        let _here = chat.registry.expect(newcomer);
        let rooms = (0..count).map(|number| ConversationId::from_uuid(uuid::Uuid::from_u128(number as u128)));
        chat.registry.know_rooms(newcomer, rooms);
        assert_eq!(refused(outcome(chat, creation(newcomer, &[])).await), expected, "{count}");
        assert_eq!(refused(act(newcomer, elsewhere, Action::Joined).await), expected, "{count}");
    }
}
