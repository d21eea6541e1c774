//! What a person wants to be told: in general, and of one conversation.

use super::{Folded, Keywords, Schedule};
use crate::Timestamp;

/// Of which messages somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Of each.
    All,
    /// Of those that name them, answer them, call everybody or have one of their keywords.
    Mentions,
    /// Of none: they are counted.
    Nothing,
}

impl Level {
    /// As it is stored and written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Mentions => "mentions",
            Self::Nothing => "nothing",
        }
    }

    /// As it is written; `None` for anything else.
    #[must_use]
    pub fn named(text: &str) -> Option<Self> {
        [Self::All, Self::Mentions, Self::Nothing].into_iter().find(|level| level.as_str() == text)
    }
}

/// Whether a conversation is muted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mute {
    /// It is not.
    #[default]
    No,
    /// Before this moment.
    Until(Timestamp),
    /// Until somebody says otherwise.
    ForGood,
}

impl Mute {
    /// Whether it holds at this moment.
    #[must_use]
    pub fn holds(self, now: Timestamp) -> bool {
        match self {
            Self::No => false,
            Self::Until(until) => now < until,
            Self::ForGood => true,
        }
    }
}

/// What somebody wants in general.
///
/// Who has said nothing hears of everything between two people, and in rooms of what is meant for them: the
/// defaults of Slack, Zulip and Mattermost. Element's, everything everywhere, is what its users turn off
/// first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct General {
    /// Between two people.
    pub direct: Level,
    /// In rooms.
    pub rooms: Level,
    /// Words that are worth a mention.
    pub keywords: Keywords,
    /// Not to be disturbed before this moment.
    pub dnd_until: Option<Timestamp>,
    /// Not to be disturbed at these times of the week.
    pub dnd_schedule: Option<Schedule>,
    /// Whether push messages may carry words: they pass other companies' servers, if sealed.
    pub push_words: bool,
}

impl Default for General {
    fn default() -> Self {
        Self {
            direct: Level::All,
            rooms: Level::Mentions,
            keywords: Keywords::default(),
            dnd_until: None,
            dnd_schedule: None,
            push_words: true,
        }
    }
}

impl General {
    /// Whether the person is not to be disturbed.
    #[must_use]
    pub fn is_quiet(&self, now: Timestamp) -> bool {
        self.dnd_until.is_some_and(|until| now < until)
            || self.dnd_schedule.as_ref().is_some_and(|schedule| schedule.covers(now))
    }

    /// Without what is over.
    #[must_use]
    pub fn as_of(self, now: Timestamp) -> Self {
        Self { dnd_until: self.dnd_until.filter(|until| now < *until), ..self }
    }

    /// Whether a message has one of the person's keywords.
    #[must_use]
    pub fn has_keyword(&self, body: &Folded) -> bool {
        self.keywords.are_in(body)
    }
}

/// What somebody wants of one conversation. The default is what they want in general.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OfConversation {
    /// Instead of the general one.
    pub level: Option<Level>,
    /// Whether it is muted.
    pub mute: Mute,
    /// Whether calls for everybody are messages like any other.
    pub ignore_everyone: bool,
}

impl OfConversation {
    /// Without what is over.
    #[must_use]
    pub fn as_of(self, now: Timestamp) -> Self {
        Self { mute: if self.mute.holds(now) { self.mute } else { Mute::No }, ..self }
    }
}
