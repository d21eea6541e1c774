//! What became of a message: the store's state of it, carried on by the changes that the store may lack.
//!
//! The store says up to which change its state goes ([`Life::changed`]); each later one is applied in order.
//! Changes that count alternate by themselves (nobody puts a reaction that is there already), so counts are
//! exact although not everybody's reactions are known. Pure.

use std::sync::Arc;

use milena_domain::record::{Action, Placed};
use milena_domain::{Body, Position, UserId};
use milena_storage::{MessageNow, NAMED_OF_REACTION, REACTIONS_TOLD, StoredLife};

/// An event of a page: a message with what became of it, or something else that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// With a message's newest words.
    pub placed: Arc<Placed>,
    /// `None` while it is as it was written.
    pub life: Option<Box<Life>>,
}

/// What became of a message, as one reader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life {
    /// The last change that is in here.
    pub changed: Position,
    /// The newest edit.
    pub edited: Option<Position>,
    /// It was deleted.
    pub deleted: Option<Deleted>,
    /// Where it was pinned, while it is.
    pub pinned: Option<Position>,
    /// In the order in which they came first.
    pub reactions: Vec<Reaction>,
}

/// A deletion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deleted {
    /// Where it stands.
    pub position: Position,
    /// Who did it.
    pub by: UserId,
    /// What they said about it.
    pub reason: Option<String>,
}

/// One reaction, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reaction {
    /// Which.
    pub emoji: String,
    /// How many people.
    pub count: u64,
    /// Whether the reader is one of them.
    pub mine: bool,
    /// The first of them, in order: whose, and where it was put.
    pub first: Vec<(UserId, Position)>,
}

impl From<Arc<Placed>> for Shown {
    fn from(placed: Arc<Placed>) -> Self {
        Self { placed, life: None }
    }
}

impl Shown {
    /// A message as the store has it, for a reader whose reactions were asked for.
    #[must_use]
    pub fn stored(now: MessageNow, reader: UserId) -> Self {
        let life = now.life.map(|life| Box::new(Life::stored(life, reader)));
        Self { placed: Arc::new(now.placed), life }
    }

    /// Up to where changes are in it.
    #[must_use]
    pub fn changed(&self) -> Position {
        self.life.as_ref().map_or(self.placed.position, |life| life.changed)
    }

    /// Whether it was deleted.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.life.as_ref().is_some_and(|life| life.deleted.is_some())
    }

    /// Applies a change of it that counts, unless it is in it already.
    pub fn apply(&mut self, change: &Placed, reader: UserId) {
        let at = change.position;
        let is_known = at <= self.changed();
        #[cfg(test)]
        let is_known = is_known
            && !(crate::mutation::Mutation::ReactionCountsTwice.is_on()
                && matches!(change.event.action, Action::Reacted { .. }));
        if is_known || self.is_deleted() {
            return;
        }
        let life = self.life.get_or_insert_with(|| Box::new(Life::at(at)));
        life.changed = at;
        match &change.event.action {
            Action::Edited { body, mentions, .. } => {
                life.edited = Some(at);
                let placed = Arc::make_mut(&mut self.placed);
                if let Action::Message(message) = &mut placed.event.action {
                    message.body = body.clone();
                    message.mentions.clone_from(mentions);
                }
            }
            Action::Deleted { reason, .. } => {
                let reason = reason.as_ref().map(|reason| reason.as_str().to_owned());
                let deleted = Deleted { position: at, by: change.event.actor, reason };
                **life = Life { deleted: Some(deleted), ..Life::at(at) };
                let placed = Arc::make_mut(&mut self.placed);
                if let Action::Message(message) = &mut placed.event.action {
                    *message = milena_domain::record::Message::plain(Body::deleted());
                }
            }
            Action::Pinned { on, .. } => life.pinned = on.then_some(at),
            Action::Reacted { emoji, on, .. } => {
                life.react(emoji.as_str(), *on, (change.event.actor, at), reader);
            }
            _ => {}
        }
    }
}

impl Life {
    fn at(changed: Position) -> Self {
        Self { changed, edited: None, deleted: None, pinned: None, reactions: Vec::new() }
    }

    fn stored(life: StoredLife, reader: UserId) -> Self {
        let reactions = life.reactions.into_iter().map(|group| Reaction {
            mine: group.asked.iter().any(|(user, _)| *user == reader),
            first: group.first,
            emoji: group.emoji,
            count: group.count,
        });
        Self {
            changed: life.changed,
            edited: life.edited,
            deleted: life.deleted.map(|(position, by, reason)| Deleted { position, by, reason }),
            pinned: life.pinned,
            reactions: reactions.collect(),
        }
    }

    fn react(&mut self, emoji: &str, on: bool, (actor, at): (UserId, Position), reader: UserId) {
        let place = self.reactions.iter().position(|reaction| reaction.emoji == emoji);
        let place = match place {
            Some(place) => place,
            None if !on || self.reactions.len() == REACTIONS_TOLD => return,
            None => {
                let emoji = emoji.to_owned();
                self.reactions.push(Reaction { emoji, count: 0, mine: false, first: Vec::new() });
                self.reactions.len() - 1
            }
        };
        let reaction = &mut self.reactions[place];
        if actor == reader {
            reaction.mine = on;
        }
        if on {
            reaction.count += 1;
            // Those who came before may not all be known.
            if reaction.first.len() < NAMED_OF_REACTION && reaction.first.len() as u64 + 1 == reaction.count {
                reaction.first.push((actor, at));
            }
        } else {
            reaction.count = reaction.count.saturating_sub(1);
            reaction.first.retain(|(user, _)| *user != actor);
            if reaction.count == 0 {
                self.reactions.remove(place);
            }
            // As the store has them: by the first that is there still.
            self.reactions.sort_by_key(|reaction| reaction.first.first().map(|(_, at)| *at));
        }
    }
}
