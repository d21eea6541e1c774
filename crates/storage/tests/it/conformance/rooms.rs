//! What a backend asks the store about rooms.

use milena_domain::record::{Action, Created, Message, Placed, Role, RoomPatch, Title, Topic};
use milena_domain::{Body, ConversationId, Epoch, MessageId, Position};
use milena_storage::{MemberCursor, Page, PositionRange, Store, StoredPlace};

use crate::database::TestDatabase;
use crate::letters::{TOPIC, at, new_user, user};
use crate::rooms::{Log, created, seat};

fn offset(offset: i64) -> Position {
    Position::new(Epoch::FIRST, offset)
}

/// The roster with who is banned and who went, and the offsets of the same moment.
pub(super) async fn a_room_is_read_whole(database: &TestDatabase) {
    let store = database.store().await;
    let mut log = Log::default();
    let members = vec![seat(2, Role::Moderator), seat(3, Role::Member), seat(4, Role::Member)];
    let room = log.create(1, Created { members, ..created("letters") });
    log.act(room, 2, Action::Banned { user: user(3) });
    log.act(room, 4, Action::Left);
    let (joined, _) = log.act(room, 5, Action::Joined);
    log.say(room, 5, "hello");
    let last = log.say(room, 5, "again").position;
    let direct = log.say_to(1, 2, "psst").0;
    log.write(&store).await;

    let (found, position) = store.room_at(TOPIC, room).await.unwrap();
    let found = found.unwrap();
    assert_eq!(position.next_offsets[&0], 7);
    assert_eq!((found.room.handle.as_str(), found.room.members, found.room.owners), ("letters", 3, 1));
    assert_eq!((found.last_seq, found.last_position, found.last_sent_at), (2, last, at(5)));
    assert_eq!(found.folded, joined);
    let mut people = found.people;
    people.sort_unstable_by_key(|(user, _)| *user);
    let facts: Vec<_> = people
        .iter()
        .map(|(user, standing)| (*user, standing.membership.map(|m| (m.role, m.from)), standing.banned))
        .collect();
    let begun = offset(0);
    assert_eq!(
        facts,
        [
            (user(1), Some((Role::Owner, begun)), false),
            (user(2), Some((Role::Moderator, begun)), false),
            (user(3), None, true),
            (user(4), None, false),
            (user(5), Some((Role::Member, joined)), false),
        ]
    );
    assert_eq!(people[3].1.changed, Some(offset(2)));
    for none in [direct, ConversationId::direct(user(8), user(9))] {
        assert_eq!(store.room_at(TOPIC, none).await.unwrap().0, None);
    }
    let (rooms, position) = store.rooms_of(TOPIC, user(4), 10).await.unwrap();
    assert_eq!((rooms, position.next_offsets[&0]), (Vec::new(), 7));
    let everybody: Vec<_> = (1..700).map(user).collect();
    let counts = store.room_counts(&everybody).await.unwrap();
    assert_eq!(counts, [1, 2, 5].map(|number| (user(number), 1)).into(), "once, whatever role came after");
    let gone = store.intervals_of(room, user(4)).await.unwrap();
    assert_eq!((gone.len(), gone[0].from, gone[0].to), (1, begun, Some(offset(2))));
}

pub(super) async fn events_of_all_kinds_are_found_by_id(database: &TestDatabase) {
    let store = database.store().await;
    let mut log = Log::default();
    let room = log.create(1, created("letters"));
    let target = log.say(room, 1, "hello");
    let (joined_at, joined) = log.act(room, 2, Action::Joined);
    let emoji = milena_domain::record::Emoji::new("🔑").unwrap();
    let (reacted_at, reacted) = log.act(room, 2, Action::Reacted { target, emoji, on: true });
    let said_by_reaction = log.pending().last().unwrap().event.digest();
    let (_, void) = log.act(room, 9, Action::Left);
    let direct = log.say_to(1, 2, "psst").0;
    let (blocked_at, blocked) = log.to(2, 1, Action::Blocked { on: true });
    let said_by_block = log.pending().last().unwrap().event.digest();
    assert_ne!(said_by_block, said_by_reaction);
    log.say_to(3, 4, "hi");
    let (unblocked_at, _) = log.to(3, 4, Action::Blocked { on: true });
    let (_, _) = log.to(3, 4, Action::Blocked { on: false });
    log.write(&store).await;

    let stranger = MessageId::from_uuid(uuid::Uuid::from_u128(99));
    let mut found = store.events_by_id(&[target.id, joined, reacted, void, blocked, stranger]).await.unwrap();
    found.sort_unstable_by_key(|place| place.position);
    let place = |id, conversation, position, kind: Option<&str>, digest| StoredPlace {
        id,
        conversation,
        position,
        kind: kind.map(str::to_owned),
        digest,
    };
    assert_eq!(
        found,
        [
            place(target.id, room, target.position, Some("message"), None),
            place(joined, room, joined_at, Some("joined"), None),
            place(reacted, room, reacted_at, None, Some(said_by_reaction)),
            place(blocked, direct, blocked_at, None, Some(said_by_block)),
        ]
    );
    assert!(store.events_by_id(&[]).await.unwrap().is_empty());
    // Of a room since some place: what changed something there, too, and nothing of others.
    let since = |first| store.ids_since(room, first);
    let all = [(target.id, target.position), (joined, joined_at), (reacted, reacted_at)];
    assert_eq!(since(target.position).await.unwrap(), all);
    assert_eq!(since(reacted_at).await.unwrap(), all[2..]);

    let blocks = store.blocks(TOPIC, 10).await.unwrap();
    assert_eq!((blocks.blocks, blocks.is_complete), (vec![(direct, user(2), blocked_at)], true));
    assert_eq!(blocks.log.next_offsets[&0], unblocked_at.offset() + 2);
    let none = store.blocks(TOPIC, 0).await.unwrap();
    assert!(none.blocks.is_empty() && !none.is_complete);
}

/// Every event as it was said, in pages that hold just what is visible and tell of nothing else.
pub(super) async fn a_timeline_is_paged_within_what_is_visible(database: &TestDatabase) {
    let store = database.store().await;
    let mut log = Log::default();
    let members = vec![seat(2, Role::Member)];
    let room =
        log.create(1, Created { members, topic: Some(Topic::new("x").unwrap()), ..created("letters") });
    let first = log.say(room, 1, "first");
    log.act(room, 1, Action::MembersAdded { users: vec![user(3), user(4)] });
    let reply = Message {
        reply_to: Some(first),
        mentions: vec![user(1)],
        everyone: true,
        ..Message::plain(Body::new("reply").unwrap())
    };
    log.act(room, 2, Action::Message(reply));
    log.act(room, 1, Action::Pinned { target: first, on: true });
    let title = Some(Title::new("New title").unwrap());
    log.act(room, 1, Action::RoomChanged(RoomPatch { title, ..RoomPatch::default() }));
    log.act(room, 1, Action::Banned { user: user(4) });
    log.act(room, 1, Action::Unbanned { user: user(4) });
    log.act(room, 1, Action::RoleChanged { user: user(3), role: Role::Moderator });
    log.act(room, 3, Action::Removed { user: user(2) });
    log.act(room, 2, Action::Joined);
    log.act(room, 2, Action::Left);
    let shown: Vec<Placed> = log.pending().to_vec();
    let gone = log.say(room, 1, "gone");
    log.act(room, 1, Action::Deleted { target: gone, reason: None });
    let edited = log.say(room, 1, "before");
    let body = Body::new("after").unwrap();
    log.act(room, 1, Action::Edited { target: edited, body: body.clone(), mentions: vec![user(3)] });
    let (direct, _) = log.say_to(1, 2, "psst");
    log.write(&store).await;

    let as_stored = |placed: &Placed| {
        let mut placed = placed.clone();
        placed.event.seen = None;
        placed
    };
    let mut expected: Vec<Placed> = shown.iter().map(as_stored).collect();
    let all = [PositionRange::ALL];
    let page = store.timeline(room, Page::Latest, 100, &all).await.unwrap();
    let last = page.events.last().unwrap().clone();
    let words = Message { mentions: vec![user(3)], ..Message::plain(body) };
    assert_eq!((last.position, &last.event.action), (edited.position, &Action::Message(words)));
    // Of what was deleted its place is left.
    let mut placeholder = page.events[page.events.len() - 2].clone();
    assert_eq!((placeholder.position, placeholder.event.id), (gone.position, gone.id));
    assert_eq!(placeholder.event.action, Action::Message(Message::plain(Body::deleted())));
    placeholder.event.seen = None;
    assert_eq!(page.changed, [first.position, gone.position, edited.position]);
    expected.extend([placeholder, last]);
    assert_eq!((&page.events, page.has_before, page.has_after), (&expected, false, false));
    let whispered = store.timeline(direct, Page::Latest, 1, &all).await.unwrap().events;
    assert_eq!(whispered[0].event.to, Some(user(2)));

    // Three stretches, of which two touch; and more than a statement takes.
    let range = |from, to: Option<i64>| PositionRange { from: offset(from), to: to.map(offset) };
    let few = vec![range(9, None), range(1, Some(3)), range(3, Some(4))];
    let many: Vec<_> = (0..40).map(|number| range(2 * number, Some(2 * number))).collect();
    for visible in [few, many, all.to_vec(), Vec::new()] {
        let sees = |placed: &&Placed| {
            visible
                .iter()
                .any(|range| range.from <= placed.position && range.to.is_none_or(|to| placed.position <= to))
        };
        let seen: Vec<Placed> = expected.iter().filter(sees).cloned().collect();
        let texts: Vec<Placed> = seen.iter().filter(|placed| has_words(placed)).cloned().collect();
        check_pages(&store, room, &visible, &seen, false).await;
        check_pages(&store, room, &visible, &texts, true).await;
    }
}

fn has_words(placed: &Placed) -> bool {
    matches!(&placed.event.action, Action::Message(message) if !message.body.is_deleted())
}

/// Page by page from either end and around each place, all of `seen`, and where there is more.
async fn check_pages(
    store: &Store,
    room: ConversationId,
    visible: &[PositionRange],
    seen: &[Placed],
    only_messages: bool,
) {
    let ask = async |page, limit| {
        let answer = if only_messages {
            store.messages_within(room, page, limit, visible).await
        } else {
            store.timeline(room, page, limit, visible).await
        };
        answer.unwrap()
    };
    for limit in [1, 3, 50] {
        for at in 0..=20 {
            let (older, newer): (Vec<&Placed>, Vec<&Placed>) =
                seen.iter().partition(|placed| placed.position < offset(at));
            let page = ask(Page::Before(offset(at)), limit).await;
            let start = older.len().saturating_sub(limit);
            assert_eq!(page.events.iter().collect::<Vec<_>>(), older[start..], "before {at}");
            assert_eq!((page.has_before, page.has_after), (start > 0, !newer.is_empty()), "before {at}");
            let (up_to, after): (Vec<&Placed>, Vec<&Placed>) =
                seen.iter().partition(|placed| placed.position <= offset(at));
            let page = ask(Page::After(offset(at)), limit).await;
            let end = after.len().min(limit);
            assert_eq!(page.events.iter().collect::<Vec<_>>(), after[..end], "after {at}");
            let more = (!up_to.is_empty(), end < after.len());
            assert_eq!((page.has_before, page.has_after), more, "after {at}");
            let page = ask(Page::Around(offset(at)), limit).await;
            assert_eq!(page.events.len(), limit.min(seen.len()), "around {at}");
            let begin = page.events.first().map_or(0, |first| older.len().min(place(seen, first)));
            assert_eq!(page.events, seen[begin..begin + page.events.len()], "around {at}");
            let more = (begin > 0, begin + page.events.len() < seen.len());
            assert_eq!((page.has_before, page.has_after), more, "around {at}");
        }
        let page = ask(Page::Latest, limit).await;
        assert_eq!(page.events, seen[seen.len().saturating_sub(limit)..]);
        assert_eq!((page.has_before, page.has_after), (seen.len() > limit, false));
    }
}

fn place(seen: &[Placed], of: &Placed) -> usize {
    seen.iter().position(|placed| placed == of).unwrap()
}

pub(super) async fn members_are_listed_by_role_and_name(database: &TestDatabase) {
    let store = database.store().await;
    for (number, username, name) in [
        (1, "zoe", "Zoë Adams"),
        (2, "ben", "Ben"),
        (3, "anna", "Ánna Lee"),
        (4, "carl", "carl"),
        (5, "dora", "Dora Adams"),
    ] {
        store.create_user(new_user(number, username, name)).await.unwrap();
    }
    let mut log = Log::default();
    let members = [2, 3, 4, 5, 90].map(|number| seat(number, Role::Member)).to_vec();
    let room = log.create(1, Created { members, ..created("letters") });
    log.create(2, Created { members: vec![seat(4, Role::Owner)], ..created("elsewhere") });
    let (promoted, _) = log.act(room, 1, Action::RoleChanged { user: user(5), role: Role::Moderator });
    log.act(room, 1, Action::Banned { user: user(2) });
    log.act(room, 1, Action::Banned { user: user(91) });
    log.act(room, 1, Action::Banned { user: user(92) });
    log.act(room, 1, Action::Unbanned { user: user(92) });
    log.write(&store).await;

    let list = async |query: &str, after: Option<&MemberCursor>, limit| {
        let found = store.room_members(room, query, after, limit).await.unwrap();
        found.iter().map(|member| member.user).collect::<Vec<_>>()
    };
    let everybody = [1, 5, 90, 3, 4].map(user);
    assert_eq!(list("", None, 10).await, everybody);
    for limit in [1, 2] {
        let (mut paged, mut after) = (Vec::new(), None);
        loop {
            let page = store.room_members(room, "", after.as_ref(), limit).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.cursor());
            paged.extend(page.iter().map(|member| member.user));
        }
        assert_eq!(paged, everybody, "by {limit}");
    }
    let found = store.room_members(room, "", None, 3).await.unwrap();
    let facts: Vec<_> = found.iter().map(|member| (member.role, member.from)).collect();
    let begun = offset(0);
    assert_eq!(facts, [(Role::Owner, begun), (Role::Moderator, promoted), (Role::Member, begun)]);
    assert_eq!(found[1].person.as_ref().unwrap().display_name, "Dora Adams");
    assert_eq!(found[2].person, None, "the store does not know them");
    assert_eq!(list("ad", None, 10).await, [user(1), user(5)]);
    assert_eq!(list("ZOE ada", None, 10).await, [user(1)]);
    assert_eq!(list("an", None, 10).await, [user(3)]);
    for nobody in ["ben", "…", "adams lee"] {
        assert_eq!(list(nobody, None, 10).await, [], "{nobody}");
    }
    let banned = store.banned(room, 10).await.unwrap();
    let names: Vec<_> =
        banned.iter().map(|(user, person)| (*user, person.as_ref().map(|p| p.username.as_str()))).collect();
    assert_eq!(names, [(user(2), Some("ben")), (user(91), None)]);
    assert_eq!(store.banned(room, 1).await.unwrap().len(), 1);
}
