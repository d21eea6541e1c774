//! The bulk writer: a batch of records, what follows from them and the offsets they came from, in one
//! transaction.
//!
//! The steps are the same on all databases:
//!
//! 1. [`fence`]: the epoch is the current one, and each partition's stored offset moves from exactly where
//!    the batch begins to its end. Whoever comes second finds another offset and writes nothing. From here
//!    on, until the end of the transaction, no other batch of these partitions (and so of these
//!    conversations) can be written.
//! 2. Rows: those whose id is not stored yet.
//! 3. [`mod@derive`]: conversations and members follow from the rows *really inserted*. A message that stands
//!    in the log twice must not move its conversation to the second place.
//!
//! [`mod@postgres`] and [`chunked`] are the two ways in which they are made. Both look for stored ids only
//! when they have reason to: duplicates are rare, because a backend knows what it has accepted, and looking
//! costs about as much as storing. So a batch is first written as if all of it were new; when that fails for
//! a row's sake, the transaction is undone and made again with a look, which leaves duplicates out and tells
//! them from a position that another message has. A batch that passes no offset is read again, and so stored
//! already: it is looked for at once.

mod chunked;
mod derive;
mod fence;
mod postgres;

use crate::{Store, StoreKind, WriteError};
use milena_domain::record::{Action, Placed};
use milena_domain::{Body, ClientId, ConversationId, Epoch, MessageId, Position, Timestamp, UserId};
use sea_orm::DbErr;

/// A message to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct MessageRow<'b> {
    conversation: ConversationId,
    position: Position,
    /// Unique for ever; a row whose id is stored already is a repeat and is left out.
    id: MessageId,
    sender: UserId,
    /// The sender for notes to self.
    to: UserId,
    client_id: &'b ClientId,
    sent_at: Timestamp,
    body: &'b Body,
}

impl<'b> MessageRow<'b> {
    fn new(placed: &'b Placed) -> Result<Self, WriteError> {
        let Placed { position, event } = placed;
        let (Action::Message(message), Some(to)) = (&event.action, event.to) else {
            let sentence = format!("the store has no place yet for {}", event.action.name());
            return Err(WriteError::Permanent(DbErr::Custom(sentence)));
        };
        Ok(Self {
            conversation: event.conversation,
            position: *position,
            id: event.id,
            sender: event.actor,
            to,
            client_id: &event.client_id,
            sent_at: event.at,
            body: &message.body,
        })
    }
}

/// A partition's stored offset, from where the batch begins to where it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OffsetAdvance {
    /// The partition; named once in a batch.
    pub partition: i32,
    /// The next offset that must be stored now. A partition that was never stored takes any.
    pub from: i64,
    /// The next offset after the batch.
    pub to: i64,
}

/// What is written at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteBatch {
    /// The topic that the offsets belong to.
    pub topic: String,
    /// The epoch that the positions and offsets belong to.
    pub epoch: Epoch,
    /// Grouped by partition, each in the order of the log. Whether they count is judged by the writer.
    pub events: Vec<Placed>,
    /// Every partition that the batch has records of, also when none of them was a good one.
    pub advances: Vec<OffsetAdvance>,
}

/// What became of a batch's events: each is counted once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WriteReport {
    /// They count, and what they say is stored now and was not before.
    pub inserted: u64,
    /// They were said before, or stored before, or change nothing.
    pub repeats: u64,
    /// Good records that do not count: of them the store keeps the reason.
    pub void: u64,
}

impl Store {
    /// Writes a batch: all of it or nothing. Takes 30 s at most, and the wait for a connection.
    ///
    /// # Errors
    /// [`WriteError`] says what to do: read the offsets again, stop, try again, or look for the bad row.
    pub async fn write_batch(&self, batch: &WriteBatch) -> Result<WriteReport, WriteError> {
        // Boxed: the future of a whole transaction is large, and callers keep it in theirs.
        let outcome = self.bulk(Box::pin(self.write(batch))).await;
        if self.kind() == StoreKind::Postgres && matches!(outcome, Err(WriteError::Transient(_))) {
            postgres::end_sessions(self).await;
        }
        outcome
    }

    async fn write(&self, batch: &WriteBatch) -> Result<WriteReport, WriteError> {
        let rows = batch.events.iter().map(MessageRow::new).collect::<Result<Vec<_>, _>>()?;
        let mut rows = derive::first_of_each_id(&rows);
        // In the order of the primary key: neighbours share pages, and a conversation is read from fewer of
        // them.
        rows.sort_unstable_by_key(|row| (row.conversation, row.position));
        if !batch.advances.is_empty() {
            match self.write_in(Manner::AllNew, batch, &rows).await {
                Err(WriteError::Permanent(_)) => {}
                outcome => return outcome,
            }
        }
        self.write_in(Manner::Looking, batch, &rows).await
    }

    async fn write_in(
        &self,
        manner: Manner,
        batch: &WriteBatch,
        rows: &[&MessageRow<'_>],
    ) -> Result<WriteReport, WriteError> {
        let inserted = match self.kind() {
            StoreKind::Postgres => postgres::write(self, manner, batch, rows).await?,
            StoreKind::Sqlite | StoreKind::MySql => chunked::write(self, manner, batch, rows).await?,
        };
        Ok(WriteReport { inserted, repeats: batch.events.len() as u64 - inserted, void: 0 })
    }
}

/// How rows get into their table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// All at once; [`WriteError::Permanent`] when a row is stored already, or conflicts with anything else.
    AllNew,
    /// Without the rows whose id is stored.
    Looking,
}
