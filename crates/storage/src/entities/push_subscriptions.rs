//! Where people's devices are told what came while nobody looked.

use sea_orm::entity::prelude::*;

/// A row of `push_subscriptions`. It goes with its session.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "push_subscriptions")]
pub struct Model {
    /// Its name towards its owner.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose it is.
    pub user_id: Uuid,
    /// The session that it was made in.
    pub session_id: Uuid,
    /// SHA-256 of the endpoint: an endpoint is one browser's, and belongs to one person.
    #[sea_orm(unique, column_type = "Binary(32)")]
    pub endpoint_hash: Vec<u8>,
    /// The address of the push service. Whoever knows it may ask there: it is shown to nobody.
    #[sea_orm(column_type = "Text")]
    pub endpoint: String,
    /// The device's public key, base64url.
    pub p256dh: String,
    /// The secret that the device and this server share, base64url.
    pub auth: String,
    /// How its owner recognises the device.
    pub label: String,
    /// Whether words and names may be pushed to it.
    pub words: bool,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
}

/// None: what belongs together is joined by the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
