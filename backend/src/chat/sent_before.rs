//! Whether something was sent before: what repeats another is answered with the first one's place, another
//! thing of the same name is refused, and what is new is said to be so only when that is certain.

use milena_domain::record::{Action, Event};
use milena_domain::{MessageId, Position};
use milena_storage::{Page, PositionRange, StoredMessage, StoredPlace};

use super::Chat;
use super::first_sends::Proof;
use super::page::placed;
use super::send::accepted_at;
use crate::batched::Batched;
use crate::live::News;
use crate::log::delivery::{accepted, client_id_reused};
use crate::log::event::{is_same, message};
use crate::log::pending::Accepted;
use crate::metrics;
use crate::refusal::{Code, Refusal};
use crate::registry::ConnectionId;

/// Sends that may wait for a look-up, at most; beyond, they are refused for now.
const MAX_LOOKUPS: usize = 10_000;

impl Chat {
    /// The answer that this event got when it was sent first, if it was.
    ///
    /// Memory first, then the store: what leaves memory between the two is in the store by then. What is in
    /// neither, and was sent all the same, is newer than both: then the delivery task meets the first one
    /// before this one.
    pub(super) async fn sent_before(
        &self,
        event: &Event,
        connection: Option<ConnectionId>,
    ) -> Result<Option<Accepted>, Refusal> {
        let (in_memory, covers_since_ms, is_complete) = {
            let recent = self.recent();
            // Between two people a plain message is named in the way of version 1.
            let plain = event.seen.and(event.to).map(|_| MessageId::derive(event.actor, &event.client_id));
            let first = recent.find(event.id).or_else(|| recent.find(plain?));
            // All partitions: the id may name a message to somebody else.
            (first, recent.covers_since_ms(), recent.is_all_complete())
        };
        if let Some(first) = in_memory {
            return if is_same(first.as_sent(), event) {
                Ok(Some(accepted(first.placed())))
            } else {
                Err(client_id_reused())
            };
        }
        if self.is_used_in_room(event) {
            // The place alone does not say when it was sent, and this one is later.
            let place = self.place_in_store(event.id).await?.ok_or_else(cannot_tell)?;
            return self.first_in_store(event, &place).await.map(Some);
        }
        match self.first_sends.proof(event.actor, &event.client_id, covers_since_ms) {
            Proof::New => return Ok(None),
            // Busy times, or a long connection: from now on it needs no look-ups again.
            Proof::TooOld => {
                if let Some(connection) = connection {
                    let prefix = self.client_id_prefix(event.actor);
                    self.registry.deliver_to(connection, News::Prefix(prefix).into());
                }
            }
            Proof::None => {}
        }
        if event.seen.is_some() {
            // Between two people a plain message is named in the way of version 1.
            let plain = async {
                match event.to {
                    Some(_) => self.place_in_store(MessageId::derive(event.actor, &event.client_id)).await,
                    None => Ok(None),
                }
            };
            let (first, plain) = tokio::try_join!(self.place_in_store(event.id), plain)?;
            return match first {
                Some(place) => self.first_in_store(event, &place).await.map(Some),
                None if plain.is_some() => Err(client_id_reused()),
                None if is_complete => Ok(None),
                None => Err(cannot_tell()),
            };
        }
        match self.in_store(event.id).await? {
            Some(row) => {
                let is_changed = row.is_changed;
                let first = placed(row);
                // What somebody has edited since, or deleted, does not tell any more what it was.
                let is_first = first.event.conversation == event.conversation && is_changed;
                if is_first || is_same(&first.event, event) {
                    Ok(Some(accepted(&first)))
                } else {
                    Err(client_id_reused())
                }
            }
            None if is_complete => Ok(None),
            None => Err(cannot_tell()),
        }
    }

    /// Whether the fold remembers the id of an event of a room.
    fn is_used_in_room(&self, event: &Event) -> bool {
        let is_known =
            || self.rooms().get(event.conversation).and_then(|room| room.place_of(event.id)).is_some();
        event.to.is_none() && is_known()
    }

    /// The answer to a repeat of what the store has there, if that was the same.
    async fn first_in_store(&self, event: &Event, place: &StoredPlace) -> Result<Accepted, Refusal> {
        let StoredPlace { position, .. } = *place;
        if place.kind.as_deref() != kind_in_timeline(&event.action) {
            return Err(client_id_reused());
        }
        if place.kind.is_none() {
            let is_same = match place.digest {
                Some(digest) => place.conversation == event.conversation && digest == event.digest(),
                // A program of before has stored it: what became of the message tells, as far as it does.
                None => self.may_have_changed(event, position).await?,
            };
            return if is_same {
                Ok(Accepted { position, ..accepted_at(event) })
            } else {
                Err(client_id_reused())
            };
        }
        let at = Page::Around(position);
        let page = self.lookups.timeline(event.conversation, at, 1, &[PositionRange::ALL]).await?;
        let (events, changed) = (page.events, page.changed);
        match events.iter().find(|first| first.event.id == event.id) {
            // Of anything but a message its kind of row tells enough: the id is its author's own. And what
            // was changed since does not tell any more what it was.
            Some(first)
                if message(event).is_some()
                    && !changed.contains(&first.position)
                    && !is_same(&first.event, event) =>
            {
                Err(client_id_reused())
            }
            Some(first) => Ok(accepted(first)),
            None => Ok(Accepted { position, ..accepted_at(event) }),
        }
    }

    /// Whether the change at `position` can have been this one. The store keeps only where it stands, so what
    /// became of the message tells: of a deletion for sure, of an edit while it is the newest one. What hides
    /// behind later changes passes.
    async fn may_have_changed(&self, event: &Event, position: Position) -> Result<bool, Refusal> {
        let Some(target) = event.action.target() else { return Ok(true) };
        let now = self.lookups.messages_now(event.conversation, &[target.position], &[event.actor]).await?;
        let Some(now) = now.into_iter().find(|now| now.placed.event.id == target.id) else {
            return Ok(false);
        };
        let Some(life) = now.life else { return Ok(false) };
        let deleted = life.deleted.map(|(at, ..)| at);
        Ok(match &event.action {
            Action::Deleted { .. } => deleted == Some(position),
            _ if deleted.is_some() => deleted > Some(position),
            Action::Edited { body, mentions, .. } if life.edited == Some(position) => {
                let words = message(&now.placed.event);
                words.is_some_and(|words| words.body == *body && words.mentions == *mentions)
            }
            Action::Edited { .. } => life.edited > Some(position),
            _ => life.changed >= position,
        })
    }

    /// A message of version 1 by its id, asked together with the others who ask.
    pub(super) async fn in_store(&self, id: MessageId) -> Result<Option<StoredMessage>, Refusal> {
        look_up(&self.repeats, id).await
    }

    /// Where an event of version 2 stands, asked in the same way.
    async fn place_in_store(&self, id: MessageId) -> Result<Option<StoredPlace>, Refusal> {
        look_up(&self.places, id).await
    }
}

async fn look_up<T: Clone>(all: &Batched<MessageId, T>, id: MessageId) -> Result<Option<T>, Refusal> {
    if all.waiting() >= MAX_LOOKUPS {
        return Err(Refusal::later(Code::Overloaded, "too many messages wait to be looked up", 500));
    }
    metrics::repeat_looked_up();
    all.get(id).await.map_err(|error| Refusal::from(&*error))
}

/// Of what stands in the timeline, its type: as what the store keeps it.
fn kind_in_timeline(action: &Action) -> Option<&'static str> {
    let is_row = match action {
        Action::Pinned { .. } => true,
        Action::Blocked { .. } | Action::RoomState(_) => false,
        _ => action.target().is_none(),
    };
    is_row.then(|| action.name())
}

fn cannot_tell() -> Refusal {
    Refusal::later(Code::Overloaded, "the server cannot tell yet whether this was sent before", 1_000)
}
