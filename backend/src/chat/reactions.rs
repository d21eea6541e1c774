//! Who has reacted to a message: the store's part, carried on by what memory has.

use milena_domain::record::{Action, Emoji};
use milena_domain::{ConversationId, Position, UserId, partition_of};
use milena_storage::PutReaction;

use super::Chat;
use super::history::MemoryOf;
use super::rooms::Place;
use crate::live::life::Shown;
use crate::refusal::{Code, Refusal};

/// A part of who has reacted to a message.
#[derive(Debug, Clone)]
pub struct Reactions {
    /// In the order in which they were put.
    pub reactions: Vec<PutReaction>,
    /// Where to go on; `None` at the end.
    pub next: Option<Position>,
    /// No reaction that was accepted can be missing.
    pub complete: bool,
}

impl Chat {
    /// Who has reacted to a message that `user` may see, in the order in which they did, those after a place;
    /// with one kind of reaction, or any.
    ///
    /// # Errors
    /// As [`Chat::history`]; `not_found` for what is no message, or none that they may see.
    pub async fn reactions(
        &self,
        user: UserId,
        (conversation, place): (ConversationId, Position),
        emoji: Option<&Emoji>,
        after: Position,
        limit: usize,
    ) -> Result<Reactions, Refusal> {
        let is_room = self.place(user, conversation).await? == Place::Room;
        let MemoryOf { unflushed, visible, changes, last, is_complete: in_memory } =
            self.in_memory((user, is_room), conversation).await?;
        let places = [place].into_iter().filter(|place| visible.contains(*place)).collect::<Vec<_>>();
        let shown = self.at_places(user, conversation, &places, &unflushed, &changes).await?;
        if shown.first().is_none_or(Shown::is_deleted) {
            return Err(no_such_message());
        }
        let kind = emoji.map(Emoji::as_str);
        let page = self.store.reactions_to(&self.topic, (conversation, place), kind, after, limit).await?;
        let stored =
            page.log.next_offsets.get(&partition_of(conversation, self.partitions)).copied().unwrap_or(0);
        let mut reactions = page.reactions;
        let mut next = reactions.last().map(|put| put.position).filter(|_| page.has_more);
        for event in unflushed.iter().filter(|event| event.position().offset() >= stored) {
            let (actor, position) = (event.event().actor, event.position());
            match &event.event().action {
                Action::Reacted { target, emoji: put, on } if target.position == place => {
                    if *on
                        && !page.has_more
                        && position > after
                        && kind.is_none_or(|kind| kind == put.as_str())
                    {
                        let emoji = put.as_str().to_owned();
                        reactions.push(PutReaction { user: actor, emoji, position });
                    } else if !on {
                        reactions.retain(|other| other.user != actor || other.emoji != put.as_str());
                    }
                }
                _ => {}
            }
        }
        if reactions.len() > limit {
            reactions.truncate(limit);
            next = reactions.last().map(|put| put.position);
        }
        let newest = reactions.iter().map(|put| put.position).max();
        self.is_still_theirs((user, is_room), conversation, last, newest).await?;
        Ok(Reactions { reactions, next, complete: in_memory && self.health.is_current() })
    }
}

/// There is none there, or none that one may know of: the two look the same from outside.
pub(super) fn no_such_message() -> Refusal {
    Refusal::new(Code::NotFound, "there is no message at this position")
}
