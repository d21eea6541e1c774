//! People, messages and batches to test with, and a writer that keeps track of its offsets.

use milena_domain::record::Placed;
use milena_domain::{
    Body, ClientId, ConversationId, DisplayName, Epoch, MessageEvent, MessageId, Position, Timestamp, UserId,
    Username,
};
use milena_storage::{NewUser, OffsetAdvance, Store, WriteBatch, WriteReport};

pub(crate) const TOPIC: &str = "chat_messages";

pub(crate) fn user(number: u128) -> UserId {
    UserId::from_uuid(uuid::Uuid::from_u128(number))
}

pub(crate) fn at(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(ms)
}

pub(crate) fn new_user(number: u128, username: &str, display_name: &str) -> NewUser {
    NewUser {
        id: user(number),
        username: Username::new(username).unwrap(),
        display_name: DisplayName::new(display_name).unwrap(),
        password_hash: Some(format!("$argon2id${number}")),
        created_at: at(1_000 + number as i64),
    }
}

/// What a record of version 1 says, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MessageRow {
    pub(crate) conversation: ConversationId,
    pub(crate) position: Position,
    pub(crate) id: MessageId,
    pub(crate) sender: UserId,
    pub(crate) to: UserId,
    pub(crate) client_id: ClientId,
    pub(crate) sent_at: Timestamp,
    pub(crate) body: Body,
}

impl From<MessageRow> for Placed {
    fn from(row: MessageRow) -> Self {
        let MessageRow { conversation, position, id, sender, to, client_id, sent_at, body } = row;
        let event = MessageEvent { id, conversation, sender, to, client_id, sent_at, body };
        Self { position, event: event.into() }
    }
}

/// A row at an offset of epoch 1; sent at the same number of milliseconds.
pub(crate) fn row(sender: u128, to: u128, client_id: &str, offset: i64) -> MessageRow {
    row_with(sender, to, client_id, Position::new(Epoch::FIRST, offset), offset, &format!("letter {offset}"))
}

pub(crate) fn row_with(
    sender: u128,
    to: u128,
    client_id: &str,
    position: Position,
    sent_at_ms: i64,
    body: &str,
) -> MessageRow {
    let event = MessageEvent::new(
        user(sender),
        user(to),
        ClientId::new(client_id).unwrap(),
        at(sent_at_ms),
        Body::new(body).unwrap(),
    );
    let MessageEvent { id, conversation, sender, to, client_id, sent_at, body } = event;
    MessageRow { conversation, position, id, sender, to, client_id, sent_at, body }
}

/// A batch of one partition in epoch 1.
pub(crate) fn batch(partition: i32, from: i64, to: i64, rows: Vec<MessageRow>) -> WriteBatch {
    WriteBatch {
        topic: TOPIC.to_owned(),
        epoch: Epoch::FIRST,
        events: rows.into_iter().map(Into::into).collect(),
        advances: vec![OffsetAdvance { partition, from, to }],
    }
}

/// Writes rows to partition 0 after all that is stored there, whatever positions they have.
pub(crate) async fn write(store: &Store, rows: Vec<MessageRow>) -> WriteReport {
    let log = store.log_position(TOPIC).await.unwrap();
    let from = log.next_offsets.get(&0).copied().unwrap_or(0);
    let to = from + rows.len() as i64;
    let mut batch = batch(0, from, to, rows);
    batch.epoch = log.epoch;
    store.write_batch(&batch).await.unwrap()
}
