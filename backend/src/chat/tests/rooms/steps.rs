//! What can happen in a schedule, and what people do in rooms and to messages.

use milena_domain::record::{
    Action, Created, Emoji, Event, Handle, History, Message, Place, Posting, Reason, Role, RoomPatch, Seat,
    Target as LogTarget, Title, Visibility,
};
use milena_domain::{Body, ClientId, ConversationId, Epoch, MessageId, Position, Timestamp, UserId};
use milena_timeline::Outcome;
use uuid::Uuid;

use super::super::reader::Reader;
use super::super::shared::{Log, PARTITIONS, user};
use super::device::Wish;
use super::rules::{Rule, Rules};
use crate::chat::change::What;
use crate::chat::{Besides, Target};
use crate::log::event::message;

/// Two of them are devices of the same person.
pub(super) const DEVICES: [u128; 5] = [0, 1, 2, 3, 0];
pub(super) const PEOPLE: u128 = 4;
/// The first people have a room each, which they may create.
pub(super) const ROOMS: u128 = 3;
/// Names no message.
const MESSAGE_OF_NOBODY: MessageId = MessageId::from_uuid(Uuid::nil());

/// What somebody does in a room.
#[derive(Debug, Clone, Copy)]
pub(super) enum Deed {
    Say,
    Join,
    Leave,
    Add(u128),
    Remove(u128),
    Ban(u128),
    Unban(u128),
    Role(u128, Role),
    Archive(bool),
    Title(u8),
    Handle(u8),
    Visible(Visibility),
    Posting(Posting),
}

/// What somebody does to a message, or about it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Touch {
    /// Says something that answers it, and names somebody.
    Reply(u128),
    Edit,
    Delete,
    React(u8, bool),
    Pin(bool),
}

/// What happens while somebody is away, besides.
#[derive(Debug, Clone, Copy)]
pub(super) enum Meanwhile {
    Nothing,
    /// All is stored, and the node begins anew.
    Restart,
    /// Much is written.
    Burst,
    /// Nobody is away, but the node began anew, and the store does not tell it yet what is changed.
    Unknown,
}

/// Where something is done.
#[derive(Debug, Clone, Copy)]
pub(super) enum Spot {
    Room(u128),
    /// Between two people.
    With(u128),
}

#[derive(Debug, Clone)]
pub(super) enum Step {
    /// Creates the person's own room; again is the same.
    Create {
        device: usize,
    },
    Act {
        device: usize,
        room: u128,
        deed: Deed,
    },
    Write {
        device: usize,
        to: u128,
    },
    /// To the `back`-th message from the end, whoever wrote it and whether they may or not: by the socket or
    /// over REST.
    Touch {
        device: usize,
        at: Spot,
        back: usize,
        touch: Touch,
    },
    /// The same by a third node that asks nobody whether it may.
    TouchElsewhere {
        by: u128,
        at: Spot,
        back: usize,
        touch: Touch,
    },
    /// A third node has a block, or its end, in the log.
    Block {
        by: u128,
        of: u128,
        on: bool,
    },
    /// What was not answered is sent again.
    Again {
        device: usize,
    },
    Drop {
        device: usize,
    },
    Connect {
        device: usize,
        node: usize,
    },
    Turn {
        device: usize,
        most: usize,
    },
    Append {
        node: usize,
    },
    Confirm {
        node: usize,
    },
    /// A send's time is over, whether it is in the log or not.
    Fail {
        node: usize,
    },
    Read {
        node: usize,
        partition: usize,
        count: usize,
    },
    Consume {
        partition: usize,
        count: usize,
    },
    /// The other projection reads on.
    Index {
        partition: usize,
        count: usize,
    },
    /// It is thrown away, and begins anew.
    Rebuild,
    Learn {
        node: usize,
    },
    /// Rooms that nobody here needs leave the node's memory.
    Forget {
        node: usize,
    },
    /// The store does not answer this node until it is let.
    Hold {
        node: usize,
    },
    /// So many look-ups are answered, half or whole.
    Let {
        node: usize,
        permits: usize,
    },
    Release {
        node: usize,
    },
    /// Time passes.
    Wait {
        ms: u64,
    },
    /// While a device is away, its person is brought into a room in which somebody has just written, and
    /// then it comes back to a node that has read all of it.
    ComeLate {
        device: usize,
        room: u128,
        node: usize,
    },
    /// A device has what was said in a room, goes away, and comes back when that was changed.
    MissChanges {
        device: usize,
        room: u128,
        node: usize,
        meanwhile: Meanwhile,
    },
    /// Somebody on a third node writes much in a room.
    Burst {
        room: u128,
    },
    /// And reacts to all of that.
    BurstOfReactions {
        room: u128,
    },
    Disconnect {
        node: usize,
    },
    Reconnect {
        node: usize,
    },
    /// A node is killed and started again, with nothing in memory.
    Restart {
        node: usize,
    },
}

pub(super) fn room_of(owner: u128) -> ConversationId {
    ConversationId::room(user(owner), &ClientId::new("room").unwrap())
}

pub(super) fn created(owner: u128) -> Created {
    let (visibility, history, posting) = match owner {
        0 => (Visibility::Public, History::All, Posting::Members),
        1 => (Visibility::Public, History::SinceJoin, Posting::Members),
        _ => (Visibility::Private, History::SinceJoin, Posting::Moderators),
    };
    Created {
        handle: Handle::new(&format!("room-{owner}")).unwrap(),
        title: Title::new("A room").unwrap(),
        topic: None,
        visibility,
        history,
        posting,
        members: vec![Seat { user: user((owner + 1) % PEOPLE), role: Role::Moderator, from: None }],
    }
}

pub(super) fn wish_for(room: ConversationId, deed: Deed) -> Wish {
    let patch = |patch: RoomPatch| Action::RoomChanged(patch);
    let action = match deed {
        Deed::Say => return Wish::say(Target::Conversation(room)),
        Deed::Join => Action::Joined,
        Deed::Leave => Action::Left,
        Deed::Add(who) => Action::MembersAdded { users: vec![user(who)] },
        Deed::Remove(who) => Action::Removed { user: user(who) },
        Deed::Ban(who) => Action::Banned { user: user(who) },
        Deed::Unban(who) => Action::Unbanned { user: user(who) },
        Deed::Role(who, role) => Action::RoleChanged { user: user(who), role },
        Deed::Archive(on) => patch(RoomPatch { archived: Some(on), ..RoomPatch::default() }),
        Deed::Title(number) => {
            let title = Some(Title::new(&format!("Title {number}")).unwrap());
            patch(RoomPatch { title, ..RoomPatch::default() })
        }
        Deed::Handle(number) => {
            let handle = Some(Handle::new(&format!("handle-{number}")).unwrap());
            patch(RoomPatch { handle, ..RoomPatch::default() })
        }
        Deed::Visible(visibility) => {
            patch(RoomPatch { visibility: Some(visibility), ..RoomPatch::default() })
        }
        Deed::Posting(posting) => patch(RoomPatch { posting: Some(posting), ..RoomPatch::default() }),
    };
    Wish::Do(room, action)
}

pub(super) fn words(text: &str) -> Body {
    Body::new(text).unwrap()
}

pub(super) fn said(text: &str) -> Action {
    Action::Message(Message::plain(words(text)))
}

impl Spot {
    pub(super) fn conversation(self, of: UserId) -> ConversationId {
        match self {
            Self::Room(room) => room_of(room),
            Self::With(other) => ConversationId::direct(of, user(other)),
        }
    }

    pub(super) fn place(self) -> Place {
        match self {
            Self::Room(room) => Place::Room(room_of(room)),
            Self::With(other) => Place::Direct(user(other)),
        }
    }
}

/// The `back`-th message from the end.
pub(super) fn message_from_end(
    reader: &Reader,
    conversation: ConversationId,
    back: usize,
) -> Option<LogTarget> {
    let all = reader.timelines.get(&conversation)?.values();
    let mut messages = all.rev().filter(|placed| message(&placed.event).is_some());
    let placed = messages.nth(back)?;
    Some(LogTarget { position: placed.position, id: placed.event.id })
}

impl Touch {
    fn emoji(number: u8) -> Emoji {
        Emoji::new(["👍", "🎉", "❤"][usize::from(number)]).unwrap()
    }

    /// What is asked for; `None` where there is no message yet.
    pub(super) fn wish(
        self,
        to: Target,
        conversation: ConversationId,
        on: Option<LogTarget>,
    ) -> Option<Wish> {
        let what = match self {
            Self::Reply(named) => {
                let besides = Besides { reply_to: on, mentions: vec![user(named)], everyone: named == 0 };
                // Between two people nobody calls everybody.
                let everyone = besides.everyone && matches!(to, Target::Conversation(_));
                return Some(Wish::Say {
                    to,
                    words: String::new(),
                    besides: Besides { everyone, ..besides }.boxed(),
                });
            }
            // The words are those of whoever sends it.
            Self::Edit => What::Edit { body: words("?"), mentions: Vec::new() },
            Self::Delete => What::Delete { reason: Some(Reason::new("why").unwrap()) },
            Self::React(number, on) => What::React { emoji: Self::emoji(number), on },
            Self::Pin(on) => What::Pin { on },
        };
        Some(Wish::Change { conversation, target: on?, what, by_socket: false })
    }

    /// The same in the log.
    pub(super) fn action(self, on: LogTarget, text: &str) -> Action {
        match self {
            Self::Reply(named) => Action::Message(Message {
                body: words(text),
                reply_to: Some(on),
                mentions: vec![user(named)],
                everyone: false,
            }),
            Self::Edit => Action::Edited { target: on, body: words(text), mentions: vec![user(1)] },
            Self::Delete => Action::Deleted { target: on, reason: None },
            Self::React(number, is_on) => {
                Action::Reacted { target: on, emoji: Self::emoji(number), on: is_on }
            }
            Self::Pin(is_on) => Action::Pinned { target: on, on: is_on },
        }
    }
}

/// Something that happens in a log without nodes: who, in which room, what, and of which kind it is.
pub(super) type Happening = (u128, u128, Deed, (u8, usize, Touch));

/// What people do in rooms and to messages, and now and then between two of them, as a log: whether the fold
/// and the rules say the same of each event.
pub(super) fn fold_and_rules_agree(happenings: &[Happening], without: Option<Rule>) -> bool {
    let (mut log, mut reader, mut rules) = (Log::default(), Reader::default(), Rules::without(without));
    let mut agree = true;
    for (number, (actor, room, deed, (kind, back, touch))) in happenings.iter().enumerate() {
        let name = ClientId::new(&number.to_string()).unwrap();
        let (room, between) = (Spot::Room(*room), Spot::With(*room));
        let touched = |at: Spot| {
            let on = message_from_end(&reader, at.conversation(user(*actor)), *back);
            let nothing = LogTarget { position: Position::new(Epoch::FIRST, 0), id: MESSAGE_OF_NOBODY };
            let on = on.unwrap_or(nothing);
            let on = if number % 8 == 0 { LogTarget { id: MESSAGE_OF_NOBODY, ..on } } else { on };
            (at.place(), touch.action(on, &number.to_string()))
        };
        let ((place, action), name) = match kind {
            0 => {
                let created = Action::RoomCreated(created(*actor % ROOMS));
                ((room.place(), created), ClientId::new("room").unwrap())
            }
            1 => ((between.place(), Action::Blocked { on: number % 2 == 0 }), name),
            2 => ((between.place(), said("x")), name),
            // The same name again: the same thing, if it counted.
            3 => ((room.place(), said("x")), ClientId::new("again").unwrap()),
            4..7 => (touched(room), name),
            7 => (touched(between), name),
            _ => match wish_for(room.conversation(user(*actor)), *deed) {
                Wish::Do(_, action) => ((room.place(), action), name),
                _ => ((room.place(), said("x")), name),
            },
        };
        let seen = Position::new(Epoch::FIRST, 0);
        log.append(Event::new(user(*actor), place, name, Timestamp::now(), seen, action));
        for partition in 0..PARTITIONS {
            reader.read(&log, partition, usize::MAX, |placed, outcome| {
                agree &= rules.happens(placed) == matches!(outcome, Outcome::Effective(_));
            });
        }
    }
    agree
}
