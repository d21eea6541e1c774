//! A Slack export: a zip (or what it was unpacked to) of lists of people and conversations, and a folder a
//! conversation with a file a day.
//!
//! Source of the form: Slack's help on exports, the exporter `slackdump`, and the importers of Mattermost
//! (`mmetl`) and Zulip. Every field may be absent. An id of a message (`ts`) is unique within its
//! conversation.

mod entry;
mod text;

pub(crate) use text::beside;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

use crate::archive::Archive;
use crate::json::{Fields, Step, each, stop, whole};
use crate::{Change, Item, Membership, Origin, Output, Person, ReadError, Renamed, Room, RoomKind};

/// Before 2013 other things stand in `created`.
const FIRST_CREATED_S: i64 = 1_356_998_400;

/// The lists of conversations.
const LISTS: [(&str, Kind); 4] = [
    ("channels.json", Kind::Public),
    ("groups.json", Kind::Private),
    ("mpims.json", Kind::Group),
    ("dms.json", Kind::Direct),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Public,
    Private,
    Group,
    Direct,
}

/// A conversation and where its days are.
struct Conversation {
    id: String,
    folder: String,
    members: Vec<String>,
    is_archived: bool,
    is_direct: bool,
}

/// Reads the export.
pub(crate) fn read(archive: &mut Archive, output: &mut Output<'_>) -> Result<(), ReadError> {
    let mut roots: Vec<String> =
        archive.names().filter_map(|name| name.strip_suffix("channels.json").map(str::to_owned)).collect();
    roots.retain(|root| root.is_empty() || root.ends_with('/'));
    roots.sort_unstable_by_key(String::len);
    if roots.is_empty() {
        return Err(ReadError::Missing { archive: archive.shown(), missing: "channels.json" });
    }
    let mut names = Names::default();
    for root in &roots {
        people(archive, root, &mut names, output)?;
    }
    for root in &roots {
        for conversation in conversations(archive, root, output)? {
            days(archive, root, &conversation, &mut names, output)?;
            settle(&conversation, output)?;
        }
    }
    Ok(())
}

/// Whom the export has told of.
#[derive(Default)]
pub(super) struct Names {
    people: HashSet<String>,
    /// Bots have two ids: `profile.bot_id` → the user's.
    bots: HashMap<String, String>,
}

impl Names {
    fn tell(&mut self, origin: &Origin, person: Person, output: &mut Output<'_>) -> Result<(), ReadError> {
        if self.people.insert(person.key.clone()) {
            output.item(origin, Item::Person(person))?;
        }
        Ok(())
    }
}

fn people(
    archive: &mut Archive,
    root: &str,
    names: &mut Names,
    output: &mut Output<'_>,
) -> Result<(), ReadError> {
    for list in ["users.json", "org_users.json"] {
        let file = format!("{root}{list}");
        if !archive.has(&file) {
            continue;
        }
        let shown: Arc<str> = file.as_str().into();
        each(&file, archive.open_file(&file)?, &[&[Step::Each]], |_, number, _, user| {
            let origin = Origin::entry(&shown, number);
            let Some(id) = user.id("id") else {
                return output.bad(&origin, "the field `id` is missing").map_err(stop);
            };
            let profile = user.get("profile").cloned().unwrap_or_default();
            if let Some(bot) = profile.text("bot_id") {
                names.bots.insert(bot.to_owned(), id.clone());
            }
            let display = [profile.text("display_name"), profile.text("real_name"), user.text("real_name")];
            let shown = display.into_iter().flatten().next().map(str::to_owned);
            let name = user.text("name").map(str::to_owned).or_else(|| shown.clone());
            let name = name.unwrap_or_else(|| id.clone());
            names.tell(&origin, Person { key: id, name, shown }, output)
        })?;
    }
    Ok(())
}

fn conversations(
    archive: &mut Archive,
    root: &str,
    output: &mut Output<'_>,
) -> Result<Vec<Conversation>, ReadError> {
    let mut found = Vec::new();
    for (list, kind) in LISTS {
        let file = format!("{root}{list}");
        if !archive.has(&file) {
            continue;
        }
        let Value::Array(entries) = whole(&file, archive.open_file(&file)?)? else {
            return Err(ReadError::form(file, "a list of conversations is expected"));
        };
        let shown: Arc<str> = file.as_str().into();
        for (number, entry) in (1..).zip(entries) {
            let origin = Origin::entry(&shown, number);
            let Some(id) = entry.id("id") else {
                output.bad(&origin, "the field `id` is missing")?;
                continue;
            };
            let members: Vec<String> =
                entry.list("members").iter().filter_map(Value::as_str).map(str::to_owned).collect();
            let mut kind = kind;
            if kind == Kind::Public && entry.is("is_private") {
                kind = Kind::Private;
            }
            let two = match &*members {
                [one, other] => Some((one.clone(), other.clone())),
                [one] => Some((one.clone(), one.clone())),
                _ => None,
            };
            let room_kind = match (kind, two) {
                (Kind::Public, _) => RoomKind::Public,
                (Kind::Direct, Some((one, other))) => RoomKind::Direct(one, other),
                _ => RoomKind::Private,
            };
            let name = entry.text("name").map_or_else(|| id.clone(), str::to_owned);
            let is_direct = matches!(room_kind, RoomKind::Direct(..));
            let value = |field: &str| entry.get(field).and_then(|field| field.text("value"));
            let room = Room {
                key: id.clone(),
                name: name.clone(),
                kind: room_kind,
                topic: value("topic").or_else(|| value("purpose")).map(|topic| said(&text::of(topic))),
                created_at: entry.whole("created").filter(|s| *s >= FIRST_CREATED_S).map(|s| s * 1_000),
            };
            output.item(&origin, Item::Room(room))?;
            let folders = [format!("{root}{name}/"), format!("{root}{id}/")];
            let has_days = |folder: &&String| archive.within(folder).next().is_some();
            let folder = folders.iter().find(has_days).unwrap_or(&folders[0]).clone();
            found.push(Conversation { id, folder, members, is_archived: entry.is("is_archived"), is_direct });
        }
    }
    Ok(found)
}

/// A text without names, for a topic.
fn said(text: &crate::Text) -> String {
    let words = text.0.iter().map(|piece| match piece {
        crate::Piece::Words(words) => words.as_str(),
        _ => "",
    });
    words.collect()
}

fn days(
    archive: &mut Archive,
    root: &str,
    conversation: &Conversation,
    names: &mut Names,
    output: &mut Output<'_>,
) -> Result<(), ReadError> {
    let Conversation { id, folder, .. } = conversation;
    let is_day = |name: &&str| {
        let day = &name[folder.len()..];
        day.ends_with(".json") && !day.contains('/')
    };
    // By name they are by time.
    let days: Vec<String> = archive.within(folder).filter(is_day).map(str::to_owned).collect();
    for file in days {
        let shown: Arc<str> = file.strip_prefix(root).unwrap_or(&file).into();
        each(&file, archive.open_file(&file)?, &[&[Step::Each]], |_, number, _, entry| {
            entry::read(&Origin::entry(&shown, number), id, &entry, names, output)
        })?;
    }
    Ok(())
}

/// What the lists say of the room as it is now.
fn settle(conversation: &Conversation, output: &mut Output<'_>) -> Result<(), ReadError> {
    let Conversation { id, members, is_archived, is_direct, folder } = conversation;
    if *is_direct {
        return Ok(());
    }
    let shown: Arc<str> = format!("{} (members)", folder.trim_end_matches('/')).into();
    for (number, person) in (1..).zip(members) {
        let membership =
            Membership { room: id.clone(), person: person.clone(), at: None, change: Change::Joined };
        output.item(&Origin::entry(&shown, number), Item::Membership(membership))?;
    }
    if *is_archived {
        let archived =
            Renamed { room: id.clone(), by: None, at: None, name: None, topic: None, archived: Some(true) };
        output.item(&Origin::entry(&shown, 1), Item::Renamed(archived))?;
    }
    Ok(())
}

/// Whether the names are those of a Slack export.
pub(crate) fn is_one(archive: &Archive) -> bool {
    archive.names().any(|name| name == "channels.json" || name.ends_with("/channels.json"))
}
