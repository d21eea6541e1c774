//! A Matrix room as Element exports it in JSON: a bare file, or `export.json` in a zip with media.
//!
//! Source of the form: Element's `JSONExport.ts`, and the Matrix specification for the events. The header has
//! names to show only; ids are those of the events. Edits, threads, replies and reactions are events that
//! refer to others.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

use crate::archive::Archive;
use crate::json::{Beside, Fields, Step, each, stop};
use crate::{
    Change, Edit, Item, Loss, Membership, Message, Options, Origin, Output, Person, Piece, Reaction,
    ReadError, Renamed, Room, RoomKind, Text, UnixMs,
};

/// Reads the export.
pub(crate) fn read(
    archive: &mut Archive,
    options: &Options,
    output: &mut Output<'_>,
) -> Result<(), ReadError> {
    let is_one = |name: &&str| archive.is_plain() || name.ends_with("export.json");
    let Some(file) = archive.names().find(is_one).map(str::to_owned) else {
        return Err(ReadError::Missing { archive: archive.shown(), missing: "export.json" });
    };
    let shown: Arc<str> = if archive.is_plain() { "".into() } else { file.as_str().into() };
    let mut reading =
        Reading { options, people: HashMap::new(), rooms: HashSet::new(), wordless: HashSet::new(), seen: 0 };
    let paths: &[&[Step]] = &[&[Step::Key("messages"), Step::Each]];
    each(&file, archive.open_file(&file)?, paths, |_, number, beside, event| {
        reading.event(&Origin::entry(&shown, number), beside, &event, output)
    })?;
    if reading.seen == 0 {
        return Err(ReadError::form(file, "no messages are in it"));
    }
    Ok(())
}

struct Reading<'a> {
    options: &'a Options,
    /// Names to show, by id.
    people: HashMap<String, String>,
    rooms: HashSet<String>,
    /// Messages that are gone.
    wordless: HashSet<String>,
    seen: u64,
}

impl Reading<'_> {
    fn event(
        &mut self,
        origin: &Origin,
        beside: &Beside,
        event: &Value,
        output: &mut Output<'_>,
    ) -> Result<(), ReadError> {
        self.seen += 1;
        for field in ["event_id", "sender"] {
            if event.text(field).is_none() {
                return output.bad(origin, format!("the field `{field}` is missing")).map_err(stop);
            }
        }
        let Some(at) = event.whole("origin_server_ts") else {
            return output.bad(origin, "the field `origin_server_ts` is missing").map_err(stop);
        };
        let header = beside.first().map(|header| Value::Object(header.clone())).unwrap_or_default();
        let name = header.text("room_name").unwrap_or("Matrix room");
        let room = event.text("room_id").unwrap_or(name).to_owned();
        if self.rooms.insert(room.clone()) {
            let kind = if self.options.public { RoomKind::Public } else { RoomKind::Private };
            let topic = header.text("topic").map(str::to_owned);
            let room = Room { key: room.clone(), name: name.to_owned(), kind, topic, created_at: None };
            output.item(origin, Item::Room(room))?;
        }
        let content = event.get("content").cloned().unwrap_or_default();
        let by_themselves = event.text("state_key") == event.text("sender");
        let shown = content.text("displayname").filter(|_| by_themselves);
        let sender = self.person(origin, event.text("sender").unwrap_or_default(), shown, output)?;
        match event.text("type").unwrap_or_default() {
            "m.room.message" | "m.sticker" => {
                self.said(origin, &room, (&sender, at), event, &content, output)
            }
            "m.reaction" => {
                let about = content.get("m.relates_to").cloned().unwrap_or_default();
                let (Some(target), Some(key)) = (about.text("event_id"), about.text("key")) else {
                    output.lose(Loss::WordlessMessages, 1);
                    return Ok(());
                };
                let (target, emoji) = (target.to_owned(), key.to_owned());
                let reaction = Reaction { room, target, person: sender, emoji, at: Some(at) };
                Ok(output.item(origin, Item::Reaction(reaction))?)
            }
            "m.room.member" => self.member(origin, &room, (sender, at), event, &content, output),
            "m.room.name" | "m.room.topic" => {
                let (name, topic) = (content.text("name"), content.get("topic").and_then(Value::as_str));
                let (name, topic) = (name.map(str::to_owned), topic.map(str::to_owned));
                let renamed = Renamed { room, by: Some(sender), at: Some(at), name, topic, archived: None };
                Ok(output.item(origin, Item::Renamed(renamed))?)
            }
            "m.room.encrypted" => {
                output.lose(Loss::WordlessMessages, 1);
                Ok(())
            }
            _ => {
                output.lose(Loss::SystemLines, 1);
                Ok(())
            }
        }
    }

    /// Tells of somebody once; whoever is told of again by another name keeps the first.
    fn person(
        &mut self,
        origin: &Origin,
        id: &str,
        shown: Option<&str>,
        output: &mut Output<'_>,
    ) -> Result<String, ReadError> {
        if !self.people.contains_key(id) {
            let local = id.trim_start_matches('@').split(':').next().unwrap_or(id);
            let local = if local.is_empty() { id } else { local };
            self.people.insert(id.to_owned(), local.to_owned());
            let shown = shown.map(str::to_owned);
            output
                .item(origin, Item::Person(Person { key: id.to_owned(), name: local.to_owned(), shown }))?;
        }
        Ok(id.to_owned())
    }

    fn member(
        &mut self,
        origin: &Origin,
        room: &str,
        (sender, at): (String, UnixMs),
        event: &Value,
        content: &Value,
        output: &mut Output<'_>,
    ) -> Result<(), ReadError> {
        let shown = content.text("displayname");
        let person = self.person(origin, event.text("state_key").unwrap_or(&sender), shown, output)?;
        let change = match content.text("membership").unwrap_or_default() {
            "join" => Change::Joined,
            "leave" | "ban" if person == sender => Change::Left,
            "leave" | "ban" => Change::Removed { by: sender },
            _ => {
                output.lose(Loss::SystemLines, 1);
                return Ok(());
            }
        };
        let membership = Membership { room: room.to_owned(), person, at: Some(at), change };
        Ok(output.item(origin, Item::Membership(membership))?)
    }

    fn said(
        &mut self,
        origin: &Origin,
        room: &str,
        (sender, at): (&str, UnixMs),
        event: &Value,
        content: &Value,
        output: &mut Output<'_>,
    ) -> Result<(), ReadError> {
        let id = event.text("event_id").unwrap_or_default().to_owned();
        let about = content.get("m.relates_to").cloned().unwrap_or_default();
        if about.text("rel_type") == Some("m.replace") {
            let Some(target) = about.text("event_id") else { return Ok(()) };
            let Some(new) = content.get("m.new_content") else {
                return output.bad(origin, "the field `content.m.new_content` is missing").map_err(stop);
            };
            let text = self.words(new, false);
            let edit = Edit {
                room: room.to_owned(),
                target: target.to_owned(),
                at,
                text: Some(text),
                files: Vec::new(),
            };
            return Ok(output.item(origin, Item::Edit(edit))?);
        }
        let answered = about.get("m.in_reply_to").and_then(|to| to.text("event_id"));
        let reply_to = match about.text("rel_type") {
            // What it answers within the thread is often only what stood before it.
            Some("m.thread") => {
                answered.filter(|_| !about.is("is_falling_back")).or_else(|| about.text("event_id"))
            }
            _ => answered,
        };
        let has_file = content.text("url").is_some() || content.get("file").is_some();
        let name = content.text("filename").or_else(|| content.text("body")).unwrap_or("file");
        let files = if has_file { vec![name.to_owned()] } else { Vec::new() };
        // Without a name of its own the file is named in the place of the words.
        let is_caption =
            !has_file || content.text("filename").is_some_and(|name| content.text("body") != Some(name));
        let text = if is_caption { self.words(content, reply_to.is_some()) } else { Text::default() };
        if text.is_blank() && files.is_empty() {
            self.wordless.insert(id);
            output.lose(Loss::WordlessMessages, 1);
            return Ok(());
        }
        let reply_to = reply_to.filter(|to| !self.wordless.contains(*to)).map(str::to_owned);
        let (room, author) = (room.to_owned(), sender.to_owned());
        Ok(output.item(origin, Item::Message(Message { room, id, author, at, text, reply_to, files }))?)
    }

    fn words(&self, content: &Value, is_reply: bool) -> Text {
        let mut text = Text::default();
        if content.text("msgtype") == Some("m.emote") {
            text.words("/me ");
        }
        let html = content.text("formatted_body");
        match html.filter(|_| content.text("format") == Some("org.matrix.custom.html")) {
            Some(html) => text.append(crate::html::text(html, |address| {
                let id = address.strip_prefix("https://matrix.to/#/")?;
                let id = id.replace("%40", "@").replace("%3A", ":");
                id.starts_with('@').then(|| Piece::Person(id.split('?').next().unwrap_or(&id).to_owned()))
            })),
            None => {
                let body = content.get("body").and_then(Value::as_str).unwrap_or_default();
                let mut lines: Vec<&str> = body.split('\n').collect();
                if is_reply && lines.first().is_some_and(|line| line.starts_with("> ")) {
                    let quoted = lines.iter().take_while(|line| line.starts_with('>')).count();
                    lines.drain(..quoted);
                    if lines.first().is_some_and(|line| line.is_empty()) {
                        lines.remove(0);
                    }
                }
                text.words(&lines.join("\n"));
            }
        }
        // Named, but not in the words.
        let named = content.get("m.mentions").is_some_and(|mentions| mentions.is("room"));
        if named && !text.0.contains(&Piece::Everyone) {
            let whole = std::mem::take(&mut text);
            for piece in whole.0 {
                match piece {
                    Piece::Words(words) => match words.split_once("@room") {
                        Some((before, after)) => {
                            text.words(before);
                            text.push(Piece::Everyone);
                            text.words(after);
                        }
                        None => text.words(&words),
                    },
                    other => text.push(other),
                }
            }
        }
        text
    }
}
