//! A stream as text, a line each, so that a whole export is compared at once.

use std::fmt::Write as _;
use std::path::Path;

use milena_import::{Change, Format, Found, Item, Options, Piece, RoomKind, Text, read};

/// What a reader tells of an export, and what it lost; or why it stopped.
pub(crate) fn told(format: Format, path: &Path, options: &Options) -> String {
    let mut text = String::new();
    let outcome = read(format, path, options, &mut |found| {
        match found {
            Found::Item(origin, item) => writeln!(text, "{origin} | {}", of_item(&item)).unwrap(),
            Found::Bad(origin, problem) => writeln!(text, "{origin} | bad: {problem}").unwrap(),
            Found::Note(note) => writeln!(text, "note: {note}").unwrap(),
        }
        Ok(())
    });
    match outcome {
        Ok(losses) => {
            losses.iter().for_each(|(loss, count)| writeln!(text, "lost: {count} {loss:?}").unwrap());
        }
        Err(error) => writeln!(text, "stopped: {error}").unwrap(),
    }
    text
}

fn of_item(item: &Item) -> String {
    match item {
        Item::Person(person) => format!("person {} {:?} shown {:?}", person.key, person.name, person.shown),
        Item::Room(room) => {
            let kind = match &room.kind {
                RoomKind::Public => "public".to_owned(),
                RoomKind::Private => "private".to_owned(),
                RoomKind::Direct(one, other) => format!("direct {one} {other}"),
            };
            format!(
                "room {} {:?} {kind} about {:?} since {:?}",
                room.key, room.name, room.topic, room.created_at
            )
        }
        Item::Membership(membership) => {
            let change = match &membership.change {
                Change::Joined => "joined".to_owned(),
                Change::Left => "left".to_owned(),
                Change::Removed { by } => format!("removed by {by}"),
            };
            format!("{} {change} {} at {:?}", membership.person, membership.room, membership.at)
        }
        Item::Renamed(renamed) => format!(
            "{} called {:?} about {:?} archived {:?} by {:?} at {:?}",
            renamed.room, renamed.name, renamed.topic, renamed.archived, renamed.by, renamed.at
        ),
        Item::Message(message) => {
            let answers = message.reply_to.as_ref().map(|to| format!(" answers {to}")).unwrap_or_default();
            let files =
                if message.files.is_empty() { String::new() } else { format!(" {:?}", message.files) };
            format!(
                "{} {} by {} at {}{answers}: {:?}{files}",
                message.room,
                message.id,
                message.author,
                message.at,
                of_text(&message.text)
            )
        }
        Item::Edit(edit) => {
            let text = edit.text.as_ref().map(of_text);
            let files = if edit.files.is_empty() { String::new() } else { format!(" {:?}", edit.files) };
            format!("{} {} edited at {}: {text:?}{files}", edit.room, edit.target, edit.at)
        }
        Item::Reaction(reaction) => format!(
            "{} {} reacted {} by {} at {:?}",
            reaction.room, reaction.target, reaction.emoji, reaction.person, reaction.at
        ),
    }
}

fn of_text(text: &Text) -> String {
    let pieces = text.0.iter().map(|piece| match piece {
        Piece::Words(words) => words.clone(),
        Piece::Person(key) => format!("«{key}»"),
        Piece::Room(key) => format!("«#{key}»"),
        Piece::Everyone => "«everyone»".to_owned(),
    });
    pieces.collect()
}
