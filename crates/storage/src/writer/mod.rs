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
use milena_domain::{
    Body, ClientId, ConversationId, Epoch, MessageEvent, MessageId, Position, Timestamp, UserId,
};

/// A message to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRow {
    /// The conversation.
    pub conversation: ConversationId,
    /// From the epoch and the record's offset.
    pub position: Position,
    /// Unique for ever; a row whose id is stored already is a duplicate and is left out.
    pub id: MessageId,
    /// Who wrote it.
    pub sender: UserId,
    /// To whom; the sender for notes to self.
    pub to: UserId,
    /// The sender's name for it.
    pub client_id: ClientId,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// The text.
    pub body: Body,
}

impl MessageRow {
    /// The row of what stands in the log at `position`.
    #[must_use]
    pub fn new(event: MessageEvent, position: Position) -> Self {
        let MessageEvent { id, conversation, sender, to, client_id, sent_at, body } = event;
        Self { conversation, position, id, sender, to, client_id, sent_at, body }
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
    /// Grouped by partition, in the order of the log. Of two rows with the same id the first counts.
    pub rows: Vec<MessageRow>,
    /// Every partition that the batch has records of, also when none of them became a row.
    pub advances: Vec<OffsetAdvance>,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WriteReport {
    /// Rows that are stored now and were not before.
    pub inserted: u64,
    /// Rows whose id was stored already, or stood in the batch before.
    pub duplicates: u64,
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
        let mut rows = derive::first_of_each_id(&batch.rows);
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
        rows: &[&MessageRow],
    ) -> Result<WriteReport, WriteError> {
        let inserted = match self.kind() {
            StoreKind::Postgres => postgres::write(self, manner, batch, rows).await?,
            StoreKind::Sqlite | StoreKind::MySql => chunked::write(self, manner, batch, rows).await?,
        };
        Ok(WriteReport { inserted, duplicates: batch.rows.len() as u64 - inserted })
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
