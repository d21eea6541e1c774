//! The outbox: what a transaction of the database promises the log.
//!
//! A row is written in the transaction that it belongs to, worked off by whoever has the lease on it, and
//! deleted once the log has confirmed its event. A lease runs by the database's clock, so programs need not
//! agree about the time; of who dies, the rows come back when it ends. A row may therefore be done twice.
//! Its id is the id of the event that it becomes, so that twice is still one event.

use std::time::Duration;

use milena_domain::{ClientId, ConversationId, MessageId, UserId};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Value,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::entities::users;
use crate::sql::{padded, statement};
use crate::{StorageError, Store, StoreKind};

/// Somebody comes into a room because they have registered.
const JOINING: &str = "joining";
/// Rows of one claim, at most.
const CLAIM_MAX: usize = 512;
/// People of one transaction of [`Store::expect_everybody`].
const PEOPLE: u64 = 500;

/// Somebody who is to come into a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joining {
    /// The event that it becomes.
    pub id: MessageId,
    /// Who.
    pub user: UserId,
    /// Where.
    pub room: ConversationId,
    /// How long it has waited, by the database's clock.
    pub waited: Duration,
}

impl Joining {
    /// The `client_id` of the event, the same for everybody: a person and a room are brought together once.
    #[must_use]
    pub fn client_id() -> ClientId {
        ClientId::new("registration").expect("printable and short")
    }
}

#[derive(Serialize, Deserialize)]
struct Payload {
    user: UserId,
    room: ConversationId,
}

impl Store {
    /// Takes up to `limit` people who are to come into rooms, the oldest first; until `lease` is over nobody
    /// else takes them.
    ///
    /// # Errors
    /// The database's.
    pub async fn claim_joinings(&self, lease: Duration, limit: usize) -> Result<Vec<Joining>, StorageError> {
        let now = now_ms(self.kind());
        // Whoever claims at the same time is passed by, not waited for. SQLite has one writer anyway.
        let lock = if self.kind() == StoreKind::Sqlite { "" } else { "FOR UPDATE SKIP LOCKED" };
        let claim = format!(
            "SELECT id, payload, {now} - created_at_ms AS waited_ms FROM outbox \
             WHERE kind = ? AND leased_until_ms <= {now} ORDER BY created_at_ms, id LIMIT ? {lock}"
        );
        let limit = i64::try_from(limit.clamp(1, CLAIM_MAX)).unwrap_or(1);
        let lease_ms = i64::try_from(lease.as_millis()).unwrap_or(i64::MAX >> 1);
        self.answer(async {
            let transaction = self.write_transaction().await?;
            let query = statement(self.kind(), &claim, [JOINING.into(), limit.into()]);
            let mut ids: Vec<Uuid> = Vec::new();
            let mut joinings = Vec::new();
            for row in transaction.query_all_raw(query).await? {
                let id: Uuid = row.try_get("", "id")?;
                ids.push(id);
                let payload: String = row.try_get("", "payload")?;
                // Nobody can do anything with it; it is left to be looked at, and holds nobody up.
                let Ok(Payload { user, room }) = serde_json::from_str(&payload) else {
                    log::error!(id:%; "a row of the outbox cannot be read");
                    continue;
                };
                let waited = row.try_get::<i64>("", "waited_ms")?;
                let waited = Duration::from_millis(u64::try_from(waited).unwrap_or(0));
                joinings.push(Joining { id: MessageId::from_uuid(id), user, room, waited });
            }
            if !ids.is_empty() {
                let among = among(ids.len());
                let lease = format!("UPDATE outbox SET leased_until_ms = {now} + ? WHERE id IN ({among})");
                let values =
                    std::iter::once(Value::from(lease_ms)).chain(padded(&ids).map(|id| (*id).into()));
                transaction.execute_raw(statement(self.kind(), &lease, values)).await?;
            }
            transaction.commit().await?;
            Ok(joinings)
        })
        .await
    }

    /// Gives back rows that could not be done now, so that their lease need not be waited for.
    ///
    /// # Errors
    /// The database's.
    pub async fn release_outbox(&self, ids: &[MessageId]) -> Result<(), StorageError> {
        self.of_outbox("UPDATE outbox SET leased_until_ms = 0 WHERE id IN ", ids).await
    }

    /// Deletes rows whose events the log has confirmed, or that will never be events.
    ///
    /// # Errors
    /// The database's; the rows are done again then, after their lease.
    pub async fn delete_outbox(&self, ids: &[MessageId]) -> Result<(), StorageError> {
        self.of_outbox("DELETE FROM outbox WHERE id IN ", ids).await
    }

    async fn of_outbox(&self, text: &str, ids: &[MessageId]) -> Result<(), StorageError> {
        self.answer(async {
            for chunk in ids.chunks(CLAIM_MAX) {
                let values = padded(chunk).map(|id| id.as_uuid().into());
                let text = format!("{text}({})", among(chunk.len()));
                self.writer().execute_raw(statement(self.kind(), &text, values)).await?;
            }
            Ok(())
        })
        .await
    }

    /// Leaves a row for each of the next people after `after` who can sign in, those who registered before
    /// the room was there; answers the last of them, and `None` when there was nobody left. Twice is once.
    ///
    /// # Errors
    /// The database's.
    pub async fn expect_everybody(
        &self,
        room: ConversationId,
        after: Option<UserId>,
    ) -> Result<Option<UserId>, StorageError> {
        self.bulk(async {
            let people: Vec<Uuid> = users::Entity::find()
                .select_only()
                .column(users::Column::Id)
                .filter(users::Column::Id.gt(after.map_or(Uuid::nil(), UserId::as_uuid)))
                .filter(users::Column::PasswordHash.is_not_null())
                .order_by_asc(users::Column::Id)
                .limit(PEOPLE)
                .into_tuple()
                .all(self.writer())
                .await?;
            let people: Vec<UserId> = people.into_iter().map(UserId::from_uuid).collect();
            let transaction = self.write_transaction().await?;
            let pairs: Vec<_> = people.iter().map(|user| (*user, room)).collect();
            expect(self.kind(), &transaction, &pairs).await?;
            transaction.commit().await?;
            Ok(people.last().copied())
        })
        .await
    }
}

/// Leaves a row for each of these people who are to come into a room.
pub(super) async fn expect(
    kind: StoreKind,
    connection: &impl ConnectionTrait,
    pairs: &[(UserId, ConversationId)],
) -> Result<(), DbErr> {
    if pairs.is_empty() {
        return Ok(());
    }
    let row = format!("(?, ?, ?, {})", now_ms(kind));
    let rows = vec![row; pairs.len()].join(", ");
    let (ignore, nothing) = match kind {
        StoreKind::MySql => ("IGNORE ", ""),
        StoreKind::Sqlite | StoreKind::Postgres => ("", " ON CONFLICT (id) DO NOTHING"),
    };
    let text =
        format!("INSERT {ignore}INTO outbox (id, kind, payload, created_at_ms) VALUES {rows}{nothing}");
    let client_id = Joining::client_id();
    let values = pairs.iter().flat_map(|&(user, room)| {
        let payload = format!("{{\"user\":\"{user}\",\"room\":\"{room}\"}}");
        let id = MessageId::of_event(room, user, &client_id).as_uuid();
        [Value::from(id), JOINING.into(), payload.into()]
    });
    connection.execute_raw(statement(kind, &text, values)).await?;
    Ok(())
}

fn among(count: usize) -> String {
    vec!["?"; count.next_power_of_two()].join(", ")
}

/// The database's clock, in milliseconds since 1970; it moves on within a transaction.
fn now_ms(kind: StoreKind) -> &'static str {
    match kind {
        StoreKind::Sqlite => "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
        StoreKind::Postgres => "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)",
        // Connections have UTC as their time zone: the hour that comes twice does not come.
        StoreKind::MySql => "CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)",
    }
}
