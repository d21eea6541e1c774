//! The one place that turns what an export says into lines of an import.
//!
//! Ids follow from the export alone, so that an import again finds everything there. What the export cannot
//! say (when somebody came, who put a reaction) is left out or, where it says only what is so now, told at
//! the end of its room. Who wrote in a room and is not among its members by the export has left it.

use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use milena_domain::record::{Emoji, Title, Topic, Visibility};
use milena_domain::{Timestamp, limits};
use milena_import::{
    Change, Edit, Item, Membership, Message, Origin, Person, Reaction, Renamed, Room, RoomKind, UnixMs,
};

use super::counts::Counts;
use super::names::{Names, NamesFile};
use super::words;
use crate::cli::IdScope;
use crate::import::client_ids;
use crate::import::event::{RoomEvent, event_client_id};
use crate::import::feed::Chunk;
use crate::import::line::{Aim, ImportLine, LineError, Place, RoomForm, Said, What};

/// Messages whose authors are remembered for whatever answers them, at most (some 500 MB); beyond, the index
/// begins anew, and what answers older ones comes without that, counted.
const MESSAGES_MAX: usize = 16_000_000;

/// Translates an export.
pub(crate) struct Mapper {
    people: Names,
    room_names: Names,
    rooms: HashMap<String, RoomState>,
    /// In the order of the export.
    order: Vec<String>,
    /// Hash of room and message → who wrote it.
    authors: HashMap<u64, u32>,
    author_names: Vec<String>,
    author_numbers: HashMap<String, u32>,
    last: Option<LastSaid>,
    counts: Counts,
    chunk: Chunk,
}

/// What is known of a conversation.
struct RoomState {
    place: Where,
    form: RoomForm,
    is_told: bool,
    created_at: Option<UnixMs>,
    last_at: Option<UnixMs>,
    /// Who is in it by what happened so far.
    came: BTreeSet<String>,
    /// Who is in it now, if the export says so.
    present: Option<BTreeSet<String>>,
    origin: Origin,
    is_archived: bool,
}

/// Where a conversation goes to, by names here.
#[derive(Clone)]
enum Where {
    Room(String),
    Direct(String, String),
    LeftOut,
}

/// The newest message: what follows about it needs its words and time.
struct LastSaid {
    room: String,
    id: String,
    at: UnixMs,
    /// `None` where it became several.
    said: Option<Said>,
}

impl Mapper {
    /// With the names that somebody has chosen.
    pub(crate) fn new(names: NamesFile) -> Self {
        let (people, room_names) = Names::of_file(names);
        Self {
            people,
            room_names,
            rooms: HashMap::new(),
            order: Vec::new(),
            authors: HashMap::new(),
            author_names: Vec::new(),
            author_numbers: HashMap::new(),
            last: None,
            counts: Counts::default(),
            chunk: Chunk::default(),
        }
    }

    /// What was made of the items so far.
    pub(crate) fn take_chunk(&mut self) -> Chunk {
        std::mem::take(&mut self.chunk)
    }

    /// Lines of a chunk that was too large.
    pub(crate) fn put_back(&mut self, lines: Vec<Result<ImportLine, (Origin, LineError)>>) {
        self.chunk.lines = lines;
    }

    /// How many lines that has.
    pub(crate) fn lines(&self) -> usize {
        self.chunk.lines.len()
    }

    /// Names and counts.
    pub(crate) fn finished(self) -> (Names, Names, Counts) {
        (self.people, self.room_names, self.counts)
    }

    /// An entry that cannot be used.
    pub(crate) fn bad(&mut self, origin: Origin, problem: String) {
        self.counts.bad += 1;
        self.chunk.lines.push(Err((origin, LineError::Export(problem))));
    }

    /// Translates one item.
    pub(crate) fn item(&mut self, origin: Origin, item: Item) {
        match item {
            Item::Person(person) => self.person(person),
            Item::Room(room) => self.room(origin, room),
            Item::Message(message) => self.message(origin, message),
            Item::Membership(membership) => self.membership(origin, membership),
            Item::Renamed(renamed) => self.renamed(origin, renamed),
            Item::Edit(edit) => self.edit(origin, edit),
            Item::Reaction(reaction) => self.reaction(origin, reaction),
        }
    }

    fn person(&mut self, Person { key, name, shown }: Person) {
        let name = self.people.give(&key, &name).to_owned();
        if let Some(shown) = shown.filter(|shown| *shown != name) {
            self.chunk.people.push((name, shown));
        }
    }

    fn name_of(&mut self, key: &str) -> String {
        self.people.give(key, key).to_owned()
    }

    fn room(&mut self, origin: Origin, room: Room) {
        if self.rooms.contains_key(&room.key) {
            return;
        }
        let (place, visibility) = match &room.kind {
            RoomKind::Direct(one, other) => {
                self.counts.direct += 1;
                (Where::Direct(self.name_of(one), self.name_of(other)), Visibility::Private)
            }
            kind => {
                let name = self.room_names.give(&room.key, &room.name).to_owned();
                let is_public = *kind == RoomKind::Public;
                match (&*name, is_public) {
                    ("", _) => self.counts.left_out_rooms += 1,
                    (_, true) => self.counts.public += 1,
                    (_, false) => self.counts.private += 1,
                }
                let place = if name.is_empty() { Where::LeftOut } else { Where::Room(name) };
                (place, if is_public { Visibility::Public } else { Visibility::Private })
            }
        };
        let topic = room.topic.as_deref().and_then(topic);
        let form = RoomForm { visibility, title: title(&room.name), topic };
        let state = RoomState {
            place,
            form,
            is_told: false,
            created_at: room.created_at,
            last_at: None,
            came: BTreeSet::new(),
            present: None,
            origin,
            is_archived: false,
        };
        self.order.push(room.key.clone());
        self.rooms.insert(room.key, state);
    }

    /// Where something of this room by this person goes; the room is told of before the first of it.
    fn place(&mut self, origin: &Origin, key: &str, from: &str, at: UnixMs) -> Option<Place> {
        let Some(room) = self.rooms.get_mut(key) else {
            self.bad(origin.clone(), format!("the room {key:?} is not in the export"));
            return None;
        };
        room.last_at = room.last_at.max(Some(at));
        match &room.place {
            Where::LeftOut => {
                self.counts.left_out += 1;
                None
            }
            Where::Direct(one, other) if from == one => Some(Place::To(other.clone())),
            Where::Direct(one, other) if from == other => Some(Place::To(one.clone())),
            Where::Direct(..) => {
                self.counts.strangers += 1;
                None
            }
            Where::Room(name) => {
                let place = Place::Room(name.clone());
                self.tell(key, at, from);
                Some(place)
            }
        }
    }

    /// Says what a room is like, once, before anything in it.
    fn tell(&mut self, key: &str, at: UnixMs, from: &str) {
        let Some(room) = self.rooms.get_mut(key) else { return };
        let (Where::Room(name), false) = (&room.place, room.is_told) else { return };
        room.is_told = true;
        let (what, place) = (What::Created(room.form.clone()), Place::Room(name.clone()));
        let origin = room.origin.clone();
        let at = room.created_at.map_or(at, |created| created.min(at));
        self.push(origin, "room", from, at, place, what);
    }

    fn push(&mut self, origin: Origin, id: &str, from: &str, at: UnixMs, place: Place, what: What) {
        let client_id = match &what {
            What::Said(_) => client_ids::of_message(IdScope::Conversation, &place, from, id),
            _ => event_client_id(id, from),
        };
        let line = match client_id {
            Ok(client_id) => Ok(ImportLine {
                origin,
                id: id.to_owned(),
                client_id,
                sent_at: Timestamp::from_unix_ms(at),
                from: from.to_owned(),
                place,
                what,
                is_undated: false,
            }),
            Err(problem) => Err((origin, problem.into())),
        };
        self.chunk.lines.push(line);
    }

    fn message(&mut self, origin: Origin, message: Message) {
        let Message { room, id, author, at, text, reply_to, files } = message;
        let from = self.name_of(&author);
        let Some(place) = self.place(&origin, &room, &from, at) else { return };
        let mut parts = words::said(&text, &files, &self.people, &self.room_names);
        if parts.is_empty() {
            return;
        }
        self.counts.messages += 1;
        self.counts.split += u64::from(parts.len() > 1);
        self.counts.mentions += u64::from(parts.iter().any(Said::names_people));
        if let Some(answered) = reply_to {
            match self.aim(&room, &answered, &place, &from) {
                Some(aim) => {
                    self.counts.replies += 1;
                    parts[0].reply_to = Some(aim);
                }
                None => self.counts.orphans += 1,
            }
        }
        self.note_author(&room, &id, &from);
        let said = (parts.len() == 1).then(|| Said { reply_to: None, ..parts[0].clone() });
        for (number, said) in parts.into_iter().enumerate() {
            let id = if number == 0 { id.clone() } else { format!("{id}#{}", number + 1) };
            self.push(origin.clone(), &id, &from, at, place.clone(), What::Said(said));
        }
        if let Some(room) = self.rooms.get_mut(&room) {
            room.came.insert(from);
        }
        self.last = Some(LastSaid { room, id, at, said });
    }

    fn note_author(&mut self, room: &str, id: &str, from: &str) {
        if self.authors.len() >= MESSAGES_MAX {
            self.authors.clear();
        }
        let number = match self.author_numbers.get(from) {
            Some(number) => *number,
            None => {
                let number = u32::try_from(self.author_names.len()).unwrap_or(u32::MAX);
                self.author_names.push(from.to_owned());
                self.author_numbers.insert(from.to_owned(), number);
                number
            }
        };
        self.authors.insert(hash(room, id), number);
    }

    /// An earlier message of the room, if it was told of.
    fn aim(&self, room: &str, id: &str, place: &Place, from: &str) -> Option<Aim> {
        let number = *self.authors.get(&hash(room, id))? as usize;
        let author = self.author_names.get(number)?.clone();
        let client_id = client_ids::of_message(IdScope::Conversation, place, from, id).ok()?;
        Some(Aim { id: id.to_owned(), client_id, from: author })
    }

    fn edit(&mut self, origin: Origin, Edit { room, target, at, text, files }: Edit) {
        let Some(number) = self.authors.get(&hash(&room, &target)) else {
            self.counts.orphans += 1;
            return;
        };
        let Some(from) = self.author_names.get(*number as usize).cloned() else { return };
        let last = self.last.as_ref().filter(|last| last.room == room && last.id == target);
        let said = match text {
            Some(text) => {
                let mut parts = words::said(&text, &files, &self.people, &self.room_names);
                (parts.len() == 1).then(|| parts.remove(0))
            }
            None => last.and_then(|last| last.said.clone()),
        };
        // Too long for one message: the words are there, without the mark of an edit.
        let Some(said) = said else { return };
        let at = last.map_or(at, |last| at.max(last.at));
        let Some(place) = self.place(&origin, &room, &from, at) else { return };
        let Some(aim) = self.aim(&room, &target, &place, &from) else { return };
        self.counts.edits += 1;
        let what = What::Edited { aim, said: Said { everyone: false, ..said } };
        self.push(origin, &format!("edit {target} {at}"), &from, at, place, what);
    }

    fn reaction(&mut self, origin: Origin, reaction: Reaction) {
        let Reaction { room, target, person, emoji, at } = reaction;
        let Ok(emoji) = Emoji::admitted(&emoji) else {
            self.counts.odd_reactions += 1;
            return;
        };
        let from = self.name_of(&person);
        let last =
            self.last.as_ref().filter(|last| last.room == room && last.id == target).map(|last| last.at);
        let at = at.or(last).or_else(|| self.rooms.get(&room)?.last_at).unwrap_or_default();
        let Some(place) = self.place(&origin, &room, &from, at) else { return };
        let Some(aim) = self.aim(&room, &target, &place, &from) else {
            self.counts.orphans += 1;
            return;
        };
        self.counts.reactions += 1;
        if let Some(room) = self.rooms.get_mut(&room) {
            room.came.insert(from.clone());
        }
        let id = format!("reaction {target} {}", emoji.as_str());
        self.push(origin, &id, &from, at, place, What::Reacted { aim, emoji });
    }

    fn membership(&mut self, origin: Origin, membership: Membership) {
        let Membership { room, person, at, change } = membership;
        let person = self.name_of(&person);
        let Some(state) = self.rooms.get_mut(&room) else {
            return self.bad(origin, format!("the room {room:?} is not in the export"));
        };
        if matches!(state.place, Where::Direct(..)) {
            return;
        }
        let Some(at) = at else {
            if change == Change::Joined {
                state.present.get_or_insert_default().insert(person);
            }
            return;
        };
        let (word, event) = match &change {
            Change::Joined => ("joined", RoomEvent::Joined),
            Change::Left => ("left", RoomEvent::Left),
            Change::Removed { .. } => ("removed", RoomEvent::Removed { user: person.clone() }),
        };
        if change == Change::Joined {
            state.came.insert(person.clone());
        } else {
            state.came.remove(&person);
        }
        let from = match change {
            Change::Removed { by } => self.name_of(&by),
            Change::Joined | Change::Left => person.clone(),
        };
        let Some(place) = self.place(&origin, &room, &from, at) else { return };
        self.counts.memberships += 1;
        self.push(origin, &format!("{word} {at} {person}"), &from, at, place, What::Happened(event));
    }

    fn renamed(&mut self, origin: Origin, renamed: Renamed) {
        let Renamed { room, by, at, name, topic: new_topic, archived } = renamed;
        let Some(state) = self.rooms.get_mut(&room) else { return };
        let (Some(at), Some(by)) = (at, by) else {
            state.is_archived |= archived.unwrap_or_default();
            return;
        };
        let from = self.name_of(&by);
        let (title, topic) = (name.as_deref().and_then(title), new_topic.as_deref().and_then(topic));
        if title.is_none() && topic.is_none() && archived.is_none() {
            return;
        }
        let Some(place) = self.place(&origin, &room, &from, at) else { return };
        if matches!(place, Place::To(_)) {
            return;
        }
        self.counts.renames += 1;
        let event = RoomEvent::Changed { title, topic, archived };
        self.push(origin, &format!("changed {at}"), &from, at, place, What::Happened(event));
    }

    /// What the export says of rooms as they are now.
    pub(crate) fn finish(&mut self) {
        for key in std::mem::take(&mut self.order) {
            let Some(room) = self.rooms.remove(&key) else { continue };
            let Where::Room(name) = &room.place else { continue };
            let at = room.last_at.or(room.created_at).unwrap_or_else(|| Timestamp::now().unix_ms());
            let place = Place::Room(name.clone());
            if !room.is_told {
                let (origin, what) = (room.origin.clone(), What::Created(room.form.clone()));
                self.push(origin, "room", "nobody", room.created_at.unwrap_or(at), place.clone(), what);
            }
            if let Some(present) = &room.present {
                for person in present.difference(&room.came) {
                    self.undated(&room.origin, "is in", person, at, &place, RoomEvent::Joined);
                }
                for person in room.came.difference(present) {
                    self.undated(&room.origin, "is not in", person, at, &place, RoomEvent::Left);
                }
            }
            let anybody = room.present.iter().flatten().chain(&room.came).next();
            if let (true, Some(from)) = (room.is_archived, anybody) {
                let event = RoomEvent::Changed { title: None, topic: None, archived: Some(true) };
                self.undated(&room.origin, "is archived", from, at, &place, event);
            }
        }
    }

    fn undated(
        &mut self,
        origin: &Origin,
        id: &str,
        from: &str,
        at: UnixMs,
        place: &Place,
        event: RoomEvent,
    ) {
        self.counts.memberships += u64::from(!matches!(event, RoomEvent::Changed { .. }));
        self.push(origin.clone(), id, from, at, place.clone(), What::Happened(event));
        if let Some(Ok(line)) = self.chunk.lines.last_mut() {
            line.is_undated = true;
        }
    }
}

fn hash(room: &str, id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (room, id).hash(&mut hasher);
    hasher.finish()
}

/// The nearest good title.
fn title(text: &str) -> Option<Title> {
    let shown: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let fit: String = shown.trim().chars().take(limits::TITLE_MAX_CHARS).collect();
    Title::admitted(fit.trim()).ok()
}

/// The nearest good topic.
fn topic(text: &str) -> Option<Topic> {
    let shown: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let fit: String = shown.trim().chars().take(limits::TOPIC_MAX_CHARS).collect();
    Topic::admitted(fit.trim()).ok()
}
