//! The timeline: messages, and what happened in rooms.

use sea_orm::entity::prelude::*;

/// A row of `messages`.
#[derive(Clone, Debug, PartialEq, Eq, Default, DeriveEntityModel)]
#[sea_orm(table_name = "messages")]
pub struct Model {
    /// The conversation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub conversation_id: Uuid,
    /// `epoch << 40 | offset`: the order of the conversation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    /// Derived from sender and `client_id`: makes a message unique for ever.
    #[sea_orm(unique)]
    pub id: Uuid,
    /// Who wrote it.
    pub sender_id: Uuid,
    /// To whom in a direct conversation, the sender for notes to self; in a room the sender.
    pub recipient_id: Uuid,
    /// The sender's name for it.
    pub client_id: String,
    /// Milliseconds since 1970.
    pub sent_at_ms: i64,
    /// The text; empty for what is no message, and when it was deleted.
    #[sea_orm(column_type = "Text")]
    pub body: String,
    /// `message`, or the type of another event of the log.
    pub kind: String,
    /// JSON: what the event has besides the text.
    #[sea_orm(column_type = "Text", nullable)]
    pub payload: Option<String>,
    /// A message's dense number, from 1 on; of another event that of the last message before it. None where a
    /// program of before has stored, until somebody numbers it.
    pub seq: Option<i64>,
    /// Where the text was last changed.
    pub edited_position: Option<i64>,
    /// Where it was deleted.
    pub deleted_position: Option<i64>,
    /// Where it was pinned, while it is.
    pub pinned_position: Option<i64>,
    /// Where the pin was taken out, while none is in.
    pub unpinned_position: Option<i64>,
    /// Where anything about it last changed; none while it is as it was written.
    pub changed_position: Option<i64>,
}

/// None: what belongs together is joined by the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
