//! The rooms that this node follows: what the fold knows of each, whole, as of the last record that was
//! delivered.
//!
//! A room is loaded when somebody here needs it (they connect, read, send, or are brought into it): its state
//! comes from the store as of the consumer's offset, and the records since then, which are in memory, are
//! folded on top. From then on each record is folded as it is delivered. Admission asks the same state, so
//! what is refused here is refused by every node. Only the delivery task writes. Pure: no I/O.

use std::collections::HashMap;
use std::sync::Arc;

use milena_domain::record::{Action, Event, Handle, Placed, Visibility};
use milena_domain::{ConversationId, MessageId, Position, Timestamp, UserId};
use milena_timeline::{
    ConversationState, Facts, Judgement, Leave, Outcome, Room, Standing, Window, fold, fold_about,
};

/// People on all rosters together from which on rooms that nobody here needs are unloaded: some 100 bytes
/// each.
const PEOPLE_MAX: usize = 1_000_000;
/// Messages that a state may remember before it forgets them: what is needed of messages is kept elsewhere
/// ([`super::targets`]).
const ITEMS_MAX: u32 = 256;

/// A room as one person sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomView {
    /// Which.
    pub id: ConversationId,
    /// What it is.
    pub room: Room,
    /// What it knows of the person.
    pub standing: Standing,
}

/// A room with its roster, and the ids that were used in it lately.
#[derive(Debug)]
pub struct Loaded {
    state: ConversationState,
    window: Window,
    /// The newest event that is shown: where it stands, and when it happened.
    last: Option<Arc<Placed>>,
    /// As the store had it: place and time of the newest event.
    stored_last: Option<(Position, Timestamp)>,
    items: u32,
    used: u64,
    /// Under which handle it is found.
    indexed: Option<Handle>,
}

impl RoomView {
    /// Whether the person may know what the room is: whoever is in it, and everybody of a public one.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.standing.membership.is_some() || self.room.visibility == Visibility::Public
    }
}

impl Loaded {
    /// A room as the store has it; `used` are the ids that were used in it within the window before.
    #[must_use]
    pub fn new(
        state: ConversationState,
        stored_last: Option<(Position, Timestamp)>,
        used: impl IntoIterator<Item = (MessageId, Position)>,
    ) -> Self {
        let mut window = Window::default();
        for (id, position) in used {
            window.remember_id(id, position);
        }
        Self { state, window, last: None, stored_last, items: 0, used: 0, indexed: None }
    }

    /// Judges the next record, and carries it on if it counts; `None` for what is about a message
    /// (`Loaded::fold_about`).
    pub fn fold(&mut self, placed: &Placed) -> Option<Outcome> {
        if !is_followed(&placed.event.action) {
            return None;
        }
        let outcome = match fold(&mut self.window, &mut self.state, placed) {
            // Written by a node of the epoch before, so it proves nothing: what is remembered tells.
            Err(missing) if !missing.ids.is_empty() => {
                missing.ids.iter().for_each(|id| self.window.answer(*id, self.window.place_of(*id)));
                fold(&mut self.window, &mut self.state, placed)
            }
            outcome => outcome,
        };
        // What else is followed asks for people only, and the whole roster is here.
        let outcome = outcome.ok()?;
        if matches!(outcome, Outcome::Effective(_)) {
            self.last = Some(Arc::new(placed.clone()));
            self.items += 1;
            if self.items >= ITEMS_MAX {
                self.items = 0;
                self.state.forget_items();
            }
        }
        Some(outcome)
    }

    /// Judges a record about a message, of which the room has said what it says.
    fn fold_about(&mut self, placed: &Placed, leave: Leave, facts: &mut Facts) -> Outcome {
        let outcome = fold_about(&mut self.window, leave, facts, placed);
        if matches!(outcome, Outcome::Effective(_)) {
            self.note(placed);
        }
        outcome
    }

    fn note(&mut self, placed: &Placed) {
        let is_newer = self.last().is_none_or(|(last, _)| last < placed.position);
        if is_newer {
            self.last = Some(Arc::new(placed.clone()));
        }
    }

    /// What the fold knows.
    #[must_use]
    pub const fn state(&self) -> &ConversationState {
        &self.state
    }

    /// Place and time of the newest event; `None` of a room that nobody created.
    #[must_use]
    pub fn last(&self) -> Option<(Position, Timestamp)> {
        self.last.as_ref().map(|placed| (placed.position, placed.event.at)).or(self.stored_last)
    }

    /// Where an id was used lately.
    #[must_use]
    pub fn place_of(&self, id: MessageId) -> Option<Position> {
        self.window.place_of(id)
    }
}

/// Whether the state alone tells what becomes of this kind of event. Changes of messages need the messages;
/// they change nothing of who may do what.
#[must_use]
pub const fn is_followed(action: &Action) -> bool {
    action.target().is_none() && !matches!(action, Action::Blocked { .. })
}

/// All rooms that are loaded.
#[derive(Debug, Default)]
pub struct Rooms {
    loaded: HashMap<ConversationId, Loaded>,
    by_handle: HashMap<Handle, ConversationId>,
    people: usize,
    uses: u64,
}

impl Rooms {
    /// The room, if it is loaded.
    #[must_use]
    pub fn get(&self, id: ConversationId) -> Option<&Loaded> {
        self.loaded.get(&id)
    }

    /// Whether the room is loaded.
    #[must_use]
    pub fn contains(&self, id: ConversationId) -> bool {
        self.loaded.contains_key(&id)
    }

    /// A room that is loaded, as `user` sees it.
    #[must_use]
    pub fn view(&self, id: ConversationId, user: UserId) -> Option<RoomView> {
        let state = self.loaded.get(&id)?.state();
        let room = state.room()?.clone();
        Some(RoomView { id, room, standing: state.standing(user).unwrap_or_default() })
    }

    /// Public rooms that the store did not have when they were loaded, as `user` sees them.
    pub fn made_public(&self, user: UserId) -> impl Iterator<Item = RoomView> {
        let new = self.loaded.iter().filter(|(_, loaded)| loaded.stored_last.is_none());
        let seen = new.filter_map(move |(id, _)| self.view(*id, user));
        seen.filter(|view| view.room.visibility == Visibility::Public && !view.room.archived)
    }

    /// Whether `user` is in the room now.
    #[must_use]
    pub fn is_member(&self, id: ConversationId, user: UserId) -> bool {
        let standing = self.loaded.get(&id).and_then(|loaded| loaded.state().standing(user));
        standing.is_some_and(|standing| standing.membership.is_some())
    }

    /// The verdict on an event if it stood next in the log; `None` when the room is not loaded.
    #[must_use]
    pub fn judge(&self, event: &Event) -> Option<Judgement> {
        self.loaded.get(&event.conversation)?.state().judge(event).ok()
    }

    /// What a room that is loaded says of an event about a message.
    #[must_use]
    pub fn admit(&self, event: &Event) -> Option<Leave> {
        self.loaded.get(&event.conversation)?.state().admit(event).ok()
    }

    /// Judges a record about a message; `None` when the room is not loaded.
    pub fn fold_about(&mut self, placed: &Placed, leave: Leave, facts: &mut Facts) -> Option<Outcome> {
        let loaded = self.loaded.get_mut(&placed.event.conversation)?;
        self.uses += 1;
        loaded.used = self.uses;
        Some(loaded.fold_about(placed, leave, facts))
    }

    /// A record about a message counted, as was seen before the room was loaded again.
    pub fn counted(&mut self, placed: &Placed) {
        if let Some(loaded) = self.loaded.get_mut(&placed.event.conversation) {
            loaded.window.remember(placed);
            loaded.note(placed);
        }
    }

    /// The loaded room that goes by this handle.
    #[must_use]
    pub fn by_handle(&self, handle: &Handle) -> Option<ConversationId> {
        self.by_handle.get(handle).copied()
    }

    /// Folds the next record of a room that is loaded; `None` when it is not, or for what is not followed.
    pub fn fold(&mut self, placed: &Placed) -> Option<Outcome> {
        let loaded = self.loaded.get_mut(&placed.event.conversation)?;
        self.uses += 1;
        loaded.used = self.uses;
        let before = loaded.state.known_people();
        let outcome = loaded.fold(placed);
        self.people = (self.people + loaded.state.known_people()).saturating_sub(before);
        if matches!(placed.event.action, Action::RoomCreated(_) | Action::RoomChanged(_)) {
            self.index_handle(placed.event.conversation);
        }
        outcome
    }

    /// Begins to follow a room.
    pub fn install(&mut self, id: ConversationId, mut loaded: Loaded) {
        self.uses += 1;
        loaded.used = self.uses;
        self.people += loaded.state.known_people();
        self.loaded.insert(id, loaded);
        self.index_handle(id);
    }

    /// Stops following a room.
    pub fn remove(&mut self, id: ConversationId) {
        if let Some(loaded) = self.loaded.remove(&id) {
            self.people = self.people.saturating_sub(loaded.state.known_people());
            self.forget_handle(id, loaded.indexed.as_ref());
        }
    }

    /// Stops following rooms, the least recently used first, until the rosters fit; those that are `needed`
    /// stay whatever they take. Gives those that are not followed any more.
    pub fn unload(&mut self, needed: impl Fn(ConversationId) -> bool) -> Vec<ConversationId> {
        self.unload_to(PEOPLE_MAX, needed)
    }

    pub(crate) fn unload_to(
        &mut self,
        people_max: usize,
        needed: impl Fn(ConversationId) -> bool,
    ) -> Vec<ConversationId> {
        let mut unloaded = Vec::new();
        if self.people <= people_max {
            return unloaded;
        }
        let mut free: Vec<(u64, ConversationId)> = self
            .loaded
            .iter()
            .filter(|(id, _)| !needed(**id))
            .map(|(id, loaded)| (loaded.used, *id))
            .collect();
        free.sort_unstable();
        for (_, id) in free {
            if self.people <= people_max {
                break;
            }
            self.remove(id);
            unloaded.push(id);
        }
        unloaded
    }

    /// How many are loaded.
    #[must_use]
    pub fn len(&self) -> usize {
        self.loaded.len()
    }

    /// Whether none is loaded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.loaded.is_empty()
    }

    fn index_handle(&mut self, id: ConversationId) {
        let Some(loaded) = self.loaded.get_mut(&id) else { return };
        let handle = loaded.state.room().map(|room| room.handle.clone());
        let before = std::mem::replace(&mut loaded.indexed, handle.clone());
        self.forget_handle(id, before.as_ref());
        if let Some(handle) = handle {
            self.by_handle.entry(handle).or_insert(id);
        }
    }

    fn forget_handle(&mut self, id: ConversationId, handle: Option<&Handle>) {
        if let Some(handle) = handle
            && self.by_handle.get(handle) == Some(&id)
        {
            self.by_handle.remove(handle);
        }
    }
}

#[cfg(test)]
mod tests {
    use milena_domain::record::{Created, History, Message, Place, Posting, Role, Title};
    use milena_domain::{Body, ClientId, Epoch};
    use milena_timeline::Void;

    use super::*;

    fn user(n: u128) -> UserId {
        UserId::from_uuid(uuid::Uuid::from_u128(n))
    }

    fn name(n: u128) -> ClientId {
        ClientId::new(&format!("room-{n}")).unwrap()
    }

    /// What happens in a room, one after the other.
    struct Log {
        rooms: Rooms,
        offset: i64,
    }

    impl Log {
        fn new() -> Self {
            Self { rooms: Rooms::default(), offset: 0 }
        }

        fn happens(&mut self, actor: u128, room: ConversationId, action: Action) -> Option<Outcome> {
            self.offset += 1;
            let client_id = ClientId::new(&self.offset.to_string()).unwrap();
            let seen = Position::new(Epoch::FIRST, self.offset - 1);
            let at = Timestamp::from_unix_ms(self.offset);
            let event = Event::new(user(actor), Place::Room(room), client_id, at, seen, action);
            self.rooms.fold(&Placed { position: Position::new(Epoch::FIRST, self.offset), event })
        }

        /// A private room of its owner, and one more person.
        fn room(&mut self, owner: u128, other: u128) -> ConversationId {
            let room = ConversationId::room(user(owner), &name(owner));
            self.rooms.install(room, Loaded::new(ConversationState::unwritten(), None, []));
            let handle = Handle::new(&format!("room-{owner}")).unwrap();
            let created = Created {
                handle,
                title: Title::new("A room").unwrap(),
                topic: None,
                visibility: Visibility::Private,
                history: History::All,
                posting: Posting::Members,
                members: Vec::new(),
            };
            self.offset += 1;
            let position = Position::new(Epoch::FIRST, self.offset);
            let (place, at) = (Place::Room(room), Timestamp::from_unix_ms(self.offset));
            let action = Action::RoomCreated(created);
            let event = Event::new(user(owner), place, name(owner), at, position.before(), action);
            assert!(matches!(self.rooms.fold(&Placed { position, event }), Some(Outcome::Effective(_))));
            let added = Action::MembersAdded { users: vec![user(other)] };
            assert!(matches!(self.happens(owner, room, added), Some(Outcome::Effective(_))));
            room
        }
    }

    #[test]
    fn a_room_is_what_its_records_made_of_it() {
        let mut log = Log::new();
        let room = log.room(1, 2);
        assert!(log.rooms.is_member(room, user(2)) && log.rooms.view(room, user(2)).unwrap().is_open());
        assert_eq!(log.rooms.view(room, user(1)).unwrap().standing.membership.unwrap().role, Role::Owner);
        let removed = log.happens(1, room, Action::Removed { user: user(2) });
        assert!(matches!(removed, Some(Outcome::Effective(_))));
        assert!(!log.rooms.is_member(room, user(2)));
        assert!(!log.rooms.view(room, user(2)).unwrap().is_open(), "it is private");
        let left = log.happens(2, room, Action::Left);
        assert!(matches!(left, Some(Outcome::Repeat(_))), "out of it already: {left:?}");
        let said = Action::Message(Message::plain(Body::new("still here?").unwrap()));
        assert_eq!(log.happens(2, room, said), Some(Outcome::Void(Void::NotMember)));
        assert_eq!(log.rooms.by_handle(&Handle::new("room-1").unwrap()), Some(room));
    }

    #[test]
    fn what_a_node_of_the_epoch_before_wrote_counts_as_everywhere() {
        let mut log = Log::new();
        let room = log.room(1, 2);
        let client_id = ClientId::new("late").unwrap();
        let at = Timestamp::from_unix_ms(9);
        let left = Event::new(user(2), Place::Room(room), client_id, at, Position::ZERO, Action::Left);
        let placed = |offset| Placed { position: Position::new(Epoch::FIRST, offset), event: left.clone() };
        assert_ne!(Position::ZERO.epoch_number(), Epoch::FIRST.get());
        assert!(matches!(log.rooms.fold(&placed(50)), Some(Outcome::Effective(_))));
        assert!(!log.rooms.is_member(room, user(2)));
        assert_eq!(log.rooms.fold(&placed(51)), Some(Outcome::Repeat(placed(50).position)));
    }

    #[test]
    fn rooms_that_nobody_needs_go_first_and_by_their_last_use() {
        let mut log = Log::new();
        let rooms = [log.room(1, 2), log.room(3, 4), log.room(5, 6)];
        assert_eq!(log.rooms.people, 6);
        assert!(log.rooms.unload_to(6, |_| false).is_empty());
        assert!(matches!(log.happens(2, rooms[0], Action::Left), Some(Outcome::Effective(_))));
        let unloaded = log.rooms.unload_to(4, |room| room == rooms[1]);
        assert_eq!(unloaded, [rooms[2]], "the first was used since, the second is needed");
        assert_eq!(log.rooms.by_handle(&Handle::new("room-5").unwrap()), None);
        assert_eq!(log.rooms.unload_to(0, |room| room == rooms[1]), [rooms[0]]);
        assert!(log.rooms.contains(rooms[1]) && log.rooms.len() == 1);
    }
}
