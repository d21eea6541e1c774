//! What can happen in a schedule, and what people do in rooms.

use milena_domain::record::{
    Action, Created, Event, Handle, History, Message, Place, Posting, Role, RoomPatch, Seat, Title,
    Visibility,
};
use milena_domain::{Body, ClientId, ConversationId, Epoch, Position, Timestamp};
use milena_timeline::Outcome;

use super::super::reader::Reader;
use super::super::shared::{Log, PARTITIONS, user};
use super::device::Wish;
use super::rules::{Rule, Rules};
use crate::chat::Target;

/// Two of them are devices of the same person.
pub(super) const DEVICES: [u128; 5] = [0, 1, 2, 3, 0];
pub(super) const PEOPLE: u128 = 4;
/// The first people have a room each, which they may create.
pub(super) const ROOMS: u128 = 3;

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
    /// Somebody on a third node writes much in a room.
    Burst {
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
        Deed::Say => return Wish::Say(Target::Conversation(room)),
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

pub(super) fn said() -> Action {
    Action::Message(Message::plain(Body::new("x").unwrap()))
}

/// What people do in rooms, and now and then between two of them, as a log: whether the fold and the rules
/// say the same of each event.
pub(super) fn fold_and_rules_agree(happenings: &[(u128, u128, Deed, u8)], without: Option<Rule>) -> bool {
    let (mut log, mut reader, mut rules) = (Log::default(), Reader::default(), Rules::without(without));
    for (number, (actor, room, deed, kind)) in happenings.iter().enumerate() {
        let name = ClientId::new(&number.to_string()).unwrap();
        let place = Place::Room(room_of(*room));
        let (place, name, action) = match (kind, wish_for(room_of(*room), *deed)) {
            (0, _) => (place, ClientId::new("room").unwrap(), Action::RoomCreated(created(*actor % ROOMS))),
            (1, _) => (Place::Direct(user(*room)), name, Action::Blocked { on: number % 2 == 0 }),
            (2, _) => (Place::Direct(user(*room)), name, said()),
            // The same name again: the same thing, if it counted.
            (3, _) => (place, ClientId::new("again").unwrap(), said()),
            (_, Wish::Do(_, action)) => (place, name, action),
            _ => (place, name, said()),
        };
        let seen = Position::new(Epoch::FIRST, 0);
        log.append(Event::new(user(*actor), place, name, Timestamp::now(), seen, action));
    }
    let mut agree = true;
    for partition in 0..PARTITIONS {
        reader.read(&log, partition, usize::MAX, |placed, outcome| {
            agree &= rules.happens(&placed.event) == matches!(outcome, Outcome::Effective(_));
        });
    }
    agree
}
