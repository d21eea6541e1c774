//! Which part of a conversation somebody may see.
//!
//! Pure: the intervals that the store has, carried on by the events that it may not have yet.

use std::sync::Arc;

use milena_domain::record::{Action, History};
use milena_domain::{Position, UserId};
use milena_storage::PositionRange;
use milena_timeline::Interval;

use crate::log::recent::Delivered;

/// What somebody may see, as ranges of positions in ascending order, both ends included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::chat) struct Visible(pub(in crate::chat) Vec<PositionRange>);

impl Visible {
    /// Everything.
    pub(in crate::chat) fn all() -> Self {
        Self(vec![PositionRange::ALL])
    }

    /// Of this, what stands up to `last`.
    pub(in crate::chat) fn until(self, last: Position) -> Self {
        let ranges = self.0.into_iter().filter(|range| range.from <= last);
        let cut = |to: Option<Position>| Some(to.map_or(last, |to| to.min(last)));
        Self(ranges.map(|PositionRange { from, to }| PositionRange { from, to: cut(to) }).collect())
    }

    /// Whether this may be seen.
    pub(in crate::chat) fn contains(&self, position: Position) -> bool {
        self.0.iter().any(|range| range.from <= position && range.to.is_none_or(|to| position <= to))
    }
}

/// What `user`, who is in the room now or was once, may see of it. `stored` are their intervals as the store
/// has them, `unflushed` the room's events that it may lack, in order.
pub(in crate::chat) fn visible(
    history: History,
    user: UserId,
    stored: &[Interval],
    unflushed: &[Arc<Delivered>],
) -> Visible {
    let mut ranges: Vec<(Position, Option<Position>)> = Vec::new();
    for interval in stored {
        match ranges.last_mut() {
            // Another role begins where the one before ends.
            Some((_, end)) if *end == Some(interval.from) => *end = interval.to,
            _ => ranges.push((interval.from, interval.to)),
        }
    }
    for event in unflushed {
        let at = event.position();
        let is_in = ranges.last().is_some_and(|(_, end)| end.is_none());
        let is_known = ranges.last().is_some_and(|(from, end)| end.unwrap_or(*from) >= at);
        let event = event.event();
        let concerns = event.actor == user || event.action.subjects().contains(&user);
        match &event.action {
            _ if is_known => {}
            Action::RoomCreated(created)
                if event.actor == user || created.members.iter().any(|seat| seat.user == user) =>
            {
                ranges.push((at, None));
            }
            Action::Joined if event.actor == user && !is_in => ranges.push((at, None)),
            Action::MembersAdded { users } if users.contains(&user) && !is_in => ranges.push((at, None)),
            Action::Left if event.actor == user && is_in => close(&mut ranges, at),
            Action::Removed { user: gone } | Action::Banned { user: gone }
                if concerns && *gone == user && is_in =>
            {
                close(&mut ranges, at);
            }
            _ => {}
        }
    }
    let is_member = ranges.last().is_some_and(|(_, end)| end.is_none());
    match history {
        History::All if is_member => Visible::all(),
        History::All => Visible(Vec::new()),
        History::SinceJoin => {
            Visible(ranges.into_iter().map(|(from, to)| PositionRange { from, to }).collect())
        }
    }
}

fn close(ranges: &mut [(Position, Option<Position>)], at: Position) {
    if let Some((_, end)) = ranges.last_mut() {
        *end = Some(at);
    }
}

#[cfg(test)]
mod tests {
    use milena_domain::record::{Event, Place, Placed, Role};
    use milena_domain::{ClientId, ConversationId, Epoch, Timestamp};

    use super::*;

    fn user(n: u128) -> UserId {
        UserId::from_uuid(uuid::Uuid::from_u128(n))
    }

    fn at(offset: i64) -> Position {
        Position::new(Epoch::FIRST, offset)
    }

    fn event(actor: u128, offset: i64, action: Action) -> Arc<Delivered> {
        let client_id = ClientId::new(&offset.to_string()).unwrap();
        let room = Place::Room(ConversationId::room(user(1), &ClientId::new("room").unwrap()));
        let event =
            Event::new(user(actor), room, client_id, Timestamp::from_unix_ms(offset), at(offset - 1), action);
        Arc::new(Delivered::new(Placed { position: at(offset), event }, 0, 0, Some(true)))
    }

    fn stored(from: i64, to: Option<i64>, role: Role) -> Interval {
        Interval { role, from: at(from), to: to.map(at) }
    }

    fn ranges(stored: &[Interval], unflushed: &[Arc<Delivered>]) -> Vec<(i64, Option<i64>)> {
        let Visible(ranges) = visible(History::SinceJoin, user(2), stored, unflushed);
        ranges.into_iter().map(|range| (range.from.offset(), range.to.map(Position::offset))).collect()
    }

    #[test]
    fn time_in_a_room_is_what_the_store_has_carried_on_by_memory() {
        let first = stored(3, Some(6), Role::Member);
        assert_eq!(ranges(&[first], &[]), [(3, Some(6))]);
        assert_eq!(ranges(&[first], &[event(2, 9, Action::Joined)]), [(3, Some(6)), (9, None)]);
        let gone = [event(2, 9, Action::Joined), event(1, 11, Action::Removed { user: user(2) })];
        assert_eq!(ranges(&[first], &gone), [(3, Some(6)), (9, Some(11))], "their going, too");
        // What the store has already changes nothing.
        let again = [event(2, 3, Action::Joined), event(2, 6, Action::Left)];
        assert_eq!(ranges(&[first], &again), [(3, Some(6))]);
        let others = [event(4, 9, Action::Joined), event(1, 10, Action::Banned { user: user(4) })];
        assert_eq!(ranges(&[stored(3, None, Role::Member)], &others), [(3, None)]);
    }

    #[test]
    fn nothing_is_seen_beyond_what_was_looked_at() {
        let all = Visible::all().until(at(7));
        assert!(all.contains(at(7)) && !all.contains(at(8)));
        let Visible(ranges) =
            visible(History::SinceJoin, user(2), &[stored(3, Some(6), Role::Member)], &[]).until(at(5));
        assert_eq!(ranges.len(), 1);
        assert_eq!((ranges[0].from, ranges[0].to), (at(3), Some(at(5))));
        let later = visible(History::SinceJoin, user(2), &[stored(9, None, Role::Member)], &[]);
        assert!(later.until(at(7)).0.is_empty());
    }

    #[test]
    fn another_role_is_no_other_time() {
        let roles = [stored(3, Some(6), Role::Member), stored(6, None, Role::Moderator)];
        assert_eq!(ranges(&roles, &[]), [(3, None)]);
    }

    #[test]
    fn whoever_went_sees_nothing_of_a_room_that_shows_all_to_its_members() {
        let gone = visible(History::All, user(2), &[stored(3, Some(6), Role::Member)], &[]);
        assert_eq!(gone, Visible(Vec::new()));
        let back = visible(History::All, user(2), &[], &[event(2, 9, Action::Joined)]);
        assert!(back.contains(at(1)));
    }
}
