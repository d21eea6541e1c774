//! The same words among more people: what ten pairs say to each other is said in one room, which is created
//! before its first message.

use milena_domain::record::{
    Action, Created, Event, Handle, History, Message, Place, Posting, Role, Seat, Title, Visibility,
};
use milena_domain::{ClientId, ConversationId, Position, Timestamp, UserId};
use uuid::Uuid;

use super::letters::Letters;

/// In each room, its creator included.
const MEMBERS: usize = 20;
/// Conversations of two that make a room.
const PAIRS: usize = 10;

/// An endless source of what happens in rooms.
pub(super) struct RoomLetters {
    letters: Letters,
    /// Those that exist.
    rooms: Vec<Option<ConversationId>>,
}

impl RoomLetters {
    /// `conversations_for`: how many messages there will be about.
    pub(super) fn new(conversations_for: u64) -> Self {
        let letters = Letters::new(conversations_for);
        let rooms = vec![None; letters.conversations().div_ceil(PAIRS)];
        Self { letters, rooms }
    }

    /// The next message, behind the creation of its room if that is new. Nothing was seen before them.
    pub(super) fn next(&mut self) -> (Option<Event>, Event) {
        let (chosen, one) = (self.letters.conversation() / PAIRS, self.letters.below(MEMBERS));
        let (client_id, at, body) = self.letters.words(None);
        let created = self.rooms[chosen].is_none().then(|| create(chosen, at));
        if let Some(created) = &created {
            self.rooms[chosen] = Some(created.conversation);
        }
        let place = Place::Room(self.rooms[chosen].expect("created above"));
        let action = Action::Message(Message::plain(body));
        (created, Event::new(member(chosen, one), place, client_id, at, Position::ZERO, action))
    }
}

fn create(room: usize, at: Timestamp) -> Event {
    let creator = member(room, 0);
    let client_id = ClientId::new(&format!("room-{room}")).expect("short and printable");
    let created = Created {
        handle: Handle::new(&format!("room-{room}")).expect("short and plain"),
        title: Title::new(&format!("Room {room}")).expect("short"),
        topic: None,
        visibility: Visibility::Private,
        history: History::All,
        posting: Posting::Members,
        members: (1..MEMBERS)
            .map(|one| Seat { user: member(room, one), role: Role::Member, from: None })
            .collect(),
    };
    // A creation's room follows from itself.
    let place = Place::Direct(creator);
    Event::new(creator, place, client_id, at, Position::ZERO, Action::RoomCreated(created))
}

/// Spread like ids that are made of a time and of chance.
fn member(room: usize, one: usize) -> UserId {
    let number = (room * MEMBERS + one) as u128;
    UserId::from_uuid(Uuid::from_u128(number.wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)))
}
