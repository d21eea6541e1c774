//! Frames that do something in rooms. Their fields are those of the REST bodies, and are read by the same
//! code; `conversation` and `user` stand for what REST has in its addresses.

use std::str::FromStr;

use milena_domain::ConversationId;
use milena_domain::record::{Action, Created};

use crate::refusal::Refusal;
use crate::wire::rest::{Fields, NewMembers, NewRole, NewRoom, RoomUpdate};

/// The types, named as OpenAPI names the same over REST (`operation_id`).
pub(super) const KINDS: [&str; 9] = [
    "create_room",
    "change_room",
    "join_room",
    "leave_room",
    "add_members",
    "remove_member",
    "change_role",
    "ban",
    "unban",
];

/// What somebody wants of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InRoom {
    /// It is to be there. Its id follows from its creator and the `client_id`.
    Create(Created),
    /// Something is to be done in it.
    Act {
        /// The room.
        room: ConversationId,
        /// What.
        action: Action,
    },
}

impl InRoom {
    /// What its event takes of the log, about: as [`Action::payload_bytes`].
    #[must_use]
    pub fn payload_bytes(&self) -> usize {
        match self {
            Self::Create(created) => created.payload_bytes(),
            Self::Act { action, .. } => action.payload_bytes(),
        }
    }
}

/// Reads a frame, which is a JSON object, of one of [`KINDS`].
pub(super) fn read(kind: &str, text: &str) -> Result<InRoom, Refusal> {
    let mut fields = Fields::parse(text.as_bytes())?;
    if kind == "create_room" {
        let (_, created) = NewRoom::try_from(fields)?.created();
        return Ok(InRoom::Create(created));
    }
    let room = id(&mut fields, "conversation")?;
    let action = match kind {
        "change_room" => Action::RoomChanged(RoomUpdate::try_from(fields)?.try_into()?),
        "join_room" => Action::Joined,
        "leave_room" => Action::Left,
        "add_members" => Action::MembersAdded { users: NewMembers::try_from(fields)?.users },
        "remove_member" => Action::Removed { user: id(&mut fields, "user")? },
        "ban" => Action::Banned { user: id(&mut fields, "user")? },
        "unban" => Action::Unbanned { user: id(&mut fields, "user")? },
        _ => {
            let user = id(&mut fields, "user")?;
            Action::RoleChanged { user, role: NewRole::try_from(fields)?.role }
        }
    };
    Ok(InRoom::Act { room, action })
}

fn id<T: FromStr>(fields: &mut Fields, field: &'static str) -> Result<T, Refusal> {
    fields.text(field)?.parse().map_err(|_| Refusal::field(field, "must be a UUID"))
}
