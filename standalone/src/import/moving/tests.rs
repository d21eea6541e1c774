//! What items become as lines, without an export and without a server.

use milena_import::{
    Change, Edit, Item, Membership, Message, Origin, Person, Reaction, Room, RoomKind, Text,
};

use super::mapper::Mapper;
use super::names::NamesFile;
use crate::import::event::RoomEvent;
use crate::import::line::{ImportLine, Place, What};

fn lines(items: Vec<Item>) -> (Vec<ImportLine>, super::Counts) {
    let mut mapper = Mapper::new(NamesFile::default());
    let origin = Origin::entry(&"x.json".into(), 1);
    items.into_iter().for_each(|item| mapper.item(origin.clone(), item));
    mapper.finish();
    let chunk = mapper.take_chunk();
    let lines = chunk.lines.into_iter().map(|line| line.map_err(|(_, problem)| problem.to_string()).unwrap());
    (lines.collect(), mapper.finished().2)
}

fn room(key: &str, kind: RoomKind) -> Item {
    let (key, name) = (key.to_owned(), key.to_owned());
    Item::Room(Room { key, name, kind, topic: None, created_at: None })
}

fn person(key: &str, name: &str) -> Item {
    Item::Person(Person { key: key.to_owned(), name: name.to_owned(), shown: None })
}

fn said(room: &str, id: &str, author: &str, text: &str, reply_to: Option<&str>) -> Item {
    Item::Message(Message {
        room: room.to_owned(),
        id: id.to_owned(),
        author: author.to_owned(),
        at: 5,
        text: Text::plain(text),
        reply_to: reply_to.map(str::to_owned),
        files: Vec::new(),
    })
}

fn is_in(room: &str, person: &str) -> Item {
    let (room, person) = (room.to_owned(), person.to_owned());
    Item::Membership(Membership { room, person, at: None, change: Change::Joined })
}

#[test]
fn who_is_in_a_room_now_is_told_at_its_end() {
    let (lines, counts) = lines(vec![
        person("U1", "ann"),
        person("U2", "bob"),
        person("U3", "eve"),
        room("secret", RoomKind::Private),
        is_in("secret", "U1"),
        is_in("secret", "U3"),
        said("secret", "1", "U1", "hi", None),
        said("secret", "2", "U2", "bye", None),
    ]);
    let told: Vec<_> = lines.iter().map(|line| (&*line.from, &line.what, line.is_undated)).collect();
    assert!(matches!(told[0], (_, What::Created(_), _)), "{told:?}");
    assert!(matches!(told[3], ("eve", What::Happened(RoomEvent::Joined), true)), "{told:?}");
    assert!(
        matches!(told[4], ("bob", What::Happened(RoomEvent::Left), true)),
        "who wrote and is gone: {told:?}"
    );
    assert_eq!((lines.len(), counts.private, counts.memberships), (5, 1, 2));
    assert!(lines.iter().all(|line| line.place == Place::Room("secret".to_owned())));
}

#[test]
fn between_two_people_only_they_speak() {
    let (lines, counts) = lines(vec![
        person("U1", "ann"),
        person("U2", "bob"),
        room("D1", RoomKind::Direct("U1".to_owned(), "U2".to_owned())),
        said("D1", "1", "U1", "hi", None),
        said("D1", "2", "U2", "yes?", Some("1")),
        said("D1", "3", "B1", "a bot", None),
        said("D1", "4", "U1", "what?", Some("99")),
    ]);
    let told: Vec<_> = lines.iter().map(|line| (&*line.from, line.place.clone())).collect();
    let to = |name: &str| Place::To(name.to_owned());
    assert_eq!(told, [("ann", to("bob")), ("bob", to("ann")), ("ann", to("bob"))]);
    let What::Said(answer) = &lines[1].what else { panic!("{lines:?}") };
    assert_eq!(answer.reply_to.as_ref().map(|aim| (&*aim.id, &*aim.from)), Some(("1", "ann")));
    assert_eq!((counts.strangers, counts.orphans, counts.replies), (1, 1, 1));
}

#[test]
fn edits_and_reactions_are_about_messages_that_were_told() {
    let reacted = |target: &str, emoji: &str| {
        let (room, target, person) = ("ops".to_owned(), target.to_owned(), "U2".to_owned());
        Item::Reaction(Reaction { room, target, person, emoji: emoji.to_owned(), at: None })
    };
    let edited = |target: &str, text: Option<&str>| {
        let (room, target) = ("ops".to_owned(), target.to_owned());
        Item::Edit(Edit { room, target, at: 9, text: text.map(Text::plain), files: Vec::new() })
    };
    let (lines, counts) = lines(vec![
        room("ops", RoomKind::Public),
        said("ops", "1", "U1", "last words", None),
        edited("1", None),
        reacted("1", "👋"),
        reacted("1", "word"),
        reacted("7", "👋"),
        said("ops", "2", "U1", &"long ".repeat(3_000), None),
        edited("2", None),
        edited("1", Some("new words")),
    ]);
    let kinds: Vec<_> = lines
        .iter()
        .map(|line| match &line.what {
            What::Created(_) => "created",
            What::Said(_) => "said",
            What::Edited { .. } => "edited",
            What::Reacted { .. } => "reacted",
            What::Happened(_) => "happened",
        })
        .collect();
    assert_eq!(kinds, ["created", "said", "edited", "reacted", "said", "said", "edited"]);
    assert_eq!(lines[5].id, "2#2");
    assert_eq!((counts.odd_reactions, counts.orphans, counts.split, counts.edits), (1, 1, 1, 2));
}
