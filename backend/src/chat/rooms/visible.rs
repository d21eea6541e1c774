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
