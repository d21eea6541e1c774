//! Membership in time: who saw what.

use milena_domain::Position;
use milena_domain::record::{History, Role};

/// A stretch of the log in which somebody was in a room, in one role. Both ends belong to it: whoever comes
/// sees their coming, and whoever goes sees their going, and nothing after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// As what.
    pub role: Role,
    /// The event that began it.
    pub from: Position,
    /// The event that ended it; `None` while it lasts.
    pub to: Option<Position>,
}

impl Interval {
    /// Whether `position` lies in it.
    #[must_use]
    pub fn covers(&self, position: Position) -> bool {
        self.from <= position && self.to.is_none_or(|to| position <= to)
    }
}

/// Whether somebody with these intervals may see what stands at `position` of a room with such a history: in
/// a room that shows `all` of it, members see everything and others nothing; in the other kind everybody sees
/// the time of their own memberships, also afterwards.
#[must_use]
pub fn sees(history: History, intervals: &[Interval], position: Position) -> bool {
    match history {
        History::All => intervals.iter().any(|interval| interval.to.is_none()),
        History::SinceJoin => intervals.iter().any(|interval| interval.covers(position)),
    }
}
