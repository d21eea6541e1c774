//! The bulk writer: a batch of records, what follows from them and the offsets they came from, in one transaction.
//!
//! The steps are the same on all databases:
//!
//! 1. [`fence`]: the epoch is the current one, and each partition's stored offset moves from exactly where the batch
//!    begins to its end. Whoever comes second finds another offset and writes nothing. From here on, until the end of
//!    the transaction, no other batch of these partitions (and so of these conversations) can be written.
//! 2. Rows: those whose id is not stored yet. This is the only step with two strategies, [`postgres`] and [`chunked`].
//! 3. [`mod@derive`]: conversations and members follow from the rows *really inserted*. A message that stands in the log
//!    twice must not move its conversation to the second place.

mod chunked;
mod derive;
mod fence;
mod postgres;

use milena_domain::{Body, ClientId, ConversationId, Epoch, MessageId, Position, Timestamp, UserId};
use sea_orm::DatabaseTransaction;

use self::derive::{DerivedConversation, DerivedMember};
use crate::{Store, StoreKind, WriteError, crash_point};

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
        self.bulk(Box::pin(self.write(batch))).await
    }

    async fn write(&self, batch: &WriteBatch) -> Result<WriteReport, WriteError> {
        let rows = derive::first_of_each_id(&batch.rows);
        let transaction = self.write_transaction().await?;
        fence::advance(&transaction, batch).await?;
        let target = Target { kind: self.kind(), transaction };
        let inserted = target.insert_messages(&rows).await?;
        crash_point("after_insert");
        if !inserted.is_empty() {
            target.upsert_conversations(&derive::conversations(&inserted)).await?;
            target.insert_members(&derive::members(&inserted)).await?;
        }
        crash_point("before_commit");
        target.transaction.commit().await?;
        crash_point("after_commit");
        let inserted = inserted.len() as u64;
        Ok(WriteReport { inserted, duplicates: batch.rows.len() as u64 - inserted })
    }
}

/// The open transaction and the strategy for it.
struct Target {
    kind: StoreKind,
    transaction: DatabaseTransaction,
}

impl Target {
    /// Answers those rows that are new.
    async fn insert_messages<'r>(&self, rows: &[&'r MessageRow]) -> Result<Vec<&'r MessageRow>, WriteError> {
        match self.kind {
            StoreKind::Postgres => postgres::insert_messages(&self.transaction, rows).await,
            StoreKind::Sqlite | StoreKind::MySql => {
                chunked::insert_messages(self.kind, &self.transaction, rows).await
            }
        }
    }

    async fn upsert_conversations(&self, conversations: &[DerivedConversation]) -> Result<(), WriteError> {
        match self.kind {
            StoreKind::Postgres => postgres::upsert_conversations(&self.transaction, conversations).await,
            StoreKind::Sqlite | StoreKind::MySql => {
                chunked::upsert_conversations(self.kind, &self.transaction, conversations).await
            }
        }
    }

    async fn insert_members(&self, members: &[DerivedMember]) -> Result<(), WriteError> {
        match self.kind {
            StoreKind::Postgres => postgres::insert_members(&self.transaction, members).await,
            StoreKind::Sqlite | StoreKind::MySql => {
                chunked::insert_members(self.kind, &self.transaction, members).await
            }
        }
    }
}
