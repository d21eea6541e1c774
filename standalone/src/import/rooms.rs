//! The rooms of an import: found again by their handles, created when missing, and joined by whoever writes.
//!
//! A room that the import creates is public, shows all its history, and belongs to the server: nobody in a
//! file is known to want to keep order in it. Its id follows from its name in the file, so a second import,
//! also of another file, finds it again.
//!
//! Since version 2 a record proves that its id was new up to a position (`seen`), and counts only within
//! [`REPEAT_WINDOW_OFFSETS`] of it. What was stored up to there is looked up; so an import never runs further
//! ahead of the store than that ([`Rooms::wait_for_store`]).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use milena_domain::limits::{HANDLE_MAX_CHARS, REPEAT_WINDOW_OFFSETS};
use milena_domain::record::{
    Action, Created, Event, Handle, History, Message, Place, Posting, Title, Visibility,
};
use milena_domain::{Body, ClientId, ConversationId, Epoch, Position, Timestamp, UserId, partition_of};
use milena_storage::{LogPosition, Store};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

/// Members of all rooms that are remembered, at most (about 50 MB): then the import waits for the database,
/// and asks it again.
const MEMBERS_MAX: usize = 1_000_000;
/// So far an import may be ahead of the store: half of what a proof reaches, as others write too.
const AHEAD_MAX: i64 = REPEAT_WINDOW_OFFSETS / 2;
const POLL: Duration = Duration::from_millis(20);
/// A store that stands still for so long has no consumer.
const PATIENCE: Duration = Duration::from_secs(120);

/// A room as far as the import knows it.
struct Room {
    id: ConversationId,
    members: HashSet<UserId>,
}

/// All rooms of the file so far, by their names in it.
pub(crate) struct Rooms {
    by_name: HashMap<String, Room>,
    members: usize,
    partitions: usize,
    /// How far the store is, as of the last chunk.
    stored: LogPosition,
}

impl Rooms {
    /// None yet, in a topic of so many partitions.
    pub(crate) fn new(partitions: usize) -> Self {
        let stored = LogPosition { epoch: Epoch::FIRST, next_offsets: BTreeMap::new() };
        Self { by_name: HashMap::new(), members: 0, partitions, stored }
    }

    /// Whether none is known.
    pub(crate) fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// Too many are remembered: [`Rooms::forget`] when the store has everything.
    pub(crate) const fn is_full(&self) -> bool {
        self.members >= MEMBERS_MAX
    }

    /// Forgets all of them.
    pub(crate) fn forget(&mut self) {
        self.by_name.clear();
        self.members = 0;
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
            let found =
                store.room_by_handle(handle.as_str()).await.context("the database cannot be asked")?;
            let id = found.unwrap_or_else(|| ConversationId::room(UserId::SERVER, &client_id));
            let (stored, _) = store.room_at(topic, id).await.context("the database cannot be asked")?;
            let mut members = HashSet::new();
            match stored {
                Some(room) => {
                    let people = room.people.into_iter();
                    members.extend(people.filter(|(_, it)| it.membership.is_some()).map(|(user, _)| user));
                }
                None => created.push(self.event(UserId::SERVER, id, client_id, at, create(name, handle))),
            }
            self.members += members.len();
            self.by_name.insert(name.to_owned(), Room { id, members });
        }
        Ok(created)
    }

    /// A message of somebody in a room that [`Rooms::ensure`] has made known.
    ///
    /// # Panics
    /// When it has not.
    pub(crate) fn message(
        &self,
        name: &str,
        sender: UserId,
        client_id: ClientId,
        at: Timestamp,
        body: Body,
    ) -> Event {
        let room = self.by_name.get(name).expect("every room was made known before");
        self.event(sender, room.id, client_id, at, Action::Message(Message::plain(body)))
    }

    /// Before somebody's first message: that they join. Named after the message, so that an import that is
    /// cut off between the two says it again.
    pub(crate) fn joining(&mut self, name: &str, message: &Event) -> Option<Event> {
        let room = self.by_name.get_mut(name)?;
        if !room.members.insert(message.actor) {
            return None;
        }
        self.members += 1;
        let client_id = named("join", message.client_id.as_str());
        Some(self.event(message.actor, message.conversation, client_id, message.at, Action::Joined))
    }

    fn event(
        &self,
        actor: UserId,
        room: ConversationId,
        client_id: ClientId,
        at: Timestamp,
        action: Action,
    ) -> Event {
        let next = self.next_offset(partition_of(room, self.partitions));
        let seen = Position::new(self.stored.epoch, next);
        Event::new(actor, Place::Room(room), client_id, at, seen, action)
    }
}

fn create(name: &str, handle: Handle) -> Action {
    let title = Title::new(name.trim()).or_else(|_| Title::new(handle.as_str()));
    Action::RoomCreated(Created {
        title: title.expect("a handle makes a title"),
        handle,
        topic: None,
        visibility: Visibility::Public,
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

/// The name, if it can be a handle; else what can be kept of it and a hash, so that different names stay
/// different.
fn handle(name: &str) -> Handle {
    if let Ok(handle) = Handle::new(name) {
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

fn digits(text: &str, bytes: usize) -> String {
    Sha256::digest(text.as_bytes()).iter().take(bytes).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_rooms_become_handles_that_stay_different() {
        assert_eq!(handle("ubuntu").as_str(), "ubuntu");
        let changed: Vec<_> =
            ["Ubuntu", "#ubuntu", "ubuntu ", "Ops & Dev", "王", "", "-", &"x".repeat(64)].map(handle).into();
        assert!(changed[0].as_str().starts_with("ubuntu-"), "{}", changed[0]);
        assert!(changed[3].as_str().starts_with("ops---dev-"), "{}", changed[3]);
        assert!(changed[4].as_str().starts_with("room-"), "{}", changed[4]);
        let different: HashSet<_> = changed.iter().map(ToString::to_string).collect();
        assert_eq!(different.len(), changed.len());
        // Written down once: rooms in people's databases have this id.
        let id = ConversationId::room(UserId::SERVER, &creation("ubuntu"));
        assert_eq!(creation("ubuntu").as_str(), creation("ubuntu").as_str());
        assert_eq!(id, ConversationId::room(UserId::SERVER, &creation("ubuntu")));
    }

    #[test]
    fn who_writes_joins_once() {
        let mut rooms = Rooms::new(12);
        let id = ConversationId::room(UserId::SERVER, &creation("ubuntu"));
        rooms.by_name.insert("ubuntu".to_owned(), Room { id, members: HashSet::new() });
        let ann = UserId::new();
        let at = Timestamp::from_unix_ms(5);
        let message = |rooms: &Rooms, name: &str| {
            rooms.message("ubuntu", ann, ClientId::new(name).unwrap(), at, Body::new("x").unwrap())
        };
        let first = message(&rooms, "1");
        let joined = rooms.joining("ubuntu", &first).unwrap();
        assert_eq!((joined.actor, joined.conversation, joined.at), (ann, id, at));
        assert!(matches!(joined.action, Action::Joined) && joined.id != first.id);
        let second = message(&rooms, "2");
        assert!(rooms.joining("ubuntu", &second).is_none());
        assert_eq!(rooms.members, 1);
    }
}
