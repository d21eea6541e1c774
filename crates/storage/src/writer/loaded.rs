//! What the fold knows of a conversation while a batch is judged, and how it is read from its row.

use milena_domain::{ConversationId, Position, UserId};
use milena_timeline::ConversationState;
use sea_orm::{DbErr, QueryResult};
use uuid::Uuid;

use super::known::Direct;
use crate::queries::lists::listed_at_ms;
use crate::room_rows::{position, room};

/// The columns that [`Loaded::read`] reads besides those of a room.
pub(super) const COLUMNS: &str = "id, kind, last_position, last_sent_at_ms, created_at_ms, handle_position, \
    last_seq, numbered_position, folded_position";

pub(super) struct Loaded {
    pub(super) state: ConversationState,
    pub(super) is_room: bool,
    /// Of the newest message; of a room without any, its creation's.
    pub(super) last_position: Position,
    pub(super) last_sent_at_ms: i64,
    pub(super) created_at_ms: i64,
    /// Of the newest effective event that is no message.
    pub(super) folded: Position,
    pub(super) handle_position: Option<Position>,
    /// The newest effective event before the batch: what stands at or before it was judged when it was
    /// stored, and is not judged again.
    pub(super) settled: Position,
    /// Whether members of a direct conversation are stored already.
    pub(super) has_members: bool,
    /// Where it stands in its people's lists, if that is known.
    pub(super) listed_at_ms: Option<i64>,
    /// Something of the batch counted.
    pub(super) touched: bool,
    /// A message was put back behind newer ones, so all are to be numbered anew.
    pub(super) restored: bool,
}

impl Loaded {
    /// Nothing of it is stored.
    pub(super) fn unwritten() -> Self {
        Self {
            state: ConversationState::unwritten(),
            is_room: false,
            last_position: Position::ZERO,
            last_sent_at_ms: 0,
            created_at_ms: 0,
            folded: Position::ZERO,
            handle_position: None,
            settled: Position::ZERO,
            has_members: false,
            listed_at_ms: None,
            touched: false,
            restored: false,
        }
    }

    /// A direct conversation that was remembered.
    pub(super) fn remembered(direct: &Direct) -> Self {
        Self {
            state: ConversationState::stored(None, direct.blocks.iter().copied(), direct.last_seq),
            last_position: direct.last_position,
            last_sent_at_ms: direct.last_sent_at_ms,
            created_at_ms: direct.created_at_ms,
            folded: direct.folded,
            settled: direct.last_position.max(direct.folded),
            has_members: direct.last_position > Position::ZERO,
            listed_at_ms: direct.is_listed.then(|| listed_at_ms(direct.last_sent_at_ms)),
            ..Self::unwritten()
        }
    }

    /// From the row, and who blocks whom there; the second is whether all its messages are numbered.
    pub(super) fn read(
        row: &QueryResult,
        blocks: &[(ConversationId, UserId, Position)],
    ) -> Result<(ConversationId, Self, bool), DbErr> {
        let id = ConversationId::from_uuid(row.try_get::<Uuid>("", "id")?);
        let is_room = row.try_get::<String>("", "kind")? == "room";
        let last_position = position(row.try_get("", "last_position")?)?;
        let numbered = position(row.try_get("", "numbered_position")?)?;
        let folded = position(row.try_get("", "folded_position")?)?;
        let handle_position: Option<i64> = row.try_get("", "handle_position")?;
        let last_seq = u64::try_from(row.try_get::<i64>("", "last_seq")?).unwrap_or(0);
        let room = if is_room { Some(room(row)?) } else { None };
        let mine = blocks.iter().filter(|block| block.0 == id).map(|&(_, user, since)| (user, since));
        let loaded = Self {
            state: ConversationState::stored(room, mine, last_seq),
            is_room,
            last_position,
            last_sent_at_ms: row.try_get("", "last_sent_at_ms")?,
            created_at_ms: row.try_get("", "created_at_ms")?,
            folded,
            handle_position: handle_position.map(position).transpose()?,
            settled: last_position.max(folded),
            has_members: last_position > Position::ZERO,
            listed_at_ms: None,
            touched: false,
            restored: false,
        };
        Ok((id, loaded, numbered == last_position))
    }

    /// What is worth remembering of it until the next batch; `None` of a room.
    pub(super) fn to_remember(&self) -> Option<Direct> {
        (!self.is_room && !self.restored).then(|| Direct {
            last_seq: self.state.last_seq(),
            last_position: self.last_position,
            last_sent_at_ms: self.last_sent_at_ms,
            created_at_ms: self.created_at_ms,
            folded: self.folded,
            is_listed: self.listed_at_ms.is_some() || self.last_position > self.settled,
            blocks: self.state.blocks().collect(),
        })
    }
}
