//! The ids of events that count and are not rows of the timeline, so that a repeat is known.

use sea_orm::entity::prelude::*;

/// A row of `effective_events`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "effective_events")]
pub struct Model {
    /// The event.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its conversation.
    pub conversation_id: Uuid,
    /// Its place.
    pub position: i64,
    /// What it said, in short ([`milena_domain::record::Event::digest`]); none where a program of before has
    /// stored, and when the message that it is about was deleted.
    pub digest: Option<i64>,
    /// The message that it is about.
    pub target_position: Option<i64>,
}

/// None: what belongs together is joined by the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
