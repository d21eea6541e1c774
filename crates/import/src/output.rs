//! Where a reader puts what it finds: items with the place they come from, what is lost on the way, and what
//! is wrong with an entry. One that is wrong is told and passed over; the others are read all the same.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::Item;

/// The place in an export that something comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The file, within the archive or folder; empty where there is only one.
    pub file: Arc<str>,
    /// Which line, or which entry of a list.
    pub unit: Unit,
    /// Its number, from 1.
    pub number: u64,
}

/// What is counted within a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Lines of text.
    Line,
    /// Entries of a list.
    Entry,
}

impl Origin {
    /// A line of a file.
    #[must_use]
    pub fn line(file: &Arc<str>, number: u64) -> Self {
        Self { file: Arc::clone(file), unit: Unit::Line, number }
    }

    /// An entry of a file's list.
    #[must_use]
    pub fn entry(file: &Arc<str>, number: u64) -> Self {
        Self { file: Arc::clone(file), unit: Unit::Entry, number }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.file.is_empty() {
            write!(f, "{}, ", self.file)?;
        }
        let unit = match self.unit {
            Unit::Line => "line",
            Unit::Entry => "entry",
        };
        write!(f, "{unit} {}", self.number)
    }
}

/// What an export has and Milena has no place for, or what the reader leaves out; each is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loss {
    /// Files: their names stay in the messages.
    Files,
    /// Reactions of which nobody knows who put them.
    ReactionsOfUnknownPeople,
    /// Reactions with a sign of the other chat's own.
    ReactionsWithCustomEmoji,
    /// Lines that the other chat wrote by itself: calls, pins, settings.
    SystemLines,
    /// Messages whose words are gone: deleted, or unreadable for whoever exported them.
    WordlessMessages,
    /// What Milena does not know: polls, calls, places, contacts.
    UnknownContents,
    /// Earlier words of edited messages, which the export does not have.
    EarlierWords,
    /// Messages that are pinned or starred.
    PinsAndStars,
    /// How far people have read.
    ReadMarks,
    /// Whole conversations that cannot be brought along.
    Conversations,
    /// Characters that are no text in the encoding of the file.
    BrokenCharacters,
}

impl Loss {
    /// What is lost, in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Files => "files (their names stay in the messages)",
            Self::ReactionsOfUnknownPeople => "reactions of people whom the export does not name",
            Self::ReactionsWithCustomEmoji => "reactions with an emoji of the other chat's own",
            Self::SystemLines => "lines that the other chat wrote by itself (calls, pins, settings)",
            Self::WordlessMessages => "messages whose words are gone (deleted, or encrypted)",
            Self::UnknownContents => "polls, places, contacts and other things without words",
            Self::EarlierWords => "earlier words of edited messages (the export has only the last)",
            Self::PinsAndStars => "pins and stars",
            Self::ReadMarks => "marks of how far people have read",
            Self::Conversations => "whole conversations (see the lines above)",
            Self::BrokenCharacters => "lines with characters that are not in the encoding of the file",
        }
    }
}

/// What a reader tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It goes on.
    Item(Origin, Item),
    /// This entry cannot be used: a sentence that names the field.
    Bad(Origin, String),
    /// Something that concerns no single entry and that people should know.
    Note(String),
}

/// Whoever takes the items does not want more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped;

/// Where a reader puts what it finds.
pub struct Output<'a> {
    take: &'a mut dyn FnMut(Found) -> Result<(), Stopped>,
    losses: BTreeMap<Loss, u64>,
}

impl<'a> Output<'a> {
    /// Everything goes to `take`.
    pub fn new(take: &'a mut dyn FnMut(Found) -> Result<(), Stopped>) -> Self {
        Self { take, losses: BTreeMap::new() }
    }

    /// An item.
    ///
    /// # Errors
    /// [`Stopped`]: nobody wants more.
    pub fn item(&mut self, origin: &Origin, item: Item) -> Result<(), Stopped> {
        if let Item::Message(message) = &item {
            self.lose(Loss::Files, message.files.len() as u64);
        }
        (self.take)(Found::Item(origin.clone(), item))
    }

    /// An entry that cannot be used, and why.
    ///
    /// # Errors
    /// [`Stopped`]: nobody wants more.
    pub fn bad(&mut self, origin: &Origin, problem: impl Into<String>) -> Result<(), Stopped> {
        (self.take)(Found::Bad(origin.clone(), problem.into()))
    }

    /// What concerns no single entry.
    ///
    /// # Errors
    /// [`Stopped`]: nobody wants more.
    pub fn note(&mut self, note: impl Into<String>) -> Result<(), Stopped> {
        (self.take)(Found::Note(note.into()))
    }

    /// So much of it does not come along.
    pub fn lose(&mut self, loss: Loss, count: u64) {
        if count > 0 {
            *self.losses.entry(loss).or_default() += count;
        }
    }

    /// All that was lost.
    #[must_use]
    pub fn losses(self) -> BTreeMap<Loss, u64> {
        self.losses
    }
}
