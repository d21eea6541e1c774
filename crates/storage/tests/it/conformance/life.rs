//! What became of messages: told for a page in one go, and for whoever judges changes.

use std::collections::BTreeMap;

use milena_domain::record::{Action, Emoji, Message, Reason, Role};
use milena_domain::{Body, Position};
use milena_storage::{NAMED_OF_REACTION, REACTIONS_TOLD, StoredLife};

use crate::database::TestDatabase;
use crate::letters::{TOPIC, user};
use crate::rooms::{Log, created, seat};

fn emoji(text: &str) -> Emoji {
    Emoji::new(text).unwrap()
}

pub(super) async fn what_became_of_messages_is_told_for_a_page(database: &TestDatabase) {
    let store = database.store().await;
    let mut log = Log::default();
    let members = (2..10).map(|number| seat(number, Role::Member)).collect();
    let room = log.create(1, milena_domain::record::Created { members, ..created("letters") });
    let plain = log.say(room, 1, "plain");
    let loved = log.say(room, 2, "loved");
    let gone = log.say(room, 3, "gone");
    let (up, heart) = (emoji("👍"), emoji("❤️"));
    let mut put = Vec::new();
    for number in 1..10 {
        log.act(room, number, Action::Reacted { target: loved, emoji: up.clone(), on: true });
        put.push((user(number), log.pending().last().unwrap().position));
    }
    log.act(room, 4, Action::Reacted { target: loved, emoji: heart.clone(), on: true });
    let hearted = log.pending().last().unwrap().position;
    log.act(room, 1, Action::Reacted { target: loved, emoji: up.clone(), on: false });
    put.remove(0);
    let body = Body::new("loved by all").unwrap();
    log.act(room, 2, Action::Edited { target: loved, body: body.clone(), mentions: vec![user(4)] });
    let edited = log.pending().last().unwrap().position;
    log.act(room, 5, Action::Pinned { target: loved, on: true });
    let pinned = log.pending().last().unwrap().position;
    log.act(room, 6, Action::Reacted { target: gone, emoji: up.clone(), on: true });
    let reason = Some(Reason::new("off topic").unwrap());
    log.act(room, 1, Action::Deleted { target: gone, reason });
    let deleted = log.pending().last().unwrap().position;
    let end = log.pending().len() as i64;
    log.write(&store).await;

    let places = [gone.position, plain.position, loved.position];
    let now = store.messages_now(room, &places, &[user(9), user(1)]).await.unwrap();
    assert_eq!(
        now.iter().map(|now| now.placed.position).collect::<Vec<_>>(),
        [plain.position, loved.position, gone.position]
    );
    assert_eq!(now[0].life, None);
    let words = Message { mentions: vec![user(4)], ..Message::plain(body) };
    assert_eq!(now[1].placed.event.action, Action::Message(words));
    let life = now[1].life.as_ref().unwrap();
    assert_eq!((life.changed, life.edited, life.pinned), (pinned, Some(edited), Some(pinned)));
    let [ups, hearts] = &life.reactions[..] else { panic!("{life:?}") };
    assert_eq!((ups.emoji.as_str(), ups.count, &ups.first[..]), ("👍", 8, &put[..NAMED_OF_REACTION]));
    assert_eq!(ups.asked, [put[7]], "whoever was asked for, whatever their place; not who took it back");
    assert_eq!((hearts.emoji.as_str(), hearts.count), ("❤️", 1));
    assert_eq!(hearts.first, [(user(4), hearted)]);
    assert!(matches!(&now[2].placed.event.action, Action::Message(message) if message.body.is_deleted()));
    let nothing_else = StoredLife {
        changed: deleted,
        edited: None,
        deleted: Some((deleted, user(1), Some("off topic".to_owned()))),
        pinned: None,
        reactions: Vec::new(),
    };
    assert_eq!(now[2].life, Some(nothing_else));
    assert!(store.messages_now(room, &[], &[]).await.unwrap().is_empty());

    let (changed, more) = store.changed_after(room, Position::ZERO, 10, &[user(9)]).await.unwrap();
    assert!(!more);
    assert_eq!(
        changed.iter().map(|now| now.placed.position).collect::<Vec<_>>(),
        [loved.position, gone.position]
    );
    assert_eq!(changed[1], now[2]);
    let (first, more) = store.changed_after(room, Position::ZERO, 1, &[user(9)]).await.unwrap();
    assert_eq!((&first[..], more), (&changed[..1], true));
    let (rest, more) = store.changed_after(room, pinned, 1, &[user(9)]).await.unwrap();
    assert_eq!((&rest[..], more), (&changed[1..], false));
    assert!(store.changed_after(room, deleted, 10, &[]).await.unwrap().0.is_empty());

    // Of very many different reactions the first ones are told.
    let many = log.say(room, 1, "many");
    for number in 0..102_u32 {
        let emoji = emoji(&char::from_u32(0x1f300 + number).unwrap().to_string());
        log.act(room, 1 + u128::from(number / 17), Action::Reacted { target: many, emoji, on: true });
    }
    log.write(&store).await;
    let now = store.messages_now(room, &[many.position], &[user(6)]).await.unwrap();
    let told = &now[0].life.as_ref().unwrap().reactions;
    assert_eq!((told.len(), told[0].emoji.as_str(), told[99].asked.len()), (REACTIONS_TOLD, "🌀", 1));

    // Between two people a change is something that was missed, too.
    let (direct, said) = log.say_to(1, 2, "psst");
    log.to(2, 1, Action::Reacted { target: said, emoji: up.clone(), on: true });
    let reacted = log.pending().last().unwrap().position;
    log.write(&store).await;
    let touched = store.conversations_since(user(1), reacted, 10).await.unwrap();
    assert_eq!(
        touched.iter().map(|touched| (touched.id, touched.last_position)).collect::<Vec<_>>(),
        [(direct, reacted)]
    );

    let people = [user(4), user(1)];
    let (facts, position) = store.message_facts(TOPIC, room, loved.position, &people).await.unwrap();
    assert_eq!(position.next_offsets.values().max(), Some(&(end + 105)));
    let item = facts.item.unwrap();
    assert_eq!((item.id, item.author, item.deleted), (loved.id, user(2), None));
    assert_eq!(item.pinned, Some((pinned, true)));
    assert_eq!(facts.mine[&user(4)], BTreeMap::from([(up, put[2].1), (heart, hearted)]));
    assert!(facts.mine[&user(1)].is_empty());
    let (facts, _) = store.message_facts(TOPIC, room, gone.position, &[]).await.unwrap();
    assert_eq!(facts.item.unwrap().deleted, Some(deleted));
    let (facts, _) = store.message_facts(TOPIC, room, Position::ZERO, &people).await.unwrap();
    assert_eq!((facts.item, facts.sent_at, facts.mine.len()), (None, None, 2));
    // What was deleted is found by its id, so that nobody sends it again.
    let found = store.messages_by_id(&[gone.id, plain.id]).await.unwrap();
    let mut found: Vec<_> = found.iter().map(|found| (found.id, found.is_changed)).collect();
    found.sort_unstable_by_key(|(_, is_changed)| *is_changed);
    assert_eq!(found, [(plain.id, false), (gone.id, true)]);
}
