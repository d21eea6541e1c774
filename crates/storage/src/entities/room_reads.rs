//! How far members of rooms have read. Apart from their memberships, since it is not of the log.

use sea_orm::entity::prelude::*;

/// A row of `room_reads`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "room_reads")]
pub struct Model {
    /// The room.
    #[sea_orm(primary_key, auto_increment = false)]
    pub conversation_id: Uuid,
    /// The member, or who was one.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    /// Position up to which they have read. Only grows; there is no row before the first mark.
    pub last_read: i64,
}

/// None: what belongs together is joined by the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
