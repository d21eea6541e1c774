//! The messages, as the log has them.

use sea_orm::entity::prelude::*;

/// A row of `messages`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
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
    /// To whom; the sender for notes to self.
    pub recipient_id: Uuid,
    /// The sender's name for it.
    pub client_id: String,
    /// Milliseconds since 1970.
    pub sent_at_ms: i64,
    /// The text.
    #[sea_orm(column_type = "Text")]
    pub body: String,
}

/// None: what belongs together is joined by the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
