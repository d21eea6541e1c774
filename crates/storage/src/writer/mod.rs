//! The bulk writer: a batch of events is judged, and what counts is stored with the offsets it came from, in
//! one transaction.
//!
//! The steps are the same on all databases:
//!
//! 1. [`fence`]: the epoch is the current one, and each partition's stored offset moves from exactly where
//!    the batch begins to its end. Whoever comes second finds another offset and writes nothing. From here
//!    on, until the end of the transaction, no other batch of these partitions (and so of these
//!    conversations) can be written.
//! 2. [`mod@load`]: the batch's conversations, from memory ([`known`]) or from the store, and what the fold
//!    asks for.
//! 3. [`judge`]: the fold, event by event; no I/O.
//! 4. New rows of the timeline, by COPY on PostgreSQL ([`mod@postgres`]) and in statements of several rows
//!    elsewhere ([`chunked`]); what follows for conversations and members; and what only rooms and changes
//!    need ([`tables`]).
//!
//! Whether an id was used before costs about as much as storing, and repeats are rare, because a backend
//! knows what it has accepted. So a batch is first written as if all of its messages were new; when that
//! fails for a row's sake, the transaction is undone and made again with a look, which tells repeats from a
//! position that another message has. A batch that passes no offset is read again, and so stored already:
//! it is looked for at once. What must be known for a verdict (of a change, or before an event is void) is
//! looked for anyway.
mod chunked;
mod connection;
mod edits;
mod fence;
mod judge;
pub(crate) mod known;
mod load;
mod loaded;
mod postgres;
mod row;
mod tables;

use std::collections::{BTreeMap, HashMap};

use milena_domain::record::Placed;
use milena_domain::{ConversationId, Epoch};
use sea_orm::Value;
use uuid::Uuid;

use self::connection::Connection;
use self::judge::{Changes, Judge, Stop};
use self::known::Known;
use self::loaded::Loaded;
use crate::queries::lists::listed_at_ms;
use crate::queries::numbering::number_one;
use crate::queries::offsets::as_column;
use crate::{Store, StoreKind, WriteError};

pub use self::row::payload_of;

/// A partition's stored offset, from where the batch begins to where it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OffsetAdvance {
    /// The partition; named once in a batch.
    pub partition: i32,
    /// The next offset that must be stored now. A partition that was never stored takes any.
    pub from: i64,
    /// The next offset after the batch.
    pub to: i64,
}

/// What is written at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteBatch {
    /// The topic that the offsets belong to.
    pub topic: String,
    /// The epoch that the positions and offsets belong to.
    pub epoch: Epoch,
    /// Grouped by partition, each in the order of the log. Whether they count is judged by the writer.
    pub events: Vec<Placed>,
    /// Every partition that the batch has records of, also when none of them was a good one.
    pub advances: Vec<OffsetAdvance>,
}

/// What became of a batch's events: each is counted once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WriteReport {
    /// They count, and what they say is stored now and was not before.
    pub inserted: u64,
    /// They were said before, or stored before, or change nothing.
    pub repeats: u64,
    /// Good records that do not count: of them the store keeps the reason.
    pub void: u64,
}

/// Transactions under way at once, of one consumer.
const WRITES_AT_ONCE: usize = 2;
/// Events for which a transaction of their own is worth its cost.
const EVENTS_ALONE: usize = 1_000;

impl Store {
    /// Writes a batch: all of it or nothing. Takes 30 s at most, and the wait for a connection.
    ///
    /// # Errors
    /// [`WriteError`] says what to do: read the offsets again, stop, try again, or look for the bad row.
    pub async fn write_batch(&self, batch: &WriteBatch) -> Result<WriteReport, WriteError> {
        // Boxed: the future of a whole transaction is large, and callers keep it in theirs.
        let outcome = self.bulk(Box::pin(self.write(batch))).await;
        if self.kind() == StoreKind::Postgres && matches!(outcome, Err(WriteError::Transient(_))) {
            postgres::end_sessions(self).await;
        }
        outcome
    }

    /// In how many batches of different partitions so many events are written the soonest, side by side.
    /// PostgreSQL stores one while another is judged and encoded; SQLite has one writer; what is small is
    /// not worth another commit.
    #[must_use]
    pub fn writes_at_once(&self, events: usize) -> usize {
        match self.kind() {
            StoreKind::Postgres => (events / EVENTS_ALONE).clamp(1, WRITES_AT_ONCE),
            StoreKind::Sqlite | StoreKind::MySql => 1,
        }
    }

    async fn write(&self, batch: &WriteBatch) -> Result<WriteReport, WriteError> {
        // Whatever fails, nothing is remembered.
        let mut known = self.known().take(batch);
        let mut looks = usize::from(batch.advances.is_empty());
        loop {
            match self.write_once(looks > 0, batch, &mut known).await {
                Ok(written) => {
                    known.remember(batch, &written.rewritten, &written.loaded);
                    self.known().put(known);
                    for id in written.restored {
                        number_one(self.kind(), self.writer(), id).await?;
                    }
                    return Ok(written.report);
                }
                // A second look finds what somebody stored in another partition meanwhile.
                Err(Failure::Write(WriteError::Permanent(_))) if looks < 2 => {
                    looks += 1;
                    known = Known::default();
                }
                Err(Failure::Write(error)) => return Err(error),
                Err(Failure::Unnumbered(ids)) => {
                    for id in ids {
                        number_one(self.kind(), self.writer(), id).await?;
                    }
                }
            }
        }
    }

    async fn write_once(
        &self,
        look: bool,
        batch: &WriteBatch,
        known: &mut Known,
    ) -> Result<Written, Failure> {
        let way = Way { look, keep_edits: self.keeps_edits() };
        match self.kind() {
            StoreKind::Postgres => postgres::write(self, way, batch, known).await,
            StoreKind::Sqlite | StoreKind::MySql => chunked::write(self, way, batch, known).await,
        }
    }
}

/// How a batch is written.
#[derive(Debug, Clone, Copy)]
struct Way {
    /// Its ids are looked up first.
    look: bool,
    /// What edited messages said is kept.
    keep_edits: bool,
}

/// What a transaction did, for who goes on after it.
struct Written {
    report: WriteReport,
    loaded: HashMap<ConversationId, Loaded>,
    rewritten: BTreeMap<i32, i64>,
    /// To be numbered anew.
    restored: Vec<Uuid>,
}

/// Why a transaction was undone.
#[derive(Debug)]
enum Failure {
    Write(WriteError),
    /// A program of before has stored in these conversations.
    Unnumbered(Vec<Uuid>),
}

impl<E: Into<WriteError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Write(error.into())
    }
}

/// Everything between the fence and the end of the transaction.
async fn steps(
    connection: &mut Connection<'_>,
    way: Way,
    batch: &WriteBatch,
    known: &mut Known,
    rewritten: BTreeMap<i32, i64>,
) -> Result<Written, Failure> {
    known.keep_proven(batch, &rewritten);
    if known.partitions.is_none() {
        known.partitions = noted_partitions(connection, batch).await?;
    }
    let mut loaded = load::conversations(connection, batch, known).await?;
    let mut judge = Judge::new(&batch.events);
    if way.look {
        judge.looked = Some(load::look(connection, &batch.events, &loaded).await?);
    }
    loop {
        match judge.run(&mut loaded) {
            Ok(()) => break,
            Err(Stop::Look) => judge.looked = Some(load::look(connection, &batch.events, &loaded).await?),
            Err(Stop::Load(id, missing)) => {
                load::load(connection, &mut loaded, vec![(id, missing)]).await?;
            }
            Err(Stop::Refused(error)) => return Err(error.into()),
        }
    }
    let mut changes = judge.changes;
    // In the order of the primary key: neighbours share pages, and a conversation is read from fewer of them.
    changes.rows.sort_unstable_by_key(|row| (row.conversation, row.position));
    match connection {
        Connection::Orm(..) => chunked::insert(connection, &changes, &loaded).await?,
        Connection::Postgres(postgres) => postgres::insert(postgres, &changes, &loaded).await?,
    }
    tables::write(connection, &changes, &loaded).await?;
    if way.keep_edits {
        edits::keep(connection, &changes.edits).await?;
    }
    tables::patch(connection, &changes).await?;
    let restored: Vec<Uuid> =
        loaded.iter().filter(|(_, found)| found.restored).map(|(id, _)| id.as_uuid()).collect();
    if !restored.is_empty() {
        let text = "UPDATE consumer_offsets SET rewritten = rewritten + 1 WHERE topic = ?";
        connection.execute(text, vec![batch.topic.as_str().into()]).await?;
    }
    let Changes { inserted, repeats, void_count: void, .. } = changes;
    let report = WriteReport { inserted, repeats, void };
    Ok(Written { report, loaded, rewritten, restored })
}

async fn noted_partitions(
    connection: &mut Connection<'_>,
    batch: &WriteBatch,
) -> Result<Option<usize>, WriteError> {
    let text = "SELECT partitions FROM log_topics WHERE topic = ? AND epoch = ?";
    let values: Vec<Value> = vec![batch.topic.as_str().into(), as_column(batch.epoch).into()];
    let rows = connection.query(text, values).await?;
    let noted: Option<i32> = match rows.first() {
        Some(row) => Some(row.try_get("", "partitions")?),
        None => None,
    };
    Ok(noted.and_then(|noted| usize::try_from(noted).ok()).filter(|&noted| noted > 0))
}

/// A direct conversation of which something counted, as its row is to be.
struct DirectRow {
    id: ConversationId,
    last_position: i64,
    last_sent_at_ms: i64,
    created_at_ms: i64,
    last_seq: i64,
    numbered_position: i64,
    folded_position: i64,
}

/// By their ids: two writers then never wait for each other in a circle.
fn direct_rows(loaded: &HashMap<ConversationId, Loaded>) -> Vec<DirectRow> {
    let touched = loaded.iter().filter(|(_, found)| found.touched && !found.is_room);
    let mut rows: Vec<DirectRow> = touched
        .map(|(&id, found)| {
            let (last_seq, numbered_position) = tables::numbers(found);
            DirectRow {
                id,
                last_position: found.last_position.as_i64(),
                last_sent_at_ms: found.last_sent_at_ms,
                created_at_ms: found.created_at_ms,
                last_seq,
                numbered_position,
                folded_position: found.folded.as_i64(),
            }
        })
        .collect();
    rows.sort_unstable_by_key(|row| row.id);
    rows
}

/// Who is in the direct conversations that have their first messages now, each with when that was.
fn new_members(changes: &Changes<'_>, loaded: &HashMap<ConversationId, Loaded>) -> Vec<(Uuid, Uuid, i64)> {
    let mut members = BTreeMap::new();
    // By conversation and position, so the first row of a conversation comes first.
    for row in &changes.rows {
        let found = loaded.get(&row.conversation);
        if found.is_some_and(|found| !found.is_room && !found.has_members) {
            let joined = found.map_or(0, |found| found.created_at_ms);
            for user in [row.sender, row.to] {
                members.entry((row.conversation.as_uuid(), user.as_uuid())).or_insert(joined);
            }
        }
    }
    members.into_iter().map(|((conversation, user), joined)| (conversation, user, joined)).collect()
}

/// A line in somebody's list of conversations: which, whose, and where it stands.
struct Listing {
    conversation: Uuid,
    user: Uuid,
    listed_at_ms: i64,
}

/// The lines that the new messages of direct conversations move ([`listed_at_ms`]). By conversation and user:
/// neighbours share pages.
fn listings(changes: &Changes<'_>, loaded: &HashMap<ConversationId, Loaded>) -> Vec<Listing> {
    let mut listings = Vec::new();
    // By conversation, so one look at it is enough; its two people are those of any of its messages.
    for rows in changes.rows.chunk_by(|one, next| one.conversation == next.conversation) {
        let Some(found) = loaded.get(&rows[0].conversation).filter(|found| !found.is_room) else { continue };
        let listed_at_ms = listed_at_ms(found.last_sent_at_ms);
        if found.listed_at_ms == Some(listed_at_ms) {
            continue;
        }
        let mut users = [rows[0].sender.as_uuid(), rows[0].to.as_uuid()];
        users.sort_unstable();
        let users = if users[0] == users[1] { &users[..1] } else { &users[..] };
        listings.extend(users.iter().map(|&user| Listing {
            conversation: rows[0].conversation.as_uuid(),
            user,
            listed_at_ms,
        }));
    }
    listings
}
