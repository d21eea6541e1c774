//! One line of an import: what it says, by names in the file, and what it becomes in the log. A line of JSON
//! is read in [`wire`](super::wire); what other chats export comes from [`moving`](super::moving).

use std::collections::HashMap;

use milena_domain::record::{self, Action, Emoji, Event, Target, Title, Topic, Visibility};
use milena_domain::{
    Body, ClientId, ConversationId, FieldError, MessageEvent, MessageId, Position, Timestamp, UserId, limits,
};
use milena_import::Origin;
use milena_timeline::Void;

use super::event::{Happened, RoomEvent};
use super::ledger::Content;
use super::rooms::Rooms;

/// Why a line is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LineError {
    /// Not UTF-8.
    #[error("it is not UTF-8")]
    NotUtf8,
    /// Not JSON, or not of the expected form.
    #[error("it is not JSON of the expected form: {}", without_line(.0))]
    Json(#[from] serde_json::Error),
    /// A rule of a field.
    #[error("{0}")]
    Field(#[from] FieldError),
    /// Neither `to` nor `room`.
    #[error("the field `to` is missing, or `room`")]
    NoPlace,
    /// Both.
    #[error("the fields `to` and `room` exclude each other")]
    TwoPlaces,
    /// What happens in rooms only.
    #[error("the field `event` goes with `room`, not with `to`")]
    NoRoom,
    /// A field that a line of its kind has.
    #[error("the field {0} is missing")]
    Missing(&'static str),
    /// Not allowed in the room as it is.
    #[error("the room does not let this happen: {0}")]
    NotAllowed(Void),
    /// What was private elsewhere would be everybody's.
    #[error(
        "the room {0:?} is private where it comes from and public here: nothing is written into it; give it \
         another name with --names"
    )]
    WouldBePublic(String),
    /// An edit or a reaction without its message.
    #[error("the message {0:?} that it is about is not there")]
    NoTarget(String),
    /// Another message has the name that this one would have.
    #[error("the id {id:?} already names a message of {from:?} {other}{at}")]
    Taken {
        /// As in the file.
        id: String,
        /// The sender's name in the file.
        from: String,
        /// In what the other one differs.
        other: &'static str,
        /// Where the other one is.
        at: String,
    },
    /// The log has it, but the database did not take it.
    #[error("the database has no such message: it is a dead letter, or its sender may not write there")]
    NotStored,
    /// While it was on its way, somebody else sent another message under its name.
    #[error("meanwhile its id names a message of the same person {0}")]
    Overtaken(&'static str),
    /// What a reader of another chat's export says.
    #[error("{0}")]
    Export(String),
}

/// Each line is a JSON text of its own, so serde's "at line 1" would only mislead beside the number of the
/// line.
fn without_line(error: &serde_json::Error) -> String {
    error.to_string().replace(" at line 1 column ", " at column ")
}

/// A good line.
#[derive(Debug)]
pub(crate) struct ImportLine {
    /// Where in the file it is from.
    pub(crate) origin: Origin,
    /// As in the file.
    pub(crate) id: String,
    /// What the log names it by, together with its sender.
    pub(crate) client_id: ClientId,
    pub(crate) sent_at: Timestamp,
    /// The sender's name in the file.
    pub(crate) from: String,
    /// Where.
    pub(crate) place: Place,
    pub(crate) what: What,
    /// It says what is so now, not when it came to be: known by its id alone.
    pub(crate) is_undated: bool,
}

/// What a line says.
#[derive(Debug)]
pub(crate) enum What {
    Said(Said),
    Happened(RoomEvent),
    Edited {
        aim: Aim,
        said: Said,
    },
    Reacted {
        aim: Aim,
        emoji: Emoji,
    },
    /// What the room is like if it must be created.
    Created(RoomForm),
}

/// Words, and what goes with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) words: Vec<Part>,
    /// Names of people who are meant, besides those in the words.
    pub(crate) mentions: Vec<String>,
    pub(crate) everyone: bool,
    pub(crate) reply_to: Option<Aim>,
}

/// A part of the words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    Words(String),
    /// Somebody is meant, by their name in the file.
    Person(String),
}

/// An earlier message of the same place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Aim {
    /// As in the file.
    pub(crate) id: String,
    pub(crate) client_id: ClientId,
    /// Its sender's name in the file.
    pub(crate) from: String,
}

/// What a room is like that is to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RoomForm {
    pub(crate) visibility: Visibility,
    pub(crate) title: Option<Title>,
    pub(crate) topic: Option<Topic>,
}

/// Where a message was sent to, by names in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    To(String),
    Room(String),
}

/// A message as it goes into the log: of version 1 between two people where that has words for it.
#[derive(Debug)]
pub(crate) enum Message {
    Plain(MessageEvent),
    Event(Event),
}

impl Message {
    pub(crate) fn id(&self) -> MessageId {
        match self {
            Self::Plain(event) => event.id,
            Self::Event(event) => event.id,
        }
    }
}

/// What a line becomes.
#[derive(Debug)]
pub(crate) enum Record {
    /// A message; the ids that the one which it answers may have.
    Message {
        message: Message,
        content: Content,
        answers: Vec<MessageId>,
    },
    Happened(Happened),
    /// An edit or a reaction, whose target is not placed yet, and the ids that it may have.
    Changed {
        event: Event,
        candidates: Vec<MessageId>,
    },
    /// It is about a room that is there by now.
    Nothing,
}

/// Names in files are not usernames yet, but an endless one is a mistake.
pub(crate) const NAME_MAX_CHARS: usize = 64;

impl ImportLine {
    /// The names of the people in it.
    pub(crate) fn people(&self) -> impl Iterator<Item = &str> {
        let to = match &self.place {
            Place::To(to) => Some(&**to),
            Place::Room(_) => None,
        };
        let (said, aim, user) = match &self.what {
            What::Said(said) => (Some(said), said.reply_to.as_ref(), None),
            What::Edited { aim, said } => (Some(said), Some(aim), None),
            What::Reacted { aim, .. } => (None, Some(aim), None),
            What::Happened(event) => (None, None, event.user()),
            What::Created(_) => (None, None, None),
        };
        let from = (!matches!(self.what, What::Created(_))).then_some(&*self.from);
        let aim = aim.map(|aim| &*aim.from);
        from.into_iter().chain(to).chain(user).chain(aim).chain(said.into_iter().flat_map(Said::people))
    }

    /// The id in the file of the message that it is about; its own where it is about none.
    pub(crate) fn aim_id(&self) -> &str {
        match &self.what {
            What::Edited { aim, .. } | What::Reacted { aim, .. } => &aim.id,
            What::Said(_) | What::Happened(_) | What::Created(_) => &self.id,
        }
    }

    /// Whether its record proves that its id was unused, and with it how far the store was.
    pub(crate) fn needs_proof(&self) -> bool {
        match (&self.place, &self.what) {
            (Place::Room(_), _) => true,
            (Place::To(_), What::Said(said)) => !said.is_plain(),
            (Place::To(_), _) => true,
        }
    }

    /// What goes into the log, once people and rooms are known.
    ///
    /// # Errors
    /// When the words become too long by the names in them.
    ///
    /// # Panics
    /// When one of the names is not known; the caller has just asked for them.
    pub(crate) fn record(
        &self,
        people: &HashMap<String, UserId>,
        rooms: &Rooms,
    ) -> Result<Record, LineError> {
        let id = |name: &str| *people.get(name).expect("all people were created before");
        let (at, client_id) = (self.sent_at, self.client_id.clone());
        let event = |actor, action| match &self.place {
            Place::Room(room) => rooms.event_in(room, actor, client_id.clone(), at, action),
            Place::To(to) => rooms.event_between(actor, id(to), client_id.clone(), at, action),
        };
        let candidates = |conversation: ConversationId, aim: &Aim| -> Vec<MessageId> {
            let from = id(&aim.from);
            let of_room = MessageId::of_event(conversation, from, &aim.client_id);
            let direct = matches!(self.place, Place::To(_));
            let plain = direct.then(|| MessageId::derive(from, &aim.client_id));
            std::iter::once(of_room).chain(plain).collect()
        };
        Ok(match &self.what {
            What::Created(_) => Record::Nothing,
            What::Happened(happened) => {
                let from = id(&self.from);
                let by_server = happened.by_server(from, people).map(|action| event(UserId::SERVER, action));
                Record::Happened(Happened { by_sender: event(from, happened.action(people)), by_server })
            }
            What::Said(said) => {
                let (from, body) = (id(&self.from), said.body(people)?);
                if let (Place::To(to), true) = (&self.place, said.is_plain()) {
                    let message = MessageEvent::new(from, id(to), client_id, at, body.clone());
                    let content = Content::of(message.conversation, at, &body);
                    return Ok(Record::Message {
                        message: Message::Plain(message),
                        content,
                        answers: Vec::new(),
                    });
                }
                let mentions = said.mentions(people);
                let everyone = said.everyone && rooms.may_call_everyone(&self.place);
                let words = record::Message { body: body.clone(), reply_to: None, mentions, everyone };
                let message = event(from, Action::Message(words));
                let conversation = message.conversation;
                let answers = said.reply_to.as_ref().map(|aim| candidates(conversation, aim));
                let content = Content::of(conversation, at, &body);
                Record::Message {
                    message: Message::Event(message),
                    content,
                    answers: answers.unwrap_or_default(),
                }
            }
            What::Edited { aim, said } => {
                let (body, mentions) = (said.body(people)?, said.mentions(people));
                let edited = Action::Edited { target: nowhere(), body, mentions };
                let event = event(id(&self.from), edited);
                let candidates = candidates(event.conversation, aim);
                Record::Changed { event, candidates }
            }
            What::Reacted { aim, emoji } => {
                let reacted = Action::Reacted { target: nowhere(), emoji: emoji.clone(), on: true };
                let event = event(id(&self.from), reacted);
                let candidates = candidates(event.conversation, aim);
                Record::Changed { event, candidates }
            }
        })
    }
}

/// Until its place in the log is known.
fn nowhere() -> Target {
    let id = MessageId::derive(UserId::SERVER, &ClientId::new("nowhere").expect("printable and short"));
    Target { position: Position::ZERO, id }
}

/// Gives an event its target, or a message what it answers.
pub(crate) fn aim_at(action: &mut Action, at: Target) {
    match action {
        Action::Message(message) => message.reply_to = Some(at),
        Action::Edited { target, .. } | Action::Reacted { target, .. } => *target = at,
        _ => {}
    }
}

impl Said {
    /// Words and nothing else.
    pub(crate) fn plain(words: String) -> Self {
        Self { words: vec![Part::Words(words)], mentions: Vec::new(), everyone: false, reply_to: None }
    }

    /// Whether version 1 of the log has words for it.
    fn is_plain(&self) -> bool {
        self.reply_to.is_none() && !self.everyone && self.people().next().is_none()
    }

    /// Whether it names anybody.
    pub(crate) fn names_people(&self) -> bool {
        self.people().next().is_some()
    }

    fn people(&self) -> impl Iterator<Item = &str> {
        let in_words = self.words.iter().filter_map(|part| match part {
            Part::Words(_) => None,
            Part::Person(name) => Some(&**name),
        });
        in_words.chain(self.mentions.iter().map(|name| &**name))
    }

    fn mentions(&self, people: &HashMap<String, UserId>) -> Vec<UserId> {
        let mut mentions: Vec<UserId> = Vec::new();
        for user in self.people().filter_map(|name| people.get(name)) {
            if mentions.len() < limits::MENTIONS_MAX && !mentions.contains(user) {
                mentions.push(*user);
            }
        }
        mentions
    }

    fn body(&self, people: &HashMap<String, UserId>) -> Result<Body, FieldError> {
        let words = self.words.iter().map(|part| match part {
            Part::Words(words) => words.clone(),
            Part::Person(name) => people.get(name).map_or_else(|| name.clone(), |id| format!("<@{id}>")),
        });
        Body::new(words.collect::<String>()).map_err(|error| FieldError { field: "text", ..error })
    }
}

/// A name as a file may have it.
///
/// # Errors
/// Names the field.
pub(crate) fn name(field: &'static str, name: &str) -> Result<(), FieldError> {
    let chars = name.chars().count();
    if (1..=NAME_MAX_CHARS).contains(&chars) && !name.chars().any(char::is_control) && !name.trim().is_empty()
    {
        return Ok(());
    }
    Err(FieldError::new(
        field,
        format!("must be 1 to {NAME_MAX_CHARS} characters without control characters"),
    ))
}
