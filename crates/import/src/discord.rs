//! Discord, as DiscordChatExporter writes it in JSON: one file a channel or thread (or several, where it was
//! partitioned), alone, in a folder or in an archive.
//!
//! Source of the form: DiscordChatExporter's `JsonMessageWriter` and the types that it writes. Ids are
//! decimal texts, global. People are known by what they wrote, and where they are named or react.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

use crate::archive::Archive;
use crate::json::{Beside, Fields, Step, each, stop};
use crate::{
    Edit, Item, Loss, Membership, Message, Options, Origin, Output, Person, Piece, Reaction, ReadError, Room,
    RoomKind, Text, emoji, markup, moment,
};

/// Reads the export.
pub(crate) fn read(
    archive: &mut Archive,
    options: &Options,
    output: &mut Output<'_>,
) -> Result<(), ReadError> {
    let is_one = |name: &&str| archive.is_plain() || name.ends_with(".json");
    let files: Vec<String> = archive.names().filter(is_one).map(str::to_owned).collect();
    if files.is_empty() {
        return Err(ReadError::Missing { archive: archive.shown(), missing: "*.json" });
    }
    let mut reading = Reading { options, people: HashSet::new(), rooms: HashSet::new(), seen: 0 };
    for file in files {
        let shown: Arc<str> = if archive.is_plain() { "".into() } else { file.as_str().into() };
        let paths: &[&[Step]] = &[&[Step::Key("messages"), Step::Each]];
        each(&file, archive.open_file(&file)?, paths, |_, number, beside, entry| {
            reading.message(&Origin::entry(&shown, number), beside, &entry, output)
        })?;
    }
    if reading.seen == 0 {
        return Err(ReadError::form(archive.shown(), "no messages are in it"));
    }
    Ok(())
}

struct Reading<'a> {
    options: &'a Options,
    people: HashSet<String>,
    rooms: HashSet<String>,
    seen: u64,
}

impl Reading<'_> {
    fn message(
        &mut self,
        origin: &Origin,
        beside: &Beside,
        entry: &Value,
        output: &mut Output<'_>,
    ) -> Result<(), ReadError> {
        let header = beside.first().map(|header| Value::Object(header.clone())).unwrap_or_default();
        let (guild, channel) = (header.get("guild"), header.get("channel"));
        let (Some(channel), Some(guild)) = (channel, guild) else {
            return output
                .bad(origin, "its file has no `guild` and `channel` before `messages`")
                .map_err(stop);
        };
        self.seen += 1;
        let Some(room) = channel.id("id") else {
            return output.bad(origin, "the field `channel.id` is missing").map_err(stop);
        };
        let Some(id) = entry.id("id") else {
            return output.bad(origin, "the field `id` is missing").map_err(stop);
        };
        let Some(at) = entry.text("timestamp").and_then(moment::of_iso) else {
            let problem = "the field `timestamp` must be a time such as 2026-01-05T09:00:00+01:00";
            return output.bad(origin, problem).map_err(stop);
        };
        if self.rooms.insert(room.clone()) {
            self.room(origin, &room, guild, channel, output)?;
        }
        let author = self.person(origin, entry.get("author"), output)?;
        let Some(author) = author else {
            return output.bad(origin, "the field `author.id` is missing").map_err(stop);
        };
        match entry.text("type").unwrap_or("Default") {
            "Default" | "Reply" | "19" | "20" | "23" | "ContextMenuCommand" | "ChatInputCommand" => {}
            kind @ ("GuildMemberJoin" | "RecipientAdd" | "RecipientRemove") => {
                let change = match kind {
                    "RecipientRemove" => crate::Change::Left,
                    _ => crate::Change::Joined,
                };
                // Who was added or removed is named; who joined a server is the author.
                let named = entry.list("mentions").first();
                let person = self.person(origin, named, output)?.unwrap_or(author);
                let membership = Membership { room, person, at: Some(at), change };
                return Ok(output.item(origin, Item::Membership(membership))?);
            }
            _ => {
                output.lose(Loss::SystemLines, 1);
                return Ok(());
            }
        }
        let text = self.words(origin, entry, output)?;
        let files: Vec<String> = entry
            .list("attachments")
            .iter()
            .chain(entry.get("forwardedMessage").into_iter().flat_map(|inner| inner.list("attachments")))
            .map(|file| file.text("fileName").unwrap_or("file").to_owned())
            .collect();
        if text.is_blank() && files.is_empty() {
            output.lose(Loss::WordlessMessages, 1);
            return Ok(());
        }
        let reference = entry.get("reference").filter(|to| to.id("channelId").is_none_or(|id| id == room));
        let reply_to =
            reference.filter(|to| to.text("type") != Some("Forward")).and_then(|to| to.id("messageId"));
        let target = id.clone();
        let message = Message { room: room.clone(), id, author, at, text, reply_to, files };
        output.item(origin, Item::Message(message))?;
        if let Some(at) = entry.text("timestampEdited").and_then(moment::of_iso) {
            output.lose(Loss::EarlierWords, 1);
            let edit = Edit { room: room.clone(), target: target.clone(), at, text: None, files: Vec::new() };
            output.item(origin, Item::Edit(edit))?;
        }
        output.lose(Loss::PinsAndStars, u64::from(entry.is("isPinned")));
        self.reactions(origin, &room, &target, entry, output)
    }

    fn room(
        &self,
        origin: &Origin,
        key: &str,
        guild: &Value,
        channel: &Value,
        output: &mut Output<'_>,
    ) -> Result<(), ReadError> {
        let kind = channel.text("type").unwrap_or_default();
        // Who may see a channel of a server the export does not say.
        let is_of_server = guild.id("id").is_some_and(|id| id != "0");
        let is_public = self.options.public && is_of_server && !kind.contains("Private");
        let kind = if is_public { RoomKind::Public } else { RoomKind::Private };
        let name = channel.text("name").unwrap_or(key).to_owned();
        let topic = channel.text("topic").map(str::to_owned);
        let room = Room { key: key.to_owned(), name, kind, topic, created_at: None };
        Ok(output.item(origin, Item::Room(room))?)
    }

    fn person(
        &mut self,
        origin: &Origin,
        person: Option<&Value>,
        output: &mut Output<'_>,
    ) -> Result<Option<String>, ReadError> {
        let Some((person, key)) = person.and_then(|person| Some((person, person.id("id")?))) else {
            return Ok(None);
        };
        if self.people.insert(key.clone()) {
            let name = person.text("name").unwrap_or(&key);
            let name = if person.is("isBot") { format!("{name} (bot)") } else { name.to_owned() };
            let shown = person.text("nickname").or_else(|| person.text("name")).map(str::to_owned);
            output.item(origin, Item::Person(Person { key: key.clone(), name, shown }))?;
        }
        Ok(Some(key))
    }

    fn words(&mut self, origin: &Origin, entry: &Value, output: &mut Output<'_>) -> Result<Text, ReadError> {
        // What names stand for, as they were flattened and as they are written raw.
        let mut names = BTreeMap::new();
        for mention in entry.list("mentions") {
            if let Some(key) = self.person(origin, Some(mention), output)? {
                for field in ["nickname", "name"] {
                    names.extend(mention.text(field).map(|name| (name.to_owned(), key.clone())));
                }
            }
        }
        let mut content = entry.get("content").and_then(Value::as_str).unwrap_or_default().to_owned();
        if let Some(forwarded) = entry.get("forwardedMessage") {
            content = format!("Forwarded:\n{}", forwarded.text("content").unwrap_or_default());
        }
        let mut text = named(&markup_of(&content), &names);
        for embed in entry.list("embeds") {
            // What is only the preview of an address that the message has anyway.
            if embed.text("url").is_some_and(|url| content.contains(url)) {
                continue;
            }
            let title = embed.text("title").map(|title| match embed.text("url") {
                Some(url) => markup::link(url, Some(title)),
                None => title.to_owned(),
            });
            let fields = embed.list("fields").iter().map(|field| {
                let part = |field_name: &str| field.text(field_name).unwrap_or_default().to_owned();
                format!("{}: {}", part("name"), part("value"))
            });
            let parts = title.into_iter().chain(embed.text("description").map(str::to_owned)).chain(fields);
            for part in parts {
                if !text.is_blank() {
                    text.words("\n");
                }
                text.words(&part);
            }
        }
        for sticker in entry.list("stickers") {
            if !text.is_blank() {
                text.words("\n");
            }
            text.words(&format!("[sticker: {}]", sticker.text("name").unwrap_or_default()));
        }
        Ok(text)
    }

    fn reactions(
        &mut self,
        origin: &Origin,
        room: &str,
        target: &str,
        entry: &Value,
        output: &mut Output<'_>,
    ) -> Result<(), ReadError> {
        for reaction in entry.list("reactions") {
            let users = reaction.list("users");
            let count = reaction.whole("count").unwrap_or_default().max(0).unsigned_abs();
            output.lose(Loss::ReactionsOfUnknownPeople, count.saturating_sub(users.len() as u64));
            let shown = reaction.get("emoji").cloned().unwrap_or_default();
            // Those of a server have an id of their own.
            let name = shown.text("name").filter(|_| shown.id("id").is_none());
            let Some(sign) = name.map(|name| emoji::sign(name).unwrap_or_else(|| name.to_owned())) else {
                output.lose(Loss::ReactionsWithCustomEmoji, users.len() as u64);
                continue;
            };
            for user in users {
                let Some(person) = self.person(origin, Some(user), output)? else { continue };
                let (room, target, emoji) = (room.to_owned(), target.to_owned(), sign.clone());
                output.item(origin, Item::Reaction(Reaction { room, target, person, emoji, at: None }))?;
            }
        }
        Ok(())
    }
}

/// `>>> ` quotes to the end, `-# ` is small, `||` hides.
fn markup_of(content: &str) -> String {
    let mut quoting = false;
    let lines = content.split('\n').map(|line| {
        let line = line.strip_prefix("-# ").unwrap_or(line);
        if let Some(rest) = line.strip_prefix(">>> ") {
            quoting = true;
            return format!("> {rest}");
        }
        if quoting { format!("> {line}") } else { line.to_owned() }
    });
    lines.collect::<Vec<_>>().join("\n").replace("||", "")
}

/// `@Name` of those who are named, the longest first; `<@1>`, `<#1>`, `<:n:1>` and `<t:1>` where the export
/// was made without formatting.
fn named(content: &str, names: &BTreeMap<String, String>) -> Text {
    let mut text = Text::default();
    let mut rest = content;
    while let Some(start) = rest.find(['@', '<']) {
        let (before, after) = rest.split_at(start);
        text.words(before);
        if let Some((piece, length)) = flattened(after, names).or_else(|| raw(after)) {
            text.push(piece);
            rest = &after[length..];
        } else {
            text.words(&after[..1]);
            rest = &after[1..];
        }
    }
    text.words(rest);
    text
}

fn flattened(after: &str, names: &BTreeMap<String, String>) -> Option<(Piece, usize)> {
    let after = after.strip_prefix('@')?;
    for everybody in ["everyone", "here"] {
        if after.starts_with(everybody) {
            return Some((Piece::Everyone, 1 + everybody.len()));
        }
    }
    let longest =
        names.iter().filter(|(name, _)| after.starts_with(name.as_str())).max_by_key(|(name, _)| name.len());
    longest.map(|(name, key)| (Piece::Person(key.clone()), 1 + name.len()))
}

fn raw(after: &str) -> Option<(Piece, usize)> {
    let inside = after.strip_prefix('<')?;
    let end = inside.find('>').filter(|end| *end < 80)?;
    let token = &inside[..end];
    let is_id = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let piece = if let Some(id) =
        token.strip_prefix("@!").or_else(|| token.strip_prefix('@')).filter(|id| is_id(id))
    {
        Piece::Person(id.to_owned())
    } else if let Some(id) = token.strip_prefix('#').filter(|id| is_id(id)) {
        Piece::Room(id.to_owned())
    } else if let Some(name) = token.strip_prefix("a:").or_else(|| token.strip_prefix(':')) {
        let (name, _) = name.split_once(':').filter(|(_, id)| is_id(id))?;
        Piece::Words(format!(":{name}:"))
    } else {
        let seconds = token.strip_prefix("t:")?.split(':').next()?.parse().ok()?;
        Piece::Words(jiff::Timestamp::from_second(seconds).ok()?.to_string())
    };
    Some((piece, end + 2))
}
