//! Telegram Desktop's `result.json`: one chat, or all chats of an account under `chats.list` and
//! `left_chats.list`.
//!
//! Source of the form: `export_output_json.cpp` of telegramdesktop/tdesktop. Keys are (chat id, message id);
//! people are known by what they wrote only. Old files have no `date_unixtime` but the time of a clock
//! without a zone, which must be told then.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use jiff::civil;
use serde_json::Value;

use crate::archive::Archive;
use crate::json::{Beside, Fields, Step, each, stop};
use crate::markup::link;
use crate::{
    Change, Edit, Item, Loss, Membership, Message, Options, Origin, Output, Person, Piece, Reaction,
    ReadError, Renamed, Room, RoomKind, Text, UnixMs, moment,
};

const PATHS: [&[Step]; 3] = [
    &[Step::Key("messages"), Step::Each],
    &[Step::Key("chats"), Step::Key("list"), Step::Each, Step::Key("messages"), Step::Each],
    &[Step::Key("left_chats"), Step::Key("list"), Step::Each, Step::Key("messages"), Step::Each],
];

/// Reads the export.
pub(crate) fn read(
    archive: &mut Archive,
    options: &Options,
    output: &mut Output<'_>,
) -> Result<(), ReadError> {
    let file = archive.names().find(|name| is_result(name) || archive.is_plain()).map(str::to_owned);
    let Some(file) = file else {
        return Err(ReadError::Missing { archive: archive.shown(), missing: "result.json" });
    };
    let shown: Arc<str> = if archive.is_plain() { "".into() } else { file.as_str().into() };
    let reader = CleanEscapes::new(archive.open_file(&file)?);
    let mut reading = Reading { options, people: BTreeMap::new(), rooms: HashSet::new(), last: None };
    // Who wrote, first: lines about members have names only.
    each(&file, reader, &PATHS, |_, number, _, entry| {
        for (id, name) in [("from_id", "from"), ("actor_id", "actor")] {
            if let Some(id) = entry.id(id) {
                reading.person(&Origin::entry(&shown, number), Some(id), entry.text(name), output)?;
            }
        }
        Ok(())
    })?;
    let reader = CleanEscapes::new(archive.open_file(&file)?);
    let mut total = 0;
    each(&file, reader, &PATHS, |path, number, beside, entry| {
        total += 1;
        let account = if path == 0 { None } else { beside.first() };
        let me = account.and_then(|account| account.get("personal_information")?.id("user_id"));
        reading.message(&Origin::entry(&shown, number), beside, me, &entry, output)
    })?;
    if total == 0 {
        return Err(ReadError::form(file, "no messages are in it; the field `messages` is missing or empty"));
    }
    Ok(())
}

/// Whether a file of this name is an export of this kind.
pub(crate) fn is_result(name: &str) -> bool {
    Path::new(name).file_name().is_some_and(|name| name == "result.json")
}

struct Reading<'a> {
    options: &'a Options,
    /// Names by id, as they were told.
    people: BTreeMap<String, String>,
    rooms: HashSet<String>,
    last: Option<UnixMs>,
}

impl Reading<'_> {
    fn message(
        &mut self,
        origin: &Origin,
        beside: &Beside,
        me: Option<String>,
        entry: &Value,
        output: &mut Output<'_>,
    ) -> Result<(), ReadError> {
        let chat = beside.last().map(|chat| Value::Object(chat.clone())).unwrap_or_default();
        let room = chat.id("id").unwrap_or_else(|| chat.text("name").unwrap_or("chat").to_owned());
        if self.rooms.insert(room.clone()) {
            self.last = None;
            self.room(origin, &room, &chat, me, output)?;
        }
        let Some(id) = entry.id("id") else {
            return output.bad(origin, "the field `id` is missing").map_err(stop);
        };
        // What another version of Telegram wrote has an id and nothing else.
        if entry.text("type") == Some("unsupported") {
            output.lose(Loss::UnknownContents, 1);
            return Ok(());
        }
        let Some(at) = self.time(entry, "date", self.last)? else {
            return output.bad(origin, "the field `date_unixtime` is missing, and `date`").map_err(stop);
        };
        self.last = Some(at);
        match entry.text("type").unwrap_or("message") {
            "service" => self.happened(origin, &room, at, entry, output),
            "message" => self.said(origin, &room, (id, at), entry, output),
            _ => {
                output.lose(Loss::UnknownContents, 1);
                Ok(())
            }
        }
    }

    fn room(
        &mut self,
        origin: &Origin,
        key: &str,
        chat: &Value,
        me: Option<String>,
        output: &mut Output<'_>,
    ) -> Result<(), ReadError> {
        let me = me.map(|id| format!("user{id}"));
        let kind = match (chat.text("type").unwrap_or_default(), me) {
            ("public_supergroup" | "public_channel", _) => RoomKind::Public,
            ("saved_messages", Some(me)) => RoomKind::Direct(me.clone(), me),
            ("personal_chat" | "bot_chat", Some(me)) => {
                let other = self.person(origin, Some(format!("user{key}")), chat.text("name"), output)?;
                RoomKind::Direct(me, other)
            }
            // Whoever exports one chat is not named in it: a room of two.
            _ => RoomKind::Private,
        };
        let name = match chat.text("type") {
            Some("saved_messages") => "Saved messages",
            _ => chat.text("name").unwrap_or("Deleted account"),
        };
        let room = Room { key: key.to_owned(), name: name.to_owned(), kind, topic: None, created_at: None };
        Ok(output.item(origin, Item::Room(room))?)
    }

    fn time(
        &self,
        entry: &Value,
        field: &str,
        not_before: Option<UnixMs>,
    ) -> Result<Option<UnixMs>, ReadError> {
        if let Some(seconds) = entry.whole(&format!("{field}_unixtime")) {
            return Ok(Some(seconds * 1_000));
        }
        let Some(clock) = entry.text(field).and_then(|text| text.parse::<civil::DateTime>().ok()) else {
            return Ok(None);
        };
        let zone = self.options.zone("messages have the time of a clock only (no `date_unixtime`)")?;
        Ok(moment::of_clock(clock, &zone, not_before))
    }

    /// Tells of somebody once; answers their key.
    fn person(
        &mut self,
        origin: &Origin,
        id: Option<String>,
        name: Option<&str>,
        output: &mut Output<'_>,
    ) -> Result<String, ReadError> {
        let name = name.unwrap_or("Deleted account");
        // Lines about members have names only: who wrote under that name is meant.
        let known = || self.people.iter().find(|(_, known)| *known == name).map(|(id, _)| id.clone());
        let key = id.or_else(known).unwrap_or_else(|| format!("name:{name}"));
        if !self.people.contains_key(&key) {
            self.people.insert(key.clone(), name.to_owned());
            let person = Person { key: key.clone(), name: name.to_owned(), shown: Some(name.to_owned()) };
            output.item(origin, Item::Person(person))?;
        }
        Ok(key)
    }

    fn happened(
        &mut self,
        origin: &Origin,
        room: &str,
        at: UnixMs,
        entry: &Value,
        output: &mut Output<'_>,
    ) -> Result<(), ReadError> {
        let actor = self.person(origin, entry.id("actor_id"), entry.text("actor"), output)?;
        let membership = |person: String, change| {
            Item::Membership(Membership { room: room.to_owned(), person, at: Some(at), change })
        };
        match entry.text("action").unwrap_or_default() {
            action @ ("invite_members" | "remove_members") => {
                for member in entry.list("members").iter().filter_map(Value::as_str) {
                    let person = self.person(origin, None, Some(member), output)?;
                    let change = match action {
                        "invite_members" => Change::Joined,
                        _ if person == actor => Change::Left,
                        _ => Change::Removed { by: actor.clone() },
                    };
                    output.item(origin, membership(person, change))?;
                }
            }
            "join_group_by_link" | "join_group_by_request" => {
                output.item(origin, membership(actor, Change::Joined))?;
            }
            "create_group" => {
                output.item(origin, membership(actor, Change::Joined))?;
                for member in entry.list("members").iter().filter_map(Value::as_str) {
                    let person = self.person(origin, None, Some(member), output)?;
                    output.item(origin, membership(person, Change::Joined))?;
                }
            }
            "edit_group_title" => {
                let (room, name) = (room.to_owned(), entry.text("title").map(str::to_owned));
                let renamed =
                    Renamed { room, by: Some(actor), at: Some(at), name, topic: None, archived: None };
                output.item(origin, Item::Renamed(renamed))?;
            }
            _ => output.lose(Loss::SystemLines, 1),
        }
        Ok(())
    }

    fn said(
        &mut self,
        origin: &Origin,
        room: &str,
        (id, at): (String, UnixMs),
        entry: &Value,
        output: &mut Output<'_>,
    ) -> Result<(), ReadError> {
        let author = self.person(origin, entry.id("from_id"), entry.text("from"), output)?;
        let mut text = Text::default();
        if let Some(forwarded) = entry.text("forwarded_from") {
            text.words(&format!("Forwarded from {forwarded}:\n"));
        }
        text.append(words(entry));
        let files: Vec<String> = ["photo", "file"]
            .iter()
            .filter_map(|field| {
                let path = entry.text(field)?;
                let name = Path::new(path).file_name().map(|name| name.to_string_lossy().into_owned());
                let told = entry.text("file_name").map(str::to_owned);
                // A sentence in brackets when it was left out.
                let kind = || entry.text("media_type").unwrap_or(field).replace('_', " ");
                Some(told.unwrap_or_else(|| {
                    if path.starts_with('(') { kind() } else { name.unwrap_or_else(kind) }
                }))
            })
            .collect();
        for content in
            ["poll", "location_information", "contact_information", "game_title", "invoice_information"]
        {
            output.lose(Loss::UnknownContents, u64::from(entry.get(content).is_some()));
        }
        if text.is_blank() && files.is_empty() {
            let told = ["poll", "location_information", "contact_information", "game_title"];
            let is_told = told.iter().any(|content| entry.get(content).is_some());
            output.lose(Loss::WordlessMessages, u64::from(!is_told));
            return Ok(());
        }
        let reply_to = entry.id("reply_to_message_id").filter(|_| entry.get("reply_to_peer_id").is_none());
        let (key, target) = (room.to_owned(), id.clone());
        let has_reactions = !entry.list("reactions").is_empty();
        let message = Message { room: key.clone(), id, author, at, text, reply_to, files };
        output.item(origin, Item::Message(message))?;
        // The first reaction sets the time of an edit, too.
        if !has_reactions && let Some(at) = self.time(entry, "edited", Some(at))? {
            output.lose(Loss::EarlierWords, 1);
            output.item(
                origin,
                Item::Edit(Edit {
                    room: key.clone(),
                    target: target.clone(),
                    at,
                    text: None,
                    files: Vec::new(),
                }),
            )?;
        }
        for reaction in entry.list("reactions") {
            let known: Vec<&Value> =
                reaction.list("recent").iter().filter(|who| who.text("from_id").is_some()).collect();
            let count = reaction.whole("count").unwrap_or_default().max(0).unsigned_abs();
            output.lose(Loss::ReactionsOfUnknownPeople, count.saturating_sub(known.len() as u64));
            let Some(emoji) = reaction.text("emoji").filter(|_| reaction.text("type") == Some("emoji"))
            else {
                output.lose(Loss::ReactionsWithCustomEmoji, known.len() as u64);
                continue;
            };
            for who in known {
                let person = self.person(origin, who.id("from_id"), who.text("from"), output)?;
                let at = self.time(who, "date", None).ok().flatten();
                let (room, target, emoji) = (key.clone(), target.clone(), emoji.to_owned());
                output.item(origin, Item::Reaction(Reaction { room, target, person, emoji, at }))?;
            }
        }
        Ok(())
    }
}

/// The words with their styles.
fn words(entry: &Value) -> Text {
    let mut text = Text::default();
    let whole = [entry.get("text").cloned().unwrap_or_default()];
    let parts = match entry.list("text_entities") {
        [] => match &whole[0] {
            Value::Array(parts) => parts.as_slice(),
            _ => &whole,
        },
        parts => parts,
    };
    for part in parts {
        if let Some(words) = part.as_str() {
            text.words(words);
            continue;
        }
        let words = part.get("text").and_then(Value::as_str).unwrap_or_default();
        let around = |mark: &str| {
            // Marks stand at words, not at blanks.
            let inside = words.trim();
            if inside.is_empty() {
                return words.to_owned();
            }
            let start = words.len() - words.trim_start().len();
            let end = words.trim_end().len();
            format!("{}{mark}{inside}{mark}{}", &words[..start], &words[end..])
        };
        match part.text("type").unwrap_or("plain") {
            "bold" => text.words(&around("**")),
            "italic" => text.words(&around("_")),
            "strikethrough" => text.words(&around("~~")),
            "code" => text.words(&around("`")),
            "pre" => {
                let language = part.text("language").unwrap_or_default();
                text.words(&format!("\n```{language}\n{}\n```\n", words.trim_matches('\n')));
            }
            "text_link" => text.words(&link(part.text("href").unwrap_or(words), Some(words))),
            "blockquote" => {
                let quoted: Vec<String> = words.lines().map(|line| format!("> {line}")).collect();
                text.words(&format!("\n{}\n", quoted.join("\n")));
            }
            "mention_name" => match part.id("user_id") {
                Some(id) => text.push(Piece::Person(format!("user{id}"))),
                None => text.words(words),
            },
            _ => text.words(words),
        }
    }
    text
}

/// Telegram writes control characters as `\xNN`, which is no JSON; they become `\u00NN`.
struct CleanEscapes<R> {
    input: io::Bytes<io::BufReader<R>>,
    /// What is to be read before the input goes on.
    ready: Vec<u8>,
    after_backslash: bool,
}

impl<R: Read> CleanEscapes<R> {
    fn new(input: R) -> Self {
        let input = io::BufReader::with_capacity(1 << 16, input).bytes();
        Self { input, ready: Vec::new(), after_backslash: false }
    }
}

impl<R: Read> Read for CleanEscapes<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            if let Some(byte) = self.ready.pop() {
                buffer[filled] = byte;
                filled += 1;
                continue;
            }
            let Some(byte) = self.input.next().transpose()? else { break };
            if self.after_backslash && byte == b'x' {
                self.ready.extend([b'0', b'0', b'u']);
                self.after_backslash = false;
                continue;
            }
            self.after_backslash = byte == b'\\' && !self.after_backslash;
            buffer[filled] = byte;
            filled += 1;
        }
        Ok(filled)
    }
}
