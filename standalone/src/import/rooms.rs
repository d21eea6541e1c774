//! The rooms of an import: found again by their handles, created when missing, joined by whoever writes, and
//! folded on by what the file says happened in them.
//!
//! A room that the import creates is public unless the file says otherwise, shows all its history, and
//! belongs to the server: nobody in a file is known to want to keep order in it. What the file says is
//! private is never written into a room that is public here. Its id follows from its name in the file, so a
//! second import, also of another file, finds it again.
//!
//! Since version 2 a record proves that its id was new up to a position (`seen`), and counts only within
//! [`REPEAT_WINDOW_OFFSETS`] of it. What was stored up to there is looked up; so an import never runs further
//! ahead of the store than that ([`Rooms::wait_for_store`]).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use milena_domain::limits::{EVERYONE_FREE_MEMBERS, HANDLE_MAX_CHARS, REPEAT_WINDOW_OFFSETS};
use milena_domain::record::{
    Action, Created, Event, Handle, History, Place, Placed, Posting, Title, Visibility,
};
use milena_domain::{ClientId, ConversationId, Epoch, Position, Timestamp, UserId, partition_of};
use milena_storage::{LogPosition, Store};
use milena_timeline::{ConversationState, Judgement, Outcome, Void};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::event::Happened;
use super::line::{Place as FilePlace, RoomForm};

/// People of all rooms that are remembered, at most (about 100 MB): then the import waits for the database,
/// and asks it again.
const PEOPLE_MAX: usize = 1_000_000;
/// So far an import may be ahead of the store: half of what a proof reaches, as others write too.
const AHEAD_MAX: i64 = REPEAT_WINDOW_OFFSETS / 2;
const POLL: Duration = Duration::from_millis(20);
/// A store that stands still for so long has no consumer.
const PATIENCE: Duration = Duration::from_secs(120);

/// A room as far as the import knows it.
struct Room {
    id: ConversationId,
    /// With everybody, as of the last thing that this import wrote there.
    state: ConversationState,
}

/// What an event of the file does to its room.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// This is to be written.
    Counts(Event),
    /// It is so already.
    Nothing,
    /// The room does not let it happen.
    Void(Void),
}

/// All rooms of the file so far, by their names in it.
pub(crate) struct Rooms {
    by_name: HashMap<String, Room>,
    people: usize,
    partitions: usize,
    /// How far the store is, as of the last chunk.
    stored: LogPosition,
    /// What rooms are like that must be created, by their names in the file.
    forms: HashMap<String, RoomForm>,
    /// Rooms that are private where the file is from, and public here.
    too_public: HashSet<String>,
}

impl Rooms {
    /// None yet, in a topic of so many partitions.
    pub(crate) fn new(partitions: usize) -> Self {
        let stored = LogPosition { epoch: Epoch::FIRST, next_offsets: BTreeMap::new() };
        let (by_name, forms, too_public) = (HashMap::new(), HashMap::new(), HashSet::new());
        Self { by_name, people: 0, partitions, stored, forms, too_public }
    }

    /// Too many are remembered: [`Rooms::forget`] when the store has everything.
    pub(crate) const fn is_full(&self) -> bool {
        self.people >= PEOPLE_MAX
    }

    /// Forgets all of them.
    pub(crate) fn forget(&mut self) {
        self.by_name.clear();
        self.people = 0;
    }

    /// Notes what a room is like, should it have to be created.
    pub(crate) fn expect(&mut self, name: &str, form: &RoomForm) {
        self.forms.insert(name.to_owned(), form.clone());
    }

    /// Whether writing into the room would show to everybody what was private.
    pub(crate) fn is_too_public(&self, name: &str) -> bool {
        self.too_public.contains(name)
    }

    /// Whether a member may call everybody there.
    pub(crate) fn may_call_everyone(&self, place: &FilePlace) -> bool {
        let FilePlace::Room(name) = place else { return false };
        let room = self.by_name.get(name).and_then(|room| room.state.room());
        room.is_some_and(|room| room.members < EVERYONE_FREE_MEMBERS)
    }

    /// Waits until the store is near enough for proofs: `ends` says how far the log is, by partition. To be
    /// called before ids are looked up.
    ///
    /// # Errors
    /// When the database does not answer, or stands still.
    pub(crate) async fn wait_for_store(
        &mut self,
        store: &Store,
        topic: &str,
        ends: impl Fn() -> BTreeMap<i32, i64>,
        stop: &CancellationToken,
    ) -> anyhow::Result<()> {
        let mut moved = Instant::now();
        while !stop.is_cancelled() {
            let stored = store.log_position(topic).await.context("the database cannot be asked")?;
            if stored != self.stored {
                moved = Instant::now();
                self.stored = stored;
            }
            let ahead = |(partition, end): (i32, i64)| end - self.next_offset(partition);
            if ends().into_iter().map(ahead).max().unwrap_or(0) <= AHEAD_MAX {
                return Ok(());
            }
            if moved.elapsed() > PATIENCE {
                bail!(
                    "nothing of the log is stored any more: a consumer must run; run the same command again"
                );
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }

    fn next_offset(&self, partition: i32) -> i64 {
        self.stored.next_offsets.get(&partition).copied().unwrap_or(0)
    }

    /// Makes rooms known that are not yet; answers the events that create those that do not exist, each by
    /// its name in the file.
    ///
    /// # Errors
    /// When the database cannot be used.
    pub(crate) async fn ensure(
        &mut self,
        store: &Store,
        topic: &str,
        names: impl Iterator<Item = (&str, Timestamp)>,
    ) -> anyhow::Result<Vec<Event>> {
        let mut created = Vec::new();
        for (name, at) in names {
            if self.by_name.contains_key(name) {
                continue;
            }
            let (handle, client_id) = (handle(name), creation(name));
            let find = async |handle: &str| {
                store.room_by_handle(handle).await.context("the database cannot be asked")
            };
            let mut found = find(handle.as_str()).await?;
            if found.is_none() && Handle::new(name).is_ok() {
                // A reserved name that a room here has all the same.
                found = find(name).await?;
            }
            let id = found.unwrap_or_else(|| ConversationId::room(UserId::SERVER, &client_id));
            let (stored, _) = store.room_at(topic, id).await.context("the database cannot be asked")?;
            let state = match stored {
                Some(room) => {
                    let mut state = ConversationState::stored(Some(room.room), [], room.last_seq);
                    state.load_roster(room.people);
                    state
                }
                None => {
                    let action = create(name, handle, self.forms.get(name));
                    let event = self.event(UserId::SERVER, Place::Room(id), client_id, at, action);
                    let mut state = ConversationState::unwritten();
                    carry(&mut state, &event);
                    created.push(event);
                    state
                }
            };
            let is_private = self.forms.get(name).is_some_and(|form| form.visibility == Visibility::Private);
            if is_private && state.room().is_some_and(|room| room.visibility == Visibility::Public) {
                self.too_public.insert(name.to_owned());
            }
            self.people += state.known_people();
            self.by_name.insert(name.to_owned(), Room { id, state });
        }
        Ok(created)
    }

    /// Something that somebody did in a room that [`Rooms::ensure`] has made known.
    ///
    /// # Panics
    /// When it has not.
    pub(crate) fn event_in(
        &self,
        name: &str,
        actor: UserId,
        client_id: ClientId,
        at: Timestamp,
        action: Action,
    ) -> Event {
        let room = self.by_name.get(name).expect("every room was made known before");
        self.event(actor, Place::Room(room.id), client_id, at, action)
    }

    /// Something between two people, in version 2.
    pub(crate) fn event_between(
        &self,
        actor: UserId,
        other: UserId,
        client_id: ClientId,
        at: Timestamp,
        action: Action,
    ) -> Event {
        self.event(actor, Place::Direct(other), client_id, at, action)
    }

    /// The epoch of the log.
    pub(crate) const fn epoch(&self) -> Epoch {
        self.stored.epoch
    }

    /// Before something that somebody does while they are not in the room: that they join, or where one must
    /// be brought, that the server brings them. Named after what they do, so that an import that is cut off
    /// between the two says it again.
    pub(crate) fn joining(&mut self, name: &str, message: &Event) -> Option<Event> {
        let room = self.by_name.get(name)?;
        if room.state.standing(message.actor).is_some_and(|standing| standing.membership.is_some()) {
            return None;
        }
        let is_private = room.state.room().is_some_and(|room| room.visibility == Visibility::Private);
        let (actor, action) = if is_private {
            (UserId::SERVER, Action::MembersAdded { users: vec![message.actor] })
        } else {
            (message.actor, Action::Joined)
        };
        let client_id = if is_private {
            named("join", &format!("{}-{}", message.actor, message.client_id.as_str()))
        } else {
            named("join", message.client_id.as_str())
        };
        let event = self.event(actor, Place::Room(message.conversation), client_id, message.at, action);
        self.write(name, &event).then_some(event)
    }

    /// What an event of the file does, given all that stands before it; what counts is to be written.
    pub(crate) fn happened(&mut self, name: &str, happened: &Happened) -> Verdict {
        let Some(room) = self.by_name.get(name) else { return Verdict::Void(Void::NoRoom) };
        let state = &room.state;
        let is_in = |user| state.standing(user).is_some_and(|standing| standing.membership.is_some());
        let mut event = &happened.by_sender;
        let mut verdict = judge(state, event);
        if let (Judgement::Void(_), Some(by_server)) = (verdict, &happened.by_server)
            && is_in(UserId::SERVER)
        {
            (event, verdict) = (by_server, judge(state, by_server));
        }
        match verdict {
            Judgement::Counts => {
                let event = event.clone();
                self.write(name, &event);
                Verdict::Counts(event)
            }
            Judgement::Repeat(_) => Verdict::Nothing,
            // Whoever is not there cannot go, nor be sent away.
            Judgement::Void(Void::NotMember) if event.action == Action::Left || is_in(event.actor) => {
                Verdict::Nothing
            }
            Judgement::Void(void) => Verdict::Void(void),
        }
    }

    /// Carries an event into the room's state; whether it counts.
    fn write(&mut self, name: &str, event: &Event) -> bool {
        let Some(room) = self.by_name.get_mut(name) else { return false };
        let before = room.state.known_people();
        let counts = carry(&mut room.state, event);
        self.people += room.state.known_people() - before;
        counts
    }

    fn event(
        &self,
        actor: UserId,
        place: Place,
        client_id: ClientId,
        at: Timestamp,
        action: Action,
    ) -> Event {
        let conversation = match place {
            Place::Room(room) => room,
            Place::Direct(other) => ConversationId::direct(actor, other),
        };
        let next = self.next_offset(partition_of(conversation, self.partitions));
        let seen = Position::new(self.stored.epoch, next);
        Event::new(actor, place, client_id, at, seen, action)
    }
}

/// The whole roster is known, so nothing is ever missing.
fn judge(state: &ConversationState, event: &Event) -> Judgement {
    state.judge(event).unwrap_or(Judgement::Void(Void::NoRoom))
}

/// Where it will stand is not known yet, and no verdict asks for it.
fn carry(state: &mut ConversationState, event: &Event) -> bool {
    let placed = Placed { position: event.seen.unwrap_or(Position::ZERO), event: event.clone() };
    matches!(state.apply(&placed), Ok(Outcome::Effective(_)))
}

fn create(name: &str, handle: Handle, form: Option<&RoomForm>) -> Action {
    let title = form.and_then(|form| form.title.clone()).map_or_else(|| Title::admitted(name), Ok);
    let title = title.or_else(|_| Title::new(handle.as_str()));
    Action::RoomCreated(Created {
        title: title.expect("a handle makes a title"),
        handle,
        topic: form.and_then(|form| form.topic.clone()).filter(|topic| !topic.as_str().is_empty()),
        visibility: form.map_or(Visibility::Public, |form| form.visibility),
        history: History::All,
        posting: Posting::Members,
        members: Vec::new(),
    })
}

fn creation(name: &str) -> ClientId {
    named("import", name)
}

fn named(what: &str, text: &str) -> ClientId {
    ClientId::new(&format!("{what}-{}", digits(text, 20))).expect("printable and short")
}

/// Hex digits of the hash in a handle that is not the name.
const HASH_BYTES: usize = 4;

/// The name, if it can be a handle and is not reserved; else what can be kept of it and a hash, so that
/// different names stay different.
fn handle(name: &str) -> Handle {
    if let Ok(handle) = Handle::admitted(name) {
        return handle;
    }
    let kept: String = name
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' })
        .collect();
    let kept = kept.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let kept: String = kept.chars().take(HANDLE_MAX_CHARS - 2 * HASH_BYTES - 1).collect();
    let hash = digits(name, HASH_BYTES);
    let text = if kept.is_empty() { format!("room-{hash}") } else { format!("{kept}-{hash}") };
    Handle::new(&text).expect("letters, digits and '-' within the limit")
}

pub(crate) fn digits(text: &str, bytes: usize) -> String {
    Sha256::digest(text.as_bytes()).iter().take(bytes).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use milena_domain::Body;
    use milena_domain::record::{Message, Role, RoomPatch};

    use super::*;

    #[test]
    fn names_of_rooms_become_handles_that_stay_different() {
        assert_eq!(handle("ubuntu").as_str(), "ubuntu");
        let changed: Vec<_> =
            ["Ubuntu", "#ubuntu", "ubuntu ", "Ops & Dev", "王", "", "-", &"x".repeat(64)].map(handle).into();
        assert!(changed[0].as_str().starts_with("ubuntu-"), "{}", changed[0]);
        assert!(changed[3].as_str().starts_with("ops---dev-"), "{}", changed[3]);
        assert!(changed[4].as_str().starts_with("room-"), "{}", changed[4]);
        let Action::RoomCreated(reserved) = create("system", handle("system"), None) else { unreachable!() };
        assert!(reserved.handle.as_str().starts_with("system-"), "{}", reserved.handle);
        assert_eq!(reserved.title.as_str(), reserved.handle.as_str(), "it does not pose as the system's");
        let different: HashSet<_> = changed.iter().map(ToString::to_string).collect();
        assert_eq!(different.len(), changed.len());
        // Written down once: rooms in people's databases have this id.
        let id = ConversationId::room(UserId::SERVER, &creation("ubuntu"));
        assert_eq!(creation("ubuntu").as_str(), creation("ubuntu").as_str());
        assert_eq!(id, ConversationId::room(UserId::SERVER, &creation("ubuntu")));
    }

    fn client_id(text: &str) -> ClientId {
        ClientId::new(text).unwrap()
    }

    fn room() -> Rooms {
        let mut rooms = Rooms::new(12);
        let id = ConversationId::room(UserId::SERVER, &creation("ubuntu"));
        let mut state = ConversationState::unwritten();
        let create = create("ubuntu", handle("ubuntu"), None);
        let created = rooms.event(
            UserId::SERVER,
            Place::Room(id),
            creation("ubuntu"),
            Timestamp::from_unix_ms(5),
            create,
        );
        assert!(carry(&mut state, &created));
        rooms.by_name.insert("ubuntu".to_owned(), Room { id, state });
        rooms
    }

    fn event(rooms: &Rooms, name: &str, actor: UserId, action: Action) -> Event {
        rooms.event_in("ubuntu", actor, client_id(name), Timestamp::from_unix_ms(5), action)
    }

    fn says(rooms: &Rooms, name: &str, actor: UserId) -> Event {
        event(rooms, name, actor, Action::Message(Message::plain(Body::new("x").unwrap())))
    }

    #[test]
    fn who_writes_joins_once() {
        let mut rooms = room();
        let ann = UserId::new();
        let first = says(&rooms, "1", ann);
        let joined = rooms.joining("ubuntu", &first).unwrap();
        assert_eq!((joined.actor, joined.conversation, joined.at), (ann, first.conversation, first.at));
        assert!(matches!(joined.action, Action::Joined) && joined.id != first.id);
        let second = says(&rooms, "2", ann);
        assert!(rooms.joining("ubuntu", &second).is_none());
        assert_eq!(rooms.people, 1);
    }

    #[test]
    fn what_happens_is_the_servers_where_its_sender_may_not() {
        let mut rooms = room();
        let [ann, bob] = [UserId::new(), UserId::new()];
        let happens = |rooms: &mut Rooms, actor: UserId, action: Action| {
            let by_server = matches!(action, Action::Removed { .. } | Action::RoomChanged(_));
            let by_server = by_server.then(|| event(rooms, "e", UserId::SERVER, action.clone()));
            let by_sender = event(rooms, "e", actor, action);
            rooms.happened("ubuntu", &Happened { by_sender, by_server })
        };
        let nothing = |verdict: Verdict| assert!(matches!(verdict, Verdict::Nothing), "{verdict:?}");
        let counts = |verdict: Verdict| match verdict {
            Verdict::Counts(event) => event.actor,
            other => panic!("{other:?}"),
        };
        nothing(happens(&mut rooms, ann, Action::Left));
        nothing(happens(&mut rooms, ann, Action::Removed { user: bob }));
        assert_eq!(counts(happens(&mut rooms, ann, Action::Joined)), ann);
        nothing(happens(&mut rooms, ann, Action::Joined));
        assert_eq!(counts(happens(&mut rooms, bob, Action::Joined)), bob);
        assert_eq!(counts(happens(&mut rooms, ann, Action::Removed { user: bob })), UserId::SERVER);
        nothing(happens(&mut rooms, ann, Action::Removed { user: bob }));
        nothing(happens(&mut rooms, bob, Action::Left));
        let title = |text: &str| {
            let title = Some(Title::new(text).unwrap());
            Action::RoomChanged(RoomPatch { title, ..RoomPatch::default() })
        };
        assert_eq!(counts(happens(&mut rooms, ann, title("New"))), UserId::SERVER);
        nothing(happens(&mut rooms, ann, title("New")));
        // Whoever comes back by writing joins again.
        let back = says(&rooms, "3", bob);
        assert_eq!(rooms.joining("ubuntu", &back).unwrap().actor, bob);

        // Somebody has it in hand: who may, does it; who may not, is told.
        let promoted = Action::RoleChanged { user: ann, role: Role::Owner };
        let promoted = event(&rooms, "4", UserId::SERVER, promoted);
        assert!(rooms.write("ubuntu", &promoted));
        assert_eq!(counts(happens(&mut rooms, ann, title("Ann's"))), ann);
        let gone = event(&rooms, "5", UserId::SERVER, Action::Left);
        assert!(rooms.write("ubuntu", &gone));
        let refused = happens(&mut rooms, bob, title("Bob's"));
        assert!(matches!(refused, Verdict::Void(Void::NotPermitted)), "{refused:?}");
        let refused = happens(&mut rooms, ann, Action::Left);
        assert!(matches!(refused, Verdict::Void(Void::LastOwner)), "{refused:?}");
        let banned = event(&rooms, "6", ann, Action::Banned { user: bob });
        assert!(rooms.write("ubuntu", &banned));
        let refused = happens(&mut rooms, bob, Action::Joined);
        assert!(matches!(refused, Verdict::Void(Void::Banned)), "{refused:?}");
    }
}
