//! Mattermost's bulk export: one JSON object a line, in a `.jsonl` file alone or in a zip.
//!
//! Source of the form: Mattermost's documentation of the bulk loading data format, and its `import_types.go`.
//! Nothing has an id: people are known by their usernames, channels by team and name, direct channels by
//! their members, and the id of a message is made of what it says. Replies lie within the message that they
//! answer.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

use crate::archive::Archive;
use crate::json::Fields;
use crate::lines::{LINE_MAX_BYTES, Lines};
use crate::{
    Change, Edit, Item, Loss, Membership, Message, Origin, Output, Person, Piece, Reaction, ReadError,
    Renamed, Room, RoomKind, Text, UnixMs, emoji, made_id,
};

/// Reads the export.
pub(crate) fn read(archive: &mut Archive, output: &mut Output<'_>) -> Result<(), ReadError> {
    let Some(file) = file_of(archive) else {
        return Err(ReadError::Missing { archive: archive.shown(), missing: "*.jsonl" });
    };
    let shown: Arc<str> = if archive.is_plain() { "".into() } else { file.as_str().into() };
    // Usernames first: any word behind an `@` may be one.
    let mut people = HashSet::new();
    lines(archive, &file, &shown, output, |_, kind, object, _| {
        if matches!(kind, "user" | "bot") {
            people.extend(object.text("username").map(str::to_owned));
        }
        Ok(())
    })?;
    let mut reading = Reading { people, rooms: HashSet::new(), equals: HashMap::new(), is_first: true };
    lines(archive, &file, &shown, output, |origin, kind, object, output| {
        reading.object(origin, kind, object, output)
    })
}

/// The file of lines.
pub(crate) fn file_of(archive: &Archive) -> Option<String> {
    archive.names().find(|name| archive.is_plain() || name.ends_with(".jsonl")).map(str::to_owned)
}

fn lines(
    archive: &mut Archive,
    file: &str,
    shown: &Arc<str>,
    output: &mut Output<'_>,
    mut take: impl FnMut(&Origin, &str, &Value, &mut Output<'_>) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let mut lines = Lines::new(archive.open_file(file)?);
    while let Some(line) = lines.next().map_err(ReadError::io(file))? {
        let origin = Origin::line(shown, line.number);
        if line.bytes.trim_ascii().is_empty() {
            continue;
        }
        let object: Result<Value, _> = serde_json::from_slice(&line.bytes);
        match object {
            _ if line.is_cut => take(&origin, "cut", &Value::Null, output)?,
            Ok(object) => {
                let kind = object.text("type").unwrap_or_default();
                take(&origin, kind, object.get(kind).unwrap_or(&Value::Null), output)?;
            }
            Err(_) => take(&origin, "broken", &Value::Null, output)?,
        }
    }
    Ok(())
}

struct Reading {
    people: HashSet<String>,
    rooms: HashSet<String>,
    /// How often the same was said at the same moment in the same room: only as long as the moment lasts.
    equals: HashMap<String, (UnixMs, u64)>,
    is_first: bool,
}

impl Reading {
    fn object(
        &mut self,
        origin: &Origin,
        kind: &str,
        object: &Value,
        output: &mut Output<'_>,
    ) -> Result<(), ReadError> {
        let is_first = std::mem::take(&mut self.is_first);
        match kind {
            "cut" => output.bad(origin, format!("it is longer than {} MiB", LINE_MAX_BYTES >> 20))?,
            "broken" => output.bad(origin, "it is not JSON")?,
            "version" if is_first => {}
            "channel" => self.channel(origin, object, output)?,
            "user" => self.user(origin, object, output)?,
            "bot" => self.person(origin, object, output)?,
            "direct_channel" => {
                let members = members(object, "members");
                self.direct(origin, &members, object, output)?;
            }
            "post" => {
                let (Some(team), Some(channel)) = (object.text("team"), object.text("channel")) else {
                    return Ok(output.bad(origin, "the field `team` is missing, or `channel`")?);
                };
                let room = format!("{team}/{channel}");
                self.post(origin, &room, object, output)?;
            }
            "direct_post" => {
                let mut members = members(object, "channel_members");
                members.extend(object.text("user").filter(|_| members.is_empty()).map(str::to_owned));
                let room = self.direct(origin, &members, object, output)?;
                self.post(origin, &room, object, output)?;
            }
            "version" | "scheme" | "emoji" | "team" | "role" => {}
            _ => output.lose(Loss::UnknownContents, 1),
        }
        Ok(())
    }

    fn person(&mut self, origin: &Origin, user: &Value, output: &mut Output<'_>) -> Result<(), ReadError> {
        let Some(name) = user.text("username") else {
            return Ok(output.bad(origin, "the field `username` is missing")?);
        };
        let parts = [user.text("first_name"), user.text("last_name")];
        let full = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let shown = user.text("nickname").or_else(|| user.text("display_name")).map(str::to_owned);
        let shown = shown.or(Some(full).filter(|full| !full.is_empty()));
        let person = Person { key: name.to_owned(), name: name.to_owned(), shown };
        Ok(output.item(origin, Item::Person(person))?)
    }

    fn user(&mut self, origin: &Origin, user: &Value, output: &mut Output<'_>) -> Result<(), ReadError> {
        self.person(origin, user, output)?;
        let Some(name) = user.text("username") else { return Ok(()) };
        for team in user.list("teams") {
            for channel in team.list("channels") {
                let (Some(team), Some(channel)) = (team.text("name"), channel.text("name")) else { continue };
                let room = format!("{team}/{channel}");
                if self.rooms.contains(&room) {
                    let membership =
                        Membership { room, person: name.to_owned(), at: None, change: Change::Joined };
                    output.item(origin, Item::Membership(membership))?;
                }
            }
        }
        Ok(())
    }

    fn channel(
        &mut self,
        origin: &Origin,
        channel: &Value,
        output: &mut Output<'_>,
    ) -> Result<(), ReadError> {
        let (Some(team), Some(name)) = (channel.text("team"), channel.text("name")) else {
            return Ok(output.bad(origin, "the field `team` is missing, or `name`")?);
        };
        let key = format!("{team}/{name}");
        let kind = if channel.text("type") == Some("O") { RoomKind::Public } else { RoomKind::Private };
        let topic = channel.text("header").or_else(|| channel.text("purpose")).map(str::to_owned);
        let room = Room { key: key.clone(), name: name.to_owned(), kind, topic, created_at: None };
        self.rooms.insert(key.clone());
        output.item(origin, Item::Room(room))?;
        if channel.whole("deleted_at").is_some_and(|at| at > 0) {
            let (by, at, name, topic) = (None, None, None, None);
            let archived = Renamed { room: key, by, at, name, topic, archived: Some(true) };
            output.item(origin, Item::Renamed(archived))?;
        }
        Ok(())
    }

    /// A conversation that its members name; answers its key.
    fn direct(
        &mut self,
        origin: &Origin,
        members: &BTreeSet<String>,
        object: &Value,
        output: &mut Output<'_>,
    ) -> Result<String, ReadError> {
        let key = format!("direct/{}", members.iter().cloned().collect::<Vec<_>>().join("/"));
        if !self.rooms.insert(key.clone()) {
            return Ok(key);
        }
        let names: Vec<&String> = members.iter().collect();
        let kind = match &*names {
            [] => {
                output.bad(origin, "the field `channel_members` is missing, or `members`")?;
                RoomKind::Private
            }
            [one] => RoomKind::Direct((*one).clone(), (*one).clone()),
            [one, other] => RoomKind::Direct((*one).clone(), (*other).clone()),
            _ => RoomKind::Private,
        };
        let is_group = kind == RoomKind::Private;
        let name = members.iter().cloned().collect::<Vec<_>>().join(", ");
        let topic = object.text("header").map(str::to_owned);
        output.item(origin, Item::Room(Room { key: key.clone(), name, kind, topic, created_at: None }))?;
        for person in members.iter().filter(|_| is_group) {
            let (room, person) = (key.clone(), person.clone());
            let membership = Membership { room, person, at: None, change: Change::Joined };
            output.item(origin, Item::Membership(membership))?;
        }
        Ok(key)
    }

    fn post(
        &mut self,
        origin: &Origin,
        room: &str,
        post: &Value,
        output: &mut Output<'_>,
    ) -> Result<(), ReadError> {
        let Some(root) = self.message(origin, room, post, None, output)? else { return Ok(()) };
        let mut replies: Vec<&Value> = post.list("replies").iter().collect();
        replies.sort_by_key(|reply| reply.whole("create_at"));
        for reply in replies {
            self.message(origin, room, reply, Some(&root), output)?;
        }
        Ok(())
    }

    /// Answers the id, if it is one that can be answered.
    fn message(
        &mut self,
        origin: &Origin,
        room: &str,
        post: &Value,
        reply_to: Option<&str>,
        output: &mut Output<'_>,
    ) -> Result<Option<String>, ReadError> {
        let Some(at) = post.whole("create_at") else {
            output.bad(origin, "the field `create_at` is missing")?;
            return Ok(None);
        };
        let Some(user) = post.text("user") else {
            output.bad(origin, "the field `user` is missing")?;
            return Ok(None);
        };
        if let Some(kind) = post.text("type").filter(|kind| kind.starts_with("system_")) {
            self.system(origin, room, (kind, user, at), post, output)?;
            return Ok(None);
        }
        let props = post.get("props").cloned().unwrap_or_default();
        // A hook speaks in the name of whoever made it.
        let author = match props.text("override_username") {
            Some(called) => {
                let (key, shown) = (format!("bot:{called}"), format!("{called} (bot)"));
                let person = Person { key: key.clone(), name: shown.clone(), shown: Some(shown) };
                output.item(origin, Item::Person(person))?;
                key
            }
            None => user.to_owned(),
        };
        let words = post.get("message").and_then(Value::as_str).unwrap_or_default();
        let mut text = self.text(words);
        let beside = crate::slack::beside(&props, false);
        if !beside.is_blank() {
            if !text.is_blank() {
                text.words("\n");
            }
            text.append(beside);
        }
        let file = |file: &Value| {
            let path = file.text("path").unwrap_or("file");
            path.rsplit(['/', '\\']).next().unwrap_or(path).to_owned()
        };
        let files: Vec<String> = post.list("attachments").iter().map(file).collect();
        if text.is_blank() && files.is_empty() {
            output.lose(Loss::WordlessMessages, 1);
            return Ok(None);
        }
        let same = format!("{room}\0{user}\0{words}\0{}", reply_to.unwrap_or_default());
        let (since, ordinal) = self.equals.entry(made_id(&same)).or_insert((at, 0));
        *ordinal = if *since == at { *ordinal + 1 } else { 1 };
        *since = at;
        let id = made_id(&format!("{same}\0{at}\0{ordinal}"));
        let reply_to = reply_to.map(str::to_owned);
        let (key, target) = (room.to_owned(), id.clone());
        let message = Message { room: key.clone(), id, author, at, text, reply_to, files };
        output.item(origin, Item::Message(message))?;
        if self.equals.len() > EQUALS_MAX {
            self.equals.clear();
        }
        if let Some(at) = post.whole("edit_at").filter(|at| *at > 0) {
            output.lose(Loss::EarlierWords, 1);
            let edit = Edit { room: key.clone(), target: target.clone(), at, text: None, files: Vec::new() };
            output.item(origin, Item::Edit(edit))?;
        }
        output.lose(Loss::PinsAndStars, u64::from(post.is("is_pinned")));
        output.lose(Loss::PinsAndStars, post.list("flagged_by").len() as u64);
        for reaction in post.list("reactions") {
            let Some(person) = reaction.text("user") else {
                output.lose(Loss::ReactionsOfUnknownPeople, 1);
                continue;
            };
            let Some(sign) = emoji::sign(reaction.text("emoji_name").unwrap_or_default()) else {
                output.lose(Loss::ReactionsWithCustomEmoji, 1);
                continue;
            };
            let reaction = Reaction {
                room: key.clone(),
                target: target.clone(),
                person: person.to_owned(),
                emoji: sign,
                at: reaction.whole("create_at"),
            };
            output.item(origin, Item::Reaction(reaction))?;
        }
        Ok(Some(target))
    }

    fn system(
        &self,
        origin: &Origin,
        room: &str,
        (kind, user, at): (&str, &str, UnixMs),
        post: &Value,
        output: &mut Output<'_>,
    ) -> Result<(), ReadError> {
        let props = post.get("props").cloned().unwrap_or_default();
        let (person, change) = match kind {
            "system_join_channel" => (Some(user), Change::Joined),
            "system_leave_channel" => (Some(user), Change::Left),
            "system_add_to_channel" => (props.text("addedUsername"), Change::Joined),
            "system_remove_from_channel" => {
                (props.text("removedUsername"), Change::Removed { by: user.to_owned() })
            }
            _ => (None, Change::Joined),
        };
        match person {
            Some(person) => {
                let (room, person) = (room.to_owned(), person.to_owned());
                let membership = Membership { room, person, at: Some(at), change };
                output.item(origin, Item::Membership(membership))?;
            }
            None => output.lose(Loss::SystemLines, 1),
        }
        Ok(())
    }

    /// Its Markdown is near to Milena's; names and emoji are put in.
    fn text(&self, words: &str) -> Text {
        at_names(&emoji::in_text(words), |name| match name {
            "channel" | "all" | "here" => Some(Piece::Everyone),
            name if self.people.contains(name) => Some(Piece::Person(name.to_owned())),
            _ => None,
        })
    }
}

/// Moments and texts that are remembered to tell equals apart.
const EQUALS_MAX: usize = 1_000_000;

fn members(object: &Value, field: &str) -> BTreeSet<String> {
    object.list(field).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Finds `@names` outside of code.
pub(crate) fn at_names(words: &str, piece_of: impl Fn(&str) -> Option<Piece>) -> Text {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let mut text = Text::default();
    let mut in_code = false;
    for (number, part) in words.split('`').enumerate() {
        if number > 0 {
            text.words("`");
            in_code = !in_code;
        }
        let mut rest = part;
        while let (false, Some(start)) = (in_code, rest.find('@')) {
            let (before, after) = rest.split_at(start);
            text.words(before);
            let length = after[1..].find(|c| !is_name(c)).unwrap_or(after.len() - 1);
            // A dot at the end belongs to the sentence.
            let name = after[1..1 + length].trim_end_matches(['.', '-']);
            let is_apart = !before.ends_with(|c: char| c.is_alphanumeric());
            match piece_of(name).filter(|_| is_apart && !name.is_empty()) {
                Some(piece) => {
                    text.push(piece);
                    rest = &after[1 + name.len()..];
                }
                None => {
                    text.words("@");
                    rest = &after[1..];
                }
            }
        }
        text.words(rest);
    }
    text
}
