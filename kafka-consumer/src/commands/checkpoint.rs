//! What a new epoch begins with: the log's word for everything that the fold must know and that the log may
//! not hold any more.
//!
//! Of each room one `room_state` (several, when it has many members), and of each block one `blocked`. The
//! store from which they are written has all of it and takes them for repeats; whoever makes a store or an
//! index of this log alone begins with them. They may be written twice, by a command that was cut off.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, bail};
use futures::{StreamExt, TryStreamExt, stream};
use milena_domain::limits::SNAPSHOT_MEMBERS_MAX;
use milena_domain::record::{Action, Created, Event, Place, Role, Seat, Snapshot};
use milena_domain::{
    ClientId, ConversationId, Epoch, PartitionState, Position, Timestamp, UserId, partition_of,
};
use milena_kafka::{LogError, Quiet, Role as ClientRole, client_config};
use milena_settings::Settings;
use milena_storage::{ConversationKind, Store, StoredRoom};
use rdkafka::producer::{FutureProducer, FutureRecord};

/// Rooms of one question, and of those that are read and written at once.
const ROOMS: usize = 500;
const AT_ONCE: usize = 8;
/// Blocks are kept in memory, about 50 bytes each.
const BLOCKS_MAX: usize = 1_000_000;
const SEND_TIMEOUT: Duration = Duration::from_secs(30);

/// What was written.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) rooms: usize,
    pub(super) blocks: usize,
}

/// Writes everything to the end of the log, in this epoch; confirmed when this returns.
pub(super) async fn write(
    settings: &Settings,
    store: &Store,
    epoch: Epoch,
    log: &BTreeMap<i32, PartitionState>,
) -> anyhow::Result<Kept> {
    let producer = client_config(&settings.kafka, &ClientRole::Producer { timeout_ms: 30_000 })
        .create_with_context(Quiet::default())
        .map_err(LogError::refused)?;
    let writer = Writer { producer, topic: &settings.kafka.topic, store, epoch, log };
    Ok(Kept { rooms: writer.rooms().await?, blocks: writer.blocks().await? })
}

struct Writer<'a> {
    producer: FutureProducer<Quiet>,
    topic: &'a str,
    store: &'a Store,
    epoch: Epoch,
    log: &'a BTreeMap<i32, PartitionState>,
}

impl Writer<'_> {
    async fn rooms(&self) -> anyhow::Result<usize> {
        let (mut after, mut count) = (None, 0);
        loop {
            let page = self.store.rooms_after(after, ROOMS).await.context("the database cannot be read")?;
            let Some(&last) = page.last() else { return Ok(count) };
            stream::iter(&page)
                .map(|&id| self.room(id))
                .buffer_unordered(AT_ONCE)
                .try_collect::<()>()
                .await?;
            (after, count) = (Some(last), count + page.len());
        }
    }

    /// Part by part: they follow each other in the log.
    async fn room(&self, id: ConversationId) -> anyhow::Result<()> {
        let (found, _) = self.store.room_at(self.topic, id).await.context("the database cannot be read")?;
        let Some(stored) = found else { return Ok(()) };
        let Some((actor, snapshots)) = snapshots(stored) else { bail!("room {id} has no members") };
        for (part, snapshot) in snapshots.into_iter().enumerate() {
            let client_id = ClientId::new(&format!("epoch-{}-{part}", self.epoch.get()))?;
            let action = Action::RoomState(Box::new(snapshot));
            self.send(actor, Place::Room(id), id, client_id, action).await?;
        }
        Ok(())
    }

    async fn blocks(&self) -> anyhow::Result<usize> {
        let found = self.store.blocks(self.topic, BLOCKS_MAX).await.context("the database cannot be read")?;
        if !found.is_complete {
            bail!("there are more than {BLOCKS_MAX} blocks");
        }
        let count = found.blocks.len();
        stream::iter(found.blocks)
            .map(|(conversation, user, _)| self.block(conversation, user))
            .buffer_unordered(AT_ONCE)
            .try_collect::<()>()
            .await?;
        Ok(count)
    }

    async fn block(&self, conversation: ConversationId, user: UserId) -> anyhow::Result<()> {
        let found = self.store.conversation_of(self.topic, user, conversation).await;
        let (found, _) = found.context("the database cannot be read")?;
        let Some(ConversationKind::Direct { other, .. }) = found.map(|found| found.kind) else {
            bail!("the conversation {conversation} of a block is not in the store");
        };
        let client_id = ClientId::new(&format!("epoch-{}", self.epoch.get()))?;
        let place = Place::Direct(other);
        self.send(user, place, conversation, client_id, Action::Blocked { on: true }).await
    }

    async fn send(
        &self,
        actor: UserId,
        place: Place,
        conversation: ConversationId,
        client_id: ClientId,
        action: Action,
    ) -> anyhow::Result<()> {
        // Nothing of this epoch stands before the end that the log had.
        let partition = partition_of(conversation, self.log.len());
        let end = self.log.get(&partition).map_or(0, |state| state.high);
        let seen = Position::new(self.epoch, end);
        let event = Event::new(actor, place, client_id, Timestamp::now(), seen, action);
        let (key, value) = (event.key(), event.encode());
        let record = FutureRecord::to(self.topic).key(&key).payload(&value);
        self.producer.send(record, SEND_TIMEOUT).await.map_err(|(error, _)| error)?;
        Ok(())
    }
}

/// A room in parts that fit into records, and an owner of it. The last owner cannot go, so there is one.
fn snapshots(stored: StoredRoom) -> Option<(UserId, Vec<Snapshot>)> {
    let (mut seats, mut banned) = (Vec::new(), Vec::new());
    for (user, standing) in stored.people {
        seats.extend(standing.membership.map(|membership| Seat {
            user,
            role: membership.role,
            from: Some(membership.from),
        }));
        banned.extend(standing.banned.then_some(user));
    }
    seats.sort_unstable_by_key(|seat| seat.user);
    banned.sort_unstable();
    let owner = seats.iter().find(|seat| seat.role == Role::Owner).or(seats.first());
    let actor = owner?.user;
    let parts = seats.len().max(banned.len()).div_ceil(SNAPSHOT_MEMBERS_MAX).max(1);
    let room = stored.room;
    let mut seats = seats.chunks(SNAPSHOT_MEMBERS_MAX);
    let mut banned = banned.chunks(SNAPSHOT_MEMBERS_MAX);
    let part = |number| Snapshot {
        room: Created {
            handle: room.handle.clone(),
            title: room.title.clone(),
            topic: Some(room.topic.clone()),
            visibility: room.visibility,
            history: room.history,
            posting: room.posting,
            members: seats.next().unwrap_or_default().to_vec(),
        },
        archived: room.archived,
        created: room.created,
        last_seq: stored.last_seq,
        banned: banned.next().unwrap_or_default().to_vec(),
        more: number + 1 < parts,
    };
    Some((actor, (0..parts).map(part).collect()))
}

#[cfg(test)]
mod tests {
    use milena_domain::record::{Handle, History, Posting, Title, Topic, Visibility};
    use milena_timeline::{Membership, Room, Standing};

    use super::*;

    #[test]
    fn a_room_of_many_members_takes_several_records() {
        let room = Room {
            handle: Handle::new("many").unwrap(),
            title: Title::new("Many").unwrap(),
            topic: Topic::new("").unwrap(),
            visibility: Visibility::Public,
            history: History::All,
            posting: Posting::Members,
            archived: true,
            created: Position::new(Epoch::FIRST, 1),
            changed: Position::new(Epoch::FIRST, 2),
            members: 12_000,
            owners: 1,
            awaits_more: false,
        };
        let user = |number: u128| UserId::from_uuid(uuid::Uuid::from_u128(number));
        let member = |number: u128| {
            let role = if number == 7_000 { Role::Owner } else { Role::Member };
            let from = Position::new(Epoch::FIRST, number as i64);
            (user(number), Standing { membership: Some(Membership { role, from }), ..Standing::default() })
        };
        let away = Standing { banned: true, ..Standing::default() };
        let people = (0..12_000).map(member).chain((20_000..20_100).map(|number| (user(number), away)));
        let (last_position, folded) = (Position::ZERO, Position::ZERO);
        let (people, last_sent_at) = (people.collect(), Timestamp::from_unix_ms(0));
        let stored = StoredRoom { room, people, last_seq: 9, last_position, last_sent_at, folded };
        let (actor, parts) = snapshots(stored).unwrap();
        assert_eq!(actor, user(7_000));
        let sizes: Vec<_> = parts
            .iter()
            .map(|part| (part.room.members.len(), part.banned.len(), part.more, part.archived, part.last_seq))
            .collect();
        assert_eq!(
            sizes,
            [(5_000, 100, true, true, 9), (5_000, 0, true, true, 9), (2_000, 0, false, true, 9)]
        );
        assert_eq!(parts[1].room.members[0].from, Some(Position::new(Epoch::FIRST, 5_000)));
    }
}
