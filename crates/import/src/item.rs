//! What readers of other chats' exports answer: people, rooms and what happened, in the order in which it
//! happened within each room, in words that belong to no product.
//!
//! Everything is named by a *key*: what the export itself names it by, unique within the export. What people
//! and rooms are called on the server is decided later, by whoever takes these.

/// A moment: milliseconds since 1970, UTC.
pub type UnixMs = i64;

/// One thing that an export says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// Somebody; told before anything that names them where the export has a list of people.
    Person(Person),
    /// A conversation; told before anything that happened in it.
    Room(Room),
    /// Somebody came, went or was sent away.
    Membership(Membership),
    /// A room is called otherwise from now on, or closed.
    Renamed(Renamed),
    /// Somebody said something.
    Message(Message),
    /// An author changed the words.
    Edit(Edit),
    /// Somebody put a reaction to a message.
    Reaction(Reaction),
}

/// Somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// By what the export names them.
    pub key: String,
    /// The name to sign in with, as far as the export knows one; else the name to show.
    pub name: String,
    /// The name to show.
    pub shown: Option<String>,
}

/// What kind of conversation it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoomKind {
    /// Whoever is on the server may come in.
    Public,
    /// Whom a member brings.
    Private,
    /// Between these two people, by their keys; twice the same for notes to oneself.
    Direct(String, String),
}

/// A conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// By what the export names it.
    pub key: String,
    /// What it is called.
    pub name: String,
    /// Who may be in it.
    pub kind: RoomKind,
    /// What it is about.
    pub topic: Option<String>,
    /// When it began, if that is known.
    pub created_at: Option<UnixMs>,
}

/// Somebody came, went or was sent away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// Where, by its key.
    pub room: String,
    /// Who, by their key.
    pub person: String,
    /// When; `None` where the export only says who is in the room now.
    pub at: Option<UnixMs>,
    /// What it was.
    pub change: Change,
}

/// How a membership changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// They are in the room from now on.
    Joined,
    /// They went.
    Left,
    /// They were sent away by this person.
    Removed {
        /// Who did it, by their key.
        by: String,
    },
}

/// A room is called otherwise, is about something else, or was closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renamed {
    /// Which, by its key.
    pub room: String,
    /// Who did it; `None` where the export does not say.
    pub by: Option<String>,
    /// When; `None` where the export only says what is so now.
    pub at: Option<UnixMs>,
    /// The new name.
    pub name: Option<String>,
    /// The new topic; empty for none.
    pub topic: Option<String>,
    /// Closed, or opened again.
    pub archived: Option<bool>,
}

/// Somebody said something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Where, by its key.
    pub room: String,
    /// Its id, unique within the room.
    pub id: String,
    /// Who, by their key.
    pub author: String,
    /// When.
    pub at: UnixMs,
    /// The words, in Milena's markup.
    pub text: Text,
    /// The id of the message of the same room that it answers, or whose thread it is in.
    pub reply_to: Option<String>,
    /// The names of its files, which are not brought along.
    pub files: Vec<String>,
}

/// An author changed the words of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Where, by its key.
    pub room: String,
    /// The id of the message.
    pub target: String,
    /// When.
    pub at: UnixMs,
    /// The new words; `None` where the export has only the last ones, which the message itself has.
    pub text: Option<Text>,
    /// The names of the files that it has since then.
    pub files: Vec<String>,
}

/// Somebody put a reaction to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reaction {
    /// Where, by its key.
    pub room: String,
    /// The id of the message.
    pub target: String,
    /// Who, by their key.
    pub person: String,
    /// The sign itself.
    pub emoji: String,
    /// When; `None` where the export does not say.
    pub at: Option<UnixMs>,
}

/// Words with the names in them apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text(pub Vec<Piece>);

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// As it is written.
    Words(String),
    /// Somebody is named, by their key.
    Person(String),
    /// A room is named, by its key.
    Room(String),
    /// Everybody is called.
    Everyone,
}

impl Text {
    /// Words and nothing else.
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Self {
        let mut made = Self::default();
        made.words(&text.into());
        made
    }

    /// Adds words.
    pub fn words(&mut self, words: &str) {
        match self.0.last_mut() {
            _ if words.is_empty() => {}
            Some(Piece::Words(before)) => before.push_str(words),
            _ => self.0.push(Piece::Words(words.to_owned())),
        }
    }

    /// Adds a name.
    pub fn push(&mut self, piece: Piece) {
        match piece {
            Piece::Words(words) => self.words(&words),
            piece => self.0.push(piece),
        }
    }

    /// Adds all of another text.
    pub fn append(&mut self, other: Self) {
        other.0.into_iter().for_each(|piece| self.push(piece));
    }

    /// Whether nothing of it can be seen.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.0.iter().all(|piece| matches!(piece, Piece::Words(words) if words.trim().is_empty()))
    }
}
