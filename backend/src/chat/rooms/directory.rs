//! Finding rooms, and who is in them.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use milena_domain::record::{Action, Handle, Role, Visibility};
use milena_domain::{ConversationId, Position, UserId, folded_name, partition_of, words as words_of};
use milena_storage::{DirectoryCursor, MemberCursor, Person};
use milena_timeline::{Room, Standing, Void};

use super::access::unknown_room;
use crate::chat::Chat;
use crate::chat::conversations::stranger;
use crate::live::rooms::RoomView;
use crate::refusal::Refusal;

/// Banned people of one answer, at most.
const BANNED_MAX: usize = 500;

/// Somebody in a room.
#[derive(Debug, Clone)]
pub struct Member {
    /// Who.
    pub person: Arc<Person>,
    /// As what.
    pub role: Role,
    /// Since which event, in this role.
    pub since: Position,
}

/// A page of a room's members: owners, moderators, then everybody else, each by name.
#[derive(Debug, Clone)]
pub struct MemberPage {
    /// The members.
    pub members: Vec<Member>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<MemberCursor>,
    /// How many are in the room.
    pub total: u32,
    /// Nobody who came lately can be missing.
    pub complete: bool,
}

/// A page of the directory: what the store has, and what was made since.
#[derive(Debug, Clone)]
pub struct RoomPage {
    /// The largest first.
    pub rooms: Vec<RoomView>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<DirectoryCursor>,
    /// No room that was created can be missing.
    pub complete: bool,
}

impl Chat {
    /// Public rooms, the largest first, found by words of handle, title and topic.
    ///
    /// # Errors
    /// `store_unavailable` when the database is away.
    pub async fn public_rooms(
        &self,
        user: UserId,
        words: &str,
        before: Option<DirectoryCursor>,
        limit: usize,
    ) -> Result<RoomPage, Refusal> {
        // All rooms of the user are followed, so that their standing is known.
        self.all_rooms_of(user).await?;
        // Memory first, then the store: see `history`.
        let made = self.made_public(user, words);
        let found = self.store.public_rooms(words, before, limit + 1).await?;
        let store_end = found.get(limit).is_some().then(|| place(found[limit - 1].0, &found[limit - 1].1));
        let mut places: Vec<(DirectoryCursor, RoomView)> = Vec::with_capacity(limit);
        for (id, room) in found.into_iter().take(limit) {
            let place = place(id, &room);
            // What this node follows it knows better; it follows all rooms of whoever is connected.
            let known = self.rooms().view(id, user);
            places
                .push((place, known.unwrap_or_else(|| RoomView { id, room, standing: Standing::default() })));
        }
        for view in made {
            let place = place(view.id, &view.room);
            let is_here = before.is_none_or(|before| is_after(&place, &before))
                && store_end.is_none_or(|end| !is_after(&place, &end));
            if is_here && places.iter().all(|(_, stored)| stored.id != view.id) {
                places.push((place, view));
            }
        }
        places.sort_by_key(|(place, _)| Reverse(order(place)));
        let is_cut = places.len() > limit;
        places.truncate(limit);
        let next = if is_cut { places.last().map(|(place, _)| *place) } else { store_end };
        let rooms = places.into_iter().map(|(_, view)| view);
        let rooms = rooms.filter(|view| view.room.visibility == Visibility::Public && !view.room.archived);
        let complete = self.recent().is_all_flushed() && self.health.is_current();
        Ok(RoomPage { rooms: rooms.collect(), next, complete })
    }

    /// Public rooms that the store may not have yet, found by these words.
    fn made_public(&self, user: UserId, words: &str) -> Vec<RoomView> {
        let queried = words_of(words);
        if queried.is_empty() && !words.trim().is_empty() {
            return Vec::new();
        }
        let mut made: Vec<RoomView> = self.rooms().made_public(user).collect();
        made.retain(|RoomView { room, .. }| {
            let names = [room.handle.as_str(), room.title.as_str(), room.topic.as_str()];
            has_words(names.into_iter().flat_map(words_of), &queried)
        });
        let recent = self.recent();
        made.retain(|view| {
            let unflushed = recent.unflushed(view.id);
            unflushed.iter().any(|event| matches!(event.event().action, Action::RoomCreated(_)))
        });
        made
    }

    /// The room that goes by this handle, as `user` may see it.
    ///
    /// # Errors
    /// `unknown_conversation`, `store_unavailable` when the database is needed and away.
    pub async fn room_by_handle(&self, user: UserId, handle: &Handle) -> Result<RoomView, Refusal> {
        let here = self.rooms().by_handle(handle);
        let room = match here {
            Some(room) => Some(room),
            None => self.lookups.room_by_handle(handle.as_str()).await?,
        };
        self.room(user, room.ok_or_else(unknown_room)?).await
    }

    /// Members of a room that `user` is in, or of a public one.
    ///
    /// # Errors
    /// `unknown_conversation`, `store_unavailable` when the database is away.
    pub async fn room_members(
        &self,
        user: UserId,
        room: ConversationId,
        words: &str,
        after: Option<MemberCursor>,
        limit: usize,
    ) -> Result<MemberPage, Refusal> {
        let view = self.room(user, room).await?;
        // Memory first, then the store: see `history`.
        let moved: BTreeSet<UserId> =
            self.recent().unflushed(room).iter().flat_map(|event| event.named()).collect();
        let complete =
            self.recent().is_complete(partition_of(room, self.partitions)) && self.health.is_current();
        let found = self.store.room_members(room, words, after.as_ref(), limit + 1).await?;
        let store_end = found.get(limit).is_some().then(|| found[limit - 1].cursor());
        let stored = found.into_iter().take(limit).map(|member| {
            let person = member.person.clone().unwrap_or_else(|| stranger(member.user));
            (member.cursor(), member.user, Arc::new(person))
        });
        // Whoever came, went or got another role since the consumer was here stands where they belong now.
        let of_moved = self.directory.persons(moved.iter().copied()).await?;
        let queried = words_of(words);
        let rooms = self.rooms();
        let membership = |user| {
            rooms.get(room).and_then(|loaded| loaded.state().standing(user)).and_then(|of| of.membership)
        };
        let of_moved = of_moved.into_iter().filter(|(_, person)| is_named(person, &queried)).filter_map(
            |(user, person)| {
                let name_folded = folded_name(&person.display_name);
                Some((MemberCursor { role: membership(user)?.role, name_folded, user }, user, person))
            },
        );
        let of_moved = of_moved.filter(|(place, ..)| {
            after.as_ref().is_none_or(|after| place.sorts_after(after))
                && store_end.as_ref().is_none_or(|end| !place.sorts_after(end))
        });
        let mut page: Vec<_> = stored.filter(|(_, user, _)| !moved.contains(user)).chain(of_moved).collect();
        page.sort_by(|(one, ..), (other, ..)| one.order().cmp(&other.order()));
        let is_cut = page.len() > limit;
        page.truncate(limit);
        let next = if is_cut { page.last().map(|(place, ..)| place.clone()) } else { store_end };
        let members = page.into_iter().filter_map(|(_, user, person)| {
            let membership = membership(user)?;
            Some(Member { person, role: membership.role, since: membership.from })
        });
        Ok(MemberPage { members: members.collect(), next, total: view.room.members, complete })
    }

    /// Who is kept away from a room, for its moderators.
    ///
    /// # Errors
    /// `unknown_conversation`, `not_permitted`, `store_unavailable` when the database is away.
    pub async fn banned(&self, user: UserId, room: ConversationId) -> Result<Vec<Arc<Person>>, Refusal> {
        let view = self.room(user, room).await?;
        if view.standing.membership.is_none_or(|membership| membership.role < Role::Moderator) {
            return Err(Void::NotPermitted.into());
        }
        let banned: Vec<UserId> = {
            let rooms = self.rooms();
            let people = rooms.get(room).map(|loaded| loaded.state().people());
            let banned = people.into_iter().flatten().filter(|(_, standing)| standing.banned);
            banned.map(|(user, _)| user).take(BANNED_MAX).collect()
        };
        let mut people: Vec<Arc<Person>> = self.directory.persons(banned).await?.into_values().collect();
        people.sort_by(|one, other| one.username.cmp(&other.username));
        Ok(people)
    }
}

/// Where a room stands in the directory.
fn place(id: ConversationId, room: &Room) -> DirectoryCursor {
    DirectoryCursor { members: room.members, id }
}

/// As the store sorts, the last first.
fn order(place: &DirectoryCursor) -> (u32, ConversationId) {
    (place.members, place.id)
}

fn is_after(place: &DirectoryCursor, before: &DirectoryCursor) -> bool {
    order(place) < order(before)
}

fn is_named(person: &Person, query: &[String]) -> bool {
    has_words([&person.username, &person.display_name].into_iter().flat_map(|name| words_of(name)), query)
}

/// As the store finds: each word of the query begins one of these.
fn has_words(words: impl Iterator<Item = String>, query: &[String]) -> bool {
    let words: Vec<String> = words.collect();
    query.iter().all(|queried| words.iter().any(|word| word.starts_with(queried.as_str())))
}
