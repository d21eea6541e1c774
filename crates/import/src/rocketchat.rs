//! Rocket.Chat: a `mongodump` of its database (a folder or archive of `.bson` files), or the JSON of one room
//! that a person exported.
//!
//! Sources of the forms: `mmetl` and Zulip's importer for the dump, `exportRoomMessagesToFile.ts` for the
//! JSON. Ids are global in the server. The JSON of one room has neither ids nor threads, reactions or edits.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

use crate::archive::Archive;
use crate::json::Fields;
use crate::lines::{LINE_MAX_BYTES, Lines};
use crate::mattermost::at_names;
use crate::{
    Change, Edit, Item, Loss, Membership, Message, Options, Origin, Output, Person, Piece, Reaction,
    ReadError, Renamed, Room, RoomKind, Text, UnixMs, bson_stream, emoji, made_id, markup, moment,
};

/// The files of a dump that are read.
const USERS: &str = "users.bson";
const ROOMS: &str = "rocketchat_room.bson";
const MESSAGES: &str = "rocketchat_message.bson";
const SUBSCRIPTIONS: &str = "rocketchat_subscription.bson";

/// Reads the export.
pub(crate) fn read(
    archive: &mut Archive,
    options: &Options,
    output: &mut Output<'_>,
) -> Result<(), ReadError> {
    let Some(root) = root_of(archive) else { return room(archive, options, output) };
    let mut dump = Dump::default();
    documents(archive, &root, USERS, output, |origin, user, output| dump.user(origin, user, output))?;
    documents(archive, &root, ROOMS, output, |origin, room, output| dump.room(origin, room, output))?;
    documents(archive, &root, MESSAGES, output, |origin, message, output| {
        dump.message(origin, message, output)
    })?;
    documents(archive, &root, SUBSCRIPTIONS, output, |origin, subscription, output| {
        dump.subscription(origin, subscription, output)
    })
}

/// Where the files of a dump are; they may be packed each.
pub(crate) fn root_of(archive: &Archive) -> Option<String> {
    archive.root_of(MESSAGES).or_else(|| archive.root_of(&format!("{MESSAGES}.gz")))
}

fn documents(
    archive: &mut Archive,
    root: &str,
    file: &str,
    output: &mut Output<'_>,
    mut take: impl FnMut(&Origin, &Value, &mut Output<'_>) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let names = [format!("{root}{file}"), format!("{root}{file}.gz")];
    let Some(name) = names.into_iter().find(|name| archive.has(name)) else { return Ok(()) };
    let shown: Arc<str> = file.into();
    bson_stream::each(file, std::io::BufReader::new(archive.open_file(&name)?), |number, document| {
        take(&Origin::entry(&shown, number), &document, output)
    })
}

#[derive(Default)]
struct Dump {
    /// Username → id, as they are now.
    usernames: HashMap<String, String>,
    people: HashSet<String>,
    rooms: HashMap<String, RoomKind>,
}

impl Dump {
    fn user(&mut self, origin: &Origin, user: &Value, output: &mut Output<'_>) -> Result<(), ReadError> {
        let Some(key) = user.id("_id") else {
            return Ok(output.bad(origin, "the field `_id` is missing")?);
        };
        let name = user.text("username").or_else(|| user.text("name")).unwrap_or(&key).to_owned();
        self.usernames.extend(user.text("username").map(|name| (name.to_owned(), key.clone())));
        self.tell(origin, Person { key, name, shown: user.text("name").map(str::to_owned) }, output)
    }

    fn tell(&mut self, origin: &Origin, person: Person, output: &mut Output<'_>) -> Result<(), ReadError> {
        if self.people.insert(person.key.clone()) {
            output.item(origin, Item::Person(person))?;
        }
        Ok(())
    }

    fn room(&mut self, origin: &Origin, room: &Value, output: &mut Output<'_>) -> Result<(), ReadError> {
        let Some(key) = room.id("_id") else {
            return Ok(output.bad(origin, "the field `_id` is missing")?);
        };
        let ids: Vec<String> =
            room.list("uids").iter().filter_map(Value::as_str).map(str::to_owned).collect();
        let kind = match (room.text("t").unwrap_or_default(), &*ids) {
            ("c", _) => RoomKind::Public,
            ("d", [one, other]) => RoomKind::Direct(one.clone(), other.clone()),
            ("d", [one]) => RoomKind::Direct(one.clone(), one.clone()),
            ("d" | "p", _) => RoomKind::Private,
            // Livechat, with people from outside.
            _ => {
                output.lose(Loss::Conversations, 1);
                return Ok(output.note(format!("the room {key:?} is a livechat and is left out"))?);
            }
        };
        let usernames: Vec<&str> = room.list("usernames").iter().filter_map(Value::as_str).collect();
        let name = room.text("fname").or_else(|| room.text("name")).map(str::to_owned);
        let name = name.or_else(|| (!usernames.is_empty()).then(|| usernames.join(", ")));
        let topic = room.text("topic").or_else(|| room.text("description")).map(str::to_owned);
        let is_group = kind == RoomKind::Private && room.text("t") == Some("d");
        self.rooms.insert(key.clone(), kind.clone());
        let (name, created_at) = (name.unwrap_or_else(|| key.clone()), room.whole("ts"));
        output.item(origin, Item::Room(Room { key: key.clone(), name, kind, topic, created_at }))?;
        for person in ids.into_iter().filter(|_| is_group) {
            let membership = Membership { room: key.clone(), person, at: None, change: Change::Joined };
            output.item(origin, Item::Membership(membership))?;
        }
        if room.is("archived") {
            let archived =
                Renamed { room: key, by: None, at: None, name: None, topic: None, archived: Some(true) };
            output.item(origin, Item::Renamed(archived))?;
        }
        Ok(())
    }

    fn subscription(
        &mut self,
        origin: &Origin,
        subscription: &Value,
        output: &mut Output<'_>,
    ) -> Result<(), ReadError> {
        let person = subscription.get("u").and_then(|user| user.id("_id"));
        let (Some(room), Some(person)) = (subscription.id("rid"), person) else {
            return Ok(output.bad(origin, "the field `rid` is missing, or `u._id`")?);
        };
        output.lose(Loss::ReadMarks, u64::from(subscription.whole("ls").is_some()));
        if !matches!(self.rooms.get(&room), Some(RoomKind::Public | RoomKind::Private)) {
            return Ok(());
        }
        let membership = Membership { room, person, at: None, change: Change::Joined };
        Ok(output.item(origin, Item::Membership(membership))?)
    }

    fn message(
        &mut self,
        origin: &Origin,
        message: &Value,
        output: &mut Output<'_>,
    ) -> Result<(), ReadError> {
        if message.is("_hidden") {
            return Ok(());
        }
        let (Some(id), Some(room)) = (message.id("_id"), message.id("rid")) else {
            return Ok(output.bad(origin, "the field `_id` is missing, or `rid`")?);
        };
        let Some(at) = message.whole("ts") else {
            return Ok(output.bad(origin, "the field `ts` is missing")?);
        };
        if !self.rooms.contains_key(&room) {
            return Ok(output.bad(origin, format!("its room {room:?} is not in {ROOMS}"))?);
        }
        let user = message.get("u").cloned().unwrap_or_default();
        let Some(mut author) = user.id("_id") else {
            return Ok(output.bad(origin, "the field `u._id` is missing")?);
        };
        let name = user.text("username").unwrap_or(&author).to_owned();
        self.tell(origin, Person { key: author.clone(), name, shown: None }, output)?;
        if let Some(kind) = message.text("t") {
            return self.system(origin, &room, (kind, author, at), message, output);
        }
        if let Some(alias) = message.text("alias") {
            author = format!("bot:{alias}");
            let shown = format!("{alias} (bot)");
            self.tell(
                origin,
                Person { key: author.clone(), name: shown.clone(), shown: Some(shown) },
                output,
            )?;
        }
        let raw = message.get("msg").and_then(Value::as_str).unwrap_or_default();
        let (raw, quoted) = without_quote(raw);
        let mut text = self.text(raw);
        let attached = message.list("attachments").iter().filter(|part| part.get("message_link").is_none());
        for part in attached {
            let words = [part.text("title").filter(|_| part.get("title_link").is_none()), part.text("text")];
            for words in words.into_iter().flatten() {
                if !text.is_blank() {
                    text.words("\n");
                }
                text.append(self.text(words));
            }
        }
        let files = message.list("files").iter().filter(|file| file.text("typeGroup") != Some("thumb"));
        let one = message.get("file").filter(|_| message.list("files").is_empty());
        let files: Vec<String> =
            files.chain(one).map(|file| file.text("name").unwrap_or("file").to_owned()).collect();
        if text.is_blank() && files.is_empty() {
            output.lose(Loss::WordlessMessages, 1);
            return Ok(());
        }
        let reply_to = quoted.map(str::to_owned).or_else(|| message.id("tmid"));
        let said = Message { room: room.clone(), id: id.clone(), author, at, text, reply_to, files };
        output.item(origin, Item::Message(said))?;
        if let Some(at) = message.whole("editedAt") {
            output.lose(Loss::EarlierWords, 1);
            let edit = Edit { room: room.clone(), target: id.clone(), at, text: None, files: Vec::new() };
            output.item(origin, Item::Edit(edit))?;
        }
        output.lose(Loss::PinsAndStars, u64::from(message.is("pinned")));
        output.lose(Loss::PinsAndStars, message.list("starred").len() as u64);
        let reactions = message.get("reactions").and_then(Value::as_object);
        for (name, reaction) in reactions.into_iter().flatten() {
            for username in reaction.list("usernames").iter().filter_map(Value::as_str) {
                let (Some(person), Some(emoji)) = (self.usernames.get(username), emoji::sign(name)) else {
                    let is_person = self.usernames.contains_key(username);
                    output.lose(
                        if is_person {
                            Loss::ReactionsWithCustomEmoji
                        } else {
                            Loss::ReactionsOfUnknownPeople
                        },
                        1,
                    );
                    continue;
                };
                let (room, target, person) = (room.clone(), id.clone(), person.clone());
                output.item(origin, Item::Reaction(Reaction { room, target, person, emoji, at: None }))?;
            }
        }
        Ok(())
    }

    fn system(
        &mut self,
        origin: &Origin,
        room: &str,
        (kind, author, at): (&str, String, UnixMs),
        message: &Value,
        output: &mut Output<'_>,
    ) -> Result<(), ReadError> {
        let words = message.text("msg").unwrap_or_default();
        let named = || self.usernames.get(words).cloned();
        let change = match kind {
            "uj" | "ujt" => Some((author, Change::Joined)),
            "ul" | "ult" => Some((author, Change::Left)),
            "au" | "added-user-to-team" => named().map(|person| (person, Change::Joined)),
            "ru" | "removed-user-from-team" => named().map(|person| (person, Change::Removed { by: author })),
            "r" | "room_changed_topic" => {
                let (name, topic) = if kind == "r" { (Some(words), None) } else { (None, Some(words)) };
                let (name, topic) = (name.map(str::to_owned), topic.map(str::to_owned));
                let (room, by) = (room.to_owned(), Some(author));
                let renamed = Renamed { room, by, at: Some(at), name, topic, archived: None };
                return Ok(output.item(origin, Item::Renamed(renamed))?);
            }
            "rm" | "e2e" => {
                output.lose(Loss::WordlessMessages, 1);
                return Ok(());
            }
            _ => None,
        };
        match change {
            Some((person, change)) => {
                let membership = Membership { room: room.to_owned(), person, at: Some(at), change };
                output.item(origin, Item::Membership(membership))?;
            }
            None => output.lose(Loss::SystemLines, 1),
        }
        Ok(())
    }

    fn text(&self, words: &str) -> Text {
        named(words, |name| self.usernames.get(name).cloned())
    }
}

/// `*bold*`, `~struck~`, emoji and names.
fn named(words: &str, person: impl Fn(&str) -> Option<String>) -> Text {
    let marked = markup::plain_marks(&emoji::in_text(words));
    let mut text = Text::default();
    for piece in marked.0 {
        match piece {
            Piece::Words(words) => text.append(at_names(&words, |name| match name {
                "all" | "here" => Some(Piece::Everyone),
                name => person(name).map(Piece::Person),
            })),
            other => text.push(other),
        }
    }
    text
}

/// `[ ](https://host/…?msg=ID) ` before the words answers ID.
fn without_quote(text: &str) -> (&str, Option<&str>) {
    let Some((address, rest)) = text.strip_prefix("[ ](").and_then(|rest| rest.split_once(')')) else {
        return (text, None);
    };
    let id = address.split_once("msg=").map(|(_, id)| id.split('&').next().unwrap_or(id));
    if id.is_some() { (rest.trim_start(), id) } else { (text, None) }
}

/// The JSON of one room: an object a line.
fn room(archive: &mut Archive, options: &Options, output: &mut Output<'_>) -> Result<(), ReadError> {
    let is_one = |name: &&str| archive.is_plain() || name.ends_with(".json");
    let Some(file) = archive.names().find(is_one).map(str::to_owned) else {
        return Err(ReadError::Missing { archive: archive.shown(), missing: MESSAGES });
    };
    let shown: Arc<str> = if archive.is_plain() { "".into() } else { file.as_str().into() };
    let stem = std::path::Path::new(&file).file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let name = options.room.clone().or(stem).unwrap_or_else(|| "room".to_owned());
    let kind = if options.public { RoomKind::Public } else { RoomKind::Private };
    let told = Room { key: name.clone(), name: name.clone(), kind, topic: None, created_at: None };
    output.item(&Origin::line(&shown, 1), Item::Room(told))?;
    // Who speaks first: any word behind an `@` may be somebody.
    let mut people = HashSet::new();
    let mut lines = Lines::new(archive.open_file(&file)?);
    while let Some(line) = lines.next().map_err(ReadError::io(&file))? {
        let entry: Value = serde_json::from_slice(&line.bytes).unwrap_or_default();
        if let (Some(name), None) = (entry.text("username"), entry.text("type"))
            && people.insert(name.to_owned())
        {
            let (origin, key) = (Origin::line(&shown, line.number), name.to_owned());
            output.item(&origin, Item::Person(Person { key, name: name.to_owned(), shown: None }))?;
        }
    }
    drop(lines);
    let (mut equals, mut last) = (HashMap::new(), None);
    let mut lines = Lines::new(archive.open_file(&file)?);
    while let Some(line) = lines.next().map_err(ReadError::io(&file))? {
        let origin = Origin::line(&shown, line.number);
        if line.is_cut {
            output.bad(&origin, format!("it is longer than {} MiB", LINE_MAX_BYTES >> 20))?;
            continue;
        }
        let Ok(entry) = serde_json::from_slice::<Value>(&line.bytes) else {
            if !line.bytes.trim_ascii().is_empty() {
                output.bad(&origin, "it is not JSON")?;
            }
            continue;
        };
        let Some(at) = entry.text("ts").and_then(moment::of_iso) else {
            output.bad(&origin, "the field `ts` must be a time such as 2026-01-05T08:00:00.000Z")?;
            continue;
        };
        let Some(author) = entry.text("username") else {
            output.bad(&origin, "the field `username` is missing")?;
            continue;
        };
        if entry.text("type").is_some() {
            output.lose(Loss::SystemLines, 1);
            continue;
        }
        let words = entry.get("msg").and_then(Value::as_str).unwrap_or_default();
        let text = named(words, |name| people.get(name).cloned());
        let file = |file: &Value| {
            let name = file.text("fileName").or_else(|| file.text("title"));
            Some(
                name.filter(|_| file.get("fileId").is_some() || file.get("title_link").is_some())?.to_owned(),
            )
        };
        let files: Vec<String> = entry.list("attachments").iter().filter_map(file).collect();
        if text.is_blank() && files.is_empty() {
            output.lose(Loss::WordlessMessages, 1);
            continue;
        }
        if last != Some(at) {
            equals.clear();
            last = Some(at);
        }
        let same = format!("{at}\0{author}\0{words}");
        let ordinal: &mut u64 = equals.entry(same.clone()).or_default();
        *ordinal += 1;
        let id = made_id(&format!("{same}\0{ordinal}"));
        let (room, author) = (name.clone(), author.to_owned());
        output.item(&origin, Item::Message(Message { room, id, author, at, text, reply_to: None, files }))?;
    }
    Ok(())
}
