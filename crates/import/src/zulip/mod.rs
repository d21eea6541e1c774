//! A Zulip export: `realm.json` with people, channels and reactions, and `messages-NNNNNN.json` with a
//! thousand messages each; packed as a tar, or unpacked.
//!
//! Source of the form: Zulip's `zerver/lib/export.py` and the documentation of its models. A topic becomes a
//! thread: whatever is said in it answers its first message, which the topic's name stands above. Reactions
//! lie apart from messages, and are in memory while those are read.

mod text;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

use self::text::Called;
use crate::archive::Archive;
use crate::json::{Fields, Step, each, stop};
use crate::{
    Change, Edit, Item, Loss, Membership, Message, Origin, Output, Person, Reaction, ReadError, Renamed,
    Room, RoomKind, Text, UnixMs, emoji, moment,
};

/// The tables that are read, in the order in which they are needed.
const PEOPLE: [&[Step]; 3] = [
    &[Step::Key("zerver_userprofile"), Step::Each],
    &[Step::Key("zerver_userprofile_mirrordummy"), Step::Each],
    &[Step::Key("zerver_userprofile_crossrealm"), Step::Each],
];
const REST: [&[Step]; 4] = [
    &[Step::Key("zerver_stream"), Step::Each],
    &[Step::Key("zerver_recipient"), Step::Each],
    &[Step::Key("zerver_subscription"), Step::Each],
    &[Step::Key("zerver_reaction"), Step::Each],
];

/// Reads the export.
pub(crate) fn read(archive: &mut Archive, output: &mut Output<'_>) -> Result<(), ReadError> {
    let Some(root) = archive.root_of("realm.json") else {
        return Err(ReadError::Missing { archive: archive.shown(), missing: "realm.json" });
    };
    let file = format!("{root}realm.json");
    let shown: Arc<str> = "realm.json".into();
    let mut realm = Realm::default();
    each(&file, archive.open_file(&file)?, &PEOPLE, |_, number, _, entry| {
        realm.person(&Origin::entry(&shown, number), &entry, output)
    })?;
    each(&file, archive.open_file(&file)?, &REST, |table, number, _, entry| {
        realm.entry(&Origin::entry(&shown, number), table, entry, output)
    })?;
    realm.rooms(&Origin::entry(&shown, 1), output)?;
    let is_messages = |name: &&str| {
        name.strip_prefix(root.as_str())
            .is_some_and(|name| name.starts_with("messages-") && name.ends_with(".json"))
    };
    let files: Vec<String> = archive.names().filter(is_messages).map(str::to_owned).collect();
    for file in files {
        let shown: Arc<str> = file.strip_prefix(root.as_str()).unwrap_or(&file).into();
        let paths: &[&[Step]] = &[&[Step::Key("zerver_message"), Step::Each]];
        each(&file, archive.open_file(&file)?, paths, |_, number, _, entry| {
            realm.message(&Origin::entry(&shown, number), &entry, output)
        })?;
    }
    Ok(())
}

/// To whom messages go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Recipient {
    Person(i64),
    Channel(i64),
    Group,
}

#[derive(Default)]
struct Realm {
    called: Called,
    people: HashSet<String>,
    channels: Vec<(Origin, Value)>,
    recipients: HashMap<i64, Recipient>,
    /// Recipient → people.
    members: HashMap<i64, Vec<String>>,
    /// Message → people and signs.
    reactions: HashMap<i64, Vec<(String, String)>>,
    told: HashSet<String>,
    /// Channel and topic → its first message.
    roots: HashMap<(i64, String), String>,
}

impl Realm {
    fn person(&mut self, origin: &Origin, user: &Value, output: &mut Output<'_>) -> Result<(), ReadError> {
        let Some(key) = user.id("id") else {
            return output.bad(origin, "the field `id` is missing").map_err(stop);
        };
        let full = user.text("full_name").unwrap_or(&key).to_owned();
        let address = user.text("delivery_email").or_else(|| user.text("email")).unwrap_or_default();
        let local = address.split('@').next().unwrap_or_default();
        // Zulip makes addresses such as user11@… for whoever hides theirs.
        let is_made = local.strip_prefix("user").is_some_and(|rest| rest == key);
        let name = if local.is_empty() || is_made { full.clone() } else { local.to_owned() };
        let name = if user.is("is_bot") { format!("{full} (bot)") } else { name };
        self.called.people.insert(full.clone(), key.clone());
        if self.people.insert(key.clone()) {
            output.item(origin, Item::Person(Person { key, name, shown: Some(full) }))?;
        }
        Ok(())
    }

    fn entry(
        &mut self,
        origin: &Origin,
        table: usize,
        entry: Value,
        output: &mut Output<'_>,
    ) -> Result<(), ReadError> {
        match table {
            0 => {
                let (id, name) =
                    (entry.whole("id").unwrap_or_default(), entry.text("name").unwrap_or_default());
                self.called.channels.insert(name.to_owned(), format!("channel/{id}"));
                self.channels.push((origin.clone(), entry));
            }
            1 => {
                let id = entry.whole("type_id").unwrap_or_default();
                let recipient = match entry.whole("type") {
                    Some(1) => Recipient::Person(id),
                    Some(2) => Recipient::Channel(id),
                    _ => Recipient::Group,
                };
                self.recipients.insert(entry.whole("id").unwrap_or_default(), recipient);
            }
            2 if entry.get("active").and_then(Value::as_bool).unwrap_or(true) => {
                let (to, person) = (entry.whole("recipient"), entry.id("user_profile"));
                if let (Some(to), Some(person)) = (to, person) {
                    self.members.entry(to).or_default().push(person);
                }
            }
            3 => {
                let (message, person) = (entry.whole("message"), entry.id("user_profile"));
                let (Some(message), Some(person)) = (message, person) else {
                    return output
                        .bad(origin, "the field `message` is missing, or `user_profile`")
                        .map_err(stop);
                };
                let sign = match entry.text("reaction_type") {
                    Some("realm_emoji" | "zulip_extra_emoji") => None,
                    _ => entry
                        .text("emoji_code")
                        .and_then(emoji::of_code_points)
                        .or_else(|| emoji::sign(entry.text("emoji_name")?)),
                };
                match sign {
                    Some(sign) => self.reactions.entry(message).or_default().push((person, sign)),
                    None => output.lose(Loss::ReactionsWithCustomEmoji, 1),
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Channels, which have names; direct conversations are told of when somebody writes there.
    fn rooms(&mut self, origin: &Origin, output: &mut Output<'_>) -> Result<(), ReadError> {
        for (origin, channel) in std::mem::take(&mut self.channels) {
            let id = channel.whole("id").unwrap_or_default();
            let key = format!("channel/{id}");
            let is_private = channel.is("invite_only");
            let room = Room {
                key: key.clone(),
                name: channel.text("name").unwrap_or(&key).to_owned(),
                kind: if is_private { RoomKind::Private } else { RoomKind::Public },
                topic: channel.text("description").map(str::to_owned),
                created_at: channel
                    .text("date_created")
                    .and_then(moment::of_seconds)
                    .or_else(|| channel.get("date_created").and_then(Value::as_f64).map(of_float)),
            };
            self.told.insert(key.clone());
            output.item(&origin, Item::Room(room))?;
            if channel.is("deactivated") {
                let (by, at, name, topic) = (None, None, None, None);
                let archived = Renamed { room: key, by, at, name, topic, archived: Some(true) };
                output.item(&origin, Item::Renamed(archived))?;
            }
        }
        let mut members: Vec<_> = self.members.iter().collect();
        members.sort_unstable();
        for (to, people) in members {
            let Some(Recipient::Channel(id)) = self.recipients.get(to) else { continue };
            let room = format!("channel/{id}");
            if !self.told.contains(&room) {
                continue;
            }
            for person in people {
                let (room, person) = (room.clone(), person.clone());
                let membership = Membership { room, person, at: None, change: Change::Joined };
                output.item(origin, Item::Membership(membership))?;
            }
        }
        Ok(())
    }

    fn message(&mut self, origin: &Origin, entry: &Value, output: &mut Output<'_>) -> Result<(), ReadError> {
        let (Some(id), Some(author)) = (entry.id("id"), entry.id("sender")) else {
            return output.bad(origin, "the field `id` is missing, or `sender`").map_err(stop);
        };
        let at = entry.get("date_sent").or_else(|| entry.get("pub_date")).and_then(Value::as_f64);
        let Some(at) = at.map(of_float) else {
            return output.bad(origin, "the field `date_sent` is missing").map_err(stop);
        };
        let to = entry.whole("recipient").unwrap_or_default();
        let Some(&recipient) = self.recipients.get(&to) else {
            let problem = format!("its recipient {to} is not in realm.json");
            return output.bad(origin, problem).map_err(stop);
        };
        let room = self.place(origin, to, recipient, &author, output)?;
        let topic = entry.text("subject").unwrap_or_default();
        let mut reply_to = None;
        let mut head = String::new();
        if let Recipient::Channel(channel) = recipient {
            match self.roots.get(&(channel, topic.to_lowercase())) {
                Some(root) => reply_to = Some(root.clone()),
                None => {
                    self.roots.insert((channel, topic.to_lowercase()), id.clone());
                    if !topic.is_empty() {
                        head = format!("**{}**\n", topic.trim_start_matches("✔ "));
                    }
                }
            }
        }
        let versions = versions(entry);
        let with_topic = |content: &str| {
            let (words, files) = text::of(content, &self.called);
            let mut text = Text::plain(head.clone());
            text.append(words);
            (text, files)
        };
        let Some((first, edits)) = versions.split_first() else { return Ok(()) };
        let (text, files) = with_topic(&first.1);
        if text.is_blank() && files.is_empty() {
            output.lose(Loss::WordlessMessages, 1);
            return Ok(());
        }
        let mut counted = files.len();
        let message = Message { room: room.clone(), id: id.clone(), author, at, text, reply_to, files };
        output.item(origin, Item::Message(message))?;
        for (at, content) in edits {
            let (text, files) = with_topic(content);
            output.lose(Loss::Files, files.len().saturating_sub(counted) as u64);
            counted = counted.max(files.len());
            let edit = Edit { room: room.clone(), target: id.clone(), at: *at, text: Some(text), files };
            output.item(origin, Item::Edit(edit))?;
        }
        let number = entry.whole("id").unwrap_or_default();
        for (person, emoji) in self.reactions.remove(&number).unwrap_or_default() {
            let (room, target) = (room.clone(), id.clone());
            output.item(origin, Item::Reaction(Reaction { room, target, person, emoji, at: None }))?;
        }
        Ok(())
    }

    fn place(
        &mut self,
        origin: &Origin,
        to: i64,
        recipient: Recipient,
        author: &str,
        output: &mut Output<'_>,
    ) -> Result<String, ReadError> {
        let (key, kind) = match recipient {
            Recipient::Channel(id) => (format!("channel/{id}"), RoomKind::Private),
            Recipient::Group => (format!("group/{to}"), RoomKind::Private),
            Recipient::Person(other) => {
                let other = other.to_string();
                let (one, other) =
                    if *author <= *other { (author.to_owned(), other) } else { (other, author.to_owned()) };
                (format!("direct/{one}/{other}"), RoomKind::Direct(one, other))
            }
        };
        if self.told.insert(key.clone()) {
            let members = self.members.get(&to).cloned().unwrap_or_default();
            let names = members.iter().map(|key| {
                let known = self.called.people.iter().find(|(_, known)| *known == key);
                known.map_or(key.as_str(), |(name, _)| name)
            });
            let name = if recipient == Recipient::Group {
                names.collect::<Vec<_>>().join(", ")
            } else {
                key.clone()
            };
            let room = Room { key: key.clone(), name, kind, topic: None, created_at: None };
            output.item(origin, Item::Room(room))?;
            for person in members.into_iter().filter(|_| recipient == Recipient::Group) {
                let membership = Membership { room: key.clone(), person, at: None, change: Change::Joined };
                output.item(origin, Item::Membership(membership))?;
            }
        }
        Ok(key)
    }
}

/// Seconds as the database has them: whole milliseconds are exact in them for some ten thousand years.
fn of_float(seconds: f64) -> UnixMs {
    (seconds * 1_000.0).round() as UnixMs
}

/// What the message said, from the first words on, each with its time; the first with none.
fn versions(entry: &Value) -> Vec<(UnixMs, String)> {
    let now = entry.get("content").and_then(Value::as_str).unwrap_or_default().to_owned();
    let history = match entry.get("edit_history") {
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
        Some(list) => list.clone(),
        None => Value::Null,
    };
    let mut edits: Vec<(UnixMs, String)> = history
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|edit| {
            let before = edit.get("prev_content").and_then(Value::as_str)?.to_owned();
            Some((of_float(edit.get("timestamp")?.as_f64()?), before))
        })
        .collect();
    edits.sort_by_key(|(at, _)| *at);
    let mut versions = Vec::with_capacity(edits.len() + 1);
    let mut since = 0;
    for (at, before) in edits {
        versions.push((since, before));
        since = at;
    }
    versions.push((since, now));
    versions
}
