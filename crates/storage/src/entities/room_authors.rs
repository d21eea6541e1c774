//! Each author's newest message in a room: nobody has unread messages before their own.

use sea_orm::entity::prelude::*;

/// A row of `room_authors`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "room_authors")]
pub struct Model {
    /// The room.
    #[sea_orm(primary_key, auto_increment = false)]
    pub conversation_id: Uuid,
    /// Who wrote.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    /// Where last.
    pub position: i64,
}

/// None: what belongs together is joined by the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
