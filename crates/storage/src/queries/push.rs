//! Push: which devices people want to be told on, and up to where the log was taken up for that.
//!
//! A subscription counts while its session lives: each question joins the sessions, so that nothing is pushed
//! after somebody has signed out, whatever else was forgotten. What is taken up for pushing is claimed first,
//! by one compare-and-set a stretch of a partition: of two programs that have read the same records one
//! pushes them, and whoever ends between the claim and the push leaves them unpushed, never pushed twice.

use std::collections::BTreeMap;

use milena_domain::{ConversationId, Position, Timestamp, UserId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, Value};
use uuid::Uuid;

use super::{moment, position};
use crate::sql::{joined_in_order, padded, statement};
use crate::{StorageError, Store, StoreKind};

/// Devices of one person, at most.
pub const SUBSCRIPTIONS_MAX: usize = 20;
/// Characters of a label that are kept.
pub const LABEL_MAX_CHARS: usize = 200;
/// People of one statement.
const CHUNK: usize = 200;

/// From the place on: what is pushed is minutes old, so there is little after it.
const WRITTEN_AFTER: &str = "\
    SELECT 1 FROM messages \
    WHERE conversation_id = ? AND position > ? AND sender_id = ? AND kind = 'message' \
    LIMIT 1";

/// A device that is told what comes.
#[derive(Clone, PartialEq, Eq)]
pub struct PushSubscription {
    /// Its name towards its owner.
    pub id: Uuid,
    /// Whose it is.
    pub user: UserId,
    /// The session that it belongs to.
    pub session: Uuid,
    /// The address at the push service.
    pub endpoint: String,
    /// SHA-256 of that.
    pub endpoint_hash: [u8; 32],
    /// The device's public key, base64url.
    pub p256dh: String,
    /// What the device and this server share, base64url.
    pub auth: String,
    /// How its owner recognises it; cut to [`LABEL_MAX_CHARS`], control characters are dropped.
    pub label: String,
    /// Whether words and names may be pushed to it.
    pub words: bool,
    /// What was written before is not pushed to it.
    pub created_at: Timestamp,
}

impl std::fmt::Debug for PushSubscription {
    /// Whoever knows the endpoint may ask there, and its secret is one: neither is shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PushSubscription")
            .field("id", &self.id)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// What became of a subscription that was to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subscribed {
    /// It is a new one.
    New(PushSubscription),
    /// Its owner had this endpoint already; what else there is about it was replaced.
    Known(PushSubscription),
    /// The person has [`SUBSCRIPTIONS_MAX`].
    Full,
    /// Somebody else has the endpoint, under other keys.
    Taken,
    /// The session has ended meanwhile.
    Ended,
}

/// What every question asks for; the session must be alive.
const ALIVE: &str = "\
    SELECT p.id, p.user_id, p.session_id, p.endpoint, p.endpoint_hash, p.p256dh, p.auth, p.label, p.words, \
    p.created_at_ms FROM {from} \
    WHERE {which} AND s.expires_at_ms > ? AND (s.ends_at_ms IS NULL OR s.ends_at_ms > ?)";
const WITH_SESSION: &str = "push_subscriptions p JOIN sessions s ON s.id = p.session_id";

impl Store {
    /// Stores a subscription of somebody's session. An endpoint that the person has already keeps its name
    /// and its time. One that somebody else has goes to whoever proves by the same keys that it is the same
    /// browser.
    ///
    /// # Errors
    /// The database's.
    pub async fn subscribe(&self, new: &PushSubscription) -> Result<Subscribed, StorageError> {
        let label: String = new.label.chars().filter(|c| !c.is_control()).take(LABEL_MAX_CHARS).collect();
        let new = PushSubscription { label, ..new.clone() };
        self.answer(async {
            let transaction = self.write_transaction().await?;
            // Takes the locks: of a person's two requests the second counts what the first has stored, and no
            // session ends in between.
            let kind = self.kind();
            let user = Value::from(new.user.as_uuid());
            let lock = "UPDATE users SET username = username WHERE id = ?";
            transaction.execute_raw(statement(kind, lock, [user.clone()])).await?;
            let lock = "UPDATE sessions SET user_agent = user_agent WHERE id = ?";
            transaction.execute_raw(statement(kind, lock, [new.session.into()])).await?;
            let session = "SELECT id FROM sessions WHERE id = ? AND user_id = ?";
            let session = statement(kind, session, [new.session.into(), user.clone()]);
            if transaction.query_one_raw(session).await?.is_none() {
                return Ok(Subscribed::Ended);
            }
            let subscribed = self.subscribe_locked(&transaction, new).await?;
            transaction.commit().await?;
            Ok(subscribed)
        })
        .await
    }

    async fn subscribe_locked(
        &self,
        transaction: &DatabaseTransaction,
        new: PushSubscription,
    ) -> Result<Subscribed, StorageError> {
        const KNOWN: &str = "SELECT * FROM push_subscriptions WHERE endpoint_hash = ?";
        const CHANGE: &str = "UPDATE push_subscriptions \
            SET session_id = ?, p256dh = ?, auth = ?, label = ?, words = ? WHERE id = ?";
        const DROP: &str = "DELETE FROM push_subscriptions WHERE id = ?";
        const COUNT: &str = "SELECT COUNT(*) FROM push_subscriptions WHERE user_id = ?";
        const INSERT: &str = "INSERT INTO push_subscriptions (id, user_id, session_id, endpoint, \
            endpoint_hash, p256dh, auth, label, words, created_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let kind = self.kind();
        let hash = Value::from(new.endpoint_hash.to_vec());
        if let Some(row) = transaction.query_one_raw(statement(kind, KNOWN, [hash.clone()])).await? {
            let known = subscription(&row)?;
            if known.user == new.user {
                let values: [Value; 6] = [
                    new.session.into(),
                    new.p256dh.as_str().into(),
                    new.auth.as_str().into(),
                    new.label.as_str().into(),
                    new.words.into(),
                    known.id.into(),
                ];
                transaction.execute_raw(statement(kind, CHANGE, values)).await?;
                let changed = PushSubscription { id: known.id, created_at: known.created_at, ..new };
                return Ok(Subscribed::Known(changed));
            }
            if (&known.p256dh, &known.auth) != (&new.p256dh, &new.auth) {
                return Ok(Subscribed::Taken);
            }
            transaction.execute_raw(statement(kind, DROP, [known.id.into()])).await?;
        }
        let count = statement(kind, COUNT, [new.user.as_uuid().into()]);
        let count = transaction.query_one_raw(count).await?;
        let count: i64 = count.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or(0);
        if usize::try_from(count).unwrap_or(0) >= SUBSCRIPTIONS_MAX {
            return Ok(Subscribed::Full);
        }
        let values: [Value; 10] = [
            new.id.into(),
            new.user.as_uuid().into(),
            new.session.into(),
            new.endpoint.as_str().into(),
            hash,
            new.p256dh.as_str().into(),
            new.auth.as_str().into(),
            new.label.as_str().into(),
            new.words.into(),
            new.created_at.unix_ms().into(),
        ];
        transaction.execute_raw(statement(kind, INSERT, values)).await?;
        Ok(Subscribed::New(new))
    }

    /// Removes a subscription of this person; `false` when they have no such one.
    ///
    /// # Errors
    /// The database's.
    pub async fn unsubscribe(&self, user: UserId, id: Uuid) -> Result<bool, StorageError> {
        const REMOVE: &str = "DELETE FROM push_subscriptions WHERE id = ? AND user_id = ?";
        let remove = statement(self.kind(), REMOVE, [id.into(), user.as_uuid().into()]);
        self.answer(async { Ok(self.writer().execute_raw(remove).await?.rows_affected() > 0) }).await
    }

    /// Whether anybody is to be told of anything.
    ///
    /// # Errors
    /// The database's.
    pub async fn has_subscriptions(&self) -> Result<bool, StorageError> {
        const ANY: &str = "SELECT id FROM push_subscriptions LIMIT 1";
        let any = statement(self.kind(), ANY, []);
        self.answer(async { Ok(self.reader().query_one_raw(any).await?.is_some()) }).await
    }

    /// One subscription, while its session lives.
    ///
    /// # Errors
    /// The database's; [`StorageError::Corrupt`] for a row that makes no sense.
    pub async fn subscription(
        &self,
        id: Uuid,
        now: Timestamp,
    ) -> Result<Option<PushSubscription>, StorageError> {
        Ok(self.subscriptions(WITH_SESSION, "p.id = ?", [id.into()], now).await?.pop())
    }

    /// Whether somebody has written a message to a conversation after a place: then they have read that.
    ///
    /// # Errors
    /// The database's.
    pub async fn has_written_after(
        &self,
        user: UserId,
        conversation: ConversationId,
        place: Position,
    ) -> Result<bool, StorageError> {
        let values = [conversation.as_uuid().into(), place.as_i64().into(), user.as_uuid().into()];
        let text = statement(self.kind(), WRITTEN_AFTER, values);
        self.answer(async { Ok(self.reader().query_one_raw(text).await?.is_some()) }).await
    }

    /// The devices of these people, oldest first.
    ///
    /// # Errors
    /// As [`Store::subscription`].
    pub async fn subscriptions_of(
        &self,
        users: &[UserId],
        now: Timestamp,
    ) -> Result<Vec<PushSubscription>, StorageError> {
        let mut found = Vec::new();
        for chunk in users.chunks(CHUNK) {
            let values: Vec<Value> = padded(chunk).map(|user| user.as_uuid().into()).collect();
            let which = format!("p.user_id IN ({})", vec!["?"; values.len()].join(", "));
            found.extend(self.subscriptions(WITH_SESSION, &which, values, now).await?);
        }
        found.sort_by_key(|subscription| subscription.id);
        Ok(found)
    }

    /// The devices of those who were in a room at a place of it and still are, as far as the store knows.
    ///
    /// # Errors
    /// As [`Store::subscription`].
    pub async fn subscriptions_in_room(
        &self,
        room: ConversationId,
        at: Position,
        now: Timestamp,
    ) -> Result<Vec<PushSubscription>, StorageError> {
        let then = joined_in_order(self.kind());
        let from = format!(
            "memberships m {then} push_subscriptions p ON p.user_id = m.user_id \
             {then} sessions s ON s.id = p.session_id"
        );
        // Another role begins another interval: whoever is in it now came, or got a role, before or after.
        let which = "m.conversation_id = ? AND m.to_position IS NULL AND EXISTS (\
            SELECT 1 FROM memberships i WHERE i.conversation_id = m.conversation_id \
            AND i.user_id = m.user_id AND i.from_position <= ? \
            AND (i.to_position IS NULL OR i.to_position > ?))";
        let place = || Value::from(at.as_i64());
        self.subscriptions(&from, which, [room.as_uuid().into(), place(), place()], now).await
    }

    async fn subscriptions(
        &self,
        from: &str,
        which: &str,
        values: impl IntoIterator<Item = Value>,
        now: Timestamp,
    ) -> Result<Vec<PushSubscription>, StorageError> {
        let text = ALIVE.replace("{from}", from).replace("{which}", which);
        let now = || Value::from(now.unix_ms());
        let ask = statement(self.kind(), &text, values.into_iter().chain([now(), now()]));
        self.answer(async {
            let rows = self.reader().query_all_raw(ask).await?;
            rows.iter().map(subscription).collect()
        })
        .await
    }

    /// By partition of a topic, up to where it was taken up.
    ///
    /// # Errors
    /// As [`Store::subscription`].
    pub async fn pushed_up_to(&self, topic: &str) -> Result<BTreeMap<i32, Position>, StorageError> {
        const ALL: &str = "SELECT partition_id, next_position FROM push_positions WHERE topic = ?";
        let ask = statement(self.kind(), ALL, [topic.into()]);
        self.answer(async {
            let rows = self.reader().query_all_raw(ask).await?;
            rows.iter()
                .map(|row| {
                    Ok((row.try_get("", "partition_id")?, position(row.try_get("", "next_position")?)?))
                })
                .collect()
        })
        .await
    }

    /// Takes up `from` to before `to` of a partition; `None`: it is the caller's to push, and nobody else
    /// will. Else nothing was taken, and the answer says up to where others have.
    ///
    /// # Errors
    /// The database's. Whether it was taken is not known then.
    pub async fn claim_pushes(
        &self,
        topic: &str,
        partition: i32,
        from: Position,
        to: Position,
    ) -> Result<Option<Position>, StorageError> {
        let first = match self.kind() {
            StoreKind::MySql => {
                "INSERT IGNORE INTO push_positions (topic, partition_id, next_position) \
                VALUES (?, ?, 0)"
            }
            StoreKind::Sqlite | StoreKind::Postgres => {
                "INSERT INTO push_positions (topic, partition_id, next_position) VALUES (?, ?, 0) \
                 ON CONFLICT (topic, partition_id) DO NOTHING"
            }
        };
        const CLAIM: &str = "UPDATE push_positions SET next_position = ? \
            WHERE topic = ? AND partition_id = ? AND next_position <= ?";
        const TAKEN: &str = "SELECT next_position FROM push_positions WHERE topic = ? AND partition_id = ?";
        let kind = self.kind();
        let row = || -> [Value; 2] { [topic.into(), partition.into()] };
        let values: [Value; 4] = [to.as_i64().into(), topic.into(), partition.into(), from.as_i64().into()];
        self.answer(async {
            let claimed = statement(kind, CLAIM, values.clone());
            if self.writer().execute_raw(claimed).await?.rows_affected() > 0 {
                return Ok(None);
            }
            self.writer().execute_raw(statement(kind, first, row())).await?;
            let claimed = statement(kind, CLAIM, values.clone());
            if self.writer().execute_raw(claimed).await?.rows_affected() > 0 {
                return Ok(None);
            }
            let taken = self.writer().query_one_raw(statement(kind, TAKEN, row())).await?;
            let taken = taken.ok_or_else(|| StorageError::corrupt("no place from which to push"))?;
            position(taken.try_get("", "next_position")?).map(Some)
        })
        .await
    }
}

fn subscription(row: &QueryResult) -> Result<PushSubscription, StorageError> {
    let hash: Vec<u8> = row.try_get("", "endpoint_hash")?;
    let endpoint_hash = <[u8; 32]>::try_from(hash.as_slice())
        .map_err(|_| StorageError::corrupt("an endpoint's hash of another length"))?;
    Ok(PushSubscription {
        id: row.try_get("", "id")?,
        user: UserId::from_uuid(row.try_get("", "user_id")?),
        session: row.try_get("", "session_id")?,
        endpoint: row.try_get("", "endpoint")?,
        endpoint_hash,
        p256dh: row.try_get("", "p256dh")?,
        auth: row.try_get("", "auth")?,
        label: row.try_get("", "label")?,
        words: row.try_get("", "words")?,
        created_at: moment(row.try_get("", "created_at_ms")?),
    })
}
