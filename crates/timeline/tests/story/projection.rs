//! A store in memory: tables filled by the fold's changes alone, which answer what a partial state asks for.

use std::collections::{BTreeMap, HashMap};

use milena_domain::record::{Emoji, Placed};
use milena_domain::{MessageId, Position, UserId};
use milena_timeline::{
    Change, ConversationState, Interval, Item, Membership, Missing, Outcome, Room, Standing, Window,
};

#[derive(Debug, Default)]
pub(crate) struct Projection {
    pub(crate) room: Option<Room>,
    pub(crate) last_seq: u64,
    pub(crate) intervals: HashMap<UserId, Vec<Interval>>,
    blocks: BTreeMap<UserId, Position>,
    banned: HashMap<UserId, bool>,
    changed: HashMap<UserId, Position>,
    items: BTreeMap<Position, Item>,
    reactions: HashMap<(Position, UserId), BTreeMap<Emoji, Position>>,
    ids: HashMap<MessageId, Position>,
}

impl Projection {
    pub(crate) fn carry(&mut self, placed: &Placed, outcome: &Outcome, after: &ConversationState) {
        let Outcome::Effective(changes) = outcome else { return };
        let (position, actor) = (placed.position, placed.event.actor);
        self.ids.insert(placed.event.id, position);
        for change in changes {
            self.change(position, actor, placed.event.id, change);
        }
        self.room = after.room().cloned();
        // A checkpoint brings the count of the epoch before.
        self.last_seq = after.last_seq();
    }

    fn change(&mut self, position: Position, actor: UserId, id: MessageId, change: &Change) {
        match change {
            Change::Message { seq } => {
                assert_eq!(*seq, self.last_seq + 1, "seq is dense");
                self.last_seq = *seq;
                self.items.insert(position, Item { id, author: actor, deleted: None, pinned: None });
            }
            Change::Happened | Change::Room | Change::Edited { .. } => {}
            Change::Deleted { target } => self.item(*target).deleted = Some(position),
            Change::Pinned { target, on } => self.item(*target).pinned = Some((position, *on)),
            Change::Reacted { target, emoji, on } => {
                let mine = self.reactions.entry((*target, actor)).or_default();
                let changed = match on {
                    true => mine.insert(emoji.clone(), position).is_none(),
                    false => mine.remove(emoji).is_some(),
                };
                assert!(changed, "an effective reaction changes something");
            }
            Change::Opened { user, role, from } => {
                let intervals = self.intervals.entry(*user).or_default();
                assert!(intervals.iter().all(|interval| interval.to.is_some()), "one open interval a person");
                intervals.push(Interval { role: *role, from: *from, to: None });
            }
            Change::Closed { user, from } => {
                let last = self.intervals.get_mut(user).and_then(|intervals| intervals.last_mut()).unwrap();
                assert_eq!((last.from, last.to), (*from, None), "what is closed was open");
                last.to = Some(position);
                self.changed.insert(*user, position);
            }
            Change::Banned { user, on } => {
                self.banned.insert(*user, *on);
                self.changed.insert(*user, position);
            }
            Change::Blocked { by, on: true } => assert_eq!(self.blocks.insert(*by, position), None),
            Change::Blocked { by, on: false } => assert!(self.blocks.remove(by).is_some()),
        }
    }

    fn item(&mut self, target: Position) -> &mut Item {
        self.items.get_mut(&target).expect("an effective change has a target")
    }

    pub(crate) fn state(&self) -> ConversationState {
        ConversationState::stored(self.room.clone(), self.blocks.clone(), self.last_seq)
    }

    pub(crate) fn load(&self, window: &mut Window, state: &mut ConversationState, missing: &Missing) {
        assert!(!missing.is_empty(), "a state that misses something says what");
        for id in &missing.ids {
            window.answer(*id, self.ids.get(id).copied());
        }
        for user in &missing.people {
            state.load_standing(*user, self.standing(*user));
        }
        for position in &missing.items {
            state.load_item(*position, self.items.get(position).cloned());
        }
        for (target, user) in &missing.reactions {
            let mine = self.reactions.get(&(*target, *user)).cloned().unwrap_or_default();
            state.load_reactions(*target, *user, mine);
        }
    }

    pub(crate) fn standing(&self, user: UserId) -> Standing {
        let last = self.intervals.get(&user).and_then(|intervals| intervals.last());
        let open = last.filter(|interval| interval.to.is_none());
        Standing {
            membership: open.map(|interval| Membership { role: interval.role, from: interval.from }),
            banned: self.banned.get(&user).copied().unwrap_or_default(),
            changed: self.changed.get(&user).copied(),
        }
    }
}
