//! One entry of a day: a message with its reactions and its last edit, or something that happened in the
//! room.

use serde_json::Value;

use super::{Names, text};
use crate::json::Fields;
use crate::moment::of_seconds;
use crate::{
    Change, Edit, Item, Loss, Membership, Message, Origin, Output, Person, Reaction, ReadError, Renamed,
    Text, emoji,
};

/// What people did, in other words than those of a message.
const SYSTEM: [&str; 26] = [
    "channel_purpose",
    "group_purpose",
    "channel_archive",
    "channel_unarchive",
    "group_archive",
    "group_unarchive",
    "channel_convert_to_private",
    "channel_convert_to_public",
    "channel_posting_permissions",
    "channel_canvas_updated",
    "bot_add",
    "bot_remove",
    "bot_enable",
    "bot_disable",
    "pinned_item",
    "unpinned_item",
    "reminder_add",
    "reminder_delete",
    "sh_room_created",
    "sh_room_shared",
    "huddle_thread",
    "app_conversation_join",
    "assistant_app_thread",
    "joiner_notification",
    "joiner_notification_for_inviter",
    "ekm_access_denied",
];

/// Reads an entry of the conversation `room`.
pub(super) fn read(
    origin: &Origin,
    room: &str,
    entry: &Value,
    names: &mut Names,
    output: &mut Output<'_>,
) -> Result<(), ReadError> {
    // Documents of Slack stand between messages in some exports.
    if entry.text("mimetype").is_some() && entry.get("ts").is_none() {
        output.lose(Loss::UnknownContents, 1);
        return Ok(());
    }
    let Some(ts) = entry.text("ts") else {
        return Ok(output.bad(origin, "the field `ts` is missing")?);
    };
    let Some(at) = of_seconds(ts) else {
        return Ok(output.bad(origin, format!("ts must be seconds such as 1767600000.000200 (got {ts:?})"))?);
    };
    let happened = |change| {
        let person = entry.text("user")?.to_owned();
        Some(Item::Membership(Membership { room: room.to_owned(), person, at: Some(at), change }))
    };
    let renamed = |name: Option<&str>, topic: Option<&str>| {
        let topic = topic.map(|topic| super::said(&text::of(topic)));
        let (room, by) = (room.to_owned(), entry.text("user").map(str::to_owned));
        let name = name.map(str::to_owned);
        Some(Item::Renamed(Renamed { room, by, at: Some(at), name, topic, archived: None }))
    };
    let item = match entry.text("subtype").unwrap_or_default() {
        "channel_join" | "group_join" => happened(Change::Joined),
        "channel_leave" | "group_leave" => happened(Change::Left),
        "channel_name" | "group_name" => renamed(entry.text("name"), None),
        "channel_topic" | "group_topic" => {
            renamed(None, Some(entry.get("topic").and_then(Value::as_str).unwrap_or_default()))
        }
        "tombstone" => {
            output.lose(Loss::WordlessMessages, 1);
            return Ok(());
        }
        system if SYSTEM.contains(&system) => None,
        // Also what no list here knows: rather too much than lost.
        subtype => return said(origin, room, (ts, at), subtype, entry, names, output),
    };
    match item {
        Some(item) => output.item(origin, item)?,
        None => output.lose(Loss::SystemLines, 1),
    }
    Ok(())
}

fn said(
    origin: &Origin,
    room: &str,
    (ts, at): (&str, i64),
    subtype: &str,
    entry: &Value,
    names: &mut Names,
    output: &mut Output<'_>,
) -> Result<(), ReadError> {
    let Some(author) = author(origin, entry, names, output)? else {
        return Ok(output.bad(origin, "the field `user` is missing, and `bot_id` and `username` too")?);
    };
    let mut words = text::of(entry.get("text").and_then(Value::as_str).unwrap_or_default());
    let more = text::beside(entry, words.is_blank());
    if !more.is_blank() {
        if !words.is_blank() {
            words.words("\n");
        }
        words.append(more);
    }
    if subtype == "me_message" {
        let mut me = Text::plain("/me ");
        me.append(words);
        words = me;
    }
    let one = entry.get("file");
    let files: Vec<String> = entry.list("files").iter().chain(one).map(file_name).collect();
    if words.is_blank() && files.is_empty() {
        output.lose(Loss::WordlessMessages, 1);
        return Ok(());
    }
    let reply_to = entry.text("thread_ts").filter(|root| *root != ts).map(str::to_owned);
    let message =
        Message { room: room.to_owned(), id: ts.to_owned(), author, at, text: words, reply_to, files };
    output.item(origin, Item::Message(message))?;
    if let Some(edited) = entry.get("edited").and_then(|edited| edited.text("ts")).and_then(of_seconds) {
        output.lose(Loss::EarlierWords, 1);
        let edit =
            Edit { room: room.to_owned(), target: ts.to_owned(), at: edited, text: None, files: Vec::new() };
        output.item(origin, Item::Edit(edit))?;
    }
    if entry.list("pinned_to").iter().next().is_some() || entry.is("is_starred") {
        output.lose(Loss::PinsAndStars, 1);
    }
    reactions(origin, room, ts, entry, output)
}

fn reactions(
    origin: &Origin,
    room: &str,
    ts: &str,
    entry: &Value,
    output: &mut Output<'_>,
) -> Result<(), ReadError> {
    // The same sign in another tone is the same sign here.
    let mut put = Vec::new();
    for reaction in entry.list("reactions") {
        let name = reaction.text("name").unwrap_or_default();
        let users: Vec<&str> = reaction.list("users").iter().filter_map(Value::as_str).collect();
        let count = reaction.whole("count").unwrap_or_default().max(0).unsigned_abs();
        output.lose(Loss::ReactionsOfUnknownPeople, count.saturating_sub(users.len() as u64));
        let Some(sign) = emoji::sign(name) else {
            output.lose(Loss::ReactionsWithCustomEmoji, users.len() as u64);
            continue;
        };
        for user in users {
            if put.contains(&(user, sign.clone())) {
                continue;
            }
            put.push((user, sign.clone()));
            let reaction = Reaction {
                room: room.to_owned(),
                target: ts.to_owned(),
                person: user.to_owned(),
                emoji: sign.clone(),
                at: None,
            };
            output.item(origin, Item::Reaction(reaction))?;
        }
    }
    Ok(())
}

/// Who said it: a person, a bot under its own name, or whoever sent a file.
fn author(
    origin: &Origin,
    entry: &Value,
    names: &mut Names,
    output: &mut Output<'_>,
) -> Result<Option<String>, ReadError> {
    let of = |field: &str| entry.get(field).and_then(|inner| inner.text("user"));
    let person = entry.text("user").or_else(|| of("comment")).or_else(|| of("file"));
    if let Some(person) = person {
        if let Some(profile) = entry.get("user_profile") {
            // Whoever is not in the lists of people: of a shared channel, or long gone.
            let shown = profile.text("display_name").or_else(|| profile.text("real_name"));
            let name = profile.text("name").or(shown).unwrap_or(person);
            let (key, name) = (person.to_owned(), name.to_owned());
            let person = Person { key, name, shown: shown.map(str::to_owned) };
            names.tell(origin, person, output)?;
        }
        return Ok(Some(person.to_owned()));
    }
    let bot = entry.text("bot_id");
    if let Some(user) = bot.and_then(|bot| names.bots.get(bot)) {
        return Ok(Some(user.clone()));
    }
    let called = entry.text("username").or_else(|| entry.get("bot_profile").and_then(|bot| bot.text("name")));
    let Some(called) = called.or(bot) else { return Ok(None) };
    // Bots call themselves as they like, also as people are called.
    let key = format!("bot:{}:{called}", bot.unwrap_or_default());
    let shown = format!("{called} (bot)");
    names.tell(origin, Person { key: key.clone(), name: shown.clone(), shown: Some(shown) }, output)?;
    Ok(Some(key))
}

fn file_name(file: &Value) -> String {
    let name = file.text("name").or_else(|| file.text("title"));
    name.or_else(|| file.text("id")).unwrap_or("file").to_owned()
}
