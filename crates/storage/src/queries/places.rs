//! Where an event stands that counted, whatever its kind: how a repeat is recognised.

use milena_domain::{ConversationId, MessageId, Position};
use sea_orm::{ConnectionTrait, QueryResult, Value};
use uuid::Uuid;

use super::position;
use crate::sql::{padded, statement};
use crate::{StorageError, Store, StoreKind};

/// Ids of one statement.
const IDS: usize = 512;

/// An event that counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPlace {
    /// Its id.
    pub id: MessageId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// Its place.
    pub position: Position,
    /// Its type, of what stands in the timeline; of what changed something there (an edit, a deletion, a
    /// reaction, a block, a checkpoint) only the place is kept.
    pub kind: Option<String>,
    /// Of what has only a place, what it said, in short ([`milena_domain::record::Event::digest`]); none
    /// where a program of before has stored, and when the message that it is about was deleted.
    pub digest: Option<i64>,
}

impl Store {
    /// Where those of `ids` stand that counted, events of every kind, in no order: two look-ups an id, each
    /// in an index.
    ///
    /// # Errors
    /// The database's; [`StorageError::Corrupt`] for a row that makes no sense.
    pub async fn events_by_id(&self, ids: &[MessageId]) -> Result<Vec<StoredPlace>, StorageError> {
        const ROWS: &str = "SELECT id, conversation_id, position, kind, CAST(NULL AS {whole}) AS digest \
            FROM messages WHERE id IN ";
        const CHANGES: &str = "SELECT id, conversation_id, position, NULL AS kind, digest \
            FROM effective_events WHERE id IN ";
        self.answer(async {
            let mut found = Vec::with_capacity(ids.len());
            for chunk in ids.chunks(IDS) {
                for text in [ROWS.replace("{whole}", whole(self.kind())), CHANGES.to_owned()] {
                    let values = padded(chunk).map(|id| Value::from(id.as_uuid()));
                    let among = vec!["?"; values.len()].join(", ");
                    let query = statement(self.kind(), &format!("{text}({among})"), values);
                    for row in self.reader().query_all_raw(query).await? {
                        found.push(place(&row)?);
                    }
                }
            }
            Ok(found)
        })
        .await
    }
}

fn place(row: &QueryResult) -> Result<StoredPlace, StorageError> {
    Ok(StoredPlace {
        id: MessageId::from_uuid(row.try_get::<Uuid>("", "id")?),
        conversation: ConversationId::from_uuid(row.try_get::<Uuid>("", "conversation_id")?),
        position: position(row.try_get("", "position")?)?,
        kind: row.try_get("", "kind")?,
        digest: row.try_get("", "digest")?,
    })
}

/// What a database calls a whole number where a value without a type is made one.
const fn whole(kind: StoreKind) -> &'static str {
    match kind {
        StoreKind::MySql => "SIGNED",
        StoreKind::Sqlite | StoreKind::Postgres => "BIGINT",
    }
}
